"""Numbers as a person writes them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.report.numbers import Metric, finite, listing, metric, plain, seconds

ACCURACY = Metric("accuracy", True, True, 1)
BITS = Metric("bits", False, False, 3)


@given(st.floats(min_value=1e-12, max_value=1e12))
def test_plain_keeps_two_digits_of_any_number(value: float) -> None:
    assert float(plain(value)) == pytest.approx(value, rel=0.051)
    assert float(plain(value, 4)) == pytest.approx(value, rel=5.1e-4)


@pytest.mark.parametrize("value", [None, math.nan, math.inf, "3", True])
def test_what_is_no_finite_number_is_none(value: object) -> None:
    assert finite(value) is None


def test_differences_have_a_sign_unless_they_are_none() -> None:
    assert ACCURACY.signed(0.004) == "+0.4 points"
    assert ACCURACY.signed(-0.004, unit=False) == "\u22120.4"
    assert ACCURACY.signed(-0.0001) == "0.0 points"
    assert BITS.signed(-0.0123) == "\u22120.012"
    assert ACCURACY.signed(None) == ACCURACY.value(None) == "—"


def test_a_difference_shows_the_digits_that_its_interval_bears() -> None:
    assert ACCURACY.span(0.0041, 0.0012, 0.0071) == "+0.4 points (+0.1 to +0.7)"
    assert BITS.span(-0.0123, -0.0131, -0.0115) == "\u22120.0123 (\u22120.0131 to \u22120.0115)"
    assert BITS.span(0.02, None, None) == "+0.020"


def test_better_follows_the_direction() -> None:
    assert ACCURACY.better(0.9, 0.8)
    assert not BITS.better(0.9, 0.8)
    assert BITS.better(0.8, 0.8)


def test_a_metric_outside_of_zero_to_one_is_no_percentage() -> None:
    assert metric("accuracy", True, [0.5, 0.9], None).percent
    assert not metric("accuracy", True, [50.0, 90.0], None).percent
    assert not metric("f1", True, [0.5], None).percent


def test_decimals_follow_the_spread_over_seeds() -> None:
    assert metric("accuracy", True, [0.9], 0.0004).value(0.91234) == "91.23 %"
    assert metric("loss", False, [2.0], 0.2).value(1.98765) == "2.0"
    assert metric("loss", False, [2.0], 0.0).value(1.98765) == "1.988"


def test_words() -> None:
    assert listing([]) == ""
    assert listing(["a", "b"], "or") == "a or b"
    assert seconds(59.6) == "60 s"
    assert seconds(60) == "1 min"
