"""Numbers as a person would write them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from thalweg.race.sentences import Words

MINUS: Final = "\u2212"


def finite(value: object) -> float | None:
    """The value as a finite float, or None for anything else (a missing value, NaN, an infinity, text)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def plain(value: float, digits: int = 2) -> str:
    """A hyperparameter or a loss: short, and in the e-notation of source code when small or large.

    >>> [plain(v) for v in (0.00312, 0.11, 1.0, 0.5, 2500.0, 0.0)]
    ['3.1e-3', '0.11', '1', '0.5', '2500', '0']
    """
    if value == 0:
        return "0"
    if not 1e-2 <= abs(value) < 1e5:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(exponent)}"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def count(value: float) -> str:
    """A whole number with thousands apart.

    >>> count(12000)
    '12,000'
    """
    return f"{round(value):,}"


def si(value: float) -> str:
    """A large count with an SI suffix and three digits.

    >>> [si(v) for v in (950, 269322, 1.24e8)]
    ['950', '269 k', '124 M']
    """
    for limit, suffix in ((1e9, " G"), (1e6, " M"), (1e4, " k")):
        if abs(value) >= limit:
            scaled = value / (1e3 if limit == 1e4 else limit)
            return f"{scaled:.3g}{suffix}"
    return count(value)


def seconds(value: float) -> str:
    """A duration.

    >>> [seconds(v) for v in (0.42, 8.24, 72, 3900)]
    ['0.42 s', '8.2 s', '1 min 12 s', '1 h 5 min']
    """
    if value < 1:
        return f"{value:.2f} s"
    if value < 60:
        return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def milliseconds(value: float) -> str:
    """A time in ms with the digits that matter.

    >>> [milliseconds(v) for v in (0.0312, 0.14, 2.04, 37.2)]
    ['0.031 ms', '0.14 ms', '2.0 ms', '37 ms']
    """
    places = 3 if value < 0.1 else 2 if value < 1 else 1 if value < 10 else 0
    return f"{value:.{places}f} ms"


def percent(share: float) -> str:
    """A share of a whole.

    >>> percent(0.4), percent(0.004)
    ('40 %', 'less than 1 %')
    """
    return f"{100 * share:.0f} %" if share >= 0.01 else "less than 1 %"


def plural(number: int, noun: str, many: str | None = None) -> str:
    """A count and its noun.

    >>> plural(1, "seed"), plural(12, "seed"), plural(0, "loss", "losses")
    ('1 seed', '12 seeds', '0 losses')
    """
    return f"{count(number)} {noun if number == 1 else many or noun + 's'}"


def listing(words: Iterable[str], joint: str = "and") -> str:
    """Words in a sentence.

    >>> listing(["a"]), listing(["a", "b"]), listing(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    items = list(words)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {joint} {items[-1]}" if items else ""


@dataclass(frozen=True)
class Metric:
    """How one metric is written: its name, its direction, its unit and its decimals.

    Attributes:
        name: as the task gives it, such as "accuracy".
        higher: whether more is better.
        percent: whether values are fractions shown as percent, and differences as points.
        decimals: digits after the point.
    """

    name: str
    higher: bool
    percent: bool
    decimals: int

    def value(self, value: float | None) -> str:
        """A value with its unit."""
        if value is None:
            return "—"
        return f"{value * 100:.{self.decimals}f} %" if self.percent else f"{value:.{self.decimals}f}"

    def difference(self, value: float | None, *, unit: bool = True) -> str:
        """The size of a difference, without its sign, with its unit if asked."""
        if value is None:
            return "—"
        text = f"{abs(value) * (100 if self.percent else 1):.{self.decimals}f}"
        return f"{text} points" if self.percent and unit else text

    def signed(self, value: float | None, *, unit: bool = True) -> str:
        """A difference with its sign (a true minus)."""
        if value is None:
            return "—"
        text = self.difference(value, unit=unit)
        if not float(text.split()[0]):
            return text
        return f"{'+' if value > 0 else MINUS}{text}"

    def span(self, mean: float, low: float | None, high: float | None) -> str:
        """A difference with its interval and the digits that the verdict's sentence gives it."""
        if low is None or high is None:
            return self.signed(mean)
        words = Words(self.name, self.higher, 0)
        shown = [words.amount(v, (high - low) / 2 or mean) for v in (mean, low, high)]
        first, *ends = [
            "+" + text if v > 0 and text.strip("0.") else text
            for v, text in zip((mean, low, high), shown, strict=True)
        ]
        return f"{first}{' points' if self.percent else ''} ({ends[0]} to {ends[1]})"

    def gain(self, value: float) -> float:
        """A difference turned so that positive is better."""
        return value if self.higher else -value

    def better(self, a: float, b: float) -> bool:
        """Whether a is at least as good as b."""
        return self.gain(a - b) >= 0


def metric(name: str, higher: bool, values: Iterable[float], spread: float | None) -> Metric:
    """The way to write a metric: an accuracy as percent, as in the verdict, decimals after the seed's spread.

    >>> metric("accuracy", True, [0.87, 0.86], 0.002).value(0.8712)
    '87.1 %'
    >>> metric("bits per character", False, [2.1], 0.004).value(2.1234)
    '2.123'
    """
    found = list(values)
    percent = Words(name, higher, 0).in_points and all(0 <= v <= 1 for v in found)
    scaled = (spread or 0.0) * (100 if percent else 1)
    decimals = 1 if percent else 3
    if scaled > 0:
        decimals = min(5, max(1, -math.floor(math.log10(scaled))))
    return Metric(name, higher, percent, decimals)
