"""The channels of an image and those of a model: grey, colour and alpha.

An image has 1 to 4 channels: grey, grey and alpha, RGB, RGB and alpha. A plane is an image of the
model's channels. A model of three channels takes a grey image as a plane of three equal channels,
and the mean of what it gives back; a model of one channel takes the red, green and blue of a colour
image as three planes. Alpha is kept without loss, as a PNG.
"""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, PngImagePlugin

from ae_keras.codec.errors import InconsistentError


def fits_model(channels: int, model_channels: int) -> bool:
    """Return whether an image of so many channels, without alpha, is planes of a model's."""
    return channels in (1, model_channels) or (channels, model_channels) == (3, 1)


@dataclass(frozen=True)
class Planes:
    """An image as images of a model's channels; `fits_model` says whether that is possible.

    Args:
        channels: int. Of the image, without alpha.
        model_channels: int.
    """

    channels: int
    model_channels: int

    @property
    def count(self) -> int:
        """Number of planes."""
        return 1 if self.channels in (1, self.model_channels) else self.channels

    @property
    def width(self) -> int:
        """Number of the image's channels in a plane."""
        return self.channels // self.count

    def split(self, colour: np.ndarray) -> list[np.ndarray]:
        """Return the planes of an image `(height, width, channels)`."""
        if self.channels == self.model_channels:
            return [colour]
        if self.channels == 1:
            return [np.broadcast_to(colour, (*colour.shape[:2], self.model_channels))]
        return [colour[..., index : index + 1] for index in range(self.channels)]

    def to_pixels(self, rows: np.ndarray) -> np.ndarray:
        """Return rows of a plane, in [0, 1], as uint8 of the image's channels in it.

        Of colour where the image is grey, it is the mean. The rows are overwritten.
        """
        if self.width == 1:
            rows = rows.mean(axis=-1, keepdims=True)
        np.clip(rows, 0, 1, out=rows)
        rows *= 255
        return np.rint(rows, out=rows).astype(np.uint8)


def split_alpha(image: np.ndarray, channels: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Return an image's colour `(height, width, channels)` and its alpha, if it has any.

    Args:
        image: uint8 array `(height, width)` or `(height, width, 1 to 4)`.
        channels: int. Of the model; an image of as many has no alpha.

    Raises:
        ValueError: if it is not such an array, or does not fit the model.
    """
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or not image.size:
        raise ValueError(
            "Expected a uint8 image of shape (height, width) or (height, width, channels). "
            f"Received: {image.dtype} of shape {image.shape}."
        )
    image = np.atleast_3d(image)
    has_alpha = image.shape[2] in (2, 4) and image.shape[2] != channels
    colour, alpha = (image[..., :-1], image[..., -1]) if has_alpha else (image, None)
    if not fits_model(colour.shape[2], channels):
        raise ValueError(
            f"The model is for images of {channels} channels. Received: {image.shape[2]}."
        )
    return colour, alpha


def write_alpha(alpha: np.ndarray) -> bytes:
    """Return alpha `(height, width)` as a PNG."""
    encoded = io.BytesIO()
    Image.fromarray(alpha).save(encoded, "PNG", optimize=True)
    return encoded.getvalue()


def read_alpha(data: bytes, size: tuple[int, int]) -> np.ndarray:
    """Return alpha from a PNG.

    Raises:
        InconsistentError: if it is no grey PNG of that `(height, width)`.
    """
    try:
        # Not by `Image.open`, which has a limit of its own to the number of pixels.
        image = PngImagePlugin.PngImageFile(io.BytesIO(data))
        if image.mode == "L" and image.size == size[::-1]:
            return np.asarray(image)
    except Exception as error:  # Pillow's decoders raise many types
        raise InconsistentError(f"The alpha channel cannot be read: {error}") from error
    raise InconsistentError("The alpha channel is not of the image's size.")
