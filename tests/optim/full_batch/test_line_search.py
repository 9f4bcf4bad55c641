"""Line searches on functions of one variable, against their own conditions and scipy."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import line_search as scipys

from thalweg.optim.full_batch import line_search
from thalweg.optim.full_batch.line_search import Trial, backtrack, noise, strong_wolfe


def line(f, df, calls=None):
    """φ as trials; the gradient is that of one variable, with direction 1."""

    def at(t):
        if calls is not None:
            calls.append(t)
        return Trial(t, f(t), torch.tensor([df(t)], dtype=torch.float64), df(t))

    return at


# Moré & Thuente 1994, the test functions of section 5: hard for line searches.
BETA = 0.004
HARD = {
    "1": (lambda t: -t / (t**2 + 2), lambda t: (t**2 - 2) / (t**2 + 2) ** 2),
    "2": (
        lambda t: (t + BETA) ** 5 - 2 * (t + BETA) ** 4,
        lambda t: 5 * (t + BETA) ** 4 - 8 * (t + BETA) ** 3,
    ),
    "wavy": (
        lambda t: -0.5 * t + 0.05 * math.sin(6 * t) + 0.02 * t**2,
        lambda t: -0.5 + 0.3 * math.cos(6 * t) + 0.04 * t,
    ),
    "cosh": (lambda t: math.cosh(t - 3), lambda t: math.sinh(t - 3)),
}


@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 10.0, 200.0])
@pytest.mark.parametrize("name", HARD)
def test_the_strong_wolfe_conditions_hold_where_it_ends(name, first):
    f, df = HARD[name]
    at = line(f, df)
    start = at(0.0)
    assert start.slope < 0
    found = strong_wolfe(at, start, first, left=60, c2=0.4)
    assert found.f <= start.f + 1e-4 * found.t * start.slope
    assert abs(found.slope) <= 0.4 * abs(start.slope)
    theirs = scipys(lambda x: f(x[0]), lambda x: np.array([df(x[0])]), np.zeros(1), np.ones(1), c2=0.4)
    assert theirs[0] is not None  # scipy finds one too: the test function has such points


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(
    st.integers(1, 12),
    st.floats(1e-3, 1e3),
    st.floats(0.05, 50),
    st.floats(-2, 2),
    st.sampled_from([math.nan, math.inf, -math.inf]),
)
def test_it_keeps_its_limit_is_never_lost_and_never_worse(left, first, wall, wave, bad):
    """(t - 1)² with waves, and beyond a wall nothing but a bad value."""

    def f(t):
        return bad if t > wall else (t - 1) ** 2 + wave * math.sin(5 * t) / 10

    def df(t):
        return bad if t > wall else 2 * (t - 1) + wave * math.cos(5 * t) / 2

    calls = []
    at = line(f, df)
    start = at(0.0)
    found = strong_wolfe(line(f, df, calls), start, first, left=left)
    assert 1 <= len(calls) <= left
    assert all(math.isfinite(t) and t >= 0 for t in calls)
    assert found.finite
    assert found.f <= start.f
    assert found.t in (0.0, *calls)


def test_halving_is_by_the_rule():
    """φ = (t - 1)²: from t = 3 the first halving, 1.5, decreases enough; from 2, φ(2) = φ(0) does not."""
    calls = []

    def value(t):
        calls.append(t)
        return (t - 1) ** 2

    assert backtrack(value, 1.0, -2.0, 3.0, left=9, slack=0.0) == 1.5
    assert backtrack(value, 1.0, -2.0, 2.0, left=9, slack=0.0) == 1.0
    assert calls == [3.0, 1.5, 2.0, 1.0]
    assert backtrack(value, 1.0, -2.0, 2.0, left=9, slack=1e-3) == 2.0  # within rounding is no increase
    assert backtrack(value, 1.0, -2.0, 64.0, left=3, slack=0.0) == 0.0
    assert backtrack(lambda t: math.nan, 1.0, -2.0, 1.0, left=5, slack=0.0) == 0.0


def test_the_noise_is_that_of_the_precision():
    assert noise(3.0, torch.float64) == pytest.approx(6.66e-15, rel=1e-3)
    assert noise(-3.0, torch.float32) == pytest.approx(3.576e-6, rel=1e-3)
    assert noise(0.0, torch.float64) == noise(1.0, torch.float64)


def test_the_cubic_s_minimum_is_exact():
    """φ = t³ - 3t has its minimum at 1; so does φ seen from either side."""
    at = line(lambda t: t**3 - 3 * t, lambda t: 3 * t**2 - 3)
    for a, b in ((0.0, 3.0), (3.0, 0.0), (0.5, 1.5)):
        assert line_search._cubic(at(a), at(b), 0.0, 3.0) == pytest.approx(1.0, abs=1e-12)
    assert line_search._cubic(at(0.0), at(3.0), 1.5, 3.0) == 1.5  # within its bounds
    falling = line(lambda t: -t, lambda t: -1.0)
    assert line_search._cubic(falling(0.0), falling(1.0), 1.0, 10.0) == 10.0
    concave = line(lambda t: -t - t**3, lambda t: -1 - 3 * t**2)
    assert line_search._cubic(concave(0.0), concave(1.0), 1.0, 10.0) == 5.5
