"""Images of TensorFlow Datasets."""

import difflib
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ae_keras.data.image_source import BATCH_SIZE, Batch, ImageSource, conform
from ae_keras.data.spec import DataSpec
from ae_keras.data.splits import SPLITS, assign_splits

# Where TFDS keeps its own copies of data sets; asked for only to find out whether there is a
# network, because a download without one retries for minutes before it fails.
_MIRROR = "storage.googleapis.com"


def _is_online() -> bool:
    import urllib.request  # slow to import, and seldom needed

    if urllib.request.getproxies():
        return True
    try:
        socket.getaddrinfo(_MIRROR, 443)
    except OSError:
        return False
    return True


def _data_dir() -> str:
    return os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")


def _cannot_download(name: str, reason: object) -> ConnectionError:
    return ConnectionError(
        f"Data set {name!r} is not in {_data_dir()!r} and cannot be downloaded ({reason}). Set "
        "TFDS_DATA_DIR to a folder that has it, connect to a network, or use --dataset skimage, "
        "which needs no download."
    )


def _damaged(name: str, folder: object, error: Exception) -> ValueError:
    # Without what TensorFlow says of its operations.
    reason = re.sub(r"{{.*?}}|\[Op:.*", "", str(error)).strip(" .")
    return ValueError(
        f"Data set {name!r} in {str(folder)!r} cannot be read: {reason}. Delete that folder to "
        "have it downloaded and prepared again, or set TFDS_DATA_DIR to a folder that has it whole."
    )


def _prepared_builder(name: str) -> Any:
    """Return the TFDS builder of a data set of images, downloading the data set if need be.

    Raises:
        ValueError: if TFDS has no such data set, its examples have no image, or it is damaged.
        ConnectionError: if it is not on this machine and cannot be downloaded.
    """
    import tensorflow_datasets as tfds

    names = tfds.list_builders(with_community_datasets=False)
    if name.split("/")[0].split(":")[0] not in names:
        near = difflib.get_close_matches(name, [*names, "skimage"], n=3) or ["skimage"]
        raise ValueError(
            f"Unknown data set {name!r}: expected a TFDS name, such as {', '.join(near)}, "
            "or the path of a folder, an .npz or an .npy file that exists."
        )
    try:
        builder = tfds.builder(name)
    except (AssertionError, ValueError) as error:  # a version or configuration that is unknown
        raise ValueError(f"Cannot open data set {name!r}: {error}") from error
    except Exception as error:  # of many types, where its description is damaged
        folder = Path(_data_dir()) / name.partition(":")[0]
        raise _damaged(name, folder, error) from error
    features = builder.info.features
    if "image" not in getattr(features, "keys", tuple)() or features["image"].np_dtype != np.uint8:
        raise ValueError(f"Data set {name!r} has no 8-bit images: no such feature 'image'.")
    if not builder.is_prepared():
        if not _is_online():
            raise _cannot_download(name, "no network")
        try:
            builder.download_and_prepare()
        except (OSError, RuntimeError, tfds.download.DownloadError) as error:
            raise _cannot_download(name, error) from error
    return builder


def open_tfds(spec: DataSpec) -> ImageSource:
    """Return the images of a TFDS data set, in its own splits or in those of the spec.

    Raises:
        ValueError: if there is no such data set, it has no 8-bit images, or it is damaged.
        ConnectionError: if it is not on this machine and cannot be downloaded.
    """
    builder = _prepared_builder(spec.dataset)
    names = [name for name in SPLITS if name in builder.info.splits]
    if not names:
        raise ValueError(f"Data set {spec.dataset!r} has no split of {', '.join(SPLITS)}.")
    counts = [builder.info.splits[name].num_examples for name in names]
    own = np.repeat([SPLITS.index(name) for name in names], counts)
    splits = assign_splits(sum(counts), own, spec.splits)
    class_names = _class_names(builder)

    def read(indices: np.ndarray) -> Iterator[Batch]:
        wanted = np.zeros(sum(counts), bool)
        wanted[indices] = True
        start = 0
        for batch in _batches(builder, names, spec.dataset):
            chosen = np.flatnonzero(wanted[start : start + len(batch["image"])])
            if len(chosen):
                images = conform(batch["image"][chosen], spec)
                labels = batch["label"][chosen] if class_names else None
                yield Batch(chosen + start, images, labels)
            start += len(batch["image"])

    return ImageSource(splits, read, builder.info.full_name, class_names)


def _class_names(builder: Any) -> tuple[str, ...]:
    import tensorflow_datasets as tfds

    features = builder.info.features
    if "label" in features and isinstance(features["label"], tfds.features.ClassLabel):
        return tuple(features["label"].names)
    return ()


def _batches(builder: Any, names: list[str], dataset: str) -> Iterator[dict[str, np.ndarray]]:
    import tensorflow as tf
    import tensorflow_datasets as tfds

    wanted = {"image": True, "label": bool(_class_names(builder))}
    # Images of different sizes cannot stand in one array.
    batch_size = 1 if None in builder.info.features["image"].shape else BATCH_SIZE
    # One after the other: TFDS interleaves the files of splits that are asked for together.
    try:
        for name in names:
            yield from tfds.as_numpy(
                builder.as_dataset(
                    split=name,
                    shuffle_files=False,
                    batch_size=batch_size,
                    decoders=tfds.decode.PartialDecoding(wanted),
                )
            )
    except tf.errors.ResourceExhaustedError:
        raise
    except tf.errors.OpError as error:
        raise _damaged(dataset, builder.data_dir, error) from error
