"""How a race stands, read off its finished runs: the figures and texts behind the live view."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from thalweg.race.plan import Plan, total_steps
from thalweg.race.recipe import number
from thalweg.race.runs import BASELINE_LABEL, RunSpec

Row = Mapping[str, Any]
BAR = 20


@dataclass(frozen=True)
class Standing:
    """How one optimizer stands.

    Attributes:
        done: finished runs of the phase; ``total`` counts those due too. Both 0 when it has none.
        best: the best row so far by the validation metric, full-length runs before short ones.
        step_ms, optimizer_ms: medians over its runs.
        lost: a text on the runs that diverged or failed, or "".
    """

    label: str
    done: int
    total: int
    best: Row | None
    step_ms: float | None
    optimizer_ms: float | None
    lost: str


def standings(plan: Plan, rows: Sequence[Row], due: Sequence[RunSpec]) -> list[Standing]:
    """How every optimizer stands, in the plan's order, torch's default last where it runs."""
    phase = due[0].phase if due else "final"
    labels = [*plan.optimizers]
    if phase == "final":
        labels.append(BASELINE_LABEL)
    return [_standing(plan, label, [r for r in rows if r["label"] == label], due, phase) for label in labels]


def _standing(plan: Plan, label: str, own: Sequence[Row], due: Sequence[RunSpec], phase: str) -> Standing:
    waiting = sum(spec.label == label for spec in due)
    done = sum(row["phase"] == phase for row in own)
    fine = [row for row in own if row["status"] == "ok"]
    sign = 1 if plan.higher_is_better else -1
    searched = [row for row in fine if row["phase"] != "final"] or fine
    best = max(searched, key=lambda row: (row["steps"], sign * row["valid_metric"]), default=None)
    return Standing(
        label=label,
        done=done,
        total=done + waiting,
        best=best,
        step_ms=_median(row["step_ms"] for row in fine),
        optimizer_ms=_median(row["optimizer_ms"] for row in fine),
        lost=_lost(own, fine),
    )


def _median(values: Iterable[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return statistics.median(found) if found else None


def _lost(own: Sequence[Row], fine: Sequence[Row]) -> str:
    diverged = [row for row in own if row["status"] == "diverged"]
    failed = sum(row["status"] == "failed" for row in own)
    parts = []
    if diverged:
        lowest = min(row["recipe"]["lr"] for row in diverged)
        clear = all(row["recipe"]["lr"] < lowest for row in fine)
        where = f" (lr from {number(lowest)})" if clear and fine else ""
        parts.append(f"{_runs(len(diverged))} diverged{where}")
    if failed:
        parts.append(f"{_runs(failed)} failed")
    return ", ".join(parts)


def _runs(count: int) -> str:
    return f"{count} run{'s' * (count != 1)}"


def cells(standing: Standing) -> list[str]:
    """A line of the view in columns: name, bar, count, best, lr, decay, speed and failures."""
    best = standing.best
    recipe = best["recipe"] if best else {}
    decay = recipe.get("options", {}).get("weight_decay")
    speed = ""
    if standing.step_ms is not None and standing.optimizer_ms is not None:
        speed = f"{standing.step_ms:.2g} ms/step ({standing.optimizer_ms:.1g} optimizer)"
    return [
        "torch default" if standing.label == BASELINE_LABEL else standing.label,
        bar(standing.done, standing.total),
        f"{standing.done}/{standing.total}" if standing.total else "",
        f"best {figure(best['valid_metric'])}" if best else "",
        f"lr {number(recipe['lr'])}" if best else "",
        f"decay {number(decay)}" if decay else "",
        "  ".join(text for text in (speed, standing.lost) if text),
    ]


def bar(done: int, total: int) -> str:
    """A bar of 20 cells, filled as far as the work is done; empty where there is no work.

    >>> bar(12, 16)
    '███████████████░░░░░'
    """
    filled = BAR * done // total if total else 0
    return "█" * filled + "░" * (BAR - filled) if total else ""


def figure(value: float) -> str:
    """A metric to three digits after the point where it lies around 1, else to four digits in all.

    >>> figure(0.87125), figure(23.456)
    ('0.871', '23.46')
    """
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.4g}"


def clock(seconds: float) -> str:
    """Minutes and seconds.

    >>> clock(72), clock(3700)
    ('1:12', '1:01:40')
    """
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def leader(plan: Plan, found: Sequence[Standing]) -> Standing | None:
    """The optimizer with the best validation metric, full-length runs before short ones."""
    able = [standing for standing in found if standing.best and standing.label != BASELINE_LABEL]
    return max(able, key=lambda standing: _rank(plan, standing), default=None)


def leading(plan: Plan, found: Sequence[Standing], most: int) -> list[Standing]:
    """All of them in their order, or, where there is no room, the best so many, best first."""
    if len(found) <= most:
        return list(found)
    return sorted(found, key=lambda standing: _rank(plan, standing), reverse=True)[:most]


def _rank(plan: Plan, standing: Standing) -> tuple[float, float, float]:
    if standing.best is None:
        return standing.done, -math.inf, -math.inf
    sign = 1 if plan.higher_is_better else -1
    return math.inf, standing.best["steps"], sign * standing.best["valid_metric"]


class Progress:
    """Steps done of all, and the time left at the speed of this session."""

    def __init__(self, plan: Plan, began: float) -> None:
        self.total, self.began = total_steps(plan), began
        self.done: int | None = None
        self.mark: tuple[float, int] | None = None  # from the first step on: workers take time to start

    def see(self, rows: Sequence[Row], progress: Mapping[str, int]) -> None:
        """Take note of how far the race is."""
        done = sum(row["steps"] for row in rows) + sum(progress.values())
        if self.mark is None and self.done is not None and done > self.done:
            self.mark = (perf_counter(), done)
        self.done = done

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return perf_counter() - self.began

    @property
    def left(self) -> float | None:
        """Seconds still to go, or None before anything is known."""
        if self.mark is None or self.done is None or self.done <= self.mark[1]:
            return None
        start, before = self.mark
        rate = (self.done - before) / (perf_counter() - start)
        return max(self.total - self.done, 0) / rate

    def text(self) -> str:
        """``elapsed 1:12 · about 1:40 left``."""
        left = self.left
        return f"elapsed {clock(self.elapsed)}" + ("" if left is None else f" · about {clock(left)} left")

    @property
    def percent(self) -> int:
        """How much of the steps is done."""
        return math.floor(100 * (self.done or 0) / self.total)


def title(meta: Mapping[str, Any], plan: Plan) -> str:
    """The first line: the task and its size, the workers."""
    facts, workers = meta["facts"], meta["workers"]
    return (
        f"thalweg race · {plan.task} · {facts['train']:,} samples · {facts['parameters']:,} parameters · "
        f"{workers} worker{'s' * (workers != 1)}"
    )


def left_out(meta: Mapping[str, Any]) -> list[str]:
    """A line for each optimizer that does not race, with the reason."""
    return [f"left out  {key}: {why}" for key, why in (meta.get("left_out") or {}).items()]


def phase_text(plan: Plan, due: Sequence[RunSpec]) -> str:
    """``phase 2 of 4: heats``, counting only phases that have runs."""
    phases = list(dict.fromkeys(stage.phase for stage in plan.stages() if stage.runs))
    phase = due[0].phase if due else phases[-1]
    place = phases.index(phase) + 1 if phase in phases else len(phases)
    return f"phase {place} of {len(phases)}: {phase}"
