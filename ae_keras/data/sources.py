"""Sources: the images of a data set and the part (training, validation, test) of each.

A source knows how many images there are and reads the chosen ones; `ae_keras.data.loading`
collects them. The parts depend on the data set and the recipe's shares alone, never on its seed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ae_keras.data.image_files import find_images, fit_image, read_image
from ae_keras.data.parts import PARTS, complete_parts, shuffled_parts
from ae_keras.data.skimage_photos import cut_photographs
from ae_keras.data.tfds_builder import prepared_builder
from ae_keras.recipe import DEFAULT_SPLITS, Recipe

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

_BATCH = 1000


@dataclass(frozen=True)
class Batch:
    """Some images as they were read.

    Args:
        indices: int array. Which images of the source these are.
        images: uint8 array `(count, height, width, channels)`.
        labels: int array, or None.
    """

    indices: np.ndarray
    images: np.ndarray
    labels: np.ndarray | None = None


@dataclass(frozen=True)
class Source:
    """Images that can be read.

    Args:
        parts: int8 array. 0, 1 or 2 for each image: training, validation or test.
        read: Takes sorted indices, yields them as `Batch`es. Unreadable images, where the recipe
            leaves them out, are missing.
        fingerprint: str. Changes when the images do.
        class_names: Names of the labels, if any.
        paths: The file of each image, if each is a file.
    """

    parts: np.ndarray
    read: Callable[[np.ndarray], Iterator[Batch]]
    fingerprint: str
    class_names: tuple[str, ...] = ()
    paths: tuple[Path, ...] = ()


def open_source(recipe: Recipe) -> Source:
    """Return the source of a recipe's data set.

    Raises:
        ValueError: if there is no such data set, or its images do not fit the recipe.
        OSError: if a file is missing or a data set cannot be downloaded.
    """
    name = recipe.dataset
    path = Path(name).expanduser()
    if name == "skimage":
        return _open_skimage(recipe)
    if name not in IMAGE_SHAPES and path.is_dir():
        return _open_folder(path, recipe)
    if path.suffix.lower() in (".npz", ".npy"):
        return _open_array_file(path, recipe)
    if path.name != name:
        raise FileNotFoundError(f"No such data set: {name!r}. Expected a folder of images.")
    return _open_tfds(recipe)


def conform(images: np.ndarray, image_shape: tuple[int, int, int]) -> np.ndarray:
    """Return uint8 images `(count, height, width, channels)` in the wanted shape.

    Raises:
        ValueError: if the images are smaller than that.
    """
    if images.shape[1:] == image_shape:
        return images
    squeezed = images[..., 0] if images.shape[-1] == 1 else images
    return np.stack([fit_image(Image.fromarray(image), image_shape) for image in squeezed])


def _open_skimage(recipe: Recipe) -> Source:
    patches, parts = cut_photographs(recipe.image_shape, recipe.splits or DEFAULT_SPLITS)

    def read(indices):
        yield Batch(indices, patches[indices])

    return Source(parts, read, "skimage")


def _celeba_parts(folder: Path, paths: list[Path]) -> np.ndarray | None:
    """Return the parts by the official CelebA partition, if it lies in or beside the folder."""
    for place in (folder, folder.parent):
        listing = place / "list_eval_partition.txt"
        if listing.is_file():
            break
    else:
        return None
    lines = (line.split() for line in listing.read_text().splitlines() if line.strip())
    part_of = {name: int(part) for name, part in lines}
    missing = [path.name for path in paths if path.name not in part_of]
    if missing:
        raise ValueError(
            f"{str(listing)!r} names no part for {len(missing)} images, the first {missing[0]!r}. "
            "Complete it, or set `splits`."
        )
    return complete_parts([part_of[path.name] for path in paths])


def _open_folder(folder: Path, recipe: Recipe) -> Source:
    paths = find_images(folder)
    parts = None if recipe.splits else _celeba_parts(folder, paths)
    if parts is None:
        parts = shuffled_parts(len(paths), recipe.splits or DEFAULT_SPLITS)

    def read_one(index):
        try:
            return fit_image(read_image(paths[index]), recipe.image_shape)
        except ValueError as error:
            if recipe.skip_unreadable:
                return None
            reason = str(error) if str(paths[index]) in str(error) else f"{paths[index]}: {error}"
            raise ValueError(
                f"{reason}. Remove the file, or leave such files out with --skip-unreadable."
            ) from error

    def read(indices):
        for start in range(0, len(indices), _BATCH):
            chunk = indices[start : start + _BATCH]
            images = [(index, read_one(index)) for index in chunk]
            readable = [(index, image) for index, image in images if image is not None]
            if readable:
                kept, stack = zip(*readable, strict=True)
                yield Batch(np.asarray(kept), np.stack(stack))

    stats = [path.stat() for path in paths]
    fingerprint = repr(
        [(p.as_posix(), s.st_size, s.st_mtime_ns) for p, s in zip(paths, stats, strict=True)]
    )
    return Source(parts, read, fingerprint, paths=tuple(paths))


def _load_arrays(path: Path) -> tuple[list[tuple[np.ndarray, np.ndarray | None]], int]:
    """Return (images, labels) of training and test, and how many of these two there are."""
    if not path.is_file():
        raise FileNotFoundError(f"No such file: {str(path)!r}")
    try:
        loaded = np.load(path, allow_pickle=False)
    except ValueError as error:
        raise ValueError(f"Cannot read {str(path)!r} as a NumPy file: {error}") from error
    if isinstance(loaded, np.ndarray):
        return [(loaded, None)]
    for images, labels in (("x", "y"), ("images", "labels")):
        for suffixes in (("_train", "_test"), ("",)):
            if images + suffixes[0] in loaded:
                return [
                    (loaded[images + suffix], loaded.get(labels + suffix)) for suffix in suffixes
                ]
    raise ValueError(
        f"{str(path)!r} holds {', '.join(map(repr, loaded))}: expected 'x_train' and 'x_test' "
        "(with 'y_train' and 'y_test' for labels), or 'images' (with 'labels')."
    )


def _check_images(images: np.ndarray, path: Path) -> np.ndarray:
    """Return the images with an axis for their channels, if they are what is expected."""
    shape = images.shape if images.ndim == 4 else (*images.shape, 1)
    if len(shape) == 4 and shape[-1] in (1, 3) and images.dtype == np.uint8:
        return images.reshape(shape)
    problem = f"{images.dtype} of shape {images.shape}"
    if np.issubdtype(images.dtype, np.floating) and np.isnan(images).any():
        problem += " with NaN"
    raise ValueError(
        f"{str(path)!r}: expected uint8 images of shape (count, height, width) or (count, height, "
        f"width, channels), with 1 or 3 channels. Received: {problem}."
    )


def _open_array_file(path: Path, recipe: Recipe) -> Source:
    arrays = [(_check_images(images, path), labels) for images, labels in _load_arrays(path)]
    counts = [len(images) for images, _ in arrays]
    if len(arrays) == 1 or recipe.splits:
        parts = shuffled_parts(sum(counts), recipe.splits or DEFAULT_SPLITS)
    else:
        parts = complete_parts(np.repeat([0, 2], counts))

    def read(indices):
        offset = 0
        for images, labels in arrays:
            here = indices[(indices >= offset) & (indices < offset + len(images))]
            for start in range(0, len(here), _BATCH):
                chunk = here[start : start + _BATCH]
                yield Batch(
                    chunk,
                    conform(images[chunk - offset], recipe.image_shape),
                    None if labels is None else labels[chunk - offset],
                )
            offset += len(images)

    status = path.stat()
    return Source(parts, read, f"{path.resolve()} {status.st_size} {status.st_mtime_ns}")


def _open_tfds(recipe: Recipe) -> Source:
    import tensorflow_datasets as tfds

    builder = prepared_builder(recipe.dataset)
    names = [name for name in PARTS if name in builder.info.splits]
    if not names:
        raise ValueError(f"Data set {recipe.dataset!r} has no split of {', '.join(PARTS)}.")
    counts = [builder.info.splits[name].num_examples for name in names]
    if recipe.splits:
        parts = shuffled_parts(sum(counts), recipe.splits)
    else:
        parts = complete_parts(np.repeat([PARTS.index(name) for name in names], counts))
    features = builder.info.features
    has_classes = "label" in features and isinstance(features["label"], tfds.features.ClassLabel)
    class_names = tuple(features["label"].names) if has_classes else ()
    # Images of different sizes cannot stand in one array.
    batch_size = 1 if None in features["image"].shape else _BATCH

    def batches():
        # One after the other: TFDS interleaves the files of splits that are asked for together.
        for name in names:
            yield from tfds.as_numpy(
                builder.as_dataset(
                    split=name,
                    shuffle_files=False,
                    batch_size=batch_size,
                    decoders=tfds.decode.PartialDecoding({"image": True, "label": has_classes}),
                )
            )

    def read(indices):
        wanted = np.zeros(sum(counts), bool)
        wanted[indices] = True
        start = 0
        for batch in batches():
            chosen = np.flatnonzero(wanted[start : start + len(batch["image"])])
            if len(chosen):
                images = conform(batch["image"][chosen], recipe.image_shape)
                labels = batch["label"][chosen] if has_classes else None
                yield Batch(chosen + start, images, labels)
            start += len(batch["image"])

    return Source(parts, read, builder.info.full_name, class_names)
