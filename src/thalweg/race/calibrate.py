"""Measure before planning: how fast a step is, and whether few workers with many threads beat the reverse."""

import contextlib
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from time import perf_counter
from typing import Any

import torch

from thalweg.errors import UserError
from thalweg.race.executor import LocalExecutor
from thalweg.race.recipe import BASELINE, Recipe
from thalweg.race.run import Training, blame, returned_process, seed_all, synchronize
from thalweg.tasks import Task

MOST_WORKERS = 8  # of these each holds the task's data once more
SAMPLES = 200
CLEARLY = 1.2


@dataclass(frozen=True)
class Speed:
    """What was measured: the split of the cores that does most steps a second, and what things cost there.

    Attributes:
        workers: processes that run at the same time.
        threads: CPU threads of each.
        step_seconds: one training step in one worker while all of them work.
        eval_seconds: one evaluation on the validation data, likewise.
    """

    workers: int
    threads: int
    step_seconds: float
    eval_seconds: float


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
    defaults = [BASELINE, *(Recipe.default(key) for key in optimizers)]
    return [replace(recipe, clip=clip) for recipe, clip in product(defaults, (None, 1.0))]


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
    executor.ask([_request(device, 1, 0.0, texts[i::count]) for i in range(count)])
    return best([_measure(executor, device, *choice, seconds) for choice in choices])


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
        speed(task, device, 1, 0.0, texts)
        for workers, threads in choices:
            reply = speed(task, device, threads, seconds, [])
            measured.append(Speed(workers, threads, reply["step"], reply["look"]))
    return best(measured)


def speed(task: Task, device: str, threads: int, seconds: float, recipes: Sequence[str]) -> dict[str, float]:
    """Seconds of a training step and of an evaluation ("look"), measured for about ``seconds``.

    A few steps with each of ``recipes`` come first, unmeasured, so that their kernels are compiled.

    Raises:
        UserError: the task fails.
    """
    torch.set_num_threads(threads)
    seed_all(0)
    try:
        for recipe in recipes:
            _time_steps(task, Recipe.from_json(recipe), device, 0.0)
        times = _time_steps(task, BASELINE, device, seconds)
        model = task.model().to(device)
        began = perf_counter()
        task.evaluate(model, "valid", device)
        look = perf_counter() - began
    except Exception as error:
        raise UserError(blame(error)) from error
    return {"step": statistics.median(times), "look": look}


def _time_steps(task: Task, recipe: Recipe, device: str, seconds: float) -> list[float]:
    training = Training(task, recipe, seed=0, steps=10_000, device=device)
    times: list[float] = []
    began = perf_counter()
    while len(times) < 2 or (perf_counter() - began < seconds and len(times) < SAMPLES):
        start = perf_counter()
        with contextlib.suppress(FloatingPointError):  # whether it diverges is for the race to find out
            training.advance(len(times), len(times) + 1)
        synchronize(device)
        times.append(perf_counter() - start)
    return times[1:]
