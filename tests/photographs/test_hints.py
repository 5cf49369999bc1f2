import numpy as np
import pytest
from PIL import Image

from ae_keras.photographs.colourization import PhotoColourizer
from ae_keras.photographs.hints import Hint, apply_hints
from ae_keras.system.colour import rgb_to_lab


def test_a_hint_is_a_place_and_a_colour():
    assert Hint.parse("120,80=#a03020") == Hint(120, 80, (160, 48, 32))
    assert Hint.parse(" 1, 2 = skyblue") == Hint(1, 2, (135, 206, 235))
    assert Hint.parse("0,0=#ff000080").colour == (255, 0, 0)


@pytest.mark.parametrize(
    "text", ["", "120,80", "120=#fff", "1,2,3=#fff", "1,2=no colour", "a,b=red"]
)
def test_other_texts_are_no_hints(text):
    with pytest.raises(ValueError, match="Expected a hint X,Y=COLOUR such as"):
        Hint.parse(text)


def test_hints_spread_over_equal_lightness_and_stop_at_edges():
    lightness = np.full((24, 32), 40.0)
    lightness[:, 16:] = 80
    guess = np.full((24, 32, 2), 5.0, np.float32)
    hint = Hint(40, 50, (200, 30, 30))
    chroma = apply_hints(guess, lightness, [hint], (320, 240))
    np.testing.assert_allclose(chroma[5, 4], hint.chroma, rtol=0.01)
    shares = (chroma - guess) / (hint.chroma - 5)
    assert shares[:, :16].min() > 0.5
    assert np.abs(shares[:, 16:]).max() < 0.05
    # Two hints hold each at its own place.
    other = Hint(250, 120, (30, 30, 200))
    both = apply_hints(guess, lightness, [hint, other], (320, 240))
    np.testing.assert_allclose(both[5, 4], hint.chroma, rtol=0.02)
    np.testing.assert_allclose(both[12, 25], other.chroma, rtol=0.02)


def test_a_photograph_has_the_colours_that_are_known(rng):
    colourizer = PhotoColourizer("colourizer-cifar10")
    image = np.full((60, 90), 120, np.uint8)
    image[:, 45:] = 200
    plain, hinted = colourizer(image), colourizer(image, [Hint(20, 30, (180, 60, 60))])
    a, b = rgb_to_lab(hinted[30:31, 20:21].astype(np.float32) / 255)[0, 0, 1:]
    np.testing.assert_allclose([a, b], Hint(0, 0, (180, 60, 60)).chroma, atol=3)
    difference = np.abs(plain.astype(int) - hinted).max(axis=-1)
    assert difference[:, :40].min() > 10
    assert difference[:, 60:].max() <= 3
    with pytest.raises(ValueError, match="90,10 lies outside the photograph, which has 90x60"):
        colourizer(image, [Hint(90, 10, (0, 0, 0))])
    assert Image.fromarray(hinted).size == (90, 60)
