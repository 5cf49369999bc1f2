"""Image files of any kind as 8-bit arrays of the shape that a model needs."""

import contextlib
import dataclasses
import io
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import BinaryIO, TypeVar

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ae_keras.data.colour_profiles import srgb_profile, to_srgb
from ae_keras.data.eight_bits import check_layout, is_deep, to_eight_bits
from ae_keras.data.metadata import (
    NO_METADATA,
    Metadata,
    fit_profile,
    metadata_of,
    reset_orientation,
)
from ae_keras.system.notices import note

# Of the files of pictures that Pillow opens without other programs.
_ENDINGS = """
    .apng .avif .avifs .blp .bmp .bw .cur .dcx .dds .dib .flc .fli .ftc .ftu .gbr .gif .icb .icns
    .ico .im .j2c .j2k .jfif .jp2 .jpc .jpe .jpeg .jpf .jpg .jpx .mpo .msp .pbm .pcd .pcx .pgm .png
    .pnm .ppm .psd .pxr .qoi .ras .rgb .rgba .sgi .tga .tif .tiff .vda .vst .webp .xbm .xpm
"""
SUFFIXES = frozenset(_ENDINGS.split())


def find_images(folder: str | Path, suffixes: Collection[str] = SUFFIXES) -> list[Path]:
    """Return the image files under a folder, at any depth, sorted by path.

    How many other files and linked folders there are is noted, see `ae_keras.system.notices`.

    Args:
        folder: Hidden files and folders in it, and linked folders, are left out.
        suffixes: Endings of the files, in lower case.

    Raises:
        ValueError: if there are none.
    """
    paths: list[Path] = []
    links = 0
    for place, folders, names in os.walk(folder):
        folders[:] = filter(_is_visible, folders)
        links += sum(os.path.islink(os.path.join(place, name)) for name in folders)
        paths += (Path(place, name) for name in filter(_is_visible, names))
    there = (path for path in paths if path.suffix.lower() not in suffixes or path.is_file())
    found = _choose_images(str(folder), there, suffixes)
    if links:
        note("linked folders are left out, name them too: {count}", str(folder), links)
    return found


def choose_images(
    folder: str, names: Iterable[str], suffixes: Collection[str] = SUFFIXES
) -> list[str]:
    """Return the names of image files among all that are under a folder, as `find_images` does.

    Args:
        folder: str. The folder, for what is said of it.
        names: Of files, below the folder, with slashes.
        suffixes: Endings of the files, in lower case.

    Raises:
        ValueError: if there are none.
    """
    visible = (PurePosixPath(name) for name in names if all(map(_is_visible, name.split("/"))))
    return list(map(str, _choose_images(folder, visible, suffixes)))


_AnyPath = TypeVar("_AnyPath", bound=PurePath)


def _choose_images(
    folder: str, paths: Iterable[_AnyPath], suffixes: Collection[str]
) -> list[_AnyPath]:
    found: list[_AnyPath] = []
    others: Counter[str] = Counter()
    for path in paths:
        suffix = path.suffix.lower()
        if suffix in suffixes:
            found.append(path)
        else:
            others[suffix or "without an ending"] += 1
    if not found:
        raise ValueError(
            f"No images in {folder!r}. Expected files ending in {' '.join(sorted(suffixes))}."
        )
    _note_left_out(folder, others)
    return sorted(found, key=lambda path: path.as_posix())


def _is_visible(name: str) -> bool:
    return not name.startswith((".", "__"))


# Of kinds of files, in a sentence.
_NAMED_KINDS = 5


def _note_left_out(folder: str, others: Counter[str]) -> None:
    if others:
        kinds = [f"{count} {kind}" for kind, count in others.most_common(_NAMED_KINDS)]
        kinds += ["..."] if len(others) > _NAMED_KINDS else []
        sentence = f"other files are left out: {{count}} ({', '.join(kinds)})"
        note(sentence, folder, others.total())


def read_image(file: str | Path | BinaryIO, keep_alpha: bool = False) -> Image.Image:
    """Read an image file as an 8-bit grey (`"L"`) or colour (`"RGB"`) image.

    The EXIF rotation is applied, transparency is laid over white, 12- and 16-bit values are reduced
    to their upper 8 bits, palettes become colours, colours of another ICC profile those of sRGB,
    and of several frames or pages the first is taken. What is changed or lost so is noted, see
    `ae_keras.system.notices`.

    Args:
        file: A path, or an open file.
        keep_alpha: bool. Give transparent images as `"LA"` or `"RGBA"` instead.

    Raises:
        ValueError: if the file is not a readable image, with the reason.
        OSError: if the file is missing or may not be read.
    """
    with _open(file) as opened, _damage_in_words():
        image = Image.open(opened)
        layout = check_layout(image)
        image.load()
        pixels = to_eight_bits(image, layout, opened)
        pixels, conversion = to_srgb(pixels, _profile_of(image))
        if conversion:
            note(conversion, _name(opened))
        _note_frames(opened)
        return pixels if keep_alpha else _lay_over_white(pixels, _name(opened))


@dataclass(frozen=True)
class Photograph:
    """An image file.

    Args:
        pixels: An 8-bit grey or colour image, upright, with its alpha.
        metadata: Metadata. Of these pixels: the orientation in them is 1.
        notes: What was not kept as it is in the file, each a part of a sentence.
        size: int. Bytes of the file.
    """

    pixels: Image.Image
    metadata: Metadata
    notes: tuple[str, ...]
    size: int


def read_photograph(
    file: str | Path | BinaryIO, keep_metadata: bool = True, in_srgb: bool = False
) -> Photograph:
    """Read the pixels of an image file with its alpha and its metadata.

    Args:
        file: A path, or an open file.
        keep_metadata: bool. Whether metadata are asked for.
        in_srgb: bool. Convert colours of another ICC profile to sRGB, as `read_image` does; the
            metadata of colour images then hold a profile of sRGB instead.

    Raises:
        ValueError: if the file is not a readable image, with the reason.
        OSError: if the file is missing or may not be read.
    """
    with _open(file) as opened, _damage_in_words():
        image = Image.open(opened)
        layout = check_layout(image)
        notes = ["of its 16 bits a channel, 8 are stored"] if is_deep(image) else []
        image.load()
        metadata, lost = metadata_of(image) if keep_metadata else (NO_METADATA, [])
        notes += lost
        if image.mode == "CMYK":
            notes.append("its CMYK colours are stored as RGB")
            metadata = dataclasses.replace(metadata, icc_profile=b"")
        pixels = to_eight_bits(image, layout, opened)
        _note_frames(opened)
        metadata, lost = fit_profile(reset_orientation(metadata), pixels.mode)
        photograph = Photograph(pixels, metadata, (*notes, *lost), opened.seek(0, io.SEEK_END))
        return _in_srgb(photograph, _profile_of(image)) if in_srgb else photograph


def _profile_of(image: Image.Image) -> bytes:
    return image.info.get("icc_profile") or b""


def _in_srgb(photograph: Photograph, profile: bytes) -> Photograph:
    pixels, conversion = to_srgb(photograph.pixels, profile)
    if not conversion:
        return photograph
    metadata = photograph.metadata
    if metadata.icc_profile and pixels is not photograph.pixels:
        # There is none for grey levels; without one they are taken for those of sRGB too.
        profile = srgb_profile() if pixels.mode.startswith("RGB") else b""
        metadata = dataclasses.replace(metadata, icc_profile=profile)
    notes = (*photograph.notes, conversion)
    return dataclasses.replace(photograph, pixels=pixels, metadata=metadata, notes=notes)


def _open(file: str | Path | BinaryIO) -> contextlib.AbstractContextManager[BinaryIO]:
    return open(file, "rb") if isinstance(file, str | Path) else contextlib.nullcontext(file)


@contextlib.contextmanager
def _damage_in_words() -> Iterator[None]:
    try:
        yield
    except UnidentifiedImageError as error:
        raise ValueError("not a readable image (of no known format)") from error
    except MemoryError:
        raise
    # Pillow's decoders raise errors of many types for damaged files.
    except Exception as error:
        raise ValueError(f"not a readable image ({error})") from error


def _name(file: BinaryIO) -> str:
    return str(getattr(file, "name", "-"))


def _note_frames(file: BinaryIO) -> None:
    """Note how many frames or pages follow the first, if that can be told."""
    file.seek(0)
    with contextlib.suppress(Exception):  # the first one was read, another is damaged
        image = Image.open(file)
        frames = getattr(image, "n_frames", 1)
        # A PSD's are layers, which its image shows together.
        if frames > 1 and image.format != "PSD":
            note("further frames or pages are left out: {count}", _name(file), frames - 1)


def _lay_over_white(image: Image.Image, name: str) -> Image.Image:
    if not image.mode.endswith("A"):
        return image
    if image.getextrema()[-1] != (255, 255):
        note("transparent parts are laid over white", name)
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image.convert("RGBA")).convert(image.mode[:-1])


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
