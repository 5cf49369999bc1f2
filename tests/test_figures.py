import numpy as np
import pytest
from PIL import Image

from ae_keras import figures


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
    monkeypatch.setattr(figures, "save_image_rows", lambda path, rows, *_, **__: drawn.update(rows))
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
    monkeypatch.setattr(figures.Figure, "savefig", lambda self, *_, **__: saved.append(self))
    row = {"loss": 3.0, "val_loss": 2.0, "val_distortion": 1.0}
    figures.save_history(tmp_path / "history.png", [row, row], "title", "mse")
    axes = saved[0].axes[0]
    assert axes.get_ylabel() == "loss (mse + weighted KL)"
    assert [list(line.get_ydata()) for line in axes.lines][2] == [1.0, 1.0]
