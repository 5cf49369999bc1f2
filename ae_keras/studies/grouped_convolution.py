"""What groups save and cost: `vae_v1` and `vae_v2`, each with and without them, on CIFAR-10.

The report proposed groups that grow as the resolution falls, so that late layers have far fewer
parameters than dense ones. It did not train the same models without groups. Here all four train
for four epochs in the same way. FLOPs are two for each multiplication of a convolution, forward,
for one image; the time of a training step, at batch size 128, is the median of rounds in which the
four take turns. Rates are those of 2,000 test images in mosaics of 20x20, from a step that is
coarse to one that is fine, and at the default step.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras

from ae_keras import figures
from ae_keras.codec.loading import load_codec
from ae_keras.evaluation.rate_distortion import compare, make_mosaics, measure_codec
from ae_keras.layers import GroupedConv2D, GroupedConv2DTranspose
from ae_keras.registry import recipe_for
from ae_keras.runs.folder import RunFolder
from ae_keras.studies.page import Evidence, Page, Table, Verdict, judge_cases
from ae_keras.studies.workspace import Workspace

TITLE = "Grouped convolutions"
EPOCHS = 4
MODELS = ("vae_v1", "vae_v2")
QUALITIES = (30, 40, 50, 60, 70)
_IMAGES = 2000

# The values of a line of the table.
Row = tuple[Any, ...]
# Of a model and the layout of its files, the points of `rate_distortion`.
Curves = dict[tuple[str, str], Sequence[dict[str, Any]]]


def run(workspace: Workspace) -> Page:
    """Train each model with and without groups, and compare cost and quality."""
    runs = {}
    names = workspace.choose(MODELS, 2)
    for name in names:
        for grouped in (True, False):
            label = name if grouped else dense_name(name)
            recipe = recipe_for(name, "cifar10", epochs=EPOCHS, grouped=grouped)
            kind = "grouped" if grouped else "dense"
            runs[label] = workspace.train(f"grouped_convolution-{name}-{kind}", recipe)
    steps = workspace.time_steps(runs)
    points = {label: _measure_codec(workspace, label, run) for label, run in runs.items()}
    rows = [
        (label, *_measure(workspace, run), steps[label], *points[label][0])
        for label, run in runs.items()
    ]
    header = ("model", "parameters", "MFLOPs", "test PSNR [dB]", "KL [nats]", "step [ms]")
    table = Table((*header, "bpp, default step", "PSNR there [dB]"), [_format(row) for row in rows])
    curves: Curves = {(label, "mosaic"): curve for label, (_, curve) in points.items()}
    title = f"With and without groups, after {EPOCHS} epochs on CIFAR-10"
    figure = workspace.draw("rate_distortion", figures.save_rate_distortion, curves, title)
    verdicts = [verdict for name in names for verdict in judge(rows, curves, name)]
    return Page(verdicts, {"grouped_convolution": table}, {figure: title})


def dense_name(name: str) -> str:
    """Return what a model without groups is called here."""
    return f"{name}, no groups"


def _measure(workspace: Workspace, run: RunFolder) -> tuple[float, ...]:
    """Return parameters, millions of FLOPs, PSNR and KL."""
    test = run.metrics["test"]
    flops = count_flops(workspace.load_model(run)) / 1e6
    return run.metrics["training"]["parameters"], flops, test["psnr"], test["kl"]


def _measure_codec(
    workspace: Workspace, label: str, run: RunFolder
) -> tuple[tuple[Any, Any], list[dict[str, Any]]]:
    """Return rate and PSNR at the default step, and the points of the curve."""
    images = workspace.load_images(run, "test").images[:_IMAGES]
    codec, mosaics = load_codec(run.path).with_overlap(0), make_mosaics(images)
    default = measure_codec(codec, mosaics, images)
    curve: list[dict[str, Any]] = [
        {"codec": label, "layout": "mosaic", "quality": quality}
        | measure_codec(codec.with_quality(quality), mosaics, images)
        for quality in workspace.choose(QUALITIES, 2)
    ]
    return (default["bpp"], default["psnr"]), curve


def count_flops(model: keras.Model) -> int:
    """Return the floating-point operations of the convolutions of a model, for one image."""
    total = 0
    for part in (model.encoder, model.decoder):
        for layer in part.layers:
            if isinstance(layer, GroupedConv2D | GroupedConv2DTranspose):
                # A transposed convolution multiplies each input pixel with the whole kernel.
                is_transposed = isinstance(layer, GroupedConv2DTranspose)
                shape = (layer.input if is_transposed else layer.output).shape
                total += 2 * math.prod(shape[1:3]) * math.prod(layer.kernel.shape)
    return total


def _format(row: Row) -> Row:
    styles = ("d", ".2f", ".2f", ".0f", ".1f", ".2f", ".2f")
    return (row[0], *(format(value, style) for value, style in zip(row[1:], styles, strict=True)))


def judge(rows: Sequence[Row], curves: Curves, name: str) -> list[Verdict]:
    """Say what groups save of one model, and what they cost.

    Args:
        rows: In the order of the table's columns; of the model, and of it without groups.
        curves: Rates and PSNR of both.
        name: str. The model.
    """
    dense = dense_name(name)
    here, there = (next(row for row in rows if row[0] == key) for key in (name, dense))
    parameters, flops, _, _, step = (
        more / less for less, more in zip(here[1:6], there[1:6], strict=True)
    )
    rate = compare([*curves[name, "mosaic"], *curves[dense, "mosaic"]])[dense, "mosaic"]
    found = Evidence("BD-rate with them", "cannot be compared")
    if rate is not None:
        found = Evidence("BD-rate with them", rate, "%", "+.0f")
    return [
        Verdict(
            f"Groups save parameters, operations and time in `{name}`",
            judge_cases([parameters > 1, flops > 1, step > 1]),
            (
                Evidence("parameters without them", parameters, "times as many", ".1f"),
                Evidence("FLOPs", flops, "times as many", ".1f"),
                Evidence("time of a training step", step, "times as long", ".1f"),
            ),
        ),
        Verdict(
            f"What they cost in `{name}`",
            None,
            (
                Evidence(
                    "PSNR gained without them, before quantization",
                    there[3] - here[3],
                    "dB",
                    "+.2f",
                ),
                found,
            ),
        ),
    ]
