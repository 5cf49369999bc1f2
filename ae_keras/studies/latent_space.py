"""What lies between and beyond images in a latent: `mlp`, `lossy_cae`, `vae_v1` and `vae_v2`.

The reports show walks through latent spaces and images drawn from them. Here a walk goes straight
from the latent of one test image to that of another; below it stands the cross-fade of the pixels,
which needs no model. Samples are decoded from random latents: of a variational model from the
prior that it was trained with, a normal distribution of unit variance, and of every model from the
normal distribution, with covariances, that its latents of training images have. The decoder of
`mlp` with two values is drawn over the plane of its latent, with the latents of test images.

How new and how plausible samples are is measured by their distance to the nearest training image,
the root of the mean squared difference of pixels: of a copy it would be 0, and that of test images,
which are real and new, stands beside it. Blurred images are near to many others, so that a small
distance alone is no praise: the contrast, the standard deviation of the pixels of an image, shows
what is blurred, and is that of test images where samples are as sharp as these.
"""

import numpy as np
from sklearn.metrics import pairwise_distances_argmin_min

from ae_keras import figures
from ae_keras.models.image_model import ImageModel
from ae_keras.registry import recipe_for
from ae_keras.runs.folder import RunFolder
from ae_keras.studies.page import Evidence, Page, Table, Verdict
from ae_keras.studies.trained_models import train_own
from ae_keras.studies.workspace import Workspace
from ae_keras.system.pixels import to_unit_range

TITLE = "Walks and samples in latent spaces"
PLANE = "mlp, 2 values"
VARIATIONAL = ("vae_v1", "vae_v2")
_EPOCHS_OF_PLANE = 30
_SAMPLES, _MAPPED, _SHOWN, _STEPS = 1000, 2000, 10, 10
# Images along each side of the decoded plane, which spans all but the outermost latents.
_SIDE, _OUTERMOST = 20, 2.0
# How far the contrast of samples may be from that of test images.
_LIKE = 0.1


def run(workspace: Workspace) -> Page:
    """Walk, sample and measure with each model; draw the plane of the one with two values."""
    plane = recipe_for("mlp", "mnist", latent_dim=2, epochs=_EPOCHS_OF_PLANE)
    runs = {PLANE: workspace.train("latent_space-mlp", plane)}
    runs |= {name: train_own(workspace, name) for name in ("mlp", "lossy_cae", *VARIATIONAL)}
    drawn: dict[str, str] = {}
    rows, contrasts = [], {}
    for name, run in runs.items():
        model = workspace.load_model(run)
        training, test = (
            to_unit_range(workspace.load_images(run, part).images) for part in ("train", "test")
        )
        if name == PLANE:
            drawn |= _draw_plane(workspace, run, model)
        samples = sample(model, training, name in VARIATIONAL)
        shown = {}
        for kind, images in {"test images": test[:_SAMPLES], **samples}.items():
            nearest, distances = find_nearest(images, training)
            contrast = float(images.std(axis=(1, 2, 3)).mean())
            contrasts[name, kind] = contrast
            rows.append((name, kind, *map(_show, (distances.mean(), distances.min(), contrast))))
            shown[kind] = images, training[nearest]
        drawn |= _draw_walks(workspace, name, model, test)
        drawn |= _draw_samples(workspace, name, {kind: shown[kind] for kind in samples})
    header = ("model", "images", "to the nearest training image, mean", "least", "contrast")
    return Page(judge(contrasts), {"latent_space": Table(header, rows)}, drawn)


def sample(model: ImageModel, training: np.ndarray, is_variational: bool) -> dict[str, np.ndarray]:
    """Return images decoded from random latents, for each distribution of these.

    Args:
        model: ImageModel.
        training: Array `(count, height, width, channels)` in [0, 1].
        is_variational: bool. Whether it was trained with a prior.
    """
    rng = np.random.default_rng(0)
    shape = model.decoder.input_shape[1:]
    latents = model.encoder.predict(training, verbose=0).reshape(len(training), -1)
    drawn = {}
    if is_variational:
        drawn["from the prior"] = rng.standard_normal((_SAMPLES, latents.shape[1]))
    drawn["from the normal distribution of latents"] = draw_normal(rng, latents, _SAMPLES)
    return {
        kind: model.decoder.predict(values.reshape(-1, *shape).astype(np.float32), verbose=0)
        for kind, values in drawn.items()
    }


def draw_normal(rng: np.random.Generator, values: np.ndarray, count: int) -> np.ndarray:
    """Draw vectors from the normal distribution with the mean and covariance of some others.

    Args:
        rng: Generator.
        values: Array `(vectors, values)`.
        count: int.

    Returns:
        Array `(count, values)`.
    """
    mean = values.mean(axis=0)
    # A weighted sum of deviations has their covariance, without a matrix of it.
    weights = rng.standard_normal((count, len(values))) / np.sqrt(len(values))
    return mean + weights @ (values - mean)


def find_nearest(images: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which of other images is nearest to each image, and how far it is.

    Args:
        images: Array `(count, height, width, channels)`.
        others: Array of images of that size.

    Returns:
        Two arrays `(count,)`: of places among the others, and of root mean squared differences.
    """
    flat = (array.reshape(len(array), -1) for array in (images, others))
    nearest, distances = pairwise_distances_argmin_min(*flat)
    return nearest, distances / np.sqrt(images[0].size)


def walk(model: ImageModel, start: np.ndarray, end: np.ndarray, steps: int) -> np.ndarray:
    """Return the decoded images of a straight walk between the latents of two images.

    Args:
        model: ImageModel.
        start: Array `(height, width, channels)` in [0, 1].
        end: The same shape.
        steps: int. Images, the reconstructions of both ends among them.
    """
    first, last = np.asarray(model.encode(np.stack([start, end])))
    return np.asarray(model.decode(_between(first, last, steps)))


def _between(first: np.ndarray, last: np.ndarray, steps: int) -> np.ndarray:
    shares = np.linspace(0, 1, steps, dtype=np.float32).reshape(-1, *[1] * first.ndim)
    return (1 - shares) * first + shares * last


def _show(value: float) -> str:
    return f"{value:.4f}"


def _draw_walks(
    workspace: Workspace, name: str, model: ImageModel, test: np.ndarray
) -> dict[str, str]:
    rows = {}
    for number in range(3):
        start, end = test[2 * number : 2 * number + 2]
        rows[f"walk {number + 1}"] = walk(model, start, end, _STEPS)
        rows[f"pixels {number + 1}"] = _between(start, end, _STEPS)
    title = f"{name}: walks between test images, and cross-fades of their pixels"
    return {workspace.draw(f"walks-{_file(name)}", figures.save_image_rows, rows, title): title}


def _draw_samples(
    workspace: Workspace, name: str, groups: dict[str, tuple[np.ndarray, np.ndarray]]
) -> dict[str, str]:
    rows = {}
    for kind, (images, nearest) in groups.items():
        label = kind.replace(" distribution", "\ndistribution")
        rows[label] = images[:_SHOWN]
        rows[f"nearest\n({kind.split()[2]})"] = nearest[:_SHOWN]
    title = f"{name}: samples, each over the training image that is nearest"
    return {workspace.draw(f"samples-{_file(name)}", figures.save_image_rows, rows, title): title}


def _draw_plane(workspace: Workspace, run: RunFolder, model: ImageModel) -> dict[str, str]:
    """Draw what the decoder makes of a grid of latents, and where test images lie among these."""
    data = workspace.load_images(run, "test").pick(_MAPPED)
    latents = model.encoder.predict(to_unit_range(data.images), verbose=0)
    least, most = np.percentile(latents, [_OUTERMOST, 100 - _OUTERMOST], axis=0)
    across, up = (np.linspace(*ends, _SIDE) for ends in zip(least, most, strict=True))
    grid = np.stack(np.meshgrid(across, up[::-1]), axis=-1).reshape(-1, 2).astype(np.float32)
    images = model.decoder.predict(grid, verbose=0)
    title = f"{PLANE}: what is decoded from its plane"
    file = workspace.draw("plane", figures.save_image_grid, images, title, (), _SIDE, 0.4)
    drawn = {file: title}
    if data.labels is not None:
        title = f"{PLANE}: latents of test images, coloured by digit"
        maps = {"test": (latents, data.labels)}
        names = "first value of the latent", "second"
        file = workspace.draw("plane_latents", figures.save_label_maps, maps, title, 1, names)
        drawn[file] = title
    return drawn


def _file(name: str) -> str:
    return name.replace(", ", "-").replace(" ", "_")


def judge(contrasts: dict[tuple[str, str], float]) -> list[Verdict]:
    """Say whether samples are as sharp as images are.

    Args:
        contrasts: Of each model and kind of images, `"test images"` among them.
    """
    verdicts = []
    for (name, kind), contrast in contrasts.items():
        if kind == "test images":
            continue
        share = contrast / contrasts[name, "test images"]
        word = "as strong as" if abs(share - 1) <= _LIKE else "other than"
        claim = f"`{name}`, samples {kind}: their contrast is {word} that of images"
        evidence = Evidence("share of it", share, style=".2f")
        verdicts.append(Verdict(claim, None, (evidence,)))
    return verdicts
