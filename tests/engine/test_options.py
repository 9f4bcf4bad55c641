"""Checking options: open and closed ends, numbers of every kind, pairs."""

import math

import numpy as np
import pytest
import torch

from thalweg.engine.options import check_options, check_value
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
    check_options("X", {"betas": (0.9, 0.999)}, {"betas": "[0, 1)"})
    with pytest.raises(UserError, match=r"X: betas\[1\] must be a number in \[0, 1\), got 1\.0"):
        check_options("X", {"betas": (0.9, 1.0)}, {"betas": "[0, 1)"})
    for value in (0.9, (0.9,), (0.9, 0.9, 0.9)):
        with pytest.raises(UserError, match="betas must be a pair"):
            check_options("X", {"betas": value}, {"betas": "[0, 1)"})
