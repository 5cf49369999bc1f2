"""`conv` with up to 1,024 feature maps, on few images: its error, its time and its memory.

The report swept the feature maps of its convolutional autoencoder up to 1,024 on MNIST, and failed
on CIFAR-10 for lack of memory. The study `latent_size` stops at 128 where there is no GPU, because
the work grows with the square of the size: an epoch of all images would take days. Here the wide
ones train on 1,250 images (of which 80 % are for training) for three epochs in batches of 16. That
is enough to see how time and memory grow, and not to compare errors with those of `latent_size`:
the width of 128 stands beside them for that.

Time is that of all processors together, from the start of the command to its end, evaluation
included; memory is the peak of the process.
"""

import dataclasses
import json
import math
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ae_keras import figures
from ae_keras.benchmark.child import Measured, measure_command
from ae_keras.recipe import Recipe
from ae_keras.registry import recipe_for
from ae_keras.runs.folder import RunFolder
from ae_keras.studies.page import Evidence, Page, Table, Verdict
from ae_keras.studies.workspace import Workspace
from ae_keras.system.safe_files import write_text

TITLE = "The widest latents"
DATASETS = ("mnist", "cifar10")
SIZES = (128, 256, 512, 1024)
_IMAGES, _EPOCHS, _BATCH = 1250, 3, 16
_QUICK_SIZES = (4, 8)
_MEASURED = "resources.json"
_HEADER = (
    *("feature maps", "latent values", "parameters", "test MSE"),
    *("processor seconds", "peak memory [MB]"),
)

# The values of a line of the table.
Row = tuple[Any, ...]


def run(workspace: Workspace) -> Page:
    """Train `conv` in all widths on both data sets, each in a process of its own."""
    sizes = _QUICK_SIZES if workspace.quick else SIZES
    tables, results = {}, {}
    for dataset in workspace.choose(DATASETS, 2):
        results[dataset] = [_train(workspace, dataset, size) for size in sizes]
        tables[dataset] = Table(_HEADER, [_format(row) for row in results[dataset]])
    title = "Wide latents: conv on few images"
    drawn = {workspace.draw("wide_latents", figures.save_curves, _panels(results), title): title}
    verdicts = [verdict for dataset, rows in results.items() for verdict in judge(dataset, rows)]
    return Page(verdicts, tables, drawn)


def _train(workspace: Workspace, dataset: str, size: int) -> Row:
    """Return size, latent values, parameters, test error, processor seconds and megabytes."""
    recipe = recipe_for("conv", dataset, filters=size, epochs=_EPOCHS, batch_size=_BATCH)
    few = workspace.reduce(recipe, _IMAGES)
    run = workspace.train(f"wide_latents-{dataset}-{size}", few, _train_in_a_process)
    took = Measured(**json.loads((run.path / _MEASURED).read_text(encoding="utf-8")))
    model = workspace.load_model(run)
    measured = run.metrics["test"]["mse"], took.processor_seconds, took.megabytes
    return size, math.prod(model.latent_shape), model.parameter_count, *measured


def _train_in_a_process(recipe: Recipe, run: RunFolder) -> None:
    """Train a recipe in a process of its own, and note beside the model what that took."""
    wanted, unfinished = (Path(f"{run.path}-{name}") for name in ("recipe.json", "unfinished"))
    wanted.parent.mkdir(parents=True, exist_ok=True)
    write_text(wanted, recipe.to_json())
    train = [sys.executable, "-m", "ae_keras.commands.start", "train", "--overwrite"]
    took = measure_command([*train, "--recipe", str(wanted), "--output", str(unfinished)])
    write_text(unfinished / _MEASURED, json.dumps(dataclasses.asdict(took)))
    shutil.rmtree(run.path, ignore_errors=True)
    unfinished.rename(run.path)


def _format(row: Row) -> Row:
    *counts, error, seconds, megabytes = row
    return (*counts, f"{error:.5f}", f"{seconds:.0f}", f"{megabytes:.0f}")


def _panels(results: dict[str, list[Row]]) -> list[figures.Panel]:
    ylabels = ("mean squared error", "processor seconds", "peak memory [MB]")
    panels = []
    for column, (title, ylabel) in enumerate(
        zip(("Error on test images", "Time", "Memory"), ylabels, strict=True), start=3
    ):
        curves = {
            dataset: ([row[0] for row in rows], [row[column] for row in rows], f"C{number}o-")
            for number, (dataset, rows) in enumerate(results.items())
        }
        panels.append(figures.Panel(curves, "feature maps", ylabel, title, "log", "log"))
    return panels


def judge(dataset: str, rows: Sequence[Row]) -> list[Verdict]:
    """Say what the widest latent takes.

    Args:
        dataset: str. Its name.
        rows: Of all sizes, in ascending order; in the order of the table's columns.
    """
    size, _, _, _, seconds, megabytes = rows[-1]
    best = min(rows, key=lambda row: row[3])
    return [
        Verdict(
            f"On {dataset} {size} feature maps fit into memory",
            True,
            (
                Evidence("peak", megabytes, "MB", ".0f"),
                Evidence("processor time", seconds, "s", ".0f"),
                Evidence("the size before took", rows[-2][4], "s", ".0f"),
            ),
        ),
        Verdict(
            f"Which size has the lowest error on {dataset}, after so little training",
            None,
            (Evidence("feature maps", best[0]), Evidence("test MSE", best[3], style=".5f")),
        ),
    ]
