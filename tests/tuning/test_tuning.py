"""Searches whose trials are trained: alone, with workers, and what they leave."""

import contextlib
import csv
import json
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import SMALL

import ae_keras
from ae_keras import Recipe
from ae_keras.runs.folder import RunFolder
from ae_keras.tuning import Goal, Search, run_search, workers
from ae_keras.tuning.objectives import InfeasibleError
from ae_keras.tuning.run_search import lead_workers

ROOT = Path(__file__).parents[2]


def make_search(recipe, folder, **changes):
    return Search(recipe, folder / "search", **changes)


def statuses(rows):
    return [row["status"] for row in rows]


@pytest.mark.thorough
def test_a_search_finds_the_best_recipe_and_resumes(tiny_recipe, tmp_path, capsys):
    settings = {"algorithm": "grid", "ranges": ("learning_rate=1e-4,1e-3,3e-3",)}
    first = make_search(tiny_recipe, tmp_path, trials=2, **settings)
    rows = run_search(first)
    assert statuses(rows) == ["COMPLETED"] * 2
    assert rows[0]["score"] <= rows[1]["score"]
    written = {path: path.stat().st_mtime_ns for path in first.folder.glob("trial_*/model.keras")}

    rows = run_search(make_search(tiny_recipe, tmp_path, trials=3, **settings))
    assert statuses(rows) == ["COMPLETED"] * 3
    assert all(path.stat().st_mtime_ns == time for path, time in written.items())
    assert "trial 2 ended" in capsys.readouterr().out

    best = Recipe.read(first.folder / "best_recipe.json")
    run = RunFolder(first.folder / f"trial_{rows[0]['trial']}")
    assert run.is_finished
    assert run.is_of(best)
    assert best.learning_rate == rows[0]["values"]["learning_rate"]
    assert rows[0]["score"] == pytest.approx(min(row["val_loss"] for row in run.history))
    table = list(csv.DictReader((first.folder / "leaderboard.csv").read_text().splitlines()))
    assert [line["trial"] for line in table] == [row["trial"] for row in rows]
    assert float(table[0]["val_loss"]) == pytest.approx(rows[0]["score"], rel=1e-4)
    pictures = {path.name for path in first.folder.glob("*.png")}
    assert pictures == {
        "objective_by_parameter.png",
        "objective_over_time.png",
        "parallel_coordinates.png",
        "size_and_quality.png",
    }


@pytest.mark.thorough
def test_what_fails_or_is_infeasible_is_said_and_the_search_goes_on(tiny_recipe, tmp_path, capsys):
    ranges = ("filters_1=4,8", "learning_rate=1e-3,1e9")
    goal = Goal("psnr", budget={"parameters": 4500})
    recipe = ae_keras.change_recipe(tiny_recipe, epochs=1)
    search = make_search(recipe, tmp_path, algorithm="grid", ranges=ranges, goal=goal)
    rows = run_search(search)
    assert statuses(rows) == ["COMPLETED", "FAILED", "INVALID", "INVALID"]
    assert rows[0]["score"] == pytest.approx(rows[0]["figures"]["psnr"])
    assert "learning rate" in rows[1]["message"]
    assert "parameters 4,911, above the budget of 4,500" in rows[2]["message"]
    output, errors = capsys.readouterr()
    assert errors == ""
    assert "failed: The loss became" in output
    assert "is infeasible: parameters" in output


def test_a_search_in_which_all_fail_says_why(tiny_recipe, tmp_path):
    search = make_search(tiny_recipe, tmp_path, algorithm="grid", ranges=("learning_rate=1e9,2e9",))
    with pytest.raises(ValueError, match=r"No trial .* The first: The loss became"):
        run_search(search)


def test_the_rate_of_real_files_is_an_objective(tiny_recipe, tmp_path):
    goal = Goal("rate_distortion", weight=0.02)
    recipe = ae_keras.change_recipe(tiny_recipe, epochs=1)
    search = make_search(recipe, tmp_path, goal=goal, trials=1)
    row = run_search(search)[0]
    figures = row["figures"]
    expected = figures["bpp"] + 0.02 * 255**2 * figures["coded_mse"]
    assert row["score"] == pytest.approx(expected, rel=1e-5)
    codec = ae_keras.load_codec(search.folder / "trial_0")
    images = ae_keras.data.images.load_images(recipe.data_spec, ["validation"])["validation"].images
    sizes = [len(codec.compress(image)) for image in images]
    assert figures["bpp"] == pytest.approx(8 * sum(sizes) / (len(images) * 16 * 16), rel=1e-5)


def test_a_trial_waits_for_a_worker_that_still_has_its_folder(tiny_recipe, tmp_path):
    """As one does whose chief was killed, until its state is saved."""
    recipe = ae_keras.change_recipe(tiny_recipe, epochs=1)
    search = make_search(recipe, tmp_path, trials=1)
    search.start()
    with contextlib.ExitStack() as stack:
        stack.enter_context(RunFolder(search.folder / "trial_0").lock())
        timer = threading.Timer(1.5, stack.pop_all().close)
        timer.start()
        rows = run_search(search)
        timer.join()
    assert statuses(rows) == ["COMPLETED"]


@pytest.mark.parametrize("name", ["parameters", "latent_values", "latency_ms"])
def test_budgets(name, tiny_recipe):
    Goal(budget={name: 1e9}).check_budget(tiny_recipe)
    with pytest.raises(InfeasibleError, match=name):
        Goal(budget={name: 1e-9}).check_budget(tiny_recipe)


def test_a_model_that_takes_a_quality_is_timed():
    recipe = ae_keras.recipe_for("photo", image_shape=(64, 64, 3), **SMALL["photo"])
    with pytest.raises(InfeasibleError, match="latency_ms"):
        Goal(budget={"latency_ms": 1e-9}).check_budget(recipe)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"algorithm": "annealing"}, "annealing"),
        ({"trials": 0}, "`trials`"),
        ({"ranges": ("latent_dims=1,2",)}, "latent_dims"),
    ],
)
def test_a_search_that_cannot_be_is_refused(settings, words, tiny_recipe, tmp_path):
    with pytest.raises(ValueError, match=words):
        make_search(tiny_recipe, tmp_path, **settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"objective": "loss"}, "val_loss"),
        ({"budget": {"watts": 3}}, "watts"),
        ({"budget": {"parameters": "few"}}, "above 0"),
        ({"weight": 0.0}, "`lambda`"),
    ],
)
def test_a_goal_that_cannot_be_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        Goal(**settings)


def test_a_goal_that_is_not_for_the_recipe_is_refused(tmp_path):
    recipe = ae_keras.recipe_for("colourizer")
    with pytest.raises(ValueError, match="compress images"):
        make_search(recipe, tmp_path, goal=Goal("rate_distortion"))


def test_a_folder_of_something_else_is_left_alone(tiny_recipe, tmp_path):
    search = make_search(tiny_recipe, tmp_path)
    search.folder.mkdir()
    (search.folder / "letter.txt").write_text("dear")
    with pytest.raises(FileExistsError, match="not of a search"):
        run_search(search)
    (search.folder / "letter.txt").unlink()
    search.start()
    (search.folder / "notes.txt").write_text("mine")
    other = make_search(ae_keras.change_recipe(tiny_recipe, epochs=9), tmp_path, seed=1)
    with pytest.raises(ValueError, match="It differs in seed, epochs"):
        other.start()
    other.start(overwrite=True)
    assert json.loads((search.folder / "search.json").read_text())["seed"] == 1
    assert (search.folder / "notes.txt").read_text() == "mine"


def tune_command(recipe, search):
    """Return the command line of a search."""
    changes = [f"epochs={recipe.epochs}", "image_shape=16,16,3", "batch_size=8"]
    changes += ["learning_rate=1e-3", "schedule=constant"]
    options = ["--model", "cae", "--dataset", recipe.dataset, "--algorithm", search.algorithm]
    options += ["--space", *search.ranges, "--output", str(search.folder)]
    options += [word for change in changes for word in ("--set", change)]
    return [sys.executable, str(ROOT / "scripts" / "tune.py"), *options]


@pytest.mark.thorough
def test_a_worker_that_is_killed_in_a_trial_costs_nothing(tiny_recipe, tmp_path, monkeypatch):
    """Two workers; the one with the first trial is killed in it. All trials are completed."""
    recipe = ae_keras.change_recipe(tiny_recipe, epochs=6)
    ranges = ("learning_rate=1e-3,2e-3,3e-3",)
    search = make_search(recipe, tmp_path, algorithm="grid", ranges=ranges)
    crews, start = [], workers.Crew.start

    def start_noting(crew):
        start(crew)
        crews.append(crew)

    monkeypatch.setattr(workers.Crew, "start", start_noting)
    search.start()
    oracle, killed = search.make_oracle(), []

    def kill():
        run = RunFolder(search.folder / "trial_0000")
        while not (run.path / "history.csv").is_file():
            time.sleep(0.05)
        tuner_id = next(
            name for name, each in oracle.ongoing_trials.items() if "0000" in each.trial_id
        )
        crews[0].workers[tuner_id].kill()
        killed.append(len(run.history))

    thread = threading.Thread(target=kill)
    thread.start()
    lead_workers(oracle, tune_command(recipe, search), 2, 1)
    thread.join()
    assert killed[0] < 6
    assert len(crews) == 3  # one took the place of the dead
    assert {trial.status for trial in oracle.trials.values()} == {"COMPLETED"}
    assert len(oracle.trials) == 3
    for trial in oracle.trials.values():
        run = RunFolder(search.folder / f"trial_{trial.trial_id}")
        assert [row["epoch"] for row in run.history] == list(range(1, 7))


@pytest.mark.parametrize(
    "address", ["", "here", "here:", ":80", "here:port", "here:0", "here:99999"]
)
def test_bad_addresses_are_refused(address):
    with pytest.raises(ValueError, match="HOST:PORT"):
        workers.parse_address(address)


def test_a_worker_that_is_silent_loses_its_trial(tiny_recipe, tmp_path, monkeypatch, capsys):
    search = make_search(tiny_recipe, tmp_path, algorithm="grid", ranges=("seed=1,2,3",))
    search.start()
    oracle = search.make_oracle()
    chief, clock = workers.Chief(oracle), [1000.0]
    monkeypatch.setattr(workers.time, "monotonic", lambda: clock[0])
    first = chief.CreateTrial(SimpleNamespace(tuner_id="far"), None).trial.trial_id
    for _ in range(3):
        clock[0] += 50
        chief.GetTrial(SimpleNamespace(trial_id=first), None)
        chief.give_up_silent()
    assert list(oracle.ongoing_trials) == ["far"]
    clock[0] += 61
    chief.give_up_silent()
    assert not oracle.ongoing_trials
    assert "far is silent" in capsys.readouterr().out
    assert chief.CreateTrial(SimpleNamespace(tuner_id="near"), None).trial.trial_id == first


def test_a_worker_of_another_search_is_sent_away(tiny_recipe, tmp_path):
    search = make_search(tiny_recipe, tmp_path)
    search.check_identity(make_search(tiny_recipe, tmp_path, trials=99).space)
    other = make_search(ae_keras.change_recipe(tiny_recipe, epochs=9), tmp_path)
    with pytest.raises(ValueError, match="something else"):
        search.check_identity(other.space)
