import csv
from pathlib import Path

import pytest

from ae_keras import figures
from ae_keras.studies import STUDIES, compression_rate, depth, load_study
from ae_keras.studies.lab import Lab, Page, Table, write_page

FOLDER = Path(depth.__file__).parent


@pytest.fixture
def lab(tmp_path):
    return Lab(tmp_path / "pages" / "depth", tmp_path / "runs", quick=True, verbose=0)


def test_each_study_is_listed_and_says_what_it_is_about():
    files = {path.stem for path in FOLDER.glob("*.py")} - {"__init__", "lab"}
    assert files == set(STUDIES)
    for name in STUDIES:
        study = load_study(name)
        assert study.TITLE
        assert "report" in study.__doc__
    with pytest.raises(ValueError, match=r"Unknown study 'dept'\. Expected one of: .*depth"):
        load_study("dept")


def test_models_are_trained_once(lab, tiny_recipe):
    run = lab.train("one", tiny_recipe)
    assert run.recipe.epochs == 1
    assert run.recipe.image_shape == tiny_recipe.image_shape
    written = run.model.stat().st_mtime_ns
    assert lab.train("one", tiny_recipe).model.stat().st_mtime_ns == written
    model, test = lab.load(run, "test")
    assert test.images.shape[1:] == model.image_shape
    assert run.metrics["test"]["images"] == len(test.images)


def test_page_holds_finding_tables_and_figures(lab, rng):
    table = Table(("model", "error"), [("a", 0.5), ("b, c", 1)])
    file = lab.draw("faces", figures.save_image_grid, rng.random((3, 4, 4, 1)), "Faces")
    page = Page("It holds.", {"errors": table}, {file: "Some faces"})
    text = write_page(lab, "depth", depth, page).read_text()
    for part in (depth.TITLE, "It holds.", "| b, c | 1 |", "![Some faces](faces.png)", "--quick"):
        assert part in text
    with open(lab.folder / "errors.csv", newline="") as rows:
        assert list(csv.reader(rows)) == [["model", "error"], ["a", "0.5"], ["b, c", "1"]]
    assert (lab.folder / "faces.png").stat().st_size > 1000


def test_depth_is_judged_by_its_rows():
    def rows(*errors):
        return [
            (*variant, 0, 0, "0.1", str(error), "1")
            for variant, error in zip(depth.VARIANTS, errors, strict=True)
        ]

    assert "better holds here" in depth._judge(rows(4, 3, 2, 1))
    said = depth._judge(rows(2, 1, 4, 3))
    assert "does not hold" in said
    assert "depth 1 with 128 filters" in said
    assert "does not always lower it" in said


def test_rates_are_judged_by_their_rows():
    rows = [
        ("`a`", "x", "30", "2", "1.00", "24.00", "9", "1.50", "0.5"),
        ("`b`", "y", "30", "2", "2.00", "12.00", "9", "1.50", "-"),
        ("`c`", "z", "10", "2", "0.10", "240.00", "9", "-", "-"),
    ]
    said = compression_rate._judge(rows)
    assert "240.00, is that of `c` on z" in said
    assert "2 of 3 models; 1 of these take fewer bits than it: `a`." in said


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_quick_studies_write_their_page(name, lab):
    study = load_study(name)
    page = study.run(lab)
    text = write_page(lab, name, study, page).read_text()
    assert "shows nothing" in text
    for file in (*page.figures, *(f"{table}.csv" for table in page.tables)):
        assert (lab.folder / file).is_file()
