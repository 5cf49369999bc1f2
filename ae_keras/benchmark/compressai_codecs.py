"""CompressAI's hyperpriors, to be timed beside our codecs: their weights are not trained.

What they compute does not depend on the weights, and so their time hardly does. The bytes of their
files do, and say nothing here.
"""

from typing import Any

import numpy as np
import torch
from compressai.zoo import bmshj2018_hyperprior, mbt2018_mean

# Images are padded to whole multiples, as their hyper-latents need it.
_BLOCK = 64


class CompressAICodec:
    """A model of CompressAI on the CPU.

    Args:
        model: One of its `compress` and `decompress`.
    """

    def __init__(self, model: Any):
        self._model = model.eval()
        self._model.update()  # the tables of its entropy coder

    @torch.inference_mode()
    def compress(self, image: np.ndarray) -> tuple[dict[str, Any], tuple[int, int]]:
        """Return the strings of a uint8 image `(height, width, 3)`, and its height and width."""
        height, width = image.shape[:2]
        padding = ((0, -height % _BLOCK), (0, -width % _BLOCK), (0, 0))
        padded = torch.from_numpy(np.pad(image, padding, mode="edge"))
        pixels = padded.permute(2, 0, 1)[None].float() / 255
        return self._model.compress(pixels), (height, width)

    @torch.inference_mode()
    def decompress(self, data: tuple[dict[str, Any], tuple[int, int]]) -> np.ndarray:
        """Return the uint8 image of what `compress` returned."""
        coded, (height, width) = data
        pixels = self._model.decompress(coded["strings"], coded["shape"])["x_hat"]
        bytes_of_pixels = (255 * pixels.clamp(0, 1)).round().to(torch.uint8)
        return bytes_of_pixels[0, :, :height, :width].permute(1, 2, 0).numpy()


def make_compressai_codecs() -> dict[str, CompressAICodec]:
    """Return the codecs by name: each model in its two sizes, which all qualities have in common.

    The sizes are those of `N` and `M`, channels of the convolutions and of the latents.
    """
    models = {
        "bmshj2018-hyperprior, quality 1 to 5": bmshj2018_hyperprior(1, pretrained=False),
        "bmshj2018-hyperprior, quality 6 to 8": bmshj2018_hyperprior(8, pretrained=False),
        "mbt2018-mean, quality 1 to 4": mbt2018_mean(1, pretrained=False),
        "mbt2018-mean, quality 5 to 8": mbt2018_mean(8, pretrained=False),
    }
    return {f"CompressAI {name}": CompressAICodec(model) for name, model in models.items()}
