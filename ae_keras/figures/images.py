"""Pictures of images."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

DPI = 150
# Differences are drawn this many times as strong, around mid-grey.
_AMPLIFICATION = 5
# Longer images are drawn smaller, so that the figure stays one that can be opened.
_LARGEST_ASPECT = 4


def _show(axes: Axes, image: np.ndarray) -> None:
    """Draw one image `(height, width, channels)` in [0, 1], without ticks."""
    pixels = image[..., 0] if image.shape[-1] == 1 else image
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def save_image_rows(
    path: str | Path,
    rows: dict[str, np.ndarray],
    title: str,
    captions: Sequence[str] = (),
) -> None:
    """Save labelled rows of images, one under the other.

    Args:
        path: Where to write; the ending names the format.
        rows: For each label, an array `(count, height, width, channels)` in [0, 1].
        title: str. Over the figure.
        captions: One text for each column, over the first row.
    """
    count = max(map(len, rows.values()))
    figure = Figure(figsize=(1.1 * count + 1.2, 1.1 * len(rows) + 0.6), layout="constrained")
    figure.suptitle(title, fontsize=10)
    grid = figure.subplots(len(rows), count, squeeze=False)
    for axes_row, (label, images) in zip(grid, rows.items(), strict=True):
        axes_row[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=8)
        for axes, image in zip(axes_row, images, strict=True):
            _show(axes, image)
    for axes, caption in zip(grid[0], captions, strict=False):
        axes.set_title(caption, fontsize=7, pad=3)
    figure.savefig(path, dpi=DPI)


def save_image_grid(
    path: str | Path,
    images: np.ndarray,
    title: str,
    captions: Sequence[str] = (),
    columns: int = 10,
    width: float = 1.1,
    notes: Sequence[str] = (),
) -> None:
    """Save images in rows.

    Args:
        path: Where to write; the ending names the format.
        images: Array `(count, height, width, channels)` in [0, 1].
        title: str. Over the figure.
        captions: One text for each image, over it.
        columns: int. Images in a row.
        width: float. Of an image, in inches.
        notes: One text for each image, under it.
    """
    rows = -(-len(images) // columns)
    aspect = images[0].shape[0] / images[0].shape[1]
    height = width * min(max(aspect, 1 / _LARGEST_ASPECT), _LARGEST_ASPECT)
    height += 0.2 * (bool(captions) + bool(notes))
    figure = Figure(figsize=(width * columns, height * rows + 0.4), layout="constrained")
    figure.suptitle(title, fontsize=10)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, image in zip(grid, images, strict=False):
        _show(axes, image)
    for axes in grid[len(images) :]:
        axes.set_axis_off()
    for axes, caption in zip(grid, captions, strict=False):
        axes.set_title(caption, fontsize=7, pad=3)
    for axes, note in zip(grid, notes, strict=False):
        axes.set_xlabel(note, fontsize=7)
    figure.savefig(path, dpi=DPI)


def save_reconstructions(
    path: str | Path,
    inputs: np.ndarray,
    originals: np.ndarray,
    reconstructions: np.ndarray,
    psnr: Sequence[float],
    title: str,
) -> None:
    """Save originals over reconstructions over their amplified differences.

    Args:
        path: Where to write.
        inputs: What the model was given; drawn as a row of its own where it is not the originals.
        originals: Array `(count, height, width, channels)` in [0, 1].
        reconstructions: The same shape.
        psnr: PSNR of each reconstruction, in dB.
        title: str. Over the figure.
    """
    rows = {"original": originals}
    if not np.array_equal(inputs, originals):
        rows["input"] = inputs
    rows["reconstruction"] = reconstructions
    difference = 0.5 + _AMPLIFICATION * (reconstructions - originals)
    rows[f"difference\n(x{_AMPLIFICATION}, grey = 0)"] = np.clip(difference, 0, 1)
    save_image_rows(path, rows, title, captions=[f"{value:.1f} dB" for value in psnr])
