"""Every mode and bit depth that Pillow opens: the right pixels, or a refusal."""

import numpy as np
import pictures
import pytest
from PIL import Image

from ae_keras.data.image_files import SUFFIXES, read_image
from ae_keras.data.images import load_images
from ae_keras.data.spec import DataSpec
from ae_keras.system import notices


@pytest.fixture
def picture(request, tmp_path):
    data, pixels = pictures.cases()[request.param]
    path = tmp_path / "picture"
    path.write_bytes(data)
    return path, pixels


every_picture = pytest.mark.parametrize("picture", pictures.cases(), indirect=True)


@every_picture
def test_pixels_and_alpha_are_those_of_the_file(picture):
    path, pixels = picture
    image = read_image(path, keep_alpha=True)
    assert image.mode in ("L", "LA", "RGB", "RGBA")
    np.testing.assert_array_equal(np.asarray(image), pixels)


@every_picture
def test_without_alpha_they_are_laid_over_white(picture):
    path, pixels = picture
    image = read_image(path)
    assert image.mode in ("L", "RGB")
    np.testing.assert_allclose(np.asarray(image), pictures.over_white(pixels), atol=1)


@pytest.mark.parametrize("name", pictures.refused())
def test_pixels_that_could_only_be_guessed_are_refused(name, tmp_path):
    path = tmp_path / "picture"
    path.write_bytes(pictures.refused()[name])
    words = "received signed|floating-point|one after the other"
    with pytest.raises(ValueError, match=words):
        read_image(path)


def test_a_folder_of_all_of_them_reaches_training(tmp_path, capsys):
    suffixes = {"PPM": ".ppm", "PGM": ".pgm", "PBM": ".pbm", "JPEG2000": ".jp2"}
    expected = {}
    for name, (data, pixels) in pictures.cases().items():
        format = name.split("-")[0]
        path = tmp_path / (name + suffixes.get(format, "." + format.lower()))
        path.write_bytes(data)
        expected[path.name] = pictures.over_white(pixels)
    spec = DataSpec(dataset=str(tmp_path), splits=(0.4, 0.3, 0.3), image_shape=(*pictures.SHAPE, 3))
    read = load_images(spec)
    found = np.concatenate([read[split].images for split in read]).astype(float)
    assert len(found) == len(expected)
    for name, pixels in expected.items():
        colour = np.dstack([pixels] * 3) if pixels.ndim == 2 else pixels
        assert np.abs(found - colour).max(axis=(1, 2, 3)).min() <= 1, name
    count = sum(
        pixels.ndim == 3 and pixels.shape[2] in (2, 4) for _, pixels in pictures.cases().values()
    )
    error = capsys.readouterr().err
    assert error.endswith(f" and {count - 1} more: transparent parts are laid over white.\n")
    assert error.count("\n") == 1


def test_a_text_of_megabytes_is_no_hindrance(tmp_path):
    from PIL import PngImagePlugin

    info = PngImagePlugin.PngInfo()
    info.add_text("k", "x" * 3_000_000, zip=True)
    Image.fromarray(pictures.COLOUR).save(tmp_path / "x.png", pnginfo=info)
    np.testing.assert_array_equal(read_image(tmp_path / "x.png"), pictures.COLOUR)


@pytest.mark.parametrize("name", ["x.gif", "x.tif", "x.png", "x.webp"])
def test_further_frames_are_counted(name, tmp_path, capsys):
    frames = [Image.fromarray(pictures.GREY + step) for step in range(3)]
    options = {"lossless": True} if name == "x.webp" else {}
    path = tmp_path / name
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)
    for _ in range(2):
        image = np.asarray(read_image(path).convert("L"))
        np.testing.assert_allclose(image, pictures.GREY, atol=1)
    notices.say()
    notices.say()
    assert capsys.readouterr().err == f"{path}: further frames or pages are left out: 2.\n"


def test_what_pillow_opens_is_taken_from_folders():
    """But what is no picture of 8 or 16 bits: films, measurements, drawings by other programs."""
    Image.init()
    opened = {end for end, format in Image.registered_extensions().items() if format in Image.OPEN}
    others = ".bufr .emf .eps .fit .fits .grib .h5 .hdf .iim .mpeg .mpg .pfm .ps .wmf"
    assert opened - set(others.split()) <= SUFFIXES | {".aek"}
    assert opened | {".mpo"} >= SUFFIXES  # which Pillow takes for a JPEG at first


def test_other_colour_spaces_become_rgb(tmp_path):
    from skimage.color import lab2rgb, ycbcr2rgb

    four = pictures.FOUR.astype(float)
    inks = np.rint((255 - four[..., :3]) * (255 - four[..., 3:]) / 255)
    # The white of LAB is warmer, which scikit-image adapts in a simpler way: 4 levels of 255.
    lab = np.array([[[128, 20, 236], [200, 5, 10], [60, 246, 0]]], np.uint8)  # -10 is 246
    signed = np.dstack([lab[..., 0] * (100 / 255), lab[..., 1:].astype(np.int8)])
    # JPEG's YCbCr takes the whole range of 8 bits, that of scikit-image 16 to 235.
    ycc = np.array([[[100, 120, 140], [200, 128, 128], [50, 100, 120]]], np.uint8)
    video = np.array([16, 128, 128]) + (ycc - [0, 128, 128.0]) * [219 / 255, 224 / 255, 224 / 255]
    expected = {
        "separated": (pictures.FOUR, inks, 1),
        "cielab": (lab, 255 * lab2rgb(signed), 4),
    }
    if pictures.READS_ALL_TIFF:
        expected["ycbcr"] = (ycc, 255 * ycbcr2rgb(video), 2)
    for photometric, (values, pixels, tolerance) in expected.items():
        (tmp_path / "x").write_bytes(pictures.tiff(values, photometric=photometric))
        np.testing.assert_allclose(np.asarray(read_image(tmp_path / "x")), pixels, atol=tolerance)
    deep = (pictures.FOUR.astype(np.uint16) << 8) + 77
    (tmp_path / "x").write_bytes(pictures.tiff(deep, photometric="separated"))
    np.testing.assert_allclose(np.asarray(read_image(tmp_path / "x")), inks, atol=1)
