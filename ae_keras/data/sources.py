"""Sources: where the images of a data set come from.

The splits (training, validation, test) of a source depend on the data set and the given shares
alone, never on its seed.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from ae_keras.data.array_files import is_array_file, open_array_file
from ae_keras.data.image_files import find_images, fit_image, read_image
from ae_keras.data.image_source import BATCH_SIZE, Batch, ImageSource
from ae_keras.data.skimage_photos import cut_photographs
from ae_keras.data.spec import DEFAULT_SPLITS, DataSpec
from ae_keras.data.splits import assign_splits
from ae_keras.data.tfds_images import open_tfds
from ae_keras.system.notices import note

# Of data sets whose images all have one small size.
IMAGE_SHAPES = {
    "cifar10": (32, 32, 3),
    "cifar100": (32, 32, 3),
    "emnist": (28, 28, 1),
    "fashion_mnist": (28, 28, 1),
    "kmnist": (28, 28, 1),
    "mnist": (28, 28, 1),
    "svhn_cropped": (32, 32, 3),
}
# By this factor a photograph becomes a thumbnail.
_MUCH_SMALLER = 4


def dataset_key(name: str) -> str:
    """Return what names a data set, however it is written: a path, or a TFDS name and version."""
    path = Path(name).expanduser()
    if name not in IMAGE_SHAPES and path.exists():
        return str(path.resolve())
    return name.partition(":")[0]


def is_folder(name: str) -> bool:
    """Whether a data set is a folder of images."""
    return dataset_key(name) not in IMAGE_SHAPES and Path(name).expanduser().is_dir()


def open_source(spec: DataSpec) -> ImageSource:
    """Return the source of a data set.

    Raises:
        ValueError: if there is no such data set, or its images do not fit the spec.
        OSError: if a file is missing or a data set cannot be downloaded.
    """
    name = spec.dataset
    path = Path(name).expanduser()
    if name == "skimage":
        return _open_skimage(spec)
    if is_folder(name):
        return _open_folder(path, spec)
    if is_array_file(path):
        return open_array_file(path, spec)
    return open_tfds(spec)


def _open_skimage(spec: DataSpec) -> ImageSource:
    patches, splits = cut_photographs(spec.image_shape, spec.splits or DEFAULT_SPLITS)

    def read(indices: np.ndarray) -> Iterator[Batch]:
        yield Batch(indices, patches[indices])

    return ImageSource(splits, read, "skimage")


def celeba_splits(folder: Path, paths: list[Path]) -> np.ndarray | None:
    """Return the splits by the official CelebA partition, if it lies in or beside the folder."""
    listings = [place / "list_eval_partition.txt" for place in (folder, folder.parent)]
    listing = next(filter(Path.is_file, listings), None)
    if listing is None:
        return None
    split_of = {}
    for number, line in enumerate(listing.read_text(encoding="utf-8").splitlines(), start=1):
        name, _, split = line.strip().partition(" ")
        if name and split.strip() not in ("0", "1", "2"):
            raise ValueError(
                f"{str(listing)!r}, line {number}: expected a file name and 0, 1 or 2. "
                f"Received: {line!r}"
            )
        split_of[name] = int(split or 0)
    missing = [path.name for path in paths if path.name not in split_of]
    if missing:
        raise ValueError(
            f"{str(listing)!r} names no split for {len(missing)} images, the first {missing[0]!r}. "
            "Complete it, or set `splits`."
        )
    return np.asarray([split_of[path.name] for path in paths], np.int8)


def _note_reduction(image: Image.Image, path: Path, spec: DataSpec) -> None:
    """Note that a photograph is made so small that crops of it would be another thing."""
    height, width, _ = spec.image_shape
    if min(image.height / height, image.width / width) >= _MUCH_SMALLER:
        note(
            f"the whole photograph is made small, to {width} x {height} pixels. To train on crops "
            "of photographs: --set 'crops={\"grid\": 4}' --set steps_per_epoch=500",
            str(path),
        )


def _open_folder(folder: Path, spec: DataSpec) -> ImageSource:
    paths = find_images(folder)
    own = None if spec.splits else celeba_splits(folder, paths)
    splits = assign_splits(len(paths), own, spec.splits)

    def read_one(index: int) -> np.ndarray | None:
        try:
            image = read_image(paths[index])
            _note_reduction(image, paths[index], spec)
            return fit_image(image, spec.image_shape, spec.enlarge)
        except ValueError as error:
            if spec.skip_unreadable:
                return None
            raise ValueError(
                f"{str(paths[index])!r}: {error}. Remove the file, or leave such files out with "
                "--skip-unreadable."
            ) from error

    def read(indices: np.ndarray) -> Iterator[Batch]:
        for start in range(0, len(indices), BATCH_SIZE):
            chunk = indices[start : start + BATCH_SIZE]
            images = [(index, read_one(index)) for index in chunk]
            readable = [(index, image) for index, image in images if image is not None]
            if readable:
                kept, stack = zip(*readable, strict=True)
                yield Batch(np.asarray(kept), np.stack(stack))

    stats = [path.stat() for path in paths]
    files = [(p.as_posix(), s.st_size, s.st_mtime_ns) for p, s in zip(paths, stats, strict=True)]
    # Images that were kept before their colours were converted are not those of today.
    fingerprint = repr(("sRGB", files))
    return ImageSource(splits, read, fingerprint, paths=tuple(paths))
