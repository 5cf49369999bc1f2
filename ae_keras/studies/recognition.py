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

import keras
import numpy as np
from keras import layers

from ae_keras import figures, metrics
from ae_keras.codec.classical import make_codec
from ae_keras.codec.loading import load_codec
from ae_keras.data.images import load_images
from ae_keras.evaluation.rate_distortion import (
    PERFECT_PSNR,
    PILLOW_QUALITIES,
    cut_mosaics,
    make_mosaics,
    round_trip,
)
from ae_keras.registry import recipe_for
from ae_keras.runs.pictures import pick_examples
from ae_keras.studies.page import Page, Table
from ae_keras.studies.trained_models import train_own
from ae_keras.studies.workspace import Workspace
from ae_keras.system.safe_files import write_safely

TITLE = "Recognition of what was compressed"
MODELS = {"mnist": ("mlp", "conv", "lossy_cae"), "cifar10": ("cae", "vae_v1", "vae_v2")}
FORMATS = ("jpeg", "webp")
QUALITIES = (30, 40, 50, 60, 70, 80)
_EPOCHS = 6
_BATCH = 128
_IMAGES = 2000
# Percent of the images; what may be lost where nothing is said to be lost.
_TOLERANCE = 1.0


def run(workspace: Workspace) -> Page:
    """Measure the accuracy on reconstructions of each model at each quality."""
    tables, drawn, findings = {}, {}, []
    for dataset in workspace.choose(tuple(MODELS), 2):
        models = MODELS[dataset]
        runs = {name: _train_model(workspace, name) for name in models}
        training, test = _load(workspace, runs[models[-1]].recipe)
        classifier = _train_classifier(workspace, dataset, training)
        reference = _accuracy(classifier, test.images, test.labels)
        points = [
            (name, quality, *_measure(codec, test, classifier))
            for name, quality, codec in _codecs(runs)
        ]
        header = ("codec", "quality", "bpp, mosaic", "PSNR [dB]", "accuracy [%]")
        rows = [("originals", "-", "-", "-", f"{reference:.1f}"), *map(_format, points)]
        tables[dataset] = Table(header, rows)
        title = f"Recognition of compressed images: {dataset}"
        file = workspace.draw(dataset, figures.save_curves, [_panel(points, reference)], title)
        drawn[file] = title
        findings.append(_judge(dataset, points, reference))
    return Page(" ".join(findings), tables, drawn)


def _train_model(workspace: Workspace, name: str):
    if name == "cae":
        return workspace.train("recognition-cae", recipe_for(name, splits=None))
    return train_own(workspace, name)


def _load(workspace: Workspace, recipe) -> tuple:
    """Return training images, and as many test images as fill mosaics, with labels."""
    data = load_images(recipe, ["train", "test"])
    training, test = data["train"], pick_examples(data["test"], _IMAGES)
    mosaics = make_mosaics(test.images)
    count = len(mosaics) * mosaics[0].size // test.images[0].size
    test = type(test)(test.images[:count], None if workspace.quick else test.labels[:count])
    if workspace.quick:  # photographs have no labels
        return tuple(_label(part) for part in (training, test))
    return training, test


def _label(data):
    return type(data)(data.images, np.arange(len(data.images)) % 10)


def _train_classifier(workspace: Workspace, dataset: str, training):
    """Return a classifier of the original images, trained once."""
    path = workspace.runs / f"recognition-{dataset}{'-quick' if workspace.quick else ''}.keras"
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
        images = training.images / np.float32(255)
        options = {"batch_size": _BATCH, "epochs": epochs, "verbose": workspace.verbose or 0}
        classifier.fit(images, training.labels, **options)
        with write_safely(path) as temporary:
            classifier.save(temporary)
    return keras.saving.load_model(path)


def _build(image_shape):
    def block(filters):
        options = {"padding": "same", "use_bias": False}
        convolution = layers.Conv2D(filters, 3, **options)
        return [convolution, layers.BatchNormalization(), layers.ReLU(), layers.MaxPooling2D(2)]

    head = [layers.GlobalAveragePooling2D(), layers.Dropout(0.2)]
    head += [layers.Dense(10, activation="softmax")]
    parts = [keras.Input(image_shape), *block(32), *block(64), *block(128), *head]
    return keras.Sequential(parts)


def _codecs(runs: dict):
    """Yield name, quality and codec."""
    for name, run in runs.items():
        for quality in QUALITIES:
            yield name, quality, load_codec(run.path).with_quality(quality).with_overlap(0)
    for name in FORMATS:
        for quality in PILLOW_QUALITIES[name]:
            yield name, quality, make_codec(name).with_quality(quality)


def _measure(codec, test, classifier) -> tuple[float, float, float]:
    """Return bits per pixel, PSNR, and percent of the images that are recognized."""
    mosaics = make_mosaics(test.images)
    files, restored, _ = round_trip(codec, mosaics)
    images = cut_mosaics(restored, test.images.shape[1:])
    errors = metrics.mse(test.images / 255, images / 255)
    rate = metrics.bits_per_pixel(sum(map(len, files)), len(mosaics), mosaics[0][..., 0].size)
    psnr = np.minimum(metrics.psnr(errors), PERFECT_PSNR).mean()
    return rate, float(psnr), _accuracy(classifier, images, test.labels)


def _accuracy(classifier, images: np.ndarray, labels: np.ndarray) -> float:
    found = classifier.predict(images / np.float32(255), batch_size=500, verbose=0)
    return 100 * float(np.mean(found.argmax(axis=-1) == labels))


def _format(point) -> tuple:
    name, quality, rate, psnr, accuracy = point
    return name, quality, f"{rate:.3f}", f"{psnr:.2f}", f"{accuracy:.1f}"


def _panel(points, reference: float) -> figures.Panel:
    curves = {}
    for name in dict.fromkeys(point[0] for point in points):
        _, _, rates, _, accuracies = zip(*(p for p in points if p[0] == name), strict=True)
        curves[name] = (rates, accuracies, "s--" if name in FORMATS else "o-")
    rates = [point[2] for point in points]
    curves["originals"] = ((min(rates), max(rates)), (reference, reference), "k:")
    xlabel = "bits per pixel, mosaics"
    return figures.Panel(curves, xlabel, "recognized [%]", xscale="log")


def _judge(dataset: str, points, reference: float) -> str:
    """Say from what rate on each codec loses at most one percentage point of the accuracy."""
    enough, never = [], []
    for name in dict.fromkeys(point[0] for point in points):
        curve = sorted((p[2], p[4]) for p in points if p[0] == name)
        lost = [rate for rate, accuracy in curve if accuracy < reference - _TOLERANCE]
        kept = [rate for rate, _ in curve if not lost or rate > lost[-1]]
        best = max(accuracy for _, accuracy in curve)
        if kept:
            enough.append(f"{name} ({kept[0]:.2f})")
        else:
            never.append(f"{name} ({best:.1f} % at best)")
    said = f"On {dataset} the classifier recognizes {reference:.1f} % of the originals."
    if enough:
        said += " At most one point of it is lost, from so many bits per pixel on, with "
        said += f"{', '.join(enough)}."
    if never:
        said += f" At none of the rates that were tried: {', '.join(never)}."
    return said
