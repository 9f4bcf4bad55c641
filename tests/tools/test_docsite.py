"""What the site makes of docstrings and of its own fences."""

import doctest
import xml.etree.ElementTree as ET

import pytest

from tools import docsite
from tools.docsite import drawing, formula, linked, rewritten

MATHML = "{http://www.w3.org/1998/Math/MathML}"


def test_its_own_examples_hold() -> None:
    assert doctest.testmod(docsite).failed == 0


@pytest.mark.parametrize(
    "text",
    [
        ".. math:: a = b\nwhere",
        ".. math::\n    a = b\n\nwhere",
        ".. math:: a\n    = b\n\nwhere",
    ],
)
def test_a_formula_is_fenced_and_the_text_after_it_is_not(text: str) -> None:
    before, inside, after = rewritten(text).split("```")
    assert before == ""
    assert inside.split() == ["math", "a", "=", "b"]
    assert after.strip() == "where"


def test_a_formula_of_several_lines_is_aligned_at_its_signs() -> None:
    html = formula("m &= β_1 m \\\\ v &= \\frac{a}{b}")
    rows = list(ET.fromstring(html).iter(f"{MATHML}mtr"))
    assert len(rows) == 2
    assert all([cell.get("columnalign") for cell in row][:2] == ["right", "left"] for row in rows)
    assert "&amp;" not in html


def test_a_formula_in_a_line_stays_there() -> None:
    text = rewritten(r"the rate :math:`p_l = p \, l / L` of l")
    assert text.startswith("the rate <math")
    assert text.endswith("</math> of l")
    assert '<math xmlns="http://www.w3.org/1998/Math/MathML" display="inline">' in text


def test_a_table_has_its_cells() -> None:
    text = "====  =====\nsign  value\n====  =====\nup    a b\ndown  c\n====  =====\nafter"
    assert rewritten(text).splitlines() == [
        "| sign | value |",
        "| --- | --- |",
        "| up | a b |",
        "| down | c |",
        "after",
    ]


def test_indices_go_below_the_line_but_not_in_names_and_code() -> None:
    assert rewritten("g_t <- θ_{t-1}") == "g<sub>t</sub> ← θ<sub>t-1</sub>"
    assert rewritten("weight_decay, `x_t`, clip_norm") == "weight_decay, `x_t`, clip_norm"


def test_public_names_are_linked_where_they_are_meant() -> None:
    assert linked("`AdamW`") == "[`AdamW`][thalweg.optim.AdamW]"
    assert linked("`optim.SGD(params, lr=0.1)`") == "[`optim.SGD(params, lr=0.1)`][thalweg.optim.SGD]"
    assert linked("`schedules.step(30)`") == "[`schedules.step(30)`][thalweg.schedules.step]"
    for text in ("`step`", "`torch.optim.SGD`", "AdamW", "[`AdamW`](elsewhere)", "``AdamW``"):
        assert linked(text) == text


def test_a_schedule_is_drawn_in_the_colours_of_the_page() -> None:
    html = drawing("warmup(10) >> cosine(90)\n")
    assert html.startswith('<figure class="schedule" aria-label="warmup(10) &gt;&gt; cosine(90)"><svg')
    assert 'class="curve"' in html
    assert "<style" not in html
    assert 'class="page"' not in html
