"""What a step costs: model and optimizer in one bar."""

from __future__ import annotations

from collections.abc import Sequence

from thalweg.report.charts.rows import Item, axis, frame
from thalweg.report.charts.svg import Scale
from thalweg.report.measures import Cost
from thalweg.report.numbers import milliseconds
from thalweg.report.palette import css_class


def state(cost: Cost, parameters: int | None) -> str:
    """The optimizer's memory for each parameter."""
    if cost.state_bytes is None or not parameters:
        return "—"
    each = cost.state_bytes / parameters
    return (
        f"{each:.0f} bytes a parameter" if abs(each - round(each)) < 0.05 else f"{each:.1f} bytes a parameter"
    )


def draw(costs: Sequence[Cost], parameters: int | None, width: int) -> str:
    """The chart for one width."""
    items = [
        Item(
            c.contender.name,
            c.contender.style,
            f"{milliseconds(c.step_ms)}, optimizer {milliseconds(c.optimizer_ms)}",
            c.contender.winner,
        )
        for c in costs
    ]
    box = frame(width, items)
    scale = Scale(0.0, max(c.step_ms for c in costs) * 1.02, box.left, box.right)
    axis(box, scale, "ms a step")
    for cost, y in zip(costs, box.middles, strict=True):
        middle, end = scale(cost.model_ms), scale(cost.step_ms)
        canvas, name = box.canvas, cost.contender.name
        canvas.add("rect", x=scale.start, y=y - 7, width=middle - scale.start, height=14, class_="bar")
        canvas.add(
            "rect",
            x=middle,
            y=y - 7,
            width=end - middle,
            height=14,
            class_=f"part {css_class(cost.contender.style)}",
        )
        canvas.mark((scale.start + middle) / 2, y, f"{name}, model: {milliseconds(cost.model_ms)}")
        canvas.mark(
            (middle + end) / 2,
            y,
            f"{name}, optimizer: {milliseconds(cost.optimizer_ms)}, {state(cost, parameters)}",
        )
    return box.canvas.svg("Milliseconds a step, model and optimizer; the table below has the numbers")
