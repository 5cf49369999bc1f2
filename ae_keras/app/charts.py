"""Curves as SVG, in the colours of the page, light or dark; no library is needed to draw them."""

import html
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence

_WIDTH, _HEIGHT = 480, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 14, 14, 50
# Distinct on white and on black, for colour-blind readers too: near those of Okabe and Ito.
_COLOURS = ("#2f8fd8", "#d9722b", "#1aa179", "#c76fa5")
_MOST_DOTS = 30

Points = Sequence[tuple[float, float]]


def draw_chart(
    curves: Mapping[str, Points],
    labels: tuple[str, str],
    marked: tuple[float, float] | None = None,
    is_log: tuple[bool, bool] = (False, False),
) -> str:
    """Return curves as an SVG element, and their names below it.

    Args:
        curves: For each name its points, by rising x, all finite.
        labels: What x and y are, with their units.
        marked: A point with a ring around it.
        is_log: Whether x and y have logarithmic scales.
    """
    points = [point for curve in curves.values() for point in curve]
    points += [] if marked is None else [marked]
    if not points:
        return ""
    across = _Axis([x for x, _ in points], (_LEFT, _WIDTH - _RIGHT), is_log[0])
    up = _Axis([y for _, y in points], (_HEIGHT - _BOTTOM, _TOP), is_log[1])
    parts = [_draw_grid(across, up), _draw_labels(*labels)]
    for curve, colour in zip(curves.values(), itertools.cycle(_COLOURS), strict=False):
        places = [(across.place(x), up.place(y)) for x, y in curve]
        parts.append(_draw_curve(places, colour))
    if marked is not None:
        x, y = across.place(marked[0]), up.place(marked[1])
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" class="mark"/>')
    title = html.escape(f"{labels[1]} over {labels[0]}: {', '.join(curves)}")
    return (
        f'<figure class="chart"><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{title}">{"".join(parts)}</svg>'
        f"<figcaption>{_write_names(curves)}</figcaption></figure>"
    )


class _Axis:
    """Values to places along one side of a chart.

    Args:
        values: All that are shown.
        ends: The places of the lowest and of the highest.
        is_log: bool.
    """

    def __init__(self, values: Sequence[float], ends: tuple[float, float], is_log: bool):
        self._is_log = is_log and min(values) > 0
        scaled = [self._scale(value) for value in values]
        low, high = min(scaled), max(scaled)
        margin = 0.05 * (high - low) or 0.5
        self._low, self._high, self._ends = low - margin, high + margin, ends

    def _scale(self, value: float) -> float:
        return math.log10(value) if self._is_log else value

    def place(self, value: float) -> float:
        """Return where a value stands."""
        share = (self._scale(value) - self._low) / (self._high - self._low)
        return self._ends[0] + share * (self._ends[1] - self._ends[0])

    def ticks(self) -> list[float]:
        """Return round values to be named: 1, 2 and 5 times powers of ten."""
        if self._is_log:
            decades = range(math.floor(self._low), math.ceil(self._high) + 1)
            ticks = [digit * 10.0**power for power in decades for digit in (1, 2, 5)]
            ticks = ticks if len(decades) < 5 else ticks[::3]
            return [tick for tick in ticks if self._low <= math.log10(tick) <= self._high]
        rough = (self._high - self._low) / 5
        power = 10.0 ** math.floor(math.log10(rough))
        step = power * next(digit for digit in (1, 2, 5, 10) if digit * power >= rough)
        first, last = math.ceil(self._low / step), math.floor(self._high / step)
        return [number * step for number in range(first, last + 1)]


def _draw_grid(across: _Axis, up: _Axis) -> str:
    parts = []
    for tick in across.ticks():
        x = across.place(tick)
        parts.append(f'<path d="M{x:.1f} {_TOP}V{_HEIGHT - _BOTTOM}" class="grid"/>')
        text = f'x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle"'
        parts.append(f"<text {text}>{tick:.4g}</text>")
    for tick in up.ticks():
        y = up.place(tick)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" class="grid"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:.4g}</text>')
    return "".join(parts)


def _draw_labels(x_label: str, y_label: str) -> str:
    middle = (_HEIGHT - _BOTTOM + _TOP) / 2
    x, y = (html.escape(label) for label in (x_label, y_label))
    return (
        f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 8}" text-anchor="middle">{x}'
        f'</text><text transform="translate(14 {middle}) rotate(-90)" text-anchor="middle">{y}'
        "</text>"
    )


def _draw_curve(places: Points, colour: str) -> str:
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in places)
    dots = dots if len(places) <= _MOST_DOTS else ""
    return (
        f'<g stroke="{colour}" fill="{colour}"><polyline points="{line}" fill="none" '
        f'stroke-width="2"/>{dots}</g>'
    )


def _write_names(names: Iterable[str]) -> str:
    """Return the names of curves, each after a line of its colour."""
    return " ".join(
        f'<span><span style="color:{colour}" aria-hidden="true">&#9473;</span> '
        f"{html.escape(name)}</span>"
        for name, colour in zip(names, itertools.cycle(_COLOURS), strict=False)
    )
