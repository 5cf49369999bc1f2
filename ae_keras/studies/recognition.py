"""Does a classifier still recognize what was compressed?

The report on lossy and nearly lossless autoencoders judged its reconstructions by eye and by their
error. What they are good for may be another matter: here a small convolutional classifier,
trained on original images, names the digits of MNIST and the objects of CIFAR-10 after these
went through the real files of each model, of JPEG and of WebP.

2,000 test images are coded in mosaics of 20x20, in which headers hardly count; models at six
qualities, JPEG and WebP at seven of their own. `cae` is trained anew, with CIFAR-10's own split: in
the one of its recipe most of these images are for training. It takes a mosaic as one image, so that
neighbours disturb each other at their borders.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import keras
import numpy as np
from keras import layers

from ae_keras import figures, metrics
from ae_keras.codec import CLASSICAL
from ae_keras.codec.classical import make_codec
from ae_keras.codec.loading import load_codec
from ae_keras.data.images import Images, load_images
from ae_keras.evaluation.rate_distortion import (
    PERFECT_PSNR,
    cut_mosaics,
    make_mosaics,
    round_trip,
)
from ae_keras.recipe import Recipe
from ae_keras.registry import recipe_for
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.model_files import save_model
from ae_keras.studies.page import Evidence, Page, Table, Verdict
from ae_keras.studies.trained_models import train_own
from ae_keras.studies.workspace import Workspace
from ae_keras.system.pixels import to_unit_range

TITLE = "Recognition of what was compressed"
MODELS = {"mnist": ("mlp", "conv", "lossy_cae"), "cifar10": ("cae", "vae_v1", "vae_v2")}
FORMATS = ("jpeg", "webp")
QUALITIES = (30, 40, 50, 60, 70, 80)
_EPOCHS = 6
_BATCH = 128
_IMAGES = 2000
# Percent of the images; what may be lost where nothing is said to be lost.
_TOLERANCE = 1.0

# Codec, quality, bits per pixel, PSNR and accuracy.
Point = tuple[str, int, float, float, float]


class Classifier(Protocol):
    """What names images: from floats in [0, 1] to scores of the classes."""

    def predict(self, x: np.ndarray, *, batch_size: int, verbose: int) -> np.ndarray:
        """Return an array `(count, classes)`."""


def run(workspace: Workspace) -> Page:
    """Measure the accuracy on reconstructions of each model at each quality."""
    tables, drawn, verdicts = {}, {}, []
    for dataset in workspace.choose(tuple(MODELS), 2):
        models = MODELS[dataset]
        runs = {name: _train_model(workspace, name) for name in models}
        training, test = _load(workspace, runs[models[-1]].recipe)
        classifier = _train_classifier(workspace, dataset, training)
        reference = _accuracy(classifier, test.images, test.labels)
        points = [
            (name, quality, *measure_recognition(codec, test, classifier))
            for name, quality, codec in _codecs(runs)
        ]
        header = ("codec", "quality", "bpp, mosaic", "PSNR [dB]", "accuracy [%]")
        rows = [("originals", "-", "-", "-", f"{reference:.1f}"), *map(_format, points)]
        tables[dataset] = Table(header, rows)
        title = f"Recognition of compressed images: {dataset}"
        file = workspace.draw(dataset, figures.save_curves, [_panel(points, reference)], title)
        drawn[file] = title
        verdicts += judge(dataset, points, reference)
    return Page(verdicts, tables, drawn)


def _train_model(workspace: Workspace, name: str) -> RunFolder:
    if name == "cae":
        return workspace.train("recognition-cae", recipe_for(name, splits=None))
    return train_own(workspace, name)


def _load(workspace: Workspace, recipe: Recipe) -> tuple[Images, Images]:
    """Return training images, and as many test images as fill mosaics, with labels."""
    data = load_images(recipe.data_spec, ["train", "test"])
    training, test = data["train"], data["test"].pick(_IMAGES)
    mosaics = make_mosaics(test.images)
    count = len(mosaics) * mosaics[0].size // test.images[0].size
    test = Images(test.images[:count], None if test.labels is None else test.labels[:count])
    if workspace.quick:  # photographs have no labels
        return _label(training), _label(test)
    return training, test


def _label(data: Images) -> Images:
    return Images(data.images, np.arange(len(data.images)) % 10)


def _train_classifier(workspace: Workspace, dataset: str, training: Images) -> keras.Model:
    """Return a classifier of the original images, trained once."""
    path = workspace.runs / f"recognition-{dataset}{'-quick' if workspace.quick else ''}.keras"
    if workspace.quick:  # one epoch
        workspace.steps[f"classifier of {dataset}"] = math.ceil(len(training.images) / _BATCH)
    if not path.is_file():
        keras.utils.set_random_seed(0)
        classifier = _build(training.images.shape[1:])
        steps = _EPOCHS * len(training.images) // _BATCH + 1
        classifier.compile(
            keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps)),
            "sparse_categorical_crossentropy",
            jit_compile=False,
        )
        epochs = 1 if workspace.quick else _EPOCHS
        images = to_unit_range(training.images)
        options = {"batch_size": _BATCH, "epochs": epochs, "verbose": workspace.verbose or 0}
        classifier.fit(images, training.labels, **options)
        save_model(classifier, path)
    try:
        return keras.saving.load_model(path)
    except Exception as error:  # of many types, where a file is damaged
        raise ValueError(
            f"Cannot load {str(path)!r}: {error} Delete it: it is trained again."
        ) from error


def _build(image_shape: tuple[int, ...]) -> keras.Model:
    def block(filters: int) -> list[keras.Layer]:
        options = {"padding": "same", "use_bias": False}
        convolution = layers.Conv2D(filters, 3, **options)
        return [convolution, layers.BatchNormalization(), layers.ReLU(), layers.MaxPooling2D(2)]

    head = [
        layers.GlobalAveragePooling2D(),
        layers.Dropout(0.2),
        layers.Dense(10, activation="softmax"),
    ]
    parts = [keras.Input(image_shape), *block(32), *block(64), *block(128), *head]
    return keras.Sequential(parts)


def _codecs(runs: dict[str, RunFolder]) -> Iterator[tuple[str, int, Any]]:
    """Yield name, quality and codec."""
    for name, run in runs.items():
        for quality in QUALITIES:
            yield name, quality, load_codec(run.path).with_quality(quality).with_overlap(0)
    for name in FORMATS:
        for quality in CLASSICAL[name].qualities:
            yield name, quality, make_codec(name).with_quality(quality)


def measure_recognition(
    codec: Any, test: Images, classifier: Classifier
) -> tuple[float, float, float]:
    """Return bits per pixel, PSNR, and percent of the images that are recognized.

    Args:
        codec: ImageCodec or PillowCodec. It codes mosaics of the images.
        test: Images. With labels, and as many as fill mosaics.
        classifier: Classifier.
    """
    mosaics = make_mosaics(test.images)
    files, restored, _ = round_trip(codec, mosaics)
    images = cut_mosaics(restored, test.images.shape[1:])
    errors = metrics.mse(test.images / 255, images / 255)
    rate = metrics.bits_per_pixel(sum(map(len, files)), len(mosaics), mosaics[0][..., 0].size)
    psnr = np.minimum(metrics.psnr(errors), PERFECT_PSNR).mean()
    return rate, float(psnr), _accuracy(classifier, images, test.labels)


def _accuracy(classifier: Classifier, images: np.ndarray, labels: np.ndarray | None) -> float:
    found = classifier.predict(to_unit_range(images), batch_size=500, verbose=0)
    return 100 * float(np.mean(found.argmax(axis=-1) == labels))


def _format(point: Point) -> tuple[Any, ...]:
    name, quality, rate, psnr, accuracy = point
    return name, quality, f"{rate:.3f}", f"{psnr:.2f}", f"{accuracy:.1f}"


def _panel(points: Sequence[Point], reference: float) -> figures.Panel:
    curves: dict[str, tuple[Sequence[float], Sequence[float], str]] = {}
    for name in dict.fromkeys(point[0] for point in points):
        _, _, rates, _, accuracies = zip(*(p for p in points if p[0] == name), strict=True)
        curves[name] = (rates, accuracies, "s--" if name in FORMATS else "o-")
    ends = [choose(point[2] for point in points) for choose in (min, max)]
    curves["originals"] = (ends, (reference, reference), "k:")
    xlabel = "bits per pixel, mosaics"
    return figures.Panel(curves, xlabel, "recognized [%]", xscale="log")


def judge(dataset: str, points: Sequence[Point], reference: float) -> list[Verdict]:
    """Say from what rate on each codec loses at most one percentage point of the accuracy.

    Args:
        dataset: str. Its name.
        points: Of each codec at each quality.
        reference: float. Percent of the originals that are recognized.
    """
    enough, never = [], []
    for name in dict.fromkeys(point[0] for point in points):
        curve = sorted((p[2], p[4]) for p in points if p[0] == name)
        lost = [rate for rate, accuracy in curve if accuracy < reference - _TOLERANCE]
        kept = [rate for rate, _ in curve if not lost or rate > lost[-1]]
        if kept:
            enough.append(Evidence(name, kept[0], "bits per pixel", ".2f"))
        else:
            best = max(accuracy for _, accuracy in curve)
            never.append(Evidence(f"{name} at best", best, "%", ".1f"))
    originals = Evidence("recognized of the originals", reference, "%", ".1f")
    kept_from = "The rates from which on at most one point of it is lost"
    verdicts = [Verdict(f"What the classifier of {dataset} recognizes", None, (originals,))]
    if enough:
        verdicts.append(Verdict(kept_from, None, tuple(enough)))
    if never:
        verdicts.append(Verdict("More is lost at all rates that were tried", None, tuple(never)))
    return verdicts
