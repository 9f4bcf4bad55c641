"""Learning-rate sensitivity: one panel an optimizer, the same axes in all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from thalweg.report.charts.svg import (
    Canvas,
    Scale,
    cross,
    decades,
    padded,
    shorten,
    symbol,
    tick_texts,
    ticks,
)
from thalweg.report.model import Race, Run
from thalweg.report.numbers import count, plain
from thalweg.report.palette import css_class

WIDTH: Final = 304
HEIGHT: Final = 222
FLOOR: Final = HEIGHT - 56.0
"""Where the scale of the metric ends; below it lies the strip of failed runs."""
STRIP: Final = HEIGHT - 42.0


@dataclass(frozen=True)
class Panel:
    """One optimizer's runs and what to mark: its default, the ends of its space, its confirmed recipes."""

    optimizer: str
    style: int
    runs: Sequence[Run]
    default: float | None
    space: tuple[float, float] | None
    finalists: Sequence[tuple[float, float]]


def draw(race: Race, panels: Sequence[Panel]) -> list[str]:
    """All panels, on the same axes."""
    x, y = _scales(race, panels)
    return [_panel(race, panel, x, y) for panel in panels]


def _scales(race: Race, panels: Sequence[Panel]) -> tuple[Scale, Scale]:
    lrs = [run.lr for panel in panels for run in panel.runs if run.lr]
    lrs += [v for panel in panels for v in (panel.default, *(panel.space or ())) if v]
    x = Scale(min(lrs) / 1.5, max(lrs) * 1.5, 44.0, WIDTH - 8.0, log=True)
    values = [v for p in panels for r in p.runs if r.ok and (v := r.get("valid_metric")) is not None]
    values += [value for panel in panels for _, value in panel.finalists]
    low, high = _robust(values, race.metric.higher) if values else (0.0, 1.0)
    # The better end is always up, whichever way the metric counts.
    ends = (FLOOR, 34.0) if race.metric.higher else (34.0, FLOOR)
    return x, Scale(*padded(low, high), *ends)


def _robust(values: Sequence[float], higher: bool) -> tuple[float, float]:
    """The best value down to where only stray runs lie: the worst quarter must not flatten the rest."""
    ordered = sorted(values, reverse=higher)
    best, middle, worst = ordered[0], ordered[len(ordered) // 2], ordered[-1]
    reach = 3 * abs(middle - best)
    limit = max(worst, best - reach) if higher else min(worst, best + reach)
    return (limit, best) if higher else (best, limit)


def _panel(race: Race, panel: Panel, x: Scale, y: Scale) -> str:
    canvas = Canvas(WIDTH, HEIGHT)
    _ground(canvas, race, panel, x, y)
    for run in sorted(panel.runs, key=lambda run: run.steps):
        _run(canvas, race, panel, run, x, y)
    for lr, value in panel.finalists:
        symbol(canvas, x(lr), y.clamp(value), panel.style, 6, "ring")
        text = f"finalist at lr {plain(lr)}: {race.metric.value(value)}, median of its final runs"
        canvas.mark(x(lr), y.clamp(value), text)
    return canvas.svg(f"{panel.optimizer}: validation {race.metric.name} by learning rate", "panel")


def _ground(canvas: Canvas, race: Race, panel: Panel, x: Scale, y: Scale) -> None:
    """The title, the shaded outside of the space, grid, axes and the default."""
    if panel.space:
        for a, b in ((x.start, x(panel.space[0])), (x(panel.space[1]), x.end)):
            if b - a > 0.5:
                canvas.add("rect", x=a, y=28.0, width=b - a, height=STRIP - 20, class_="outside")
    symbol(canvas, 8, 11, panel.style)
    canvas.text(20, 15.5, shorten(panel.optimizer, 36), "title")
    values = ticks(y.low, y.high, 4)
    for value, text in zip(values, tick_texts(values, race.metric.percent), strict=True):
        canvas.line(x.start, y(value), x.end, y(value), "grid")
        canvas.text(x.start - 5, y(value) + 4, text, "tick", "end")
    powers = decades(x.low, x.high)
    for value in powers[:: 2 if len(powers) > 6 else 1]:
        canvas.line(x(value), STRIP + 8, x(value), STRIP + 12, "tickmark")
        canvas.text(x(value), HEIGHT - 17, plain(value), "tick", "middle")
    canvas.text((x.start + x.end) / 2, HEIGHT - 3, "learning rate", "axis", "middle")
    canvas.line(x.start, STRIP - 8, x.end, STRIP - 8, "floor")
    canvas.text(x.start - 5, STRIP + 4, "failed", "small", "end")
    if panel.default:
        at = x(panel.default)
        canvas.line(at, 28, at, STRIP + 8, "default")
        near_end = at > x.end - 44
        canvas.text(at + (-4 if near_end else 4), 37, "default", "small", "end" if near_end else "start")


def _run(canvas: Canvas, race: Race, panel: Panel, run: Run, x: Scale, y: Scale) -> None:
    if run.lr is None:
        return
    at, value = x(run.lr), run.get("valid_metric")
    where = f"lr {plain(run.lr)}, {count(run.steps)} steps"
    if not run.ok or value is None:
        cross(canvas, at, STRIP, "failed")
        canvas.mark(at, STRIP, f"{where}: {run.status}: {shorten(run.reason, 90)}")
        return
    light = "light" if run.steps < race.full_steps else "solid"
    beyond = not y.low <= value <= y.high
    if beyond:  # worse than the frame: an arrow at its lower end
        d = f"M{at - 4:.1f} {FLOOR - 5:.1f}h8l-4 6Z"
        canvas.add("path", d=d, class_=f"{light} {css_class(panel.style)}")
    else:
        canvas.add("circle", cx=at, cy=y(value), r=4.0, class_=f"{light} {css_class(panel.style)}")
    canvas.mark(at, FLOOR - 2 if beyond else y(value), f"{where}: {race.metric.value(value)}")
