"""The kinds of entropy models that a run may have, told apart by what their files hold."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ae_keras.codec.hyperprior.entropy_model import HyperpriorModel
from ae_keras.codec.learned_codec import LearnedCodec
from ae_keras.codec.quantizer import Quantizer

AnyEntropyModel = Quantizer | HyperpriorModel
# From step, overlap, label and the most pixels to a codec.
MakeCodec = Callable[[int | None, int | None, int | None, int], LearnedCodec]


def read_entropy_model(data: bytes, name: str) -> AnyEntropyModel:
    """Read the bytes of entropy tables; errors name the file that they are from.

    Raises:
        ValueError: if they are damaged.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            is_hyperprior = "scales" in file.files
    except Exception as error:  # of many types, where an archive is damaged
        raise ValueError(f"Cannot read the tables in {name!r}: {error}.") from error
    return (HyperpriorModel if is_hyperprior else Quantizer).from_bytes(data, name)


def load_tables(path: Path) -> AnyEntropyModel:
    """Read a file of entropy tables.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is damaged.
    """
    return read_entropy_model(path.read_bytes(), str(path))
