from pathlib import Path

from ae_keras.app.runs import compare_recipes, copy_reconstructions, draw_histories
from ae_keras.runs.loading import find_run


def rows(table):
    cells = [[cell.strip() for cell in line.strip("| ").split("|")] for line in table.splitlines()]
    return {cell[0]: cell[1:] for cell in cells}


def test_recipes_stand_side_by_side(run):
    table = rows(compare_recipes([run, find_run("cae-cifar10")]))
    assert table["model"] == ["cae", "cae"]
    assert table["image_shape"] == ["16 x 16 x 3", "32 x 32 x 3"]
    assert table["state"][0] == "not finished, or without measurements"
    assert table["test: psnr"][0] == "-"
    assert float(table["test: psnr"][1]) > 20
    assert "task" not in table  # as usual in both


def test_histories_are_drawn_without_what_is_no_number(run):
    assert draw_histories([run]) == ""
    run.write_history([{"loss": 2.0, "val_loss": float("nan")}, {"loss": 1.0, "val_loss": 0.5}])
    chart = draw_histories([run])
    assert "mine, training" in chart
    assert "nan" not in chart


def test_pictures_are_copied(run, tmp_path):
    assert copy_reconstructions(run, tmp_path) is None
    run.reconstructions_figure.write_bytes(b"picture")
    assert Path(copy_reconstructions(run, tmp_path)).read_bytes() == b"picture"
