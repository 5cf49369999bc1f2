"""Latents of 1 to 1024 values or feature maps: `mlp` and `conv`, on MNIST and CIFAR-10.

The report swept the latent of an MLP and of a convolutional autoencoder on MNIST. Its losses fall
up to the largest sizes, slowly in the end; the time of an epoch is flat for the MLP and grows
almost linearly for the convolutions. It did not come to CIFAR-10.

The size is `latent_dim` of `mlp`, and `filters` of `conv`, whose latent has 49 (MNIST) or 64
(CIFAR-10) values for each. `mlp` trains for five epochs, `conv` for two; without a GPU `conv` stops
at 128, because its time grows with the square of the size. The study
[wide_latents](../wide_latents/README.md) has 256, 512 and 1,024, on few images. Times are those of
single runs. A latent of one feature map can be zero for all images, behind its ReLU; such a model
learns nothing.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ae_keras import figures
from ae_keras.registry import recipe_for
from ae_keras.runs.folder import RunFolder
from ae_keras.studies.page import Evidence, Page, Table, Verdict
from ae_keras.studies.workspace import Workspace
from ae_keras.system.pixels import to_unit_range

TITLE = "The size of the latent"
DATASETS = ("mnist", "cifar10")
SIZES = tuple(2**power for power in range(11))
# The argument of each family that is the size, and the epochs.
FAMILIES = {"mlp": ("latent_dim", 5), "conv": ("filters", 2)}
# What the report says of the time of an epoch, and powers of the size for which that holds.
TIMES = {"mlp": ("is flat", -math.inf, 0.25), "conv": ("grows almost linearly", 0.75, 1.25)}
_LARGEST_CONV = 128
_QUICK_SIZES = (1, 64, 128)
# What is shown of the reconstructions, and from where on the losses are shown enlarged.
_SHOWN_SIZES = (1, 128)
_LARGE = 32
_SHOWN = 10

# The values of a line of the table.
Row = tuple[Any, ...]


def run(workspace: Workspace) -> Page:
    """Train both families in all sizes on both data sets."""
    tables, drawn, verdicts = {}, {}, []
    for dataset in workspace.choose(DATASETS, 2):
        runs = {
            (family, size): _train(workspace, dataset, family, size)
            for family in FAMILIES
            for size in choose_sizes(workspace, family)
        }
        rows = [(*key, *_measure(workspace, run)) for key, run in runs.items()]
        header = ("model", "size", "latent values", "parameters", "training MSE", "test MSE")
        tables[dataset] = Table((*header, "seconds an epoch"), [_format(row) for row in rows])
        title = f"Latent size: mlp and conv on {dataset}"
        drawn[workspace.draw(dataset, figures.save_curves, _panels(rows), title)] = title
        title = f"{dataset}: test images, and what latents of size 1 and 128 keep of them"
        examples = _reconstruct(workspace, runs)
        drawn[workspace.draw(f"{dataset}-images", figures.save_image_rows, examples, title)] = title
        verdicts += judge(dataset, rows)
    return Page(verdicts, tables, drawn)


def choose_sizes(workspace: Workspace, family: str) -> tuple[int, ...]:
    """Return the sizes in which a family is trained; of `conv` the largest with a GPU alone."""
    sizes = _QUICK_SIZES if workspace.quick else SIZES
    largest = SIZES[-1] if family == "mlp" or workspace.has_gpu else _LARGEST_CONV
    return tuple(size for size in sizes if size <= largest)


def _train(workspace: Workspace, dataset: str, family: str, size: int) -> RunFolder:
    argument, epochs = FAMILIES[family]
    recipe = recipe_for(family, dataset, **{argument: size, "epochs": epochs})
    return workspace.train(f"latent_size-{dataset}-{family}-{size}", recipe)


def _measure(workspace: Workspace, run: RunFolder) -> tuple[float, ...]:
    """Return latent values, parameters, training and test error, and seconds an epoch."""
    model = workspace.load_model(run)
    training, test = workspace.measure_mse(run, "train"), run.metrics["test"]["mse"]
    seconds = run.metrics["training"]["seconds_per_epoch"]
    return math.prod(model.latent_shape), model.parameter_count, training, test, seconds


def _format(row: Row) -> Row:
    *sizes, training, test, seconds = row
    return (*sizes, f"{training:.5f}", f"{test:.5f}", f"{seconds:.1f}")


def _panels(rows: Sequence[Row]) -> list[figures.Panel]:
    losses, times = {}, {}
    for number, family in enumerate(FAMILIES):
        _, size, _, _, training, test, seconds = zip(
            *(row for row in rows if row[0] == family), strict=True
        )
        losses[f"{family}, training"] = (size, training, f"C{number}o--")
        losses[f"{family}, test"] = (size, test, f"C{number}o-")
        times[family] = (size, seconds, f"C{number}o-")
    large = {label: _from(_LARGE, *curve) for label, curve in losses.items()}
    xlabel, ylabel = "latent_dim (mlp), filters (conv)", "mean squared error"
    return [
        figures.Panel(losses, xlabel, ylabel, "All sizes", xscale="log"),
        figures.Panel(large, xlabel, ylabel, f"From {_LARGE}", xscale="log", yscale="log"),
        figures.Panel(times, xlabel, "seconds an epoch", "Time", xscale="log", yscale="log"),
    ]


def _from(
    least: int, x: Sequence[int], y: Sequence[float], style: str
) -> tuple[Sequence[int], Sequence[float], str]:
    first = sum(value < least for value in x)
    return x[first:], y[first:], style


def _reconstruct(
    workspace: Workspace, runs: dict[tuple[str, int], RunFolder]
) -> dict[str, np.ndarray]:
    shown = workspace.load_images(next(iter(runs.values())), "test").images[:_SHOWN]
    rows = {"original": to_unit_range(shown)}
    for family in FAMILIES:
        for size in _SHOWN_SIZES:
            model = workspace.load_model(runs[family, size])
            rows[f"{family}, {size}"] = model.predict_on_batch(rows["original"])
    return rows


def judge(dataset: str, rows: Sequence[Row]) -> list[Verdict]:
    """Say how error and time change with the size.

    Args:
        dataset: str. Its name.
        rows: Of both families in some sizes; in the order of the table's columns.
    """
    verdicts = []
    for family, (grows, least, most) in TIMES.items():
        curve = {row[1]: (row[-2], row[-1]) for row in rows if row[0] == family}
        smallest, largest = min(curve), max(curve)
        best = min(curve, key=lambda size: curve[size][0])
        power = _growth(curve)
        verdicts += [
            Verdict(
                f"On {dataset} the error of `{family}` falls up to the largest size",
                best == largest,
                (
                    Evidence(f"test MSE at size {smallest}", curve[smallest][0], style=".4f"),
                    Evidence("the lowest", curve[best][0], style=".5f"),
                    Evidence("its size", best),
                    Evidence("the largest", largest),
                ),
            ),
            Verdict(
                f"On {dataset} the time of an epoch of `{family}` {grows}",
                least < power < most,
                (Evidence(f"power of the size, from {_LARGE} on", power, style=".2f"),),
            ),
        ]
    return verdicts


def _growth(curve: dict[int, tuple[float, float]]) -> float:
    """Return the exponent of the power law that fits the time of the large sizes."""
    sizes = [size for size in curve if size >= _LARGE]
    times = [max(curve[size][1], 0.01) for size in sizes]
    return float(np.polyfit(np.log(sizes), np.log(times), 1)[0])
