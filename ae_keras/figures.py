"""Every picture that the project makes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

_DPI = 150
# Differences are drawn this many times as strong, around mid-grey.
_AMPLIFICATION = 5


def _show(axes, image: np.ndarray) -> None:
    """Draw one image `(height, width, channels)` in [0, 1], without ticks."""
    axes.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
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
    figure.savefig(path, dpi=_DPI)


def save_image_grid(
    path: str | Path,
    images: np.ndarray,
    title: str,
    captions: Sequence[str] = (),
    columns: int = 10,
) -> None:
    """Save images in rows.

    Args:
        path: Where to write; the ending names the format.
        images: Array `(count, height, width, channels)` in [0, 1].
        title: str. Over the figure.
        captions: One text for each image, over it.
        columns: int. Images in a row.
    """
    rows = -(-len(images) // columns)
    height = 1.3 if captions else 1.1
    figure = Figure(figsize=(1.1 * columns, height * rows + 0.4), layout="constrained")
    figure.suptitle(title, fontsize=10)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, image in zip(grid, images, strict=False):
        _show(axes, image)
    for axes in grid[len(images) :]:
        axes.set_axis_off()
    for axes, caption in zip(grid, captions, strict=False):
        axes.set_title(caption, fontsize=7, pad=3)
    figure.savefig(path, dpi=_DPI)


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


def save_history(
    path: str | Path, history: Sequence[dict[str, float]], title: str, loss: str
) -> None:
    """Save the curves of training and validation loss, on a logarithmic scale.

    Args:
        path: Where to write.
        history: One dict for each epoch, with `"loss"` and `"val_loss"`; of a variational model
            with `"val_distortion"` too, which is drawn beside them.
        title: str. Over the figure.
        loss: str. What the loss is.
    """
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    epochs = np.arange(1, len(history) + 1)
    axes.plot(epochs, [row["loss"] for row in history], marker=".", label="training")
    validation = [row["val_loss"] for row in history]
    axes.plot(epochs, validation, marker=".", label="validation")
    if "val_distortion" in history[0]:
        distortion = [row["val_distortion"] for row in history]
        axes.plot(epochs, distortion, ":", color="C1", label="validation, distortion alone")
        loss = f"{loss} + weighted KL"
    best = int(np.argmin(validation))
    axes.plot(
        epochs[best],
        validation[best],
        "o",
        color="C1",
        markerfacecolor="none",
        markersize=10,
        label=f"best: {validation[best]:.5f} in epoch {epochs[best]}",
    )
    axes.set_yscale("log")
    axes.set_title(title, fontsize=10)
    axes.set_xlabel("epoch")
    axes.set_ylabel(f"loss ({loss})")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(which="both", alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=_DPI)


def save_rate_distortion(
    path: str | Path, curves: dict[tuple[str, str], Sequence[dict]], title: str
) -> None:
    """Save quality over rate: PSNR to the left, MS-SSIM (where there is one) to the right.

    Args:
        path: Where to write.
        curves: For each codec and layout, its points: dicts with `"bpp"`, `"psnr"` and
            `"ms_ssim"`. A codec has one colour, the second layout dashed lines.
        title: str. Over the figure.
    """
    points = [point for curve in curves.values() for point in curve]
    panels = {"psnr": "PSNR [dB], mean over images"}
    if all(point["ms_ssim"] is not None for point in points):
        panels["ms_ssim"] = "MS-SSIM"
    codecs, layouts = (list(dict.fromkeys(names)) for names in zip(*curves, strict=True))
    figure = Figure(figsize=(5.2 * len(panels) + 1.2, 4.6), layout="constrained")
    figure.suptitle(title, fontsize=10)
    all_axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (key, label) in zip(all_axes, panels.items(), strict=True):
        for (codec, layout), curve in curves.items():
            axes.plot(
                [point["bpp"] for point in curve],
                [point[key] for point in curve],
                ("o-", "s--")[layouts.index(layout)],
                color=f"C{codecs.index(codec)}",
                markersize=4,
                label=codec if len(layouts) == 1 else f"{codec}, {layout}",
            )
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_xlabel("bits per pixel, of whole files")
        axes.set_ylabel(label)
        axes.grid(which="both", alpha=0.3)
    all_axes[-1].legend(fontsize=7)
    figure.savefig(path, dpi=_DPI)
