"""Files that one backend writes and another reads: the same symbols, and nearly the same pixels.

python -m ae_keras.evaluation.backends RUN MODEL.tflite IMAGE

Each backend is a process of its own: it compresses the image, waits for the files of the others,
and decompresses all of them. A file holds a checksum of its symbols, so that each that is read at
all is read with the symbols that were written.
"""

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ae_keras.codec.loading import load_codec
from ae_keras.data.image_files import read_image
from ae_keras.system.safe_files import write_safely
from ae_keras.system.text_tables import to_markdown

LITERT = "litert"
BACKENDS = ("tensorflow", "jax", "torch", LITERT)
_PATIENCE = 300.0


def compare_backends(
    run: str, exported: str, image: str, backends: Sequence[str] = BACKENDS
) -> dict[tuple[str, str], int]:
    """Return the largest difference of pixels for each pair of a writer and a reader.

    Args:
        run: str. A run folder, or its name.
        exported: str. The `.tflite` file of the same model.
        image: str. An image file.
        backends: Some of `BACKENDS`.

    Returns:
        By writer and reader, the largest difference, in 8-bit values, of what the reader makes of
        the writer's file to what the writer does.

    Raises:
        RuntimeError: if a backend fails, which includes other symbols than those of a file.
    """
    with tempfile.TemporaryDirectory() as folder:
        processes = {
            backend: _start([run, exported, image], backend, backends, folder)
            for backend in backends
        }
        _wait(processes)
        pixels = {
            pair: np.load(_pixels(Path(folder), *pair)).astype(int)
            for pair in itertools.product(backends, backends)
        }
    return {
        (writer, reader): int(np.abs(pixels[writer, reader] - pixels[writer, writer]).max())
        for writer, reader in pixels
    }


def _wait(processes: dict[str, subprocess.Popen]) -> None:
    """Wait until all processes have ended; where one fails, the others do not wait for its file."""
    while None in (states := [process.poll() for process in processes.values()]):
        if any(states):
            break
        time.sleep(0.1)
    failed = [backend for backend, process in processes.items() if process.returncode]
    for process in processes.values():
        process.kill()
    errors = {backend: process.communicate()[1] for backend, process in processes.items()}
    if failed:
        lines = (f"{backend}: {errors[backend].strip().splitlines()[-1:]}" for backend in failed)
        raise RuntimeError("; ".join(lines))


def _start(
    files: Sequence[str], own: str, backends: Sequence[str], folder: str
) -> subprocess.Popen:
    """Start the process of a backend."""
    program = [sys.executable, "-m", "ae_keras.evaluation.backends", *files]
    return subprocess.Popen(
        [*program, "--worker", own, "--folder", folder, "--backends", *backends],
        env=os.environ if own == LITERT else os.environ | {"KERAS_BACKEND": own},
        stderr=subprocess.PIPE,
        text=True,
    )


def _pixels(folder: Path, writer: str, reader: str) -> Path:
    return folder / f"{writer}-{reader}.npy"


def _work(model: str, image: str, own: str, others: Sequence[str], folder: Path) -> None:
    """Write the file of a backend, and read those of all."""
    codec = load_codec(model, runtime=None if own == LITERT else "keras")
    data = codec.compress(np.asarray(read_image(image)))
    with write_safely(folder / f"{own}.aek") as path:
        path.write_bytes(data)
    deadline = time.monotonic() + _PATIENCE
    for other in others:
        file = folder / f"{other}.aek"
        while not file.is_file():
            if time.monotonic() > deadline:
                raise TimeoutError(f"No file of {other} came.")
            time.sleep(0.05)
        np.save(_pixels(folder, other, own), codec.decompress(file.read_bytes()))


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", help="a run folder, or its name")
    parser.add_argument("exported", help="its .tflite file, or a run that LiteRT takes")
    parser.add_argument("image")
    parser.add_argument("--backends", nargs="+", default=BACKENDS, choices=BACKENDS)
    for name in ("--worker", "--folder"):  # of the processes that it starts
        parser.add_argument(name, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    run, exported, image = arguments.run, arguments.exported, arguments.image
    own, backends = arguments.worker, arguments.backends
    if own:
        model = exported if own == LITERT else run
        _work(model, image, own, backends, Path(arguments.folder))
        return
    differences = compare_backends(run, exported, image, backends)
    rows = [[writer, *(differences[writer, reader] for reader in backends)] for writer in backends]
    print(to_markdown(["writer, reader", *backends], rows))


if __name__ == "__main__":
    _main()
