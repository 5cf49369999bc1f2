"""Image files of any kind as 8-bit arrays of the shape that a model needs."""

from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

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
    if isinstance(file, str | Path):
        with open(file, "rb") as opened:
            return read_image(opened, keep_alpha)
    try:
        image = Image.open(file)
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        return _to_eight_bits(image, keep_alpha)
    except UnidentifiedImageError as error:
        raise ValueError("not a readable image (of no known format)") from error
    # Pillow's decoders raise errors of many types for damaged files.
    except Exception as error:
        raise ValueError(f"not a readable image ({error})") from error


def _to_eight_bits(image: Image.Image, keep_alpha: bool) -> Image.Image:
    if image.mode == "F":
        raise ValueError("expected 8- or 16-bit pixels, received floating-point ones")
    if image.mode.startswith("I"):
        pixels = np.asarray(image)
        if pixels.min() < 0 or pixels.max() > 65535:
            raise ValueError("expected pixels of 8 or 16 bits, received larger ones")
        return Image.fromarray((pixels >> 8).astype(np.uint8))
    if image.has_transparency_data:
        grey = image.mode in ("L", "LA", "La")
        image = image.convert("RGBA")
        if keep_alpha:
            return image.convert("LA") if grey else image
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("L" if grey else "RGB")
    mode = "L" if image.mode in ("1", "L") else "RGB"
    return image if image.mode == mode else image.convert(mode)


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
