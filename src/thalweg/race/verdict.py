"""The verdict: what the final shows, and no more.

Claims come only from the final: recipes chosen before it, on paired seeds that the search never
used, by test metric. The winner is the finalist with the best mean. It *beats* another finalist when
the exact sign-flip test of their paired differences, Holm-adjusted over all pairs of finalists, is
under 5 %, the 95 % t-interval excludes 0, and there are at least 6 pairs. Holm over all pairs makes
all such statements of a verdict true together at least 95 % of the time, although the data chose
the winner. A finalist that fails on any seed cannot win.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from thalweg.race import sentences
from thalweg.race.edges import Edge, edges_of
from thalweg.race.final import Entry, Finalist, compare, describe, entries
from thalweg.race.plan import Plan
from thalweg.race.recipe import Recipe
from thalweg.race.runs import BASELINE_LABEL, Outcome

__all__ = ["Edge", "Finalist", "Verdict", "decide"]


@dataclass(frozen=True)
class Verdict:
    """What a race shows.

    Attributes:
        kind: ``"better"`` (the winner beats every other finalist), ``"tie"`` (it does not, but no
            unbeaten one is further away than the margin), ``"not_enough"`` (neither is shown) or
            ``"no_result"`` (nothing was confirmed).
        sentence: The verdict in words.
        winner: The recipe with the best mean in the final; None without a result.
        winner_label: Its label.
        finalists: All finalists, best first; those that failed on some seed come last.
        pairs: Paired seeds that count.
        margin: The margin of a tie, in the metric's own units.
        metric_name: The task's metric.
        higher_is_better: Its direction.
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
        """Return the verdict as plain values for JSON; a number that is not finite becomes None."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def decide(plan: Plan, outcomes: Iterable[Outcome]) -> Verdict:
    """Return what the outcomes of a race show.

    Args:
        plan: The plan of the race.
        outcomes: All of its outcomes, in any order. While the final is unfinished nothing is claimed,
            since looking early and often finds winners that are none.
    """
    everything = list({outcome.key: outcome for outcome in outcomes}.values())
    field = entries([outcome for outcome in everything if outcome.phase == "final"])
    sound = [entry for entry in field if not entry.failures]
    broken = [entry for entry in field if entry.failures]
    seeds = sorted(set.intersection(*(set(entry.results) for entry in sound))) if sound else []
    notes = [sentences.failed(e.name, e.failures, e.failures + len(e.results)) for e in broken]
    if not seeds:
        return _no_result(plan, field, notes)
    sign = 1 if plan.higher_is_better else -1
    sound.sort(key=lambda entry: (-sign * math.fsum(entry.on(seeds)), entry.label))
    complete = seeds == sorted(plan.final_seeds)
    if not complete:
        notes.insert(0, sentences.unfinished(len(seeds), plan.pairs))
    compared = compare(sound, seeds, plan.margin, complete)
    edges = edges_of([e.recipe for e in sound if e.label != BASELINE_LABEL], everything)
    notes += [edge.sentence() for edge in edges if edge.hyper == "lr"]
    return _verdict(plan, compared, [describe(e, sorted(e.results)) for e in broken], edges, notes)


def _verdict(
    plan: Plan,
    compared: Sequence[Finalist],
    broken: Sequence[Finalist],
    edges: tuple[Edge, ...],
    notes: list[str],
) -> Verdict:
    kind, winner = _kind(compared), compared[0]
    margin = plan.margin * abs(winner.mean or 0.0)
    words = sentences.Words(plan.metric_name, plan.higher_is_better, winner.n)
    return Verdict(
        kind=kind,
        sentence=sentences.headline(kind, compared, words),
        winner=winner.recipe,
        winner_label=winner.label,
        finalists=(*compared, *broken),
        pairs=winner.n,
        margin=margin,
        metric_name=plan.metric_name,
        higher_is_better=plan.higher_is_better,
        baseline_sentence=sentences.against_baseline(compared, words),
        edges=edges,
        notes=tuple(notes),
    )


def _no_result(plan: Plan, field: Sequence[Entry], notes: Sequence[str]) -> Verdict:
    return Verdict(
        kind="no_result",
        sentence=sentences.no_result(bool(field)),
        winner=None,
        winner_label=None,
        finalists=tuple(describe(entry, sorted(entry.results)) for entry in field),
        pairs=0,
        margin=0.0,
        metric_name=plan.metric_name,
        higher_is_better=plan.higher_is_better,
        notes=tuple(notes),
    )


def _kind(compared: Sequence[Finalist]) -> str:
    unbeaten = [finalist for finalist in compared[1:] if not finalist.beaten]
    if len(compared) > 1 and not unbeaten:
        return "better"
    return "tie" if unbeaten and all(f.within_margin for f in unbeaten) else "not_enough"
