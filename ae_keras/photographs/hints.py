"""Colours that a user gives at a few places of a photograph, spread over what belongs together.

What a hint asks for beyond the model's own guess is spread as far as the lightness hardly changes:
neighbouring pixels of equal lightness shall have equal chroma. That is the idea of Levin,
Lischinski and Weiss, "Colorization using optimization", 2004; here it corrects a guess, and fades
with the distance, so that one hint does not colour a whole photograph.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageColor

from ae_keras.system.colour import rgb_to_lab
from ae_keras.system.invocation import install
from ae_keras.system.pixels import to_unit_range

# Longer side, in pixels, of the grid on which hints are spread.
GRID = 256
# Neighbours whose lightness differs by so much, of 100, hardly pull at each other.
_CONTRAST = 3.0
# How strongly pixels hold to the model's guess, and to a hint, beside equally light neighbours.
_GUESS, _HINT = 1e-4, 1e3
# How strongly neighbours pull at each other at least, so that the equations have one solution.
_LEAST = 1e-6


@dataclass(frozen=True)
class Hint:
    """A colour at a place.

    Args:
        x: int. Of the pixel, from the left.
        y: int. From the top.
        colour: Red, green and blue, 0 to 255.
    """

    x: int
    y: int
    colour: tuple[int, int, int]

    @classmethod
    def parse(cls, text: str) -> "Hint":
        """Read a hint such as `"120,80=#a03020"`; the colour may be a name of CSS.

        Raises:
            ValueError: if it is none.
        """
        place, _, colour = text.partition("=")
        try:
            x, y = map(int, place.split(","))
            red, green, blue, *_ = ImageColor.getrgb(colour.strip())
        except ValueError:
            raise ValueError(
                f"Expected a hint X,Y=COLOUR such as 120,80=#a03020. Received: {text!r}"
            ) from None
        return cls(x, y, (red, green, blue))

    @property
    def chroma(self) -> np.ndarray:
        """Its a and b of CIE LAB, float32."""
        colour = to_unit_range(np.array(self.colour, np.uint8).reshape(1, 1, 3))
        return rgb_to_lab(colour)[0, 0, 1:]


def check_places(hints: Sequence[Hint], width: int, height: int) -> None:
    """Raise `ValueError` if a hint lies outside an image."""
    for hint in hints:
        if not (0 <= hint.x < width and 0 <= hint.y < height):
            raise ValueError(
                f"The hint at {hint.x},{hint.y} lies outside the photograph, which has "
                f"{width}x{height} pixels, counted from 0."
            )


def apply_hints(
    chroma: np.ndarray, lightness: np.ndarray, hints: Sequence[Hint], size: tuple[int, int]
) -> np.ndarray:
    """Return chroma that has the colours of hints where these are, and around them.

    Args:
        chroma: Array `(height, width, 2)`, the model's guess on the grid.
        lightness: Array `(height, width)`, 0 to 100, on the same grid.
        hints: In pixels of the photograph.
        size: Width and height of the photograph.

    Raises:
        ModuleNotFoundError: if SciPy is not installed.
    """
    sparse = _import_sparse()
    height, width = lightness.shape
    places = [hint.y * height // size[1] * width + hint.x * width // size[0] for hint in hints]
    weights, wanted = np.zeros(height * width), np.zeros((height * width, 2))
    for place, hint in zip(places, hints, strict=True):
        weights[place] += _HINT
        wanted[place] += _HINT * (hint.chroma - chroma.reshape(-1, 2)[place])
    matrix = _smoothness(lightness) + sparse.diags(weights + _GUESS)
    change = sparse.linalg.spsolve(matrix.tocsc(), wanted)
    return chroma + change.reshape(chroma.shape).astype(chroma.dtype)


def _import_sparse() -> Any:
    try:
        import scipy.sparse.linalg
    except ModuleNotFoundError as error:
        message = f"Hints need SciPy. Install what training needs: {install('train')}"
        raise ModuleNotFoundError(message, name="scipy") from error
    return scipy.sparse


def _smoothness(lightness: np.ndarray) -> Any:
    """Return the matrix of the sum, over neighbours, of their weighted squared differences."""
    sparse = _import_sparse()
    numbers = np.arange(lightness.size).reshape(lightness.shape)
    first = np.concatenate([numbers[:, :-1].ravel(), numbers[:-1].ravel()])
    second = np.concatenate([numbers[:, 1:].ravel(), numbers[1:].ravel()])
    difference = lightness.ravel()[first] - lightness.ravel()[second]
    weights = np.exp(-((difference / _CONTRAST) ** 2)) + _LEAST
    links = sparse.coo_matrix((weights, (first, second)), (lightness.size, lightness.size))
    links = links + links.T
    return sparse.diags(np.asarray(links.sum(axis=1)).ravel()) - links


def to_grid(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return float32 values `(height, width)` at the size `(width, height)`, by cubic filtering."""
    image = Image.fromarray(np.asarray(values, np.float32))
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC))
