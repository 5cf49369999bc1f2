import keras
import numpy as np
import pytest

from ae_keras.layers import ResidualBlock


@pytest.mark.parametrize("use_bias", [True, False])
def test_blocks_are_made_again_from_their_configuration(use_bias, rng):
    block = ResidualBlock(use_bias=use_bias)
    block.build((None, None, None, 6))
    again = ResidualBlock.from_config(block.get_config())
    again.build((None, None, None, 6))
    assert len(block.weights) == (10 if use_bias else 5)
    again.set_weights(block.get_weights())
    features = rng.normal(size=(2, 5, 7, 6)).astype(np.float32)
    np.testing.assert_array_equal(again(features), block(features))


def test_blocks_without_biases_scale(rng):
    keras.utils.set_random_seed(0)
    block = ResidualBlock(use_bias=False)
    features = rng.normal(size=(2, 5, 7, 6)).astype(np.float32)
    np.testing.assert_allclose(block(3 * features), 3 * np.asarray(block(features)), rtol=1e-5)
