"""Checking options: open and closed ends, numbers of every kind, pairs."""

import math

import numpy as np
import pytest
import torch

from thalweg.engine.options import check_options, check_value, taken_apart
from thalweg.errors import UserError


@pytest.mark.parametrize(
    ("interval", "inside", "outside"),
    [
        ("[0, 1)", [0, 0.5, 0.999999], [-1e-9, 1, 1.0, 2, math.inf, math.nan]),
        ("[0, 1]", [0, 1], [-1e-9, 1.000001, math.nan]),
        ("(0, inf)", [1e-300, 1e300], [0, -0.0, -1, math.inf, math.nan]),
        ("[0, inf)", [0, 1e300, torch.tensor(0.1), np.float64(2.0)], [-1, math.inf, torch.tensor(-0.1)]),
    ],
)
def test_ends_are_open_or_closed_as_written(interval, inside, outside) -> None:
    for value in inside:
        check_value("X", "x", value, interval)
    for value in outside:
        with pytest.raises(UserError) as error:
            check_value("X", "x", value, interval)
        assert str(error.value) == f"X: x must be a number in {interval}, got {value!r}"


@pytest.mark.parametrize("value", ["0.1", None, [0.1], torch.ones(2), 1j])
def test_what_is_no_number_is_refused(value) -> None:
    with pytest.raises(UserError, match="x must be a number"):
        check_value("X", "x", value, "[0, inf)")


def test_members_of_pairs_are_named() -> None:
    check_options("X", {"betas": (0.9, 0.999)}, {"betas": "[0, 1) x [0, 1)"})
    with pytest.raises(UserError, match=r"X: betas\[1\] must be a number in \[0, 1\), got 1\.0"):
        check_options("X", {"betas": (0.9, 1.0)}, {"betas": "[0, 1) x [0, 1)"})
    for value in (0.9, (0.9,), (0.9, 0.9, 0.9)):
        with pytest.raises(UserError, match="betas must be a pair"):
            check_options("X", {"betas": value}, {"betas": "[0, 1) x [0, 1)"})


def test_a_product_of_intervals_has_one_for_each_member() -> None:
    check_options("X", {"etas": (0.5, 1.2)}, {"etas": "(0, 1) x (1, inf)"})
    with pytest.raises(UserError, match=r"X: etas\[0\] must be a number in \(0, 1\), got 1\.1"):
        check_options("X", {"etas": (1.1, 1.2)}, {"etas": "(0, 1) x (1, inf)"})
    with pytest.raises(UserError, match=r"X: etas\[1\] must be a number in \(1, inf\), got 0\.9"):
        check_options("X", {"etas": (0.5, 0.9)}, {"etas": "(0, 1) x (1, inf)"})
    with pytest.raises(UserError, match="etas must be a pair of numbers, got 1"):
        check_options("X", {"etas": 1}, {"etas": "(0, 1) x (1, inf)"})


def test_none_is_allowed_where_the_interval_says_so() -> None:
    for good in ((None, 0.1), (0.0, 0.1)):
        check_options("X", {"eps": good}, {"eps": "[0, inf) or None x [0, inf)"})
    with pytest.raises(UserError, match=r"X: eps\[0\] must be a number in \[0, inf\) or None, got -1"):
        check_options("X", {"eps": (-1, 0.1)}, {"eps": "[0, inf) or None x [0, inf)"})
    with pytest.raises(UserError, match=r"X: eps\[1\] must be a number in \[0, inf\), got None"):
        check_options("X", {"eps": (None, None)}, {"eps": "[0, inf) or None x [0, inf)"})


def test_pairs_are_taken_apart_into_numbers() -> None:
    options = {"lr": 0.1, "betas": (torch.tensor(0.5), 0.75), "step_sizes": [0, 2]}
    found = taken_apart(options)
    parts = {"beta1": 0.5, "beta2": 0.75, "step_size1": 0.0, "step_size2": 2.0}
    assert {key: found[key] for key in found.keys() - options.keys()} == parts
    assert all(type(found[key]) is float for key in parts)
    assert taken_apart({"eps": 1e-8}) == {"eps": 1e-8}
    assert taken_apart({"eps": (None, 1e-3)}) == {"eps": (None, 1e-3), "eps1": None, "eps2": 1e-3}
