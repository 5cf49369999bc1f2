import numpy as np
import pytest
from PIL import Image

from ae_keras import figures
from ae_keras.figures import curves, images


def size_of(path):
    with Image.open(path) as image:
        return image.size


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("noisy", [False, True])
def test_reconstructions_has_a_row_for_each_kind(channels, noisy, tmp_path, rng):
    originals = rng.random((4, 8, 8, channels))
    inputs = originals + 0.1 if noisy else originals
    path = tmp_path / "a.png"
    figures.save_reconstructions(path, inputs, originals, originals * 0.9, [20.0] * 4, "title")
    width, height = size_of(path)
    assert height / width == pytest.approx((1.1 * (4 if noisy else 3) + 0.6) / 5.6, rel=0.01)


def test_difference_is_grey_where_there_is_none(tmp_path, monkeypatch, rng):
    drawn = {}
    monkeypatch.setattr(images, "save_image_rows", lambda path, rows, *_, **__: drawn.update(rows))
    originals = rng.random((1, 4, 4, 3))
    reconstructions = originals.copy()
    reconstructions[0, 0, 0, 0] += 0.01
    figures.save_reconstructions(
        tmp_path / "a.png", originals, originals, reconstructions, [40.0], "title"
    )
    assert list(drawn) == ["original", "reconstruction", "difference\n(x5, grey = 0)"]
    difference = drawn["difference\n(x5, grey = 0)"]
    assert difference[0, 0, 0, 0] == pytest.approx(0.55)
    np.testing.assert_allclose(difference[0, 1:], 0.5)


@pytest.mark.parametrize("epochs", [1, 30])
def test_history_is_drawn_for_any_number_of_epochs(epochs, tmp_path):
    history = [{"loss": 1 / (n + 1), "val_loss": 2 / (n + 1)} for n in range(epochs)]
    figures.save_history(tmp_path / "a.png", history, "title", "mse")
    assert size_of(tmp_path / "a.png") == (900, 600)


def test_history_of_a_variational_model_shows_the_distortion(tmp_path, monkeypatch):
    saved = []
    monkeypatch.setattr(curves.Figure, "savefig", lambda self, *_, **__: saved.append(self))
    row = {"loss": 3.0, "val_loss": 2.0, "val_distortion": 1.0}
    figures.save_history(tmp_path / "history.png", [row, row], "title", "mse")
    axes = saved[0].axes[0]
    assert axes.get_ylabel() == "loss (mse + weighted KL)"
    assert [list(line.get_ydata()) for line in axes.lines][2] == [1.0, 1.0]


def test_panels_stand_side_by_side_with_their_curves(tmp_path, monkeypatch):
    saved = []
    monkeypatch.setattr(curves.Figure, "savefig", lambda self, *_, **__: saved.append(self))
    lines = {"a": ((1, 2, 4), (3, 2, 1)), "b": ((1, 4), (1, 1), "k--")}
    panels = [
        figures.Panel(lines, "size", "error [dB]", "left", xscale="log"),
        figures.Panel({"c": ((0, 1), (1, 2))}, "time [s]", "error", yscale="log"),
    ]
    figures.save_curves(tmp_path / "a.png", panels, "Title")
    left, right = saved[0].axes
    assert (left.get_xlabel(), left.get_ylabel()) == ("size", "error [dB]")
    assert (left.get_xscale(), left.get_yscale(), right.get_yscale()) == ("log", "linear", "log")
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["a", "b"]
    assert left.lines[1].get_linestyle() == "--"
    assert saved[0].get_suptitle() == "Title"


def test_maps_have_a_colour_for_each_label(tmp_path, monkeypatch, rng):
    saved = []
    monkeypatch.setattr(curves.Figure, "savefig", lambda self, *_, **__: saved.append(self))
    maps = {name: (rng.random((20, 2)), np.arange(20) % 10) for name in ("train", "test")}
    figures.save_label_maps(tmp_path / "a.png", maps, "Title")
    first, second, bar = saved[0].axes
    assert (first.get_title(), second.get_title()) == ("train", "test")
    colours = first.collections[0].to_rgba(np.arange(10))
    assert len(np.unique(colours, axis=0)) == 10
    assert bar.get_ylabel() == "label"


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(1, 1), (64, 1), (1, 64)])
def test_images_may_have_a_side_of_one(shape, channels, tmp_path, rng):
    originals = rng.random((3, *shape, channels))
    figures.save_reconstructions(
        tmp_path / "a.png", originals, originals, originals, [20.0] * 3, "title"
    )
    figures.save_image_grid(tmp_path / "b.png", originals, "title", ["a", "b", "c"])
    for name in ("a.png", "b.png"):
        assert max(size_of(tmp_path / name)) < 2000


@pytest.mark.parametrize("shape", [(600, 1), (1, 600), (100_000, 1)])
def test_long_images_make_no_long_figures(shape, tmp_path):
    figures.save_image_grid(tmp_path / "a.png", np.zeros((3, *shape, 3)), "title", "abc", 3, 4.0)
    width, height = size_of(tmp_path / "a.png")
    assert 100 < width < 3000
    assert 100 < height < 3000
