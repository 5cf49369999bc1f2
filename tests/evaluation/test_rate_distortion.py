import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import make_block_codec, smooth_images

from ae_keras import metrics
from ae_keras.codec.classical import make_codec
from ae_keras.codec.fitting import fit_run
from ae_keras.command_line import format_bd_rates, format_rate_distortion
from ae_keras.evaluation.rate_distortion import (
    compare,
    make_mosaics,
    measure_codec,
    measure_rate_distortion,
)
from ae_keras.registry import build_from_recipe
from ae_keras.runs.folder import RunFolder


@pytest.fixture
def run(tmp_path, tiny_recipe):
    """A run folder with an untrained model, and no entropy tables."""
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    run.start(tiny_recipe)
    run.write_model(build_from_recipe(tiny_recipe), run.model)
    return run


def test_points_are_of_real_files(rng):
    images = smooth_images(rng, 9, 16, 12, 3)
    codec = make_codec("jpeg").with_quality(70)
    point = measure_codec(codec, list(images), images)
    files = [codec.compress(image) for image in images]
    restored = np.stack([codec.decompress(data) for data in files])
    errors = metrics.mse(images / 255, restored / 255)
    assert point["images"] == 9
    assert point["bpp"] == 8 * sum(map(len, files)) / (9 * 16 * 12)
    assert point["mse"] == pytest.approx(errors.mean(), abs=1e-8)
    assert point["psnr"] == pytest.approx(metrics.psnr(errors).mean(), abs=1e-4)
    similarity = metrics.ms_ssim(images / 255, restored / 255).mean()
    assert point["ms_ssim"] == pytest.approx(similarity, abs=1e-5)


def test_mosaics_hold_the_images_and_cost_less(rng):
    images = smooth_images(rng, 9, 8, 8, 3)
    (mosaic,) = make_mosaics(images)
    np.testing.assert_array_equal(mosaic[8:16, 16:24], images[5])
    codec = make_block_codec().with_overlap(0)
    single = measure_codec(codec, list(images), images)
    together = measure_codec(codec, [mosaic], images)
    assert together["psnr"] == pytest.approx(single["psnr"], abs=1e-6)
    assert together["bpp"] < single["bpp"] - 8 * 8 * 40 / 9 / 64


def test_mosaics_are_of_whole_squares(rng):
    assert [mosaic.shape for mosaic in make_mosaics(np.zeros((805, 4, 6, 1), np.uint8))] == [
        (80, 120, 1)
    ] * 2


def test_single_perfect_images_do_not_make_a_codec_lossless(rng):
    images = smooth_images(rng, 3, 16, 16, 3)
    images[1] = 0
    codec = make_codec("jpeg").with_quality(50)
    restored = np.stack([codec.decompress(codec.compress(image)) for image in images])
    errors = metrics.mse(images / 255, restored / 255)
    assert errors[1] == 0
    expected = (metrics.psnr(errors[[0, 2]]).sum() + 100) / 3
    assert measure_codec(codec, list(images), images)["psnr"] == pytest.approx(expected, abs=1e-4)


def test_lossless_codecs_have_no_psnr(rng):
    images = smooth_images(rng, 4, 9, 9, 1)
    point = measure_codec(make_codec("webp-lossless"), list(images), images)
    assert (point["psnr"], point["ms_ssim"]) == (None, None)


def test_table_figure_and_bd_rates(run, tmp_path):
    points, rates, files = measure_rate_distortion(
        run.path, against=["jpeg", "png", "pca"], qualities=[30, 60, 90], split="train"
    )
    assert run.entropy_tables.is_file()
    codecs = {point["codec"] for point in points}
    assert codecs == {"cae", "jpeg", "png", "pca"}
    assert {point["layout"] for point in points} == {"file an image", "mosaic"}
    assert set(rates) == {
        (codec, layout) for codec in ("jpeg", "pca") for layout in ("file an image", "mosaic")
    }
    table, figure = files
    with open(table, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["bpp"]) for row in rows] == [point["bpp"] for point in points]
    assert figure.stat().st_size > 10_000
    printed = format_rate_distortion(points).splitlines()[2:]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in printed]
    assert cells[0][:3] == ["cae", "file an image", "30"]
    for row, point in zip(cells, points, strict=True):
        assert float(row[3]) == pytest.approx(point["bpp"], abs=1e-3)
        assert row[5] == ("lossless" if point["psnr"] is None else f"{point['psnr']:.2f}")
    assert len(format_bd_rates(points, rates).splitlines()) == 2 + 4


def test_another_run_is_measured_beside(run, tmp_path):
    fit_run(run)
    other = tmp_path / run.path.name.swapcase()  # as long: files name their model
    shutil.copytree(run.path, other)
    points, rates, _ = measure_rate_distortion(
        run.path, against=[str(other)], qualities=[30, 60, 90], split="train"
    )
    measured = {"cae": [], other.name: []}
    for point in points:
        measured[point["codec"]].append((point["layout"], point["bpp"], point["mse"]))
    assert measured["cae"] == measured[other.name]
    assert set(rates) == {(other.name, "file an image"), (other.name, "mosaic")}
    with pytest.raises(ValueError, match=f"Two codecs have the name {other.name!r}"):
        measure_rate_distortion(run.path, against=[str(other)] * 2, split="train")


def test_photographs_are_coded_whole(run, photo_folder, tmp_path):
    points, _, files = measure_rate_distortion(
        run.path, str(photo_folder), limit=3, qualities=[50, 80], output_dir=tmp_path / "out"
    )
    ours = [point for point in points if point["codec"] == "cae"]
    assert [point["images"] for point in points] == [3] * len(points)
    assert [point["quality"] for point in ours] == [50, 80]
    assert {path.parent for path in files} == {tmp_path / "out"}
    assert files[0].stem == "rate_distortion-photos"


def test_efforts_are_told_of(photo_folder, tmp_path):
    tiny = shutil.copytree(Path(__file__).parents[1] / "golden" / "photo", tmp_path / "tiny")
    options = {"against": ["jpeg"], "qualities": [50], "limit": 1, "output_dir": tmp_path}
    points, rates, _ = measure_rate_distortion(tiny, str(photo_folder), efforts=[1, 2], **options)
    assert [point["codec"] for point in points[:2]] == ["photo", "photo, effort 2"]
    assert {codec for codec, _ in rates} == {"photo, effort 2", "jpeg"}


def test_unreadable_photographs_are_told_or_left_out(run, photo_folder, capsys):
    (photo_folder / "a.png").write_bytes(b"no picture")
    options = {"against": [], "qualities": [50], "limit": 2}
    with pytest.raises(ValueError, match=r"a\.png.+not a readable image.+--skip-unreadable"):
        measure_rate_distortion(run.path, str(photo_folder), **options)
    points, _, _ = measure_rate_distortion(
        run.path, str(photo_folder), skip_unreadable=True, **options
    )
    assert points[0]["images"] == 1
    assert "left out" in capsys.readouterr().err


def test_bd_rates_are_of_each_layout():
    def curve(codec, layout, factor):
        return [
            {"codec": codec, "layout": layout, "bpp": factor * 2.0**n, "psnr": 20.0 + n}
            for n in range(4)
        ]

    points = [*curve("ours", "a", 1), *curve("ours", "b", 3), *curve("x", "a", 2)]
    points += [*curve("x", "b", 2), {"codec": "png", "layout": "a", "bpp": 9.0, "psnr": None}]
    rates = compare(points)
    assert rates == {("x", "a"): pytest.approx(-50), ("x", "b"): pytest.approx(50)}
