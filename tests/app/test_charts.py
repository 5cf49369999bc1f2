import re
from xml.etree import ElementTree

import pytest

from ae_keras.app.charts import draw_chart

LABELS = ("epoch", "loss & more")


def parse(chart):
    return ElementTree.fromstring(chart)


def places(root):
    line = next(root.iter("polyline")).get("points")
    return [tuple(map(float, pair.split(","))) for pair in line.split()]


def ticks(root):
    return [text.text for text in root.iter("text") if re.fullmatch(r"[\d.e-]+", text.text)]


def test_points_stand_where_they_belong():
    root = parse(draw_chart({"a": [(0, 0), (1, 3), (2, 6)]}, LABELS, marked=(1, 3)))
    (x0, y0), (x1, y1), (x2, y2) = places(root)
    assert x0 < x1 < x2
    assert y0 > y1 > y2  # up is less
    assert x1 == pytest.approx((x0 + x2) / 2, abs=0.11)
    assert y1 == pytest.approx((y0 + y2) / 2, abs=0.11)
    ring = next(each for each in root.iter("circle") if each.get("class") == "mark")
    assert (float(ring.get("cx")), float(ring.get("cy"))) == (x1, y1)


def test_logarithms_are_straight():
    points = [(0.1, 1), (1, 2), (10, 3)]
    root = parse(draw_chart({"a": points}, LABELS, is_log=(True, False)))
    (x0, _), (x1, _), (x2, _) = places(root)
    assert x1 == pytest.approx((x0 + x2) / 2, abs=0.11)
    assert {"0.1", "1", "10"} <= set(ticks(root))


def test_round_values_are_named():
    root = parse(draw_chart({"a": [(0, 20), (10, 40)]}, LABELS))
    assert ticks(root) == ["0", "5", "10", "20", "25", "30", "35", "40"]


def test_names_are_text_and_not_markup():
    chart = draw_chart({"<b>&": [(0, 1), (1, 2)]}, LABELS)
    root = parse(chart)
    assert "<b>" not in chart
    assert "<b>&" in "".join(root.itertext())
    assert next(root.iter("svg")).get("aria-label") == "loss & more over epoch: <b>&"


@pytest.mark.parametrize("points", [[(1, 1)], [(1, 1), (1, 1)], [(0, 5), (9, 5)]])
def test_points_in_a_row_or_one_are_drawn(points):
    assert places(parse(draw_chart({"a": points}, LABELS, is_log=(False, True))))


def test_nothing_is_nothing():
    assert draw_chart({}, LABELS) == ""
