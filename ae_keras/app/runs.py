"""Runs as they are in their folders: recipe, curves, reconstructions."""

import dataclasses
import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ae_keras.app.charts import draw_chart
from ae_keras.recipe import Recipe
from ae_keras.runs.folder import RunFolder
from ae_keras.system.text_tables import to_markdown

_MEASURED = ("psnr", "ssim", "ms_ssim", "mse", "kl", "bd_rate", "estimated_bd_rate")
_CURVES = {"loss": "training", "val_loss": "validation"}


def compare_recipes(runs: Sequence[RunFolder]) -> str:
    """Return a table of what is known of runs, as Markdown: quality, then recipe.

    Of the recipes it has what is not as usual in one of them.
    """
    recipes = [run.recipe for run in runs]
    rows: list[tuple[Any, ...]] = [("state", *map(_state, runs))]
    measured = [_metrics(run) for run in runs]
    rows += [
        (f"test: {name}", *(_number(values.get(name)) for values in measured))
        for name in _MEASURED
        if any(values.get(name) is not None for values in measured)
    ]
    for name, usual in _usual_settings().items():
        values = [getattr(recipe, name) for recipe in recipes]
        if any(value != usual for value in values):
            rows.append((name, *map(_text, values)))
    return to_markdown(("", *(run.path.name for run in runs)), rows)


def _state(run: RunFolder) -> str:
    epochs = len(run.history)
    state = "finished" if run.is_finished else "not finished, or without measurements"
    return f"{state}, {epochs} epochs" if epochs else state


def _metrics(run: RunFolder) -> dict[str, Any]:
    return run.metrics["test"] if run.is_finished else {}


def _usual_settings() -> dict[str, Any]:
    """Return all settings with their defaults; None where there is none."""
    fields = dataclasses.fields(Recipe)
    return {
        field.name: None if field.default is dataclasses.MISSING else field.default
        for field in fields
    }


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.5g}"


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={_text(part)}" for name, part in value.items()) or "-"
    if isinstance(value, tuple | list):
        return " x ".join(map(_text, value))
    return "-" if value is None else str(value)


def draw_histories(runs: Sequence[RunFolder]) -> str:
    """Return the losses of runs over their epochs, as SVG; empty if none has a history."""
    curves = {}
    for run in runs:
        history = run.history
        for key, what in _CURVES.items():
            points = [
                (float(number), row[key])
                for number, row in enumerate(history, 1)
                if math.isfinite(row.get(key, math.nan))
            ]
            if points:
                curves[f"{run.path.name}, {what}"] = points
    return draw_chart(curves, ("epoch", "loss"), is_log=(False, True))


def copy_reconstructions(run: RunFolder, folder: Path) -> str | None:
    """Copy the figure of a run's reconstructions into a folder of the page, if there is one."""
    if not run.reconstructions_figure.is_file():
        return None
    return str(shutil.copy(run.reconstructions_figure, folder / f"{run.path.name}.png"))
