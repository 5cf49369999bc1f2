"""Colours for grey images of CIFAR-10: a regression and a classification of chroma.

The report on the convolutional autoencoder tried to give colours to grey images in CIE LAB, and did
not succeed. Here `colourizer` sees the lightness L of all 10,000 test images, and predicts a and b:
by regression, which minimizes their squared error, and by classification into bins of chroma, whose
rare colours count more (Zhang, Isola and Efros, 2016). A temperature says how vivid the second one
is; it is chosen on 1,000 validation images, so that these are as colourful as the originals. Beside
them stand two trivial answers: no colour at all, and the mean chroma of the training images for
every pixel.

ab-RMSE is over all pixels, a and b together; PSNR that of the mean MSE; Delta E 2000, SSIM and
colourfulness (Hasler and Suesstrunk, 2003) are means over images.
"""

import numpy as np
from keras import ops

from ae_keras import figures, metrics
from ae_keras.layers.colour import lab_to_rgb, rgb_to_lab
from ae_keras.metrics import colour as colour_metrics
from ae_keras.registry import recipe_for
from ae_keras.runs.pictures import pick_examples, reconstruct
from ae_keras.studies.page import Page, Table
from ae_keras.studies.workspace import Workspace

TITLE = "Colourization"
TEMPERATURES = (0.1, 0.2, 0.3, 0.38, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
# Bins cost more to train, and need fewer epochs.
CLASSIFICATION_EPOCHS = 15
_CHOOSING_IMAGES = 1000
# Training images, for their mean chroma.
_COUNTED_IMAGES = 5000
_SHOWN = 10


def run(workspace: Workspace) -> Page:
    """Train both heads, and compare them with the trivial answers."""
    regression = recipe_for("colourizer")
    binned = recipe_for("colourizer", head="classification", epochs=CLASSIFICATION_EPOCHS)
    runs = {
        "regression": workspace.find(regression)
        or workspace.train("colourizer-regression", regression),
        "classification": workspace.train("colourizer-classification", binned),
    }
    models = {name: workspace.load_model(run) for name, run in runs.items()}
    recipe = runs["regression"].recipe
    validation = pick_examples(
        workspace.load_images(runs["regression"], "validation"), _CHOOSING_IMAGES
    )
    sweep = _sweep(models["classification"], validation, recipe)
    vivid = _colourfulness(validation.images / np.float32(255))
    temperature = min(TEMPERATURES, key=lambda value: abs(sweep[value][1] - vivid))
    _set_temperature(models["classification"], temperature)

    test = workspace.load_images(runs["regression"], "test")
    training = pick_examples(workspace.load_images(runs["regression"], "train"), _COUNTED_IMAGES)
    originals = test.images / np.float32(255)
    answers = _trivial_answers(originals, training.images / np.float32(255))
    for name, model in models.items():
        grey, answers[name] = reconstruct(model, test, recipe)
    scores = {name: _score(originals, images) for name, images in answers.items()}
    scores["originals"] = _score(originals, originals)
    drawn = _draw(workspace, originals, grey, answers, sweep, vivid)
    return Page(_judge(scores, temperature), _tables(scores, sweep), drawn)


def _set_temperature(model, temperature: float) -> None:
    model.head.temperature = temperature
    model.make_predict_function(force=True)


def _sweep(model, data, recipe) -> dict[float, tuple[float, float]]:
    """Return ab-RMSE and colourfulness for each temperature."""
    originals, result = data.images / np.float32(255), {}
    for temperature in TEMPERATURES:
        _set_temperature(model, temperature)
        _, images = reconstruct(model, data, recipe)
        result[temperature] = _ab_rmse(originals, images), _colourfulness(images)
    return result


def _trivial_answers(originals, training) -> dict[str, np.ndarray]:
    """Return the images without chroma, and with the mean chroma of training images."""
    mean = ops.convert_to_numpy(rgb_to_lab(training))[..., 1:].mean(axis=(0, 1, 2))
    lab = ops.convert_to_numpy(rgb_to_lab(originals))
    answers = {}
    for name, chroma in (("a = b = 0", 0), ("mean chroma", mean)):
        lab[..., 1:] = chroma
        answers[name] = ops.convert_to_numpy(lab_to_rgb(lab))
    return answers


def _ab_rmse(originals, images) -> float:
    return float(np.sqrt(colour_metrics.chroma_mse(originals, images).mean()))


def _colourfulness(images) -> float:
    return float(colour_metrics.colourfulness(images).mean())


def _score(originals, images) -> tuple[float, ...]:
    """Return ab-RMSE, PSNR of the mean MSE, Delta E 2000, SSIM and colourfulness."""
    return (
        _ab_rmse(originals, images),
        float(metrics.psnr(metrics.mse(originals, images).mean())),
        float(colour_metrics.delta_e(originals, images).mean()),
        float(metrics.ssim(originals, images).mean()),
        _colourfulness(images),
    )


def _tables(scores: dict, sweep: dict) -> dict[str, Table]:
    header = ("answer", "ab-RMSE", "PSNR [dB]", "Delta E 2000", "SSIM", "colourfulness")
    formats = (".2f", ".2f", ".2f", ".4f", ".1f")
    rows = [
        (name, *(format(value, form) for value, form in zip(values, formats, strict=True)))
        for name, values in scores.items()
    ]
    temperatures = [
        (value, f"{error:.2f}", f"{vivid:.1f}") for value, (error, vivid) in sweep.items()
    ]
    names = ("temperature", "ab-RMSE, validation", "colourfulness, validation")
    return {"answers": Table(header, rows), "temperatures": Table(names, temperatures)}


def _draw(
    workspace: Workspace, originals, grey, answers: dict, sweep: dict, vivid: float
) -> dict[str, str]:
    drawn = {}
    errors = np.sqrt(colour_metrics.chroma_mse(originals, answers["regression"]))
    order = np.argsort(errors)
    middle = len(order) // 2
    picks = {
        "best": ("with the lowest", order[:_SHOWN]),
        "median": ("around the median", order[middle - _SHOWN // 2 : middle + _SHOWN // 2]),
        "worst": ("with the highest", order[: -_SHOWN - 1 : -1]),
    }
    for name, (which, picked) in picks.items():
        rows = {"grey": grey[picked]}
        rows |= {head: answers[head][picked] for head in ("regression", "classification")}
        rows["original"] = originals[picked]
        title = f"Test images {which} ab-RMSE of regression (over each column)"
        captions = [f"{error:.1f}" for error in errors[picked]]
        file = workspace.draw(name, figures.save_image_rows, rows, title, captions)
        drawn[file] = title
    error, colour = zip(*sweep.values(), strict=True)
    curves = {
        "classification": (colour, error, "C0o-"),
        "as colourful as the originals": ((vivid, vivid), (min(error), max(error)), "k:"),
    }
    ends = TEMPERATURES[0], TEMPERATURES[-1]
    title = "Validation images at temperatures from {} (vivid) to {} (pale)".format(*ends)
    panel = figures.Panel(curves, "colourfulness", "ab-RMSE")
    drawn[workspace.draw("temperatures", figures.save_curves, [panel], title)] = title
    return drawn


def _judge(scores: dict, temperature: float) -> str:
    """Say how much better than nothing the answers are, and how colourful."""
    error, psnr, delta, *_ = scores["regression"]
    nothing, vivid = scores["a = b = 0"], scores["originals"][-1]
    works = "can be done" if error < nothing[0] and delta < nothing[2] else "is not done"
    pale = 100 * scores["regression"][-1] / vivid
    change = 100 * (scores["classification"][-1] / vivid - 1)
    return (
        f"What the report could not do {works}: regression has an ab-RMSE of {error:.2f}, where "
        f"no colour has {nothing[0]:.2f}, a PSNR of {psnr:.2f} dB ({nothing[1]:.2f}) and a Delta E "
        f"2000 of {delta:.2f} ({nothing[2]:.2f}). Its colourfulness is {pale:.0f} % of the "
        f"originals'. That of classification, at a temperature of {temperature}, differs from "
        f"theirs by {change:+.0f} %, for an ab-RMSE of {scores['classification'][0]:.2f}."
    )
