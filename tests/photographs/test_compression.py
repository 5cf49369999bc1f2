import dataclasses
import io
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import make_block_codec, make_exif, make_profile, smooth_images
from PIL import Image

from ae_keras.codec.learned_codec import LearnedCodec
from ae_keras.codec.loading import find_run_of, load_codec
from ae_keras.codec.metadata import Metadata, read_metadata
from ae_keras.photographs import compression
from ae_keras.photographs.compression import (
    Compression,
    Decompression,
    plan_compression,
    read_info,
)
from ae_keras.photographs.job_files import encode_photograph, read_photograph
from ae_keras.photographs.jobs import Job
from ae_keras.registry import build_model
from ae_keras.runs.loading import load_model
from ae_keras.system import notices


def save(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)
    return str(path)


def test_file_to_file_and_back(run, photo, tmp_path):
    compressed, restored = str(tmp_path / "deep" / "x.aek"), str(tmp_path / "y.png")
    result = Compression("mine")(Job(photo, compressed))
    assert result.size == os.path.getsize(compressed)
    assert result.shape == (20, 30, 4)
    info = read_info(compressed)
    assert (info.header.model, info.size) == ("mine", result.size)
    assert Decompression()(Job(compressed, restored)).shape == (20, 30, 4)
    codec = load_codec("mine")
    expected = codec.decompress(codec.compress(np.asarray(Image.open(photo))))
    np.testing.assert_array_equal(np.asarray(Image.open(restored)), expected)
    pixels = np.asarray(Image.open(photo))
    error = (pixels[pixels[..., 3] > 0, :3].astype(float) - expected[pixels[..., 3] > 0, :3]) / 255
    assert result.psnr == pytest.approx(-10 * np.log10(np.square(error).mean()), abs=1e-3)


def test_settings_reach_the_codec(run, photo, tmp_path):
    job = Job(photo, str(tmp_path / "x.aek"))
    sizes = [Compression("mine", quality=q, force=True)(job).size for q in (20, 60, 95)]
    assert sizes == sorted(sizes)
    assert Compression("mine", step=77, force=True)(job)
    assert read_info(job.target).header.step == 77
    result = Compression("mine", target_bpp=9, measure=False, force=True)(job)
    assert 8 * result.size / 600 <= 9
    assert result.psnr is None


def test_targets_are_reached_and_nothing_is_done_twice(run, photo, tmp_path, monkeypatch):
    job = Job(photo, str(tmp_path / "x.aek"))
    done = []
    for name in ("compress", "decompress"):
        original = getattr(LearnedCodec, name)

        def spy(self, *arguments, name=name, original=original):
            done.append((name, self.step if name == "compress" else arguments[0]))
            return original(self, *arguments)

        monkeypatch.setattr(LearnedCodec, name, spy)
    result = Compression("mine", target_size=700, force=True)(job)
    assert os.path.getsize(job.target) == result.size <= 700
    # One decompression, to measure the PSNR.
    assert [name for name, _ in done].count("decompress") == 1
    assert len(set(done)) == len(done) <= 8
    done.clear()
    wanted = result.psnr
    for measure in (True, False):
        result = Compression("mine", target_psnr=wanted, measure=measure, force=True)(job)
        assert result.psnr >= wanted
        assert len(set(done)) == len(done) <= 14
        done.clear()


def test_a_target_and_a_quality_are_too_much(run):
    for others in ({"quality": 5}, {"step": 99}):
        with pytest.raises(ValueError, match="not several"):
            Compression("mine", target_size=700, **others).load()
    with pytest.raises(ValueError, match="one target only"):
        Compression("mine", target_size=700, target_bpp=3).load()
    with pytest.raises(ValueError, match="more than 0 bytes"):
        Compression("mine", target_size=0).load()


@pytest.mark.parametrize("factor", [2, 8])
def test_small_pictures_are_as_large_in_inches(factor, run, photo, tmp_path):
    Image.open(photo).save(photo, dpi=(300, 150))
    Compression("mine")(Job(photo, str(tmp_path / "x.aek")))
    job = Job(str(tmp_path / "x.aek"), str(tmp_path / "y.png"))
    result = Decompression(factor=factor)(job)
    with Image.open(job.target) as image:
        assert image.size == (-(-30 // factor), -(-20 // factor))
        assert result.shape == (*image.size[::-1], 4)
        assert image.info["dpi"] == pytest.approx((300 / factor, 150 / factor), abs=0.02)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("progress", "large", "stderr", "is_shown"),
    [
        (True, 599, Terminal, True),
        (True, 600, Terminal, False),
        (False, 599, Terminal, False),
        (True, 599, io.StringIO, False),
    ],
)
def test_progress_of_a_large_image(
    progress, large, stderr, is_shown, run, photo, tmp_path, monkeypatch
):
    monkeypatch.setattr("ae_keras.photographs.progress._LARGE", large)
    monkeypatch.setattr("sys.stderr", stderr())
    job = Job(photo, str(tmp_path / "x.aek"))
    Compression("mine", progress=progress)(job)
    back = Job(job.target, str(tmp_path / "y.png"))
    said = [sys.stderr.getvalue()]
    Decompression(progress=progress)(back)
    said.append(sys.stderr.getvalue().removeprefix(said[0]))
    assert [("%|" in text) for text in said] == [is_shown, is_shown]
    monkeypatch.setattr("sys.stderr", stderr())
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO()))
    Decompression(progress=progress)(Job(job.target, "-"))
    assert sys.stderr.getvalue() == ""


def test_files_have_the_time_of_what_they_are_made_of(run, photo, tmp_path):
    os.utime(photo, ns=(10**18, 123_456_789 * 10**9))
    jobs = (
        Job(photo, str(tmp_path / "x.aek")),
        Job(str(tmp_path / "x.aek"), str(tmp_path / "y.png")),
    )
    for work, job in zip((Compression("mine"), Decompression()), jobs, strict=True):
        result = work(job)
        assert os.stat(job.target).st_mtime == 123_456_789
        assert result.input_size == os.path.getsize(job.source)
        assert result.size == os.path.getsize(job.target)


def test_a_file_that_becomes_larger_is_said(tmp_path, rng, monkeypatch):
    monkeypatch.setattr(compression, "load_codec", lambda *_, **__: make_block_codec())
    source = save(tmp_path / "a.png", smooth_images(rng, 1, 60, 60, 3)[0])
    for quality, is_larger in ((10, False), (90, True)):
        job = Job(source, str(tmp_path / f"{quality}.aek"))
        result = Compression("blocks", quality=quality, measure=False)(job)
        notes = [sentence for sentence, _, _ in notices.take()]
        assert (result.size > result.input_size) == is_larger
        assert any("larger than the file itself" in note for note in notes) == is_larger


def test_a_model_of_grey_images_says_so_of_colours(run, photo, tmp_path, monkeypatch):
    grey = save(tmp_path / "grey.png", np.zeros((9, 9), np.uint8))
    monkeypatch.setattr(compression, "load_codec", lambda *_, **__: make_block_codec(channels=1))
    for source, is_said in ((photo, True), (grey, False)):
        Compression("blocks", measure=False)(Job(source, str(tmp_path / f"{is_said}.aek")))
        notes = [sentence for sentence, _, _ in notices.take()]
        assert any("trained on grey images" in note for note in notes) == is_said


@pytest.mark.parametrize("output", ["x.jpg", "x.PNG", "x.aekk"])
def test_compressed_files_are_named_as_such(output, photo, tmp_path):
    with pytest.raises(
        ValueError, match=rf"an \.aek file, and '{output}' ends in .* Name it 'x.aek"
    ):
        plan_compression([photo], output)
    for name in ("x.aek", "x.AEK", "x", "-"):
        assert plan_compression([photo], name) == [Job(photo, name)]
    assert plan_compression([photo], f"{output}/") == [Job(photo, f"{output}/photo.aek")]


def test_existing_files_are_kept(run, photo, tmp_path):
    target = tmp_path / "x.aek"
    target.write_text("mine")
    for work, source in ((Compression("mine"), photo), (Decompression(), photo)):
        with pytest.raises(FileExistsError, match="--force"):
            work(Job(source, str(target)))
    assert target.read_text() == "mine"
    before = Path(photo).read_bytes()
    with pytest.raises(FileExistsError, match="is the input itself"):
        Compression("mine", force=True)(Job(photo, photo))
    assert Path(photo).read_bytes() == before
    with pytest.raises(NotADirectoryError, match="is not a folder"):
        Compression("mine")(Job(photo, photo + "/x.aek"))
    with pytest.raises(FileExistsError, match="not a regular file"):
        Compression("mine", force=True)(Job(photo, "/dev/null"))
    Compression("mine", force=True)(Job(photo, str(target)))
    assert read_info(str(target))


def test_settings_out_of_range_are_told_when_loading(run):
    for name in ("step", "overlap", "quality", "label"):
        with pytest.raises(ValueError, match=name):
            Compression("mine", **{name: -1}).load()


def test_large_overlap_and_long_images(run, rng):
    codec = load_codec("mine").with_overlap(32)
    for shape in ((600, 50, 3), (1, 1200, 3)):
        image = smooth_images(rng, 1, *shape)[0]
        assert codec.decompress(codec.compress(image)).shape == shape
    plain = load_codec("mine")
    sizes = [len(plain.compress(np.full((1, w, 3), 9, np.uint8))) for w in (512, 513)]
    assert sizes[1] < sizes[0] + 60


def test_formats_that_cannot_be_written_are_refused(run, photo, tmp_path):
    compressed = str(tmp_path / "x.aek")
    Compression("mine")(Job(photo, compressed))
    with pytest.raises(ValueError, match=r"'\.xyz' names no image format"):
        Decompression()(Job(compressed, str(tmp_path / "x.xyz")))
    with pytest.raises(ValueError, match="30x20 pixels, more than the 100"):
        Decompression(max_pixels=100)(Job(compressed, str(tmp_path / "x.png")))


def test_model_of_a_file_is_found_by_its_digest(run, photo, tmp_path):
    compressed = str(tmp_path / "x.aek")
    Compression("mine")(Job(photo, compressed))
    header = read_info(compressed).header
    renamed = run.path.rename(run.path.parent / "renamed")
    assert find_run_of(header).resolve() == renamed
    (renamed / "entropy_tables.npz").write_bytes(b"damaged")
    message = rf"model 'mine' \({header.digest.hex()}\), which is not in 'saved_models'"
    with pytest.raises(ValueError, match=message):
        find_run_of(header)


def test_tables_of_other_weights_are_refused(run, tiny_recipe):
    other = build_model("cae", image_shape=tiny_recipe.image_shape)
    other.set_weights([weight + 0.01 for weight in other.get_weights()])
    run.write_model(other, run.model)
    with pytest.raises(
        ValueError, match=r"of other weights\. Make them again with: ae-keras evaluate"
    ):
        load_codec("mine")
    run.entropy_tables.unlink()
    with pytest.raises(FileNotFoundError, match=r"no entropy tables\. Make them with"):
        load_codec("mine")


def test_codec_of_a_model_for_any_size_is_that_of_the_model(run, rng):
    """Padding, not tiles: an image of the model's size has the same latents either way."""
    codec = load_codec("mine")
    assert codec.transform.takes_any_size
    assert codec.transform.tile_for((30, 50)) == ((32, 52), 0)
    assert codec.transform.tile_for((600, 50)) == ((308, 52), 16)
    assert codec.transform.tile_for((600, 50), overlap=40) == ((320, 52), 40)
    assert codec.transform.tile_for((520, 50), overlap=200) == ((400, 52), 200)
    with pytest.raises(ValueError, match="more than half of any tile: 256 is the most"):
        codec.transform.tile_for((600, 50), overlap=600)
    assert codec.transform.tile_for((1, 5000)) == ((4, 472), 16)
    assert codec.transform.latent_shape_of((30, 52)) is None
    assert codec.transform.latent_shape_of((32, 516)) is None
    images = rng.random((2, 16, 16, 3), np.float32)
    model = load_model(run.model)
    np.testing.assert_allclose(codec.transform.encode(images), model.encode(images), atol=1e-6)


def test_colours_are_right_again(run, tmp_path, rng):
    """A PNG whose profile has red and green swapped comes back with the same profile."""
    metadata = Metadata(make_profile(swapped=True), make_exif(6), b"<xmp/>", (300, 150))
    data, _ = encode_photograph(smooth_images(rng, 1, 20, 30, 3)[0], metadata, "photo.png")
    (tmp_path / "photo.png").write_bytes(data)
    original = read_photograph(str(tmp_path / "photo.png"))
    work, back = Compression("mine"), Decompression()
    result = work(Job(str(tmp_path / "photo.png"), str(tmp_path / "x.aek")))
    assert result.shape == (30, 20, 3)
    back(Job(str(tmp_path / "x.aek"), str(tmp_path / "again.png")))
    again = read_photograph(str(tmp_path / "again.png"))
    expected = dataclasses.replace(original.metadata, exif=make_exif(1))
    assert original.metadata.icc_profile == make_profile(swapped=True) != make_profile()
    assert again.metadata == expected
    assert again.pixels.size == (20, 30)
    stripped = dataclasses.replace(work, strip_metadata=True, force=True)
    assert stripped(Job(str(tmp_path / "photo.png"), str(tmp_path / "x.aek"))).size < result.size
    assert read_metadata(read_info(str(tmp_path / "x.aek")).sections) == Metadata()


def test_target_rate_is_that_of_the_whole_file(run, photo, tmp_path):
    image = Image.open(photo)
    image.save(photo, icc_profile=make_profile())
    result = Compression("mine", target_bpp=14, measure=False)(Job(photo, str(tmp_path / "x.aek")))
    assert len(read_info(str(tmp_path / "x.aek")).sections) == 3
    assert 8 * result.size / 600 <= 14
    with pytest.raises(ValueError, match=r"cannot be reached.*, of which metadata take \d\.\d+\."):
        Compression("mine", target_bpp=9)(Job(photo, str(tmp_path / "y.aek")))
