import dataclasses
import errno
import json

import keras
import numpy as np
import pytest
from conftest import assert_same_results, results, train_and_die

import ae_keras
from ae_keras.data.images import Images, load_images
from ae_keras.runs.folder import RunFolder
from ae_keras.training import compilation, epoch, material
from ae_keras.training.checkpoint import Progress, read_checkpoint, write_checkpoint
from ae_keras.training.compilation import compile_model
from ae_keras.training.optimizers import make_schedule


def test_a_run_leaves_all_its_files(tiny_recipe, tmp_path):
    result = ae_keras.train(tiny_recipe, tmp_path / "run", verbose=0)
    run = RunFolder(tmp_path / "run")
    assert {path.name for path in run.path.iterdir()} == {
        *("recipe.json", "model.keras", "last.keras", "history.csv", "metrics.json"),
        *("entropy_tables.npz", "checkpoint.npz"),
        *("history.png", "reconstructions.png", "tensorboard"),
    }
    assert run.recipe == tiny_recipe
    assert json.loads((run.path / "metrics.json").read_text()) == result
    history = (run.path / "history.csv").read_text().splitlines()
    assert history[0] == "epoch,loss,val_loss,learning_rate"
    assert len(history) == 1 + tiny_recipe.epochs
    assert any(run.tensorboard.iterdir())


def test_training_learns(tiny_recipe, tmp_path):
    recipe = dataclasses.replace(tiny_recipe, epochs=25, learning_rate=1e-2)
    ae_keras.train(recipe, tmp_path / "run", verbose=0)
    rows = (tmp_path / "run" / "history.csv").read_text().splitlines()[1:]
    losses = [float(row.split(",")[1]) for row in rows]
    assert losses[-1] < 0.5 * losses[0]


def test_early_stopping_keeps_the_best_epoch(tiny_recipe, tmp_path):
    recipe = dataclasses.replace(
        tiny_recipe, epochs=50, early_stopping=2, optimizer="sgd", learning_rate=1e-12
    )
    result = ae_keras.train(recipe, tmp_path / "run", verbose=0)
    assert result["training"]["epochs"] == result["training"]["best_epoch"] + 2 < 50


def test_best_epoch_is_the_first_lowest():
    rows = [{"val_loss": loss} for loss in (3.0, 1.0, 2.0, 1.0)]
    assert Progress(history=rows).best_epoch == 1
    assert Progress().best_epoch == -1


def test_finished_run_is_not_overwritten_unasked(tiny_recipe, tmp_path):
    ae_keras.train(tiny_recipe, tmp_path / "run", verbose=0)
    before = results(tmp_path / "run")
    with pytest.raises(FileExistsError, match=r"finished run.+--overwrite"):
        ae_keras.train(tiny_recipe, tmp_path / "run", verbose=0)
    assert results(tmp_path / "run")[1] == before[1]
    other = dataclasses.replace(tiny_recipe, epochs=1, seed=5)
    ae_keras.train(other, tmp_path / "run", overwrite=True, verbose=0)
    assert RunFolder(tmp_path / "run").recipe == other


@pytest.mark.thorough
def test_overwrite_replaces_a_run_but_goes_on_with_its_own(tiny_recipe, tmp_path):
    """The same command, with --overwrite, replaces a finished run and may be interrupted."""
    ae_keras.train(tiny_recipe, tmp_path / "whole", verbose=0)
    recipe = dataclasses.replace(tiny_recipe, seed=9)
    ae_keras.train(recipe, tmp_path / "pieces", verbose=0)
    train_and_die(tiny_recipe, tmp_path / "pieces", batches=0, overwrite=True)
    assert not (tmp_path / "pieces" / "model.keras").exists()
    train_and_die(tiny_recipe, tmp_path / "pieces", batches=2, overwrite=True)
    run = RunFolder(tmp_path / "pieces")
    assert run.checkpoint.is_file()
    assert not run.is_finished
    ae_keras.train(tiny_recipe, tmp_path / "pieces", overwrite=True, verbose=0)
    assert run.is_finished
    assert_same_results(tmp_path / "whole", tmp_path / "pieces")


def test_damaged_recipe_is_named_and_can_be_overwritten(tiny_recipe, tmp_path):
    (tmp_path / "recipe.json").write_text("{junk")
    with pytest.raises(ValueError, match=r"recipe\.json' is not a recipe"):
        ae_keras.train(tiny_recipe, tmp_path, verbose=0)
    ae_keras.train(tiny_recipe, tmp_path, overwrite=True, verbose=0)
    assert RunFolder(tmp_path).recipe == tiny_recipe


def test_changed_images_are_noticed(tiny_recipe, tmp_path, photo_folder):
    train_and_die(tiny_recipe, tmp_path / "run", batches=2)
    for path in photo_folder.rglob("*.png"):
        path.write_bytes((photo_folder / "set0" / "00.png").read_bytes())
    with pytest.raises(ValueError, match=r"images of .+ have changed"):
        ae_keras.train(tiny_recipe, tmp_path / "run", verbose=0)


def test_two_processes_do_not_train_in_one_folder(tiny_recipe, tmp_path):
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    with run.lock(), pytest.raises(BlockingIOError, match="Another process is training"):
        ae_keras.train(tiny_recipe, run.path, verbose=0)
    ae_keras.train(tiny_recipe, run.path, verbose=0)


def test_a_run_that_another_process_finished_meanwhile_is_kept(tiny_recipe, tmp_path, monkeypatch):
    """One process passes the check; before it has the lock, another one trains to the end."""

    def load_images_slowly(*arguments):
        monkeypatch.undo()
        ae_keras.train(tiny_recipe, tmp_path / "run", verbose=0)
        return load_images(*arguments)

    monkeypatch.setattr(material, "load_images", load_images_slowly)
    with pytest.raises(FileExistsError, match="finished run"):
        ae_keras.train(tiny_recipe, tmp_path / "run", verbose=0)
    assert RunFolder(tmp_path / "run").is_finished
    assert ae_keras.load(tmp_path / "run")


def test_a_bad_data_set_does_not_cost_the_finished_run(tiny_recipe, tmp_path):
    ae_keras.train(tiny_recipe, tmp_path / "run", verbose=0)
    bad = dataclasses.replace(tiny_recipe, dataset=str(tmp_path / "missing" / "folder"))
    with pytest.raises(ValueError, match="Unknown data set"):
        ae_keras.train(bad, tmp_path / "run", overwrite=True, verbose=0)
    assert ae_keras.load(tmp_path / "run")


def test_another_recipe_is_refused_with_what_differs(tiny_recipe, tmp_path):
    train_and_die(tiny_recipe, tmp_path / "run", batches=1)
    other = dataclasses.replace(tiny_recipe, epochs=4, seed=3)
    message = r"epochs \(there 3, here 4\), seed \(there 0, here 3\)"
    with pytest.raises(ValueError, match=message):
        ae_keras.train(other, tmp_path / "run", verbose=0)


def test_folder_with_other_files_is_refused(tiny_recipe, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    for overwrite in (False, True):
        with pytest.raises(FileExistsError, match="not of a run"):
            ae_keras.train(tiny_recipe, tmp_path, overwrite=overwrite, verbose=0)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_output_that_is_a_file_is_refused(tiny_recipe, tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(OSError, match="Cannot write in"):
        ae_keras.train(tiny_recipe, tmp_path / "run", verbose=0)


def test_nan_loss_stops_with_advice(tiny_recipe, tmp_path):
    recipe = dataclasses.replace(tiny_recipe, optimizer="sgd", learning_rate=1e30)
    with pytest.raises(FloatingPointError, match=r"Lower the learning rate"):
        ae_keras.train(recipe, tmp_path / "run", verbose=0)
    assert not (tmp_path / "run" / "metrics.json").exists()


def test_no_picture_keeps_a_run_from_its_end(tmp_path, rng, monkeypatch, capsys):
    def fail(*_, **__):
        raise TypeError("Invalid shape\nfor image data")

    np.savez(tmp_path / "long.npz", images=rng.integers(0, 256, (30, 64, 1, 1), np.uint8))
    recipe = ae_keras.recipe_for(
        "mlp",
        str(tmp_path / "long.npz"),
        image_shape=(64, 1, 1),
        epochs=1,
        augmentation={"flip": 0.5},
    )
    monkeypatch.setattr("ae_keras.figures.save_reconstructions", fail)
    run = RunFolder(tmp_path / "run")
    ae_keras.train(recipe, run.path, verbose=0)
    assert run.is_finished
    assert run.history_figure.is_file()
    assert run.augmentation_figure.is_file()
    assert capsys.readouterr().err == (
        f"left out: {run.reconstructions_figure} (TypeError: Invalid shape for image data)\n"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learning_rate": 1e20}, r"The validation loss became (nan|inf) after epoch 1\. Lower"),
        ({"learning_rate": 1e20, "average": 0.9}, r"The validation loss became (nan|inf) after"),
        ({"learning_rate": 3e38, "optimizer": "rmsprop"}, r"The weights became .+ batch 1\. Lower"),
    ],
)
def test_weights_that_the_last_step_spoils_are_not_kept(changes, message, tiny_recipe, tmp_path):
    recipe = dataclasses.replace(tiny_recipe, epochs=1, batch_size=64, **changes)
    with pytest.raises(FloatingPointError, match=message):
        ae_keras.train(recipe, tmp_path / "run", verbose=0)
    kept = {path.name for path in (tmp_path / "run").iterdir()}
    assert kept <= {"recipe.json", "tensorboard"}


def test_weights_that_a_step_spoils_are_not_saved_within_an_epoch(
    tiny_recipe, tmp_path, monkeypatch
):
    monkeypatch.setattr(compilation, "_STEPS_PER_EXECUTION", 1)
    monkeypatch.setattr(epoch, "SECONDS_BETWEEN_CHECKPOINTS", 0)
    recipe = dataclasses.replace(tiny_recipe, optimizer="rmsprop", learning_rate=3e38)
    with pytest.raises(FloatingPointError, match="The weights became infinite or NaN"):
        ae_keras.train(recipe, tmp_path / "run", verbose=0)
    assert not (tmp_path / "run" / "checkpoint.npz").exists()


def test_full_disk_leaves_the_earlier_checkpoint_intact(tiny_recipe, tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.npz"
    images = load_images(tiny_recipe.data_spec)["train"].images
    model = compile_model(tiny_recipe, Images(images))
    write_checkpoint(path, model, Progress(epoch=1))
    before = path.read_bytes()

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match=r"Cannot write .+checkpoint\.npz': No space left"):
        write_checkpoint(path, model, Progress(epoch=2))
    assert path.read_bytes() == before
    assert list(tmp_path.glob(".partial*")) == []
    assert read_checkpoint(path, model).epoch == 1


def test_damaged_checkpoint_is_refused(tiny_recipe, tmp_path):
    images = load_images(tiny_recipe.data_spec)["train"].images
    model = compile_model(tiny_recipe, Images(images))
    path = tmp_path / "checkpoint.npz"
    write_checkpoint(path, model, Progress(epoch=1))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match=r"Cannot continue from .+Delete it"):
        read_checkpoint(path, model)
    other = compile_model(dataclasses.replace(tiny_recipe, optimizer="sgd"), Images(images))
    write_checkpoint(path, other, Progress())
    with pytest.raises(ValueError, match="of another model"):
        read_checkpoint(path, model)


@pytest.mark.parametrize(
    "damage",
    [{"epoch": "1"}, {"batch": -1}, {"history": 5}, {"history": [{"loss": 1}]}, {"seconds": "x"}],
)
def test_a_checkpoint_whose_progress_is_damaged_is_refused(damage, tmp_path):
    """What fuzzing has found: it was read, and training failed of it."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    path = tmp_path / "checkpoint.npz"
    write_checkpoint(path, model, Progress(**damage))
    with pytest.raises(ValueError, match=r"Cannot continue from .+ its .+ is damaged"):
        read_checkpoint(path, model)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer_arguments": {"beta1": 0.9}}, "do not fit 'adam'.+beta1"),
        ({"optimizer_arguments": {"beta_1": "x"}}, "beta_1 must be a number, not 'x'"),
        ({"optimizer_arguments": {"learning_rate": 5}}, "a setting of its own"),
        ({"schedule_arguments": {"alpha": 0.1}}, "'constant': unknown schedule arguments alpha"),
        (
            {"schedule": "cosine", "schedule_arguments": {"warmup_epochs": -1}},
            "warmup_epochs must be a number from 0 to 3, not -1",
        ),
        (
            {"schedule": "exponential", "schedule_arguments": {"decay_rate": "x"}},
            "decay_rate must be a number from 0 to 1, not 'x'",
        ),
        ({"model_arguments": {"filter": 3}}, "has no argument 'filter'"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(changes, message, tiny_recipe, tmp_path):
    with pytest.raises(ValueError, match=message):
        ae_keras.train(dataclasses.replace(tiny_recipe, **changes), tmp_path / "run", verbose=0)


@pytest.mark.parametrize(
    ("schedule", "arguments", "expected"),
    [
        ("constant", {}, [1e-3, 1e-3, 1e-3]),
        ("cosine", {}, [1e-3, 0.5e-3, 0.0]),
        ("cosine", {"alpha": 0.1}, [1e-3, 0.55e-3, 1e-4]),
        ("cosine", {"warmup_epochs": 2}, [0.0, 0.5e-3 * (1 + np.sqrt(0.5)), 0.0]),
        ("exponential", {"decay_rate": 0.5}, [1e-3, 1e-3 / 2**3, 1e-3 / 2**6]),
        ("trapezoid", {}, [1e-3, 1e-3, 1e-3]),
        ("trapezoid", {"warmup_epochs": 2, "decay_epochs": 2}, [0.25e-3, 1e-3, 0.0]),
        ("trapezoid", {"decay_epochs": 6}, [1e-3, 0.5e-3, 0.0]),
    ],
)
def test_schedules(schedule, arguments, expected, tiny_recipe):
    recipe = dataclasses.replace(
        tiny_recipe, epochs=6, schedule=schedule, schedule_arguments=arguments
    )
    model = compile_model(recipe, Images(np.zeros((16, 16, 16, 3), np.uint8)))
    rates = []
    for step in (0, 6, 12):  # two steps an epoch
        model.optimizer.iterations.assign(step)
        rates.append(float(model.optimizer.learning_rate))
    np.testing.assert_allclose(rates, expected, rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("epochs", [1, 2, 7])
@pytest.mark.parametrize("name", ae_keras.list_models())
def test_own_schedules_fit_any_number_of_epochs(name, epochs):
    recipe = ae_keras.recipe_for(name, epochs=epochs)
    for steps in (1, 2, 5, 100):
        schedule = make_schedule(recipe, steps)
        rates = [schedule(step) if callable(schedule) else schedule for step in range(steps)]
        assert np.isfinite(np.asarray(rates)).all()


@pytest.mark.parametrize("schedule", ["cosine", "trapezoid"])
def test_a_longer_warm_up_is_shortened_with_the_epochs(schedule, tiny_recipe):
    recipe = ae_keras.change_recipe(
        tiny_recipe, epochs=20, schedule=schedule, schedule_arguments={"warmup_epochs": 5}
    )
    assert ae_keras.change_recipe(recipe, epochs=6).schedule_arguments == {"warmup_epochs": 5}
    shorter = ae_keras.change_recipe(recipe, epochs=2)
    assert shorter.schedule_arguments == {"warmup_epochs": 0.5}
    make_schedule(shorter, 3)
    with pytest.raises(ValueError, match="warmup_epochs must be a number from 0 to 2, not 3"):
        make_schedule(
            ae_keras.change_recipe(recipe, epochs=2, schedule_arguments={"warmup_epochs": 3}), 3
        )
