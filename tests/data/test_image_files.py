import numpy as np
import pytest
from PIL import Image

from ae_keras.data.image_files import find_images, fit_image, read_image
from ae_keras.system import notices


def save(path, array, **options):
    Image.fromarray(array).save(path, **options)
    return path


def test_finds_images_at_any_depth_and_skips_hidden_and_other_files(tmp_path, rng):
    pixels = rng.integers(0, 256, (4, 4, 3), np.uint8)
    for name in ("b.PNG", "a/c.jpg", "a/d/e.webp", ".hidden/f.png", "__MACOSX/g.png", "note.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("hello") if path.suffix == ".txt" else save(path, pixels)
    names = [path.relative_to(tmp_path).as_posix() for path in find_images(tmp_path)]
    assert names == ["a/c.jpg", "a/d/e.webp", "b.PNG"]


def test_folder_without_images_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"No images in .+ Expected files ending in .+\.png"):
        find_images(tmp_path)


def test_colour_is_read_exactly(tmp_path, rng):
    pixels = rng.integers(0, 256, (5, 7, 3), np.uint8)
    np.testing.assert_array_equal(read_image(save(tmp_path / "a.png", pixels)), pixels)


def test_exif_rotation_is_applied(tmp_path):
    pixels = np.zeros((4, 8, 3), np.uint8)
    pixels[:2] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    image = read_image(save(tmp_path / "a.png", pixels, exif=exif))
    np.testing.assert_array_equal(image, np.rot90(pixels, -1))


def test_sixteen_bits_become_the_upper_eight(tmp_path):
    values = np.array([[0, 255, 256, 65535]], np.uint16)
    image = read_image(save(tmp_path / "a.png", values))
    np.testing.assert_array_equal(image, [[0, 0, 1, 255]])


def test_transparency_is_laid_over_white(tmp_path):
    pixels = np.array([[[10, 20, 30, 255], [10, 20, 30, 0]]], np.uint8)
    image = read_image(save(tmp_path / "a.png", pixels))
    np.testing.assert_array_equal(image, [[[10, 20, 30], [255, 255, 255]]])


def test_palette_becomes_colour(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([1, 2, 3, 200, 100, 50])
    image.putpixel((1, 0), 1)
    image.save(tmp_path / "a.gif")
    np.testing.assert_array_equal(read_image(tmp_path / "a.gif"), [[[1, 2, 3], [200, 100, 50]]])


@pytest.mark.parametrize("damage", ["empty", "text", "truncated"])
def test_damaged_file_is_refused(tmp_path, rng, damage):
    path = save(tmp_path / "bad.jpg", rng.integers(0, 256, (64, 64, 3), np.uint8))
    content = {"empty": b"", "text": b"not an image", "truncated": path.read_bytes()[:500]}
    path.write_bytes(content[damage])
    with pytest.raises(ValueError, match="not a readable image"):
        read_image(path)


def test_floating_point_pixels_are_refused(tmp_path):
    path = save(tmp_path / "a.tif", np.zeros((4, 4), np.float32))
    with pytest.raises(ValueError, match="floating-point"):
        read_image(path)


@pytest.mark.parametrize("image_shape", [(8, 8, 3), (8, 8, 1), (4, 8, 3), (16, 10, 1)])
def test_fit_gives_the_shape(image_shape, rng):
    for pixels in (rng.integers(0, 256, (20, 30, 3), np.uint8), np.zeros((16, 10), np.uint8)):
        fitted = fit_image(Image.fromarray(pixels), image_shape)
        assert fitted.shape == image_shape
        assert fitted.dtype == np.uint8


def test_fit_keeps_the_middle():
    pixels = np.zeros((10, 30), np.uint8)
    pixels[:, 10:20] = 255
    assert (fit_image(Image.fromarray(pixels), (10, 10, 1)) == 255).all()


def test_fit_enlarges_only_where_it_may():
    with pytest.raises(ValueError, match=r"at least 32x32 .+ received one of 20x40"):
        fit_image(Image.new("RGB", (40, 20)), (32, 32, 3))
    fitted = fit_image(Image.new("RGB", (40, 20), (9, 8, 7)), (32, 32, 3), enlarge=True)
    assert fitted.shape == (32, 32, 3)
    assert (fitted == (9, 8, 7)).all()


def test_what_is_left_out_of_a_folder_is_counted(tmp_path, rng, capsys):
    folder, elsewhere = tmp_path / "in", tmp_path / "elsewhere"
    for path in (folder / "a.jfif", folder / "b" / "c.tga", elsewhere / "d.png"):
        path.parent.mkdir(parents=True, exist_ok=True)
        format = "JPEG" if path.suffix == ".jfif" else None
        save(path, rng.integers(0, 256, (4, 4, 3), np.uint8), format=format)
    (folder / "linked").symlink_to(elsewhere, target_is_directory=True)
    for name in ("e.heic", "b/f.txt", "b/g.txt", ".hidden.txt", "README"):
        (folder / name).write_text("no image")
    for _ in range(2):
        assert [path.name for path in find_images(folder)] == ["a.jfif", "c.tga"]
    notices.say()
    assert capsys.readouterr().err == (
        f"{folder}: other files are left out: 4 (2 .txt, 1 without an ending, 1 .heic).\n"
        f"{folder}: linked folders are left out, name them too: 1.\n"
    )
