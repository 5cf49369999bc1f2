"""`.keras` files: written whole or not at all, and looked into before Keras reads them.

They may come from anyone. Keras refuses code in them (its safe mode), objects that are not
registered, and links out of their HDF5. It believes what they say of sizes: a configuration of a
few bytes may describe weights that fill the memory, as may a few bytes of an archive or of an HDF5
data set.
"""

import io
import json
import math
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ae_keras.system.safe_files import libraries_in_scratch, write_safely
from ae_keras.system.untrusted import most_unpacked, read_member

if TYPE_CHECKING:
    import keras

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_MEMBERS = ["config.json", "metadata.json", "model.weights.h5"]
_LARGEST_CONFIG = 2**22
# Weights that are described and not stored, as those of random states.
_UNSAVED = 2**16


def save_model(model: "keras.Model", path: Path) -> None:
    """Write a model as a `.keras` file.

    Raises:
        OSError: if it cannot be written; what stood there is unharmed.
    """
    with write_safely(path) as temporary, libraries_in_scratch():
        model.save(temporary)


def check_model_file(path: Path) -> None:
    """Refuse a `.keras` file that asks for more memory than its size explains.

    All classes that it may hold are registered before.

    Raises:
        Exception: of many types, if it does, or is damaged.
    """
    most = most_unpacked(path.stat().st_size)
    with zipfile.ZipFile(path) as archive:
        if sorted(archive.namelist()) != _MEMBERS:
            raise ValueError(f"it must hold {', '.join(_MEMBERS)}, and nothing else")
        config = json.loads(read_member(archive, _CONFIG, _LARGEST_CONFIG))
        weights = read_member(archive, _WEIGHTS, most)
    stored = _count_stored(weights, most)
    # In a thread, because what Keras notes of weights without values, it notes for a thread.
    with ThreadPoolExecutor(1) as pool:
        described = pool.submit(_count_described, config).result()
    if described > stored + _UNSAVED:
        raise ValueError(f"it describes {described:,} weights, and holds {stored:,}")


def _count_stored(weights: bytes, most: int) -> int:
    """Return how many numbers an HDF5 file holds."""
    import h5py

    sizes = []

    def note(_: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            sizes.append((math.prod(item.shape), item.dtype.itemsize))

    with h5py.File(io.BytesIO(weights)) as file:
        file.visititems(note)
    if sum(count * size for count, size in sizes) > most:
        raise ValueError(f"its weights take more than {most:,} bytes")
    return sum(count for count, _ in sizes)


def _count_described(config: dict[str, Any]) -> int:
    """Return how many weights the model of a configuration has; none of them gets a value."""
    import keras

    try:
        with keras.StatelessScope(initialize_variables=False):
            model = keras.saving.deserialize_keras_object({**config, "compile_config": None})
    except ValueError as error:
        # A layer of a user's own may make variables that cannot be without a value.
        if "in a stateless scope" in str(error) and _has_own_classes():
            return 0
        raise
    return sum(math.prod(weight.shape) for weight in getattr(model, "weights", ()))


def _has_own_classes() -> bool:
    """Whether a user has registered classes, with `--import` or in a program."""
    import keras

    names = keras.saving.get_custom_objects()
    return any(not name.startswith("ae_keras>") for name in names)
