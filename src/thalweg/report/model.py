"""What the page needs of a race, read once from the ledger's rows, its meta table and the verdict.

Everything here tolerates what an interrupted or failed race leaves out; a missing number is None.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from thalweg.errors import UserError
from thalweg.race.recipe import Recipe
from thalweg.report.numbers import Metric, finite, metric, plain
from thalweg.report.palette import BASELINE, styles_of

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Run:
    """One row of the ledger."""

    phase: str
    label: str
    optimizer: str
    recipe_id: str
    recipe: Mapping[str, Any]
    seed: int
    steps: int
    status: str
    reason: str
    numbers: Mapping[str, float | None]
    curve: tuple[Mapping[str, float | None], ...]

    @property
    def ok(self) -> bool:
        """Whether the run came to its end."""
        return self.status == "ok"

    @property
    def lr(self) -> float | None:
        """The learning rate."""
        return finite(self.recipe.get("lr"))

    def get(self, name: str) -> float | None:
        """A column of the row as a finite number."""
        return self.numbers.get(name)


@dataclass(frozen=True)
class Contender:
    """A recipe that was confirmed on fresh seeds: its runs and what the verdict says of it.

    Attributes:
        diff, diff_low, diff_high: its paired difference to the winner (this minus the winner), in the
            metric's units.
    """

    name: str
    style: int
    label: str
    recipe_id: str
    recipe: Mapping[str, Any]
    runs: tuple[Run, ...]
    winner: bool
    mean: float | None
    sd: float | None
    low: float | None
    high: float | None
    diff: float | None
    diff_low: float | None
    diff_high: float | None
    p: float | None
    beaten: bool
    seeds_needed: int | None

    @property
    def ok_runs(self) -> tuple[Run, ...]:
        """The runs that came to their end."""
        return tuple(run for run in self.runs if run.ok)

    def median(self, field: str) -> float | None:
        """The median of a column over the finished runs."""
        return middle(run.get(field) for run in self.ok_runs)


def middle(values: Iterable[float | None]) -> float | None:
    """The median of what is there."""
    found = [v for v in values if v is not None]
    return statistics.median(found) if found else None


def _parsed(value: object) -> Any:
    """JSON text parsed; anything else, and text that is no JSON, as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _mapping(value: object) -> Mapping[str, Any]:
    parsed = _parsed(value)
    return parsed if isinstance(parsed, Mapping) else {}


def as_mapping(value: object) -> Mapping[str, Any]:
    """A dataclass, a mapping or JSON text as a mapping; empty for anything else."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    return _mapping(value)


_COLUMNS = (
    *("valid_metric", "valid_loss", "test_metric", "test_loss", "train_metric", "train_loss"),
    *("seconds", "step_ms", "optimizer_ms", "state_bytes"),
)


def read_recipe(recipe: Mapping[str, Any]) -> Recipe | None:
    """The recipe of a row; None when this version does not know it."""
    try:
        return Recipe.from_json(recipe)
    except UserError:
        return None


def run_from(row: Row) -> Run:
    """A ledger row as a `Run`."""
    curve = _parsed(row.get("curve")) or []
    return Run(
        phase=str(row.get("phase", "")),
        label=str(row.get("label", "")),
        optimizer=str(row.get("optimizer", "")),
        recipe_id=str(row.get("recipe_id", "")),
        recipe=_mapping(row.get("recipe")),
        seed=int(row.get("seed") or 0),
        steps=int(row.get("steps") or 0),
        status=str(row.get("status", "")),
        reason=str(row.get("reason") or ""),
        numbers={name: finite(row.get(name)) for name in _COLUMNS},
        curve=tuple({str(k): finite(v) for k, v in point.items()} for point in curve),
    )


@dataclass(frozen=True)
class Race:
    """A whole race, as the page sees it.

    Attributes:
        leaders: the optimizers, finalists first in the verdict's order, then by their best search run.
        styles: the colour of each optimizer.
    """

    runs: tuple[Run, ...]
    meta: Mapping[str, Any]
    plan: Mapping[str, Any]
    verdict: Mapping[str, Any]
    optimizers: tuple[str, ...]
    contenders: tuple[Contender, ...]
    metric: Metric
    leaders: tuple[str, ...]
    styles: Mapping[str, int]

    @property
    def task(self) -> str:
        """The task's name."""
        return str(self.plan.get("task") or self.meta.get("task") or "unnamed task")

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the preflight found: parameters, sizes."""
        return _mapping(self.meta.get("facts"))

    @property
    def source(self) -> Mapping[str, Any]:
        """Where the task comes from: its name, its source, its hash."""
        return _mapping(self.meta.get("task_source"))

    @property
    def kind(self) -> str:
        """The verdict's kind: better, tie, not_enough or no_result."""
        return str(self.verdict.get("kind") or "no_result")

    @property
    def winner(self) -> Contender | None:
        """The contender whose recipe is recommended."""
        return next((c for c in self.contenders if c.winner), None)

    @property
    def recipe(self) -> Mapping[str, Any]:
        """The recommended recipe; empty when there is none."""
        found = as_mapping(self.verdict.get("winner"))
        return found or (self.winner.recipe if self.winner else {})

    @property
    def baseline(self) -> Contender | None:
        """Torch's default AdamW, when it was run to the end."""
        return next((c for c in self.contenders if c.label == "baseline"), None)

    @property
    def finals(self) -> tuple[Run, ...]:
        """The runs on fresh, paired seeds."""
        return tuple(run for run in self.runs if run.phase == "final")

    @property
    def search(self) -> tuple[Run, ...]:
        """The runs that only chose the finalists."""
        return tuple(run for run in self.runs if run.phase != "final")

    @cached_property
    def full_steps(self) -> int:
        """The length of a full run."""
        planned = finite(self.plan.get("steps"))
        return int(planned) if planned else max((run.steps for run in self.runs), default=0)

    @property
    def parameters(self) -> int | None:
        """The model's parameters."""
        found = finite(self.facts.get("parameters"))
        return int(found) if found else None

    def describe(self, recipe: Mapping[str, Any]) -> str:
        """A recipe in a line."""
        known = read_recipe(recipe)
        return known.describe() if known else json.dumps(dict(recipe), sort_keys=True)

    def style(self, optimizer: str) -> int:
        """The colour of an optimizer."""
        return self.styles.get(optimizer, BASELINE)

    @property
    def left_out(self) -> Mapping[str, str]:
        """Who could not race, with the reason."""
        return {str(name): str(why) for name, why in _mapping(self.meta.get("left_out")).items()}


def race_from(rows: Sequence[Row], meta: Mapping[str, Any], verdict: object) -> Race:
    """Read a race from ledger rows, meta and verdict."""
    runs = tuple(run_from(row) for row in rows)
    plan = as_mapping(meta.get("plan"))
    found = as_mapping(verdict)
    named = [str(name) for name in plan.get("optimizers") or ()]
    seen = dict.fromkeys([*named, *(run.optimizer for run in runs if run.label != "baseline")])
    optimizers = tuple(name for name in seen if name)
    final = [str(as_mapping(item).get("label")) for item in found.get("finalists") or ()]
    finalists = [name for name in dict.fromkeys(final) if name in optimizers]
    higher = bool(plan.get("higher_is_better", True))
    searched = sorted(optimizers, key=lambda name: _place(runs, name, higher))
    leaders = tuple(dict.fromkeys([*finalists, *searched]))
    styles = styles_of(optimizers, leaders, len(finalists))
    contenders = _contenders(runs, found, styles)
    measure = _metric(plan, meta, runs, contenders)
    return Race(runs, meta, plan, found, optimizers, contenders, measure, leaders, styles)


def best_search(runs: Iterable[Run], optimizer: str, higher: bool) -> Run | None:
    """The best run of an optimizer in the search, full-length ones before short ones."""
    mine = [
        (run.steps, value if higher else -value, run)
        for run in runs
        if run.optimizer == optimizer and run.phase != "final" and run.ok
        if (value := run.get("valid_metric")) is not None
    ]
    return max(mine, key=lambda item: item[:2])[2] if mine else None


def _place(runs: Iterable[Run], optimizer: str, higher: bool) -> tuple[float, float]:
    found = best_search(runs, optimizer, higher)
    if found is None:
        return 0.0, 0.0  # after everything that has run
    value = found.get("valid_metric") or 0.0
    return -found.steps, -value if higher else value


def _metric(plan: Row, meta: Row, runs: Sequence[Run], contenders: Sequence[Contender]) -> Metric:
    values = [v for run in runs for v in (run.get("valid_metric"), run.get("test_metric")) if v is not None]
    facts = _mapping(meta.get("facts"))
    name = str(plan.get("metric_name") or facts.get("metric_name") or "metric")
    higher = plan.get("higher_is_better", facts.get("higher_is_better", True))
    return metric(name, bool(higher), values, middle(c.sd for c in contenders))


def _contenders(runs: Sequence[Run], verdict: Row, styles: Mapping[str, int]) -> tuple[Contender, ...]:
    """The finalists in the verdict's order, which is best first."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        if run.phase == "final":
            groups.setdefault((run.label, run.recipe_id), []).append(run)
    claims = [as_mapping(item) for item in verdict.get("finalists") or ()]
    judged = {(str(item.get("label")), str(item.get("id"))): item for item in claims}
    order = {key: i for i, key in enumerate(judged)}
    name = _namer(groups)
    found = [_contender(key, group, judged.get(key, {}), name, styles) for key, group in groups.items()]
    champion = next(iter(judged), None) if verdict.get("winner") else None
    found = [dataclasses.replace(c, winner=(c.label, c.recipe_id) == champion) for c in found]
    rank = {(c.label, c.recipe_id): order.get((c.label, c.recipe_id), len(order)) for c in found}
    return tuple(sorted(found, key=lambda c: rank[c.label, c.recipe_id]))


def _namer(groups: Mapping[tuple[str, str], Sequence[Run]]) -> Callable[[tuple[str, str]], str]:
    """A name for each contender: its optimizer; with the learning rate where two share the optimizer."""
    labels = [label for label, _ in groups]

    def name(key: tuple[str, str]) -> str:
        if key[0] == "baseline":
            return "torch default"
        lr = groups[key][0].lr
        return f"{key[0]} lr {plain(lr)}" if labels.count(key[0]) > 1 and lr is not None else key[0]

    return name


def _contender(
    key: tuple[str, str],
    runs: Sequence[Run],
    claim: Row,
    name: Callable[[tuple[str, str]], str],
    styles: Mapping[str, int],
) -> Contender:
    values = [v for run in runs if run.ok and (v := run.get("test_metric")) is not None]
    mean = finite(claim.get("mean"))
    sd = finite(claim.get("sd"))
    needed = finite(claim.get("seeds_needed"))
    return Contender(
        name=name(key),
        style=BASELINE if key[0] == "baseline" else styles.get(runs[0].optimizer, BASELINE),
        label=key[0],
        recipe_id=key[1],
        recipe=runs[0].recipe,
        runs=tuple(sorted(runs, key=lambda run: run.seed)),
        winner=False,
        mean=mean if mean is not None else statistics.fmean(values) if values else None,
        sd=sd if sd is not None else statistics.stdev(values) if len(values) > 1 else None,
        low=finite(claim.get("low")),
        high=finite(claim.get("high")),
        diff=finite(claim.get("diff_to_winner")),
        diff_low=finite(claim.get("diff_low")),
        diff_high=finite(claim.get("diff_high")),
        p=finite(claim.get("p")),
        beaten=bool(claim.get("beaten")),
        seeds_needed=int(needed) if needed else None,
    )
