"""Checking an optimizer's options: nonsense is refused by name, value and range."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from thalweg.errors import UserError

__all__ = ["check_options", "check_order", "check_value", "taken_apart"]

# Options of two numbers, and what rules call each of them.
_PAIRS = {"betas": "beta", "etas": "eta", "step_sizes": "step_size", "eps": "eps", "bounds": "bound"}
_OR_NONE = " or None"


def check_value(owner: str, name: str, value: Any, interval: str) -> None:
    """Refuse a value that is not a number within an interval.

    Args:
        owner: what the option belongs to, for the message.
        name: the option.
        value: its value; a 0-d tensor or a number.
        interval: in mathematical notation, such as "[0, 1)" or "(0, inf)"; "[0, inf) or None" allows None.

    Raises:
        UserError: the value is not a number or lies outside.
    """
    if value is None and interval.endswith(_OR_NONE):
        return
    shown, interval = interval, interval.removesuffix(_OR_NONE)
    low, high = (float(x) for x in interval[1:-1].split(","))
    number = (
        float(value)
        if isinstance(value, int | float) or (isinstance(value, Tensor) and value.numel() == 1)
        else None
    )
    above = number is not None and (number >= low if interval[0] == "[" else number > low)
    below = number is not None and (number <= high if interval[-1] == "]" else number < high)
    if number is None or math.isnan(number) or not (above and below):
        raise UserError(f"{owner}: {name} must be a number in {shown}, got {value!r}")


def check_options(owner: str, options: Mapping[str, Any], intervals: Mapping[str, str]) -> None:
    """Check every option that has an interval; that of a pair (betas) is a product, "[0, 1) x [0, 1)"."""
    for name, interval in intervals.items():
        value, parts = options[name], interval.split(" x ")
        if len(parts) == 1:
            check_value(owner, name, value, interval)
        elif isinstance(value, tuple | list) and len(value) == len(parts):
            for i, (member, part) in enumerate(zip(value, parts, strict=True)):
                check_value(owner, f"{name}[{i}]", member, part)
        else:
            raise UserError(f"{owner}: {name} must be a pair of numbers, got {value!r}")


def check_order(owner: str, name: str, pair: Sequence[float]) -> None:
    """Refuse limits whose smallest is above the largest.

    Raises:
        UserError: they are the wrong way round.
    """
    smallest, largest = pair
    if smallest > largest:
        raise UserError(f"{owner}: {name} is (smallest, largest), got {pair!r}")


def taken_apart(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options as rules ask for them: each pair as two numbers.

    >>> taken_apart({"lr": 0.1, "betas": (0.9, 0.999)})
    {'lr': 0.1, 'betas': (0.9, 0.999), 'beta1': 0.9, 'beta2': 0.999}
    """
    out = dict(options)
    for name, member in _PAIRS.items():
        if isinstance(pair := options.get(name), tuple | list):
            for i, value in enumerate(pair, 1):
                out[f"{member}{i}"] = None if value is None else float(value)
    return out
