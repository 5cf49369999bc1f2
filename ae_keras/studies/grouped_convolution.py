"""What groups save and cost: `vae_v1` and `vae_v2`, each with and without them, on CIFAR-10.

The report proposed groups that grow as the resolution falls, so that late layers have far fewer
parameters than dense ones. It did not train the same models without groups. Here all four train
for four epochs in the same way. FLOPs are two for each multiplication of a convolution, forward,
for one image; the time of a training step, at batch size 128, is the median of rounds in which the
four take turns. Rates are those of 2,000 test images in mosaics of 20x20, from a step that is
coarse to one that is fine, and at the default step.
"""

import math

from ae_keras import figures
from ae_keras.codec.loading import load_codec
from ae_keras.evaluation.rate_distortion import compare, make_mosaics, measure_codec
from ae_keras.layers import GroupedConv2D, GroupedConv2DTranspose
from ae_keras.registry import recipe_for
from ae_keras.studies.page import Page, Table
from ae_keras.studies.workspace import Workspace

TITLE = "Grouped convolutions"
EPOCHS = 4
MODELS = ("vae_v1", "vae_v2")
QUALITIES = (30, 40, 50, 60, 70)
_IMAGES = 2000


def run(workspace: Workspace) -> Page:
    """Train each model with and without groups, and compare cost and quality."""
    runs = {}
    names = workspace.choose(MODELS, 2)
    for name in names:
        for grouped in (True, False):
            label = name if grouped else _dense(name)
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
    curves = {(label, "mosaic"): curve for label, (_, curve) in points.items()}
    title = f"With and without groups, after {EPOCHS} epochs on CIFAR-10"
    figure = workspace.draw("rate_distortion", figures.save_rate_distortion, curves, title)
    finding = " ".join(_judge(rows, curves, name) for name in names)
    return Page(finding, {"grouped_convolution": table}, {figure: title})


def _dense(name: str) -> str:
    return f"{name}, no groups"


def _measure(workspace: Workspace, run) -> tuple:
    """Return parameters, millions of FLOPs, PSNR and KL."""
    test = run.metrics["test"]
    flops = count_flops(workspace.load_model(run)) / 1e6
    return run.metrics["training"]["parameters"], flops, test["psnr"], test["kl"]


def _measure_codec(workspace: Workspace, label: str, run) -> tuple[tuple[float, float], list[dict]]:
    """Return rate and PSNR at the default step, and the points of the curve."""
    images = workspace.load_images(run, "test").images[:_IMAGES]
    codec, mosaics = load_codec(run.path).with_overlap(0), make_mosaics(images)
    default = measure_codec(codec, mosaics, images)
    curve = [
        {"codec": label, "layout": "mosaic", "quality": quality}
        | measure_codec(codec.with_quality(quality), mosaics, images)
        for quality in workspace.choose(QUALITIES, 2)
    ]
    return (default["bpp"], default["psnr"]), curve


def count_flops(model) -> int:
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


def _format(row) -> tuple:
    styles = ("d", ".2f", ".2f", ".0f", ".1f", ".2f", ".2f")
    return (row[0], *(format(value, style) for value, style in zip(row[1:], styles, strict=True)))


def _judge(rows, curves: dict, name: str) -> str:
    """Say what groups save of one model, and what they cost."""
    grouped, dense = (next(row for row in rows if row[0] == key) for key in (name, _dense(name)))
    parameters, flops, _, _, step = (
        there / here for here, there in zip(grouped[1:6], dense[1:6], strict=True)
    )
    points = [*curves[name, "mosaic"], *curves[_dense(name), "mosaic"]]
    rate = compare(points)[_dense(name), "mosaic"]
    more = "cannot be compared" if rate is None else f"is {rate:+.0f} %"
    gain = dense[3] - grouped[3]
    holds = "holds" if min(parameters, flops, step) > 1 else "holds in part"
    return (
        f"Without groups `{name}` has {parameters:.1f} times the parameters and {flops:.1f} times "
        f"the FLOPs, and a training step takes {step:.1f} times as long: that groups save {holds}. "
        f"Without them its PSNR before quantization is {abs(gain):.2f} dB "
        f"{'higher' if gain > 0 else 'lower'}, and with them the rate for the same PSNR {more} "
        "(BD-rate)."
    )
