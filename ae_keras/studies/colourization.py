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
from ae_keras.data.images import Images
from ae_keras.metrics import colour as colour_metrics
from ae_keras.models.image_model import ImageModel
from ae_keras.recipe import Recipe
from ae_keras.registry import recipe_for
from ae_keras.runs.pictures import reconstruct
from ae_keras.studies.page import Evidence, Page, Table, Verdict
from ae_keras.studies.workspace import Workspace
from ae_keras.system.colour import lab_to_rgb, rgb_to_lab
from ae_keras.system.pixels import to_unit_range

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
    validation = workspace.load_images(runs["regression"], "validation").pick(_CHOOSING_IMAGES)
    sweep = _sweep(models["classification"], validation, recipe)
    vivid = _colourfulness(to_unit_range(validation.images))
    temperature = min(TEMPERATURES, key=lambda value: abs(sweep[value][1] - vivid))
    _set_temperature(models["classification"], temperature)

    test = workspace.load_images(runs["regression"], "test")
    training = workspace.load_images(runs["regression"], "train").pick(_COUNTED_IMAGES)
    originals = to_unit_range(test.images)
    answers = _trivial_answers(originals, to_unit_range(training.images))
    for name, model in models.items():
        grey, answers[name] = reconstruct(model, test, recipe)
    scores = {name: _score(originals, images) for name, images in answers.items()}
    scores["originals"] = _score(originals, originals)
    drawn = _draw(workspace, originals, grey, answers, sweep, vivid)
    return Page(judge(scores, temperature), _tables(scores, sweep), drawn)


def _set_temperature(model: ImageModel, temperature: float) -> None:
    model.head.temperature = temperature
    model.make_predict_function(force=True)


def _sweep(model: ImageModel, data: Images, recipe: Recipe) -> dict[float, tuple[float, float]]:
    """Return ab-RMSE and colourfulness for each temperature."""
    originals, result = to_unit_range(data.images), {}
    for temperature in TEMPERATURES:
        _set_temperature(model, temperature)
        _, images = reconstruct(model, data, recipe)
        result[temperature] = _ab_rmse(originals, images), _colourfulness(images)
    return result


def _trivial_answers(originals: np.ndarray, training: np.ndarray) -> dict[str, np.ndarray]:
    """Return the images without chroma, and with the mean chroma of training images."""
    mean = ops.convert_to_numpy(rgb_to_lab(training))[..., 1:].mean(axis=(0, 1, 2))
    lab = ops.convert_to_numpy(rgb_to_lab(originals))
    answers = {}
    for name, chroma in (("a = b = 0", 0), ("mean chroma", mean)):
        lab[..., 1:] = chroma
        answers[name] = ops.convert_to_numpy(lab_to_rgb(lab))
    return answers


def _ab_rmse(originals: np.ndarray, images: np.ndarray) -> float:
    return float(np.sqrt(colour_metrics.chroma_mse(originals, images).mean()))


def _colourfulness(images: np.ndarray) -> float:
    return float(colour_metrics.colourfulness(images).mean())


def _score(originals: np.ndarray, images: np.ndarray) -> tuple[float, ...]:
    """Return ab-RMSE, PSNR of the mean MSE, Delta E 2000, SSIM and colourfulness."""
    return (
        _ab_rmse(originals, images),
        float(metrics.psnr(metrics.mse(originals, images).mean())),
        float(colour_metrics.delta_e(originals, images).mean()),
        float(metrics.ssim(originals, images).mean()),
        _colourfulness(images),
    )


def _tables(
    scores: dict[str, tuple[float, ...]], sweep: dict[float, tuple[float, float]]
) -> dict[str, Table]:
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
    workspace: Workspace,
    originals: np.ndarray,
    grey: np.ndarray,
    answers: dict[str, np.ndarray],
    sweep: dict[float, tuple[float, float]],
    vivid: float,
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


def judge(scores: dict[str, tuple[float, ...]], temperature: float) -> list[Verdict]:
    """Say how much better than nothing the answers are, and how colourful.

    Args:
        scores: For each answer ab-RMSE, PSNR, Delta E 2000, SSIM and colourfulness.
        temperature: float. Of the classification.
    """
    answer, nothing = scores["regression"], scores["a = b = 0"]
    vivid = scores["originals"][-1]
    share, change = (100 * scores[name][-1] / vivid for name in ("regression", "classification"))

    def beside(name: str, column: int, unit: str = "") -> Evidence:
        return Evidence(name, (answer[column], nothing[column]), unit, ".2f")

    return [
        Verdict(
            "Grey images can be given colours, in which the report did not succeed",
            answer[0] < nothing[0] and answer[2] < nothing[2],
            (
                beside("ab-RMSE of regression and of no colour", 0),
                beside("PSNR", 1, "dB"),
                beside("Delta E 2000", 2),
            ),
        ),
        Verdict(
            "How colourful the answers are",
            None,
            (
                Evidence("colourfulness of regression, of the originals'", share, "%", ".0f"),
                Evidence("difference of classification to theirs", change - 100, "%", "+.0f"),
                Evidence("its temperature", temperature),
                Evidence("its ab-RMSE", scores["classification"][0], style=".2f"),
            ),
        ),
    ]
