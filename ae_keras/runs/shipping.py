"""Trained models made small, to be given away: weights in 16 bits, and no training state.

python -m ae_keras.runs.shipping RUN FOLDER --dataset NAME

What else a model needs that ships stands in `docs/export.md`.
"""

import argparse
import dataclasses
import io
import zipfile
from pathlib import Path

import h5py
import numpy as np

from ae_keras.runs.folder import RunFolder
from ae_keras.runs.loading import find_run, load_model
from ae_keras.system.safe_files import write_safely

_WEIGHTS = "model.weights.h5"


def ship(run: str | Path, folder: str | Path, dataset: str) -> Path:
    """Write the model of a run, its recipe and its history into a folder of its own.

    The weights are stored in 16 bits; Keras loads them as those of the model, in 32 bits.

    Args:
        run: A run folder, or its name. It may be unfinished.
        folder: Where to write.
        dataset: str. What the recipe is to call the data set, instead of a path on this machine. Of
            the path of a run that it started from, the name alone is kept.

    Returns:
        The model's file.

    Raises:
        FileNotFoundError: if there is no such run.
        ValueError: if a file of the run is damaged.
        OSError: if files cannot be read or written.
    """
    source, target = find_run(run), RunFolder(folder)
    load_model(source.model)  # which says so if it is damaged
    history = source.history
    target.path.mkdir(parents=True, exist_ok=True)
    start = source.recipe.start_from
    start = start | {"name": Path(start["name"]).name} if start else start
    recipe = dataclasses.replace(source.recipe, dataset=dataset, start_from=start)
    target.start(recipe)
    with write_safely(target.model) as path:
        path.write_bytes(halve_weights(source.model.read_bytes()))
    if history:
        target.write_history(history)
    return target.model


def halve_weights(model: bytes) -> bytes:
    """Return the bytes of a `.keras` file with its weights in 16 bits, compressed."""
    result = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(model)) as archive,
        zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as smaller,
    ):
        for name in archive.namelist():
            data = archive.read(name)
            smaller.writestr(name, _halve(data) if name == _WEIGHTS else data)
    return result.getvalue()


def _halve(weights: bytes) -> bytes:
    result = io.BytesIO()
    with h5py.File(io.BytesIO(weights)) as old, h5py.File(result, "w") as new:
        new.attrs.update(old.attrs)

        def copy(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Group):
                new.require_group(name).attrs.update(item.attrs)
                return
            values = item[()]
            if np.issubdtype(values.dtype, np.float32):
                values = values.astype(np.float16)
            new.create_dataset(name, data=values).attrs.update(item.attrs)

        old.visititems(copy)
    return result.getvalue()


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run")
    parser.add_argument("folder")
    parser.add_argument("--dataset", required=True, help="its name in the recipe")
    arguments = parser.parse_args()
    try:
        path = ship(arguments.run, arguments.folder, arguments.dataset)
    except (ValueError, OSError) as error:
        parser.exit(1, f"{parser.prog}: error: {error}\n")
    print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    _main()
