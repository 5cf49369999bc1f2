"""`lossy_cae` and `lossless_mlp` against truncated singular values and principal components: MNIST.

The report measured its two autoencoders by the rank at which the truncated singular value
decomposition (SVD) of each image has the same error: 3 for the lossy model, whose latent has 32
numbers where that rank takes 171, and 13 for the nearly lossless one. Here a matching rank is the
first whose error is not above the model's, over all test images, before anything is quantized. A
rank takes 57 numbers: a value and two vectors of 28 (the codec shares the value out to the vectors,
and codes 56). Principal components (PCA) are those of the
training images, so that each takes one number.

Real bytes are those of files at the default step, which costs little quality, of 2,000 test images:
one file an image, and mosaics of 20x20. The maps show the first two principal components of each
latent space, fitted to 2,000 training images. `lossless_mlp` begins near the identity and trains
for 10 epochs, where the report took random weights and 300 epochs of five-fold data; so trained for
40 epochs of single data, it came to an error of 0.00157, that of rank 7.
"""

from typing import Any

import numpy as np
from sklearn.decomposition import PCA

from ae_keras import figures
from ae_keras.codec.classical import (
    PrincipalComponents,
    SingularValues,
    make_principal_components,
    make_singular_values,
)
from ae_keras.codec.loading import load_codec
from ae_keras.evaluation.rate_distortion import make_mosaics, measure_codec
from ae_keras.models.image_model import ImageModel
from ae_keras.runs.folder import RunFolder
from ae_keras.studies.page import Evidence, Page, Table, Verdict
from ae_keras.studies.trained_models import train_own
from ae_keras.studies.workspace import Workspace
from ae_keras.system.pixels import to_unit_range

TITLE = "Autoencoders and the singular value decomposition"
MODELS = ("lossy_cae", "lossless_mlp")
# What the report found.
REPORTED = {"lossy_cae": 3, "lossless_mlp": 13}
# Errors of rounding, not of the transform.
_NEGLIGIBLE = 1e-8
_COMPONENTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_CODED_IMAGES = 2000
_MAPPED_IMAGES = 2000
_SHOWN = 10

# What a panel draws.
Curves = dict[str, tuple[Any, ...]]


def run(workspace: Workspace) -> Page:
    """Compare both models with the linear transforms: errors, numbers, bytes, images, maps."""
    runs = {name: train_own(workspace, name) for name in MODELS}
    training, test = (workspace.load_images(runs[MODELS[0]], part) for part in ("train", "test"))
    images = to_unit_range(test.images)
    models = {name: workspace.load_model(run) for name, run in runs.items()}
    errors = {
        name: _mse(images, model.predict(images, verbose=0)) for name, model in models.items()
    }
    by_rank = errors_by_rank(images)
    by_components = errors_by_components(images, training.images)
    ranks = {name: find_matching_rank(by_rank, error) for name, error in errors.items()}
    tables = {
        "ranks": _table_of_ranks(by_rank, by_components),
        "models": _table_of_models(runs, errors, ranks, training.images, test.images),
    }
    title = f"Errors on the test images of {runs[MODELS[0]].recipe.data_name}"
    panels = _panels(by_rank, by_components, errors, models)
    drawn = {workspace.draw("errors", figures.save_curves, panels, title): title}
    title = "Originals, latents, reconstructions, and the SVD of the rank that matches"
    rows = _image_rows(models, ranks, images)
    drawn[workspace.draw("images", figures.save_image_rows, rows, title)] = title
    title = "Latent spaces, by their first two principal components, coloured by digit"
    maps = _maps(workspace, runs, models)
    if maps:
        drawn[workspace.draw("latent_map", figures.save_label_maps, maps, title)] = title
    latents = {name: model.latent_shape[-1] for name, model in models.items()}
    return Page(judge(errors, ranks, latents, by_components), tables, drawn)


def _mse(images: np.ndarray, others: np.ndarray) -> float:
    return float(np.mean((images - others) ** 2, dtype=np.float64))


def errors_by_rank(images: np.ndarray) -> dict[int, float]:
    """Return the mean squared error of each rank, from 1 to the full one.

    It is the sum of the squares of the singular values that are left out.

    Args:
        images: Array `(count, height, width, 1)` in [0, 1].
    """
    energies = np.linalg.svd(images[..., 0], compute_uv=False).astype(np.float64) ** 2
    left = energies[:, ::-1].cumsum(axis=1)[:, ::-1].mean(axis=0) / images[0].size
    return dict(enumerate(map(float, [*left[1:], 0.0]), start=1))


def errors_by_components(images: np.ndarray, training: np.ndarray) -> dict[int, float]:
    """Return the mean squared error of some numbers of principal components.

    Args:
        images: Array `(count, height, width, channels)` in [0, 1].
        training: uint8 array. The components are those of these images.
    """
    transform = PrincipalComponents(training)
    latents, result = transform.encode(images), {}
    for count in _COMPONENTS:
        if count <= latents.shape[1]:
            kept = np.where(np.arange(latents.shape[1]) < count, latents, 0)
            result[count] = _mse(images, transform.decode(kept))
    return result


def find_matching_rank(by_rank: dict[int, float], error: float) -> int:
    """Return the first rank whose error is not above another."""
    return min(rank for rank, value in by_rank.items() if value <= error)


def _table_of_ranks(by_rank: dict[int, float], by_components: dict[int, float]) -> Table:
    """Return errors by rank, and by numbers of principal components."""
    rows = [
        (f"SVD, rank {rank}", 57 * rank, f"{by_rank[rank]:.7f}")
        for rank in by_rank
        if by_rank[rank] > _NEGLIGIBLE
    ]
    rows += [(f"PCA, {count}", count, f"{error:.7f}") for count, error in by_components.items()]
    return Table(("transform", "numbers", "test MSE"), rows)


def _table_of_models(
    runs: dict[str, RunFolder],
    errors: dict[str, float],
    ranks: dict[str, int],
    training: np.ndarray,
    test: np.ndarray,
) -> Table:
    coded = test[:_CODED_IMAGES]
    codecs: dict[str, Any] = {name: load_codec(run.path) for name, run in runs.items()}
    for rank in sorted(set(ranks.values())):
        codecs[f"SVD, rank {rank}"] = make_singular_values(training, rank)
    codecs["PCA"] = make_principal_components(training)
    rows = []
    for name, codec in codecs.items():
        single = measure_codec(codec, list(coded), coded)
        mosaic = measure_codec(codec.with_overlap(0), make_mosaics(coded), coded)
        numbers = int(np.prod(codec.transform.latent_shape))
        bytes_each = (point["bpp"] * coded[0].size / 8 for point in (single, mosaic))
        before = f"{errors[name]:.6f}" if name in errors else "-"
        sizes = [f"{size:.1f}" for size in bytes_each]
        rows.append((name, ranks.get(name, "-"), numbers, before, f"{mosaic['mse']:.6f}", *sizes))
    header = ("codec", "matching rank", "numbers", "test MSE", "MSE of the files")
    return Table((*header, "bytes an image, a file each", "bytes an image, mosaic"), rows)


def _panels(
    by_rank: dict[int, float],
    by_components: dict[int, float],
    errors: dict[str, float],
    models: dict[str, ImageModel],
) -> list[figures.Panel]:
    ranks = [rank for rank, error in by_rank.items() if error > _NEGLIGIBLE]
    svd = [by_rank[rank] for rank in ranks]
    level: Curves = {}
    points: Curves = {}
    for color, (name, error) in enumerate(errors.items(), start=2):
        level[name] = (1, ranks[-1]), (error, error), f"C{color}--"
        points[name] = [models[name].latent_shape[-1]], [error], f"C{color}D"
    numbers: Curves = {
        "SVD": ([57 * rank for rank in ranks], svd, "C0o-"),
        "PCA": (list(by_components), list(by_components.values()), "C1o-"),
    }
    return [
        figures.Panel({"SVD": (ranks, svd), **level}, "rank", "test MSE", yscale="log"),
        figures.Panel(
            numbers | points, "numbers for an image", "test MSE", xscale="log", yscale="log"
        ),
    ]


def _image_rows(
    models: dict[str, ImageModel], ranks: dict[str, int], images: np.ndarray
) -> dict[str, np.ndarray]:
    shown = images[:: max(1, len(images) // _SHOWN)][:_SHOWN]
    rows = {"original": shown}
    for name, model in models.items():
        latents = np.asarray(model.encode(shown)).reshape(len(shown), -1)
        rows[f"{name}:\nlatent"] = latents_as_pictures(latents)
        rows[name] = model.predict_on_batch(shown)
        transform = SingularValues(shown.shape[1:], ranks[name])
        rows[f"SVD,\nrank {ranks[name]}"] = transform.decode(transform.encode(shown))
    return rows


def latents_as_pictures(latents: np.ndarray) -> np.ndarray:
    """Return latents as pictures about as wide as high, from the least to the largest value.

    Args:
        latents: Array `(count, values)`.

    Returns:
        Array `(count, height, width, 1)` in [0, 1].
    """
    least, largest = latents.min(), latents.max()
    count = latents.shape[1]
    height = max(side for side in range(1, int(count**0.5) + 1) if count % side == 0)
    return ((latents - least) / max(largest - least, 1e-9)).reshape(len(latents), height, -1, 1)


def _maps(
    workspace: Workspace, runs: dict[str, RunFolder], models: dict[str, ImageModel]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the latents of training and test images in two dimensions; none without labels."""
    maps = {}
    for name, run in runs.items():
        fitted = None
        for part in ("train", "test"):
            data = workspace.load_images(run, part).pick(_MAPPED_IMAGES)
            if data.labels is None:
                return {}
            latents = models[name].encoder.predict(to_unit_range(data.images), verbose=0)
            latents = latents.reshape(len(latents), -1)
            fitted = fitted or PCA(2, random_state=0).fit(latents)
            share = 100 * fitted.explained_variance_ratio_.sum()
            caption = f"{name}, {part} ({share:.0f} % of the variance)"
            maps[caption] = (fitted.transform(latents), data.labels)
    return maps


def judge(
    errors: dict[str, float],
    ranks: dict[str, int],
    latents: dict[str, int],
    by_components: dict[int, float],
) -> list[Verdict]:
    """Say which ranks match, and which principal components.

    Args:
        errors: Of each model.
        ranks: That match it.
        latents: Numbers of the latent of each model.
        by_components: Errors of numbers of principal components.
    """
    verdicts = []
    for name, error in errors.items():
        rank = ranks[name]
        linear = [count for count, value in by_components.items() if value <= error]
        first = min(linear) if linear else "none that was tried"
        verdicts.append(
            Verdict(
                f"`{name}` is as good as the SVD of rank {REPORTED[name]}",
                rank >= REPORTED[name],
                (
                    Evidence("test MSE", error, style=".6f"),
                    Evidence("rank that matches", rank),
                    Evidence("numbers of that rank", 57 * rank),
                    Evidence("numbers of the latent", latents[name]),
                    Evidence("principal components that match", first),
                ),
            )
        )
    return verdicts
