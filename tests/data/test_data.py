import dataclasses
import socket

import numpy as np
import pytest
from conftest import batch_arrays, require_dataset
from PIL import Image

from ae_keras import Recipe, recipe_for
from ae_keras.data import skimage_photos
from ae_keras.data.images import load_images
from ae_keras.data.pipeline import Pipeline
from ae_keras.data.sources import dataset_key, open_source
from ae_keras.data.spec import DataSpec
from ae_keras.data.splits import SPLITS, complete_splits, shuffled_splits
from ae_keras.layers.standardization import channel_statistics
from ae_keras.system import safe_files

# Parts


def test_shuffled_splits_have_the_shares_and_are_always_the_same():
    parts = shuffled_splits(60000, (0.8, 0.1, 0.1))
    assert np.bincount(parts).tolist() == [48000, 6000, 6000]
    np.testing.assert_array_equal(parts, shuffled_splits(60000, (0.8, 0.1, 0.1)))


def test_complete_splits_keeps_what_is_there():
    given = np.array([0] * 100 + [2] * 20)
    parts = complete_splits(given)
    assert np.bincount(parts).tolist() == [90, 10, 20]
    np.testing.assert_array_equal(parts[100:], 2)


# scikit-image's photographs


@pytest.mark.parametrize("image_shape", [(32, 32, 3), (28, 28, 1), (128, 128, 3)])
def test_photographs_fill_the_parts(image_shape):
    patches, parts = skimage_photos.cut_photographs(image_shape, (0.8, 0.1, 0.1))
    assert patches.shape[1:] == image_shape
    assert patches.dtype == np.uint8
    assert (np.bincount(parts) > 0).tolist() == [True, True, True]


def test_no_pixel_is_in_two_parts(monkeypatch):
    """Photographs whose pixels are numbers: no number is found in patches of two parts."""
    counter = np.arange(2 * 160 * 80, dtype=np.uint32).reshape(2, 160, 80)
    coded = np.stack([counter & 255, counter >> 8 & 255, counter >> 16], -1).astype(np.uint8)
    monkeypatch.setattr(skimage_photos, "load_scenes", lambda: [[coded[0]], [coded[1]]])
    patches, parts = skimage_photos.cut_photographs((8, 8, 3), (0.6, 0.2, 0.2))
    numbers = patches.astype(np.int64) @ [1, 256, 65536]
    seen = [set(numbers[parts == part].ravel().tolist()) for part in range(3)]
    assert all(seen)
    assert not seen[0] & seen[1]
    assert not seen[0] & seen[2]
    assert not seen[1] & seen[2]


def test_both_pictures_of_a_scene_are_cut_alike(monkeypatch):
    left, right = np.full((320, 64, 3), 10, np.uint8), np.full((320, 64, 3), 20, np.uint8)
    rows = np.arange(320, dtype=np.uint8)[:, None] // 32
    left[..., 1], right[..., 1] = rows, rows
    monkeypatch.setattr(skimage_photos, "load_scenes", lambda: [[left, right]])
    patches, parts = skimage_photos.cut_photographs((32, 32, 3), (0.8, 0.1, 0.1))
    bands = {
        (part, picture): set(
            patches[(parts == part) & (patches[:, 0, 0, 0] == picture)][..., 1].flat
        )
        for part in range(3)
        for picture in (10, 20)
    }
    for part in range(3):
        assert bands[part, 10] == bands[part, 20] != set()


def test_too_large_patches_are_refused():
    with pytest.raises(ValueError, match="too large for the data set 'skimage'"):
        skimage_photos.cut_photographs((600, 600, 3), (0.8, 0.1, 0.1))


# Folders


def test_folder_is_split_and_read(photo_folder):
    data = load_images(DataSpec(dataset=str(photo_folder)))
    assert [data[part].images.shape for part in SPLITS] == [
        (32, 32, 32, 3),
        (4, 32, 32, 3),
        (4, 32, 32, 3),
    ]


def test_official_celeba_partition_is_used(photo_folder):
    names = sorted(path.name for path in photo_folder.rglob("*.png"))
    lines = [f"{name} {number % 3}" for number, name in enumerate(names)]
    (photo_folder.parent / "list_eval_partition.txt").write_text("\n".join(lines))
    recipe = Recipe(model="cae", dataset=str(photo_folder))
    source = open_source(recipe.data_spec)
    for path, part in zip(source.paths, source.splits, strict=True):
        assert part == names.index(path.name) % 3
    (photo_folder.parent / "list_eval_partition.txt").write_text("\n".join(lines[1:]))
    with pytest.raises(ValueError, match=r"names no split for 1 images, the first '00\.png'"):
        open_source(recipe.data_spec)
    open_source(dataclasses.replace(recipe, splits=(0.8, 0.1, 0.1)).data_spec)
    (photo_folder.parent / "list_eval_partition.txt").write_text("\n".join([*lines[:4], "x.png 7"]))
    with pytest.raises(ValueError, match=r"list_eval_partition\.txt', line 5: expected"):
        open_source(recipe.data_spec)


def test_unreadable_image_stops_or_is_left_out(photo_folder):
    bad = photo_folder / "set0" / "03.png"
    bad.write_bytes(bad.read_bytes()[:100])
    recipe = Recipe(model="cae", dataset=str(photo_folder))
    with pytest.raises(ValueError, match=r"03\.png': not a readable image .+--skip-unreadable"):
        load_images(recipe.data_spec)
    data = load_images(dataclasses.replace(recipe, skip_unreadable=True).data_spec)
    assert sum(len(part.images) for part in data.values()) == 39
    assert [path for part in data.values() for path in part.left_out] == [str(bad)]


def test_too_small_image_is_named(photo_folder):
    Image.new("RGB", (10, 10)).save(photo_folder / "small.png")
    with pytest.raises(
        ValueError, match=r"small\.png': expected .+ 32x32 .+ received one of 10x10"
    ):
        load_images(DataSpec(dataset=str(photo_folder)))


def test_unknown_part_is_refused(photo_folder):
    with pytest.raises(ValueError, match=r"must be of train, .+ Received: 'tset'"):
        load_images(DataSpec(dataset=str(photo_folder)), ["tset"])


def test_too_few_images_are_refused(tmp_path):
    Image.new("RGB", (32, 32)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="has 1 images and leaves none for"):
        load_images(DataSpec(dataset=str(tmp_path)))


def test_images_that_do_not_fit_into_memory_are_kept_on_disk(photo_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("AE_KERAS_CACHE", str(tmp_path / "cache"))
    recipe = Recipe(model="cae", dataset=str(photo_folder))
    expected = load_images(recipe.data_spec)
    for _ in range(2):  # read, then found
        # Left by a process that was killed: the number of none that lives.
        (tmp_path / "cache" / f".partial-{safe_files._machine()}-{2**30}-00").mkdir(parents=True)
        data = load_images(recipe.data_spec, memory_limit=0)
        for part in SPLITS:
            assert isinstance(data[part].images, np.memmap)
            np.testing.assert_array_equal(data[part].images, expected[part].images)
        first = batch_arrays(Pipeline(data["train"], recipe.batch_spec).training(0))
        np.testing.assert_array_equal(
            first, batch_arrays(Pipeline(expected["train"], recipe.batch_spec).training(0))
        )
    assert len(list((tmp_path / "cache").iterdir())) == 1
    Image.new("RGB", (50, 40)).save(photo_folder / "new.png")
    load_images(recipe.data_spec, memory_limit=0)
    assert len(list((tmp_path / "cache").iterdir())) == 2


# NumPy files


def test_array_files(tmp_path, rng):
    grey = rng.integers(0, 256, (60, 8, 8), np.uint8)
    recipe = Recipe(model="cae", dataset=str(tmp_path / "a.npz"), image_shape=(8, 8, 1))
    np.savez(
        tmp_path / "a.npz", x_train=grey[:50], x_test=grey[50:], y_train=range(50), y_test=range(10)
    )
    data = load_images(recipe.data_spec)
    assert [len(data[part].images) for part in SPLITS] == [45, 5, 10]
    np.testing.assert_array_equal(data["test"].images[..., 0], grey[50:])
    np.testing.assert_array_equal(data["train"].images[..., 0], grey[data["train"].labels])
    np.save(tmp_path / "b.npy", grey)
    data = load_images(dataclasses.replace(recipe, dataset=str(tmp_path / "b.npy")).data_spec)
    assert [len(data[part].images) for part in SPLITS] == [48, 6, 6]


@pytest.mark.parametrize(
    ("array", "received"),
    [
        (np.zeros((9, 8, 8), np.float32), r"float32 of shape \(9, 8, 8\)"),
        (np.full((9, 8, 8), np.nan), r"float64 of shape \(9, 8, 8\) with NaN"),
        (np.zeros((9, 8, 8, 2), np.uint8), r"uint8 of shape \(9, 8, 8, 2\)"),
        (np.zeros((9, 64), np.uint8), r"uint8 of shape \(9, 64\)"),
    ],
)
def test_wrong_arrays_are_refused(tmp_path, array, received):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(ValueError, match=f"expected uint8 images .+ Received: {received}"):
        load_images(DataSpec(dataset=str(tmp_path / "a.npy")))


def test_too_small_arrays_name_the_data_set(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((20, 8, 8), np.uint8))
    with pytest.raises(ValueError, match=r"Data set '.+a\.npy': expected .+ 32x32 .+ one of 8x8"):
        load_images(DataSpec(dataset=str(tmp_path / "a.npy")))


@pytest.mark.parametrize("damage", ["empty", "text", "truncated", "flipped"])
@pytest.mark.parametrize("name", ["a.npz", "a.npy"])
def test_damaged_array_file_is_named(tmp_path, name, damage, rng):
    images = rng.integers(0, 256, (20, 32, 32, 3), np.uint8)
    path = tmp_path / name
    np.save(path, images) if name == "a.npy" else np.savez(path, images=images)
    good = path.read_bytes()
    flipped = bytearray(good)
    flipped[5000 if name == "a.npz" else 3] ^= 255
    content = {"empty": b"", "text": b"hello", "truncated": good[:-999], "flipped": flipped}
    path.write_bytes(content[damage])
    with pytest.raises(ValueError, match=r"Cannot read .+a\.np.' as a NumPy file"):
        load_images(DataSpec(dataset=str(path)))


def test_arrays_of_other_names_or_label_counts_are_refused(tmp_path):
    images = np.zeros((20, 32, 32, 3), np.uint8)
    np.savez(tmp_path / "a.npz", x_train=images)
    with pytest.raises(ValueError, match=r"holds 'x_train': expected 'x_train' and 'x_test'"):
        load_images(DataSpec(dataset=str(tmp_path / "a.npz")))
    np.savez(tmp_path / "c.npz", images=images, labels=range(3))
    with pytest.raises(ValueError, match=r"one label for each of 20 .+ shape \(3,\)"):
        load_images(DataSpec(dataset=str(tmp_path / "c.npz")))
    np.savez(tmp_path / "b.npz", pictures=np.zeros(3))
    with pytest.raises(ValueError, match=r"holds 'pictures': expected 'x_train'"):
        load_images(DataSpec(dataset=str(tmp_path / "b.npz")))


def test_labels_may_stand_in_a_column(tmp_path, rng):
    images = rng.integers(0, 256, (20, 32, 32, 3), np.uint8)
    labels = rng.integers(0, 5, (20, 1), np.uint8)
    path = tmp_path / "a.npz"
    np.savez(path, x_train=images[:15], y_train=labels[:15], x_test=images[15:], y_test=labels[15:])
    data = load_images(DataSpec(dataset=str(path)))
    np.testing.assert_array_equal(data["test"].labels, labels[15:, 0])
    for image, label in zip(data["train"].images, data["train"].labels, strict=True):
        assert label == labels[(images == image).all(axis=(1, 2, 3)), 0]


@pytest.mark.parametrize("name", ["missing/folder", "missing.npz", "/nowhere/missing.npy"])
def test_missing_paths_are_named(name):
    with pytest.raises((FileNotFoundError, ValueError), match=name):
        load_images(DataSpec(dataset=name))


# TFDS


def test_unknown_data_set_gets_the_closest_names():
    with pytest.raises(ValueError, match=r"Unknown data set 'cifar1O': .+cifar10"):
        load_images(DataSpec(dataset="cifar1O"))


def test_no_network_says_what_to_do(tmp_path, monkeypatch):
    def refuse(*_):
        raise socket.gaierror("no network")

    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("tensorflow_datasets.core.constants.DATA_DIR", str(tmp_path), raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    message = "'kmnist'.+TFDS_DATA_DIR.+--dataset skimage"
    with pytest.raises(ConnectionError, match=message):
        load_images(DataSpec(dataset="kmnist"))


@pytest.mark.dataset
def test_cifar10_is_pooled_or_split_officially():
    require_dataset("cifar10")
    pooled = load_images(recipe_for("cae").data_spec)
    assert [len(pooled[part].images) for part in SPLITS] == [48000, 6000, 6000]
    mean, variance = channel_statistics(pooled["train"].images)
    np.testing.assert_allclose(mean, [0.4914, 0.4822, 0.4465], atol=2e-3)
    np.testing.assert_allclose(np.sqrt(variance), [0.2470, 0.2435, 0.2616], atol=2e-3)
    official = load_images(dataclasses.replace(recipe_for("cae"), splits=None).data_spec, ["test"])[
        "test"
    ]
    assert official.images.shape == (10000, 32, 32, 3)
    assert len(official.class_names) == 10
    assert np.bincount(official.labels).tolist() == [1000] * 10


def test_one_data_set_has_one_key(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    assert dataset_key("cifar10:3.0.2") == dataset_key("cifar10") == "cifar10"
    assert dataset_key("photos") == dataset_key("./photos") == dataset_key(str(tmp_path / "photos"))
    assert dataset_key("emnist/letters") != dataset_key("emnist")
    assert recipe_for("cae", "cifar10:3.0.2").splits == (0.8, 0.1, 0.1)
    assert recipe_for("cae", "mnist:3.0.1").image_shape == (28, 28, 1)
