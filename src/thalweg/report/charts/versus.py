"""The first screen's small picture: how far the recommended recipe is ahead of others, with intervals."""

from __future__ import annotations

from collections.abc import Sequence

from thalweg.report.charts.svg import Canvas, Scale, padded, shorten, symbol
from thalweg.report.model import Contender, Race
from thalweg.report.palette import css_class


def lead(race: Race, contender: Contender) -> tuple[float, float | None, float | None] | None:
    """How much better the winner is than a contender (positive: it leads), with the interval's ends."""
    if contender.diff is None:
        return None
    ahead = -race.metric.gain(contender.diff)
    if contender.diff_low is None or contender.diff_high is None:
        return ahead, None, None
    low, high = sorted(-race.metric.gain(v) for v in (contender.diff_low, contender.diff_high))
    return ahead, low, high


def draw(race: Race, others: Sequence[Contender], width: int) -> str:
    """One row a comparison: an interval, and the line of no difference."""
    known = [(c, found) for c in others if (found := lead(race, c)) is not None]
    ends = [0.0, *(v for _, found in known for v in found if v is not None)]
    scale = Scale(*padded(min(ends), max(ends), 0.08), 10.0, width - 10.0)
    canvas = Canvas(width, 46 * len(known) + 20)
    zero = scale(0.0)
    for i, (contender, (mean, low, high)) in enumerate(known):
        y = 46.0 * i + 32
        symbol(canvas, 8, y - 20, contender.style, 4.5)
        canvas.text(20, y - 15.5, shorten(f"over {contender.name}", 28), "label")
        span = race.metric.span(mean, low, high)
        canvas.text(width - 2, y - 15.5, span, "label strong", "end")
        canvas.line(scale.start, y, scale.end, y, "grid")
        canvas.line(zero, y - 8, zero, y + 8, "zero")
        if low is not None and high is not None:
            canvas.line(scale(low), y, scale(high), y, f"interval {css_class(contender.style)}")
        symbol(canvas, scale(mean), y, contender.style, 5)
        canvas.mark(scale(mean), y, f"lead over {contender.name}: {span}")
    anchor = "start" if zero < 60 else "end" if zero > width - 60 else "middle"
    canvas.text(zero, 46 * len(known) + 15, "no difference", "small", anchor)
    return canvas.svg("How far the recommended recipe is ahead; the ranking's table has the numbers")
