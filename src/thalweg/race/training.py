"""The loop that trains once: batches, steps, looks at the validation data, and what it all cost.

Its length is counted in gradient evaluations. Almost every optimizer takes one a step; L-BFGS, say, takes up
to 25, all on the mini-batch of that step, and they count as 25. A product with the Hessian counts as two.
"""

import hashlib
import math
import statistics
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn

from thalweg.race.priors import prior
from thalweg.race.recipe import Recipe
from thalweg.tasks import Task

CHECK_EVERY = 16  # steps between looks at the loss: each look waits for the device
EXPLODED = 100.0  # a loss this many times beyond its start is not coming back
PRODUCT = 2  # gradient evaluations that a product with the Hessian counts as: it differentiates twice
SAMPLE_EVERY = 16  # on an accelerator only every 16th step is timed: timing has to wait for the device


@dataclass(frozen=True)
class Point:
    """One look at a run: ``train_loss`` is averaged since the last point, ``seconds`` is training alone."""

    step: int
    train_loss: float
    valid_loss: float
    valid_metric: float
    seconds: float


class Training:
    """The state of one run between its steps.

    Attributes:
        done: gradient evaluations so far.
        taken: optimizer steps so far.
    """

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
        self.step = self._closure_step if prior(recipe.optimizer).closure else self._plain_step
        self.batches = task.train_batches(seed, device)
        self.marks = evaluation_steps(steps, evals)
        self.losses: list[Tensor] = []  # since the last point, on the device
        self.curve: list[Point] = []
        self.first: float | None = None
        self.done = self.taken = 0
        self.seconds = 0.0
        self.timings: list[tuple[float, float]] = []  # seconds an evaluation: the whole, the optimizer's part
        self.sample_every = 1 if device == "cpu" else SAMPLE_EVERY

    def to_the_end(self) -> None:
        """Train, with a look at each mark.

        Raises:
            FloatingPointError: the loss has left for good, or the optimizer refuses the gradients.
        """
        for mark in self.marks:
            while self.done < mark:
                before = self.taken
                self.advance(min(mark, self.done + CHECK_EVERY))
                self._check(self.taken - before)
            self._look(mark)

    def advance(self, stop: int) -> None:
        """Train until at least ``stop`` evaluations are done; keep the losses, look at none."""
        began = perf_counter()
        while self.done < stop:
            timed = self.taken % self.sample_every == 0
            start = self._clock(timed)
            try:
                loss, evaluations, inside = self.step(next(self.batches), timed)
            except FloatingPointError as error:
                raise FloatingPointError(f"step {self.taken + 1}: {error}") from error
            own = self._clock(timed) - start - inside
            for _ in range(evaluations):
                self.scheduler.step()
            self.losses.append(loss)
            self.done += evaluations
            self.taken += 1
            if timed:
                self.timings.append(((perf_counter() - start) / evaluations, own / evaluations))
        self.seconds += perf_counter() - began

    def _plain_step(self, batch: Any, timed: bool) -> tuple[Tensor, int, float]:
        """One evaluation and the step that it leads to; seconds of the evaluation."""
        start = perf_counter()
        loss = self._gradient(batch)
        inside = self._clock(timed) - start
        self.optimizer.step()
        return loss.detach(), 1, inside

    def _closure_step(self, batch: Any, timed: bool) -> tuple[Tensor, int, float]:
        """As many evaluations as the optimizer asks for, all of them on this batch, and what they took."""
        dice, losses, inside = Dice(self.device), list[Tensor](), 0.0

        def closure() -> Tensor:
            nonlocal inside
            start = self._clock(timed)
            dice.throw_again()  # dropout must not change what a line search compares
            loss = self._gradient(batch)
            losses.append(loss.detach())
            inside += self._clock(timed) - start
            return loss

        products = self._products()
        self.optimizer.step(closure)
        products = self._products() - products
        return losses[0], len(losses) + PRODUCT * products, inside

    def _products(self) -> int:
        """How many products with the Hessian the optimizer has made: no call of the closure shows them."""
        return sum(state.get("hvps", 0) for state in self.optimizer.state.values())

    def _gradient(self, batch: Any) -> Tensor:
        for parameter in self.parameters:  # zero_grad would import torch's compiler: 1.3 s a process
            parameter.grad = None
        loss = self.task.loss(self.model, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    def _clock(self, timed: bool) -> float:
        if timed and self.device != "cpu":
            synchronize(self.device)
        return perf_counter()

    def _check(self, new: int) -> None:
        values = torch.stack(self.losses[-new:]).tolist()
        if self.first is None:
            self.first = values[0]
        limit = self.first + EXPLODED * max(1.0, abs(self.first))
        for offset, value in enumerate(values):
            at = self.taken - new + offset + 1
            if not math.isfinite(value):
                raise FloatingPointError(f"step {at}: the training loss is {value}")
            if value > limit:
                raise FloatingPointError(
                    f"step {at}: the training loss is {value:.3g}, {self.first:.3g} at the start"
                )

    def _look(self, step: int) -> None:
        if not self.losses:  # the last step has passed this mark too
            self.curve.append(replace(self.curve[-1], step=step))
            return
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


class Dice:
    """The generators as they stand, to draw the same numbers more than once."""

    def __init__(self, device: str) -> None:
        self.cuda = torch.device(device) if device.startswith("cuda") else None
        self.cpu_state = torch.get_rng_state()
        self.cuda_state = torch.cuda.get_rng_state(self.cuda) if self.cuda else None

    def throw_again(self) -> None:
        """Put the generators back to where they stood."""
        torch.set_rng_state(self.cpu_state)
        if self.cuda is not None and self.cuda_state is not None:
            torch.cuda.set_rng_state(self.cuda_state, self.cuda)


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
    return sum(t.numel() * t.element_size() for t in tensors_in(list(optimizer.state.values())))


def tensors_in(value: Any) -> Iterator[Tensor]:
    """The tensors of nested mappings and lists."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping | list | tuple | deque):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from tensors_in(item)


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
