"""The model of docs/own_models.md, through the commands."""

import json

import pytest
from conftest import ROOT, assert_one_clear_line, run_here
from PIL import Image

from ae_keras.models import registration


@pytest.fixture
def own_file(tmp_path, monkeypatch, forget_models):
    """The documented example, as a file in the working folder."""
    page = (ROOT / "docs" / "own_models.md").read_text()
    example = page.split("```python\n")[1].split("```")[0]
    assert len([line for line in example.splitlines() if line]) <= 20
    monkeypatch.chdir(tmp_path)
    (tmp_path / "blocks.py").write_text(example)
    return "blocks.py"


def test_an_own_model_works_with_every_command(own_file, photo_folder, monkeypatch, capsys):
    own = ("--import", own_file)
    small = ("--set", "image_shape=16,16,3", "--set", "epochs=1", "--set", "batch_size=16")

    def command(name, *arguments):
        status, stdout, stderr = run_here(monkeypatch, capsys, name, *arguments)
        assert status == 0, stderr
        return stdout

    train = ("--model", "blocks", "--dataset", "photos", *small)
    command("train.py", *own, *train, "--set", "filters=8")
    recipe = json.loads(
        (photo_folder.parent / "saved_models/blocks-photos/recipe.json").read_text()
    )
    assert recipe["model_arguments"] == {"filters": 8}

    assert "filters" in command("tune.py", *own, *train, "--trials", 1)
    command("export.py", "blocks-photos", *own, "--format", "litert")

    model = ("--model", "blocks-photos")
    photos = [photo_folder / "set0" / name for name in ("00.png", "03.png")]
    command("compress.py", *photos, "-o", "small/", *model, *own)
    command("decompress.py", "small", "-o", "back", *own)
    with Image.open("back/00.png") as image:
        assert image.size == (50, 40)

    # Where the file is not given, neither the run nor its recipe runs any code.
    shipped = {name: each for name, each in registration.REGISTRATIONS.items() if name != "blocks"}
    monkeypatch.setattr(registration, "REGISTRATIONS", shipped)
    for arguments in (
        ("evaluate.py", "blocks-photos"),
        ("decompress.py", "small/00.aek", "-o", "again.png"),
        ("train.py", "--recipe", "saved_models/blocks-photos/recipe.json", "--output", "again"),
    ):
        status, _, stderr = run_here(monkeypatch, capsys, *arguments)
        assert_one_clear_line(status, stderr, "'blocks'", "registered", "--import FILE.py")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, ["there is no file", "'own.py'"]),
        ("1 / 0", ["'own.py'", "ZeroDivisionError"]),
        (
            "import ae_keras\n"
            "@ae_keras.register_model(recipe=ae_keras.Recipe(model='cae'))\n"
            "def cae(): ...",
            ["'own.py'", "There is a model 'cae' already"],
        ),
    ],
)
def test_a_file_that_fails_gets_one_clear_line(text, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    if text:
        (tmp_path / "own.py").write_text(text)
    arguments = ("train.py", "--import", "own.py", "--model", "cae")
    status, _, stderr = run_here(monkeypatch, capsys, *arguments)
    assert status == 1
    assert_one_clear_line(status, stderr, *words)
