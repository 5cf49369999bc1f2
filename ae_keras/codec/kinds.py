"""The kinds of entropy models that a run may have, and of codecs that are made with them."""

import functools
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ae_keras.codec.hyperprior.entropy_model import HyperpriorModel
from ae_keras.codec.hyperprior.strip_codec import StripCodec
from ae_keras.codec.image_codec import ImageCodec
from ae_keras.codec.learned_codec import LearnedCodec
from ae_keras.codec.protocols import QualityTransform, Transform
from ae_keras.codec.quantizer import Quantizer
from ae_keras.runs.shipped import check_shipped

AnyEntropyModel = Quantizer | HyperpriorModel
# From step, overlap, label and the most pixels to a codec.
MakeCodec = Callable[[int | None, int | None, int | None, int], LearnedCodec]


def codec_of(
    transform: Transform | QualityTransform, tables: AnyEntropyModel, name: str
) -> MakeCodec:
    """Return what makes codecs of a model.

    Args:
        transform: The model's encoder and decoder.
        tables: What is known of its latents.
        name: str. Of the model, for the files.
    """
    make: Any = StripCodec if isinstance(tables, HyperpriorModel) else ImageCodec
    return functools.partial(make, transform, tables, name)


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
    check_shipped(path)
    return read_entropy_model(path.read_bytes(), str(path))
