"""Colours for grey photographs: a colourizer of small images, and one of photographs.

The report on the convolutional autoencoder did not succeed in giving colours to grey images; the
study `colourization` does so for small ones. Here whole photographs go through the two colourizers
that ship: `colourizer-cifar10`, and `colourizer-photographs`, which starts from its weights and is
trained on crops of photographs at several scales.

Each photograph is given in a small copy for the model to see. How large that copy is decides much:
in a small one the model sees what things are; in a larger one it sees their parts, and gives each
part a colour of its own, which shows as blotches. So the colours of three sizes are averaged: one,
two and four times that of the training images. Beside that stand those of single sizes.

Scores are means over photographs, of copies of at most 512 pixels: ab-RMSE over a and b of CIE LAB,
Delta E 2000, and colourfulness (Hasler and Suesstrunk, 2003).
"""

from collections.abc import Callable

import numpy as np
from PIL import Image

from ae_keras import figures
from ae_keras.data.images import load_images
from ae_keras.data.photographs import load_photographs
from ae_keras.metrics import colour as colour_metrics
from ae_keras.photographs.colourization import PhotoColourizer
from ae_keras.registry import recipe_for
from ae_keras.studies.page import Evidence, Page, Table, Verdict
from ae_keras.studies.workspace import Workspace
from ae_keras.system.colour import to_grey
from ae_keras.system.pixels import middle, to_uint8, to_unit_range

TITLE = "Colourization of photographs"
RUNS = ("colourizer-cifar10", "colourizer-photographs")
# Of the working size to the training images'; all together are the default.
_TIMES = (1, 2, 4)
_SCORED, _SHOWN, _SHOWN_SIDE = 512, 6, 256

# From a uint8 photograph to one in colour.
Method = Callable[[np.ndarray], np.ndarray]


def run(workspace: Workspace) -> Page:
    """Compare two colourizers, each with small, middle and large copies, and with all three."""
    originals = [_shrink(image) for image in _load_originals(workspace)]
    answers = {"no colour": [_grey(image) for image in originals]}
    for name, method in _make_methods(workspace).items():
        answers[name] = [method(image) for image in originals]
        print(f"{name} done", flush=True)
    answers["originals"] = originals
    scores = {name: _score(originals, images) for name, images in answers.items()}
    header = ("answer", "ab-RMSE", "Delta E 2000", "colourfulness")
    rows = [(name, *(f"{value:.2f}" for value in values)) for name, values in scores.items()]
    title = "Photographs without their colours, and with those of two models"
    drawn = {workspace.draw("photographs", figures.save_image_rows, _pick(answers), title): title}
    tables = {"photograph_colourization": Table(header, rows)}
    return Page(judge(scores, len(originals)), tables, drawn)


def _load_originals(workspace: Workspace) -> list[np.ndarray]:
    """Return the photographs that are judged, uint8."""
    spec = recipe_for("colourizer", workspace.photographs, image_shape=(64, 64, 3)).data_spec
    if workspace.photographs == "skimage":
        return list(load_images(spec, ["test"])["test"].images)
    return list(load_photographs(spec, ["all"])["all"].images)


def _make_methods(workspace: Workspace) -> dict[str, Method]:
    """Return each model with each working size, and with all of them."""
    methods: dict[str, Method] = {}
    for name in workspace.choose(RUNS, 2):
        whole = PhotoColourizer(name)
        longest = max(whole.recipe.image_shape[:2])
        for size in (times * longest for times in workspace.choose(_TIMES, 3)):
            methods[f"{name}, {size}"] = PhotoColourizer(name, [size])
        methods[name] = whole
    return methods


def _shrink(image: np.ndarray) -> np.ndarray:
    """Return a photograph of at most 512 pixels a side."""
    copy = Image.fromarray(image)
    copy.thumbnail((_SCORED, _SCORED), Image.Resampling.BOX)
    return np.asarray(copy)


def _grey(image: np.ndarray) -> np.ndarray:
    grey = np.asarray(to_grey(to_unit_range(image)[np.newaxis]))[0]
    return to_uint8(np.repeat(grey, 3, axis=-1))


def _score(originals: list[np.ndarray], images: list[np.ndarray]) -> tuple[float, ...]:
    """Return ab-RMSE, Delta E 2000 and colourfulness, means over photographs."""
    pairs = [
        (to_unit_range(original)[np.newaxis], to_unit_range(image)[np.newaxis])
        for original, image in zip(originals, images, strict=True)
    ]
    return (
        float(np.mean([np.sqrt(colour_metrics.chroma_mse(*pair)[0]) for pair in pairs])),
        float(np.mean([colour_metrics.delta_e(*pair)[0] for pair in pairs])),
        float(np.mean([colour_metrics.colourfulness(image)[0] for _, image in pairs])),
    )


def _pick(answers: dict[str, list[np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the middles of a few photographs, for a figure."""
    count = len(answers["originals"])
    shown = range(0, count, -(-count // _SHOWN))
    return {
        name.replace(", ", ",\n"): np.stack([_middle(images[index]) for index in shown])
        for name, images in answers.items()
    }


def _middle(image: np.ndarray) -> np.ndarray:
    """Return the middle square of a photograph, enlarged or reduced to 256 pixels a side."""
    square = Image.fromarray(middle(image, min(image.shape[:2])))
    return to_unit_range(np.asarray(square.resize((_SHOWN_SIDE, _SHOWN_SIDE))))


def judge(scores: dict[str, tuple[float, ...]], count: int) -> list[Verdict]:
    """Say whether the colourizer of photographs is the better one for them.

    Args:
        scores: For each answer ab-RMSE, Delta E 2000 and colourfulness.
        count: int. Of the photographs.
    """
    first = scores[RUNS[0]]
    last = scores.get(RUNS[1], first)  # a trial has the first alone
    nothing, originals = scores["no colour"], scores["originals"]
    return [
        Verdict(
            "Photographs get better colours from a model that was trained on photographs",
            last[0] < first[0] and last[1] < first[1],
            (
                Evidence(
                    "ab-RMSE of no colour, and of the two",
                    (nothing[0], first[0], last[0]),
                    style=".2f",
                ),
                Evidence("Delta E 2000", (nothing[1], first[1], last[1]), style=".2f"),
                Evidence(
                    "colourfulness of the two, and of the originals",
                    (first[2], last[2], originals[2]),
                    style=".1f",
                ),
                Evidence("photographs", count),
            ),
        )
    ]
