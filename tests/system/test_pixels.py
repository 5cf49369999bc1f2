import numpy as np

from ae_keras.system.pixels import to_uint8, to_unit_range

VALUES = np.arange(256, dtype=np.uint8)


def test_the_unit_range_is_that_of_a_division_in_float32():
    floats = to_unit_range(VALUES)
    assert floats.dtype == np.float32
    np.testing.assert_array_equal(floats, VALUES.astype(np.float32) / 255)
    np.testing.assert_array_equal(floats, VALUES / np.float32(255))


def test_there_and_back():
    back = to_uint8(to_unit_range(VALUES))
    assert back.dtype == np.uint8
    np.testing.assert_array_equal(back, VALUES)


def test_halves_are_rounded_to_even():
    assert to_uint8(np.array([0.5 / 255, 1.5 / 255])).tolist() == [0, 2]
