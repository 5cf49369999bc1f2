"""Runs that are made longer: what comes out is what a longer run gives from its start."""

import dataclasses

import pytest
from conftest import assert_same_results, train_and_die

import ae_keras
from ae_keras.runs.folder import RunFolder

PLAIN = {"batch_size": 5, "task": "denoising", "noise": 0.2, "augmentation": {"shear": 20}}
WARM = {"warmup_epochs": 1}


def lengthen(recipe, **changes):
    return dataclasses.replace(recipe, **({"epochs": 3} | changes))


@pytest.mark.thorough
@pytest.mark.parametrize(
    "changes",
    [
        PLAIN | {"average": 0.9, "schedule": "trapezoid", "schedule_arguments": WARM},
        {"schedule": "exponential", "optimizer": "sgd", "precision": "mixed_float16"},
    ],
)
def test_an_extended_run_is_a_longer_run_to_the_bit(changes, tiny_recipe, tmp_path):
    recipe = dataclasses.replace(tiny_recipe, epochs=2, **changes)
    whole = ae_keras.train(lengthen(recipe), tmp_path / "whole", verbose=0)
    ae_keras.train(recipe, tmp_path / "pieces", verbose=0)
    extended = ae_keras.train(lengthen(recipe), tmp_path / "pieces", verbose=0, extend=True)
    assert_same_results(tmp_path / "whole", tmp_path / "pieces")
    assert extended["test"] == whole["test"]
    tables = [(tmp_path / name / "entropy_tables.npz").read_bytes() for name in ("whole", "pieces")]
    assert tables[0] == tables[1]
    assert RunFolder(tmp_path / "pieces").recipe == lengthen(recipe)


@pytest.mark.thorough
def test_an_extension_that_is_stopped_goes_on(tiny_recipe, tmp_path):
    recipe = dataclasses.replace(tiny_recipe, epochs=2)
    ae_keras.train(lengthen(recipe), tmp_path / "whole", verbose=0)
    train_and_die(recipe, tmp_path / "pieces", batches=1)  # one that is not finished
    with pytest.raises(ValueError, match=r"unfinished.+Train it for 3 epochs with --extend"):
        ae_keras.train(lengthen(recipe), tmp_path / "pieces", verbose=0)
    train_and_die(lengthen(recipe), tmp_path / "pieces", batches=1, extend=True)
    ae_keras.train(lengthen(recipe), tmp_path / "pieces", verbose=0, extend=True)
    assert_same_results(tmp_path / "whole", tmp_path / "pieces")


@pytest.fixture(scope="module")
def finished_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("finished") / "run"


@pytest.fixture
def finished(tiny_recipe, finished_folder):
    """A finished run of two epochs, which all tests share, and its recipe."""
    recipe = dataclasses.replace(tiny_recipe, epochs=2)
    if not finished_folder.exists():
        ae_keras.train(recipe, finished_folder, verbose=0)
    recipe = dataclasses.replace(RunFolder(finished_folder).recipe, dataset=recipe.dataset)
    (finished_folder / "recipe.json").write_text(recipe.to_json())  # of this test's images
    return RunFolder(finished_folder), recipe


def test_a_finished_run_says_how_to_extend_it(finished):
    run, recipe = finished
    message = r"finished run\. Train it for 3 epochs with --extend\. Choose .+--overwrite"
    with pytest.raises(FileExistsError, match=message):
        ae_keras.train(lengthen(recipe), run.path, verbose=0)
    with pytest.raises(FileExistsError, match=r"finished run\. Choose .+--overwrite"):
        ae_keras.train(lengthen(recipe, seed=1), run.path, verbose=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 2}, r"Say with --epochs how many epochs .+ in all: more than 2\."),
        ({"epochs": 1}, r"Say with --epochs how many epochs .+ in all: more than 2\."),
        ({"seed": 1}, r"differs in seed \(there 0, here 1\). --extend is for more --epochs"),
    ],
)
def test_what_is_no_extension_is_refused(changes, message, finished):
    run, recipe = finished
    with pytest.raises(ValueError, match=message):
        ae_keras.train(lengthen(recipe, **changes), run.path, verbose=0, extend=True)
    assert run.is_finished


def test_without_a_run_or_its_state_nothing_is_extended(finished, tmp_path):
    run, recipe = finished
    with pytest.raises(FileNotFoundError, match=r"no run in .+Begin one without --extend"):
        ae_keras.train(recipe, tmp_path / "none", verbose=0, extend=True)
    aside = run.checkpoint.rename(tmp_path / "aside.npz")
    with pytest.raises(FileNotFoundError, match=r"no 'checkpoint\.npz'.+--start-from"):
        ae_keras.train(lengthen(recipe), run.path, verbose=0, extend=True)
    aside.rename(run.checkpoint)


def test_a_run_whose_images_have_changed_stays_finished(finished, photo_folder):
    run, recipe = finished
    for path in photo_folder.rglob("*.png"):
        path.write_bytes((photo_folder / "set0" / "00.png").read_bytes())
    with pytest.raises(ValueError, match=r"images of .+ have changed"):
        ae_keras.train(lengthen(recipe), run.path, verbose=0, extend=True)
    assert run.is_finished


def test_a_run_that_stopped_early_is_extended_with_more_patience(tiny_recipe, tmp_path):
    changes = {"optimizer": "sgd", "learning_rate": 1e-12, "epochs": 50}
    recipe = dataclasses.replace(tiny_recipe, early_stopping=1, **changes)
    first = ae_keras.train(recipe, tmp_path / "run", verbose=0)["training"]["epochs"]
    assert first < 50
    longer = dataclasses.replace(recipe, epochs=60)
    with pytest.raises(ValueError, match=r"stopped early.+raise --early-stopping above 1"):
        ae_keras.train(longer, tmp_path / "run", verbose=0, extend=True)
    assert RunFolder(tmp_path / "run").is_finished
    patient = dataclasses.replace(recipe, early_stopping=3)
    result = ae_keras.train(patient, tmp_path / "run", verbose=0, extend=True)
    assert result["training"]["epochs"] > first
