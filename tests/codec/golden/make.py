"""Write the golden files of the present format version; those of older ones are never changed.

python tests/codec/golden/make.py
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from conftest import make_block_codec, smooth_images

from ae_keras.codec import layout
from ae_keras.codec.bitstream import VERSION, read_bitstream

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
    }


def main():
    """Write the tables once, and each image as a file with the symbols it must decode to."""
    codec = make_block_codec().with_quality(60)
    if (FOLDER / "tables.npz").exists():
        sys.exit("There are golden tables. Give those of a new version another name.")
    codec.entropy_model.save(FOLDER / "tables.npz")
    for name, image in make_images().items():
        layout.SECTION_PIXELS = 3 * 64 if name == "sections" else 2**20
        data = codec.compress(image)
        header, sections = read_bitstream(data)
        tables = codec.entropy_model.at(header.step).tables
        sizes = layout.Layout.of(header, 3).section_sizes
        symbols = {
            f"symbols{number}": tables.decode(sections[number], [16 * tiles] * 12)
            for number, tiles in enumerate(sizes)
        }
        (FOLDER / f"v{VERSION}-{name}.aek").write_bytes(data)
        np.savez_compressed(
            FOLDER / f"v{VERSION}-{name}.npz", image=codec.decompress(data), **symbols
        )


if __name__ == "__main__":
    main()
