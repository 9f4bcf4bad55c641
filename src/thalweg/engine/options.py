"""Checking an optimizer's options: nonsense is refused by name, value and range."""

import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from thalweg.errors import UserError

__all__ = ["check_options", "check_value", "taken_apart"]

_PAIRS = {"betas": "beta", "etas": "eta", "step_sizes": "step_size"}  # options of two numbers


def check_value(owner: str, name: str, value: Any, interval: str) -> None:
    """Refuse a value that is not a number within an interval.

    Args:
        owner: what the option belongs to, for the message.
        name: the option.
        value: its value; a 0-d tensor or a number.
        interval: in mathematical notation, such as "[0, 1)" or "(0, inf)".

    Raises:
        UserError: the value is not a number or lies outside.
    """
    low, high = (float(x) for x in interval[1:-1].split(","))
    number = (
        float(value)
        if isinstance(value, int | float) or (isinstance(value, Tensor) and value.numel() == 1)
        else None
    )
    above = number is not None and (number >= low if interval[0] == "[" else number > low)
    below = number is not None and (number <= high if interval[-1] == "]" else number < high)
    if number is None or math.isnan(number) or not (above and below):
        raise UserError(f"{owner}: {name} must be a number in {interval}, got {value!r}")


def check_options(owner: str, options: Mapping[str, Any], intervals: Mapping[str, str]) -> None:
    """Check every option that has an interval; a pair (betas) is checked member by member.

    The interval of a pair holds for both members, or is a product of two, such as "(0, 1) x (1, inf)".
    """
    for name, interval in intervals.items():
        value = options[name]
        if name in _PAIRS and not (isinstance(value, tuple | list) and len(value) == 2):
            raise UserError(f"{owner}: {name} must be a pair of numbers, got {value!r}")
        if isinstance(value, tuple | list):
            parts = interval.split(" x ")
            for i, member in enumerate(value):
                check_value(owner, f"{name}[{i}]", member, parts[i % len(parts)])
        else:
            check_value(owner, name, value, interval)


def taken_apart(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options as rules ask for them: each pair as two numbers.

    >>> taken_apart({"lr": 0.1, "betas": (0.9, 0.999)})
    {'lr': 0.1, 'betas': (0.9, 0.999), 'beta1': 0.9, 'beta2': 0.999}
    """
    out = dict(options)
    for name, member in _PAIRS.items():
        if name in options:
            out[f"{member}1"], out[f"{member}2"] = map(float, options[name])
    return out
