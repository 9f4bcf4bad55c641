"""What the page says of each schedule: its fields, their intervals, and the printed class."""

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from thalweg.engine.javascript import literal
from thalweg.playground.printed_functions import indented
from thalweg.playground.printed_library import Library
from thalweg.playground.printed_shelf import facts, option
from thalweg.schedules.base import Schedule

__all__ = ["schedule_lines"]

_ANY = {"integer": 4, "number": 0.5}  # in the place of None, so that the check is seen


def schedule_lines(library: Library, kind: type[Schedule], example: Mapping[str, Any]) -> list[str]:
    """A schedule as an object of JavaScript."""
    signature = inspect.signature(kind, eval_str=True).parameters
    with _recorded() as intervals:
        kind(
            **{
                **{n: _ANY[option(n, p, None)["kind"]] for n, p in signature.items() if p.default is None},
                **example,
            }
        )
    arguments = [option(n, p, intervals.get(n)) for n, p in signature.items()]
    name = library.name(inspect.getmodule(kind), kind.__name__)  # type: ignore[arg-type]
    lines = [f"{key}: {literal(v)}," for key, v in {"name": kind.__name__, **facts(kind)}.items()]
    lines.append(f"example: {literal(example)},")
    lines += ["arguments: [", *indented([f"{literal(a)}," for a in arguments]), "],"]
    return [*lines, f"make: (options) => {library.runtime('record')}({name}, options),"]


@contextmanager
def _recorded() -> Iterator[dict[str, str]]:
    """The intervals within which a schedule's constructor wants its fields."""
    found: dict[str, str] = {}

    def whole(self: Schedule, option: str, low: int = 1) -> None:
        found[option] = f"[{low}, inf)"

    def real(
        self: Schedule, option: str, low: float, high: float = float("inf"), *, above: bool = False
    ) -> None:
        found[option] = f"{'(' if above else '['}{low:g}, {high:g}{')' if high == float('inf') else ']'}"

    def below_top(self: Schedule, option: str) -> None:
        found[option] = "[0, 1]"

    with patch.multiple(Schedule, _whole=whole, _real=real, _below_top=below_top):
        yield found
