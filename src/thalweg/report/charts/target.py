"""Time to the target: the median as a dot, seeds as faint dots, misses as triangles at the right edge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from thalweg.report.charts.rows import Item, axis, frame
from thalweg.report.charts.svg import Canvas, Scale, path, symbol
from thalweg.report.measures import censored_median
from thalweg.report.palette import css_class


@dataclass(frozen=True)
class Times:
    """One contender's times; None is a miss, and `limit` the time it was given."""

    name: str
    style: int
    times: Sequence[float | None]
    limit: float
    strong: bool = False

    @property
    def misses(self) -> int:
        """How many never got there."""
        return sum(time is None for time in self.times)


def remark(row: Times, write: Callable[[float], str]) -> str:
    """The median, and the misses."""
    middle = censored_median(row.times)
    text = write(middle) if middle is not None else f"over {write(row.limit)}"
    return f"{text} · {row.misses} of {len(row.times)} missed" if row.misses else text


def draw(rows: Sequence[Times], title: str, write: Callable[[float], str], *, width: int) -> str:
    """The chart of one kind of time for one width."""
    box = frame(width, [Item(r.name, r.style, remark(r, write), r.strong) for r in rows], room=16)
    longest = max((t for r in rows for t in (*r.times, r.limit) if t is not None), default=1.0)
    scale = Scale(0.0, longest or 1.0, box.left, box.right)
    axis(box, scale, title)
    for row, y in zip(rows, box.middles, strict=True):
        _row(box.canvas, scale, row, y, write)
    return box.canvas.svg(f"{title}; the table below has the numbers")


def _row(canvas: Canvas, scale: Scale, row: Times, y: float, write: Callable[[float], str]) -> None:
    hue = css_class(row.style)
    canvas.line(scale.start, y, scale.end, y, "rule")
    for i, time in enumerate(t for t in row.times if t is not None):
        up = y + (i % 3 - 1) * 3.0
        canvas.add("circle", cx=scale(time), cy=up, r=3.2, class_=f"seed {hue}")
        canvas.mark(scale(time), up, f"{row.name}: one seed after {write(time)}")
    if row.misses:
        x = scale.clamp(row.limit) + 5
        canvas.add("path", d=path([(x, y - 6), (x + 9, y), (x, y + 6)], True), class_=f"miss {hue}")
        canvas.mark(
            x + 4, y, f"{row.name}: {row.misses} of {len(row.times)} not there after {write(row.limit)}"
        )
    middle = censored_median(row.times)
    if middle is not None:
        symbol(canvas, scale(middle), y, row.style, 6)
        canvas.mark(scale(middle), y, f"{row.name}: median {write(middle)}")
