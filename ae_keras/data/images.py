"""The images of a recipe as uint8 arrays, in memory where they fit and on disk where not."""

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ae_keras.data.image_source import ImageSource
from ae_keras.data.sources import open_source
from ae_keras.data.splits import SPLITS
from ae_keras.recipe import Recipe


@dataclass(frozen=True)
class Images:
    """The images of one split of a data set.

    Args:
        images: uint8 array `(count, height, width, channels)`; a `numpy.memmap` where they do not
            fit into memory.
        labels: int array, or None.
        class_names: Names of the labels, if any.
        left_out: Files that could not be read, where the recipe leaves them out.
    """

    images: np.ndarray
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def load_images(
    recipe: Recipe, splits: Sequence[str] = SPLITS, memory_limit: int | None = None
) -> dict[str, Images]:
    """Read the images of a recipe.

    Args:
        recipe: Recipe.
        splits: Which of `"train"`, `"validation"` and `"test"` to read.
        memory_limit: int. Bytes above which the images are kept in files, in the folder that
            `AE_KERAS_CACHE` names (default `~/.cache/ae_keras`), and found there the next time.
            Default: a quarter of this machine's memory.

    Returns:
        The `Images` of each split. Files that are left out are listed on stderr.

    Raises:
        ValueError: if the data set is unknown, does not fit the recipe, or a split is empty.
        OSError: if files are missing or a data set cannot be downloaded.
    """
    for split in splits:
        if split not in SPLITS:
            raise ValueError(f"`splits` must be of {', '.join(SPLITS)}. Received: {split!r}")
    source = open_source(recipe)
    counts = _count(source, splits, recipe.dataset)
    size = sum(counts.values()) * int(np.prod(recipe.image_shape))
    if size <= (_default_memory_limit() if memory_limit is None else memory_limit):
        arrays = {
            split: np.empty((count, *recipe.image_shape), np.uint8)
            for split, count in counts.items()
        }
        data = _collect(source, arrays, recipe.dataset)
    else:
        data = _collect_on_disk(source, counts, recipe)
    for path in (path for images in data.values() for path in images.left_out):
        print(f"left out: {path}", file=sys.stderr)
    return data


def _count(source: ImageSource, splits: Sequence[str], name: str) -> dict[str, int]:
    counts = {split: int(np.sum(source.splits == SPLITS.index(split))) for split in splits}
    for split, count in counts.items():
        if count == 0:
            raise ValueError(
                f"Data set {name!r} has {len(source.splits)} images and leaves none for the split "
                f"{split!r}. Expected at least 10 images."
            )
    return counts


def _default_memory_limit() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4
    except (AttributeError, ValueError):  # not on Windows
        return 2**31


def _collect(source: ImageSource, arrays: dict[str, np.ndarray], title: str) -> dict[str, Images]:
    """Read the images of some splits of a source into arrays made for them."""
    codes = {split: SPLITS.index(split) for split in arrays}
    indices = np.flatnonzero(np.isin(source.splits, list(codes.values())))
    read = {split: [] for split in arrays}
    labels = {split: [] for split in arrays}
    with tqdm(
        total=len(indices), desc=f"reading {title}", unit="image", delay=1, disable=None
    ) as progress:
        for batch in source.read(indices):
            for split, code in codes.items():
                chosen = source.splits[batch.indices] == code
                start = sum(map(len, read[split]))
                arrays[split][start : start + chosen.sum()] = batch.images[chosen]
                read[split].append(batch.indices[chosen])
                if batch.labels is not None:
                    labels[split].append(batch.labels[chosen])
            progress.update(len(batch.indices))
    return {
        split: _finish(source, array, codes[split], read[split], labels[split])
        for split, array in arrays.items()
    }


def _finish(source, array, code, read, labels) -> Images:
    read = np.concatenate(read) if read else np.empty(0, int)
    missing = np.setdiff1d(np.flatnonzero(source.splits == code), read)
    if len(read) == 0:
        raise ValueError(f"None of the {len(missing)} images of {SPLITS[code]!r} can be read.")
    return Images(
        images=array[: len(read)],
        labels=np.concatenate(labels) if labels else None,
        class_names=source.class_names,
        left_out=tuple(str(source.paths[index]) for index in missing),
    )


def _collect_on_disk(
    source: ImageSource, counts: dict[str, int], recipe: Recipe
) -> dict[str, Images]:
    root = Path(os.environ.get("AE_KERAS_CACHE", "~/.cache/ae_keras")).expanduser()
    root.mkdir(parents=True, exist_ok=True)
    identity = repr(
        (recipe.dataset, recipe.image_shape, recipe.enlarge, recipe.skip_unreadable, counts)
    )
    identity += source.fingerprint
    digest = hashlib.sha256(identity.encode() + source.splits.tobytes()).hexdigest()[:16]
    folder = root / digest
    if not folder.is_dir():
        temporary = Path(tempfile.mkdtemp(dir=root))
        try:
            arrays = {
                split: np.lib.format.open_memmap(
                    temporary / f"{split}.npy", "w+", np.uint8, (count, *recipe.image_shape)
                )
                for split, count in counts.items()
            }
            for split, images in _collect(source, arrays, recipe.dataset).items():
                arrays[split].flush()
                details = {"count": len(images.images), "left_out": images.left_out}
                if images.labels is not None:
                    details["labels"] = images.labels
                np.savez(temporary / f"{split}-details.npz", **details)
            if not folder.is_dir():  # another process may have been quicker
                temporary.rename(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return {split: _open_from_disk(folder, split, source.class_names) for split in counts}


def _open_from_disk(folder: Path, split: str, class_names: tuple[str, ...]) -> Images:
    with np.load(folder / f"{split}-details.npz") as details:
        return Images(
            images=np.load(folder / f"{split}.npy", mmap_mode="r")[: int(details["count"])],
            labels=details.get("labels"),
            class_names=class_names,
            left_out=tuple(details["left_out"].tolist()),
        )
