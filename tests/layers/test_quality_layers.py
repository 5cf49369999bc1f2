"""Quality, lambda and the layers that depend on it."""

import numpy as np
import pytest

from ae_keras.layers import Gain, Modulation
from ae_keras.layers.quality import ANCHORS, QualityLayer, log_gain_of
from ae_keras.system.quality import (
    LAMBDAS,
    lambda_of_position,
    position_of_lambda,
    position_of_quality,
)


def test_qualities_are_evenly_spaced_in_log_lambda():
    lambdas = lambda_of_position(position_of_quality(np.arange(1, 101)))
    assert (lambdas[0], lambdas[-1]) == pytest.approx(LAMBDAS)
    np.testing.assert_allclose(lambdas[1:] / lambdas[:-1], 250 ** (1 / 99))
    np.testing.assert_allclose(position_of_lambda(lambdas), np.arange(100) / 99, atol=1e-12)


@pytest.mark.parametrize("quality", [0, 101, np.array([50, 0])])
def test_other_qualities_are_refused(quality):
    with pytest.raises(ValueError, match="`quality` must be from 1 to 100"):
        position_of_quality(quality)


def test_the_first_gain_is_one_over_the_step_of_a_transform_coder():
    gains = np.exp(log_gain_of(np.array([0.0, 0.5, 1.0])))
    steps = np.sqrt(26 / lambda_of_position(np.array([0.0, 0.5, 1.0])))
    np.testing.assert_allclose(gains, 1 / steps)


def test_tables_are_interpolated_between_anchors(rng):
    table = rng.normal(size=(ANCHORS, 3)).astype("float32")
    positions = np.float32([0, 0.31, 3 / 7, 1, 1.2])
    expected = [np.interp(positions, np.arange(8) / 7, column) for column in table.T]
    found = np.asarray(QualityLayer.look_up(table, positions))[:, 0, 0]
    np.testing.assert_allclose(found, np.transpose(expected), atol=1e-5)


def inputs(rng):
    return [rng.normal(size=(3, 4, 5, 6)).astype("float32"), np.float32([0, 0.4, 1])]


def test_inverse_gains_undo_gains_until_they_are_trained(rng):
    features, position = inputs(rng)
    scaled = Gain()([features, position])
    np.testing.assert_allclose(Gain(inverse=True)([scaled, position]), features, rtol=1e-5)
    expected = features * np.sqrt(lambda_of_position(position) / 26)[:, None, None, None]
    np.testing.assert_allclose(scaled, expected, rtol=1e-5)


def test_modulation_starts_as_the_identity_and_depends_on_the_position(rng):
    features, position = inputs(rng)
    layer = Modulation()
    np.testing.assert_array_equal(layer([features, position]), features)
    layer.scales.assign(np.arange(8)[:, None] * np.ones((1, 6)))
    layer.shifts.assign(np.ones((8, 6)))
    expected = features * (1 + 7 * position)[:, None, None, None] + 1
    np.testing.assert_allclose(layer([features, position]), expected, rtol=1e-5)
