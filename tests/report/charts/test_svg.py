"""The pieces that charts are drawn with."""

import json
import re
from html import unescape
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from thalweg.report.charts.svg import (
    Canvas,
    Scale,
    element,
    padded,
    shorten,
    spread,
    tick_texts,
    ticks,
)

numbers = st.floats(-1e6, 1e6).filter(lambda x: abs(x) > 1e-6 or x == 0)


@given(numbers, numbers)
def test_ticks_are_inside_evenly_spaced_and_few(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assume(high - low > 1e-3 * max(abs(low), abs(high), 1e-3))
    found = ticks(low, high, 5)
    slack = (high - low) * 1e-6
    assert 2 <= len(found) <= 10
    assert all(low - slack <= t <= high + slack for t in found)
    texts = tick_texts(found)
    assert len(set(texts)) == len(texts), "two ticks read the same"


@given(st.lists(st.floats(0, 100), min_size=1, max_size=8))
def test_labels_are_moved_apart_inside_the_frame(positions: list[float]) -> None:
    placed = spread(positions, 10, 0, 100)
    assert all(-1e-9 <= at <= 100 + 1e-9 for at in placed)
    ordered = sorted(placed)
    assert all(b - a >= 10 - 1e-9 for a, b in pairwise(ordered))
    for i, a in enumerate(positions):
        for j, b in enumerate(positions):
            assert a >= b or placed[i] < placed[j]


def test_scales() -> None:
    assert Scale(0, 10, 100, 200)(5) == 150
    assert Scale(1e-4, 1.0, 0, 400, log=True)(1e-3) == pytest.approx(100)
    assert Scale(0, 10, 100, 200).clamp(99) == 200
    assert Scale(3, 3, 0, 10)(3) == 5, "a scale of one value is drawn in the middle"


def test_a_single_value_still_gets_a_range() -> None:
    for value in (0.0, 0.5, -3.0):
        low, high = padded(value, value)
        assert low < value < high


def test_elements_are_escaped() -> None:
    assert element("text", class_='a"b', x=1.0, stroke_width=2.25, y=None) == (
        '<text class="a&quot;b" x="1" stroke-width="2.2"/>'
    )
    assert shorten("<b>", 9) == "<b>"


def test_a_canvas_says_its_values_and_its_name() -> None:
    canvas = Canvas(100, 50)
    canvas.text(1, 2, "<b>&")
    canvas.mark(3.14159, 4, 'say "x" < y')
    drawn = canvas.svg("a <name>")
    assert "<b>" not in drawn
    assert 'aria-label="a &lt;name&gt;"' in drawn
    found = re.search(r'data-marks="([^"]*)"', drawn)
    assert found is not None
    assert json.loads(unescape(found[1])) == [[3.1, 4, 'say "x" < y']]
