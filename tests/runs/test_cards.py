"""The cards of the models that ship are what their files say."""

import shutil

import pytest

from ae_keras.runs.cards import TERMS, WORDS, write_cards
from ae_keras.runs.shipped import PRETRAINED


@pytest.fixture
def folder(tmp_path):
    """A model as it ships, with what is known of it."""
    for name in (WORDS, TERMS):
        shutil.copy(PRETRAINED / name, tmp_path)
    shutil.copytree(PRETRAINED / "cae-cifar10", tmp_path / "cae-cifar10")
    return tmp_path


def test_the_cards_are_those_of_the_files(tmp_path):
    for path in PRETRAINED.iterdir():
        if path.is_dir():
            shutil.copytree(path, tmp_path / path.name)
        else:
            shutil.copy(path, tmp_path)
    before = {path: path.read_text(encoding="utf-8") for path in tmp_path.glob("*/README.md")}
    assert sorted(before) == write_cards(tmp_path)
    for path, text in before.items():
        assert path.read_text(encoding="utf-8") == text, "run python -m ae_keras.runs.cards"


def test_a_card_says_what_is_in_the_files(folder):
    (path,) = write_cards(folder)
    text = path.read_text(encoding="utf-8")
    for words in ("4,911", "8x8x16 values", "24.93", "10 epochs", "CIFAR-10 | up to 60,000"):
        assert words in text, words
    recipe = folder / "cae-cifar10" / "recipe.json"
    recipe.write_text(recipe.read_text().replace('"epochs": 10', '"epochs": 1'))
    write_cards(folder)
    assert "trained for 1 epoch of" in path.read_text(encoding="utf-8")


def test_nothing_is_written_of_a_model_of_which_nothing_is_known(folder):
    shutil.move(folder / "cae-cifar10", folder / "cae-2")
    (folder / "cae-2" / "README.md").unlink()
    with pytest.raises(
        ValueError, match=r"cards.toml lacks what, training, use, limits of 'cae-2'"
    ):
        write_cards(folder)
    words = (folder / WORDS).read_text(encoding="utf-8")
    (folder / WORDS).write_text(words.replace("[cae-cifar10]", "[cae-2]"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"LICENSES.md lacks 'cae-2'"):
        write_cards(folder)
    assert not (folder / "cae-2" / "README.md").exists()
