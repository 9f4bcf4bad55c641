"""Round numbers for an axis, and their text."""

import math
from collections.abc import Sequence


def ticks(top: float, count: int, *, whole: bool = False, reach: bool = True) -> list[float]:
    """Return about `count` round numbers from 0 to `top`.

    Args:
        top: the largest value to show; where it is 0, the axis goes to 1.
        count: how many are wanted, 2 or more.
        whole: use whole numbers only.
        reach: let the last one reach past `top`, so that the axis covers it.

    >>> ticks(0.93e-3, 5)
    [0.0, 0.00025, 0.0005, 0.00075, 0.001]
    >>> ticks(1000, 5, whole=True, reach=False)
    [0.0, 250.0, 500.0, 750.0, 1000.0]
    """
    top = top or 1.0
    gap = _round_up(top / (count - 1), whole)
    last = top / gap
    number = math.ceil(last - 1e-9) if reach else math.floor(last + 1e-9)
    return [_clean(i * gap) for i in range(number + 1)]


def levels(low: float, top: float, count: int) -> list[float]:
    """Return about `count` round numbers that cover the values from `low` to `top`.

    They start at 0, unless all values lie in the upper half of that and differ by a hundredth or more.

    >>> levels(0.1, 0.9, 5)
    [0.0, 0.25, 0.5, 0.75, 1.0]
    >>> levels(0.85, 0.95, 5)
    [0.85, 0.875, 0.9, 0.925, 0.95]
    """
    if low <= top / 2 or top - low < top / 100:
        return ticks(top, count)
    gap = _round_up((top - low) / (count - 1), whole=False)
    first, last = math.floor(low / gap + 1e-9), math.ceil(top / gap - 1e-9)
    return [_clean(i * gap) for i in range(first, last + 1)]


def label(value: float, marks: Sequence[float]) -> str:
    """Return the text of a mark, in the same notation as the marks beside it.

    >>> label(0.00025, [0, 0.00025, 0.0005])
    '2.5e-4'
    >>> label(1500, [0, 1500, 3000])
    '1,500'
    """
    if value == 0:
        return "0"
    largest = max(abs(mark) for mark in marks)
    if 0.01 <= largest < 1e6:
        return f"{value:,.6g}" if value < 1000 else f"{value:,.10g}"
    digits, _, power = f"{value:.3e}".partition("e")
    return f"{digits.rstrip('0').rstrip('.')}e{int(power)}"


def _round_up(gap: float, whole: bool) -> float:
    """Return the next of 1, 2, 2.5, 5, 10 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(gap))
    for factor in (1, 2, 2.5, 5, 10):
        candidate = factor * power
        if candidate >= gap * (1 - 1e-9) and not (whole and candidate % 1):
            return candidate
    raise AssertionError("ten times the power of ten below is never too small")


def _clean(value: float) -> float:
    """Drop the last digits that repeated addition spoils."""
    return float(f"{value:.12g}")
