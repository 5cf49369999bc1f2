"""A model of digits that is shown something else: `mlp` with a latent of 512, trained on MNIST.

The report gave photographs to an MLP trained on MNIST, and found that what comes out looks more
like strokes than like the photograph. That suggests to tell digits from other images by the error
of their reconstruction. How well that does is the area under the ROC curve: the probability that
another image has a larger error than a digit; 0.5 is guessing. Beside the error stands a rule that
needs no model, the mean brightness of an image.

The other images are patches of photographs and CIFAR-10's images, in grey, and digits turned by a
quarter, turned over, and inverted.
"""

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve

from ae_keras import figures, metrics
from ae_keras.data.images import load_images
from ae_keras.recipe import Recipe
from ae_keras.registry import change_recipe, recipe_for
from ae_keras.studies.page import Evidence, Page, Table, Verdict
from ae_keras.studies.workspace import Workspace
from ae_keras.system.pixels import to_unit_range

TITLE = "Images from outside the domain"
_IMAGES = 2000
_SHOWN = 10
# Area under the ROC curve above which images are told apart.
_FOUND = 0.9


def run(workspace: Workspace) -> Page:
    """Compare the errors of digits with those of other images."""
    run = workspace.train("out_of_domain-mlp", recipe_for("mlp", "mnist", latent_dim=512, epochs=5))
    model = workspace.load_model(run)
    digits = workspace.load_images(run, "test").pick(_IMAGES).images
    groups = {"digits": digits} | _others(workspace, run.recipe, digits)
    images = {name: to_unit_range(group) for name, group in groups.items()}
    outputs = {name: model.predict(group, verbose=0) for name, group in images.items()}
    errors = {name: metrics.mse(images[name], outputs[name]) for name in images}
    brightness = {name: group.mean(axis=(1, 2, 3)) for name, group in images.items()}
    areas = {
        name: (roc_area(errors, name), roc_area(brightness, name))
        for name in images
        if name != "digits"
    }
    rows = [
        (name, len(errors[name]), f"{errors[name].mean():.5f}", *map(_show, areas.get(name, ())))
        for name in images
    ]
    rows[0] += ("-", "-")
    header = ("images", "count", "mean MSE", "AUC of the error", "AUC of the brightness")
    drawn = _draw(workspace, images, outputs, errors)
    return Page(judge(errors, areas), {"out_of_domain": Table(header, rows)}, drawn)


def _others(workspace: Workspace, recipe: Recipe, digits: np.ndarray) -> dict[str, np.ndarray]:
    """Return groups of uint8 images of the digits' shape."""
    groups = {}
    for name, dataset in (("photographs", "skimage"), ("CIFAR-10", "cifar10")):
        if not (workspace.quick and dataset != "skimage"):
            other = change_recipe(recipe, dataset, image_shape=recipe.image_shape)
            groups[name] = load_images(other.data_spec, ["test"])["test"].pick(_IMAGES).images
    groups["digits, a quarter turned"] = np.rot90(digits, axes=(1, 2))
    groups["digits, turned over"] = digits[:, ::-1, ::-1]
    groups["digits, inverted"] = 255 - digits
    return groups


def roc_area(scores: dict[str, np.ndarray], name: str) -> float:
    """Return the area under the ROC curve of one group against the digits.

    Args:
        scores: Of the images of each group.
        name: str. Of the group.
    """
    return roc_auc_score(*_labelled(scores, name))


def _labelled(scores: dict[str, np.ndarray], name: str) -> tuple[np.ndarray, np.ndarray]:
    labels = np.repeat([0, 1], [len(scores["digits"]), len(scores[name])])
    return labels, np.concatenate([scores["digits"], scores[name]])


def _show(value: float) -> str:
    return f"{value:.4f}"


def _draw(
    workspace: Workspace,
    images: dict[str, np.ndarray],
    outputs: dict[str, np.ndarray],
    errors: dict[str, np.ndarray],
) -> dict[str, str]:
    rows = {}
    for name in images:
        shown = np.linspace(0, len(images[name]) - 1, _SHOWN).astype(int)
        rows[name.replace(", ", ",\n")] = images[name][shown]
        rows[name.replace(", ", ",\n") + "\n(out)"] = outputs[name][shown]
    title = "What a model of digits makes of other images"
    drawn = {workspace.draw("images", figures.save_image_rows, rows, title): title}
    curves = {
        name: (*roc_curve(*_labelled(errors, name))[:2], "-") for name in errors if name != "digits"
    }
    curves["guessing"] = ((0, 1), (0, 1), "k:")
    panel = figures.Panel(curves, "digits taken for others", "others found")
    title = "Telling other images from digits by the error of their reconstruction"
    drawn[workspace.draw("roc", figures.save_curves, [panel], title)] = title
    return drawn


def judge(errors: dict[str, np.ndarray], areas: dict[str, tuple[float, float]]) -> list[Verdict]:
    """Say how much larger the errors of photographs are, and what the error is worth.

    Args:
        errors: Of the images of each group.
        areas: Under the ROC curves of the error and of the brightness, for each group but digits.
    """
    ratio = errors["photographs"].mean() / errors["digits"].mean()
    hardest = min(areas, key=lambda name: areas[name][0])
    better = [name for name, (error, brightness) in areas.items() if error > brightness]
    area = areas["photographs"][0]
    return [
        Verdict(
            "Photographs do not pass through a model of digits",
            area > _FOUND,
            (
                Evidence("their error beside that of digits", ratio, "times", ".1f"),
                Evidence("area under the ROC curve", area, style=".4f"),
            ),
        ),
        Verdict(
            "The hardest images to tell from digits",
            None,
            (
                Evidence("kind", f"'{hardest}'"),
                Evidence("area", areas[hardest][0], style=".4f"),
            ),
        ),
        Verdict(
            "Kinds of images for which the error is a better sign than the mere brightness",
            None,
            (
                Evidence("these", tuple(f"'{name}'" for name in better)),
                Evidence("number", len(better)),
                Evidence("of all", len(areas)),
            ),
        ),
    ]
