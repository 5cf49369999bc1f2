import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ae_keras.codec.bitstream import Header
from ae_keras.codec.errors import ImageTooLargeError, InconsistentError
from ae_keras.codec.layout import SECTION_PIXELS, Layout, batch_size
from ae_keras.codec.planes import Planes, fits_model
from ae_keras.codec.tiling import Tiling

HEADER = Header("m", b"12345678", 20, 30, 3, 64, (8, 8), 2, 5)


@settings(deadline=None)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from([(1, 1), (1, 3), (3, 1), (3, 3)]),
    st.integers(0, 2),
)
def test_an_image_that_is_cut_and_joined_is_itself(height, width, channels, overlap):
    layout = Layout.plan(Tiling((height, width), (8, 8), overlap), Planes(*channels))
    image = np.random.default_rng(0).integers(0, 256, (height, width, channels[0]), np.uint8)
    rows = list(layout.cut(image))
    assert sum(map(len, rows)) == layout.tiles
    assert all(row.shape[1:] == (8, 8, channels[1]) for row in rows)
    joined = np.empty_like(image)
    layout.join((row.astype(np.float32) / 255 for row in rows), joined)
    np.testing.assert_array_equal(joined, image)


@pytest.mark.parametrize(("model_channels", "planes"), [(3, 1), (1, 3)])
def test_sections_hold_all_tiles_of_all_planes(model_channels, planes):
    layout = Layout.of(HEADER, model_channels)
    assert layout.tiling.grid == (3, 5)
    assert layout.tiles == 15 * planes
    assert layout.section_sizes == [5] * 3 * planes
    assert Layout.of(Header(**vars(HEADER) | {"section_tiles": 4}), 3).section_sizes == [4, 4, 4, 3]


def test_sections_of_a_new_file_are_of_a_moderate_size():
    assert Layout.plan(Tiling((20, 30), (8, 8), 2), Planes(3, 1)).section_sizes == [45]
    large = Layout.plan(Tiling((3000, 5000), (512, 512)), Planes(3, 3))
    assert large.section_tiles * 512**2 == SECTION_PIXELS
    assert large.batch_size == batch_size((512, 512)) == 1


def test_files_of_one_geometry_have_equal_layouts():
    layout = Layout.of(HEADER, 3)
    for change in ({"label": 7}, {"bank": 1}, {"step": 99}, {"model": "other"}):
        assert Layout.of(Header(**vars(HEADER) | change), 3) == layout
    for change in ({"height": 21}, {"overlap": 1}, {"section_tiles": 4}, {"channels": 1}):
        assert Layout.of(Header(**vars(HEADER) | change), 3) != layout


def test_what_does_not_fit_into_memory_or_together_is_refused():
    layout = Layout.of(HEADER, 3)
    layout.check_width()
    layout.check_sections(3)
    for count in (2, 4):
        with pytest.raises(InconsistentError, match="not as many sections"):
            layout.check_sections(count)
    with pytest.raises(InconsistentError, match="sections are too large"):
        Layout(layout.tiling, layout.planes, 2**20).check_sections(1)
    with pytest.raises(ImageTooLargeError, match="8388608 pixels wide, too many for tiles"):
        Layout(Tiling((8, 2**23), (8, 8), 2), layout.planes, 5).check_width()


def test_channels_that_a_model_takes():
    pairs = [
        (image, model) for image in range(1, 5) for model in (1, 3) if fits_model(image, model)
    ]
    assert pairs == [(1, 1), (1, 3), (3, 1), (3, 3)]
