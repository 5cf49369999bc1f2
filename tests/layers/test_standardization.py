import keras
import numpy as np
import pytest

from ae_keras.layers import Standardization


def test_standardizes_each_channel(rng):
    images = rng.random((50, 8, 8, 3)) * [1.0, 0.1, 0.5] + [0.0, 0.3, 0.2]
    layer = Standardization()
    layer.build(images.shape)
    layer.set_statistics(images.mean((0, 1, 2)), images.var((0, 1, 2)))
    outputs = np.asarray(layer(images))
    np.testing.assert_allclose(outputs.mean((0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(outputs.std((0, 1, 2)), 1, atol=1e-5)


@pytest.mark.parametrize("width", [5, None])
def test_training_sees_the_same_images(width, rng):
    inputs = keras.Input((None, width, 3))
    layer = Standardization()
    model = keras.Model(inputs, layer(inputs))
    layer.set_statistics([0.1, 0.2, 0.3], [0.5, 2.0, 3.0])
    images = rng.random((2, 4, 5, 3), np.float32)
    np.testing.assert_array_equal(model(images, training=True), model(images))


def test_changes_nothing_before_its_statistics_are_set(rng):
    images = rng.random((2, 4, 4, 3), np.float32)
    np.testing.assert_array_equal(Standardization()(images), images)


def test_a_constant_channel_is_only_shifted():
    layer = Standardization()
    layer.build((None, None, None, 1))
    layer.set_statistics([0.25], [0.0])
    np.testing.assert_array_equal(layer(np.full((1, 2, 2, 1), 0.75, np.float32)), 0.5)


def test_negative_variance_is_refused():
    layer = Standardization()
    layer.build((None, None, None, 1))
    with pytest.raises(ValueError, match="must not be negative"):
        layer.set_statistics([0.0], [-1.0])
