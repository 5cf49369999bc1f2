"""Builders of TensorFlow Datasets, prepared on this machine."""

import difflib
import os
import socket
import urllib.request

import numpy as np

# Where TFDS keeps its own copies of data sets; asked for only to find out whether there is a
# network, because a download without one retries for minutes before it fails.
_MIRROR = "storage.googleapis.com"


def _is_online() -> bool:
    if urllib.request.getproxies():
        return True
    try:
        socket.getaddrinfo(_MIRROR, 443)
    except OSError:
        return False
    return True


def _cannot_download(name: str, reason: object) -> ConnectionError:
    folder = os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")
    return ConnectionError(
        f"Data set {name!r} is not in {folder!r} and cannot be downloaded ({reason}). Set "
        "TFDS_DATA_DIR to a folder that has it, connect to a network, or use --dataset skimage, "
        "which needs no download."
    )


def prepared_builder(name: str):
    """Return the TFDS builder of a data set of images, downloading the data set if need be.

    Raises:
        ValueError: if TFDS has no such data set, or its examples have no image.
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
    builder = tfds.builder(name)
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
