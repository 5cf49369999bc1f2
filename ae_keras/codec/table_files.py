"""Files of entropy tables: NumPy archives, whose damage shows in many ways."""

import io
import zipfile
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from ae_keras.system.untrusted import check_unpacked

# Bytes of the arrays, ten times those of the largest model that ships, and how many tables.
_MOST_BYTES = 2**26
_MOST_TABLES = 2**16
Made = TypeVar("Made")


def read_tables(data: bytes, name: str, make: Callable[[dict[str, np.ndarray]], Made]) -> Made:
    """Return what is made of the arrays of an `.npz` file.

    Args:
        data: bytes. Of the file.
        name: str. Of the file, for errors.
        make: Callable. From the arrays by their names.

    Raises:
        ValueError: if the file is damaged, or its arrays do not fit.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            check_unpacked(archive, _MOST_BYTES)
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            return make(dict(file))
    except Exception as error:  # of many types, where an archive is damaged
        raise ValueError(f"Cannot read the tables in {name!r}: {error}.") from error


def split_tables(values: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
    """Return the parts of an array, of known lengths.

    Raises:
        ValueError: if there are too many, or they are not the whole.
    """
    if len(lengths) > _MOST_TABLES or min(lengths, default=0) < 0 or sum(lengths) != len(values):
        raise ValueError("The lengths of its tables do not fit.")
    return np.split(values, np.cumsum(lengths)[:-1])
