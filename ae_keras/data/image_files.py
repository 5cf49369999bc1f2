"""Image files of any kind as 8-bit arrays of the shape that a model needs."""

import contextlib
import dataclasses
import io
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from ae_keras.data.metadata import (
    NO_METADATA,
    Metadata,
    fit_profile,
    metadata_of,
    reset_orientation,
)

SUFFIXES = frozenset(
    [".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"],
)


def find_images(folder: str | Path, suffixes: Collection[str] = SUFFIXES) -> list[Path]:
    """Return the image files under a folder, at any depth, sorted by path.

    Args:
        folder: Hidden files and folders in it are left out.
        suffixes: Endings of the files, in lower case.

    Raises:
        ValueError: if there are none.
    """
    folder = Path(folder)
    paths = (path for path in folder.rglob("*") if path.suffix.lower() in suffixes)
    visible = (
        path
        for path in paths
        if path.is_file()
        and not any(part.startswith((".", "__")) for part in path.relative_to(folder).parts)
    )
    found = sorted(visible, key=lambda path: path.as_posix())
    if not found:
        raise ValueError(
            f"No images in {str(folder)!r}. Expected files ending in {' '.join(sorted(suffixes))}."
        )
    return found


def read_image(file: str | Path | BinaryIO, keep_alpha: bool = False) -> Image.Image:
    """Read an image file as an 8-bit grey (`"L"`) or colour (`"RGB"`) image.

    The EXIF rotation is applied, transparency is laid over white, 16-bit values are reduced to
    their upper 8 bits, palettes become colours, and of several frames the first is taken.

    Args:
        file: A path, or an open file.
        keep_alpha: bool. Give transparent images as `"LA"` or `"RGBA"` instead.

    Raises:
        ValueError: if the file is not a readable image, with the reason.
        OSError: if the file is missing or may not be read.
    """
    with _open(file) as opened, _damage_in_words():
        image = Image.open(opened)
        image.load()
        return _to_upright_pixels(image, keep_alpha)


@dataclass(frozen=True)
class Photograph:
    """An image file.

    Args:
        pixels: An 8-bit grey or colour image, upright, with its alpha.
        metadata: Metadata. Of these pixels: the orientation in them is 1.
        notes: What was not kept as it is in the file, each a part of a sentence.
    """

    pixels: Image.Image
    metadata: Metadata
    notes: tuple[str, ...]


def read_photograph(file: str | Path | BinaryIO, keep_metadata: bool = True) -> Photograph:
    """Read the pixels of an image file, as `read_image` does, with its metadata.

    Args:
        file: A path, or an open file.
        keep_metadata: bool. Whether metadata are asked for.

    Raises:
        ValueError: if the file is not a readable image, with the reason.
        OSError: if the file is missing or may not be read.
    """
    with _open(file) as opened, _damage_in_words():
        image = Image.open(opened)
        notes = ["of its 16 bits a channel, 8 are stored"] if _is_deep(image) else []
        image.load()
        metadata, lost = metadata_of(image) if keep_metadata else (NO_METADATA, [])
        notes += lost
        if image.mode == "CMYK":
            notes.append("its CMYK colours are stored as RGB")
            metadata = dataclasses.replace(metadata, icc_profile=b"")
        pixels = _to_upright_pixels(image, keep_alpha=True)
        metadata, lost = fit_profile(reset_orientation(metadata), pixels.mode)
        return Photograph(pixels, metadata, (*notes, *lost))


def _open(file: str | Path | BinaryIO) -> contextlib.AbstractContextManager[BinaryIO]:
    return open(file, "rb") if isinstance(file, str | Path) else contextlib.nullcontext(file)


@contextlib.contextmanager
def _damage_in_words() -> Iterator[None]:
    try:
        yield
    except UnidentifiedImageError as error:
        raise ValueError("not a readable image (of no known format)") from error
    # Pillow's decoders raise errors of many types for damaged files.
    except Exception as error:
        raise ValueError(f"not a readable image ({error})") from error


def _is_deep(image: Image.Image) -> bool:
    """Return whether the file of an image that is not loaded yet has 16 bits a channel."""
    for tile in getattr(image, "tile", []):
        # The name of Pillow's raw mode, or that and the largest value in a PPM.
        match tile.args:
            case (_, int(largest)) if image.format == "PPM" and largest > 255:
                return True
            case names if ";16" in str(names):
                return True
    return image.mode.startswith("I")


def _to_upright_pixels(image: Image.Image, keep_alpha: bool) -> Image.Image:
    # Damaged EXIF, of which Pillow raises and warns in many ways, is no reason to lose the pixels.
    with contextlib.suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ImageOps.exif_transpose(image, in_place=True)
    return _to_eight_bits(image, keep_alpha)


def _to_eight_bits(image: Image.Image, keep_alpha: bool) -> Image.Image:
    if image.mode == "F":
        raise ValueError("expected 8- or 16-bit pixels, received floating-point ones")
    if image.mode.startswith("I"):
        pixels = np.asarray(image)
        if pixels.min() < 0 or pixels.max() > 65535:
            raise ValueError("expected pixels of 8 or 16 bits, received larger ones")
        return Image.fromarray((pixels >> 8).astype(np.uint8))
    if image.mode == "CMYK":
        return _from_cmyk(image)
    if image.has_transparency_data:
        grey = image.mode in ("L", "LA", "La")
        image = image.convert("RGBA")
        if keep_alpha:
            return image.convert("LA") if grey else image
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("L" if grey else "RGB")
    mode = "L" if image.mode in ("1", "L") else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _from_cmyk(image: Image.Image) -> Image.Image:
    """Return CMYK colours as RGB: by their ICC profile, if they have one that can be used."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        standard = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, profile, standard, outputMode="RGB")
    except (KeyError, TypeError, OSError, ImageCms.PyCMSError):
        converted = None
    return image.convert("RGB") if converted is None else converted


def fit_image(
    image: Image.Image, image_shape: tuple[int, int, int], enlarge: bool = False
) -> np.ndarray:
    """Return an image as an array of a given shape.

    The middle of the image with the wanted proportions is kept and resized (Lanczos filter);
    grey becomes colour by repetition, colour becomes grey by its luma (ITU-R 601).

    Args:
        image: An 8-bit grey or RGB image.
        image_shape: `(height, width, channels)`.
        enlarge: bool. Take images that are smaller too.

    Returns:
        uint8 array of `image_shape`.

    Raises:
        ValueError: if the image would have to be enlarged, and must not be.
    """
    height, width, channels = image_shape
    if not enlarge and (image.height < height or image.width < width):
        raise ValueError(
            f"expected an image of at least {height}x{width} pixels (height x width), "
            f"received one of {image.height}x{image.width}. Choose a smaller `image_shape`, or "
            "set `enlarge` to true"
        )
    image = image.convert("L" if channels == 1 else "RGB")
    if image.size != (width, height):
        image = ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)
    return np.asarray(image).reshape(image_shape)
