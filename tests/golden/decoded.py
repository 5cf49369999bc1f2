"""What a codec makes of a golden file: latents and pixels.

python tests/golden/decoded.py FILE.aek ...

checks some with Keras, on the backend of KERAS_BACKEND.
"""

import sys
from pathlib import Path

import numpy as np

from ae_keras.codec.loading import load_codec
from ae_keras.runs.shipped import PRETRAINED

FOLDER = Path(__file__).parent
# The run of a tiny codec of photographs.
PHOTO = FOLDER / "photo"


def run_of(path):
    """Return the run of a golden file: that which ships under its name, or the tiny one."""
    shipped = PRETRAINED / path.stem
    return shipped if shipped.is_dir() else PHOTO


def decode(codec, data):
    """Return the latents that the model's decoder is given, one after the other, and the image."""
    transform = getattr(codec, "transform", None) or codec._transform
    name = "decode" if hasattr(transform, "decode") else "synthesize"
    given, draw = [], getattr(transform, name)

    def note(latents, *others):
        given.append(np.array(latents, np.float32).ravel())
        return draw(latents, *others)

    setattr(transform, name, note)
    try:
        image = codec.decompress(data)
    finally:
        setattr(transform, name, draw)
    return np.concatenate(given), image


def check(path, runtime):
    """Check that a golden file has the symbols and, within 1, the pixels that it always had."""
    latents, pixels = decode(load_codec(run_of(path), runtime=runtime), path.read_bytes())
    with np.load(path.with_suffix(".npz")) as expected:
        np.testing.assert_array_equal(latents, expected["latents"])
        assert pixels.shape == expected["pixels"].shape
        assert np.abs(pixels.astype(int) - expected["pixels"]).max() <= 1


if __name__ == "__main__":
    for file in sys.argv[1:]:
        check(Path(file), "keras")
