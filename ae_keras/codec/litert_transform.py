"""The encoder and the decoder of an exported model as those of a codec, in LiteRT."""

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ae_keras.codec.kinds import MakeCodec, codec_of, read_entropy_model
from ae_keras.codec.litert import Description, LiteRTModel, unpack
from ae_keras.codec.transform import ModelTransform
from ae_keras.system.invocation import command
from ae_keras.system.safe_files import version_of


class LiteRTTransform(ModelTransform):
    """The encoder and decoder of an exported autoencoder on arrays.

    Args:
        model: LiteRTModel. With the signatures `encode` and `decode`.
        image_shape: `(height, width, channels)` of the images that the model was trained for.
        latent_shape: Shape of the latent of such an image.
        takes_any_size: bool. Whether it takes images of other sizes too.
        classes: int. Number of labels that the decoder knows, if it takes one.
    """

    def __init__(
        self,
        model: LiteRTModel,
        image_shape: Sequence[int],
        latent_shape: Sequence[int],
        takes_any_size: bool = False,
        classes: int | None = None,
    ):
        super().__init__(image_shape, latent_shape, takes_any_size, classes)
        self._model = model

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Return the latents, float32, of tiles in [0, 1]."""
        return self._model.run("encode", {"images": images})["latents"]

    def decode(self, latents: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Return the tiles, float32 in [0, 1], of latents; a conditional model needs labels."""
        inputs = {"latents": latents} | ({} if labels is None else {"labels": labels})
        return self._model.run("decode", inputs)["reconstructions"]


class LiteRTQualityTransform:
    """The encoder and decoder of an exported model that takes a quality, on arrays.

    Args:
        model: LiteRTModel. With the signatures `encode` and `decode`.
        channels: int. Of the images.
    """

    def __init__(self, model: LiteRTModel, channels: int):
        self._model, self.channels = model, channels

    def analyse(self, images: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return latents and hyper-latents, float32 and not rounded."""
        outputs = self._model.run("encode", {"images": images, "position": positions})
        return outputs["latents"], outputs["hyper_latents"]

    def synthesize(self, latents: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """Return the images, float32 in [0, 1], of known latents."""
        inputs = {"latents": latents, "position": positions}
        return self._model.run("decode", inputs)["reconstructions"]


def make_litert_transform(
    model: LiteRTModel, description: Description
) -> LiteRTTransform | LiteRTQualityTransform:
    """Return the encoder and decoder of an exported model.

    Raises:
        ValueError: if it has no latent, or is not what its description says.
    """
    if description.latent_shape is None:
        name = description.recipe["model"]
        raise ValueError(f"{name!r} has no latent that stands for an image.")
    takes_quality = "position" in model.signatures["encode"]
    _check_model(model, description, takes_quality)
    if takes_quality:
        return LiteRTQualityTransform(model, description.image_shape[-1])
    return LiteRTTransform(
        model,
        description.image_shape,
        description.latent_shape,
        description.takes_any_size,
        description.classes,
    )


def _check_model(model: LiteRTModel, description: Description, takes_quality: bool) -> None:
    """Raise `ValueError` unless a model takes and gives what its description says."""
    further = {"position"} if takes_quality else set()
    labels = set() if description.classes is None else {"labels"}
    encoded = {"latents", "hyper_latents"} if takes_quality else {"latents"}
    latent_shape = description.latent_shape or []
    for signature, name, shape, others, outputs in (
        ("encode", "images", description.image_shape, further, encoded),
        ("decode", "latents", latent_shape, labels | further, {"reconstructions"}),
    ):
        fits = set(model.signatures[signature]) == {name, *others}
        fits = fits and outputs <= model.outputs(signature)
        found = model.input_shape(signature, name) if fits else []
        if len(found) != len(shape) or any(
            size not in (-1, wanted) for size, wanted in zip(found, shape, strict=True)
        ):
            raise ValueError(
                f"{description.name!r} is no model as its description says: its {name} are of "
                f"the shape {found}, not {shape}."
            )


def load_exported(path: str | Path, threads: int | None = None) -> MakeCodec:
    """Load a `.tflite` file, and return what makes codecs of it.

    Args:
        path: The file.
        threads: int. That LiteRT computes with. Default: one for each processor.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is damaged, or lacks the encoder, the decoder or the entropy tables.
    """
    path = Path(path)
    return _load(path.resolve(), version_of(path), threads)


@functools.lru_cache(maxsize=4)
def _load(path: Path, written: tuple[int, ...], threads: int | None) -> MakeCodec:
    """Load a file, or return what was loaded if it has not been written since."""
    try:
        data, description, tables = unpack(path.read_bytes())
        model = LiteRTModel(data, threads)
    except ValueError as error:
        raise ValueError(
            f"Cannot load {str(path)!r}. {error} Export it again, with {command('export')}."
        ) from error
    if description.latent_shape is None:
        raise ValueError(f"{str(path)!r} holds a model without a latent, which is no codec.")
    if not {"encode", "decode"} <= set(model.signatures):
        raise ValueError(
            f"{str(path)!r} holds {' and '.join(model.signatures)} alone; a codec needs encode and "
            "decode. Export it without --part."
        )
    if tables is None and description.source is not None:
        raise ValueError(f"{str(path)!r} is a part of a run. Give its folder: {str(path.parent)!r}")
    if tables is None:
        raise ValueError(
            f"{str(path)!r} has no entropy tables, because its run {description.name!r} had none. "
            f"Make them with {command('evaluate')} --rate-distortion, and export it again."
        )
    entropy_model = read_entropy_model(tables, str(path))
    return codec_of(make_litert_transform(model, description), entropy_model, description.name)
