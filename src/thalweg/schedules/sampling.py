"""The points of a curve that a drawing needs, so that no peak and no jump is lost between two of them."""

from collections.abc import Iterable
from itertools import islice

from thalweg.schedules.base import Schedule

_MOST = 100_000  # turns: beyond, a drawing is solid, and finding them all takes seconds


def sample(schedule: Schedule, steps: int, grid: Iterable[float]) -> list[tuple[float, float]]:
    """Return (step, factor) pairs in order: on the grid, at every turn up to `steps`, and at `steps`."""
    turns = (turn for turn in islice(schedule.turns(steps), _MOST) if 0 <= turn <= steps)
    return [(step, schedule(step)) for step in sorted({*grid, *turns, steps})]
