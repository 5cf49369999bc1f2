"""The kinds of entropy models that a run may have, and of codecs that are made with them."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ae_keras.codec.hyperprior.entropy_model import HyperpriorModel
from ae_keras.codec.hyperprior.strip_codec import StripCodec
from ae_keras.codec.image_codec import ImageCodec
from ae_keras.codec.learned_codec import LearnedCodec
from ae_keras.codec.protocols import QualityTransform, Transform
from ae_keras.codec.quantizer import Quantizer
from ae_keras.codec.table_files import read_tables
from ae_keras.runs.shipped import check_shipped
from ae_keras.system.safe_files import version_of

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

    Raises:
        ValueError: if the tables are of latents of another kind.
    """
    # Of a model that takes a quality there is none.
    latent_shape = getattr(transform, "latent_shape", None)
    if isinstance(tables, HyperpriorModel):
        make: Any = StripCodec
        fits = latent_shape is None
    else:
        make = ImageCodec
        fits = latent_shape is not None and latent_shape[-1] == tables.channels
    if not fits:
        raise ValueError(f"The entropy tables of {name!r} are not of its model's latents.")
    name = name.encode(errors="replace").decode()  # a folder's need not be a text
    return functools.partial(make, transform, tables, name)


def read_entropy_model(data: bytes, name: str) -> AnyEntropyModel:
    """Read the bytes of entropy tables; errors name the file that they are from.

    Raises:
        ValueError: if they are damaged.
    """
    return read_tables(data, name, _from_arrays)


def _from_arrays(arrays: Mapping[str, np.ndarray]) -> AnyEntropyModel:
    return (HyperpriorModel if "scales" in arrays else Quantizer).from_arrays(arrays)


def load_tables(path: Path) -> AnyEntropyModel:
    """Read a file of entropy tables; the same ones come back until it is written anew.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is damaged.
    """
    return _load(path.absolute(), path, *version_of(path))


@functools.lru_cache(maxsize=8)
def _load(place: Path, path: Path, *written: int) -> AnyEntropyModel:
    """Read the tables in a place; errors name it as the caller does."""
    check_shipped(place)
    return read_entropy_model(place.read_bytes(), str(path))
