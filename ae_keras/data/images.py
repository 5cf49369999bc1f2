"""The images of a data set as uint8 arrays, in memory where they fit and on disk where not."""

import contextlib
import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ae_keras.data.image_source import ImageSource, default_memory_limit
from ae_keras.data.photographs import load_photographs
from ae_keras.data.sources import open_source
from ae_keras.data.spec import DataSpec
from ae_keras.data.splits import SPLITS, check_splits, is_of
from ae_keras.system import notices
from ae_keras.system.safe_files import remove_leftovers, write_folder_safely
from ae_keras.system.text_tables import one_line


@dataclass(frozen=True)
class Images:
    """The images of one split of a data set.

    Args:
        images: uint8 array `(count, height, width, channels)`; a `numpy.memmap` where they do not
            fit into memory.
        labels: int array, or None.
        class_names: Names of the labels, if any.
        left_out: Files that could not be read, where they are left out.
    """

    images: np.ndarray
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def pick(self, count: int) -> "Images":
        """Return so many images (all, if there are fewer), evenly spaced over these."""
        count = min(count, len(self.images))
        chosen = np.linspace(0, len(self.images) - 1, count).astype(int)
        labels = None if self.labels is None else self.labels[chosen]
        return Images(np.asarray(self.images[chosen]), labels, self.class_names)


def load_images(
    spec: DataSpec, splits: Sequence[str] = SPLITS, memory_limit: int | None = None
) -> dict[str, Images]:
    """Read the images of a spec; if it has `crops`, crops of photographs in a fixed grid.

    Args:
        spec: DataSpec.
        splits: Which of `"train"`, `"validation"` and `"test"` to read; or `"all"`.
        memory_limit: int. Bytes above which the images are kept in files, in the folder that
            `AE_KERAS_CACHE` names (default `~/.cache/ae_keras`), and found there the next time.
            Default: a quarter of this machine's memory.

    Returns:
        The `Images` of each split. What is left out, or of a file, is told on stderr.

    Raises:
        ValueError: if the data set is unknown, does not fit the spec, or a split is empty.
        OSError: if files are missing or a data set cannot be downloaded.
    """
    check_splits(splits)
    if spec.crops is not None:
        photographs = load_photographs(spec, splits, memory_limit)
        return {split: Images(some.grid_crops()) for split, some in photographs.items()}
    source = open_source(spec)
    counts = _count(source, splits, spec.dataset)
    size = sum(counts.values()) * int(np.prod(spec.image_shape))
    if size <= (default_memory_limit() if memory_limit is None else memory_limit):
        arrays = {
            split: np.empty((count, *spec.image_shape), np.uint8) for split, count in counts.items()
        }
        data = _collect(source, arrays, spec.dataset)
    else:
        data = _collect_on_disk(source, counts, spec)
    for path in (path for images in data.values() for path in images.left_out):
        print(f"left out: {one_line(path)}", file=sys.stderr)
    notices.say()
    return data


def _count(source: ImageSource, splits: Sequence[str], name: str) -> dict[str, int]:
    counts = {split: int(is_of(source.splits, split).sum()) for split in splits}
    for split, count in counts.items():
        if count == 0:
            raise ValueError(
                f"Data set {name!r} has {len(source.splits)} images and leaves none for the split "
                f"{split!r}. Expected at least 10 images."
            )
    return counts


def _collect(
    source: ImageSource, arrays: Mapping[str, np.ndarray], title: str
) -> dict[str, Images]:
    """Read the images of some splits of a source into arrays made for them."""
    indices = np.flatnonzero(np.any([is_of(source.splits, split) for split in arrays], axis=0))
    read: dict[str, list[np.ndarray]] = {split: [] for split in arrays}
    labels: dict[str, list[np.ndarray]] = {split: [] for split in arrays}
    with tqdm(
        total=len(indices), desc=f"reading {title}", unit="image", delay=1, disable=None
    ) as progress:
        for batch in source.read(indices):
            for split in arrays:
                chosen = is_of(source.splits[batch.indices], split)
                start = sum(map(len, read[split]))
                arrays[split][start : start + chosen.sum()] = batch.images[chosen]
                read[split].append(batch.indices[chosen])
                if batch.labels is not None:
                    labels[split].append(batch.labels[chosen])
            progress.update(len(batch.indices))
    return {
        split: _finish(source, array, split, read[split], labels[split])
        for split, array in arrays.items()
    }


def _finish(
    source: ImageSource,
    array: np.ndarray,
    split: str,
    parts: Sequence[np.ndarray],
    labels: Sequence[np.ndarray],
) -> Images:
    read = np.concatenate(parts) if parts else np.empty(0, int)
    missing = np.setdiff1d(np.flatnonzero(is_of(source.splits, split)), read)
    if len(read) == 0:
        raise ValueError(f"None of the {len(missing)} images of {split!r} can be read.")
    return Images(
        images=array[: len(read)],
        labels=np.concatenate(labels) if labels else None,
        class_names=source.class_names,
        left_out=tuple(str(source.paths[index]) for index in missing),
    )


def _collect_on_disk(
    source: ImageSource, counts: dict[str, int], spec: DataSpec
) -> dict[str, Images]:
    root = Path(os.environ.get("AE_KERAS_CACHE", "~/.cache/ae_keras")).expanduser()
    identity = repr((spec.dataset, spec.image_shape, spec.enlarge, spec.skip_unreadable, counts))
    identity += source.fingerprint
    digest = hashlib.sha256(identity.encode() + source.splits.tobytes()).hexdigest()[:16]
    folder = root / digest
    with contextlib.suppress(OSError):  # of a cache that may only be read
        remove_leftovers(root)
    if not folder.is_dir():
        with write_folder_safely(folder) as temporary:
            _fill(temporary, source, counts, spec)
    return {split: _open_from_disk(folder, split, source.class_names) for split in counts}


def _fill(folder: Path, source: ImageSource, counts: dict[str, int], spec: DataSpec) -> None:
    """Write the images of some splits of a source into a folder."""
    arrays = {
        split: np.lib.format.open_memmap(
            folder / f"{split}.npy", "w+", np.uint8, (count, *spec.image_shape)
        )
        for split, count in counts.items()
    }
    for split, images in _collect(source, arrays, spec.dataset).items():
        arrays[split].flush()
        details: dict[str, Any] = {"count": len(images.images), "left_out": images.left_out}
        if images.labels is not None:
            details["labels"] = images.labels
        np.savez(folder / f"{split}-details.npz", **details)


def _open_from_disk(folder: Path, split: str, class_names: tuple[str, ...]) -> Images:
    path = folder / f"{split}-details.npz"
    try:
        with open(path, "rb") as file, np.load(file) as archive:
            details = dict(archive)
        path = folder / f"{split}.npy"
        images = np.load(path, mmap_mode="r")[: int(details["count"])]
    except Exception as error:  # of many types, where a file is damaged
        raise ValueError(
            f"Cannot read the images that are kept in {str(path)!r}: {error}. Delete that folder: "
            "it is made again."
        ) from error
    return Images(
        images=images,
        labels=details.get("labels"),
        class_names=class_names,
        left_out=tuple(details["left_out"].tolist()),
    )
