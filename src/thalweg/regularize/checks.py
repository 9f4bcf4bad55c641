"""Checking an option that is a whole number."""

import operator
from typing import Any

from thalweg.errors import UserError

__all__ = ["whole"]


def whole(owner: str, name: str, value: Any, low: int) -> int:
    """Return an option as an int.

    Raises:
        UserError: it is no whole number, or below the lowest.
    """
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or number < low:
        raise UserError(f"{owner}: {name} must be a whole number, {low} or more, got {value!r}")
    return number
