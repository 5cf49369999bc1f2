"""Photographs of any size, in memory: what crops are cut from, and what a codec is measured on."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from ae_keras.data.array_files import is_array_file, load_arrays, split_arrays
from ae_keras.data.image_files import find_images, read_image
from ae_keras.data.image_source import default_memory_limit
from ae_keras.data.skimage_photos import split_photographs
from ae_keras.data.sources import celeba_splits, is_folder
from ae_keras.data.spec import DEFAULT_SPLITS, DataSpec
from ae_keras.data.splits import SPLITS, assign_splits, check_splits, is_of
from ae_keras.system import notices
from ae_keras.system.text_tables import one_line

_VALIDATION, _TEST = 1, 2
# Of images that no split has.
_NOWHERE = -1


@dataclass(frozen=True)
class Photographs:
    """The photographs of one split of a data set.

    Args:
        images: uint8 arrays `(height, width, channels)`, each at least as large as a crop.
        kinds: The kind of each: its file's name up to the first "-", or that of the data set.
        crop_shape: `(height, width, channels)` of a crop.
        grid: int. The most rows and columns of crops in `grid_crops`.
    """

    images: tuple[np.ndarray, ...]
    kinds: tuple[str, ...]
    crop_shape: tuple[int, int, int]
    grid: int = 1

    def by_kind(self) -> dict[str, list[np.ndarray]]:
        """Return the whole photographs of each kind."""
        groups: dict[str, list[np.ndarray]] = {}
        for image, kind in zip(self.images, self.kinds, strict=True):
            groups.setdefault(kind, []).append(image)
        return groups

    def grid_crops(self) -> np.ndarray:
        """Return crops in a fixed grid over each photograph, uint8 `(count, *crop_shape)`.

        They share no pixel, and there are at most `grid` rows and columns of them: where that is 1,
        the middle of each photograph.
        """
        height, width, _ = self.crop_shape
        return np.stack(
            [
                image[top : top + height, left : left + width]
                for image in self.images
                for top in _spread(image.shape[0], height, self.grid)
                for left in _spread(image.shape[1], width, self.grid)
            ]
        )


def _spread(length: int, size: int, most: int) -> list[int]:
    """Return where pieces begin that lie in the middles of equal parts of a length."""
    count = min(most, length // size)
    return [((2 * number + 1) * length - count * size) // (2 * count) for number in range(count)]


def load_photographs(
    spec: DataSpec, splits: Sequence[str] = SPLITS, memory_limit: int | None = None
) -> dict[str, Photographs]:
    """Read the photographs of a folder, of a NumPy file, or those inside scikit-image.

    The subfolders `train`, `validation` and `test` of a folder are its splits, if the first and one
    of the others are there, and other files in the folder are left out; the one of validation and
    test that is missing is the other one. Any other folder is split by files, and scikit-image's
    photographs into bands of rows: photographs of different splits share no pixel.

    Args:
        spec: DataSpec. `image_shape` is that of a crop. Photographs that are smaller are left out,
            or enlarged to just hold a crop, if `enlarge` says so.
        splits: Which of `"train"`, `"validation"` and `"test"` to read; or `"all"`.
        memory_limit: int. Bytes of pixels that are not to be exceeded. Default: a quarter of this
            machine's memory.

    Returns:
        The `Photographs` of each split. What is left out is told on stderr.

    Raises:
        ValueError: if the data set is none of these, a file is not a readable image (and is not to
            be skipped), nothing is left of a split, or the photographs do not fit into memory.
        OSError: if a file is missing.
    """
    check_splits(splits)
    path = Path(spec.dataset).expanduser()
    if spec.dataset == "skimage":
        sources = {split: _read_skimage(spec, split) for split in splits}
    elif is_folder(spec.dataset):
        sources = _read_folder(path, spec, splits)
    elif is_array_file(path):
        sources = _read_arrays(path, spec, splits)
    else:
        raise ValueError(
            "Crops are cut from a folder of photographs, an .npz or .npy file, or 'skimage'. "
            f"Received: dataset={spec.dataset!r}"
        )
    limit = default_memory_limit() if memory_limit is None else memory_limit
    photographs = {split: _collect(source, spec, split, limit) for split, source in sources.items()}
    notices.say()
    return photographs


# A photograph and the name of its file; None where it cannot be read.
_Source = Iterator[tuple[Image.Image | None, str]]


def _collect(source: _Source, spec: DataSpec, split: str, limit: int) -> Photographs:
    height, width, channels = spec.image_shape
    images, kinds, small = [], [], []
    for image, name in source:
        if image is None:
            print(f"left out: {one_line(name)}", file=sys.stderr)
            continue
        if image.height < height or image.width < width:
            if not spec.enlarge:
                small.append(name)
                continue
            image = _enlarge(image, height, width)
        pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
        images.append(pixels.reshape(*pixels.shape[:2], channels))
        kinds.append(_kind(name, spec.dataset))
        limit -= pixels.nbytes
        if limit < 0:
            raise ValueError(
                f"The photographs of {spec.dataset!r} take more than the memory set aside for "
                "them. Use fewer, or make them smaller first."
            )
    if small:
        text = f"{len(small)} of {split!r} smaller than {height}x{width}, the first {small[0]!r}"
        print(f"left out: {text}", file=sys.stderr)
    if not images:
        raise ValueError(
            f"Data set {spec.dataset!r} has no photograph of at least {height}x{width} pixels "
            f"(height x width) for the split {split!r}. Add some, choose a smaller `image_shape`, "
            "or set `enlarge` to true."
        )
    return Photographs(tuple(images), tuple(kinds), spec.image_shape, spec.grid)


def _kind(name: str, dataset: str) -> str:
    beginning, dash, _ = Path(name).name.partition("-")
    return beginning if dash else Path(dataset).expanduser().stem


def _enlarge(image: Image.Image, height: int, width: int) -> Image.Image:
    scale = max(height / image.height, width / image.width)
    size = max(width, round(scale * image.width)), max(height, round(scale * image.height))
    return image.resize(size, Image.Resampling.LANCZOS)


def _read_skimage(spec: DataSpec, split: str) -> _Source:
    for rows, code in split_photographs(spec.image_shape[0], spec.splits or DEFAULT_SPLITS):
        if is_of(code, split):
            yield Image.fromarray(rows), "skimage"


def _read_arrays(path: Path, spec: DataSpec, splits: Sequence[str]) -> dict[str, _Source]:
    arrays = load_arrays(path)
    codes = split_arrays(arrays, spec)
    images = [image for part, _ in arrays for image in part]

    def read(split: str) -> _Source:
        for index in np.flatnonzero(is_of(codes, split)):
            image = images[index]
            yield Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image), path.stem

    return {split: read(split) for split in splits}


def _read_folder(folder: Path, spec: DataSpec, splits: Sequence[str]) -> dict[str, _Source]:
    paths = find_images(folder)
    own = None if spec.splits else subfolder_splits(folder, paths)
    codes = own if own is not None else _file_splits(folder, paths, spec)
    if (codes == _NOWHERE).any():
        count, first = np.sum(codes == _NOWHERE), paths[int(np.argmax(codes == _NOWHERE))]
        print(f"left out: {count} beside the folders of splits, the first {first}", file=sys.stderr)

    def read(split: str) -> _Source:
        chosen = np.flatnonzero(is_of(codes, split))
        if own is not None and len(chosen) == 0:  # validation serves as test, or test as validation
            chosen = np.flatnonzero((codes == _VALIDATION) | (codes == _TEST))
        for index in tqdm(chosen, f"reading {split}", unit="image", delay=1, disable=None):
            yield _read_file(paths[index], spec.skip_unreadable), str(paths[index])

    return {split: read(split) for split in splits}


def _file_splits(folder: Path, paths: list[Path], spec: DataSpec) -> np.ndarray:
    own = None if spec.splits else celeba_splits(folder, paths)
    return assign_splits(len(paths), own, spec.splits)


def subfolder_splits(folder: Path, paths: list[Path]) -> np.ndarray | None:
    """Return the splits of images by the subfolders they are in; None if these are no splits."""
    tops = [path.relative_to(folder).parts[0] for path in paths]
    codes = np.array([SPLITS.index(top) if top in SPLITS else _NOWHERE for top in tops], np.int8)
    is_split = (codes == 0).any() and (codes > 0).any()
    return codes if is_split else None


def _read_file(path: Path, skip_unreadable: bool) -> Image.Image | None:
    try:
        return read_image(path)
    except ValueError as error:
        if skip_unreadable:
            return None
        raise ValueError(
            f"{str(path)!r}: {error}. Remove the file, or leave such files out with "
            "--skip-unreadable."
        ) from error
