"""Every mode and bit depth reaches the commands that make files of files."""

from dataclasses import dataclass

import numpy as np
import pictures
import pytest
from PIL import Image

from ae_keras.photographs import compression
from ae_keras.photographs.colourization import Colourization
from ae_keras.photographs.compression import Compression
from ae_keras.photographs.denoising import Denoising
from ae_keras.photographs.jobs import Job, plan
from ae_keras.photographs.running import run_jobs
from ae_keras.system import notices


@dataclass
class Keeper:
    """A codec that keeps all pixels."""

    name, channels = "keeper", 3

    def with_progress(self, progress):
        return self

    def compress(self, image, metadata):
        self.image = image
        return image.tobytes()

    def with_max_pixels(self, pixels):
        return self

    def decompress(self, data):
        return self.image


class Unchanged:
    """A denoiser, of colour images, that keeps all pixels."""

    channels = 3

    def __call__(self, image):
        return image


def to_colour(image, hints=()):
    """What a colourizer returns of an image: three channels, and its alpha."""
    image = np.atleast_3d(image)
    alpha = image[..., -1:] if image.shape[2] in (2, 4) else image[..., :0]
    colours = image[..., : image.shape[2] - alpha.shape[2]]
    return np.dstack([np.broadcast_to(colours, (*image.shape[:2], 3)), alpha])


@pytest.mark.parametrize("name", pictures.cases())
def test_pixels_reach_denoising_and_colourization(name, tmp_path):
    data, pixels = pictures.cases()[name]
    source, target = tmp_path / "x", tmp_path / "y.png"
    source.write_bytes(data)
    Denoising(Unchanged())(Job(str(source), str(target)))
    np.testing.assert_array_equal(np.asarray(Image.open(target)), pixels)
    Colourization(to_colour, force=True)(Job(str(source), str(target)))
    np.testing.assert_array_equal(np.asarray(Image.open(target)), to_colour(pixels))


def test_frames_that_are_left_out_are_said_once_for_all_files(tmp_path, monkeypatch, capsys):
    frames = [Image.fromarray(pictures.GREY + step) for step in range(3)]
    for name in ("a.gif", "b.tif", "c.png"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
    (tmp_path / "note.txt").write_text("no image")
    monkeypatch.setattr(compression, "load_codec", lambda *_, **__: Keeper())
    monkeypatch.setattr(Keeper, "check_settings", lambda self: None, raising=False)
    jobs = plan([str(tmp_path)], str(tmp_path / "out"), ".aek", [".gif", ".tif", ".png"])
    results = list(run_jobs(Compression("any"), jobs))
    assert [result.error for result in results] == [None] * 3
    notices.say()
    assert capsys.readouterr().err.splitlines() == [
        f"{tmp_path}: other files are left out: 1 (1 .txt).",
        f"{tmp_path / 'a.gif'} and 2 more: further frames or pages are left out: 6.",
    ]
