"""The ranking: a dot and a 95 % interval a finalist, seeds as faint dots, the difference to the winner."""

from __future__ import annotations

from thalweg.report.charts.rows import Frame, Item, axis, frame
from thalweg.report.charts.svg import Canvas, Scale, padded, shorten, symbol
from thalweg.report.model import Contender, Race
from thalweg.report.numbers import Metric, plural
from thalweg.report.palette import css_class


def draw(race: Race, width: int) -> str:
    """The chart for one width."""
    shown = [c for c in race.contenders if c.mean is not None]
    box = frame(width, [Item(c.name, c.style, remark(race, c), c.winner) for c in shown])
    scale = Scale(*_range(shown), box.left, box.right)
    arrow = "better →" if race.metric.higher else "← better"
    axis(
        box, scale, f"{shorten(race.metric.name, 24)} on the test data, {arrow}", percent=race.metric.percent
    )
    _winner_line(box, scale, race.winner)
    for contender, y in zip(shown, box.middles, strict=True):
        _row(box.canvas, scale, race.metric, contender, y)
    return box.canvas.svg("Ranking of the finalists on fresh seeds; the table below has the numbers")


def _range(shown: list[Contender]) -> tuple[float, float]:
    """All intervals, and all seeds."""
    seeds = [v for c in shown for run in c.ok_runs if (v := run.get("test_metric")) is not None]
    ends = [v for c in shown for v in (c.mean, c.low, c.high) if v is not None]
    return padded(min(ends + seeds), max(ends + seeds))


def _winner_line(box: Frame, scale: Scale, winner: Contender | None) -> None:
    if winner is not None and winner.mean is not None:
        x = scale(winner.mean)
        for y in box.middles if box.stacked else ():
            box.canvas.line(x, y - 12, x, y + 12, "guide")
        if not box.stacked:
            box.canvas.line(x, 4, x, box.bottom, "guide")


def remark(race: Race, contender: Contender) -> str:
    """The difference to the winner, in words short enough for the end of a row."""
    lost = len(contender.runs) - len(contender.ok_runs)
    if lost:
        return f"failed on {lost} of {plural(len(contender.runs), 'seed')}"
    if contender.winner:
        return "best mean" if race.kind == "not_enough" else "recommended"
    if contender.diff is None:
        return race.metric.value(contender.mean)
    return race.metric.span(contender.diff, contender.diff_low, contender.diff_high)


def _row(canvas: Canvas, scale: Scale, metric: Metric, contender: Contender, y: float) -> None:
    hue = css_class(contender.style)
    for i, run in enumerate(contender.ok_runs):
        value = run.get("test_metric")
        if value is not None:
            x, up = scale(value), y + (i % 3 - 1) * 4.0
            canvas.add("circle", cx=x, cy=up, r=3.2, class_=f"seed {hue}")
            canvas.mark(x, up, f"{contender.name}, seed {run.seed}: {metric.value(value)}")
    mean = contender.mean or 0.0
    if contender.low is not None and contender.high is not None:
        canvas.line(scale(contender.low), y, scale(contender.high), y, f"interval {hue}")
    symbol(canvas, scale(mean), y, contender.style, 6)
    canvas.mark(scale(mean), y, f"{contender.name}: {interval(metric, contender)}")


def interval(metric: Metric, contender: Contender) -> str:
    """The mean with its interval and the number of seeds."""
    seeds = plural(len(contender.ok_runs), "seed")
    if contender.low is None or contender.high is None:
        return f"{metric.value(contender.mean)} ({seeds})"
    ends = f"{metric.value(contender.low)} to {metric.value(contender.high)}"
    return f"{metric.value(contender.mean)} (95 % interval {ends}, {seeds})"
