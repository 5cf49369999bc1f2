"""Write the golden files of the present format version; those of older ones are never changed.

python tests/codec/golden/make.py
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from conftest import BlockTransform, smooth_images

from ae_keras.codec import layout
from ae_keras.codec.bitstream import VERSION, read_bitstream, write_bitstream
from ae_keras.codec.image_codec import ImageCodec
from ae_keras.codec.metadata import Metadata
from ae_keras.codec.quantizer import Quantizer
from ae_keras.codec.sections import Section

FOLDER = Path(__file__).parent


def make_images():
    """Return small images of all kinds: one with values in no table, one of several sections."""
    rng = np.random.default_rng(1)
    return {
        "grey": smooth_images(rng, 1, 16, 16, 1)[0, ..., 0],
        "rgb": smooth_images(rng, 1, 20, 13, 3)[0],
        "rgba": smooth_images(rng, 1, 8, 8, 4)[0],
        "escapes": rng.integers(0, 2, (8, 8, 3), np.uint8) * 255,
        "sections": smooth_images(rng, 1, 14, 26, 3)[0],
        "metadata": smooth_images(rng, 1, 10, 7, 4)[0],
    }


METADATA = Metadata(b"profile" * 20, b"MM\0*\0\0\0\x08\0\0\0\0\0\0", b"<xmp/>", (72, 300.125))


def main():
    """Write each image as a file, with the symbols that it must decode to."""
    if list(FOLDER.glob(f"v{VERSION}-*")):
        sys.exit(f"There are golden files of version {VERSION}. They are never changed.")
    codec = ImageCodec(BlockTransform(3), Quantizer.load(FOLDER / "tables.npz"), "blocks")
    codec = codec.with_quality(60)
    for name, image in make_images().items():
        layout.SECTION_PIXELS = 3 * 64 if name == "sections" else 2**20
        data = codec.compress(image)
        if name == "metadata":
            header, sections = read_bitstream(codec.compress(image, METADATA))
            unknown = Section(63, b"of a later version", is_optional=True)
            data = write_bitstream(header, [unknown, *sections, unknown])
        header, sections = read_bitstream(data)
        tables = codec.entropy_model.at(header.step).tables
        sizes = layout.Layout.of(header, 3).section_sizes
        symbols = {
            f"symbols{number}": tables.decode(sections[number].data, [16 * tiles] * 12)
            for number, tiles in enumerate(sizes)
        }
        path = FOLDER / f"v{VERSION}-{name}"
        path.with_suffix(".aek").write_bytes(data)
        np.savez_compressed(path, image=codec.decompress(data), **symbols)


if __name__ == "__main__":
    main()
