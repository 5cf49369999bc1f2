"""Whole files by a call: as the commands do them."""

import numpy as np
import pytest
from conftest import make_exif
from PIL import Image

import ae_keras
from ae_keras.codec.loading import load_codec
from ae_keras.system import notices


def test_file_to_file_and_back(run, photo, tmp_path):
    target, restored = tmp_path / "new" / "a.aek", tmp_path / "a.png"
    size = ae_keras.compress_file(photo, target, "mine", quality=60)
    codec = load_codec("mine")
    assert target.read_bytes() == codec.compress(np.asarray(Image.open(photo)), quality=60)
    assert size == target.stat().st_size
    ae_keras.decompress_file(target, restored)
    expected = codec.decompress(target.read_bytes())
    np.testing.assert_array_equal(np.asarray(Image.open(restored)), expected)
    assert ae_keras.compress_file(photo, target, "mine", target_size=600, overwrite=True) <= 600


def test_files_are_not_replaced_unasked(run, photo, tmp_path):
    (tmp_path / "a.aek").write_text("mine")
    with pytest.raises(FileExistsError, match=r"a.aek' exists.*overwrite=True"):
        ae_keras.compress_file(photo, tmp_path / "a.aek", "mine")
    with pytest.raises(FileExistsError, match=r"photo.png' exists.*overwrite=True"):
        ae_keras.decompress_file(tmp_path / "a.aek", photo)
    with pytest.raises(FileExistsError, match="is the input itself"):
        ae_keras.compress_file(photo, photo, "mine", overwrite=True)
    assert (tmp_path / "a.aek").read_text() == "mine"


def test_what_commands_tell_becomes_warnings(run, tmp_path, rng):
    image = Image.fromarray(rng.integers(0, 256, (20, 20, 3), np.uint8))
    image.save(tmp_path / "a.jpg", exif=b"Exif\0\0" + make_exif(position=True))
    with pytest.warns(UserWarning, match=r"a.jpg: its GPS position is stored.*\.$") as caught:
        ae_keras.compress_file(tmp_path / "a.jpg", tmp_path / "a.aek", "mine")
    assert [warning.filename for warning in caught] == [__file__]
    assert not notices.take()
    ae_keras.compress_file(tmp_path / "a.jpg", tmp_path / "b.aek", "mine", strip_metadata=True)


def test_all_names_of_the_library_are_there():
    assert sorted(ae_keras.__all__) == ae_keras.__all__
    assert {*ae_keras._MODULE_OF} <= {*ae_keras.__all__}
    for name in ae_keras.__all__:
        assert getattr(ae_keras, name).__name__ == name
