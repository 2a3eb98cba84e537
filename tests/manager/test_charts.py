"""Charts as the server draws them."""

from __future__ import annotations

import re

from catalina.manager.charts import COLOURS, Line, charts, line_chart


def words(value: float) -> str:
    return f"{value:.0f} x"


def test_a_line_goes_from_left_to_right_and_the_highest_value_is_at_the_top():
    chart = str(line_chart("Things", [Line("n1", 0, [(0.0, 0.0), (0.5, 10.0), (1.0, 5.0)], 5.0)], words, "a while"))
    (points,) = re.findall(r'<polyline class="c0" points="([^"]*)"', chart)
    x, y = zip(*(map(float, point.split(",")) for point in points.split(" ")), strict=True)
    assert x == (0.0, 180.0, 360.0)
    assert y[0] > y[2] > y[1] > 0
    assert "at most 10 x" in chart
    assert "a while" in chart
    assert 'aria-label="Things: n1 5 x"' in chart


def test_a_gap_breaks_the_line():
    chart = line_chart("Things", [Line("n1", 0, [(0.0, 1.0), None, None, (1.0, 1.0), None], None)], words, "")
    assert chart.count("<polyline") == 2
    assert "n1 -" in chart


def test_a_chart_without_values_is_empty():
    chart = line_chart("Things", [Line("n1", 0, [], None), Line("n2", 1, [(0.0, 0.0)], 0.0)], words, "")
    assert chart.count("<polyline") == 1
    assert "at most 0 x" in chart


def test_colours_come_again_and_names_are_escaped():
    chart = line_chart("<Things>", [Line("<b>", COLOURS + 2, [(0.0, 1.0)], 1.0)], words, "")
    assert 'class="c2"' in chart
    assert "<b></b>" not in chart
    assert "&lt;Things&gt;" in chart
    assert charts([chart, chart]).count("<figure>") == 2
