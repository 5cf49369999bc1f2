import numpy as np
import pytest
from PIL import Image

from ae_keras.data import skimage_photos
from ae_keras.data.images import load_images
from ae_keras.data.own_splits import default_split
from ae_keras.data.photographs import load_photographs
from ae_keras.data.spec import DataSpec
from ae_keras.data.splits import SPLITS

CROP = {"image_shape": (32, 32, 3), "crops": {}}


def write_photo(path, rng, height=40, width=50):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = rng.integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return pixels


def test_subfolders_are_the_splits(tmp_path, rng, capsys):
    folder = tmp_path / "photos"
    train = [write_photo(folder / "train" / f"film-{n}.png", rng, 40 + n) for n in range(3)]
    write_photo(folder / "validation" / "film-9.png", rng)
    write_photo(folder / "validation" / "studio" / "studio-9.png", rng)
    write_photo(folder / "cover.png", rng)
    data = load_photographs(DataSpec(dataset=str(folder), **CROP))
    for ours, theirs in zip(data["train"].images, train, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert data["train"].kinds == ("film",) * 3
    assert {kind: len(some) for kind, some in data["validation"].by_kind().items()} == {
        "film": 1,
        "studio": 1,
    }
    assert len(data["test"].images) == 2  # without a folder of its own, those of validation
    assert "left out: 1 beside the folders of splits" in capsys.readouterr().err


def test_other_folders_are_split_by_files(photo_folder):
    data = load_photographs(DataSpec(dataset=str(photo_folder), **CROP))
    assert [len(data[split].images) for split in SPLITS] == [32, 4, 4]
    assert {image.shape for split in SPLITS for image in data[split].images} == {(40, 50, 3)}
    assert set(data["train"].kinds) == {"photos"}
    data = load_photographs(DataSpec(dataset=str(photo_folder), splits=(0.5, 0.3, 0.2), **CROP))
    assert [len(data[split].images) for split in SPLITS] == [20, 12, 8]


def test_all_photographs_are_those_of_all_splits(photo_folder, tmp_path, rng):
    spec = DataSpec(dataset=str(photo_folder), **CROP)
    assert len(load_photographs(spec, ["all"])["all"].images) == 40
    assert load_images(spec, ["all"])["all"].images.shape == (40, 32, 32, 3)
    for split in SPLITS:
        write_photo(tmp_path / "split" / split / "a.png", rng)
    spec = DataSpec(dataset=str(tmp_path / "split"), **CROP)
    assert len(load_photographs(spec, ["all"])["all"].images) == 3
    other = DataSpec(dataset="skimage")
    assert default_split(spec, trained_on=other) == "test"
    assert default_split(DataSpec(dataset=str(tmp_path / "split")), trained_on=other) == "all"
    assert default_split(spec, trained_on=spec) == "test"


def test_given_shares_overrule_subfolders(tmp_path, rng):
    for number in range(5):
        write_photo(tmp_path / "train" / f"{number}.png", rng)
        write_photo(tmp_path / "test" / f"{number}.png", rng)
    data = load_photographs(DataSpec(dataset=str(tmp_path), splits=(0.6, 0.2, 0.2), **CROP))
    assert [len(data[split].images) for split in SPLITS] == [6, 2, 2]


def test_small_photographs_are_left_out_or_enlarged(tmp_path, rng, capsys):
    write_photo(tmp_path / "train" / "a.png", rng)
    write_photo(tmp_path / "train" / "b.png", rng, 31, 90)
    write_photo(tmp_path / "train" / "c.png", rng, 20, 20)
    write_photo(tmp_path / "test" / "d.png", rng)
    spec = DataSpec(dataset=str(tmp_path), **CROP)
    assert len(load_photographs(spec, ["train"])["train"].images) == 1
    error = capsys.readouterr().err
    assert "left out: 2 of 'train' smaller than 32x32, the first " in error
    assert "b.png" in error
    enlarged = load_photographs(DataSpec(dataset=str(tmp_path), enlarge=True, **CROP), ["train"])
    assert [image.shape for image in enlarged["train"].images] == [
        (40, 50, 3),
        (32, 93, 3),
        (32, 32, 3),
    ]
    large = DataSpec(dataset=str(tmp_path), image_shape=(64, 64, 3), crops={})
    with pytest.raises(ValueError, match=r"no photograph of at least 64x64 .+ split 'train'"):
        load_photographs(large, ["train"])


def test_unreadable_photograph_stops_or_is_left_out(photo_folder, capsys):
    bad = photo_folder / "set0" / "03.png"
    bad.write_bytes(bad.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"03\.png': not a readable image .+--skip-unreadable"):
        load_photographs(DataSpec(dataset=str(photo_folder), **CROP))
    data = load_photographs(DataSpec(dataset=str(photo_folder), skip_unreadable=True, **CROP))
    assert sum(len(data[split].images) for split in SPLITS) == 39
    assert f"left out: {bad}" in capsys.readouterr().err


def test_array_files_hold_photographs(tmp_path, rng):
    images = rng.integers(0, 256, (20, 40, 48), np.uint8)
    np.savez(tmp_path / "a.npz", x_train=images[:15], x_test=images[15:])
    grey = DataSpec(dataset=str(tmp_path / "a.npz"), image_shape=(32, 32, 1), crops={})
    data = load_photographs(grey)
    assert [len(data[split].images) for split in SPLITS] == [14, 1, 5]
    np.testing.assert_array_equal(np.stack(data["test"].images)[..., 0], images[15:])
    colour = load_photographs(DataSpec(dataset=str(tmp_path / "a.npz"), **CROP), ["test"])["test"]
    np.testing.assert_array_equal(colour.images[0], np.repeat(images[15][..., None], 3, axis=-1))
    assert set(colour.kinds) == {"a"}


def test_no_pixel_of_scikit_image_is_in_two_splits(monkeypatch):
    """Photographs whose pixels are numbers: no number is found in two splits."""
    counter = np.arange(2 * 160 * 80, dtype=np.uint32).reshape(2, 160, 80)
    coded = np.stack([counter & 255, counter >> 8 & 255, counter >> 16], -1).astype(np.uint8)
    monkeypatch.setattr(skimage_photos, "load_scenes", lambda: [[coded[0]], [coded[1]]])
    spec = DataSpec(dataset="skimage", image_shape=(8, 8, 3), splits=(0.6, 0.2, 0.2), crops={})
    data = load_photographs(spec)
    seen = [
        {int(number) for image in data[split].images for number in (image @ [1, 256, 65536]).flat}
        for split in SPLITS
    ]
    assert [len(numbers) > 0 for numbers in seen] == [True] * 3
    assert sum(map(len, seen)) == len(set.union(*seen)) == 2 * 160 * 80


def test_scikit_image_has_one_kind():
    data = load_photographs(DataSpec(dataset="skimage", image_shape=(128, 128, 3), crops={}))
    assert set(data["validation"].by_kind()) == {"skimage"}
    assert all(image.shape[0] % 128 == 0 for image in data["train"].images)


def test_images_of_photographs_are_a_grid_of_crops(photo_folder):
    crops = {"image_shape": (16, 16, 3), "crops": {"grid": 2}}
    spec = DataSpec(dataset=str(photo_folder), **crops)
    images = load_images(spec, ["test"])["test"].images
    assert len(images) == 16
    for number, image in enumerate(load_photographs(spec, ["test"])["test"].images):
        for place, (top, left) in enumerate([(2, 4), (2, 29), (22, 4), (22, 29)]):
            expected = image[top : top + 16, left : left + 16]
            np.testing.assert_array_equal(images[4 * number + place], expected)


@pytest.mark.parametrize(("side", "is_said"), [(9, True), (11, False)])
def test_thumbnails_of_photographs_are_said(side, is_said, photo_folder, capsys):
    load_images(DataSpec(dataset=str(photo_folder), image_shape=(side, side, 3)), ["test"])
    said = capsys.readouterr().err
    assert ("is made small" in said) == is_said
    assert said.count("\n") == int(is_said)
    crops = {"image_shape": (9, 9, 3), "crops": {}}
    load_images(DataSpec(dataset=str(photo_folder), **crops), ["test"])
    assert capsys.readouterr().err == ""


def test_images_of_photographs_are_their_middles(photo_folder):
    spec = DataSpec(dataset=str(photo_folder), **CROP)
    photographs = load_photographs(spec, ["test"])["test"]
    images = load_images(spec, ["test"])["test"].images
    np.testing.assert_array_equal(images, [image[4:36, 9:41] for image in photographs.images])


@pytest.mark.parametrize(
    ("dataset", "message"), [("cifar10", "Received: dataset='cifar10'"), ("/no/where", "/no/where")]
)
def test_other_data_sets_have_no_photographs(dataset, message):
    with pytest.raises(ValueError, match=f"Crops are cut from a folder .+{message}"):
        load_photographs(DataSpec(dataset=dataset, **CROP))


def test_photographs_that_do_not_fit_into_memory_are_refused(photo_folder):
    with pytest.raises(ValueError, match="more than the memory set aside"):
        load_photographs(DataSpec(dataset=str(photo_folder), **CROP), memory_limit=20_000)
