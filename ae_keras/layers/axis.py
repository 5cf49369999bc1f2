"""How a convolution joins the pixels of two images along one axis."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Axis:
    """Height or width of the big and of the small image that a convolution joins.

    Pixel `o` of the small image and pixel `h = o * stride - before + i` of the big one share the
    tap `i` of the kernel. A convolution goes from the big image to the small one, a transposed
    convolution with the same taps from the small one to the big one.

    Args:
        kernel: int. Taps.
        stride: int.
        before: int. Padding before the first pixel of the big image.
        after: int. Padding after its last pixel.
        big: int or None. Pixels of the big image; `None`: any number.
        small: int or None. Pixels of the small image.
    """

    kernel: int
    stride: int
    before: int
    after: int
    big: int | None
    small: int | None

    @property
    def is_known(self) -> bool:
        """Whether the sizes are known."""
        return self.big is not None and self.small is not None

    @property
    def pixels(self) -> tuple[int, int]:
        """Pixels of the big and of the small image.

        Raises:
            ValueError: if they are not known.
        """
        if self.big is None or self.small is None:
            raise ValueError("The sizes of the images are not known.")
        return self.big, self.small

    @property
    def is_whole(self) -> bool:
        """Whether the big image has exactly `stride` pixels for each pixel of the small one."""
        return self.is_known and self.pixels[0] == self.pixels[1] * self.stride

    @property
    def is_same(self) -> bool:
        """Whether the padding is what backends call "same" for these sizes."""
        if not self.is_known:
            return False
        big, small = self.pixels
        if small != -(-big // self.stride):
            return False
        padding = max((small - 1) * self.stride + self.kernel - big, 0)
        return (self.before, self.after) == (padding // 2, padding - padding // 2)

    def taps(self) -> np.ndarray:
        """Return `(kernel, big, small)`: 1 where a tap joins two pixels, else 0."""
        tap, big, small = np.ogrid[: self.kernel, : self.big, : self.small]
        return (big == small * self.stride - self.before + tap).astype(np.float32)
