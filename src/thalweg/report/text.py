"""The sentence above each chart: what it shows in this race, written from its numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from thalweg.race.priors import PRIORS
from thalweg.report.charts.sensitivity import Panel
from thalweg.report.charts.target import Times
from thalweg.report.charts.versus import lead
from thalweg.report.measures import Cost, Failure, Gap, Target, best, censored_median, curve, total_seconds
from thalweg.report.model import Contender, Race
from thalweg.report.numbers import count, listing, milliseconds, percent, plain, plural, seconds

KINDS = {
    "better": "confirmed",
    "tie": "a tie",
    "not_enough": "not enough seeds",
    "no_result": "no result",
}


def who(contender: Contender) -> str:
    """A contender in a sentence."""
    return "torch's default AdamW" if contender.label == "baseline" else contender.name


def verdict(race: Race) -> str:
    """The verdict's own sentence, or what to say where there is none."""
    said = str(race.verdict.get("sentence") or "").strip()
    if said:
        return sentence_case(race, said)
    if not race.runs:
        return "No run has finished yet."
    if not any(run.ok for run in race.runs):
        return f"No recipe can be recommended: {failed_all(race)}."
    return "No recipe can be recommended yet: no finalist has been run on fresh seeds."


def headline(race: Race) -> tuple[str, str]:
    """The verdict as one plain sentence, and what else it says."""
    claim, *rest = re.split("[:;] ", verdict(race).rstrip("."), maxsplit=1)
    return f"{claim}.", f"{sentence_case(race, rest[0])}." if rest else ""


def sentence_case(race: Race, words: str) -> str:
    """Words as a sentence begins, but for an optimizer's name, which is spelt as it is typed."""
    return words if words.startswith(race.optimizers) else words[0].upper() + words[1:]


def failed_all(race: Race) -> str:
    """That every run failed."""
    return "the only run failed" if len(race.runs) == 1 else f"all {count(len(race.runs))} runs failed"


def rivals(race: Race) -> list[Contender]:
    """Those to compare the winner with on the first screen: the next best, and torch's default."""
    others = [c for c in race.contenders if not c.winner and c.mean is not None]
    plain_ones = sorted(
        (c for c in others if c.label != "baseline"),
        key=lambda c: race.metric.gain(c.mean or 0.0),
        reverse=True,
    )
    return plain_ones[:1] + [c for c in others if c.label == "baseline"]


def compared(race: Race, other: Contender) -> str:
    """The winner beside one other, as far as the verdict claims it, with the interval."""
    found = lead(race, other)
    if found is None:
        return f"no difference to {who(other)} was computed"
    mean, low, high = found
    if low is None or high is None:
        return f"it is {race.metric.difference(mean)} ahead of {who(other)}, without an interval"
    size, span = race.metric.span(mean, low, high).replace("+", "").rstrip(")").split(" (")
    verb = "beats" if other.beaten else "is not shown to beat"
    return f"it {verb} {who(other)} (difference {size}, 95 % interval {span})"


def ranking(race: Race) -> str:
    """Who leads, by how much, and how firmly."""
    winner = race.winner
    if winner is None or winner.mean is None:
        shown = [c for c in race.contenders if c.mean is not None]
        return f"{plural(len(shown), 'recipe')} ran on fresh seeds; none is recommended yet."
    value, seeds = race.metric.value(winner.mean), plural(len(winner.ok_runs), "fresh seed")
    reached = f"{who(winner)} reaches a test {race.metric.name} of {value} over {seeds}"
    others = rivals(race)
    if not others:
        return f"{reached}; nothing else was confirmed beside it."
    return f"{reached}: {'; '.join(compared(race, other) for other in others)}."


def capital(text: str) -> str:
    """A sentence keeps the case of an optimizer's name; only plain words get a capital."""
    return text[0].upper() + text[1:] if text.startswith(("the ", "no ", "all ", "each ")) else text


def field(race: Race) -> str:
    """How many optimizers were searched, and which went how far."""
    full = {run.optimizer for run in race.search if run.steps >= race.full_steps}
    number = plural(len(race.optimizers), "optimizer was", "optimizers were")
    far = f"{number} screened, {count(len(full))} of them also ran at full length"
    out = f"; {count(len(race.left_out))} left out, for the reasons below"
    caution = "Values of the search are the best of several and flatter; only the ranking above makes claims"
    return f"{far}{out if race.left_out else ''}. {caution}."


def evaluations(race: Race) -> str:
    """How methods that evaluate several times in a step are counted; empty where there is none."""
    several = [name for name in race.optimizers if name in PRIORS and PRIORS[name].closure]
    if not several:
        return ""
    who = (
        f"{listing(several)} may take several in one step"
        if len(several) > 1
        else f"{several[0]} may take several"
    )
    return f"Steps are gradient evaluations, equal for all: {who}, all of them on one mini-batch."


def curves(race: Race, shown: Sequence[Contender]) -> str:
    """Where the curves end."""
    lines = f"Lines are means over {seed_span(shown)}, bands reach from the lowest to the highest seed."
    ends = {c.name: end for c in shown if (end := _end(c)) is not None}
    if not ends:
        return lines
    ranked = sorted(ends.values(), key=race.metric.gain, reverse=True)
    best, worst = race.metric.value(ranked[0]), race.metric.value(ranked[-1])
    first, last = ([who(c) for c in shown if race.metric.value(_end(c)) == v] for v in (best, worst))
    after = f"After {count(race.full_steps)} steps"
    if best != worst:
        verb = "is" if len(first) == 1 else "are"
        best_ones = f"{listing(first)} {verb} best on the validation data, at {best}"
        return f"{after} {best_ones}, and {listing(last)} last, at {worst}. {lines}"
    if len(ends) == 1:
        return f"{after} {first[0]} stands at {best} on the validation data. {lines}"
    return f"{after} all finalists stand level on the validation data, at {best}. {lines}"


def _end(contender: Contender) -> float | None:
    """Where a contender's mean curve ends."""
    points = curve(contender.ok_runs, "valid_metric")
    return points[-1].mean if points else None


def seed_span(shown: Sequence[Contender]) -> str:
    """The number of seeds, or its range."""
    numbers = sorted({len(c.ok_runs) for c in shown})
    return plural(numbers[0], "seed") if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]} seeds"


def left_out(shown: Sequence[Contender]) -> str:
    """Final runs that failed and so are in no mean."""
    found = [(c, len(c.runs) - len(c.ok_runs)) for c in shown if len(c.runs) > len(c.ok_runs)]
    if not found:
        return ""
    parts = [f"{n} of the {plural(len(c.runs), 'run')} of {who(c)}" for c, n in found]
    failed = "failed and is" if sum(n for _, n in found) == 1 else "failed and are"
    return f" {listing(parts)} {failed} in no mean."


def sensitivity(race: Race, panels: Sequence[Panel]) -> str:
    """How far the best learning rates lie from the defaults."""
    said = [text for panel in panels if (text := _away(race, panel))]
    if not said:
        return "No run came to its end, so no learning rate can be said to work."
    shown = said if len(said) < 6 else [*said[:4], f"{len(said) - 4} more below"]
    failed = sum(not run.ok for panel in panels for run in panel.runs)
    tail = f" {capital_count(failed)} failed (crosses at the bottom)." if failed else " No run failed."
    verb = "rate found is" if len(said) == 1 else "rates found are"
    return f"Against the defaults, the best learning {verb} {listing(shown)}.{tail}"


def capital_count(number: int) -> str:
    """A number of runs at the start of a sentence."""
    return "One run" if number == 1 else f"{count(number)} runs"


def _away(race: Race, panel: Panel) -> str | None:
    full = [run for run in panel.runs if run.steps >= race.full_steps]
    found = best(race, full) or best(race, panel.runs)
    if found is None or not found.lr:
        return None
    text = f"{plain(found.lr)} for {panel.optimizer}"
    if not panel.default:
        return text
    ratio = found.lr / panel.default
    if 0.9 < ratio < 1.1:
        return f"{text} (the same)"
    return f"{text} ({plain(max(ratio, 1 / ratio))} times {'higher' if ratio > 1 else 'lower'})"


def reaching(race: Race, goal: Target, steps: Sequence[Times], times: Sequence[Times]) -> str:
    """How soon the winner reaches the target, and who does not."""
    bar = f"{race.metric.value(goal.value)} on the validation data, what {who(goal.owner)} ends at (median)"
    return f"The target is {bar}.{_arrival(race, goal, steps, times)}{_missed(steps)}"


def _arrival(race: Race, goal: Target, steps: Sequence[Times], times: Sequence[Times]) -> str:
    """When the recommended recipe gets there; nothing where the target is its own end."""
    i = next((i for i, row in enumerate(steps) if row.strong), None)
    if i is None or goal.owner is race.winner:
        return ""
    step, second = censored_median(steps[i].times), censored_median(times[i].times)
    if step is None or second is None:
        return f" Most runs of {steps[i].name} do not reach it."
    share = percent(step / race.full_steps) if race.full_steps else "all"
    return f" {steps[i].name} is there after {count(step)} steps ({seconds(second)}), {share} of the run."


def _missed(steps: Sequence[Times]) -> str:
    missed = [f"{row.misses} of {len(row.times)} of {row.name}" for row in steps if row.misses]
    return f" Runs that never got there are kept, as open triangles: {listing(missed)}." if missed else ""


def cost(race: Race, costs: Sequence[Cost]) -> str:
    """The optimizer's share of a step, and its memory."""
    first = next((c for c in costs if c.contender.winner), costs[0])
    share = percent(first.optimizer_ms / first.step_ms) if first.step_ms else "none"
    step = f"A step of {who(first.contender)} takes {milliseconds(first.step_ms)}"
    memory = ""
    if first.state_bytes is not None and race.parameters:
        memory = f" and keeps {plain(first.state_bytes / race.parameters)} bytes a parameter"
    return f"{step}; its optimizer is {share} of that{memory}.{_dearest(costs)}"


def _dearest(costs: Sequence[Cost]) -> str:
    fastest, slowest = min(costs, key=lambda c: c.step_ms), max(costs, key=lambda c: c.step_ms)
    if slowest.step_ms > 1.1 * fastest.step_ms:
        return f" The dearest step is that of {who(slowest.contender)}, {milliseconds(slowest.step_ms)}."
    return " All steps cost nearly the same." if len(costs) > 1 else ""


def gap(race: Race, gaps: Sequence[Gap]) -> str:
    """The winner's gap, and the smallest."""
    first = next((g for g in gaps if g.contender.winner), gaps[0])
    relation = "better" if race.metric.gain(first.size) > 0 else "worse"
    size, name = race.metric.difference(first.size), race.metric.name
    text = (
        f"With {who(first.contender)}, {name} is {size} {relation} on the training data than on the test data"
    )
    least = min(gaps, key=lambda g: race.metric.gain(g.size))
    if len(gaps) == 1:
        return f"{text}."
    if least is first:
        return f"{text}; no finalist has a smaller gap."
    return f"{text}; the smallest gap is {race.metric.difference(least.size)}, of {who(least.contender)}."


def edges(found: Sequence[object]) -> str:
    """How many best values lie at an edge of their space."""
    if not found:
        return "No best value lies at the edge of its search space."
    number = "One best value lies" if len(found) == 1 else f"{count(len(found))} best values lie"
    return f"{number} at the edge of the search space, so a better one may lie beyond it."


def failed(race: Race, groups: Sequence[Failure]) -> str:
    """How many runs failed, and whose."""
    total = len(race.runs)
    number = sum(len(group.runs) for group in groups)
    if not total:
        return "No run has finished yet."
    if not number:
        return (
            "The only run came to its end." if total == 1 else f"All {count(total)} runs came to their end."
        )
    if number == total:
        return capital(f"{failed_all(race)}.")
    by: dict[str, int] = {}
    for group in groups:
        by[group.optimizer] = by.get(group.optimizer, 0) + len(group.runs)
    parts = [f"{n} of {name}" for name, n in sorted(by.items(), key=lambda item: -item[1])]
    return f"{count(number)} of {count(total)} runs failed: {listing(parts)}."


def effort(race: Race) -> str:
    """What the race spent."""
    phases = {"screen": "screening", "heats": "heats", "refine": "refinement", "final": "the final"}
    parts = [
        f"{count(n)} in {text}"
        for key, text in phases.items()
        if (n := sum(run.phase == key for run in race.runs))
    ]
    spent = seconds(total_seconds(race.runs)) if race.runs else "no time"
    steps = count(sum(run.steps for run in race.runs))
    told = f" ({', '.join(parts)})" if parts else ""
    return f"{plural(len(race.runs), 'run')}{told}, {steps} steps, {spent} of computing."
