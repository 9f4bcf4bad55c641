"""One training run: a pure function of task, recipe, seed, steps and threads.

The same call gives the same bits on the same machine, so a race can be killed, resumed and repeated,
and ``thalweg train`` can show that it reproduces what the race saw.
"""

import contextlib
import hashlib
import math
import random
import statistics
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn

from thalweg.race.recipe import Recipe
from thalweg.tasks import Task, where

CHECK_EVERY = 16  # steps between looks at the loss: each look waits for the device
EXPLODED = 100.0  # a loss this many times beyond its start is not coming back
SAMPLE_EVERY = 16  # on an accelerator only every 16th step is timed: timing has to wait for the device


@dataclass(frozen=True)
class Point:
    """One look at a run: ``train_loss`` is averaged since the last point, ``seconds`` is training alone."""

    step: int
    train_loss: float
    valid_loss: float
    valid_metric: float
    seconds: float


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
        step_ms: median milliseconds a step; ``optimizer_ms`` is the optimizer's part of it.
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
        steps: optimizer steps.
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


class Training:
    """The state of one run between its steps."""

    def __init__(
        self,
        task: Task,
        recipe: Recipe,
        seed: int,
        steps: int,
        device: str,
        evals: int = 1,
        on_point: Callable[[Point], None] | None = None,
    ) -> None:
        self.task, self.steps, self.device = task, steps, device
        self.on_point = on_point
        self.model = task.model().to(device).train()
        self.parameters = list(self.model.parameters())
        self.optimizer, self.scheduler = recipe.build(self.parameters, steps)
        self.batches = task.train_batches(seed, device)
        self.marks = evaluation_steps(steps, evals)
        self.losses: list[Tensor] = []  # since the last point, on the device
        self.curve: list[Point] = []
        self.first: float | None = None
        self.seconds = 0.0
        self.timings: list[tuple[float, float]] = []

    def to_the_end(self) -> None:
        """Train, with a look at each mark.

        Raises:
            FloatingPointError: the loss has left for good, or the optimizer refuses the gradients.
        """
        done = 0
        for mark in self.marks:
            while done < mark:
                upto = min(mark, done + CHECK_EVERY)
                self.advance(done, upto)
                self._check(upto - done, upto)
                done = upto
            self._look(mark)

    def advance(self, start: int, stop: int) -> None:
        """Train from step ``start`` to step ``stop``; keep the losses, look at none."""
        began = perf_counter()
        sparse = SAMPLE_EVERY if self.device != "cpu" else 1
        for step in range(start, stop):
            timed = step % sparse == 0
            t0 = self._clock(timed)
            batch = next(self.batches)
            for parameter in self.parameters:  # zero_grad would import torch's compiler: 1.3 s a process
                parameter.grad = None
            loss = self.task.loss(self.model, batch)
            loss.backward()  # type: ignore[no-untyped-call]
            t1 = self._clock(timed)
            try:
                self.optimizer.step()
            except FloatingPointError as error:
                raise FloatingPointError(f"step {step + 1}: {error}") from error
            t2 = self._clock(timed)
            self.scheduler.step()
            self.losses.append(loss.detach())
            if timed:
                self.timings.append((perf_counter() - t0, t2 - t1))
        self.seconds += perf_counter() - began

    def _clock(self, timed: bool) -> float:
        if timed and self.device != "cpu":
            synchronize(self.device)
        return perf_counter()

    def _check(self, new: int, step: int) -> None:
        values = torch.stack(self.losses[-new:]).tolist()
        if self.first is None:
            self.first = values[0]
        limit = self.first + EXPLODED * max(1.0, abs(self.first))
        for offset, value in enumerate(values):
            at = step - new + offset + 1
            if not math.isfinite(value):
                raise FloatingPointError(f"step {at}: the training loss is {value}")
            if value > limit:
                raise FloatingPointError(
                    f"step {at}: the training loss is {value:.3g}, {self.first:.3g} at the start"
                )

    def _look(self, step: int) -> None:
        train_loss = torch.stack(self.losses).double().mean().item()
        self.losses.clear()
        loss, metric = self.task.evaluate(self.model, "valid", self.device)
        if not (math.isfinite(loss) and math.isfinite(metric)):
            raise FloatingPointError(f"step {step}: the validation loss is {loss}, the metric {metric}")
        point = Point(step, train_loss, float(loss), float(metric), self.seconds)
        self.curve.append(point)
        if self.on_point is not None:
            self.on_point(point)

    def finals(self, test: bool) -> dict[str, Any]:
        """The figures at the end; with ``test`` those on test data and a part of the training data too."""
        last = self.curve[-1]
        figures: dict[str, Any] = {"valid_loss": last.valid_loss, "valid_metric": last.valid_metric}
        figures["weights"] = digest(self.model)
        if test:
            figures |= self._measured("test")
            figures |= self._measured("train", limit=self.task.size("valid"))
        return figures

    def _measured(self, split: str, limit: int | None = None) -> dict[str, float | None]:
        loss, metric = self.task.evaluate(self.model, split, self.device, limit=limit)
        return {f"{split}_loss": finite(loss), f"{split}_metric": finite(metric)}

    def costs(self) -> dict[str, Any]:
        """What a step cost."""
        # The first step compiles kernels and fills caches: it is no sample of the others.
        samples = self.timings[1:] or self.timings
        if not samples:
            return {}
        step, optimizer = (statistics.median(column) * 1e3 for column in zip(*samples, strict=True))
        return {"step_ms": step, "optimizer_ms": optimizer, "state_bytes": state_bytes(self.optimizer)}


def evaluation_steps(steps: int, evals: int) -> list[int]:
    """The steps after which a run is evaluated: evenly spaced, the last at the end.

    >>> evaluation_steps(10, 4)
    [2, 5, 7, 10]
    >>> evaluation_steps(2, 20)
    [1, 2]
    """
    points = max(1, min(evals, steps))
    return [math.floor(steps * (i + 1) / points + 1e-9) for i in range(points)]


def synchronize(device: str) -> None:
    """Wait for everything queued on ``device``."""
    kind = torch.device(device).type
    if kind == "cuda":
        torch.cuda.synchronize()
    elif kind == "mps":
        torch.mps.synchronize()


def state_bytes(optimizer: torch.optim.Optimizer) -> int:
    """Bytes of all tensors in the optimizer's state."""
    tensors = [v for state in optimizer.state.values() for v in state.values() if isinstance(v, Tensor)]
    return sum(t.numel() * t.element_size() for t in tensors)


def digest(model: nn.Module) -> str:
    """The first 16 digits of the sha256 over all weights and buffers, in order of their names."""
    sha = hashlib.sha256()
    tensors = {name: value for name, value in model.state_dict().items() if isinstance(value, Tensor)}
    for name, tensor in sorted(tensors.items()):
        sha.update(name.encode())
        sha.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return sha.hexdigest()[:16]


def finite(value: float) -> float | None:
    """The value, or None where JSON and SQLite have no number for it."""
    return float(value) if math.isfinite(value) else None
