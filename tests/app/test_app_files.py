import numpy as np
import pytest
from conftest import make_profile, smooth_images
from PIL import Image

from ae_keras.app import files

pytestmark = pytest.mark.usefixtures("page_folder")


def test_folders_cannot_be_guessed_and_go(page_folder):
    first, second = files.new_folder(), files.new_folder()
    assert first.parent == second.parent == page_folder
    assert len(first.name) == 32
    assert first != second
    (first / "a").write_text("")
    files.remove_folder(first)
    files.remove_folder(None)
    assert list(page_folder.iterdir()) == [second]


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pictures_are_written_as_they_are(channels, rng):
    image = smooth_images(rng, 1, 20, 30, channels)[0]
    image = image[..., 0] if channels == 1 else image
    path = files.write_picture(files.new_folder(), "a", image, make_profile())
    with Image.open(path) as picture:
        assert np.array_equal(np.asarray(picture), image)
        assert picture.info["icc_profile"] == make_profile()


def test_large_images_are_refused_before_they_are_decoded(tmp_path, monkeypatch):
    path = tmp_path / "large.png"
    Image.new("1", (10_000, 6_000)).save(path)
    monkeypatch.setattr(files, "read_photograph", None)
    with pytest.raises(ValueError, match=r"10000x6000 pixels, 60\.0 megapixels.*takes 24 at most"):
        files.read_upload(str(path), 24)


def test_what_pillow_refuses_is_far_too_large(tmp_path):
    path = tmp_path / "bomb.pbm"
    path.write_bytes(b"P4 100000 100000\n")
    with pytest.raises(ValueError, match=r"far too large\. This page takes 24 at most"):
        files.read_upload(str(path), 24)


def test_an_image_of_just_the_limit_is_taken(tmp_path):
    path = tmp_path / "a.png"
    Image.new("L", (1000, 1000)).save(path)
    photograph, notes = files.read_upload(str(path), 1)
    assert (photograph.pixels.size, notes) == ((1000, 1000), [])


def test_what_is_left_out_is_told(tmp_path):
    frames = [Image.new("L", (9, 9), 90 * number) for number in range(3)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    _, notes = files.read_upload(str(tmp_path / "a.gif"), 1)
    assert notes == ["further frames or pages are left out: 2"]


@pytest.mark.parametrize(
    ("content", "words"), [(None, "Choose a photograph"), (b"no image", "not a readable image")]
)
def test_what_is_no_photograph_is_a_sentence(content, words, tmp_path):
    path = tmp_path / "a.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=words):
        files.read_upload(None if content is None else str(path), 24)
