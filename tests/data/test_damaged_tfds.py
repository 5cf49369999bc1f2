"""Data sets that TFDS has prepared, and that are no longer whole."""

import shutil

import numpy as np
import pytest

from ae_keras.data import tfds_images
from ae_keras.data.images import load_images
from ae_keras.data.spec import DataSpec

NAME, RECORDS = "tiny_digits", "tiny_digits-test.tfrecord-00000-of-00001"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The folder of a small data set, prepared by TFDS."""
    import tensorflow_datasets as tfds

    class TinyDigits(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            image, label = (
                tfds.features.Image(shape=(8, 8, 1)),
                tfds.features.ClassLabel(num_classes=3),
            )
            features = tfds.features.FeaturesDict({"image": image, "label": label})
            return tfds.core.DatasetInfo(builder=self, features=features)

        def _split_generators(self, manager):
            return {"train": self._generate_examples(20), "test": self._generate_examples(10)}

        def _generate_examples(self, count):
            images = np.random.default_rng(0).integers(0, 256, (count, 8, 8, 1), np.uint8)
            yield from ((n, {"image": image, "label": n % 3}) for n, image in enumerate(images))

    folder = tmp_path_factory.mktemp("tfds")
    TinyDigits(data_dir=folder).download_and_prepare()
    return folder


@pytest.fixture
def copy(prepared, tmp_path, monkeypatch):
    """A copy of it, where TFDS looks for data sets."""
    folder = shutil.copytree(prepared, tmp_path / "tfds")
    monkeypatch.setattr("tensorflow_datasets.core.constants.DATA_DIR", str(folder))
    monkeypatch.setenv("TFDS_DATA_DIR", str(folder))
    monkeypatch.setattr(tfds_images, "_is_online", lambda: False)
    return folder / NAME / "1.0.0"


def flip_a_byte(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)


def cut(path):
    path.write_bytes(path.read_bytes()[:-20])


def empty(path):
    path.write_bytes(b"")


def replace_by_another_split(path):
    shutil.copy(path.with_name(path.name.replace("test", "train")), path)


def load():
    return load_images(DataSpec(dataset=NAME, image_shape=(8, 8, 1)), ["test"])["test"]


def test_a_whole_data_set_is_read(copy):
    assert load().images.shape == (10, 8, 8, 1)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        (RECORDS, flip_a_byte),
        (RECORDS, cut),
        (RECORDS, empty),
        (RECORDS, replace_by_another_split),
        (RECORDS, lambda path: path.unlink()),
        ("dataset_info.json", cut),
        ("dataset_info.json", empty),
    ],
)
def test_a_damaged_data_set_is_named_with_its_folder(name, damage, copy):
    damage(copy / name)
    message = rf"Data set '{NAME}' in '{copy.parent}.*' cannot be read: .+\. Delete that folder"
    with pytest.raises(ValueError, match=message) as caught:
        load()
    assert "{{" not in str(caught.value)


def test_a_data_set_without_its_description_is_not_there(copy):
    (copy / "dataset_info.json").unlink()
    with pytest.raises(ConnectionError, match=r"is not in .+ and cannot be downloaded"):
        load()
