"""Works that are killed, and what must be so after each kill, and in the end.

They run in processes that are forked from one that has imported everything; that one itself must
run neither TensorFlow nor Keras, which do not live on in a fork.
"""

import functools
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

# ruff: noqa: E402
from conftest import SMALL, smooth_images
from kill_checks import read_whole

import ae_keras
from ae_keras.codec.litert import unpack
from ae_keras.data.images import load_images
from ae_keras.export import Export
from ae_keras.export.export_run import export_run
from ae_keras.photographs.compression import Compression, plan_compression
from ae_keras.photographs.running import run_jobs
from ae_keras.recipe import Recipe
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.shipping import ship
from ae_keras.training import compilation, epoch
from ae_keras.tuning import Search, run_search

_TRIALS = ("1e-3", "2e-3", "3e-3", "4e-3")
_PHOTO_RUN = ROOT / "tests" / "golden" / "photo"


@dataclass(frozen=True)
class Work:
    """What is killed.

    Args:
        prepare: Makes what it needs, in a folder.
        run: Does it, or goes on with it: from that folder, into another.
        contents: Returns what is there in the end, by names; the same however often it was killed.
        alone: Makes the same in the plainest way, to compare with. Default: as `run` does.
    """

    prepare: Callable[[Path], None]
    run: Callable[[Path, Path], None]
    contents: Callable[[Path], dict]
    alone: Callable[[Path, Path], None] | None = None


def make_photographs(folder: Path, count: int, height: int, width: int) -> None:
    """Write photographs, the same each time."""
    folder.mkdir(parents=True)
    images = smooth_images(np.random.default_rng(count), count, height, width, 3)
    for number, image in enumerate(images):
        kind = ("film", "studio")[number % 2]
        Image.fromarray(image).save(folder / f"{kind}-{number:03}.png")


def _small_recipe(inputs: Path, epochs: int = 3) -> Recipe:
    changes = {"epochs": epochs, "batch_size": 8, "schedule": "constant"}
    return ae_keras.recipe_for("cae", str(inputs), image_shape=(16, 16, 3), **changes)


def _photo_recipe(inputs: Path) -> Recipe:
    settings = {"epochs": 2, "steps_per_epoch": 4, "batch_size": 2}
    settings["schedule_arguments"] = {"warmup_epochs": 0.5}
    shape = (64, 64, 3)
    return ae_keras.recipe_for(
        "photo", str(inputs), image_shape=shape, **settings, **SMALL["photo"]
    )


def _prepare_photo(inputs: Path) -> None:
    for split, count in (("train", 4), ("validation", 2)):
        make_photographs(inputs / split, count, 70, 90)


def _train(make_recipe: Callable[[Path], Recipe], inputs: Path, output: Path) -> None:
    compilation._STEPS_PER_EXECUTION = 1
    epoch.SECONDS_BETWEEN_CHECKPOINTS = 0
    if not RunFolder(output).is_finished:
        ae_keras.train(make_recipe(inputs), output, verbose=0)


def _run_contents(output: Path) -> dict:
    """Return what a run holds, but for how long it took."""
    run = RunFolder(output)
    contents = {
        path.name: read_whole(path)
        for path in (run.model, run.last_model, run.entropy_tables, run.checkpoint)
        if path.exists()
    }
    if run.checkpoint.name in contents:
        progress = json.loads(str(contents[run.checkpoint.name].pop("progress")))
        contents["progress"] = progress | {"seconds": 0}
    metrics = run.metrics
    del metrics["training"]["seconds_per_epoch"]
    return contents | {"history": run.history, "metrics": metrics}


def _search(inputs: Path, output: Path) -> Search:
    ranges = (f"learning_rate={','.join(_TRIALS)}",)
    return Search(_small_recipe(inputs), output, "grid", ranges=ranges)


def _tune(inputs: Path, output: Path) -> None:
    recipe = _small_recipe(inputs)
    command = [sys.executable, str(ROOT / "scripts" / "tune.py"), "--model", "cae"]
    command += ["--dataset", str(inputs), "--algorithm", "grid", "--output", str(output)]
    command += ["--space", f"learning_rate={','.join(_TRIALS)}"]
    for name in ("epochs", "batch_size", "schedule"):
        command += ["--set", f"{name}={getattr(recipe, name)}"]
    command += ["--set", "image_shape=16,16,3"]
    run_search(_search(inputs, output), workers=2, command=command)


def _train_each(inputs: Path, output: Path) -> None:
    """Train the recipes of all trials, with as many threads as a worker has."""
    os.environ.update(dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1"))
    for value in _TRIALS:
        keras.utils.clear_session()  # whose layers would be numbered on
        recipe = ae_keras.change_recipe(_small_recipe(inputs), learning_rate=float(value))
        ae_keras.train(recipe, output / value, verbose=0)
        RunFolder(output / value).checkpoint.unlink()


def _search_contents(output: Path) -> dict:
    """Return what each trial has found; there is one of each, and it is completed."""
    if not (output / "oracle.json").exists():  # they were trained one by one
        return {f"{float(value):g}": _run_contents(output / value) for value in _TRIALS}
    state = json.loads((output / "oracle.json").read_text())
    trials = [
        json.loads(each) if isinstance(each, str) else each for each in state["trials"].values()
    ]
    assert len(trials) == len(_TRIALS), f"{len(trials)} trials"
    found = {}
    for trial in trials:
        assert trial["status"] == "COMPLETED", trial
        value = f"{trial['hyperparameters']['values']['learning_rate']:g}"
        run = RunFolder(output / f"trial_{trial['trial_id']}")
        assert trial["score"] == min(row["val_loss"] for row in run.history), trial
        found[value] = _run_contents(run.path)
    assert len(found) == len(_TRIALS), sorted(found)
    return found


def _prepare_run(inputs: Path) -> None:
    """Train a small run, in this process, which is one of its own."""
    make_photographs(inputs / "photographs", 20, 20, 24)
    ae_keras.train(_small_recipe(inputs / "photographs", epochs=1), inputs / "run", verbose=0)


def _export(inputs: Path, output: Path) -> None:
    export_run(inputs / "run", Export("litert"), output / "litert", overwrite=True, threads=(1,))


def _export_contents(output: Path) -> dict:
    (path,) = output.glob("litert/*.tflite")
    report = json.loads((output / "litert" / "export.json").read_text())
    del report["speed"]
    return {"model": unpack(path.read_bytes()), "report": report}


def _compress(inputs: Path, output: Path) -> None:
    work = Compression(str(_PHOTO_RUN), quality=70, runtime="litert", threads=1)
    jobs = plan_compression([str(inputs)], f"{output}/")
    for result in run_jobs(work, jobs, workers=2, skip_existing=True):
        assert result.error is None, result.error


def _bytes_of_all(output: Path) -> dict:
    return {
        str(path.relative_to(output)): path.read_bytes()
        for path in output.rglob("*")
        if path.is_file()
    }


def _fill_cache(inputs: Path, output: Path) -> None:
    os.environ["AE_KERAS_CACHE"] = str(output)
    images = load_images(_small_recipe(inputs).data_spec, memory_limit=0)
    assert {split: len(each.images) for split, each in images.items()}


def _ship(inputs: Path, output: Path) -> None:
    ship(inputs / "run", output / "shipped", "photographs")


def _shipped_contents(output: Path) -> dict:
    return {path.name: read_whole(path) for path in sorted((output / "shipped").iterdir())}


WORKS = {
    "train-cae": Work(
        lambda inputs: make_photographs(inputs, 40, 40, 50),
        functools.partial(_train, _small_recipe),
        _run_contents,
    ),
    "train-photo": Work(_prepare_photo, functools.partial(_train, _photo_recipe), _run_contents),
    "tune": Work(
        lambda inputs: make_photographs(inputs, 40, 40, 50), _tune, _search_contents, _train_each
    ),
    "export": Work(_prepare_run, _export, _export_contents),
    "compress": Work(
        lambda inputs: make_photographs(inputs, 40, 200, 300), _compress, _bytes_of_all
    ),
    "cache": Work(lambda inputs: make_photographs(inputs, 300, 40, 50), _fill_cache, _bytes_of_all),
    "ship": Work(_prepare_run, _ship, _shipped_contents),
}
