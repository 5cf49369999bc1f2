"""Images of any size through a trained model, which takes noise away.

A model that is made for it takes an image window after window, see `windows`; an autoencoder in
tiles, through its latents. These are not quantized on the way, but for a model that takes a
quality: only quantization takes anything away there, and what files of its default quality keep is
what comes back.
"""

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from ae_keras.codec.layout import Layout, batch_size
from ae_keras.codec.loading import load_codec
from ae_keras.codec.planes import Planes, split_alpha
from ae_keras.codec.runtimes import load_litert_form, load_transform
from ae_keras.codec.tiling import Tiling
from ae_keras.codec.transform import ModelTransform
from ae_keras.photographs.job_files import (
    check_target,
    encode_photograph,
    note_all,
    notes_of_kind,
    read_photograph,
    write_target,
)
from ae_keras.photographs.jobs import Job, Result
from ae_keras.photographs.windows import Network, run_in_windows
from ae_keras.recipe import Recipe
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.loading import find_run, load_model
from ae_keras.system.pixels import to_unit_range
from ae_keras.system.quiet import import_backend_quietly

# The share of a tile of fixed size that overlaps the next: here it costs time only.
_OVERLAP_SHARE = 4


class Denoiser:
    """A trained model for images of any size.

    Args:
        run: str. A run folder, or its name. Trained with `task` `"denoising"`, or at least with a
            latent that has no room for noise.
        runtime: str. That runs the model, see `ae_keras.load_codec`.
        threads: int. Of LiteRT.

    Raises:
        FileNotFoundError: if there is no such run, or its model is not there for the runtime.
        ValueError: if its model is damaged, or needs labels.
    """

    def __init__(self, run: str, runtime: str | None = None, threads: int | None = None):
        folder = find_run(run)
        self.recipe, self._codec = folder.recipe, None
        self._network = _load_network(folder, runtime, threads)
        if self._network is not None:
            return
        transform, _ = load_transform(folder, runtime, threads)
        if not isinstance(transform, ModelTransform):
            self._codec = load_codec(folder.path, runtime=runtime, threads=threads)
            return
        if transform.classes is not None:
            raise ValueError(f"{str(run)!r} needs labels, which an image file does not have.")
        self._transform = transform

    @property
    def channels(self) -> int:
        """Of the images that the model was trained on."""
        return self.recipe.image_shape[2]

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Return an image without its noise.

        Args:
            image: uint8 array `(height, width)` or `(height, width, 1 to 4)`: grey, grey and
                alpha, RGB, RGB and alpha. Alpha is kept as it is.

        Returns:
            uint8 array of the same shape.

        Raises:
            ValueError: if it is not such an array, or does not fit the model.
        """
        if self._codec is not None:
            codec = self._codec.with_max_pixels(image.size)
            return codec.decompress(codec.compress(image)).reshape(image.shape)
        colour, alpha = split_alpha(image, self.channels)
        height, width, channels = colour.shape
        planes = Planes(channels, self.channels)
        cleaned = np.empty((height, width, channels + (alpha is not None)), np.uint8)
        if self._network is not None:
            _clean_in_windows(*self._network, colour, planes, cleaned)
        else:
            layout = Layout.plan(self._tile((height, width)), planes)
            strips = (self._restore(strip) for strip in layout.cut(colour))
            layout.join(strips, cleaned[..., :channels])
        if alpha is not None:
            cleaned[..., -1] = alpha
        return cleaned.reshape(np.shape(image))

    def _tile(self, size: tuple[int, int]) -> Tiling:
        tile, overlap = self._transform.tile_for(size)
        if overlap and not self._transform.takes_any_size:
            overlap = min(tile) // _OVERLAP_SHARE
        return Tiling(size, tile, overlap)

    def _restore(self, tiles: np.ndarray) -> np.ndarray:
        """Return the reconstructions of uint8 tiles, in [0, 1]."""
        count = batch_size(tiles.shape[1:3])
        batches = (tiles[first : first + count] for first in range(0, len(tiles), count))
        encode, decode = self._transform.encode, self._transform.decode
        return np.concatenate([decode(encode(to_unit_range(batch))) for batch in batches])


def _load_network(
    run: RunFolder, runtime: str | None, threads: int | None
) -> tuple[Network, int] | None:
    """Load a model that is made to denoise, and what sides of its images must be multiples of.

    Returns:
        None if the run holds another model.
    """
    form = load_litert_form(run, runtime, threads)
    if form is not None:
        exported, multiple = form[0], form[1].multiple
        if multiple is None or "denoise" not in exported.signatures:
            return None
        return lambda noisy: exported.run("denoise", {"noisy": noisy})["images"], multiple
    import_backend_quietly()

    model: Any = load_model(run.model)
    if model.has_latent or "denoising" not in model.tasks:
        return None
    return _in_keras(model, run.recipe), model.multiple


def _in_keras(trained: Any, recipe: Recipe) -> Network:
    """Return a model as a function of images of any size, whose products are float32."""
    import keras

    from ae_keras.registry import build_from_recipe

    model: Any = build_from_recipe(recipe, image_shape=(None, None, recipe.image_shape[2]))
    model.set_weights(trained.get_weights())
    if keras.config.backend() == "tensorflow":  # XLA would compile again for every size
        model.jit_compile = False
    lock = threading.Lock()  # Keras promises nothing of several threads

    def network(noisy: np.ndarray) -> np.ndarray:
        with lock:
            return np.asarray(model.predict_on_batch(noisy), np.float32)

    return network


def _clean_in_windows(
    network: Network, multiple: int, colour: np.ndarray, planes: Planes, cleaned: np.ndarray
) -> None:
    """Write what a network makes of an image's planes into the channels of another image."""
    for number, plane in enumerate(planes.split(colour)):
        channels = slice(number * planes.width, (number + 1) * planes.width)
        for (rows, columns), part in run_in_windows(network, multiple, plane):
            cleaned[rows, columns, channels] = planes.to_pixels(part)


@dataclass(frozen=True)
class Denoising:
    """How to denoise files.

    Args:
        denoiser: Denoiser.
        force: bool. Replace files that are there.
        output_quality: int. From 1 to 100, of JPEG, WebP and AVIF files. Default: (almost) no loss.
    """

    denoiser: Denoiser
    force: bool = False
    output_quality: int | None = None

    def __call__(self, job: Job) -> Result:
        """Denoise one file; its metadata are kept, but for an ICC profile of another than sRGB.

        Colours of such a profile are converted to sRGB, of which the model's images are.

        Raises:
            ValueError: if it is not an image, does not fit the model, or cannot be written in the
                format of its name.
            OSError: if files cannot be read or written.
        """
        check_target(job, self.force)
        photograph = read_photograph(job.source, in_srgb=True)
        image = np.asarray(photograph.pixels)
        cleaned = self.denoiser(image)
        data, lost = encode_photograph(
            cleaned, photograph.metadata, job.target, self.output_quality
        )
        write_target(job, data)
        note_all(job, [*photograph.notes, *lost, *notes_of_kind(image, self.denoiser.channels)])
        return Result(job, input_size=photograph.size, size=len(data), shape=image.shape)
