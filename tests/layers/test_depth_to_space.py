"""Pixels into channels and back, and into other units."""

import keras
import numpy as np
import pytest

from ae_keras.layers import DepthToSpace, Rescale, SpaceToDepth


def blocks_by_loop(images, block):
    count, height, width, channels = images.shape
    out = np.zeros((count, height // block, width // block, block * block * channels), np.float32)
    for row in range(height // block):
        for column in range(width // block):
            rows = slice(row * block, (row + 1) * block)
            columns = slice(column * block, (column + 1) * block)
            out[:, row, column] = images[:, rows, columns].reshape(count, -1)
    return out


@pytest.mark.parametrize("block", [1, 2, 3])
def test_blocks_are_those_of_a_loop_and_come_back(block, rng):
    images = rng.random((2, 6, 12, 5), np.float32)
    blocks = np.asarray(SpaceToDepth(block)(images))
    np.testing.assert_array_equal(blocks, blocks_by_loop(images, block))
    np.testing.assert_array_equal(DepthToSpace(block)(blocks), images)


def test_any_size_is_taken(rng):
    inputs = keras.Input((None, None, 3))
    blocks = SpaceToDepth(4)(inputs)
    assert blocks.shape == (None, None, None, 48)
    model = keras.Model(inputs, DepthToSpace(4)(blocks))
    for shape in ((2, 8, 4, 3), (1, 4, 16, 3)):
        images = rng.random(shape, np.float32)
        np.testing.assert_array_equal(model(images), images)


@pytest.mark.parametrize("layer", [SpaceToDepth, DepthToSpace])
def test_bad_blocks_are_refused(layer):
    with pytest.raises(ValueError, match="`block` must be a whole number"):
        layer(0)
    with pytest.raises(ValueError, match="must be divisible by `block"):
        layer(4)(keras.Input((6, 8, 3)))


def test_rescaled_values_are_scaled_and_shifted(rng):
    images = rng.random((2, 4, 3, 3), np.float32)
    layer = Rescale(255.0, -127.5)
    np.testing.assert_allclose(layer(images), 255 * images - 127.5, rtol=1e-6, atol=1e-4)
    again = Rescale.from_config(layer.get_config())
    np.testing.assert_array_equal(again(images), layer(images))
