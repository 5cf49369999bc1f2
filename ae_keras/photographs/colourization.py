"""Photographs of any size through a colourizer.

Chroma is predicted from small copies of the photograph, and enlarged; the lightness is that of the
photograph itself, so that no detail is lost. In a small copy the model sees what things are, in a
larger one where they end; but there it sees only parts of large things, and gives each part a
colour of its own: blotches. The mean over copies of some sizes has fewer of them than any alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ae_keras.codec.planes import split_alpha
from ae_keras.codec.runtimes import load_litert_form
from ae_keras.photographs.colour_scores import (
    as_rgb,
    has_any_colour,
    judged_copy,
    score_colours,
)
from ae_keras.photographs.hints import GRID, Hint, apply_hints, check_places, to_grid
from ae_keras.photographs.job_files import (
    check_target,
    encode_photograph,
    note_all,
    read_photograph,
    write_target,
)
from ae_keras.photographs.jobs import STANDARD, Job, Result
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.loading import find_run, load_model
from ae_keras.system import storage
from ae_keras.system.colour import grey_to_lightness, lab_to_rgb, rgb_to_lab, to_grey
from ae_keras.system.pixels import to_uint8, to_unit_range
from ae_keras.system.quiet import import_backend_quietly
from ae_keras.system.safe_files import write_safely

# Pixels whose colours are computed together.
STRIP_PIXELS = 2**19
# Of the default working sizes to the training images.
_SIZES = (1, 2, 4)


class PhotoColourizer:
    """A trained colourizer for photographs of any size.

    Args:
        run: str. A run folder, or its name.
        working_sizes: Sequence of int. Longer sides, in pixels, of the copies that the model sees.
            Default: one, two and four times that of its training images.
        runtime: str. That runs the model, see `ae_keras.load_codec`.
        threads: int. Of LiteRT.

    Raises:
        FileNotFoundError: if there is no such run, or its model is not there for the runtime.
        ValueError: if it holds no colourizer, or a size is too small for it.
    """

    def __init__(
        self,
        run: str,
        working_sizes: Sequence[int] | None = None,
        runtime: str | None = None,
        threads: int | None = None,
    ):
        folder = find_run(run)
        self.recipe = folder.recipe
        self._network, self._multiple = _load_network(folder, runtime, threads)
        longest = max(self.recipe.image_shape[:2])
        self._sizes = tuple(working_sizes or (times * longest for times in _SIZES))
        if min(self._sizes) < self._multiple:
            raise ValueError(
                f"A working size must be at least {self._multiple}. Received: {min(self._sizes)}"
            )

    def __call__(self, image: np.ndarray, hints: Sequence[Hint] = ()) -> np.ndarray:
        """Return a photograph in colour.

        Args:
            image: uint8 array `(height, width)` or `(height, width, 1 to 4)`: grey, grey and
                alpha, RGB, RGB and alpha. Of colours only the lightness is used; alpha is kept.
            hints: Colours that are known of some places.

        Returns:
            uint8 array `(height, width, 3)`, or `(height, width, 4)` with alpha. Its lightness is
            that of the image, to one grey level.

        Raises:
            ValueError: if it is not such an array, or a hint lies outside it.
            ModuleNotFoundError: if there are hints, and SciPy is not installed.
        """
        photograph, alpha = split_alpha(image, 3)
        height, width = photograph.shape[:2]
        check_places(hints, width, height)
        chroma = self._predict(photograph)
        if hints:
            chroma = _with_hints(chroma, photograph, hints)
        columns, rows = _enlarged_columns(chroma, width), _interpolation(len(chroma), height)
        colours = np.empty((height, width, 3), np.uint8)
        count = max(1, STRIP_PIXELS // width)
        for first in range(0, height, count):
            strip = slice(first, first + count)
            lab = [_lightness(photograph[strip]), np.tensordot(rows[strip], columns, axes=1)]
            colours[strip] = to_uint8(lab_to_rgb(np.concatenate(lab, axis=-1)))
        return colours if alpha is None else np.dstack([colours, alpha])

    def _predict(self, photograph: np.ndarray) -> np.ndarray:
        """Return chroma `(height, width, 2)`, of half the largest working size."""
        chroma = [self._predict_at(photograph, size) for size in sorted(self._sizes)]
        height, width = chroma[-1].shape[:2]
        return np.mean([_enlarged(part, height, width) for part in chroma], axis=0)

    def _predict_at(self, photograph: np.ndarray, size: int) -> np.ndarray:
        """Return chroma `(height, width, 2)`, of half a working size."""
        multiple, scale = self._multiple, size / max(photograph.shape[:2])
        height, width = (
            max(multiple, round(side * scale / multiple) * multiple)
            for side in photograph.shape[:2]
        )
        small = _resized(photograph, (width, height))
        return self._network(to_grey(np.asarray(small, np.float32)[np.newaxis] / 255))[0]


def _resized(photograph: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a photograph as uint8 RGB of another size `(width, height)`."""
    image = Image.fromarray(as_rgb(photograph))
    return np.asarray(image.resize(size, Image.Resampling.BOX))


def _with_hints(chroma: np.ndarray, photograph: np.ndarray, hints: Sequence[Hint]) -> np.ndarray:
    """Return chroma `(height, width, 2)`, of another size, that keeps to hints."""
    height, width = photograph.shape[:2]
    scale = min(1.0, GRID / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    guess = np.dstack([to_grid(part, size) for part in np.moveaxis(chroma, -1, 0)])
    lightness = _lightness(_resized(photograph, size))[..., 0]
    return apply_hints(guess, lightness, hints, (width, height))


def _load_network(
    run: RunFolder, runtime: str | None, threads: int | None
) -> tuple[Callable[[np.ndarray], np.ndarray], int]:
    """Load what predicts the chroma of grey images at half their size, and what these must be.

    Returns:
        A function of arrays `(batch, height, width, 1)` in [0, 1], and what height and width must
        be multiples of.
    """
    no_colourizer = f"{str(run.path)!r} holds {run.recipe.model!r}, which is no colourizer."
    form = load_litert_form(run, runtime, threads)
    if form is not None:
        exported, multiple = form[0], form[1].multiple
        if multiple is None or "chroma" not in exported.signatures:
            raise ValueError(no_colourizer)
        return lambda grey: exported.run("chroma", {"grey": grey})["chroma"], multiple
    import_backend_quietly()
    from keras import ops

    model: Any = load_model(run.model)
    if "colourization" not in model.tasks:
        raise ValueError(no_colourizer)
    return lambda grey: ops.convert_to_numpy(model.predict_chroma(grey)), model.multiple


def _enlarged(chroma: np.ndarray, height: int, width: int) -> np.ndarray:
    return np.tensordot(
        _interpolation(len(chroma), height), _enlarged_columns(chroma, width), axes=1
    )


def _enlarged_columns(chroma: np.ndarray, width: int) -> np.ndarray:
    return np.einsum("hwc,Ww->hWc", chroma, _interpolation(chroma.shape[1], width))


def _interpolation(size: int, larger: int) -> np.ndarray:
    """Return the matrix `(larger, size)` that enlarges a row of values, by cubic interpolation."""
    unit = Image.fromarray(np.eye(size, dtype=np.float32))
    return np.asarray(unit.resize((size, larger), Image.Resampling.BICUBIC))


def _lightness(photograph: np.ndarray) -> np.ndarray:
    """Return L of uint8 pixels, grey or RGB, as float32 `(height, width, 1)`."""
    if photograph.shape[2] == 1:
        levels = np.arange(256, dtype=np.float32) / 255
        return grey_to_lightness(levels)[photograph]
    return rgb_to_lab(to_unit_range(photograph))[..., :1]


@dataclass(frozen=True)
class Colourization:
    """How to colourize files.

    Args:
        colourizer: PhotoColourizer.
        force: bool. Replace files that are there.
        side_by_side: bool. Write a figure beside each result: what went in, what came out and,
            where the input has colours, these.
        output_quality: int. From 1 to 100, of JPEG, WebP and AVIF files. Default: (almost) no loss.
        hints: Colours that are known of some places.
    """

    colourizer: PhotoColourizer
    force: bool = False
    side_by_side: bool = False
    output_quality: int | None = None
    hints: tuple[Hint, ...] = ()

    def __call__(self, job: Job) -> Result:
        """Colourize one file; one that has colours is scored against them.

        The result is in sRGB, and has no metadata.

        Raises:
            ValueError: if it is not an image, or cannot be written in the format of its name.
            OSError: if files cannot be read or written.
        """
        figure = self._figure_of(job)
        for target in (job, figure):
            if target is not None:
                check_target(target, self.force)
        photograph = read_photograph(job.source, keep_metadata=False, in_srgb=True)
        image = np.asarray(photograph.pixels)
        colourized = self.colourizer(image, self.hints)
        has_colours = has_any_colour(image)
        data, lost = encode_photograph(
            colourized, photograph.metadata, job.target, self.output_quality
        )
        write_target(job, data)
        note_all(job, [*photograph.notes, *lost])
        if figure is not None:
            with write_safely(figure.target) as path:
                _write_side_by_side(path, image, colourized, has_colours, job.source)
        scores = score_colours(image, colourized) if has_colours else {}
        return Result(
            job,
            input_size=photograph.size,
            size=len(data),
            shape=image.shape,
            scores=scores,
        )

    def _figure_of(self, job: Job) -> Job | None:
        if not self.side_by_side:
            return None
        if job.target == STANDARD or storage.is_url(job.target):
            raise ValueError(
                "A figure side by side needs an output that is a file or a folder of this machine."
            )
        target = Path(job.target)
        return Job(job.source, str(target.with_name(f"{target.stem}-side-by-side.png")))


def _write_side_by_side(
    path: Path, original: np.ndarray, result: np.ndarray, has_colours: bool, source: str
) -> None:
    from ae_keras import figures  # slow to import, and seldom needed

    original, result = (to_unit_range(judged_copy(image)[..., :3]) for image in (original, result))
    grey = to_grey(original)
    images = {"grey": as_rgb(grey), "colourized": result}
    if has_colours:
        images["original"] = original
    figures.save_image_grid(
        path, np.stack(list(images.values())), Path(source).name, list(images), len(images), 4.0
    )
