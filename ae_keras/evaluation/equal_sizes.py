"""A photograph as a file of a model, beside JPEG and WebP files of the same size.

python -m ae_keras.evaluation.equal_sizes photo chelsea docs/figures/equal-sizes.png

draws one of scikit-image's photographs, and writes a table of what it shows beside the figure.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ae_keras import figures, metrics
from ae_keras.codec.classical import make_codec
from ae_keras.codec.loading import load_codec
from ae_keras.codec.protocols import Codec
from ae_keras.codec.rate_control import compress_below
from ae_keras.system.pixels import to_unit_range
from ae_keras.system.safe_files import write_safely, write_text
from ae_keras.system.text_tables import to_csv

OURS = "ae-keras"
FORMATS = {"JPEG": "jpeg", "WebP": "webp"}
# These come with scikit-image, so that nothing is downloaded.
_PHOTOGRAPHS = ("astronaut", "chelsea", "coffee")
_SHOWN_SIZE = 256
_COLUMN_INCHES = 2.4


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


def compare(codec: Codec, image: np.ndarray) -> dict[str, Version]:
    """Return a codec's file of an image, after the best of each format that is no larger.

    Args:
        codec: Codec. At the quality that is to be compared.
        image: uint8 array `(height, width, 3)`.
    """
    ours = codec.compress(image)
    others = {name: make_codec(key) for name, key in FORMATS.items()}
    versions = {
        name: _version(other, compress_below(other, image, len(ours)), image)
        for name, other in others.items()
    }
    return versions | {OURS: _version(codec, ours, image)}


def _version(codec: Codec, data: bytes, image: np.ndarray) -> Version:
    picture = codec.decompress(data)
    bpp = metrics.bits_per_pixel(len(data), *image.shape[:2])
    return Version(len(data), bpp, metrics.image_psnr(image, picture), picture)


def write_comparison(
    image: np.ndarray, versions: dict[str, Version], title: str, path: str | Path
) -> Path:
    """Write a figure of the middle of an image and of its versions, and a table beside it.

    Args:
        image: uint8 array `(height, width, 3)`.
        versions: What `compare` returned.
        title: str. Over the figure.
        path: Where to write the figure; the ending names the format.

    Returns:
        The table's file: bytes, bits per pixel and PSNR of each version.
    """
    pictures = {"original": image} | {name: each.picture for name, each in versions.items()}
    shown = np.stack([to_unit_range(_middle(picture)) for picture in pictures.values()])
    notes = [f"{each.bpp:.2f} bpp, {each.psnr:.1f} dB" for each in versions.values()]
    with write_safely(path) as temporary:
        figures.save_image_grid(
            *(temporary, shown, title, list(pictures), len(shown), _COLUMN_INCHES),
            notes=["24 bpp", *notes],
        )
    table = Path(path).with_suffix(".csv")
    rows = [(name, each.size, each.bpp, each.psnr) for name, each in versions.items()]
    write_text(table, to_csv(("file", "bytes", "bpp", "psnr"), rows))
    return table


def _middle(image: np.ndarray) -> np.ndarray:
    top, left = (max(side - _SHOWN_SIZE, 0) // 2 for side in image.shape[:2])
    return image[top : top + _SHOWN_SIZE, left : left + _SHOWN_SIZE]


def _main() -> None:
    from skimage import data

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a run folder, or its name")
    parser.add_argument("photograph", choices=_PHOTOGRAPHS)
    parser.add_argument("figure", help="where to write it; a table (.csv) goes beside it")
    parser.add_argument("--quality", type=int, default=14, help="of the model; default: 14")
    arguments = parser.parse_args()
    image = getattr(data, arguments.photograph)()
    versions = compare(load_codec(arguments.model).with_quality(arguments.quality), image)
    title = f"A part of the photograph {arguments.photograph}, in files of the same size"
    table = write_comparison(image, versions, title, arguments.figure)
    print(table.read_text(encoding="utf-8"), end="")


if __name__ == "__main__":
    _main()
