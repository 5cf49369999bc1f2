"""What a search leaves: a leaderboard, the best recipe, and pictures."""

from typing import Any

import numpy as np

from ae_keras import figures, metrics
from ae_keras.system.safe_files import write_safely, write_text
from ae_keras.system.text_tables import to_csv
from ae_keras.tuning.keras_tuner_internals import Trial, TrialStatus
from ae_keras.tuning.oracles import Recorded
from ae_keras.tuning.progress import format_value
from ae_keras.tuning.search import (
    BEST_RECIPE,
    BY_PARAMETER,
    LEADERBOARD,
    OVER_TIME,
    PARALLEL,
    TRADE_OFF,
    Search,
)
from ae_keras.tuning.trials import make_recipe

_LABELS = {
    "val_loss": "validation loss",
    "psnr": "PSNR [dB]",
    "rate_distortion": "rate-distortion cost",
}
_SIZES = {"parameters": "parameters", "latent_values": "numbers in the latent of an image"}
# Columns beside the objective and what varies, where they were measured.
_FIGURES = ("psnr", "bpp", "coded_mse", "parameters", "latent_values", "seconds")


def rank(oracle: Recorded) -> list[dict[str, Any]]:
    """Return a row for each trial: the completed ones from the best to the worst, then others.

    A row holds `trial`, `status`, `values`, `message`, and of a completed one `score`, `minutes`
    (from the start of the search to its end) and `figures`, as `Goal.measure` returns them.
    """
    rows = [_describe(oracle, trial) for trial in oracle.trials.values()]
    sign = -1 if oracle.objective.direction == "max" else 1
    return sorted(rows, key=lambda row: (row["score"] is None, sign * (row["score"] or 0)))


def _describe(oracle: Recorded, trial: Trial) -> dict[str, Any]:
    completed = trial.status == TrialStatus.COMPLETED
    return {
        "trial": trial.trial_id,
        "status": trial.status,
        "values": trial.hyperparameters.values,
        "message": trial.message,
        "score": trial.score if completed else None,
        "minutes": oracle.progress.minutes_to(trial) if completed else None,
        "figures": {
            name: trial.metrics.get_best_value(name) if completed else None
            for name in trial.metrics.metrics
        },
    }


def tabulate(rows: list[dict[str, Any]], objective: str, names: list[str]) -> list[tuple[str, ...]]:
    """Return the leaderboard as text: a header and a row for each trial."""
    measured = [name for name in _FIGURES if name in rows[0]["figures"] and name != objective]
    header = ("trial", objective, *names, *measured, "status")
    return [header, *(_format(row, names, measured) for row in rows)]


def _format(row: dict[str, Any], names: list[str], measured: list[str]) -> tuple[str, ...]:
    values = (format_value(row["values"].get(name, "-")) for name in names)
    shown = (row["figures"].get(name) for name in measured)
    return (
        row["trial"],
        "-" if row["score"] is None else f"{row['score']:.5g}",
        *values,
        *("-" if value is None else f"{value:.6g}" for value in shown),
        row["status"].lower() if row["message"] is None else row["message"],
    )


def write_reports(search: Search, oracle: Recorded) -> list[dict[str, Any]]:
    """Write what a search found into its folder, and return the rows of `rank`.

    Raises:
        ValueError: if no trial was completed; it says why the first was not.
    """
    rows, objective = rank(oracle), oracle.objective.name
    completed = [row for row in rows if row["score"] is not None]
    if not completed:
        first = min(rows, key=lambda row: row["trial"])["message"] if rows else "there was none"
        raise ValueError(f"No trial was completed. The first: {first}")
    header, *lines = tabulate(rows, objective, search.names)
    write_text(search.folder / LEADERBOARD, to_csv(header, lines))
    best = oracle.trials[completed[0]["trial"]]
    write_text(search.folder / BEST_RECIPE, make_recipe(search.recipe, best).to_json())
    _draw(search, completed, objective, oracle.objective.direction)
    return rows


def _draw(search: Search, completed: list[dict[str, Any]], objective: str, direction: str) -> None:
    kind, recipe = search.algorithm.capitalize(), search.recipe
    title = f"{recipe.model} on {recipe.data_name}: {kind} search"
    label, maximize = _LABELS[objective], direction == "max"
    sizes = [name for name in _SIZES if name in completed[0]["figures"]]
    fronts = {name: _pareto_front(completed, name, maximize) for name in sizes}
    with write_safely(search.folder / OVER_TIME) as path:
        figures.save_objective_over_time(path, completed, label, maximize, title)
    with write_safely(search.folder / TRADE_OFF) as path:
        figures.save_size_and_quality(path, completed, fronts, _SIZES, label, title)
    if not search.names:
        return
    with write_safely(search.folder / BY_PARAMETER) as path:
        figures.save_objective_by_parameter(path, completed, search.names, label, title)
    with write_safely(search.folder / PARALLEL) as path:
        figures.save_parallel_coordinates(path, completed, search.names, label, title)


def _pareto_front(completed: list[dict[str, Any]], name: str, maximize: bool) -> np.ndarray:
    """Return sizes and scores of the trials that no other is as good as in both."""
    sign = 1 if maximize else -1
    scores = [sign * row["score"] for row in completed]
    front = metrics.pareto_front([row["figures"][name] for row in completed], scores)
    return front * (1, sign)
