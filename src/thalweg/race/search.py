"""What to run next: a pure function of the plan and of the outcomes so far.

Read ``next_runs`` first, then the four phases below it. A race that was killed resumes by asking
again: the same outcomes give the same runs, in whatever order they arrived.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from thalweg.race.plan import MOST_IN_HEATS, Plan
from thalweg.race.recipe import BASELINE, Recipe
from thalweg.race.runs import BASELINE_LABEL, Outcome, RunSpec, healthy
from thalweg.race.sampling import near, trials

_WIDTHS = (0.4, 0.25, 0.15)
"""How far each round of refinement looks, in decades; later rounds use the last."""


def next_runs(plan: Plan, done: Iterable[Outcome]) -> list[RunSpec]:
    """Return the runs of the first unfinished phase that are still to do; none when the race is over."""
    have = {outcome.key: outcome for outcome in done}
    before: list[Outcome] = []
    for phase in _phases(plan):
        specs = phase(plan, before)
        missing = [spec for spec in specs if spec.key not in have]
        if missing:
            return missing
        before += [have[spec.key] for spec in specs]
    return []


def _phases(plan: Plan) -> Sequence[Callable[[Plan, Sequence[Outcome]], list[RunSpec]]]:
    rounds = [partial(_refine, round_=number) for number in range(plan.rounds)]
    return [_screen, _heats, *rounds, _final]


def _screen(plan: Plan, before: Sequence[Outcome]) -> list[RunSpec]:
    """The same number of short, complete runs for every optimizer; the advised one comes first."""
    advised = Recipe.from_json(plan.advised) if plan.advised else None
    order = sorted(plan.optimizers, key=lambda name: advised is None or name != advised.optimizer)
    return [
        RunSpec(recipe, plan.search_seed, plan.screen_steps, "screen", optimizer)
        for optimizer in order
        for recipe in trials(optimizer, plan.trials, _number(plan, optimizer), advised)
    ]


def _heats(plan: Plan, before: Sequence[Outcome]) -> list[RunSpec]:
    """The best trial of each optimizer (of many: of the best), then the best others, at full length."""
    order = ranked(plan, before)
    firsts = best_of_each(plan, before)
    if plan.purpose == "find":
        firsts = firsts[:MOST_IN_HEATS]
    rest = [outcome for outcome in order if outcome not in firsts]
    if plan.purpose == "compare":
        rest = _dealt(plan, rest)
    return [_full(plan, outcome.recipe, "heats") for outcome in (firsts + rest)[: plan.heats]]


def _refine(plan: Plan, before: Sequence[Outcome], round_: int) -> list[RunSpec]:
    """New recipes near the best of the leading optimizers; the best leader comes first in the deal."""
    full = [outcome for outcome in before if outcome.phase != "screen"]
    leaders = best_of_each(plan, full)[: None if plan.purpose == "compare" else plan.finalists]
    width = _WIDTHS[min(round_, len(_WIDTHS) - 1)]
    specs = []
    for place, leader in enumerate(leaders):
        count = len(range(place, plan.points, len(leaders)))
        fresh = near(leader.recipe, count, width, _number(plan, leader.label, round_)) if count else []
        specs += [_full(plan, recipe, "refine") for recipe in fresh]
    return specs


def _final(plan: Plan, before: Sequence[Outcome]) -> list[RunSpec]:
    """The best recipe of each of the best optimizers, and torch's default AdamW, on fresh seeds."""
    named = [(outcome.label, outcome.recipe) for outcome in finalists(plan, before)]
    return [
        RunSpec(recipe, seed, plan.steps, "final", label)
        for seed in plan.final_seeds
        for label, recipe in [*named, (BASELINE_LABEL, BASELINE)]
    ]


def finalists(plan: Plan, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the full-length searches that earned a place in the final, best first."""
    full = [o for o in outcomes if o.phase in ("heats", "refine") and o.recipe.id != BASELINE.id]
    return best_of_each(plan, full)[: plan.finalists]


def ranked(plan: Plan, outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Return the outcomes that ended well, best validation metric first, ties by lower loss."""
    sign = -1 if plan.higher_is_better else 1

    def rank(outcome: Outcome) -> tuple[float, float, str]:
        assert outcome.valid_metric is not None
        loss = outcome.valid_loss
        return sign * outcome.valid_metric, loss if loss is not None and healthy(loss) else 0.0, outcome.key

    return sorted((o for o in outcomes if o.status == "ok" and healthy(o.valid_metric)), key=rank)


def best_of_each(plan: Plan, outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Return the best outcome of each optimizer that has one, best first."""
    best: dict[str, Outcome] = {}
    for outcome in ranked(plan, outcomes):
        best.setdefault(outcome.label, outcome)
    return list(best.values())


def _dealt(plan: Plan, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return ranked outcomes in turns, one of each optimizer, so that any cut is nearly equal."""
    turn: dict[str, int] = {}
    keyed = []
    for place, outcome in enumerate(outcomes):
        turn[outcome.label] = turn.get(outcome.label, 0) + 1
        keyed.append((turn[outcome.label], place, outcome))
    return [outcome for _, _, outcome in sorted(keyed, key=lambda item: item[:2])]


def _full(plan: Plan, recipe: Recipe, phase: str) -> RunSpec:
    return RunSpec(recipe, plan.full_seed, plan.steps, phase, recipe.optimizer)


def _number(plan: Plan, *names: object) -> int:
    """Return a number for drawing points that differs by name, and is the same on every machine."""
    return zlib.crc32("/".join(map(str, (plan.seed, *names))).encode())
