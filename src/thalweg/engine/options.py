"""Checking an optimizer's options: nonsense is refused by name, value and range."""

import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from thalweg.errors import UserError

__all__ = ["check_options", "check_value"]


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
    """Check every option that has an interval; a tuple (betas) is checked member by member."""
    for name, interval in intervals.items():
        value = options[name]
        if name == "betas" and not (isinstance(value, tuple | list) and len(value) == 2):
            raise UserError(f"{owner}: betas must be a pair of numbers, got {value!r}")
        if isinstance(value, tuple | list):
            for i, member in enumerate(value):
                check_value(owner, f"{name}[{i}]", member, interval)
        else:
            check_value(owner, name, value, interval)
