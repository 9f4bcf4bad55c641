"""The generalization gap: from the test data (filled) to the training data (open)."""

from __future__ import annotations

from collections.abc import Sequence

from thalweg.report.charts.rows import Item, axis, frame
from thalweg.report.charts.svg import Scale, padded, shorten, symbol
from thalweg.report.measures import Gap
from thalweg.report.model import Race
from thalweg.report.palette import css_class


def draw(race: Race, gaps: Sequence[Gap], width: int) -> str:
    """The chart for one width."""
    metric = race.metric
    items = [
        Item(g.contender.name, g.contender.style, f"gap {metric.difference(g.size)}", g.contender.winner)
        for g in gaps
    ]
    box = frame(width, items)
    ends = [v for gap in gaps for v in (gap.train, gap.test)]
    scale = Scale(*padded(min(ends), max(ends)), box.left, box.right)
    axis(
        box,
        scale,
        f"{shorten(metric.name, 24)} on test and training data",
        percent=metric.percent,
    )
    for gap, y in zip(gaps, box.middles, strict=True):
        style, name = gap.contender.style, gap.contender.name
        box.canvas.line(scale(gap.train), y, scale(gap.test), y, f"span {css_class(style)}")
        symbol(box.canvas, scale(gap.train), y, style, 5.5, "open")
        symbol(box.canvas, scale(gap.test), y, style, 5.5)
        box.canvas.mark(scale(gap.train), y, f"{name}, training data: {metric.value(gap.train)}")
        box.canvas.mark(scale(gap.test), y, f"{name}, test data: {metric.value(gap.test)}")
    return box.canvas.svg("The metric on training and test data; the table below has the numbers")
