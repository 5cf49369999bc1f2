"""Files of models that ship are checked when they are read; those of a user's own are not."""

import shutil

import pytest

from ae_keras.codec.loading import load_codec
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.loading import find_run
from ae_keras.runs.shipped import LIST, PRETRAINED, check_shipped, digest_file, write_list

NAMES = ["recipe.json", "model.keras", "model.tflite", "entropy_tables.npz"]


@pytest.fixture
def shipped(tmp_path):
    """A model as it ships, in a folder with the list."""
    shutil.copy(PRETRAINED / LIST, tmp_path)
    return shutil.copytree(PRETRAINED / "cae-cifar10", tmp_path / "cae-cifar10")


def test_the_list_is_that_of_all_models_that_ship(tmp_path):
    lines = (PRETRAINED / LIST).read_text().splitlines()
    listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
    files = [path for name in NAMES for path in PRETRAINED.glob(f"*/{name}")]
    assert listed == {
        path.relative_to(PRETRAINED).as_posix(): digest_file(path) for path in sorted(files)
    }
    shutil.copytree(PRETRAINED / "cae-cifar10", tmp_path / "cae-cifar10")
    assert set(write_list(tmp_path).read_text().splitlines()) < set(lines)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("runtime", ["litert", "keras", None])
def test_a_changed_file_that_is_read_is_told(name, runtime, shipped):
    load_codec(shipped, runtime="litert")
    # What still could be read, and what could not.
    for data in ((shipped / name).read_bytes() + b" ", b""):
        (shipped / name).write_bytes(data)
        if (name, runtime) == ("model.tflite", "keras"):  # which does not read it
            load_codec(shipped, runtime=runtime)
            continue
        words = "is not the file that ships" if name != "model.keras" else "model.keras'"
        with pytest.raises((ValueError, FileNotFoundError), match=words) as caught:
            load_codec(shipped, runtime=runtime)
        assert "\n" not in str(caught.value)


def test_a_users_own_run_is_not_checked(shipped, tmp_path):
    own = shutil.copytree(shipped, tmp_path / "own")
    with open(own / "recipe.json", "a") as file:
        file.write("\n")
    assert find_run(own).path == own
    (tmp_path / LIST).unlink()
    with open(shipped / "recipe.json", "a") as file:
        file.write("\n")
    assert find_run(shipped).recipe == RunFolder(own).recipe


def test_a_file_is_found_from_any_folder(shipped, monkeypatch):
    (shipped / "model.keras").write_bytes(b"other")
    monkeypatch.chdir(shipped)
    with pytest.raises(ValueError, match=r"'model\.keras' is damaged or was changed"):
        check_shipped("model.keras")
