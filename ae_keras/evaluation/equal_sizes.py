"""Photographs as files of a model, beside JPEG, WebP and AVIF files of the same size.

```
python -m ae_keras.evaluation.equal_sizes photo cat.png
python -m ae_keras.evaluation.equal_sizes photo three.png --photographs astronaut chelsea coffee \
    --qualities 15 40 --formats JPEG WebP AVIF
```

draw photographs of scikit-image, and write a table of what they show beside the figure.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ae_keras import figures, metrics
from ae_keras.codec.classical import make_codec
from ae_keras.codec.loading import load_codec
from ae_keras.codec.protocols import Codec
from ae_keras.codec.rate_control import compress_below
from ae_keras.system.pixels import middle, to_unit_range
from ae_keras.system.safe_files import write_safely, write_text
from ae_keras.system.text_tables import to_csv

OURS = "ae-keras"
FORMATS = {"JPEG": "jpeg", "WebP": "webp", "AVIF": "avif"}
# These come with scikit-image, so that nothing is downloaded.
_PHOTOGRAPHS = ("astronaut", "chelsea", "coffee")
_SHOWN_SIZE = 256
# The width of the figure.
_INCHES = 8.0


class Version(NamedTuple):
    """A file of a photograph, and what comes back of it.

    Args:
        size: int. Its bytes.
        bpp: float. Its bits per pixel.
        psnr: float. Of the picture, in dB.
        picture: uint8 array.
    """

    size: int
    bpp: float
    psnr: float
    picture: np.ndarray


class Case(NamedTuple):
    """A photograph, and files of one size of it.

    Args:
        name: str. Of the photograph.
        image: uint8 array `(height, width, 3)`.
        versions: By the names of formats.
    """

    name: str
    image: np.ndarray
    versions: dict[str, Version]


def compare(codec: Codec, name: str, image: np.ndarray, formats: Sequence[str]) -> Case:
    """Return a codec's file of an image, after the best of each format that is no larger.

    Args:
        codec: Codec. At the quality that is to be compared.
        name: str. Of the image.
        image: uint8 array `(height, width, 3)`.
        formats: Of `FORMATS`.
    """
    ours = codec.compress(image)
    others = {name: make_codec(FORMATS[name]) for name in formats}
    versions = {
        name: _version(other, compress_below(other, image, len(ours)), image)
        for name, other in others.items()
    }
    return Case(name, image, versions | {OURS: _version(codec, ours, image)})


def _version(codec: Codec, data: bytes, image: np.ndarray) -> Version:
    picture = codec.decompress(data)
    bpp = metrics.bits_per_pixel(len(data), *image.shape[:2])
    return Version(len(data), bpp, metrics.image_psnr(image, picture), picture)


def write_comparison(cases: Sequence[Case], path: str | Path) -> Path:
    """Write a figure of the middles of photographs and of their files, and a table beside it.

    Args:
        cases: What `compare` returned, each of the same formats. They are the rows of the figure.
        path: Where to write the figure; the ending names the format.

    Returns:
        The table's file: bytes, bits per pixel and PSNR of each file.
    """
    pictures, captions, notes, rows = [], [], [], []
    for name, image, versions in cases:
        pictures += [image, *(each.picture for each in versions.values())]
        captions += ["original", *versions]
        notes += [
            "24 bpp",
            *(f"{each.bpp:.2f} bpp, {each.psnr:.1f} dB" for each in versions.values()),
        ]
        rows += [(name, *(file, *each[:3])) for file, each in versions.items()]
    shown = np.stack([to_unit_range(middle(picture, _SHOWN_SIZE)) for picture in pictures])
    names = ", ".join(dict.fromkeys(case.name for case in cases))
    title = f"Parts of {names}, in files of the same size"
    columns = len(shown) // len(cases)
    layout = captions, columns, _INCHES / columns, notes
    with write_safely(path) as temporary:
        figures.save_image_grid(temporary, shown, title, *layout)
    table = Path(path).with_suffix(".csv")
    write_text(table, to_csv(("photograph", "file", "bytes", "bpp", "psnr"), rows))
    return table


def _main() -> None:
    from skimage import data

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a run folder, or its name")
    parser.add_argument("figure", help="where to write it; a table (.csv) goes beside it")
    parser.add_argument("--photographs", nargs="+", choices=_PHOTOGRAPHS, default=["chelsea"])
    parser.add_argument("--qualities", nargs="+", type=int, default=[15], help="of the model")
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=["JPEG", "WebP"])
    arguments = parser.parse_args()
    codec = load_codec(arguments.model)
    cases = [
        compare(codec.with_quality(quality), name, getattr(data, name)(), arguments.formats)
        for name in arguments.photographs
        for quality in arguments.qualities
    ]
    print(write_comparison(cases, arguments.figure).read_text(encoding="utf-8"), end="")


if __name__ == "__main__":
    _main()
