"""The verdict in words. Numbers are rounded here and nowhere else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from thalweg.race.final import BASELINE_NAME, Finalist
from thalweg.race.runs import BASELINE_LABEL
from thalweg.race.statistics import FEWEST_PAIRS


@dataclass(frozen=True)
class Words:
    """How to speak of a metric: a share such as accuracy in points, anything else in its own units."""

    metric: str
    higher_is_better: bool
    pairs: int

    @property
    def in_points(self) -> bool:
        """Whether the metric is a share of 1 that people give in percent."""
        return self.higher_is_better and "accuracy" in self.metric.lower()

    def amount(self, value: float, like: float) -> str:
        """Return a difference without its unit, with the digits that ``like`` (its noise) can bear."""
        scale = 100 if self.in_points else 1
        noise = abs(like) * scale
        digits = (
            3 if not math.isfinite(noise) or noise == 0 else max(0, min(6, -math.floor(math.log10(noise))))
        )
        digits = max(digits, 1) if self.in_points else digits
        text = f"{value * scale:.{digits}f}"
        return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")

    def gain(self, finalist: Finalist, interval: bool = True) -> str:
        """Return by how much the winner is ahead of a finalist, with the interval of the difference."""
        assert finalist.diff_to_winner is not None
        assert finalist.diff_low is not None
        assert finalist.diff_high is not None
        sign = -1 if self.higher_is_better else 1
        low, high = sorted((sign * finalist.diff_low, sign * finalist.diff_high))
        half = (high - low) / 2 or finalist.diff_to_winner
        text = f"{self.amount(sign * finalist.diff_to_winner, half)} {self.unit}"
        if not interval or not math.isfinite(half):
            return f"{text} ({self.seeds})"
        ends = f"{self.amount(low, half)} to {self.amount(high, half)}"
        return f"{text} (95 % interval {ends}, {self.seeds})"

    def level(self, finalist: Finalist) -> bool:
        """Whether the difference to a finalist is 0 with the digits that it is given."""
        return not float(self.gain(finalist, interval=False).split()[0].replace("−", "-"))

    @property
    def unit(self) -> str:
        """The unit of a difference."""
        if self.in_points:
            return f"points of {self.metric}"
        return f"in {self.metric}" if self.higher_is_better else f"in {self.metric}, lower is better"

    @property
    def seeds(self) -> str:
        """How many paired seeds there are."""
        return f"{self.pairs} paired seed{'s' * (self.pairs != 1)}"


def headline(kind: str, compared: Sequence[Finalist], words: Words) -> str:
    """Return the verdict in one sentence.

    Args:
        kind: ``"better"``, ``"tie"`` or ``"not_enough"``.
        compared: The finalists without a failure, the winner first.
        words: How to speak of the metric.
    """
    winner, others = compared[0], compared[1:]
    if not others:
        return f"{winner.name} is the only finalist that trained on every seed: nothing to compare it with."
    unbeaten = [finalist for finalist in others if not finalist.beaten]
    rest = _behind(
        [f for f in others if f.beaten and f.label != BASELINE_LABEL]
    )  # that one has its own sentence
    if kind == "better":
        rivals = [f for f in others if f.label != BASELINE_LABEL] or others
        return f"{winner.name} beats {rivals[0].name} by {words.gain(rivals[0])}{_behind(rivals[1:])}."
    rival = unbeaten[0]
    level = words.level(rival)
    if kind == "tie":
        names = _list([winner.name, *(f.name for f in unbeaten)])
        lead = f"{winner.name} leads by" if not level else f"{winner.name} and {rival.name} differ by"
        return f"{names} tie: {lead} {words.gain(rival)}; {_needed(rival)}{rest}."
    lead = f"{winner.name} is ahead of {rival.name} by {words.gain(rival)}"
    if level:
        lead = f"{winner.name} and {rival.name} are level, at a difference of {words.gain(rival)}"
    return f"not enough seeds to say that {winner.name} is best: {lead}; {_needed(rival)}{rest}."


def _needed(rival: Finalist) -> str:
    if rival.n < FEWEST_PAIRS and (rival.seeds_needed or 0) <= FEWEST_PAIRS:
        return f"a claim takes at least {FEWEST_PAIRS} seeds"
    if rival.seeds_needed is None:
        return "more than 1,000 seeds would be needed to tell them apart"
    return f"about {rival.seeds_needed} seeds would tell them apart"


def _behind(beaten: Sequence[Finalist]) -> str:
    names = [finalist.name for finalist in beaten]
    return f"; {_list(names)} {'is' if len(names) == 1 else 'are'} behind" if names else ""


def against_baseline(compared: Sequence[Finalist], words: Words) -> str:
    """Return a sentence on the winner and torch's default AdamW; empty when that one failed."""
    winner = compared[0]
    baseline = next((f for f in compared if f.label == BASELINE_LABEL), None)
    if baseline is None:
        return ""
    if winner is baseline:
        return f"No recipe that was tried did better than {BASELINE_NAME} (lr 1e-3, constant)."
    verb = "beats" if baseline.beaten else "is not shown to beat"
    joint = "by" if baseline.beaten else "although it is ahead by"
    if not baseline.beaten and words.level(baseline):
        joint = "and is level with it, at a difference of"
    comma = "" if baseline.beaten else ","
    return f"{winner.name} {verb} {BASELINE_NAME} (lr 1e-3, constant){comma} {joint} {words.gain(baseline)}."


def failed(name: str, failures: int, runs: int) -> str:
    """Return a sentence on a finalist that failed on some seeds."""
    return f"{name} failed on {failures} of {runs} seeds of the final, so it cannot win."


def unfinished(have: int, planned: int) -> str:
    """Return a sentence on a final that is not over."""
    return f"The final is not finished ({have} of {planned} seeds): nothing is claimed yet."


def no_result(final_began: bool) -> str:
    """Return the sentence of a race that confirmed nothing."""
    if final_began:
        return "no result: no finalist trained on every seed."
    return "no result: the race ended before its final, and only the final makes claims."


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
