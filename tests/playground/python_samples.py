"""Functions of the subset of Python that is printed, and some outside of it."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Literal, get_args

from thalweg.errors import UserError
from thalweg.schedules.base import Schedule

Word = Literal["some", "other"]
LIMIT = 3
CURVES: dict[str, Callable[[float, float], float]] = {
    "steep": lambda x, k: x**k,
    "flat-ish": lambda x, k: math.cos(math.pi * x) / k,
}


def remainders(a: float, b: float) -> list[float]:
    quotient, rest = divmod(a, b)
    return [a % b, a // b, quotient, rest]


def conditions(a: float, b: float) -> list[bool]:
    low, high = min(a, b), max(a, b)
    return [low < LIMIT <= high, not (a < b) and a != 2, a is None or b in (1, 2, 7), b not in [1, 7]]


def loops(a: float, b: float) -> list[Any]:
    out, i = [], 0
    while i < abs(a):
        i += 2
        if i == 4:
            out.append("four")
        elif i > 6:
            out.extend([i, i * b])
        else:
            out.insert(0, -i)
    for (x, y), name in [((1, 2), "p"), ((3, a), "q")]:
        out.append((x + y, name))
    return [*out, *[n * n for n in range_of(3) if n != 1], sum(n > 1 for n in range_of(4))]


def range_of(n: int) -> list[int]:
    out: list[int] = []
    while len(out) < n:
        out.append(len(out))
    return out


def texts(a: float, b: float) -> list[str]:
    pair = (a, b)
    return [
        f"{a:g} and {b!r} of {pair!r}: `${{x}}` \\ {'yes' if a > b else 'no'}",
        ", ".join([repr(b), "x"]),
        f"{1e-7 * a:g} {123456789 * b:g} {a / 3:g}",
        repr(None) + "" if a == 99 else "plain",
    ]


def slices(a: float, b: float) -> list[Any]:
    parts = [a, b, 3.0, 4.0]
    table = {"up": parts[1:], "down": parts[:-1]}
    first, _ = [parts[-1]], 0
    return [table["up"], table["down"], first, [(x, y) for x, y in pairwise(parts)], "up" in table]


def questions(a: float, b: float) -> list[bool]:
    huge = math.inf
    ends = [math.isinf(huge), math.isinf(-huge), math.isinf(a), math.isfinite(a)]
    return [*ends, all([a > 0, b > 0]), all([a > -9]), any([a > 0, b > 0])]


def tables(a: float, b: float) -> list[Any]:
    return [CURVES["steep"](2.0, 3.0), CURVES["flat-ish"](a, b), list(get_args(Word)), any([a > 0, b > 9])]


def keywords(a: float, b: float) -> list[float]:
    return [weighed(a, shift=b), weighed(a, 3.0, shift=1.0), weighed(a, factor=b), weighed(b)]


def weighed(x: float, factor: float = 2.0, *, shift: float = 0.5) -> float:
    return x * factor + shift


def truths(a: float, b: float) -> list[bool]:
    empty: list[float] = []
    if found := [x for x in (a, b) if x > 0]:
        empty = found
    return [bool_of(empty), bool_of([]), bool_of(a), bool_of("")]


def bool_of(x: Any) -> bool:
    return not (not x)  # noqa: SIM208


def errors(a: float, b: float) -> str:
    try:
        checked(a)
    except (TypeError, ValueError):
        return "refused"
    if b > 5:
        raise UserError(f"b is {b:g}; it must be 5 at most")
    return "taken"


def checked(x: Any) -> float:
    return float(x)


def scheduled(a: float, b: float) -> float:
    return halved(4)(a)


class halved(Schedule):  # noqa: N801
    def __init__(self, steps: int) -> None:
        self.steps, self.after = steps, "hold"

    def _factor(self, step: float) -> float:
        return self.share * step / self.steps

    @property
    def share(self) -> float:
        return 0.5


def named(a: float, b: float) -> list[Any]:
    text, sum_, new = f"{a > b}", a + b, [a, b]
    index = 1
    return [text, sum_, new[index], sum(new), len(new)]


GOOD = [
    named,
    questions,
    remainders,
    conditions,
    loops,
    texts,
    slices,
    tables,
    keywords,
    truths,
    errors,
    scheduled,
]


def with_block(a: float) -> float:
    with open(str(a)):
        return a


def formatted(a: float) -> str:
    return f"{a:.3f}"


def spread(a: dict[str, float]) -> float:
    return weighed(**a)


def unpacked(a: float) -> dict[str, float]:
    return {str(key): a for key in range(3)}


def either(a: Any) -> Any:
    return a.loss or 3


def twice(a: list[Any]) -> list[Any]:
    return [x for row in a for x in row]


def unknown(a: float) -> float:
    return nowhere + a  # type: ignore[name-defined]  # noqa: F821


def written(a: float) -> None:
    print(a)


def deleted(a: list[float]) -> None:
    del a[0]


def joined(a: list[Any]) -> list[Any]:
    return a + [1]  # noqa: RUF005


def stripped(a: str) -> str:
    return a.strip()


BAD = [with_block, formatted, spread, unpacked, either, twice, unknown, written, deleted, joined, stripped]
