"""Latents of 1 to 1024 values or feature maps: `mlp` and `conv`, on MNIST and CIFAR-10.

The report swept the latent of an MLP and of a convolutional autoencoder on MNIST. Its losses fall
up to the largest sizes, slowly in the end; the time of an epoch is flat for the MLP and grows
almost linearly for the convolutions. It did not come to CIFAR-10.

The size is `latent_dim` of `mlp`, and `filters` of `conv`, whose latent has 49 (MNIST) or 64
(CIFAR-10) values for each. `mlp` trains for five epochs, `conv` for two; without a GPU `conv` stops
at 128, because its time grows with the square of the size. Times are those of single runs. A latent
of one feature map can be zero for all images, behind its ReLU; such a model learns nothing.
"""

import math

import numpy as np

from ae_keras import figures
from ae_keras.registry import recipe_for
from ae_keras.studies.page import Page, Table
from ae_keras.studies.workspace import Workspace

TITLE = "The size of the latent"
DATASETS = ("mnist", "cifar10")
SIZES = tuple(2**power for power in range(11))
# The argument of each family that is the size, and the epochs.
FAMILIES = {"mlp": ("latent_dim", 5), "conv": ("filters", 2)}
_LARGEST_CONV = 128
_QUICK_SIZES = (1, 64, 128)
# What is shown of the reconstructions, and from where on the losses are shown enlarged.
_SHOWN_SIZES = (1, 128)
_LARGE = 32
_SHOWN = 10


def run(workspace: Workspace) -> Page:
    """Train both families in all sizes on both data sets."""
    tables, drawn, findings = {}, {}, []
    for dataset in workspace.choose(DATASETS, 2):
        runs = {
            (family, size): _train(workspace, dataset, family, size)
            for family in FAMILIES
            for size in _sizes(workspace, family)
        }
        rows = [(*key, *_measure(workspace, run)) for key, run in runs.items()]
        header = ("model", "size", "latent values", "parameters", "training MSE", "test MSE")
        tables[dataset] = Table((*header, "seconds an epoch"), [_format(row) for row in rows])
        title = f"Latent size: mlp and conv on {dataset}"
        drawn[workspace.draw(dataset, figures.save_curves, _panels(rows), title)] = title
        title = f"{dataset}: test images, and what latents of size 1 and 128 keep of them"
        examples = _reconstruct(workspace, runs)
        drawn[workspace.draw(f"{dataset}-images", figures.save_image_rows, examples, title)] = title
        findings.append(_judge(dataset, rows))
    return Page(" ".join(findings), tables, drawn)


def _sizes(workspace: Workspace, family: str) -> tuple[int, ...]:
    sizes = _QUICK_SIZES if workspace.quick else SIZES
    largest = SIZES[-1] if family == "mlp" or workspace.has_gpu else _LARGEST_CONV
    return tuple(size for size in sizes if size <= largest)


def _train(workspace: Workspace, dataset: str, family: str, size: int):
    argument, epochs = FAMILIES[family]
    recipe = recipe_for(family, dataset, **{argument: size}, epochs=epochs)
    return workspace.train(f"latent_size-{dataset}-{family}-{size}", recipe)


def _measure(workspace: Workspace, run) -> tuple:
    """Return latent values, parameters, training and test error, and seconds an epoch."""
    model = workspace.load_model(run)
    training, test = workspace.measure_mse(run, "train"), run.metrics["test"]["mse"]
    seconds = run.metrics["training"]["seconds_per_epoch"]
    return math.prod(model.latent_shape), model.parameter_count, training, test, seconds


def _format(row) -> tuple:
    *sizes, training, test, seconds = row
    return (*sizes, f"{training:.5f}", f"{test:.5f}", f"{seconds:.1f}")


def _panels(rows) -> list[figures.Panel]:
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


def _from(least: int, x, y, style) -> tuple:
    first = sum(value < least for value in x)
    return x[first:], y[first:], style


def _reconstruct(workspace: Workspace, runs: dict) -> dict[str, np.ndarray]:
    shown = workspace.load_images(next(iter(runs.values())), "test").images[:_SHOWN]
    rows = {"original": shown / np.float32(255)}
    for family in FAMILIES:
        for size in _SHOWN_SIZES:
            model = workspace.load_model(runs[family, size])
            rows[f"{family}, {size}"] = model.predict_on_batch(rows["original"])
    return rows


def _judge(dataset: str, rows) -> str:
    """Say how error and time change with the size."""
    said = []
    for family in FAMILIES:
        curve = {row[1]: (row[-2], row[-1]) for row in rows if row[0] == family}
        least, largest = min(curve), max(curve)
        best = min(curve, key=lambda size: curve[size][0])
        growth = _growth(curve)
        linear = "almost linear" if 0.75 < growth < 1.25 else "neither flat nor linear"
        said.append(
            f"{family}'s test error is {curve[least][0]:.4f} at size {least} and the lowest, "
            f"{curve[best][0]:.5f}, at {best} (of up to {largest}); from {_LARGE} on the time of "
            f"an epoch grows with the power {growth:.2f} of the size: "
            f"{'flat' if growth < 0.25 else linear}"
        )
    return f"On {dataset}, {'. '.join(said)}."


def _growth(curve: dict) -> float:
    """Return the exponent of the power law that fits the time of the large sizes."""
    sizes = [size for size in curve if size >= _LARGE]
    times = [max(curve[size][1], 0.01) for size in sizes]
    return float(np.polyfit(np.log(sizes), np.log(times), 1)[0])
