"""Random crops of photographs: where they lie, and how they are cut.

Each crop takes the same number of random values, whatever the settings, so that a share of, say,
mirrored crops changes nothing else.
"""

import math

import numpy as np
from PIL import Image

from ae_keras.data.camera import add_grain, soften_colours
from ae_keras.data.photographs import Photographs
from ae_keras.data.spec import CropSpec

# Random values of a crop: the photograph, whether it is reduced, and by how much, top, left,
# flip, turn, soft colours, grain, and how much of it.
_DRAWS = 10
# Pixels that the Lanczos filter takes from beyond each side, of the reduced photograph.
_FILTER = 3


class Cropper:
    """Cuts random crops of some photographs.

    Args:
        photographs: Photographs.
        spec: CropSpec.

    Raises:
        ValueError: if the spec weighs kinds, and they are not those of the photographs.
    """

    def __init__(self, photographs: Photographs, spec: CropSpec):
        self._images, self._shape = photographs.images, photographs.crop_shape
        self._spec = spec
        self._bounds = np.cumsum(_shares(photographs, spec.weights))

    def cut(self, count: int, rng: np.random.Generator, rows: slice = slice(None)) -> np.ndarray:
        """Return some crops, uint8 `(crops, height, width, channels)`.

        Args:
            count: int. How many are drawn.
            rng: Generator.
            rows: slice. Those that are cut. Default: all.
        """
        first, last, _ = rows.indices(count)
        crops = np.empty((last - first, *self._shape), np.uint8)
        draws = rng.random((count, _DRAWS))
        for number, draw in enumerate(draws[:last].tolist()):
            if number >= first:
                crops[number - first] = self._cut_one(draw, rng)
            elif self._has_grain(draw):
                rng.standard_normal(self._shape, np.float32)  # which those after it rely on
        return crops

    def _has_grain(self, draw: list[float]) -> bool:
        return self._spec.grain > 0 and draw[-2] < 0.5

    def _cut_one(self, draw: list[float], rng: np.random.Generator) -> np.ndarray:
        spec, (height, width, channels) = self._spec, self._shape
        which, reduces, amount, top, left, flips, turns, softens, _, deviation = draw
        # The last bound is 1 but for rounding.
        number = min(int(np.searchsorted(self._bounds, which, "right")), len(self._images) - 1)
        image = self._images[number]
        turned = turns < spec.turn and image.shape[0] >= width and image.shape[1] >= height
        size = (width, height) if turned else (height, width)
        factor = spec.reduce + (1 - spec.reduce) * amount if reduces < spec.reduce_share else 1.0
        crop = cut_region(image, size, factor, top, left)
        if turned:
            crop = np.rot90(crop, 1 if turns < spec.turn / 2 else 3)
        if flips < spec.flip:
            crop = crop[:, ::-1]
        if self._has_grain(draw):
            crop = add_grain(crop, spec.grain * deviation, rng)
        if softens < spec.soft_colours and channels == 3:
            crop = soften_colours(np.ascontiguousarray(crop))
        return crop


def cut_region(
    image: np.ndarray, size: tuple[int, int], factor: float, top: float, left: float
) -> np.ndarray:
    """Return a part of a photograph that is made smaller.

    Args:
        image: uint8 array `(height, width, channels)`, at least as large as the part.
        size: Height and width of the part.
        factor: float, at most 1. By how much the photograph is made smaller; less, where the part
            would not fit.
        top: float. Where the part lies, from 0, at the upper edge, to just below 1.
        left: float. The same for its left edge.

    Returns:
        uint8 array `(*size, channels)`.
    """
    factor = max(factor, size[0] / image.shape[0], size[1] / image.shape[1])
    # In pixels of the photograph; rounding must not lead beyond its edge.
    height, width = (min(s / factor, n) for s, n in zip(size, image.shape[:2], strict=True))
    first_row = int(top * (image.shape[0] - math.ceil(height) + 1))
    first_column = int(left * (image.shape[1] - math.ceil(width) + 1))
    if factor >= 1:
        return image[first_row : first_row + size[0], first_column : first_column + size[1]]
    margin = math.ceil(_FILTER / factor)
    above, before = min(margin, first_row), min(margin, first_column)
    region = image[
        first_row - above : first_row + math.ceil(height) + margin,
        first_column - before : first_column + math.ceil(width) + margin,
    ]
    picture = Image.fromarray(region[..., 0] if region.shape[-1] == 1 else region)
    box = (before, above, before + width, above + height)
    reduced = picture.resize((size[1], size[0]), Image.Resampling.LANCZOS, box)
    return np.asarray(reduced).reshape(*size, image.shape[-1])


def _shares(photographs: Photographs, weights: dict[str, float]) -> np.ndarray:
    """Return how often each photograph is drawn; the sum is 1."""
    # All alike, however large: two crops of one photograph are more alike than those of two.
    shares = np.ones(len(photographs.images))
    if weights:
        kinds = np.array(photographs.kinds)
        if set(weights) != set(kinds.tolist()):
            raise ValueError(
                f"`weights` of `crops` must name the kinds of the data set: "
                f"{', '.join(sorted(set(kinds.tolist())))}. Received: {weights}"
            )
        for kind, weight in weights.items():
            shares[kinds == kind] *= weight / shares[kinds == kind].sum()
    return shares / shares.sum()
