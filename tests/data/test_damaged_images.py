"""Damaged files of each format are refused with one kind of error, and never crash a decoder."""

import io
import warnings

import numpy as np
import pictures
import pytest
from PIL import Image

from ae_keras.data.image_files import read_image

_MUTATIONS = 120


def small_files():
    """A small file of each format, mode and depth of the table, and of formats with losses."""
    files = {name: data for name, (data, _) in pictures.cases().items()} | pictures.refused()
    colour = Image.fromarray(pictures.COLOUR)
    for format in ("JPEG", "AVIF", "ICO", "GIF", "TIFF", "PNG", "WEBP", "PCX", "MPO"):
        if format in Image.SAVE:
            file = io.BytesIO()
            several = {"save_all": True, "append_images": [colour] * 2}
            colour.save(file, format, **({} if format in ("ICO", "PCX", "JPEG") else several))
            files[f"{format}-several"] = file.getvalue()
    return files


Image.init()
FILES = small_files()


def mutate(data, rng):
    """Return a file with some bytes changed, cut, doubled or taken out."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        first = int(rng.integers(len(data)))
        last = first + int(rng.integers(1, 9))
        match rng.integers(6):
            case 0 | 1 | 2:
                data[first] = rng.integers(256)
            case 3:
                data[first:last] = bytes([rng.choice([0, 127, 128, 255])]) * (last - first)
            case 4:
                del data[first:last]
            case 5:
                data[first:first] = data[first:last]
        data = data or bytearray(b"\0")
    return bytes(data[: rng.integers(1, len(data) + 1)] if rng.random() < 0.2 else data)


@pytest.mark.parametrize("name", FILES)
def test_mutated_files_are_images_or_refused(name):
    rng = np.random.default_rng(list(name.encode()))
    refusals = []
    for _ in range(_MUTATIONS):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, of what it mends
            try:
                image = read_image(io.BytesIO(mutate(FILES[name], rng)), keep_alpha=True)
            except ValueError as error:
                refusals.append(str(error))
            else:
                pixels = np.asarray(image)
                assert image.mode in ("L", "LA", "RGB", "RGBA")
                assert pixels.dtype == np.uint8
                assert pixels.shape[:2] == image.size[::-1]
    assert refusals
    assert all(text.startswith("not a readable image (") for text in refusals)
