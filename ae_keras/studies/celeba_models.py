"""Autoencoders of faces: strided convolutions against pooling, and a grid of batch and width.

The report compared `celeba_conv` and `celeba_pool` on CelebA, with batches of 16 and 32: the
convolutions reached the lower validation loss and the sharper faces. A grid over batches of 32, 64,
128 and 256 and first layers of 32, 64 and 128 filters then looked for the best of `celeba_conv`.

With a GPU the grid holds that of the report, and batches and first layers of 16 besides, on all
images for eight epochs. Without, it is reduced: 2,000 images, six epochs, batches of 16, 32, 64 and
128 and first layers of 8, 16 and 32 filters. All of the grid train for as many epochs, so that
small batches take more steps. `--faces` takes a folder of CelebA's images where the prepared data
set is not at hand; images that are smaller than 128x128 are enlarged. Sharpness is the mean size of
the gradient between neighbouring pixels of test images, as a share of that of the originals; more
than 1 comes from the grid that upsampling leaves, not from detail.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ae_keras import figures, metrics
from ae_keras.registry import recipe_for
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.pictures import reconstruct
from ae_keras.studies.page import Evidence, Page, Table, Verdict, judge_cases
from ae_keras.studies.workspace import Workspace

TITLE = "Autoencoders of faces"
FULL: dict[str, Any] = {
    "batches": (16, 32, 64, 128, 256),
    "filters": (16, 32, 64, 128),
    "epochs": 8,
    "images": None,
}
REDUCED: dict[str, Any] = {
    "batches": (16, 32, 64, 128),
    "filters": (8, 16, 32),
    "epochs": 6,
    "images": 2000,
}
_QUICK: dict[str, Any] = {"batches": (16,), "filters": (16,), "epochs": 1, "images": None}
# Of the comparison of both models.
_BATCHES = (16, 32)
_FILTERS = 16
_SHOWN = 6
_SHARPNESS_IMAGES = 200
_HEADER = (
    *("model", "batch", "filters", "parameters", "training MSE"),
    *("validation MSE", "test MSE", "sharpness"),
)

# Of a run: model, batch and filters.
Key = tuple[str, int, int]
# The values of a line of the table.
Row = tuple[Any, ...]


def run(workspace: Workspace) -> Page:
    """Train both models, then the grid."""
    plan = _plan(workspace)
    both = [
        (name, batch, _FILTERS) for name in ("celeba_conv", "celeba_pool") for batch in _BATCHES
    ]
    grid = [("celeba_conv", batch, n) for n in plan["filters"] for batch in plan["batches"]]
    keys = workspace.choose(both, 2)
    runs = {key: train_faces(workspace, *key) for key in dict.fromkeys([*keys, *grid])}
    rows = [(*key, *_measure(workspace, run)) for key, run in runs.items()]
    table = Table(_HEADER, [_format(row) for row in rows])
    panels = [
        _panel("Strided or pooling", {key: runs[key] for key in keys}, "{0}, batch {1}", 0),
        _panel("celeba_conv", {key: runs[key] for key in grid}, "{2} filters, batch {1}", 2),
    ]
    title = "Validation loss of autoencoders of faces"
    curves = workspace.draw("validation_loss", figures.save_curves, panels, title)
    best = min((row for row in rows if row[:3] in grid), key=_validation)[:3]
    chosen = {
        "{},\nbatch {}, {} filters".format(*key): runs[key]
        for key in (*keys[:: len(_BATCHES)], best)
    }
    caption = "Faces of the test part"
    faces = workspace.draw(
        "faces", figures.save_image_rows, _reconstruct(workspace, chosen), caption
    )
    data = workspace.name_data(next(iter(runs.values())))
    verdicts = [*judge_models(data, rows[: len(keys)]), judge_grid(rows, grid)]
    return Page(verdicts, {"celeba_models": table}, {curves: title, faces: caption})


def train_faces(workspace: Workspace, name: str, batch: int, filters: int) -> RunFolder:
    """Return the run of one model of faces, trained if need be."""
    plan = _plan(workspace)
    changes = {"filters": filters, "batch_size": batch, "epochs": plan["epochs"], "enlarge": True}
    recipe = recipe_for(name, workspace.faces, **changes)
    if plan["images"]:
        recipe = workspace.reduce(recipe, plan["images"])
    return workspace.train(f"celeba_models-{name}-{batch}-{filters}", recipe)


def _plan(workspace: Workspace) -> dict[str, Any]:
    return _QUICK if workspace.quick else FULL if workspace.has_gpu else REDUCED


def _measure(workspace: Workspace, run: RunFolder) -> tuple[float, ...]:
    """Return parameters, training, validation and test error, and sharpness."""
    model = workspace.load_model(run)
    errors = [workspace.measure_mse(run, part) for part in ("train", "validation")]
    examples = workspace.load_images(run, "test").pick(_SHARPNESS_IMAGES)
    originals, outputs = reconstruct(model, examples, run.recipe)
    sharpness = metrics.sharpness(outputs).mean() / metrics.sharpness(originals).mean()
    return (model.parameter_count, *errors, run.metrics["test"]["mse"], sharpness)


def _format(row: Row) -> Row:
    styles = ("d", ".5f", ".5f", ".5f", ".3f")
    return (*row[:3], *(format(x, style) for x, style in zip(row[3:], styles, strict=True)))


def _validation(row: Row) -> float:
    return row[5]


def _panel(title: str, runs: dict[Key, RunFolder], label: str, coloured: int) -> figures.Panel:
    """Return the curves of some runs, in colours by one part of their keys, dashed by the batch."""
    colours, batches = (list(dict.fromkeys(key[part] for key in runs)) for part in (coloured, 1))
    curves = {}
    for key, run in runs.items():
        losses = [row["val_loss"] for row in run.history]
        line = ("-", "--", "-.", ":")[batches.index(key[1])]
        style = f"C{colours.index(key[coloured])}o{line}"
        curves[label.format(*key)] = (range(1, len(losses) + 1), losses, style)
    return figures.Panel(curves, "epoch", "validation MSE", title, yscale="log")


def _reconstruct(workspace: Workspace, runs: dict[str, RunFolder]) -> dict[str, np.ndarray]:
    rows: dict[str, np.ndarray] = {}
    for name, run in runs.items():
        examples = workspace.load_images(run, "test").pick(_SHOWN)
        model = workspace.load_model(run)
        rows["original"], rows[name] = reconstruct(model, examples, run.recipe)
    return rows


def judge_models(data: str, rows: Sequence[Row]) -> list[Verdict]:
    """Say which of the two models has the lower validation error, and which the sharper faces.

    Args:
        data: str. Name of the faces.
        rows: Of both models with each batch; in the order of the table's columns.
    """
    found = {row[:2]: (_validation(row), row[7]) for row in rows}
    batches = sorted({batch for _, batch in found})
    pairs = [(found["celeba_conv", batch], found["celeba_pool", batch]) for batch in batches]

    def numbers(what: str, column: int, style: str) -> tuple[Evidence, ...]:
        return tuple(
            Evidence(
                f"{what} with strides and with pooling, batch {batch}",
                (conv[column], pool[column]),
                style=style,
            )
            for batch, (conv, pool) in zip(batches, pairs, strict=True)
        )

    return [
        Verdict(
            f"On {data}: strided convolutions reach a lower validation error than pooling",
            judge_cases([conv[0] < pool[0] for conv, pool in pairs]),
            numbers("validation MSE", 0, ".4f"),
        ),
        Verdict(
            "Their faces are sharper",
            judge_cases([conv[1] > pool[1] for conv, pool in pairs]),
            numbers("sharpness", 1, ".3f"),
        ),
    ]


def judge_grid(rows: Sequence[Row], grid: Sequence[Key]) -> Verdict:
    """Name the best and the worst of the grid."""
    rows = [row for row in rows if row[:3] in grid]
    evidence: list[Evidence] = []
    for which, row in (("best", min(rows, key=_validation)), ("worst", max(rows, key=_validation))):
        evidence += [
            Evidence(f"validation MSE of the {which}", _validation(row), style=".4f"),
            Evidence("its filters", row[2]),
            Evidence("its batch", row[1]),
        ]
    return Verdict("The best and the worst of the grid", None, tuple(evidence))
