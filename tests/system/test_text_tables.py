import csv
import io

from ae_keras.system.text_tables import to_csv, to_markdown

HEADER = ("name", "x")
ROWS = [("one", 1.0), ("two", 10)]


def test_csv_holds_floats_exactly(rng):
    floats = rng.normal(size=20).tolist()
    text = to_csv(["epoch", "loss"], enumerate(floats))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [float(row["loss"]) for row in rows] == floats
    assert text.startswith("epoch,loss\n0,")
    assert "\r" not in text


def test_csv_quotes_what_needs_it_and_leaves_nothing_empty():
    assert to_csv(("a, b", "c"), [(None, 'say "so"')]) == '"a, b",c\n,"say ""so"""\n'


def test_markdown():
    assert to_markdown(HEADER, ROWS) == "| name | x |\n| --- | ---: |\n| one | 1.0 |\n| two | 10 |"


def test_aligned_markdown():
    expected = "| name |   x |\n| ---- | --: |\n| one  | 1.0 |\n| two  |  10 |"
    assert to_markdown(HEADER, ROWS, aligned=True) == expected


def test_a_table_without_rows_is_its_header():
    assert to_csv(HEADER, []) == "name,x\n"
    assert to_markdown(HEADER, []) == "| name | x |\n| --- | ---: |"
    assert to_markdown(HEADER, [], aligned=True) == "| name | x |\n| ---- | : |"


def test_a_cell_is_one_line_of_its_column():
    rows = [("a\nb|c\udcff", 10), ("d", 2)]
    lines = to_markdown(HEADER, rows, aligned=True).split("\n")
    assert lines[2] == r"| a\nb\|c\udcff | 10 |"
    assert [len(line) for line in lines] == [len(lines[2])] * 4
