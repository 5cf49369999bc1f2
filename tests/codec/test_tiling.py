import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ae_keras.codec.tiling import Tiling

SIDES = st.integers(1, 70)


@settings(deadline=None)
@given(SIDES, SIDES, st.integers(4, 20), st.integers(4, 20), st.integers(0, 2))
def test_tiles_put_together_are_the_image(height, width, tile_height, tile_width, overlap):
    tiling = Tiling((height, width), (tile_height, tile_width), overlap)
    image = np.random.default_rng(0).random((height, width, 2), np.float32)
    rows = list(tiling.cut(image))
    assert sum(map(len, rows)) == tiling.count
    assert all(row.shape[1:] == (tile_height, tile_width, 2) for row in rows)
    np.testing.assert_allclose(np.concatenate(list(tiling.join(rows))), image, atol=1e-6)


def test_only_as_many_tiles_as_needed():
    assert Tiling((32, 32), (32, 32), 4).grid == (1, 1)
    assert Tiling((33, 60), (32, 32), 4).grid == (2, 2)
    assert Tiling((64, 64), (32, 32), 0).grid == (2, 2)
    assert Tiling((1, 61), (32, 32), 4).grid == (1, 3)


def test_edges_are_repeated_beyond_the_image():
    image = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    (row,) = Tiling((2, 3), (4, 4)).cut(image)
    expected = [[0, 1, 2, 2], [3, 4, 5, 5], [3, 4, 5, 5], [3, 4, 5, 5]]
    np.testing.assert_array_equal(row[0, ..., 0], expected)


@pytest.mark.parametrize("axis", [0, 1])
def test_one_tile_passes_evenly_into_the_next(axis):
    size = (8, 14) if axis else (14, 8)
    tiling = Tiling(size, (8, 8), 2)
    black_and_white = np.stack([np.zeros((8, 8, 1), np.float32), np.ones((8, 8, 1), np.float32)])
    rows = [black_and_white] if axis else [black_and_white[:1], black_and_white[1:]]
    joined = np.concatenate(list(tiling.join(rows)))[..., 0]
    profile = joined[3] if axis else joined[:, 3]
    np.testing.assert_allclose(profile, [0] * 6 + [0.25, 0.75] + [1] * 6)


def test_rows_come_out_before_all_tiles_are_in():
    tiling = Tiling((100, 8), (8, 8), 2)
    seen = []

    def tiles():
        for number in range(tiling.count):
            seen.append(number)
            yield np.zeros((1, 8, 8, 1), np.float32)

    assert next(tiling.join(tiles())).shape == (6, 8, 1)
    assert seen == [0]
