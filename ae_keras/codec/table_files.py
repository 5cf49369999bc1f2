"""Files of entropy tables: NumPy archives, whose damage shows in many ways."""

import io
from collections.abc import Callable
from typing import TypeVar

import numpy as np

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
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            return make(dict(file))
    except Exception as error:  # of many types, where an archive is damaged
        raise ValueError(f"Cannot read the tables in {name!r}: {error}.") from error
