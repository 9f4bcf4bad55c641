"""The final in numbers: each finalist's results, and the winner tested against each of the others."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from thalweg.race.recipe import Recipe
from thalweg.race.runs import BASELINE_LABEL, Outcome, healthy
from thalweg.race.statistics import (
    FEWEST_PAIRS,
    LEVEL,
    fewest_pairs,
    holm,
    seeds_needed,
    sign_flip_p,
    spread,
    t_interval,
)

BASELINE_NAME = "torch's default AdamW"


@dataclass(frozen=True)
class Finalist:
    """A recipe in the final, its results on the test data, and its distance to the winner.

    Attributes:
        label: An optimizer's key, or ``"baseline"``.
        name: The label in words.
        recipe: The recipe.
        id: The recipe's id.
        n: Seeds that count: for finalists without a failure, those that all of them ran.
        failures: Seeds on which it diverged or failed; with any, it cannot win.
        mean: The mean test metric over those seeds.
        sd: The standard deviation over those seeds.
        low: The lower end of the 95 % t-interval of the mean.
        high: The upper end.
        diff_to_winner: Mean of (this - winner) over paired seeds, in the metric's own units.
        diff_low: The lower end of its 95 % paired t-interval.
        diff_high: The upper end.
        p: The sign-flip p-value against the winner, Holm-adjusted over all pairs of finalists.
        beaten: Whether the winner beats it.
        within_margin: Whether the whole interval of the difference lies inside the margin.
        seeds_needed: Paired seeds that would show the difference seen with 80 % power, if it is
            real; None when it is shown, or when that would take over 1,000.
    """

    label: str
    name: str
    recipe: Recipe
    id: str
    n: int
    failures: int
    mean: float | None = None
    sd: float | None = None
    low: float | None = None
    high: float | None = None
    diff_to_winner: float | None = None
    diff_low: float | None = None
    diff_high: float | None = None
    p: float | None = None
    beaten: bool = False
    within_margin: bool = False
    seeds_needed: int | None = None


@dataclass(frozen=True)
class Entry:
    """The test metric of one finalist by seed, and how many of its runs gave none."""

    label: str
    recipe: Recipe
    results: Mapping[int, float]
    failures: int

    @property
    def name(self) -> str:
        """The label in words."""
        return BASELINE_NAME if self.label == BASELINE_LABEL else self.label

    def on(self, seeds: Sequence[int]) -> list[float]:
        """Return the results on the given seeds."""
        return [self.results[seed] for seed in seeds]


def entries(final: Sequence[Outcome]) -> list[Entry]:
    """Return the finalists in the outcomes of the final."""
    found = []
    for label in sorted({outcome.label for outcome in final}):
        mine = [outcome for outcome in final if outcome.label == label]
        ended = {o.seed: o.test_metric for o in mine if o.status == "ok" and o.test_metric is not None}
        results = {seed: value for seed, value in ended.items() if healthy(value)}
        found.append(Entry(label, mine[0].recipe, results, len(mine) - len(results)))
    return found


def describe(entry: Entry, seeds: Sequence[int]) -> Finalist:
    """Return a finalist's results on the given seeds, compared with nobody."""
    bare = Finalist(entry.label, entry.name, entry.recipe, entry.recipe.id, len(seeds), entry.failures)
    if not seeds:
        return bare
    values = entry.on(seeds)
    mean = t_interval(values)
    return replace(bare, mean=mean.mean, sd=spread(values), low=mean.low, high=mean.high)


def compare(ranked: Sequence[Entry], seeds: Sequence[int], margin: float, complete: bool) -> list[Finalist]:
    """Describe finalists without failures, best first, and test the best against each of the others.

    Args:
        ranked: The finalists, best mean first.
        seeds: The seeds that all of them ran.
        margin: The margin of a tie, as a fraction of the winner's mean.
        complete: Whether the final is over; until then nothing is beaten and nothing ties.
    """
    winner = describe(ranked[0], seeds)
    values = [entry.on(seeds) for entry in ranked]
    pairs = list(itertools.combinations(range(len(ranked)), 2))
    adjusted = holm([sign_flip_p(_minus(values[j], values[i])) for i, j in pairs])
    p_values = dict(zip(pairs, adjusted, strict=True))
    gaps = [_minus(other, values[0]) for other in values[1:]]
    close = sum(interval.low <= 0 <= interval.high for interval in map(t_interval, gaps))
    may_claim = complete and len(seeds) >= FEWEST_PAIRS
    others = []
    for place, gap in enumerate(gaps, start=1):
        finalist = _against(describe(ranked[place], seeds), gap, p_values[0, place], may_claim)
        limit = margin * abs(winner.mean or 0.0) if may_claim else -math.inf
        inside = max(abs(finalist.diff_low or 0.0), abs(finalist.diff_high or 0.0)) <= limit
        need = None if finalist.beaten else _need(gap, max(close, 1), len(pairs))
        others.append(replace(finalist, within_margin=inside, seeds_needed=need))
    return [winner, *others]


def _against(finalist: Finalist, gap: Sequence[float], p: float, may_claim: bool) -> Finalist:
    interval = t_interval(gap)
    beaten = may_claim and p < LEVEL and not interval.low <= 0 <= interval.high
    return replace(
        finalist,
        diff_to_winner=interval.mean,
        diff_low=interval.low,
        diff_high=interval.high,
        p=p,
        beaten=beaten,
    )


def _need(gap: Sequence[float], close: int, comparisons: int) -> int | None:
    """Return the seeds that would do, when Holm's level is shared by the comparisons that stay close."""
    need = seeds_needed(gap, LEVEL / close)
    return None if need is None else max(need, len(gap) + 1, fewest_pairs(LEVEL / comparisons))


def _minus(a: Sequence[float], b: Sequence[float]) -> list[float]:
    return [x - y for x, y in zip(a, b, strict=True)]
