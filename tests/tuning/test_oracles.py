"""Searches without training: what is proposed, and what survives a kill."""

import itertools

import pytest
from keras_tuner import Objective

from ae_keras import recipe_for
from ae_keras.tuning import oracles
from ae_keras.tuning.keras_tuner_internals import STATE_FILE
from ae_keras.tuning.oracles import REASON
from ae_keras.tuning.search_space import make_space

RANGES = ["latent_dim=4,8,16", "batch_size=16,32"]


def make_oracle(kind, folder, trials=6, ranges=RANGES):
    hyperparameters = make_space(recipe_for("mlp"), ranges)
    options = {"objective": Objective("val_loss", "min"), "seed": 3}
    if kind == "Hyperband":
        oracle = oracles.Hyperband(max_epochs=9, hyperparameters=hyperparameters, **options)
    else:
        oracle = getattr(oracles, kind)(
            max_trials=trials, hyperparameters=hyperparameters, **options
        )
    oracle.place(folder / "search")
    if (folder / "search" / STATE_FILE).is_file():
        oracle.reload()
    return oracle


def score(values):
    return values["latent_dim"] / values["batch_size"] + values.get("tuner/epochs", 0) / 1000


def finish(oracle, trial, status="COMPLETED", reason=None):
    """Do what KerasTuner's tuner does after a trial."""
    values = trial.hyperparameters.values
    if status == "COMPLETED":
        oracle.update_trial(trial.trial_id, {"val_loss": score(values)})
    else:
        values[REASON] = reason
    trial.status = status
    oracle.end_trial(trial)


def values_of(oracle):
    return [tuple(trial.hyperparameters.values.values()) for trial in oracle.trials.values()]


@pytest.mark.parametrize("kind", ["RandomSearch", "BayesianOptimization", "GridSearch"])
def test_each_combination_is_tried_once(kind, tmp_path):
    oracle = make_oracle(kind, tmp_path, trials=10)
    while (trial := oracle.create_trial("one")).status == "RUNNING":
        finish(oracle, trial)
    assert trial.status == "STOPPED"
    assert sorted(values_of(oracle)) == sorted(itertools.product((4, 8, 16), (16, 32)))
    assert {trial.status for trial in oracle.trials.values()} == {"COMPLETED"}
    best = oracle.get_best_trials()[0]
    assert best.hyperparameters.values == {"latent_dim": 4, "batch_size": 32}


@pytest.mark.parametrize("kind", ["RandomSearch", "BayesianOptimization"])
def test_the_recipe_itself_is_tried_first(kind, tmp_path):
    ranges = ["latent_dim=4:64", "learning_rate=1e-4:1e-2:log"]
    trial = make_oracle(kind, tmp_path, ranges=ranges).create_trial("one")
    recipe = recipe_for("mlp")
    assert trial.hyperparameters.values == {
        "latent_dim": 32,
        "learning_rate": recipe.learning_rate,
    }


@pytest.mark.parametrize(
    "kind", ["RandomSearch", "BayesianOptimization", "GridSearch", "Hyperband"]
)
def test_a_search_that_is_killed_at_any_moment_goes_on(kind, tmp_path):
    """Between any two calls, another process takes over; trials stay what they would be."""
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    ranges = ["latent_dim=4:64", "batch_size=16,32,64"]
    oracle, finished = make_oracle(kind, straight, ranges=ranges), []
    while (trial := oracle.create_trial("one")).status == "RUNNING":
        finish(oracle, trial)
    while True:
        created = make_oracle(kind, broken, ranges=ranges).create_trial("one")
        if created.status != "RUNNING":
            break
        again = make_oracle(kind, broken, ranges=ranges)
        trial = again.create_trial("one")
        assert trial.trial_id == created.trial_id
        assert trial.trial_id not in finished
        finish(again, trial)
        finished.append(trial.trial_id)
    other = make_oracle(kind, broken, ranges=ranges)
    assert len(other.trials) == len(oracle.trials) >= 6
    assert {trial.status for trial in other.trials.values()} == {"COMPLETED"}
    if kind != "BayesianOptimization":  # whose restarts of the optimizer are drawn anew
        assert values_of(other) == values_of(oracle)


def test_failed_and_infeasible_trials_end_with_their_reason(tmp_path):
    oracle = make_oracle("GridSearch", tmp_path)
    ends = [("FAILED", "too wide"), ("INVALID", "over the budget")] * 3
    for status, reason in ends:
        finish(oracle, oracle.create_trial("one"), status, reason)
    assert oracle.create_trial("one").status == "STOPPED"
    found = [(trial.status, trial.message) for trial in oracle.trials.values()]
    assert found == ends
    assert all(REASON not in trial.hyperparameters.values for trial in oracle.trials.values())


def test_the_trial_of_a_dead_worker_runs_again_but_not_forever(tmp_path):
    oracle = make_oracle("GridSearch", tmp_path, trials=2)
    lost, other = oracle.create_trial("one"), oracle.create_trial("two")
    assert oracle.give_back("one")
    assert not oracle.give_back("one")
    assert oracle.create_trial("three").trial_id == lost.trial_id
    finish(oracle, other)
    assert oracle.create_trial("two").status == "IDLE"
    assert oracle.give_back("three")
    assert oracle.create_trial("two").status == "STOPPED"
    assert [trial.status for trial in oracle.trials.values()] == ["FAILED", "COMPLETED"]
    assert "workers died" in lost.message


def test_a_result_that_comes_twice_counts_once(tmp_path):
    oracle = make_oracle("GridSearch", tmp_path, trials=2)
    slow = oracle.create_trial("one")
    oracle.give_back("one")
    again = oracle.create_trial("two")
    finish(oracle, again)
    finish(oracle, slow)
    assert oracle.end_order == [slow.trial_id]
    assert not oracle.ongoing_trials
    assert oracle.create_trial("two").trial_id != slow.trial_id
