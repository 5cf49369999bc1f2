"""Every file that a command reads back, empty or cut: one line that names it and what to do.

| file | written by | read by |
| --- | --- | --- |
| `recipe.json`, `model.keras` | training | all that takes a run |
| `history.csv`, `metrics.json` | training | `--decay-from`, searches, studies |
| `checkpoint.npz` | training | the same command, `--extend`, `--decay-from` |
| `entropy_tables.npz` | training, `evaluate.py` | `compress.py`, `decompress.py`, `export.py` |
| `export.json` | `export.py` | `export.py --overwrite` |
| `.tflite` | `export.py` | `compress.py`, `decompress.py` |
| `model.tflite` | `train.py --export`, `export.py --in-run` | all that runs a model |
| `search.json`, `oracle.json`, runs of trials | `tune.py` | the same command |
| `best_recipe.json` | `tune.py` | `train.py --recipe` |
| images that do not fit into memory | training and measuring | training and measuring |
| `.npz`, `.npy` | the user, `study.py` | training and measuring |
| classifiers, numbers of images | `study.py` | `study.py` |
"""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import assert_one_clear_line, run_here, smooth_images
from PIL import Image

SETTINGS = {
    "image_shape": [16, 16, 3],
    "filters": [4, 4, 4],
    "epochs": 1,
    "batch_size": 8,
    "schedule": "trapezoid",
    "schedule_arguments": {},
}
MODEL = ("--model", "cae", "--dataset", "images.npz")
SET = [word for key, value in SETTINGS.items() for word in ("--set", f"{key}={json.dumps(value)}")]
TRAIN, TUNE = (
    ("train.py", *MODEL, *SET),
    ("tune.py", *MODEL, *SET, "--trials", 1, "--space", "seed=0"),
)
RUN, SEARCH = "saved_models/mine", "saved_models/searches/cae-images"
EXPORT = ("export.py", "mine", "--format", "litert")
COMPRESS, DECOMPRESS = ("compress.py", "a.png", "-o", "b.aek"), ("decompress.py", "a.aek")

# File, command, and what to do.
CASES = [
    (f"{RUN}/recipe.json", (*TRAIN, "--output", RUN, "--extend"), "--overwrite"),
    (f"{RUN}/recipe.json", ("evaluate.py", "mine"), "--overwrite"),
    (f"{RUN}/recipe.json", ("train.py", "--recipe", f"{RUN}/recipe.json"), "is not a recipe"),
    (f"{RUN}/model.keras", ("evaluate.py", "mine"), "--overwrite"),
    (f"{RUN}/model.keras", ("train.py", "--start-from", "mine"), "--overwrite"),
    (f"{RUN}/model.keras", (*COMPRESS, "--model", "mine"), "--overwrite"),
    (f"{RUN}/model.keras", (*EXPORT, "-o", "new"), "--overwrite"),
    (f"{RUN}/history.csv", ("train.py", "--decay-from", "mine"), "--overwrite"),
    (f"{RUN}/checkpoint.npz", ("train.py", "--decay-from", "mine"), "Delete it"),
    (
        f"{RUN}/checkpoint.npz",
        (*TRAIN, "--output", RUN, "--extend", "--set", "epochs=2"),
        "Delete it",
    ),
    ("unfinished/checkpoint.npz", (*TRAIN, "--output", "unfinished"), "Delete it"),
    (f"{RUN}/model.tflite", (*COMPRESS, "--model", "mine"), "--in-run --overwrite"),
    (f"{RUN}/model.tflite", (*DECOMPRESS, "-o", "b.png"), "--in-run --overwrite"),
    (f"{RUN}/entropy_tables.npz", (*COMPRESS, "--model", "mine"), "scripts/evaluate.py"),
    (f"{RUN}/entropy_tables.npz", (*DECOMPRESS, "-o", "b.png"), "--model"),
    (f"{RUN}/entropy_tables.npz", (*EXPORT, "-o", "new"), "scripts/evaluate.py"),
    ("exported/export.json", (*EXPORT, "-o", "exported", "--overwrite"), "delete its folder"),
    ("mine.tflite", (*COMPRESS, "--model", "mine.tflite"), "scripts/export.py"),
    ("mine.tflite", (*DECOMPRESS, "-o", "b.png", "--model", "mine.tflite"), "scripts/export.py"),
    (f"{SEARCH}/search.json", TUNE, "--overwrite"),
    (f"{SEARCH}/oracle.json", TUNE, "Delete it"),
    ("images.npz", TRAIN, "Save it again"),
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder in which all these files are whole."""
    import ae_keras
    from ae_keras.codec.litert import Description, pack
    from ae_keras.tuning import Search

    folder = tmp_path_factory.mktemp("whole")
    images = smooth_images(np.random.default_rng(0), 40, 16, 16, 3)
    with pytest.MonkeyPatch.context() as context:
        context.chdir(folder)
        np.savez("images.npz", images=images)
        Image.fromarray(images[0]).save("a.png")
        recipe = ae_keras.recipe_for("cae", "images.npz", **SETTINGS)
        ae_keras.train(recipe, RUN, verbose=0)
        ae_keras.write_litert(RUN)
        shutil.copytree(RUN, "unfinished")
        Path("unfinished/metrics.json").unlink()
        Path("a.aek").write_bytes(ae_keras.load_codec("mine").compress(images[0]))
        Path("exported").mkdir()
        Path("exported/export.json").write_text('{"files": []}')
        values = dict.fromkeys(field.name for field in dataclasses.fields(Description))
        Path("mine.tflite").write_bytes(pack(b"model", Description(**values), None))
        search = Search(recipe, Path(SEARCH), ranges=("seed=0",))
        search.start()
        search.make_oracle().save()
    return folder


@pytest.fixture
def work(whole, tmp_path, monkeypatch):
    """A copy of that folder, as the current one."""
    folder = shutil.copytree(whole, tmp_path / "work")
    monkeypatch.chdir(folder)
    return folder


def damage(file, kind):
    data = file.read_bytes()
    file.write_bytes(b"" if kind == "empty" else data[: 2 * len(data) // 3])


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", ["empty", "cut"])
@pytest.mark.parametrize(("file", "command", "remedy"), CASES)
def test_a_damaged_file_is_named(file, command, remedy, kind, work, monkeypatch, capsys):
    damage(work / file, kind)
    before = contents(work)
    status, _, stderr = run_here(monkeypatch, capsys, *command)
    assert_one_clear_line(status, stderr, file, remedy)
    assert contents(work) == before


@pytest.mark.parametrize("kind", ["empty", "cut"])
@pytest.mark.parametrize("name", ["metrics.json", "history.csv"])
def test_a_damaged_file_of_a_trial_is_named(name, kind, work, monkeypatch, capsys):
    (work / SEARCH / "oracle.json").unlink()
    shutil.copytree(RUN, work / SEARCH / "trial_0")
    damage(work / SEARCH / "trial_0" / name, kind)
    status, _, stderr = run_here(monkeypatch, capsys, *TUNE)
    assert_one_clear_line(status, stderr, f"trial_0/{name}", "--overwrite")


@pytest.mark.parametrize("kind", ["empty", "cut"])
@pytest.mark.parametrize("name", ["test.npy", "test-details.npz"])
def test_damaged_images_on_disk_are_named(name, kind, work, monkeypatch, capsys):
    from ae_keras.data import images

    monkeypatch.setenv("AE_KERAS_CACHE", "cache")
    monkeypatch.setattr(images, "default_memory_limit", lambda: 0)
    assert run_here(monkeypatch, capsys, "evaluate.py", "mine")[0] == 0
    (file,) = (work / "cache").rglob(name)
    damage(file, kind)
    status, _, stderr = run_here(monkeypatch, capsys, "evaluate.py", "mine")
    assert_one_clear_line(status, stderr, str(file.relative_to(work)), "Delete that folder")


@pytest.mark.parametrize("kind", ["empty", "cut"])
def test_damaged_files_of_studies_are_named_or_made_again(kind, work):
    from ae_keras import Recipe
    from ae_keras.data.images import Images
    from ae_keras.studies import recognition
    from ae_keras.studies.workspace import Workspace

    workspace = Workspace(work / "pages", work)
    shutil.copy(f"{RUN}/model.keras", "recognition-mnist.keras")
    damage(work / "recognition-mnist.keras", kind)
    with pytest.raises(ValueError, match=r"recognition-mnist\.keras'.+Delete it"):
        recognition._train_classifier(workspace, "mnist", Images(np.zeros((1, 16, 16, 3))))
    reduced = workspace.reduce(Recipe.read(f"{RUN}/recipe.json"), 10)
    damage(Path(reduced.dataset), kind)
    assert workspace.reduce(Recipe.read(f"{RUN}/recipe.json"), 10) == reduced
    assert len(np.load(reduced.dataset)["images"]) == 10


@pytest.mark.parametrize("kind", ["empty", "cut"])
@pytest.mark.parametrize("name", ["recipe.json", "model.keras", "history.csv"])
def test_a_damaged_run_is_not_shipped(name, kind, work):
    from ae_keras.runs.shipping import ship

    damage(work / RUN / name, kind)
    with pytest.raises(ValueError, match=f"{name}'.+--overwrite"):
        ship("mine", work / "shipped", "images")
    assert not (work / "shipped").exists()
