"""The verdict: what the final shows, and no more.

Claims come only from the final: recipes chosen before it, on paired seeds that the search never
used, by test metric. The winner is the finalist with the best mean. It *beats* another finalist when
the exact sign-flip test of their paired differences, Holm-adjusted over all pairs of finalists, is
under 5 %, the 95 % t-interval excludes 0, and there are at least 6 pairs. Holm over all pairs makes
every such statement of a verdict true together at least 95 % of the time, although the data chose
the winner. A finalist that fails on any seed cannot win.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from thalweg.race import sentences
from thalweg.race.edges import Edge, edges_of
from thalweg.race.plan import Plan
from thalweg.race.recipe import Recipe
from thalweg.race.runs import BASELINE_LABEL, Outcome, healthy
from thalweg.race.statistics import FEWEST_PAIRS, holm, seeds_needed, sign_flip_p, spread, t_interval

LEVEL = 0.05


@dataclass(frozen=True)
class Finalist:
    """A recipe in the final, its results on the test data, and its distance to the winner.

    Attributes:
        label: An optimizer's key, or ``"baseline"``.
        name: The label in words.
        recipe: The recipe.
        id: The recipe's id.
        n: Paired seeds that count.
        failures: Seeds on which it diverged or failed; with any, it cannot win.
        mean: The mean test metric, over the seeds on which it ended.
        sd: The standard deviation over seeds.
        low: The lower end of the 95 % t-interval of the mean.
        high: The upper end.
        diff_to_winner: Mean of (this - winner) over paired seeds, in the metric's own units.
        diff_low: The lower end of its 95 % paired t-interval.
        diff_high: The upper end.
        p: The sign-flip p-value against the winner, Holm-adjusted over all pairs of finalists.
        beaten: Whether the winner beats it.
        within_margin: Whether the whole interval of the difference lies inside the margin.
        seeds_needed: Paired seeds that would show the difference seen with 80 % power, if it is
            real; None when that is over 1,000, or makes no sense.
    """

    label: str
    name: str
    recipe: Recipe
    id: str
    n: int
    failures: int
    mean: float | None
    sd: float | None
    low: float | None
    high: float | None
    diff_to_winner: float | None = None
    diff_low: float | None = None
    diff_high: float | None = None
    p: float | None = None
    beaten: bool = False
    within_margin: bool = False
    seeds_needed: int | None = None


@dataclass(frozen=True)
class Verdict:
    """What a race shows.

    Attributes:
        kind: ``"better"`` (the winner beats every other finalist), ``"tie"`` (it does not, but no
            unbeaten one can be further away than the margin), ``"not_enough"`` (neither is shown)
            or ``"no_result"`` (nothing was confirmed).
        sentence: The verdict in words.
        winner: The recipe with the best mean in the final; None without a result.
        winner_label: Its label.
        finalists: All finalists, best first; those that failed on some seed come last.
        pairs: Paired seeds that count.
        margin: The margin of a tie, in the metric's own units.
        baseline_sentence: The winner against torch's default AdamW, in words.
        edges: Where a finalist sits on the edge of its search space.
        notes: Further sentences that a reader must know.
    """

    kind: str
    sentence: str
    winner: Recipe | None
    winner_label: str | None
    finalists: tuple[Finalist, ...]
    pairs: int
    margin: float
    metric_name: str
    higher_is_better: bool
    baseline_sentence: str = ""
    edges: tuple[Edge, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def baseline(self) -> Finalist | None:
        """Torch's default AdamW among the finalists."""
        return next((f for f in self.finalists if f.label == BASELINE_LABEL), None)

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as plain values for JSON."""
        value = asdict(self)
        value["winner"] = None if self.winner is None else asdict(self.winner)
        return value


@dataclass(frozen=True)
class _Entry:
    label: str
    recipe: Recipe
    results: Mapping[int, float]
    failures: int

    def on(self, seeds: Sequence[int]) -> list[float]:
        return [self.results[seed] for seed in seeds]


def decide(plan: Plan, outcomes: Iterable[Outcome]) -> Verdict:
    """Return what the outcomes of a race show.

    Args:
        plan: The plan of the race.
        outcomes: All of its outcomes, in any order. While the final is unfinished nothing is claimed,
            since looking early and often finds winners that are none.
    """
    everything = list({outcome.key: outcome for outcome in outcomes}.values())
    entries = _entries([o for o in everything if o.phase == "final"])
    sound = [entry for entry in entries if not entry.failures]
    seeds = sorted(set.intersection(*(set(e.results) for e in sound))) if sound else []
    notes = [
        sentences.failed(_name(e), e.failures, e.failures + len(e.results)) for e in entries if e.failures
    ]
    if not seeds:
        return _no_result(plan, entries, notes)
    sign = 1 if plan.higher_is_better else -1
    sound.sort(key=lambda entry: (-sign * math.fsum(entry.on(seeds)), entry.label))
    complete = len(seeds) == plan.pairs
    compared = _compare(plan, sound, seeds, complete)
    edges = edges_of(plan, [e.recipe for e in sound if e.label != BASELINE_LABEL], everything)
    kind = _kind(compared)
    words = sentences.Words(plan.metric_name, plan.higher_is_better, len(seeds))
    if not complete:
        notes.insert(0, sentences.unfinished(len(seeds), plan.pairs))
    return Verdict(
        kind=kind,
        sentence=sentences.headline(kind, compared, words, _margin(plan, compared)),
        winner=compared[0].recipe,
        winner_label=compared[0].label,
        finalists=(*compared, *(_described(e, sorted(e.results)) for e in entries if e.failures)),
        pairs=len(seeds),
        margin=_margin(plan, compared),
        metric_name=plan.metric_name,
        higher_is_better=plan.higher_is_better,
        baseline_sentence=sentences.against_baseline(compared, words),
        edges=edges,
        notes=(*notes, *(edge.sentence() for edge in edges if edge.hyper == "lr")),
    )


def _entries(final: Sequence[Outcome]) -> list[_Entry]:
    entries = []
    for label in sorted({outcome.label for outcome in final}):
        mine = [outcome for outcome in final if outcome.label == label]
        ended = {o.seed: o.test_metric for o in mine if o.status == "ok" and o.test_metric is not None}
        results = {seed: value for seed, value in ended.items() if healthy(value)}
        entries.append(_Entry(label, mine[0].recipe, results, len(mine) - len(results)))
    return entries


def _no_result(plan: Plan, entries: Sequence[_Entry], notes: Sequence[str]) -> Verdict:
    return Verdict(
        kind="no_result",
        sentence=sentences.no_result(bool(entries)),
        winner=None,
        winner_label=None,
        finalists=tuple(_described(entry, sorted(entry.results)) for entry in entries),
        pairs=0,
        margin=math.nan,
        metric_name=plan.metric_name,
        higher_is_better=plan.higher_is_better,
        notes=tuple(notes),
    )


def _compare(plan: Plan, ranked: Sequence[_Entry], seeds: Sequence[int], complete: bool) -> list[Finalist]:
    """Describe the sound finalists, best first, and test the winner against each of the others."""
    pairs = list(itertools.combinations(range(len(ranked)), 2))
    values = [entry.on(seeds) for entry in ranked]
    raw = [sign_flip_p(_minus(values[j], values[i])) for i, j in pairs]
    adjusted = dict(zip(pairs, zip(raw, holm(raw), strict=True), strict=True))
    winner = _described(ranked[0], seeds)
    margin = _margin(plan, [winner])
    may_claim = complete and len(seeds) >= FEWEST_PAIRS
    others = [
        _against(_described(entry, seeds), _minus(values[j], values[0]), *adjusted[0, j], margin, may_claim)
        for j, entry in enumerate(ranked)
        if j > 0
    ]
    return [winner, *others]


def _against(
    finalist: Finalist, differences: list[float], raw: float, p: float, margin: float, may_claim: bool
) -> Finalist:
    gap = t_interval(differences)
    beaten = may_claim and p < LEVEL and not gap.low <= 0 <= gap.high
    level = LEVEL * raw / p if p > 0 else LEVEL
    need = None if beaten else seeds_needed(differences, level)
    return Finalist(
        **{
            **_fields(finalist),
            "diff_to_winner": gap.mean,
            "diff_low": gap.low,
            "diff_high": gap.high,
            "p": p,
            "beaten": beaten,
            "within_margin": may_claim and max(abs(gap.low), abs(gap.high)) <= margin,
            "seeds_needed": None if need is None else max(need, len(differences) + 1),
        }
    )


def _fields(finalist: Finalist) -> dict[str, Any]:
    return {name: getattr(finalist, name) for name in Finalist.__dataclass_fields__}


def _described(entry: _Entry, seeds: Sequence[int]) -> Finalist:
    values = entry.on(seeds)
    base = Finalist(
        entry.label,
        _name(entry),
        entry.recipe,
        entry.recipe.id,
        len(values),
        entry.failures,
        None,
        None,
        None,
        None,
    )
    if not values:
        return base
    mean = t_interval(values)
    numbers = {"mean": mean.mean, "sd": spread(values), "low": mean.low, "high": mean.high}
    return Finalist(**{**_fields(base), **numbers})


def _kind(compared: Sequence[Finalist]) -> str:
    unbeaten = [finalist for finalist in compared[1:] if not finalist.beaten]
    if len(compared) > 1 and not unbeaten:
        return "better"
    return "tie" if unbeaten and all(f.within_margin for f in unbeaten) else "not_enough"


def _margin(plan: Plan, compared: Sequence[Finalist]) -> float:
    return plan.margin * abs(compared[0].mean or 0.0)


def _minus(a: Sequence[float], b: Sequence[float]) -> list[float]:
    return [x - y for x, y in zip(a, b, strict=True)]


def _name(entry: _Entry) -> str:
    return sentences.BASELINE_NAME if entry.label == BASELINE_LABEL else entry.label
