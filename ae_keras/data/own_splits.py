"""Which images of a data set a trained model is measured on, if no one says."""

from pathlib import Path

from ae_keras.data.array_files import is_array_file, load_arrays
from ae_keras.data.image_files import find_images
from ae_keras.data.photographs import subfolder_splits
from ae_keras.data.sources import celeba_splits, dataset_key, is_folder
from ae_keras.data.spec import DataSpec
from ae_keras.data.splits import ALL


def default_split(spec: DataSpec, trained_on: DataSpec) -> str:
    """Return `"test"`, or `"all"` of images that were never trained on and come without splits.

    Args:
        spec: DataSpec. What to measure a model on.
        trained_on: DataSpec. What the model was trained on.

    Raises:
        ValueError: if there is no such data set.
        OSError: if files cannot be read.
    """
    is_known = dataset_key(spec.dataset) == dataset_key(trained_on.dataset)
    return "test" if is_known or _has_own_splits(spec) else ALL


def _has_own_splits(spec: DataSpec) -> bool:
    """Whether a data set says itself which of its images are for the test."""
    path = Path(spec.dataset).expanduser()
    if is_folder(spec.dataset):
        paths = find_images(path)
        by_folder = None if spec.crops is None else subfolder_splits(path, paths)
        return by_folder is not None or celeba_splits(path, paths) is not None
    return not is_array_file(path) or len(load_arrays(path)) > 1
