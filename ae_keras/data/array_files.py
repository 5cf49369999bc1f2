"""Images in `.npz` and `.npy` files."""

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ae_keras.data.image_source import BATCH_SIZE, Batch, ImageSource, conform
from ae_keras.data.spec import DataSpec
from ae_keras.data.splits import assign_splits

# Images and, where they have any, their labels.
_Labelled = tuple[np.ndarray, np.ndarray | None]
# More are taken for numbers that are no labels.
_MOST_CLASSES = 100_000


def _load_arrays(path: Path) -> list[_Labelled]:
    """Return (images, labels) of training and test, or of all images where they are not split."""
    if not path.is_file():
        raise FileNotFoundError(f"No such file: {str(path)!r}")
    try:
        with open(path, "rb") as file:
            loaded = np.load(file, allow_pickle=False)
            arrays = {"images": loaded} if isinstance(loaded, np.ndarray) else dict(loaded)
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"Cannot read {str(path)!r} as a NumPy file: {error}") from error
    if "x_train" in arrays and "x_test" in arrays:
        return [(arrays[f"x_{split}"], arrays.get(f"y_{split}")) for split in ("train", "test")]
    if "images" in arrays:
        return [(arrays["images"], arrays.get("labels"))]
    raise ValueError(
        f"{str(path)!r} holds {', '.join(map(repr, arrays))}: expected 'x_train' and 'x_test' "
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


def _flatten_labels(labels: np.ndarray | None) -> np.ndarray | None:
    """Return labels `(count,)` of such of shape `(count, 1)`, as Keras has them."""
    if labels is None or labels.ndim != 2 or labels.shape[1] != 1:
        return labels
    return labels[:, 0]


def _check_labels(arrays: Sequence[_Labelled], path: Path) -> tuple[str, ...]:
    """Return the names of the labels, which are numbers; none if not all images have a label.

    Raises:
        ValueError: if the labels are not one number from 0 on for each image.
    """
    labelled = [(images, labels) for images, labels in arrays if labels is not None]
    if len(labelled) < len(arrays):
        return ()
    for images, labels in labelled:
        if labels.shape != (len(images),):
            raise ValueError(
                f"{str(path)!r}: expected one label for each of {len(images)} images. Received: "
                f"labels of shape {labels.shape}."
            )
        is_whole = np.issubdtype(labels.dtype, np.integer)
        if not is_whole or labels.min() < 0:
            received = f"from {labels.min()} on" if is_whole else f"of type {labels.dtype}"
            raise ValueError(
                f"{str(path)!r}: expected whole numbers from 0 on as labels. Received: labels "
                f"{received}."
            )
    largest = max(int(labels.max()) for _, labels in labelled)
    if largest >= _MOST_CLASSES:
        raise ValueError(f"{str(path)!r}: label {largest} is not below {_MOST_CLASSES:,}.")
    return tuple(map(str, range(largest + 1)))


def is_array_file(path: Path) -> bool:
    """Whether a path is that of a NumPy file, by its ending."""
    return path.suffix.lower() in (".npz", ".npy")


def load_arrays(path: Path) -> list[_Labelled]:
    """Return (images, labels) of training and test, or of all images where they are not split.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it does not hold uint8 images.
    """
    return [
        (_check_images(images, path), _flatten_labels(labels))
        for images, labels in _load_arrays(path)
    ]


def split_arrays(arrays: Sequence[_Labelled], spec: DataSpec) -> np.ndarray:
    """Return the split, 0 to 2, of each image of what `load_arrays` returned."""
    counts = [len(images) for images, _ in arrays]
    own = None if len(arrays) == 1 else np.repeat([0, 2], counts)
    return assign_splits(sum(counts), own, spec.splits)


def open_array_file(path: Path, spec: DataSpec) -> ImageSource:
    """Return the images of a file: `x_train` and `x_test`, or one array of `images`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it does not hold uint8 images, or its labels do not fit them.
    """
    arrays = load_arrays(path)
    class_names = _check_labels(arrays, path)
    splits = split_arrays(arrays, spec)

    def read(indices: np.ndarray) -> Iterator[Batch]:
        offset = 0
        for images, labels in arrays:
            here = indices[(indices >= offset) & (indices < offset + len(images))]
            for start in range(0, len(here), BATCH_SIZE):
                chunk = here[start : start + BATCH_SIZE]
                yield Batch(
                    chunk,
                    conform(images[chunk - offset], spec),
                    labels[chunk - offset] if class_names and labels is not None else None,
                )
            offset += len(images)

    status = path.stat()
    fingerprint = f"{path.resolve()} {status.st_size} {status.st_mtime_ns}"
    return ImageSource(splits, read, fingerprint, class_names)
