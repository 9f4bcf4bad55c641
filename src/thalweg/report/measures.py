"""What is computed from the runs for the charts: curves over seeds, the target, the time to it, failures."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from thalweg.report.model import Contender, Race, Run


@dataclass(frozen=True)
class Point:
    """A step of a curve over seeds: the mean, the lowest and the highest seed."""

    step: float
    mean: float
    low: float
    high: float
    n: int


def curve(runs: Sequence[Run], field: str) -> list[Point]:
    """A curve over the seeds of the given runs, at the steps that all of them have."""
    at: dict[float, list[float]] = {}
    for run in runs:
        for point in run.curve:
            step, value = point.get("step"), point.get(field)
            if step is not None and value is not None:
                at.setdefault(step, []).append(value)
    full = max((len(values) for values in at.values()), default=0)
    return [
        Point(step, statistics.fmean(v), min(v), max(v), len(v))
        for step, v in sorted(at.items())
        if len(v) == full
    ]


@dataclass(frozen=True)
class Target:
    """The validation value to reach, and whose median end it is."""

    value: float
    owner: Contender


def target(race: Race) -> Target | None:
    """What the baseline reaches at its end (the median over seeds); without a baseline, the weakest finalist.

    The median of re-runs, so that no lucky run sets the bar (Dahl et al. 2023, arXiv:2306.07179).
    """
    ends = [(end, c) for c in race.contenders if (end := c.median("valid_metric")) is not None]
    if not ends:
        return None
    own = [pair for pair in ends if pair[1].label == "baseline"]
    value, owner = own[0] if own else min(ends, key=lambda pair: race.metric.gain(pair[0]))
    return Target(value, owner)


@dataclass(frozen=True)
class Hit:
    """When one run first reached the target; None where it never did within the given time."""

    seed: int
    step: float | None
    seconds: float | None
    end_step: float
    end_seconds: float


def hits(race: Race, contender: Contender, value: float) -> list[Hit]:
    """The time to target of every run; a run that never got there, or diverged, is a miss and is kept."""
    return [_hit(race, run, value) for run in contender.runs]


def _hit(race: Race, run: Run, value: float) -> Hit:
    last = run.curve[-1] if run.curve else {}
    end_seconds = last.get("seconds") or run.get("seconds") or 0.0
    for point in run.curve if run.ok else ():
        reached = point.get("valid_metric")
        if reached is not None and race.metric.better(reached, value):
            return Hit(run.seed, point.get("step"), point.get("seconds"), float(run.steps), end_seconds)
    return Hit(run.seed, None, None, float(run.steps), end_seconds)


def censored_median(values: Sequence[float | None]) -> float | None:
    """The median where None is later than everything; None when the median itself was never reached.

    >>> censored_median([3.0, None, 1.0]), censored_median([1.0, None, None])
    (3.0, None)
    """
    ordered = sorted(math.inf if v is None else v for v in values)
    found = statistics.median(ordered) if ordered else math.inf
    return found if math.isfinite(found) else None


@dataclass(frozen=True)
class Cost:
    """What a contender costs: medians over its finished runs."""

    contender: Contender
    step_ms: float
    optimizer_ms: float
    state_bytes: float | None

    @property
    def model_ms(self) -> float:
        """The rest of the step: data, forward and backward."""
        return max(0.0, self.step_ms - self.optimizer_ms)


def costs(race: Race) -> list[Cost]:
    """The cost of every contender that has one."""
    found = []
    for contender in race.contenders:
        step, optimizer = contender.median("step_ms"), contender.median("optimizer_ms")
        if step is not None:
            found.append(Cost(contender, step, optimizer or 0.0, contender.median("state_bytes")))
    return found


@dataclass(frozen=True)
class Gap:
    """The mean metric on training and on test data over a contender's finished runs."""

    contender: Contender
    train: float
    test: float

    @property
    def size(self) -> float:
        """Train minus test."""
        return self.train - self.test


def gaps(race: Race) -> list[Gap]:
    """The generalization gap of every contender that has one."""
    found = []
    for contender in race.contenders:
        pairs = [(run.get("train_metric"), run.get("test_metric")) for run in contender.ok_runs]
        both = [(a, b) for a, b in pairs if a is not None and b is not None]
        if both:
            found.append(
                Gap(contender, statistics.fmean(a for a, _ in both), statistics.fmean(b for _, b in both))
            )
    return found


@dataclass(frozen=True)
class Failure:
    """Runs of one optimizer that failed for one reason."""

    optimizer: str
    status: str
    reason: str
    runs: tuple[Run, ...]

    @property
    def lrs(self) -> tuple[float, float] | None:
        """The lowest and the highest learning rate among them."""
        found = [run.lr for run in self.runs if run.lr is not None]
        return (min(found), max(found)) if found else None


def failures(race: Race) -> list[Failure]:
    """Failed runs, grouped by optimizer and reason (numbers inside a reason do not split a group)."""
    groups: dict[tuple[str, str, str], list[Run]] = {}
    for run in race.runs:
        if not run.ok:
            groups.setdefault((run.optimizer, run.status, general(run.reason)), []).append(run)
    order = {name: i for i, name in enumerate(race.optimizers)}
    found = [Failure(key[0], key[1], runs[0].reason, tuple(runs)) for key, runs in groups.items()]
    return sorted(found, key=lambda f: (order.get(f.optimizer, len(order)), -len(f.runs)))


def general(reason: str) -> str:
    """A reason without what differs from run to run.

    >>> general("step 12: the training loss is 512.3, 2.30 at the start")
    'the training loss is #, # at the start'
    """
    return re.sub(r"\d[\d.]*(e[+-]?\d+)?", "#", re.sub(r"^step \d+: ", "", reason))


def summary(failure: Failure) -> str:
    """The reason of a group: without the step, which differs, and marked when its numbers differ too."""
    reasons = list(dict.fromkeys(re.sub(r"^step \d+: ", "", run.reason) for run in failure.runs))
    return (reasons[0] or "no reason was recorded") + (", and similar" if len(reasons) > 1 else "")


def total_seconds(runs: Sequence[Run]) -> float:
    """The wall time of all runs together."""
    return sum(run.get("seconds") or 0.0 for run in runs)


def best(race: Race, runs: Sequence[Run]) -> Run | None:
    """The finished run with the best validation metric."""
    found = [run for run in runs if run.ok and run.get("valid_metric") is not None]
    return max(found, key=lambda run: race.metric.gain(run.get("valid_metric") or 0.0), default=None)
