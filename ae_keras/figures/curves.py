"""Pictures of numbers: curves and points."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from ae_keras.figures.images import DPI

# A legend of more curves stands beside its axes.
_INSIDE = 8
# Codecs that Matplotlib's usual colours are enough for.
_COLOURS = 10


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
    axes.locator_params("x", integer=True)
    axes.grid(which="both", alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=DPI)


def save_rate_distortion(
    path: str | Path, curves: dict[tuple[str, str], Sequence[dict]], title: str
) -> None:
    """Save quality over rate: PSNR to the left, MS-SSIM (where there is one) to the right.

    Args:
        path: Where to write.
        curves: For each codec and layout, its points: dicts with `"bpp"`, `"psnr"` and
            `"ms_ssim"`. A codec has one colour, the second layout dashed lines. A legend of many
            stands beside the axes.
        title: str. Over the figure.
    """
    points = [point for curve in curves.values() for point in curve]
    panels = {"psnr": "PSNR [dB], mean over images"}
    if all(point["ms_ssim"] is not None for point in points):
        panels["ms_ssim"] = "MS-SSIM"
    codecs, layouts = (list(dict.fromkeys(names)) for names in zip(*curves, strict=True))
    colours = colormaps["tab20" if len(codecs) > _COLOURS else "tab10"]
    is_beside = len(curves) > _INSIDE
    width = 5.2 * len(panels) + (2.6 if is_beside else 1.2)
    figure = Figure(figsize=(width, 4.6), layout="constrained")
    figure.suptitle(title, fontsize=10)
    all_axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (key, label) in zip(all_axes, panels.items(), strict=True):
        for (codec, layout), curve in curves.items():
            axes.plot(
                [point["bpp"] for point in curve],
                [point[key] for point in curve],
                ("o-", "s--")[layouts.index(layout)],
                color=colours(codecs.index(codec) % colours.N),
                markersize=4,
                label=codec if len(layouts) == 1 else f"{codec}, {layout}",
            )
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_xlabel("bits per pixel, of whole files")
        axes.set_ylabel(label)
        axes.grid(which="both", alpha=0.3)
    place = {"loc": "upper left", "bbox_to_anchor": (1, 1)} if is_beside else {}
    all_axes[-1].legend(fontsize=7, **place)
    figure.savefig(path, dpi=DPI)


@dataclass(frozen=True)
class Panel:
    """Curves that share a pair of axes.

    Args:
        curves: For each label its x and y, and a Matplotlib format such as `"C0o--"` if need be.
        xlabel: str. With the unit.
        ylabel: str. With the unit.
        title: str. Over the axes.
        xscale: `"linear"`, or `"log"`: to the base 2.
        yscale: `"linear"`, or `"log"`: to the base 10.
    """

    curves: dict[str, tuple]
    xlabel: str
    ylabel: str
    title: str = ""
    xscale: str = "linear"
    yscale: str = "linear"


def save_curves(path: str | Path, panels: Sequence[Panel], title: str) -> None:
    """Save panels of curves, side by side; the last one's legend is that of others with its labels.

    Args:
        path: Where to write; the ending names the format.
        panels: From left to right.
        title: str. Over the figure.
    """
    figure = Figure(figsize=(4.6 * len(panels) + 1, 4), layout="constrained")
    figure.suptitle(title, fontsize=10)
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        for label, (x, y, *style) in panel.curves.items():
            axes.plot(x, y, *(style or ["o-"]), markersize=4, label=label)
        if panel.xscale == "log":
            axes.set_xscale("log", base=2)
            axes.xaxis.set_major_formatter("{x:g}")
        elif all(isinstance(value, int) for x, *_ in panel.curves.values() for value in x):
            axes.locator_params("x", integer=True)
        axes.set_yscale(panel.yscale)
        axes.set_title(panel.title, fontsize=9)
        axes.set_xlabel(panel.xlabel)
        axes.set_ylabel(panel.ylabel)
        axes.grid(which="both", alpha=0.3)
        if panel is panels[-1] or panel.curves.keys() != panels[-1].curves.keys():
            beside = {"loc": "center left", "bbox_to_anchor": (1, 0.5)}
            axes.legend(fontsize=7, **(beside if len(panel.curves) > _INSIDE else {}))
    figure.savefig(path, dpi=DPI)


def save_label_maps(
    path: str | Path,
    maps: dict[str, tuple[np.ndarray, np.ndarray]],
    title: str,
    columns: int = 2,
    names: tuple[str, str] = ("first principal component", "second"),
) -> None:
    """Save points of the plane, coloured by their labels.

    Args:
        path: Where to write; the ending names the format.
        maps: For each caption, points `(count, 2)` and their labels, integers from 0 to 9.
        title: str. Over the figure.
        columns: int. Maps in a row.
        names: Of what is across and what is up.
    """
    rows = -(-len(maps) // columns)
    figure = Figure(figsize=(4.2 * columns + 0.8, 4 * rows + 0.4), layout="constrained")
    figure.suptitle(title, fontsize=10)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (caption, (points, labels)) in zip(grid, maps.items(), strict=False):
        drawn = axes.scatter(*points.T, c=labels, s=2, cmap="tab10", vmin=-0.5, vmax=9.5)
        axes.set_title(caption, fontsize=9)
        axes.set_xlabel(names[0])
        axes.set_ylabel(names[1])
    figure.colorbar(drawn, ax=grid.tolist(), ticks=range(10), label="label", shrink=0.6)
    figure.savefig(path, dpi=DPI)
