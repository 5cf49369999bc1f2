"""Write golden files of strips; those that are there are never changed.

python tests/codec/hyperprior/golden/make.py
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[3]))

from conftest import PatchTransform, make_hyperprior, smooth_images

from ae_keras.codec.hyperprior import strips
from ae_keras.codec.hyperprior.strip_codec import StripCodec

FOLDER = Path(__file__).parent


def main():
    """Write the tables, each image as a file, and the pixels that it must decode to."""
    if list(FOLDER.glob("*.aek")):
        sys.exit("There are golden files. They are never changed.")
    rng = np.random.default_rng(5)
    tables = make_hyperprior()
    tables.save(FOLDER / "tables.npz")
    strips._STRIP_PIXELS = 2 * 64**2
    images = {
        "rgb": (smooth_images(rng, 1, 20, 70, 3)[0], 40),
        "grey": (smooth_images(rng, 1, 33, 17, 1)[0, ..., 0], 1),
        "strips": (smooth_images(rng, 1, 200, 60, 3)[0], 10),
        "escapes": (rng.integers(0, 2, (16, 16, 3), np.uint8) * 255, 60),
    }
    for name, (image, quality) in images.items():
        codec = StripCodec(PatchTransform(), tables, "patches", quality)
        data = codec.compress(image)
        (FOLDER / name).with_suffix(".aek").write_bytes(data)
        np.savez_compressed(FOLDER / name, image=codec.decompress(data))


if __name__ == "__main__":
    main()
