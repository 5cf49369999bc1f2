"""What image files say besides their pixels: ICC profile, EXIF, XMP and resolution."""

import contextlib
import dataclasses
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from PIL import ExifTags, Image

from ae_keras.system.pillow_warnings import warnings_as_errors

# Of a profile, EXIF or XMP, in bytes; larger ones are left out.
LARGEST = 2**24
# How the EXIF of most formats begins, before its TIFF header.
EXIF_PREFIX = b"Exif\0\0"
_ORIENTATION = re.compile(rb"(tiff:Orientation\s*(?:=\s*[\"']|>)\s*)\d+")
# The tags of a TIFF file, and its own directories, that describe the picture and not its pixels.
_DESCRIPTIVE = [
    ExifTags.Base.ImageDescription,
    ExifTags.Base.Make,
    ExifTags.Base.Model,
    ExifTags.Base.Software,
    ExifTags.Base.DateTime,
    ExifTags.Base.Artist,
    ExifTags.Base.HostComputer,
    ExifTags.Base.Copyright,
]
_DIRECTORIES = [ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo]
_COLOURS = {"L": b"GRAY", "LA": b"GRAY", "RGB": b"RGB ", "RGBA": b"RGB "}


@dataclass(frozen=True)
class Metadata:
    """What is known of an image besides its pixels.

    Args:
        icc_profile: bytes. Of the pixels; none if empty.
        exif: bytes. From its TIFF header on; none if empty.
        xmp: bytes. An XMP packet; none if empty.
        resolution: `(across, down)` in pixels per inch; files keep three decimal places.
    """

    icc_profile: bytes = b""
    exif: bytes = b""
    xmp: bytes = b""
    resolution: tuple[float, float] | None = None


NO_METADATA = Metadata()


def metadata_of(image: Image.Image, **changes: Any) -> tuple[Metadata, list[str]]:
    """Return the metadata of an image, and why parts of them were left out.

    A part that is damaged is left out. Orientation is as the image has it.

    Args:
        image: An image that Pillow has loaded.
        **changes: What is to be taken instead of what its `info` says; empty for nothing.
    """
    info: dict[Any, Any] = {**image.info, **changes}
    notes = []
    exif = b""
    try:
        exif = _read_exif(image, info)
        check_exif(exif)
    except ValueError:
        exif = b""
        notes.append("its EXIF is damaged and was left out")
    icc = info.get("icc_profile") or b""
    if icc and icc[36:40] != b"acsp":
        icc = b""
        notes.append("its ICC profile is damaged and was left out")
    xmp = info.get("xmp") or b""
    xmp = xmp.encode() if isinstance(xmp, str) else xmp
    parts = {"ICC profile": icc, "EXIF": exif, "XMP": xmp}
    large = [name for name, data in parts.items() if len(data) > LARGEST]
    notes += [f"its {name} has more than 16 MiB and was left out" for name in large]
    icc, exif, xmp = (b"" if name in large else data for name, data in parts.items())
    return Metadata(icc, exif, xmp, _read_resolution(info.get("dpi"))), notes


def _read_exif(image: Image.Image, info: Mapping[Any, Any]) -> bytes:
    """Return EXIF from its TIFF header on.

    Raises:
        ValueError: if Pillow finds it damaged.
    """
    with no_damage():
        exif = info.get("exif")
        if "exif" not in info:
            # That of a TIFF stands among the tags that describe its pixels.
            exif = descriptive_tags(image.getexif())
        if isinstance(exif, Image.Exif):
            exif = exif.tobytes() if exif else b""
        return re.sub(b"^(Exif\0\0)+", b"", exif or b"")


def descriptive_tags(exif: Image.Exif) -> Image.Exif:
    """Return the EXIF of a TIFF file without the tags that say how its pixels are stored."""
    kept = Image.Exif()
    for tag in _DESCRIPTIVE:
        if tag in exif:
            kept[tag] = exif[tag]
    for directory in _DIRECTORIES:
        content = exif.get_ifd(directory)
        if content:
            kept[directory] = dict(content)
    return kept


def _read_resolution(dpi: Any) -> tuple[float, float] | None:
    try:
        across, down = map(float, dpi)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    # Three decimal places in 32 bits.
    is_kept = all(0.001 <= value < 2**32 / 1000 - 1 for value in (across, down))
    return (round(across, 3), round(down, 3)) if is_kept else None


@contextlib.contextmanager
def no_damage() -> Iterator[None]:
    """Turn all that Pillow says of damaged EXIF into `ValueError`, warnings included."""
    try:
        with warnings_as_errors():
            yield
    except Exception as error:
        raise ValueError(f"The EXIF is damaged: {error}") from error


def check_exif(exif: bytes) -> Image.Exif:
    """Return what Pillow reads in EXIF.

    Raises:
        ValueError: if it is damaged.
    """
    read = Image.Exif()
    with no_damage():
        _reset_tag(exif)
        read.load(exif)
        for directory in _DIRECTORIES:
            read.get_ifd(directory)
    return read


def has_position(metadata: Metadata) -> bool:
    """Return whether metadata say where on earth the picture was taken."""
    if b"exif:GPSLatitude" in metadata.xmp:
        return True
    try:
        position = check_exif(metadata.exif).get_ifd(ExifTags.IFD.GPSInfo)
    except ValueError:
        return False
    return ExifTags.GPS.GPSLatitude in position


def reset_orientation(metadata: Metadata) -> Metadata:
    """Return metadata for pixels that stand upright: orientation, where it is given, is 1."""
    xmp = _ORIENTATION.sub(rb"\g<1>1", metadata.xmp)
    return dataclasses.replace(metadata, exif=_reset_tag(metadata.exif), xmp=xmp)


def _reset_tag(exif: bytes) -> bytes:
    """Change the tag alone: written anew, EXIF would lose its thumbnail and a maker's notes."""
    if not exif:
        return exif
    order = "<" if exif.startswith(b"II") else ">"
    changed = bytearray(exif)
    (start,) = struct.unpack_from(order + "I", exif, 4)
    (count,) = struct.unpack_from(order + "H", exif, start)
    for place in range(start + 2, start + 2 + 12 * count, 12):
        (tag,) = struct.unpack_from(order + "H", exif, place)
        if tag == ExifTags.Base.Orientation:
            struct.pack_into(order + "HHIHH", changed, place, tag, 3, 1, 1, 0)
    return bytes(changed)


def fit_profile(metadata: Metadata, mode: str) -> tuple[Metadata, list[str]]:
    """Return metadata without an ICC profile that is none of pixels of a mode; and that it was so.

    Args:
        metadata: Metadata.
        mode: `"L"`, `"LA"`, `"RGB"` or `"RGBA"`.
    """
    colours = metadata.icc_profile[16:20]
    if not colours or colours == _COLOURS[mode]:
        return metadata, []
    theirs, ours = colours.decode("latin-1").strip(), _COLOURS[mode].decode().strip()
    note = f"its ICC profile is of {theirs} and was left out, as its pixels are stored in {ours}"
    return dataclasses.replace(metadata, icc_profile=b""), [note]
