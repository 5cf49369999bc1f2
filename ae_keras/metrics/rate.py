"""Rates of files, and curves of rate and quality."""

from collections.abc import Sequence

import numpy as np


def bits_per_pixel(size: int, height: int, width: int) -> float:
    """Return the bits of a file of `size` bytes for each pixel of its image."""
    return 8 * size / (height * width)


def pareto_front(rates: Sequence[float], quality: Sequence[float]) -> np.ndarray:
    """Return the points `(rate, quality)` that no other is as good as in both, by rising rate."""
    points = np.array(
        sorted(zip(rates, quality, strict=True), key=lambda point: (point[0], -point[1]))
    )
    best = np.maximum.accumulate(points[:, 1])
    return points[np.append(True, points[1:, 1] > best[:-1])]


def bd_rate(
    anchor_rates: Sequence[float],
    anchor_quality: Sequence[float],
    rates: Sequence[float],
    quality: Sequence[float],
) -> float | None:
    """Return how much more rate a codec takes than an anchor for the same quality, in percent.

    The logarithm of the rate is interpolated over the quality (monotone cubic, pchip), and the
    difference averaged over the qualities that both curves reach. Points of a curve that another
    of its points beats, at a lower rate, are left out.

    Args:
        anchor_rates: Bits per pixel of the anchor's points.
        anchor_quality: Their quality, in dB.
        rates: Bits per pixel of the codec's points.
        quality: Their quality.

    Returns:
        Percent; negative if the codec takes less. None if the curves share no range of quality.

    Reference:
        - Bjontegaard, 2001: VCEG-M33
    """
    from scipy import interpolate  # which who only compresses does without

    curves = [pareto_front(anchor_rates, anchor_quality), pareto_front(rates, quality)]
    lowest = max(curve[0, 1] for curve in curves)
    highest = min(curve[-1, 1] for curve in curves)
    if not lowest < highest or min(map(len, curves)) < 2:
        return None

    means = [
        interpolate.PchipInterpolator(curve[:, 1], np.log(curve[:, 0])).integrate(lowest, highest)
        / (highest - lowest)
        for curve in curves
    ]
    return float(100 * np.expm1(means[1] - means[0]))
