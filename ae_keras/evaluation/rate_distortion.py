"""Rate against distortion: real files of a model and of classical codecs, over the same images.

Small images of a data set are coded in two ways: a file for each, and mosaics of 20x20 images as
one image each, which is fairer to formats with a large header. Photographs of a folder are coded as
they are, whatever their sizes.

A point is a dict:

- `codec`; `layout`: `"file an image"` or `"mosaic"`; `quality`: None of a lossless codec;
- `images`: how many;
- `bpp`: bits per pixel of the whole files;
- `mse`: mean over the images, in units of [0, 1] squared;
- `psnr`: mean over the images, in dB, where a perfect one counts as 100; None if all are;
- `ms_ssim`: mean over the images; None if they are too small;
- `compress_ms`, `decompress_ms`: milliseconds of an image.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ae_keras import figures, metrics
from ae_keras.codec.protocols import Codec
from ae_keras.data.image_files import find_images, read_image
from ae_keras.data.images import load_images
from ae_keras.data.own_splits import default_split
from ae_keras.evaluation.contenders import Contender, load_contenders
from ae_keras.evaluation.known_points import read_points
from ae_keras.recipe import Recipe
from ae_keras.registry import change_recipe
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.loading import find_run, results_folder
from ae_keras.system import notices
from ae_keras.system.pixels import to_unit_range
from ae_keras.system.safe_files import write_safely, write_text
from ae_keras.system.text_tables import to_csv

# Small images are also coded as square mosaics of so many on a side.
_MOSAIC_SIDE = 20
_CHUNK_PIXELS = 2**22
# Above that of any image with an error: 84 dB, one grey level in one value of 32x32x3.
PERFECT_PSNR = 100.0

Point = dict[str, Any]
# Images of one shape in an array, or of any shapes.
AnyImages = np.ndarray | list[np.ndarray]


def measure_rate_distortion(
    run: str | Path,
    dataset: str | None = None,
    split: str | None = None,
    against: Sequence[str] = ("jpeg", "webp"),
    qualities: Sequence[int] | None = None,
    limit: int | None = None,
    output_dir: str | Path | None = None,
    skip_unreadable: bool = False,
    curves: str | Path | None = None,
    efforts: Sequence[int] = (1,),
) -> tuple[list[Point], dict[tuple[str, str], float | None], list[Path]]:
    """Measure rate and distortion of a trained model and of classical codecs.

    Args:
        run: A run folder, or its name. Its entropy tables are fitted first if it has none.
        dataset: As of `ae_keras.evaluate`; but a folder's photographs are taken whole.
        split: Of the data set, as of `ae_keras.evaluate`.
        against: Names of classical codecs, see `ae_keras.codec.classical.make_codec`; any other is
            the path or name of a run, by the name of whose folder its points go.
        qualities: Of learned codecs and of linear transforms, from 1 to 100. Default: each one's.
        limit: int. Take only so many images.
        output_dir: Where to write a table and a figure. Default: the run folder, or what
            `results_folder` says.
        skip_unreadable: bool. Leave files that are not readable images out.
        curves: A table of points of the same images, measured before or published, to compare with
            too; see `ae_keras.evaluation.known_points`.
        efforts: Those of the model's codec, see `ae_keras.load_codec`.

    Returns:
        The measured points, the BD-rates of the model (see `compare`), and the two files.

    Raises:
        FileNotFoundError: if there is no such run.
        ValueError: if a codec, data set or quality is unknown, or does not fit the model.
        OSError: if files cannot be read or written.
    """
    folder, known = find_run(run), [] if curves is None else read_points(curves)
    skip = skip_unreadable or folder.recipe.skip_unreadable
    recipe = change_recipe(folder.recipe, skip_unreadable=skip)
    contenders = load_contenders(folder, recipe, against, qualities, efforts)
    images, name = _read_images(recipe, dataset, split, limit)
    points = _measure_all(contenders, images)
    files = _write(points, known, folder, name, len(images), output_dir)
    return points, compare([*points, *known]), files


def _measure_all(contenders: Sequence[Contender], images: AnyImages) -> list[Point]:
    """Return the points of all codecs, in all layouts and at all qualities."""
    layouts = {"file an image": list(images)}
    if isinstance(images, np.ndarray) and len(images) >= 4:
        layouts["mosaic"] = make_mosaics(images)
    jobs = [
        (contender, layout, quality)
        for contender in contenders
        for layout in layouts
        for quality in contender.qualities
    ]
    return [
        {"codec": contender.name, "layout": layout, "quality": quality}
        | measure_codec(_at(contender.codec, quality, layout), layouts[layout], images)
        for contender, layout, quality in tqdm(jobs, "measuring codecs", disable=None)
    ]


def _read_images(
    recipe: Recipe, dataset: str | None, split: str | None, limit: int | None
) -> tuple[AnyImages, str]:
    """Return images, as one array where they are of one shape, and what to call them."""
    if dataset is not None and Path(dataset).expanduser().is_dir():
        place = Path(dataset).expanduser().resolve()
        return _read_photographs(place, limit, recipe.skip_unreadable), place.name
    shape, skip, trained_on = recipe.image_shape, recipe.skip_unreadable, recipe.data_spec
    recipe = change_recipe(recipe, dataset, image_shape=shape, skip_unreadable=skip)
    split = split or default_split(recipe.data_spec, trained_on)
    images = load_images(recipe.data_spec, [split])[split].images
    count = min(limit or len(images), len(images))
    chosen = np.linspace(0, len(images) - 1, count).astype(int)
    return np.asarray(images[chosen]), f"{recipe.data_name}-{split}"


def _read_photographs(folder: Path, limit: int | None, skip: bool) -> list[np.ndarray]:
    images = []
    for path in find_images(folder)[:limit]:
        try:
            images.append(np.atleast_3d(np.asarray(read_image(path))))
        except ValueError as error:
            if not skip:
                raise ValueError(
                    f"{str(path)!r}: {error}. Leave such files out with --skip-unreadable."
                ) from error
            print(f"left out: {path}", file=sys.stderr)
    notices.say()
    return images


def _at(codec: Codec, quality: int | None, layout: str) -> Codec:
    codec = codec if quality is None else codec.with_quality(quality)
    # The images of a mosaic are tiles of their own, unless the model takes any size.
    return codec.with_overlap(0) if layout == "mosaic" else codec


def make_mosaics(images: np.ndarray) -> list[np.ndarray]:
    """Return square mosaics of images; those left over at the end are in none."""
    side = min(_MOSAIC_SIDE, int(len(images) ** 0.5))
    height, width, channels = images.shape[1:]
    count = len(images) // side**2
    grid = images[: count * side**2].reshape(count, side, side, height, width, channels)
    return list(grid.swapaxes(2, 3).reshape(count, side * height, side * width, channels))


def cut_mosaics(mosaics: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the images, of shape `(height, width, channels)`, of mosaics of `make_mosaics`."""
    height, width, channels = shape
    rows, columns = mosaics.shape[1] // height, mosaics.shape[2] // width
    grid = mosaics.reshape(len(mosaics), rows, height, columns, width, channels)
    return grid.swapaxes(2, 3).reshape(-1, height, width, channels)


def measure_codec(codec: Codec, coded: Sequence[np.ndarray], images: AnyImages) -> Point:
    """Compress and decompress images with a codec.

    Args:
        codec: Codec.
        coded: What it is given: the images, or mosaics of them.
        images: The images, uint8 `(height, width, channels)`, in one array or a list.

    Returns:
        The measured figures of a point; quality is that of the single images.
    """
    size, pixels, seconds = 0, 0, np.zeros(2)
    squares, similarities = [], []
    for chunk in _in_chunks(coded):
        files, restored, spent = round_trip(codec, chunk)
        size, seconds = size + sum(map(len, files)), seconds + spent
        pixels += sum(image.shape[0] * image.shape[1] for image in chunk)
        originals = np.stack(chunk)
        if isinstance(images, np.ndarray):
            originals, restored = (cut_mosaics(x, images.shape[1:]) for x in (originals, restored))
        originals, restored = (to_unit_range(x) for x in (originals, restored))
        squares.append(metrics.mse(originals, restored))
        if metrics.count_scales(*originals.shape[1:3]):
            similarities.append(metrics.ms_ssim(originals, restored))
    errors = np.concatenate(squares)
    psnr = np.minimum(metrics.psnr(errors), PERFECT_PSNR).mean()
    compress, decompress = 1000 * seconds / len(errors)
    return {
        "images": len(errors),
        "bpp": metrics.bits_per_pixel(size, 1, pixels),
        "mse": float(errors.mean()),
        "psnr": float(psnr) if errors.any() else None,
        "ms_ssim": float(np.concatenate(similarities).mean()) if similarities else None,
        "compress_ms": float(compress),
        "decompress_ms": float(decompress),
    }


def _in_chunks(images: Sequence[np.ndarray]) -> Iterator[list[np.ndarray]]:
    """Yield neighbours of one shape, few enough for the memory."""
    chunk: list[np.ndarray] = []
    for image in images:
        pixels = len(chunk) * image.shape[0] * image.shape[1]
        if chunk and (image.shape != chunk[0].shape or pixels > _CHUNK_PIXELS):
            yield chunk
            chunk = []
        chunk.append(image)
    yield chunk


def round_trip(
    codec: Codec, images: Sequence[np.ndarray]
) -> tuple[list[bytes], np.ndarray, np.ndarray]:
    """Return the files of images of one shape, the images they hold, and seconds each way."""
    start = time.perf_counter()
    files = codec.compress_many(images)
    middle = time.perf_counter()
    decoded = codec.decompress_many(files)
    end = time.perf_counter()
    restored = np.stack([np.atleast_3d(image) for image in decoded])
    # Grey that a format has turned into colour is grey again.
    return files, restored[..., : images[0].shape[-1]], np.array([middle - start, end - middle])


def compare(points: Sequence[Point]) -> dict[tuple[str, str], float | None]:
    """Return the BD-rate of the first codec against each other one, for each layout."""
    curves = _curves(points)
    model = points[0]["codec"]
    return {
        (codec, layout): metrics.bd_rate(
            *(
                [point[key] for point in curve]
                for curve in (others, curves[model, layout])
                for key in ("bpp", "psnr")
            )
        )
        for (codec, layout), others in curves.items()
        if codec != model
    }


def _curves(points: Sequence[Point]) -> dict[tuple[str, str], Sequence[Point]]:
    """Return the lossy points of each codec and layout."""
    curves: dict[tuple[str, str], list[Point]] = {}
    for point in points:
        if point["psnr"] is not None:
            curves.setdefault((point["codec"], point["layout"]), []).append(point)
    return {**curves}


def _write(
    points: Sequence[Point],
    known: Sequence[Point],
    folder: RunFolder,
    name: str,
    count: int,
    output_dir: str | Path | None,
) -> list[Path]:
    output_dir = Path(output_dir or results_folder(folder))
    output_dir.mkdir(parents=True, exist_ok=True)
    table, figure = (output_dir / f"rate_distortion-{name}.{end}" for end in ("csv", "png"))
    header = list(points[0])
    write_text(table, to_csv(header, [[point[name] for name in header] for point in points]))
    title = f"{folder.recipe.model} ({folder.recipe.data_name}) on {count:,} images of {name}"
    with write_safely(figure) as path:
        figures.save_rate_distortion(path, _curves([*points, *known]), title)
    return [table, figure]
