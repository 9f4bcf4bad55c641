"""Made-up races for tests: what runs would give, without training anything."""

import hashlib
import math
from collections.abc import Mapping, Sequence

import numpy as np

from thalweg.race.plan import Plan
from thalweg.race.recipe import BASELINE, Recipe
from thalweg.race.runs import Outcome, RunSpec
from thalweg.race.search import next_runs

SMALL = {"steps": 400, "screen_steps": 100, "trials": 4, "heats": 4, "rounds": 2, "points": 3, "finalists": 2}


def plan(**changes: object) -> Plan:
    values = {"task": "made-up", "optimizers": ("adamw", "nesterov", "rmsprop"), **SMALL, "pairs": 6}
    return Plan(**{**values, **changes})


def trained(spec: RunSpec) -> Outcome:
    """A bowl in log lr around 1e-2 with noise that depends only on the run; too high an lr diverges."""
    if spec.recipe.lr > 1:
        return Outcome.of(spec, status="diverged", reason="the loss is not a number")
    noise = int(hashlib.sha256(spec.key.encode()).hexdigest()[:6], 16) / 16**6
    metric = 0.9 - 0.05 * (math.log10(spec.recipe.lr) + 2) ** 2 + 0.01 * noise
    test = metric if spec.phase == "final" else None
    return Outcome.of(spec, valid_metric=metric, valid_loss=1 - metric, test_metric=test)


def raced(a_plan: Plan) -> list[Outcome]:
    """The whole race, in the order of the plan."""
    done: list[Outcome] = []
    while specs := next_runs(a_plan, done):
        done += [trained(spec) for spec in specs]
    return done


def final(a_plan: Plan, results: Mapping[str, Sequence[float | None]]) -> list[Outcome]:
    """A final alone: the test metric of each label on each seed; None is a run that diverged."""
    outcomes = []
    for label, values in results.items():
        recipe = BASELINE if label == "baseline" else Recipe(label.split("-")[0], 0.01)
        for seed, value in zip(a_plan.final_seeds, values, strict=False):
            spec = RunSpec(recipe, seed, a_plan.steps, "final", label)
            outcomes.append(Outcome.of(spec, status="diverged" if value is None else "ok", test_metric=value))
    return outcomes


def noisy(
    rng: np.random.Generator, means: Mapping[str, float], pairs: int, sd: float
) -> dict[str, list[float]]:
    """Results whose paired differences have the standard deviation ``sd``; the seed itself matters too."""
    seeds = rng.normal(0, 2 * sd, pairs)
    return {k: list(mean + seeds + rng.normal(0, sd / math.sqrt(2), pairs)) for k, mean in means.items()}
