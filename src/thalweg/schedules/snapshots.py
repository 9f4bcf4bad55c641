"""Snapshot ensembles: the weights at the end of every cycle, whose predictions are averaged."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call

from thalweg.errors import UserError
from thalweg.schedules.adapter import ScheduleLR
from thalweg.schedules.base import Schedule

_softmax = partial(torch.softmax, dim=-1)


class SnapshotEnsemble:
    """Keep a copy of a model at the end of each cycle, and average what the copies predict.

    Several models for the price of one training run: a schedule that restarts brings the model into one
    minimum after the other. Call ``step()`` after each ``scheduler.step()``; a copy is taken where the
    learning rate has fallen and is about to rise, and at the schedule's end. ``predict(x)`` returns
    ``mean_i activation(model_i(x))`` over the copies.

    Args:
        model: the model that is trained. A copy costs its parameters and buffers, on their device.
        scheduler: what drives the learning rate, such as ``cosine_restarts(200, cycles=5).attach(...)``.
        last: how many copies are kept, the last ones; all unless given.

    Raises:
        UserError: an option makes no sense.

    Source: Huang et al. 2017 (arXiv 1704.00109): equation 2 is ``cosine_restarts(ceil(T / M), cycles=M)``,
    and the mean of the softmax of the last copies is section 3, "ensembling at test time".

    >>> from thalweg.schedules import cosine_restarts
    >>> model = torch.nn.Linear(1, 1)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> scheduler = cosine_restarts(10, cycles=3).attach(optimizer)
    >>> ensemble = SnapshotEnsemble(model, scheduler)
    >>> for _ in range(30):
    ...     optimizer.step()
    ...     scheduler.step()
    ...     ensemble.step()
    >>> ensemble.steps
    [10, 20, 30]
    """

    def __init__(self, model: torch.nn.Module, scheduler: ScheduleLR, last: int | None = None) -> None:
        if not isinstance(scheduler, ScheduleLR):
            kind = type(scheduler).__name__
            raise UserError(f"SnapshotEnsemble needs what schedule.attach(optimizer) returns, not a {kind}")
        if last is not None and (type(last) is not int or last < 1):
            raise UserError(f"SnapshotEnsemble: last is {last!r}; it must be a whole number, 1 or more")
        self.model = model
        self.scheduler = scheduler
        self.last = last
        self.steps: list[int] = []
        self._copies: list[dict[str, Tensor]] = []

    def step(self) -> None:
        """Take a copy if a cycle has just ended."""
        step = self.scheduler.last_epoch
        if step in self.steps or not _cycle_ends(self.scheduler.schedule, step):
            return
        self.steps.append(step)
        self._copies.append({name: value.detach().clone() for name, value in _tensors(self.model)})
        if self.last is not None:
            del self.steps[: -self.last], self._copies[: -self.last]

    def predict(self, *inputs: Any, activation: Callable[[Tensor], Tensor] = _softmax) -> Tensor:
        """Return the mean of the copies' predictions, in eval mode and without gradients.

        Args:
            *inputs: what the model is called with.
            activation: what is done to a model's output before the mean: by default the softmax over the
                last dimension, for logits. For a regression give ``lambda y: y``.

        Raises:
            UserError: no cycle has ended yet, so there is nothing to average.
        """
        if not self._copies:
            raise UserError(
                "no snapshot yet: call step() after each scheduler.step() until a cycle has ended"
            )
        training = {module: module.training for module in self.model.modules()}
        self.model.eval()
        try:
            with torch.no_grad():
                outputs = [activation(functional_call(self.model, copy, inputs)) for copy in self._copies]
        finally:
            for module, mode in training.items():
                module.training = mode
        return torch.stack(outputs).mean(0)

    def __len__(self) -> int:
        """The number of copies."""
        return len(self._copies)

    def state_dict(self) -> dict[str, Any]:
        """Return the copies and the steps at which they were taken."""
        return {"steps": list(self.steps), "copies": [dict(copy) for copy in self._copies]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the copies of a saved run.

        Raises:
            UserError: they are of another model, or something else. Nothing is changed then.
        """
        if set(state_dict) != {"steps", "copies"}:
            raise UserError("this is not the state of a SnapshotEnsemble")
        own = {name: value.shape for name, value in _tensors(self.model)}
        for copy in state_dict["copies"]:
            if {name: value.shape for name, value in copy.items()} != own:
                raise UserError("these snapshots are of another model: names or shapes of tensors differ")
        devices = {name: value.device for name, value in _tensors(self.model)}
        self.steps = list(state_dict["steps"])
        self._copies = [
            {name: value.detach().clone().to(devices[name]) for name, value in copy.items()}
            for copy in state_dict["copies"]
        ]


def _tensors(model: torch.nn.Module) -> Iterator[tuple[str, Tensor]]:
    return chain(model.named_parameters(), model.named_buffers())


def _cycle_ends(schedule: Schedule, step: int) -> bool:
    """Tell whether the factor fell before this step, and rises now or has reached the schedule's end."""
    if step < 2:
        return False
    last = step - 1
    at_end = step == schedule.steps and schedule.after != "repeat"
    if not at_end and schedule(step) <= schedule(last):
        return False
    before = last - 1
    while before > 0 and schedule(before) == schedule(last):
        before -= 1
    return schedule(before) > schedule(last)
