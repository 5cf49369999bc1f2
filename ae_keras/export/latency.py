"""How long an exported model takes for an image, and how much memory, in a process of its own.

    python -m ae_keras.export.latency FORMAT FILE THREADS < inputs.npz

The process does nothing else, so that its peak memory is what a program needs to use the model:
Python, the runtime and the model.
"""

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

_ROUNDS, _SECONDS = 50, 2.0


def probe(format: str, path: Path, inputs: dict[str, Any], threads: int) -> dict[str, float]:
    """Return the milliseconds of a call of all signatures, and the peak of the memory in MB.

    Args:
        format: str. One of `ae_keras.export.FORMATS`.
        path: The exported file; of a SavedModel its folder.
        inputs: Arrays of one batch.
        threads: int.

    Raises:
        ChildProcessError: if the process fails.
    """
    data = io.BytesIO()
    np.savez(data, **inputs)
    command = [sys.executable, "-m", "ae_keras.export.latency", format, str(path), str(threads)]
    on_cpu = os.environ | {"CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run(command, input=data.getvalue(), capture_output=True, env=on_cpu)
    if done.returncode:
        reason = done.stderr.decode().strip().splitlines()[-1:]
        raise ChildProcessError(f"Cannot time {str(path)!r}: {' '.join(reason)}")
    return json.loads(done.stdout.splitlines()[-1])


def _main(format: str, path: str, threads: str) -> None:
    from ae_keras.export.runtimes import load_exported_model, run_all

    with np.load(io.BytesIO(sys.stdin.buffer.read())) as file:
        inputs = dict(file)
    model = load_exported_model(format, path, int(threads))
    count = len(next(iter(inputs.values())))
    run_all(model, inputs, count)
    seconds: list[float] = []
    while len(seconds) < _ROUNDS and sum(seconds) < _SECONDS:
        start = time.perf_counter()
        run_all(model, inputs, count)
        seconds.append(time.perf_counter() - start)
    median = float(np.median(seconds))
    print(json.dumps({"latency_ms": 1000 * median, "peak_memory_mb": _peak_memory()}))


def _peak_memory() -> float | None:
    """Return the most memory in MB that this process has had; None where that is not known."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    for line in lines:
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    try:  # where the memory of the process that started this one may count too
        import resource
    except ModuleNotFoundError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    _main(*sys.argv[1:])
