"""Measure before planning: how fast a step is, and whether few workers with many threads beat the reverse."""

import contextlib
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

import torch

from thalweg.errors import UserError
from thalweg.race.executor import LocalExecutor
from thalweg.race.priors import prior
from thalweg.race.recipe import BASELINE, Recipe
from thalweg.race.run import blame, returned_process, seed_all
from thalweg.race.training import Training, synchronize
from thalweg.tasks import Task

MOST_WORKERS = 8  # of these each holds the task's data once more
SAMPLES = 200
CLEARLY = 1.2
FEW, SOON = 6, 0.5  # steps, or seconds, that tell what an optimizer costs beside AdamW


@dataclass(frozen=True)
class Speed:
    """What was measured: the split of the cores that does most steps a second, and what things cost there.

    Attributes:
        workers: processes that run at the same time.
        threads: CPU threads of each.
        step_seconds: one training step in one worker while all of them work.
        eval_seconds: one evaluation on the validation data, likewise.
        weights: for each optimizer, how many times AdamW's step a gradient evaluation with it takes.
    """

    workers: int
    threads: int
    step_seconds: float
    eval_seconds: float
    weights: Mapping[str, float] = field(default_factory=dict)


def splits(cores: int, workers: int | None = None) -> list[tuple[int, int]]:
    """The ways to divide ``cores`` that are worth measuring, as (workers, threads of each).

    >>> splits(4)
    [(4, 1), (2, 2), (1, 4)]
    >>> splits(4, workers=1)
    [(1, 1), (1, 2), (1, 4)]
    >>> splits(4, workers=3)
    [(3, 1)]
    """
    most = max(1, cores // workers) if workers else cores
    sizes = [2**i for i in range(most.bit_length()) if 2**i <= most]
    return [(workers or min(cores // threads, MOST_WORKERS), threads) for threads in sizes]


def recipes_to_warm(optimizers: Sequence[str]) -> list[Recipe]:
    """One recipe for each kernel that a race will need."""
    defaults = list(dict.fromkeys([BASELINE, *(Recipe.default(key) for key in optimizers)]))
    clipped = [replace(recipe, clip=1.0) for recipe in defaults if "clip" in prior(recipe.optimizer).space]
    return [*defaults, *clipped]


def calibrate(
    executor: LocalExecutor,
    device: str,
    choices: Sequence[tuple[int, int]],
    optimizers: Sequence[str],
    seconds: float,
) -> Speed:
    """Measure each split of the cores for about ``seconds`` in warm workers; return the best.

    Kernels are compiled first, each by one worker, and found in the cache by the others.
    """
    texts = [recipe.to_json() for recipe in recipes_to_warm(optimizers)]
    count = len(executor.workers)
    replies = executor.ask([_request(device, 1, 0.0, texts[i::count]) for i in range(count)])
    found = best([_measure(executor, device, *choice, seconds) for choice in choices])
    return replace(found, weights=weights_of(replies))


def weights_of(replies: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """What a gradient evaluation with each optimizer costs beside AdamW's.

    The model's part is the same for all, so the fastest of all samples serves all: a busy machine disturbs it
    least. (Where products with the Hessian are counted too, the model's part of an evaluation is smaller.)

    >>> weights_of([{"each": {"adamw": (1.0, 1.0), "sgd": (1.5, 0.0), "newton_cg": (0.5, 3.5)}}])
    {'adamw': 1.0, 'sgd': 0.5, 'newton_cg': 2.0}
    """
    parts = [(key, *pair) for reply in replies for key, pair in reply["each"].items()]
    fastest = min(model for key, model, _ in parts if not prior(key).closure)
    found: dict[str, float] = {}
    for key, model, own in parts:
        found[key] = min(found.get(key, math.inf), min(model, fastest) + own)
    return {key: seconds / found[BASELINE.optimizer] for key, seconds in found.items()}


def _measure(executor: LocalExecutor, device: str, workers: int, threads: int, seconds: float) -> Speed:
    replies = executor.ask([_request(device, threads, seconds, [])] * workers)
    step, look = (statistics.fmean(reply[name] for reply in replies) for name in ("step", "look"))
    return Speed(workers, threads, step, look)


def best(measured: Sequence[Speed]) -> Speed:
    """The one that does most steps a second; more threads have to be clearly better than fewer.

    Threads wait for each other, so they suffer most when the machine gets busy later.
    """
    found = measured[0]
    for speed in measured[1:]:
        if speed.workers / speed.step_seconds > CLEARLY * found.workers / found.step_seconds:
            found = speed
    return found


def _request(device: str, threads: int, seconds: float, recipes: Sequence[str]) -> dict[str, Any]:
    return {"do": "speed", "device": device, "threads": threads, "seconds": seconds, "recipes": recipes}


def calibrate_here(
    task: Task, device: str, choices: Sequence[tuple[int, int]], optimizers: Sequence[str], seconds: float
) -> Speed:
    """The same in this process, for a race without workers."""
    texts = [recipe.to_json() for recipe in recipes_to_warm(optimizers)]
    measured = []
    with returned_process():
        weights = weights_of([speed(task, device, 1, 0.0, texts)])
        for workers, threads in choices:
            reply = speed(task, device, threads, seconds, [])
            measured.append(Speed(workers, threads, reply["step"], reply["look"]))
    return replace(best(measured), weights=weights)


def speed(task: Task, device: str, threads: int, seconds: float, recipes: Sequence[str]) -> dict[str, Any]:
    """Seconds of a training step and of an evaluation ("look"), measured for about ``seconds``.

    A few steps with each of ``recipes`` come first, so that their kernels are compiled. The fastest samples
    of the model's and of the optimizer's own part of an evaluation are in "each", by optimizer.

    Raises:
        UserError: the task fails.
    """
    torch.set_num_threads(threads)
    seed_all(0)
    each: dict[str, tuple[float, float]] = {}
    try:
        for recipe in map(Recipe.from_json, recipes):
            timings = _timed(task, recipe, device, SOON, FEW)[1]
            model, own = min(whole - own for whole, own in timings), min(own for _, own in timings)
            before = each.get(recipe.optimizer, (math.inf, math.inf))
            each[recipe.optimizer] = min(before[0], model), min(before[1], own)
        times = _timed(task, BASELINE, device, seconds)[0]
        trained = task.model().to(device)
        began = perf_counter()
        task.evaluate(trained, "valid", device)
        look = perf_counter() - began
    except Exception as error:
        raise UserError(blame(error)) from error
    # The mean, not the median: on a busy machine the rare long waits are part of what a race will take.
    return {"step": statistics.fmean(times), "look": look, "each": each}


def _timed(
    task: Task, recipe: Recipe, device: str, seconds: float, most: int = SAMPLES
) -> tuple[list[float], list[tuple[float, float]]]:
    """Seconds of each step after the first; and of each, by evaluation: the whole, the optimizer's part."""
    training = Training(task, recipe, seed=0, steps=10_000, device=device)
    training.sample_every = 1
    times: list[float] = []
    began = math.inf  # the first step compiles kernels: it takes nothing from the time of the others
    while len(times) < 2 or (perf_counter() - began < seconds and len(times) < most):
        start = perf_counter()
        with contextlib.suppress(FloatingPointError):  # whether it diverges is for the race to find out
            training.advance(training.done + 1)
        synchronize(device)
        times.append(perf_counter() - start)
        began = min(began, perf_counter())
    return times[1:], training.timings[1:] or [(times[-1], 0.0)]
