"""Images of any size through a convolutional network, a window at a time.

Windows overlap, and of each only what lies far enough from its inner edges is taken. So the result
is that of the whole image, but for rounding, with the memory of one window.
"""

from collections.abc import Callable, Iterator

import numpy as np

from ae_keras.system.pixels import to_unit_range

# From images `(1, height, width, channels)` in [0, 1] to others of their size.
Network = Callable[[np.ndarray], np.ndarray]

# Sides of a window, and what is left out at its inner edges, in pixels: multiples of what any
# network here wants, and of the second no less than one sees: `denoiser` sees 59 at most.
_WINDOW, _MARGIN = 768, 64


def run_in_windows(
    network: Network, multiple: int, image: np.ndarray
) -> Iterator[tuple[tuple[slice, slice], np.ndarray]]:
    """Yield what a network makes of an image, part by part.

    Args:
        network: Callable.
        multiple: int. What height and width of its images must be multiples of. The image is
            mirrored at its right and lower edges to fill them.
        image: uint8 array `(height, width, channels)`.

    Yields:
        Where a part lies in the image, and its pixels, float32 `(rows, columns, channels)`.
    """
    height, width = image.shape[:2]
    lacking = (0, -height % multiple), (0, -width % multiple), (0, 0)
    padded = np.pad(image, lacking, mode="symmetric")
    for top, rows in _pieces(padded.shape[0]):
        for left, columns in _pieces(padded.shape[1]):
            window = padded[top : top + _WINDOW, left : left + _WINDOW]
            result = network(to_unit_range(window[np.newaxis]))[0]
            part = (
                slice(rows.start, min(rows.stop, height)),
                slice(columns.start, min(columns.stop, width)),
            )
            within = result[
                part[0].start - top : part[0].stop - top, part[1].start - left : part[1].stop - left
            ]
            yield part, within


def _pieces(side: int) -> Iterator[tuple[int, slice]]:
    """Yield where windows along a side begin, and which of its pixels are taken from each."""
    done = 0
    while done < side:
        start = min(max(done - _MARGIN, 0), max(side - _WINDOW, 0))
        end = start + _WINDOW
        stop = side if end >= side else end - _MARGIN
        yield start, slice(done, stop)
        done = stop
