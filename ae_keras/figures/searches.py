"""Pictures of a search: its trials by what was varied, by time and by size.

A trial is a dict with `"values"`, of what was varied; `"score"`, of the objective; `"minutes"`,
from the start of the search to its end; and `"figures"`, what was measured.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from ae_keras.figures.images import DPI

_COLUMNS = 4
# Values that span more than this are drawn on a logarithmic scale.
_LOGARITHMIC = 8
_BEST = {"marker": "*", "s": 120, "color": "C3", "zorder": 3, "label": "best"}


def save_objective_by_parameter(
    path: str | Path, trials: Sequence[dict], names: Sequence[str], objective: str, title: str
) -> None:
    """Save the objective over each of what was varied, one panel each.

    Args:
        path: Where to write.
        trials: Completed ones, the best first.
        names: Of what was varied.
        objective: str. What the score is.
        title: str. Over the figure.
    """
    columns = min(len(names), _COLUMNS)
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(3.2 * columns + 0.6, 3 * rows + 0.5), layout="constrained")
    figure.suptitle(title, fontsize=10)
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    scores = [trial["score"] for trial in trials]
    for axes, name in zip(grid, names, strict=False):
        values, labels = _to_numbers([trial["values"][name] for trial in trials])
        axes.scatter(values, scores, s=20)
        axes.scatter(values[0], scores[0], **_BEST)
        _label_values(axes, values, labels)
        axes.set_xlabel(name)
        axes.grid(alpha=0.3)
    for axes in grid[::columns]:
        axes.set_ylabel(objective)
    for axes in grid[len(names) :]:
        axes.set_visible(False)
    grid[0].legend(fontsize=7)
    figure.savefig(path, dpi=DPI)


def _to_numbers(values: Sequence) -> tuple[np.ndarray, list[str]]:
    """Return values as numbers, and their labels if they are none."""
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return np.asarray(values, float), []
    labels = sorted({str(value) for value in values})
    return np.asarray([labels.index(str(value)) for value in values], float), labels


def _is_logarithmic(values: np.ndarray) -> bool:
    return values.min() > 0 and values.max() / values.min() > _LOGARITHMIC


def _label_values(axes: Axes, values: np.ndarray, labels: list[str]) -> None:
    """Choose the scale and the ticks of the x axis for some values."""
    whole = (values == np.round(values)).all()
    if labels:
        axes.set_xticks(range(len(labels)), labels)
    elif _is_logarithmic(values):
        axes.set_xscale("log", base=2 if whole else 10)
        if not whole:
            is_short = np.ptp(np.log10(values)) < 2
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if is_short else (1,)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
    elif whole:
        axes.locator_params("x", integer=True)


def save_parallel_coordinates(
    path: str | Path, trials: Sequence[dict], names: Sequence[str], objective: str, title: str
) -> None:
    """Save a line for each trial, through what was varied and its score.

    Args:
        path: Where to write.
        trials: Completed ones, the best first.
        names: Of what was varied.
        objective: str. What the score is.
        title: str. Over the figure.
    """
    figure = Figure(figsize=(1.7 * len(names) + 3.6, 4), layout="constrained")
    figure.suptitle(title, fontsize=10)
    axes = figure.subplots()
    scores = np.asarray([trial["score"] for trial in trials])
    columns = [[trial["values"][name] for trial in trials] for name in names]
    places = [_place(axes, x, column) for x, column in enumerate([*columns, list(scores)])]
    colours = ScalarMappable(Normalize(scores.min(), scores.max()), "viridis")
    for number in reversed(range(len(trials))):
        line = [place[number] for place in places]
        style = {"color": "C3", "linewidth": 2.5} if number == 0 else {"linewidth": 1.2}
        axes.plot(line, **({"color": colours.to_rgba(scores[number])} | style))
    axes.plot([], color="C3", linewidth=2.5, label="best")
    axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(0, -0.1))
    axes.set_xticks(range(len(places)), [*names, objective])
    axes.set_yticks([])
    axes.set_ylim(-0.12, 1.12)
    axes.spines[:].set_visible(False)
    figure.colorbar(colours, ax=axes, label=objective)
    figure.savefig(path, dpi=DPI)


def _place(axes: Axes, x: int, column: Sequence) -> np.ndarray:
    """Draw an axis with its ends, and return where the values lie on it, from 0 to 1."""
    values, labels = _to_numbers(column)
    ends = labels or [f"{value:.4g}" for value in (values.min(), values.max())]
    scaled = np.log(values) if not labels and _is_logarithmic(values) else values
    span = np.ptp(scaled)
    axes.axvline(x, color="0.7", linewidth=1, ymin=0.1, ymax=0.9)
    axes.text(x, -0.03, ends[0], ha="center", va="top", fontsize=7)
    if span:
        axes.text(x, 1.03, ends[-1], ha="center", va="bottom", fontsize=7)
    return (scaled - scaled.min()) / span if span else np.zeros(len(values))


def save_objective_over_time(
    path: str | Path, trials: Sequence[dict], objective: str, maximize: bool, title: str
) -> None:
    """Save the score of each trial when it ended, and the best so far.

    Args:
        path: Where to write.
        trials: Completed ones.
        objective: str. What the score is.
        maximize: bool. Whether more is better.
        title: str. Over the figure.
    """
    minutes, scores = np.asarray(
        sorted((trial["minutes"], trial["score"]) for trial in trials), float
    ).T
    best = (np.maximum if maximize else np.minimum).accumulate(scores)
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.scatter(minutes, scores, s=20, label="trial")
    axes.step(minutes, best, where="post", color="C3", label="best so far")
    axes.set_title(title, fontsize=10)
    axes.set_xlabel("minutes from the start of the search")
    axes.set_ylabel(objective)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7)
    figure.savefig(path, dpi=DPI)


def save_size_and_quality(
    path: str | Path,
    trials: Sequence[dict],
    fronts: dict[str, np.ndarray],
    labels: dict[str, str],
    objective: str,
    title: str,
) -> None:
    """Save the score over sizes, with the Pareto fronts.

    Args:
        path: Where to write.
        trials: Completed ones, the best first.
        fronts: For each of the figures to draw the score over, the points `(size, score)` of the
            trials that no other is as good as in both.
        labels: What these figures are.
        objective: str. What the score is.
        title: str. Over the figure.
    """
    figure = Figure(figsize=(4.4 * len(fronts) + 0.6, 4), layout="constrained")
    figure.suptitle(title, fontsize=10)
    all_axes = figure.subplots(1, len(fronts), squeeze=False, sharey=True)[0]
    scores = np.asarray([trial["score"] for trial in trials])
    for axes, (name, front) in zip(all_axes, fronts.items(), strict=True):
        values = np.asarray([trial["figures"][name] for trial in trials])
        axes.scatter(values, scores, s=20, label="trial")
        axes.plot(*front.T, "C3o-", markersize=4, label="Pareto front")
        _label_values(axes, values, [])
        axes.set_xlabel(labels[name])
        axes.grid(alpha=0.3)
    all_axes[0].set_ylabel(objective)
    all_axes[0].legend(fontsize=7)
    figure.savefig(path, dpi=DPI)
