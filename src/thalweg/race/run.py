"""One training run: a pure function of task, recipe, seed, steps and threads.

The same call gives the same bits on the same machine, so a race can be killed, resumed and repeated,
and ``thalweg train`` can show that it reproduces what the race saw.
"""

import contextlib
import random
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from time import perf_counter
from typing import Any

import torch
from torch import nn

from thalweg.race.recipe import Recipe
from thalweg.race.training import Point, Training
from thalweg.tasks import Task, where


@dataclass(frozen=True)
class RunResult:
    """What a run gives. Figures that do not exist (a diverged run has no metric) are None.

    Attributes:
        status: "ok", "diverged" (the recipe's fault) or "failed" (the task's fault).
        reason: why it diverged or failed, in one line.
        curve: points as dictionaries, the last at the final step.
        test_metric: on the test data, only when asked for.
        train_metric: on as many training samples as there are for validation, when ``test`` is asked for.
        seconds: wall time of the whole run, evaluations included.
        step_ms: median milliseconds of a gradient evaluation with all that belongs to it;
            ``optimizer_ms`` is the optimizer's part of it.
        state_bytes: what the optimizer keeps beside the parameters.
        weights: sha256 of the final weights (first 16 digits): equal runs have equal digits.
    """

    status: str
    reason: str = ""
    valid_metric: float | None = None
    valid_loss: float | None = None
    test_metric: float | None = None
    test_loss: float | None = None
    train_metric: float | None = None
    train_loss: float | None = None
    seconds: float = 0.0
    step_ms: float | None = None
    optimizer_ms: float | None = None
    state_bytes: int = 0
    weights: str = ""
    curve: list[dict[str, Any]] = field(default_factory=list)


def run(
    task: Task,
    recipe: Recipe,
    seed: int,
    steps: int,
    device: str = "cpu",
    threads: int = 1,
    evals: int = 20,
    *,
    test: bool = False,
    on_point: Callable[[Point], None] | None = None,
) -> RunResult:
    """Train once and report; see `fit`, which also returns the model."""
    return fit(task, recipe, seed, steps, device, threads, evals, test=test, on_point=on_point)[1]


def fit(
    task: Task,
    recipe: Recipe,
    seed: int,
    steps: int,
    device: str = "cpu",
    threads: int = 1,
    evals: int = 20,
    *,
    test: bool = False,
    on_point: Callable[[Point], None] | None = None,
) -> tuple[nn.Module | None, RunResult]:
    """Train ``task`` with ``recipe`` for ``steps`` steps from ``seed``.

    Sets the number of threads and the seeds of torch, numpy and random, and leaves them set.

    Args:
        task: what to train.
        recipe: how to train it.
        seed: drives initialization, data order and dropout.
        steps: gradient evaluations: optimizer steps, but for methods that evaluate several times a step.
        device: "cpu", "cuda", ...
        threads: CPU threads; another number may change the last bits.
        evals: points of the curve on the validation data.
        test: evaluate on the test data, and on a part of the training data, at the end.
        on_point: called with each point as it is measured.

    Returns:
        The trained model (None when the run failed before there was one) and the result.
    """
    began = perf_counter()
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
    seed_all(seed)
    training: Training | None = None
    try:
        training = Training(task, recipe, seed, steps, device, evals, on_point)
        training.to_the_end()
        figures = training.finals(test)
        status, reason = "ok", ""
    except FloatingPointError as error:
        status, reason, figures = "diverged", str(error), {}
    except Exception as error:
        status, reason, figures = "failed", blame(error), {}
    if training is None:
        return None, RunResult(status, reason, seconds=perf_counter() - began)
    costs = training.costs()
    curve = [asdict(point) for point in training.curve]
    result = RunResult(status, reason, curve=curve, seconds=perf_counter() - began, **figures, **costs)
    return training.model, result


@contextlib.contextmanager
def returned_process() -> Iterator[None]:
    """Give a process back with the threads and generators that it had."""
    import numpy as np

    threads, torch_state = torch.get_num_threads(), torch.get_rng_state()
    numpy_state, python_state = np.random.get_state(), random.getstate()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_rng_state(torch_state)
        np.random.set_state(numpy_state)
        random.setstate(python_state)


def seed_all(seed: int) -> None:
    """Seed torch, numpy and random, which a user's model or data may draw from."""
    import numpy as np

    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


def blame(error: BaseException) -> str:
    """One line: where in the user's files it happened, and what."""
    at = where.of_error(error)
    return f"{at}: {where.message(error)}" if at else where.message(error)
