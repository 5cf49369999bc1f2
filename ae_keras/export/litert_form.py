"""A run's model for LiteRT, `model.tflite` in its folder, which commands take before Keras.

It gives what Keras gives, but for rounding: its weights have 16 bits only where the model's own
have no more, as those of `photo` that ships, and its proof is that of an export in float32. The
codec's tables are not in it, but are those of the run: files of both runtimes are of one kind.
"""

import dataclasses
from pathlib import Path

from ae_keras.codec.litert import pack, unpack
from ae_keras.export import Export
from ae_keras.export.export_run import exact_floats, load_images_for
from ae_keras.export.exporter import Exporter
from ae_keras.export.parity import check
from ae_keras.export.writers import halve_constants
from ae_keras.runs.loading import find_run, load_model
from ae_keras.runs.shipped import digest_file
from ae_keras.system.safe_files import scratch_folder, write_safely


def write_litert(
    run: str | Path, dataset: str | None = None, overwrite: bool = False
) -> tuple[Path, dict]:
    """Write the model of a run for LiteRT into the run's folder, and prove that it is the same.

    Args:
        run: A run folder, or its name in `saved_models`.
        dataset: str. Whose test images results are compared on. Default: that of the run.
        overwrite: bool. Replace the file that is there.

    Returns:
        The file, and how far its results are from Keras's, see `ae_keras.export.parity.compare`.

    Raises:
        FileNotFoundError: if there is no such run.
        FileExistsError: if the file is there.
        ValueError: if LiteRT cannot express the model, or the data set does not fit.
        ArithmeticError: if the results are too far from the Keras model's.
        OSError: if the file cannot be written, or the data set is not at hand.
    """
    folder = find_run(run)
    if folder.litert.exists() and not overwrite:
        raise FileExistsError(f"{str(folder.litert)!r} exists. Replace it with --overwrite.")
    part = "chroma" if "colourization" in load_model(folder.model).tasks else "autoencoder"
    exporter = Exporter(folder, Export("litert", part=part))
    test = load_images_for(exporter, dataset)["test"]
    with scratch_folder() as temporary, exact_floats():
        path = exporter.write(temporary, None)
        model, description, _ = unpack(path.read_bytes())
        description = dataclasses.replace(description, source=digest_file(folder.model))
        path.write_bytes(pack(halve_constants(model), description, None))
        parity, _ = exporter.compare(path, test)
        check(parity, "none")
        data = path.read_bytes()
    with write_safely(folder.litert) as path:
        path.write_bytes(data)
    return folder.litert, parity
