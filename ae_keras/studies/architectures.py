"""Variants of `cae` on CIFAR-10: fewer and more convolutions, smaller and larger latents.

The report on the convolutional autoencoder for compression changed its architecture by hand, one
thing and another at a time, and could not compare its variants systematically. Here each variant
changes one thing of `cae`, and its filters where the latent is to stay as large; all train in the
same way, for five epochs.

Sharpness is the mean size of the gradient between neighbouring pixels, as a share of that of the
originals: 1 is as sharp as these. The gap is how much larger the test error is than the training
error. A step is one of training, at batch size 16; its time is the median of rounds in which the
variants take turns.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ae_keras import figures, metrics
from ae_keras.registry import recipe_for
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.pictures import reconstruct
from ae_keras.studies.page import Evidence, Page, Table, Verdict
from ae_keras.studies.workspace import Workspace

TITLE = "Architectures of a convolutional autoencoder"
EPOCHS = 5
VARIANTS: dict[str, dict[str, Any]] = {
    "cae": {},
    "1 pooling, same latent": {"filters": (12, 4)},
    "3 poolings, same latent": {"filters": (8, 12, 16, 64)},
    "2 convolutions each": {"convolutions": 2},
    "3 convolutions each": {"convolutions": 3},
    "twice as wide": {"filters": (16, 24, 16)},
    "latent / 4": {"filters": (8, 12, 4)},
    "latent / 2": {"filters": (8, 12, 8)},
    "latent x 2": {"filters": (8, 12, 32)},
    "latent x 3": {"filters": (8, 12, 48)},
}
_HEADER = (
    *("variant", "latent values", "parameters", "training MSE", "test MSE", "gap [%]"),
    *("PSNR [dB]", "SSIM", "sharpness", "step [ms]"),
)
_SHOWN = 10
_SHARPNESS_IMAGES = 2000

# The values of a line of the table.
Row = tuple[Any, ...]


def run(workspace: Workspace) -> Page:
    """Train the variants, and compare their errors, sharpness and sizes."""
    runs = {
        name: workspace.train(
            f"architectures-{number}", recipe_for("cae", "cifar10", epochs=EPOCHS, **changes)
        )
        for number, (name, changes) in enumerate(_variants(workspace).items())
    }
    steps, rows, examples = workspace.time_steps(runs), [], {}
    for name, run in runs.items():
        rows.append((name, *_measure(workspace, run), steps[name]))
        test = workspace.load_images(run, "test").pick(_SHOWN)
        examples["original"], examples[name] = reconstruct(
            workspace.load_model(run), test, run.recipe
        )
    table = Table(_HEADER, [_format(row) for row in rows])
    title = "Variants of cae: test images of CIFAR-10"
    images = workspace.draw("reconstructions", figures.save_image_rows, examples, title)
    curves = workspace.draw("errors", figures.save_curves, _panels(rows), "Variants of cae")
    caption = "Test errors over the size of the latent and over the number of parameters"
    return Page(judge(rows), {"architectures": table}, {curves: caption, images: title})


def _measure(workspace: Workspace, run: RunFolder) -> Row:
    model = workspace.load_model(run)
    training, test = workspace.measure_mse(run, "train"), run.metrics["test"]
    examples = workspace.load_images(run, "test").pick(_SHARPNESS_IMAGES)
    originals, outputs = reconstruct(model, examples, run.recipe)
    sharpness = metrics.sharpness(outputs).mean() / metrics.sharpness(originals).mean()
    gap = 100 * (test["mse"] / training - 1)
    sizes = math.prod(model.latent_shape), model.parameter_count
    quality = test["psnr"], test["ssim"], sharpness
    return (*sizes, training, test["mse"], gap, *quality)


def _variants(workspace: Workspace) -> dict[str, dict[str, Any]]:
    names = list(VARIANTS)[:: 3 if workspace.quick else 1]
    return {name: VARIANTS[name] for name in names}


def _format(row: Row) -> Row:
    styles = ("d", "d", ".5f", ".5f", "+.1f", ".2f", ".4f", ".3f", ".1f")
    return (row[0], *(format(value, style) for value, style in zip(row[1:], styles, strict=True)))


def _panels(rows: Sequence[Row]) -> list[figures.Panel]:
    def panel(column: int, xlabel: str) -> figures.Panel:
        points = {row[0]: ([row[column]], [row[4]], "o") for row in rows}
        return figures.Panel(points, xlabel, "test MSE", xscale="log", yscale="log")

    return [panel(1, "values of the latent"), panel(2, "parameters")]


def judge(rows: Sequence[Row]) -> list[Verdict]:
    """Say which variant of the same latent is the best, and what its size does.

    Args:
        rows: The first is that of `cae`; in the order of the table's columns, of which the name,
            the values of the latent, the test error, the gap and the sharpness are used.
    """
    reference = rows[0]
    best = min((row for row in rows if row[1] == reference[1]), key=_test_error)
    by_size = sorted((row for row in rows if row[0].startswith(("cae", "latent"))), key=_size)
    falls = np.all(np.diff([_test_error(row) for row in by_size]) < 0)
    return [
        Verdict(
            f"The variant with the lowest error, of those with {reference[1]} latent values",
            None,
            (
                Evidence("variant", best[0]),
                Evidence("test MSE", best[4], style=".5f"),
                Evidence("below that of `cae` by", 100 * (1 - best[4] / reference[4]), "%", ".0f"),
                Evidence("sharpness, of the originals'", 100 * best[8], "%", ".0f"),
            ),
        ),
        Verdict(
            f"The error {'falls' if falls else 'does not fall'} with each step of the latent size",
            None,
            tuple(
                Evidence(f"test MSE with {row[1]} values", row[4], style=".5f")
                for row in (by_size[0], by_size[-1])
            ),
        ),
        Verdict(
            "How far training and test errors differ",
            None,
            (Evidence("at most", max(abs(row[5]) for row in rows), "%", ".1f"),),
        ),
    ]


def _size(row: Row) -> int:
    return row[1]


def _test_error(row: Row) -> float:
    return row[4]
