"""From a budget to a plan: the richest shape of race that fits, by a small table.

Wall time is turned into numbers of runs and steps once, at the start, from the measured speed. From
then on only those numbers count, so that a slower moment of the machine cannot change the result.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from thalweg.errors import UserError
from thalweg.race.plan import MOST_IN_HEATS, Plan
from thalweg.race.priors import check_optimizers
from thalweg.race.statistics import FEWEST_PAIRS, LEVEL, fewest_pairs

SHORTEST_RUN = 40
"""Steps: a shorter full run says nothing about a long one."""
_SAFETY = 0.9
"""The part of a budget that is planned; the rest absorbs optimizers slower than the measured one."""


@dataclass(frozen=True)
class Shape:
    """How a race divides its runs.

    Attributes:
        name: For messages and tests.
        trials: Screening trials of each optimizer.
        screen: A screening run has 1/screen of the steps of a full run.
        extra: Heats beyond the best trial of each optimizer (of at most ten); per optimizer when comparing.
        rounds: Rounds of refinement.
        points: Runs in each round; when comparing, rounded up to the same number for each optimizer.
        finalists: Recipes in the final, at most; all optimizers when comparing.
        pairs: Fresh seeds of each finalist; more where Holm's correction could not pass with so few.
        shortest: The least length of a full run, as a fraction of the task's own, for this shape.
    """

    name: str
    trials: int
    screen: int
    extra: int
    rounds: int
    points: int
    finalists: int
    pairs: int
    shortest: float


SHAPES = (
    Shape("long", 16, 4, 4, 3, 8, 4, 16, 1.0),
    Shape("thorough", 12, 4, 3, 3, 6, 3, 12, 0.6),
    Shape("standard", 8, 4, 2, 2, 4, 3, 10, 0.4),
    Shape("short", 6, 4, 1, 1, 4, 2, 8, 0.2),
    Shape("hasty", 4, 4, 0, 1, 2, 1, 6, 0.05),
    Shape("glimpse", 3, 4, 0, 0, 0, 1, 3, 0.0),
)
"""Richest first. The last one can only say "not enough seeds": it shows that everything works."""
STANDARD = SHAPES[2]


@dataclass(frozen=True)
class Costs:
    """What was measured before the race.

    Attributes:
        step: Seconds of a training step in one worker while all of them work.
        look: Seconds of one evaluation.
        startup: Seconds before the first run.
        workers: Runs at the same time.
        search_looks: Evaluations in a run of the search.
        final_looks: Evaluations in a run of the final.
    """

    step: float
    look: float = 0.0
    startup: float = 0.0
    workers: int = 1
    search_looks: int = 4
    final_looks: int = 23


def make_plan(
    *,
    optimizers: Sequence[str],
    full_steps: int,
    budget_seconds: float | None = None,
    steps: int | None = None,
    costs: Costs | None = None,
    seed: int = 0,
    purpose: str = "find",
    **about: Any,
) -> Plan:
    """Return the plan of a race that fits a budget.

    Args:
        optimizers: Who races.
        full_steps: The length of a run that the task asks for: its epochs, in steps.
        budget_seconds: Wall time for the whole race; needs ``costs``. Without it the standard shape.
        steps: The length of a full run, instead of the longest that fits.
        costs: The measured speed.
        seed: The number that the race's randomness comes from.
        purpose: ``"find"`` or ``"compare"``.
        about: Further fields of the `Plan`, which it only keeps: ``task``, ``metric_name``, ...

    Raises:
        UserError: The budget is too small for any race (the message says the smallest), or a number
            is out of its range.
    """
    names = check_optimizers(optimizers)
    _check(full_steps, budget_seconds, steps, seed)
    shape, length = STANDARD, steps or full_steps
    if budget_seconds is not None:
        if costs is None:
            raise UserError("a budget in seconds needs the measured speed")
        shape, length = _fit(names, purpose, full_steps, budget_seconds, steps, costs)
    counts: dict[str, Any] = _counts(shape, len(names), purpose, length)
    return Plan(optimizers=names, steps=length, seed=seed, purpose=purpose, **counts, **about)


def _check(full_steps: int, budget: float | None, steps: int | None, seed: int) -> None:
    if budget is not None and not 0 < budget < math.inf:
        raise UserError(f"the budget is {budget:g} s; it must be above 0, such as 3m")
    check_steps(steps)
    if steps is None and full_steps < SHORTEST_RUN:
        few = f"the task's epochs make a run of {full_steps} steps; a full run needs at least {SHORTEST_RUN}"
        raise UserError(f"{few}: raise the task's epochs, or give --steps")
    if not 0 <= seed < 1_000_000:
        raise UserError(f"seed is {seed}; it is a whole number from 0 to 999,999")


def check_steps(steps: int | None) -> None:
    """Refuse a length of a full run that is no whole number, or too short to say anything."""
    if steps is not None and (type(steps) is not int or steps < SHORTEST_RUN):
        raise UserError(f"steps is {steps}; a full run needs at least {SHORTEST_RUN}, in whole steps")


def _fit(
    names: Sequence[str], purpose: str, full_steps: int, budget: float, steps: int | None, costs: Costs
) -> tuple[Shape, int]:
    """Return the first shape, and the longest full run up to the task's own, that fit the budget."""
    for shape in SHAPES:
        longest = _longest(shape, len(names), purpose, budget, costs)
        length = steps or min(longest, full_steps)
        if longest >= length >= max(SHORTEST_RUN, shape.shortest * full_steps * (steps is None)):
            return shape, length
    least = _seconds(SHAPES[-1], len(names), purpose, steps or min(SHORTEST_RUN, full_steps), costs)
    many = len(names) > 1
    who = f"{len(names)} optimizers" if many else names[0]
    raise UserError(
        f"a budget of {_time(budget)} is too small to race {who} here; "
        f"give at least {_time(least)}{', or name fewer optimizers' * many}"
    )


def _longest(shape: Shape, optimizers: int, purpose: str, budget: float, costs: Costs) -> int:
    """Return the longest full run with which a shape fits: its time is linear in that length."""
    at_zero = _seconds(shape, optimizers, purpose, 0, costs)
    slope = (_seconds(shape, optimizers, purpose, 1000, costs) - at_zero) / 1000
    return math.floor((budget - at_zero) / slope)


def _seconds(shape: Shape, optimizers: int, purpose: str, steps: int, costs: Costs) -> float:
    """Return the wall time of a race: in each phase all workers wait for the last one."""
    n = _counts(shape, optimizers, purpose, steps)
    search, final = costs.look * costs.search_looks, costs.look * costs.final_looks
    parts = [
        (n["trials"] * optimizers, steps / shape.screen, search),
        (n["heats"], steps, search),
        *[(n["points"], steps, search)] * n["rounds"],
        ((n["finalists"] + 1) * n["pairs"], steps, final),
    ]
    busy = sum(
        math.ceil(runs / costs.workers) * (length * costs.step + looks) for runs, length, looks in parts
    )
    return costs.startup + busy / _SAFETY


def _counts(shape: Shape, optimizers: int, purpose: str, steps: int) -> dict[str, int]:
    """Return the numbers of a plan that a shape makes for so many optimizers."""
    equal = purpose == "compare"
    finalists = optimizers if equal else min(shape.finalists, optimizers)
    comparisons = math.comb(finalists + 1, 2)
    enough = fewest_pairs(LEVEL / comparisons) if shape.pairs >= FEWEST_PAIRS else 0
    return {
        "screen_steps": max(steps // shape.screen, 1),
        "trials": shape.trials,
        "heats": optimizers * (1 + (shape.extra > 0))
        if equal
        else min(optimizers, MOST_IN_HEATS) + shape.extra,
        "rounds": shape.rounds,
        "points": optimizers * math.ceil(shape.points / optimizers) if equal else shape.points,
        "finalists": finalists,
        "pairs": max(shape.pairs, enough),
    }


def _time(seconds: float) -> str:
    """Return a time as the command line takes it, rounded up: "45s", "3m"."""
    return f"{math.ceil(seconds)}s" if seconds < 120 else f"{math.ceil(seconds / 60)}m"
