import math

import pytest

import ae_keras
from ae_keras.evaluation.known_points import read_points

TABLE = """codec,bpp,psnr,ms_ssim,source
old,0.5,20,0.9,a paper
old,1,25,,a paper
old,2,31.5,0.97,a paper
"""


def test_published_points_are_read(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text(TABLE)
    points = read_points(path)
    assert [(point["bpp"], point["psnr"]) for point in points] == [(0.5, 20), (1, 25), (2, 31.5)]
    assert [point["ms_ssim"] for point in points] == [0.9, None, 0.97]
    assert {(point["codec"], point["layout"]) for point in points} == {("old", "file an image")}


@pytest.mark.parametrize("text", ["", "no,such,table\n1,2,3\n", TABLE.replace("25", "good")])
def test_other_files_are_refused(tmp_path, text):
    path = tmp_path / "points.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"columns codec, bpp and psnr in .*points.csv"):
        read_points(path)


def test_known_curves_stand_beside_measured_ones(run, tmp_path, photo_folder):
    *_, (table, figure) = ae_keras.measure_rate_distortion(
        run.path, str(photo_folder), against=["jpeg"], limit=2, output_dir=tmp_path / "first"
    )
    known = tmp_path / "known.csv"
    known.write_text(table.read_text().replace("cae,", "earlier,").replace("jpeg,", "jpeg 2,"))
    points, bd_rates, _ = ae_keras.measure_rate_distortion(
        run.path, str(photo_folder), against=["jpeg"], limit=2, output_dir=tmp_path, curves=known
    )
    assert {point["codec"] for point in points} == {"cae", "jpeg"}
    same = bd_rates["earlier", "file an image"]
    assert same is None or math.isclose(same, 0, abs_tol=1e-6)
    assert bd_rates["jpeg 2", "file an image"] == bd_rates["jpeg", "file an image"]
    assert figure.is_file()
