import csv

from ae_keras import figures
from ae_keras.studies import load_study
from ae_keras.studies.page import Evidence, Page, Table, Verdict, judge_cases, write_page
from ae_keras.studies.workspace import Workspace


def test_verdicts_become_a_list_of_sentences():
    evidence = (Evidence("error", 0.12345, style=".3f"), Evidence("gains", (1.0, 2.0), "dB", ".1f"))
    verdicts = [
        Verdict("Deeper is better", False, evidence),
        Verdict("Wider is", True),
        Verdict("Larger is", "in part", (Evidence("better", ()), Evidence("sizes", (8, 16)))),
        Verdict("The best", None, (Evidence("models", ("`a`", "`b`")),)),
    ]
    assert Page(verdicts, {}).finding.splitlines() == [
        "- Deeper is better: **does not hold** (error: 0.123; gains: 1.0, 2.0 dB).",
        "- Wider is: **holds**.",
        "- Larger is: **holds in part** (better: none; sizes: 8, 16).",
        "- The best: **no report to compare with** (models: `a`, `b`).",
    ]


def test_a_trial_concludes_nothing():
    page = Page([Verdict("Deeper is better", True)], {}, trial_steps=12)
    assert page.finding == "a trial: 12 steps, no conclusion"


def test_claims_hold_in_all_in_some_or_in_no_cases():
    assert judge_cases([True, True]) is True
    assert judge_cases([True, False]) == "in part"
    assert judge_cases([False, False]) is False


def test_page_holds_finding_tables_and_figures(tmp_path, rng):
    workspace = Workspace(tmp_path / "pages" / "depth", tmp_path / "runs")
    table = Table(("model", "error"), [("a", 0.5), ("b, c", 1)])
    file = workspace.draw("faces", figures.save_image_grid, rng.random((3, 4, 4, 1)), "Faces")
    page = Page([Verdict("It is so", True)], {"errors": table}, {file: "Some faces"})
    depth = load_study("depth")
    text = write_page(workspace.folder, "depth", depth, page).read_text()
    for part in (
        depth.TITLE,
        "- It is so: **holds**.",
        "| b, c | 1 |",
        "![Some faces](faces.png)",
        "(errors.csv)",
    ):
        assert part in text
    with open(workspace.folder / "errors.csv", newline="") as rows:
        assert list(csv.reader(rows)) == [["model", "error"], ["a", "0.5"], ["b, c", "1"]]
    assert (workspace.folder / "faces.png").stat().st_size > 1000
