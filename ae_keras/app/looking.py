"""Latents of small images: samples, walks, single channels, and a map of a whole data set."""

import base64
import contextlib
import functools
import html
import io
from argparse import Namespace

import numpy as np
from PIL import Image

from ae_keras.app.files import read_upload
from ae_keras.codec.runtimes import load_transform
from ae_keras.codec.transform import ModelTransform
from ae_keras.command_line import prepare
from ae_keras.data.image_files import fit_image
from ae_keras.data.images import load_images
from ae_keras.runs.loading import find_run
from ae_keras.system.pixels import to_uint8, to_unit_range

SAMPLES, STEPS = 40, 10
# Of test images on a map; each has its picture in the page.
_MAPPED = 1000
_MAP_SIDE = 400
# Distinct for ten labels, on white and on black (Tableau 10).
_COLOURS = (
    *("#4e79a7", "#f28e2b", "#e15759", "#76b7b2", "#59a14f"),
    *("#edc948", "#b07aa1", "#ff9da7", "#9c755f", "#8a8a8a"),
)


def load_autoencoder(name: str) -> ModelTransform:
    """Load the encoder and decoder of a run.

    Raises:
        FileNotFoundError: if there is no such run.
        ValueError: if its model has no latent of single images, or needs labels.
    """
    transform, _ = load_transform(find_run(name))
    if not isinstance(transform, ModelTransform) or transform.classes is not None:
        raise ValueError(f"{name!r} has no latent that stands for a single image alone.")
    return transform


def read_for(transform: ModelTransform, path: str | None, max_megapixels: float) -> np.ndarray:
    """Return the middle of a photograph as the model takes it, `(1, height, width, channels)`.

    Raises:
        ValueError: if it is no image, or too large.
    """
    photograph, _ = read_upload(path, max_megapixels, in_srgb=True)
    shape = (*transform.tile, transform.channels)
    pixels = photograph.pixels.convert("RGB" if transform.channels == 3 else "L")
    return to_unit_range(fit_image(pixels, shape, enlarge=True))[np.newaxis]


def sample_prior(transform: ModelTransform, seed: int) -> np.ndarray:
    """Return images that are decoded from random latents of unit variance."""
    rng = np.random.default_rng(seed)
    return transform.decode(rng.standard_normal((SAMPLES, *transform.latent_shape), np.float32))


def walk(transform: ModelTransform, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return two rows of images from one to another: of latents between theirs, and of pixels.

    Args:
        transform: ModelTransform.
        start: Array `(1, height, width, channels)` in [0, 1].
        end: The same shape.
    """
    first, last = transform.encode(start), transform.encode(end)
    latents = np.concatenate([(1 - share) * first + share * last for share in _shares()])
    pixels = [(1 - share) * start + share * end for share in _shares()]
    return np.concatenate([transform.decode(latents), *pixels])


def _shares() -> np.ndarray:
    return np.linspace(0, 1, STEPS, dtype=np.float32)


def turn_channel(
    transform: ModelTransform, image: np.ndarray, channel: int, amount: float
) -> np.ndarray:
    """Return an image, its reconstruction, and that with one channel of the latent changed.

    Args:
        transform: ModelTransform.
        image: Array `(1, height, width, channels)` in [0, 1].
        channel: int. Counted from 0.
        amount: float. What is added, in standard deviations of all values of the latent.

    Raises:
        ValueError: if there is no such channel.
    """
    latent = transform.encode(image)
    if not 0 <= channel < latent.shape[-1]:
        raise ValueError(f"The latent has channels 0 to {latent.shape[-1] - 1}. Got {channel}.")
    turned = latent.copy()
    turned[..., channel] += amount * latent.std()
    return np.concatenate([image, transform.decode(np.concatenate([latent, turned]))])


def make_grid(images: np.ndarray, columns: int, scale: int) -> np.ndarray:
    """Return images in rows, with gaps of a pixel, each pixel as a square.

    Args:
        images: Array `(count, height, width, channels)` in [0, 1]; the rows are full.
        columns: int.
        scale: int. The side of a pixel's square.

    Returns:
        uint8 array `(height, width)` or `(height, width, 3)`.
    """
    padded = np.pad(images, ((0, 0), (0, 1), (0, 1), (0, 0)), constant_values=1)
    rows = padded.reshape(-1, columns, *padded.shape[1:])
    count, _, height, width, channels = rows.shape
    grid = rows.swapaxes(1, 2).reshape(count * height, columns * width, channels)
    pixels = to_uint8(np.clip(grid, 0, 1)).repeat(scale, axis=0).repeat(scale, axis=1)
    return pixels[..., 0] if channels == 1 else pixels


def draw_map(name: str) -> str:
    """Return the two principal components of a run's latents of test images, as HTML.

    Each point is an image, whose picture is in the page too.

    Raises:
        FileNotFoundError: if there is no such run.
        ValueError: if it has no latent, or its data set is not there.
        OSError: if files cannot be read.
    """
    run = find_run(name)
    return _draw_map(str(run.path.resolve()), run.model.stat().st_mtime_ns)


@functools.lru_cache(maxsize=8)
def _draw_map(run: str, written: int) -> str:
    """Draw the map of a run; the same until its model is written anew."""
    with contextlib.suppress(ModuleNotFoundError):  # not every data set needs it
        prepare(Namespace())
    recipe, transform = find_run(run).recipe, load_autoencoder(run)
    data = load_images(recipe.data_spec, ["test"])["test"].pick(_MAPPED)
    latents = transform.encode(to_unit_range(data.images)).reshape(len(data.images), -1)
    points = find_principal(latents)
    labels = np.zeros(len(points), int) if data.labels is None else data.labels
    names = [data.class_names[label] if data.class_names else str(label) for label in labels]
    places = (0.03 + 0.94 * _to_unit(points)) * _MAP_SIDE
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{_MAP_SIDE - y:.1f}" r="3" '
        f'fill="{_COLOURS[label % len(_COLOURS)]}" data-name="{html.escape(name)}"/>'
        for (x, y), label, name in zip(places, labels, names, strict=True)
    )
    title = html.escape(f"{recipe.model}: principal components of {len(points)} test images")
    return (
        f'<div class="map"><svg viewBox="0 0 {_MAP_SIDE} {_MAP_SIDE}" tabindex="0" role="img" '
        f'aria-label="{title}">{dots}</svg><div><canvas class="digit" '
        f'width="{transform.tile[1]}" height="{transform.tile[0]}"></canvas>'
        f'<p class="name">{title}.</p></div>'
        f'<img class="sheet" hidden="" alt="" src="{_draw_sheet(data.images)}"/></div>'
    )


def find_principal(values: np.ndarray) -> np.ndarray:
    """Return vectors `(count, values)` in their two principal components, `(count, 2)`."""
    centred = values - values.mean(axis=0)
    _, _, components = np.linalg.svd(centred, full_matrices=False)
    return centred @ components[:2].T


def _to_unit(points: np.ndarray) -> np.ndarray:
    low, high = points.min(axis=0), points.max(axis=0)
    return (points - low) / np.maximum(high - low, 1e-12)


def _draw_sheet(images: np.ndarray) -> str:
    """Return images, one under the other, as the address of a PNG."""
    count, height, width, channels = images.shape
    sheet = images.reshape(count * height, width, channels)
    file = io.BytesIO()
    Image.fromarray(sheet[..., 0] if channels == 1 else sheet).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
