"""A schedule as a real ``torch.optim.lr_scheduler.LRScheduler``, for any hyperparameter."""

import warnings
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from thalweg.errors import UserError
from thalweg.schedules.base import Schedule

_BETAS = {"beta1": 0, "beta2": 1}  # places in a group's tuple of betas
_BELOW_ONE = {"momentum", "alpha", *_BETAS}
_driven: WeakKeyDictionary[Optimizer, WeakValueDictionary[str, "ScheduleLR"]] = WeakKeyDictionary()


class ScheduleLR(LRScheduler):
    """Keep a hyperparameter at ``base * schedule(step)``.

    Call ``step()`` after every ``optimizer.step()``, as with torch's own schedulers. The value depends
    on the step alone, not on the value before, so it cannot drift, and a run that goes on from a
    checkpoint gets exactly the values it would have had.

    The base of a parameter group is its value when the schedule is attached, or its ``initial_lr``
    (``initial_momentum``, ``initial_betas``, ...) where an earlier scheduler or a loaded checkpoint has
    left one. A group that is added later joins in.

    Args:
        optimizer: any ``torch.optim.Optimizer``.
        schedule: gives the factor.
        hyper: ``"lr"``, ``"momentum"``, ``"weight_decay"``, ``"beta1"``, ``"beta2"`` (places of
            ``betas``), or any other number in the parameter groups. A tensor is filled in place.
        last_step: the last step that was trained; -1 starts a run.

    Raises:
        UserError: there is no such hyperparameter, it is zero in every group, or another `ScheduleLR`
            drives it already.

    >>> import torch
    >>> from thalweg.schedules import cosine, warmup
    >>> optimizer = torch.optim.SGD([torch.zeros(2, requires_grad=True)], lr=0.4)
    >>> scheduler = ScheduleLR(optimizer, warmup(2) >> cosine(2))
    >>> for _ in range(4):
    ...     print(round(optimizer.param_groups[0]["lr"], 6))
    ...     optimizer.step()
    ...     scheduler.step()
    0.0
    0.2
    0.4
    0.2
    """

    def __init__(
        self, optimizer: Optimizer, schedule: Schedule, *, hyper: str = "lr", last_step: int = -1
    ) -> None:
        if not isinstance(optimizer, Optimizer):
            raise UserError(f"a schedule drives a torch optimizer, not a {type(optimizer).__name__}")
        if not isinstance(last_step, int) or isinstance(last_step, bool) or last_step < -1:
            raise UserError(f"last_step is {last_step!r}; it must be a whole number, -1 or more")
        self.schedule = schedule
        self.hyper = hyper
        self._first = last_step + 1
        self._cut = 1.0
        self.bases = [_base(optimizer, group, hyper) for group in optimizer.param_groups]
        if not any(self.bases):
            raise UserError(
                f"{hyper} is 0 in every group, so a schedule of it would do nothing; give the optimizer the "
                f"highest {hyper} that is wanted"
            )
        self._claim(optimizer)
        super().__init__(optimizer)

    def step(self, epoch: int | None = None) -> None:
        """Go to the next step, or to the one given, and set the value for it.

        Raises:
            UserError: without a given step, where something else has changed the value meanwhile.
        """
        if epoch is None:
            self._check_alone()
        if self._step_count == 1 and epoch is None and not getattr(self.optimizer, "_opt_called", False):
            warnings.warn(
                "scheduler.step() was called before optimizer.step(), so the first value of the "
                "schedule is never used; call optimizer.step() first",
                UserWarning,
                stacklevel=2,
            )
        self._step_count += 1
        self._update_lr(epoch)

    def get_lr(self) -> list[float | Tensor]:
        """Return the values that belong to the current step, one a parameter group."""
        factor = self.schedule(self.last_epoch) * self._cut
        return [base * factor for base in self.bases]

    def state_dict(self) -> dict[str, Any]:
        """Return the step, and what the run was trained with, so that another schedule is noticed."""
        return {
            "last_epoch": self.last_epoch,
            "schedule": str(self.schedule),
            "hyper": self.hyper,
            "bases": list(self.bases),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go to the step of a saved run, and set its value.

        Raises:
            UserError: the saved run had another schedule, hyperparameter or base value. Nothing is
                changed then. To go on with the new ones, attach with ``last_step`` instead.
        """
        step = state_dict.get("last_epoch")
        if "schedule" not in state_dict or not isinstance(step, int) or step < 0:
            raise UserError("this is not the state of a ScheduleLR; attach with last_step=... instead")
        for name, value in self.state_dict().items():
            if name != "last_epoch" and state_dict.get(name) != value:
                raise UserError(
                    f"the saved run had {name} {state_dict.get(name)}, this one has {value}; build the "
                    f"same to resume it, or attach with last_step={step - 1} to go on with the new one"
                )
        self._step_count = step + 1
        self._update_lr(step)

    def _cut_to(self, rest: float) -> None:
        """Multiply all values from now on by what the cuts of a `ReduceOnPlateau` leave."""
        self._cut = rest
        self._update_lr(self.last_epoch)

    def _initial_step(self) -> None:
        """Set the first value; torch calls this at construction, and again inside SequentialLR."""
        self._step_count = 1
        self._update_lr(self._first)

    def _update_lr(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        groups = self.optimizer.param_groups
        for group in groups[len(self.bases) :]:
            self.bases.append(_base(self.optimizer, group, self.hyper))
        for group, value in zip(groups, self.get_lr(), strict=True):
            _write(group, self.hyper, float(value))
        self._last_lr: list[float | Tensor] = [_read(self.optimizer, group, self.hyper) for group in groups]
        self._written = list(groups)

    def _check_alone(self) -> None:
        """Refuse to undo in silence what another scheduler, of torch's say, or a person has set."""
        for number, (group, left) in enumerate(zip(self._written, self._last_lr, strict=True)):
            if not any(group is own for own in self.optimizer.param_groups):
                continue  # a checkpoint was loaded, with groups of its own
            found = _read(self.optimizer, group, self.hyper)
            if found != left:
                raise UserError(
                    f"{self.hyper} of group {number} is {found:g}, but {self.schedule} had set it to "
                    f"{left:g}: something else drives it too; let one scheduler do it (>> joins schedules), "
                    "or attach anew after a change by hand"
                )

    def _claim(self, optimizer: Optimizer) -> None:
        """Refuse a second adapter on the same hyperparameter: the later one would win in silence."""
        other = driver(optimizer, self.hyper)
        if other is not None:
            raise UserError(f"{self.hyper} of this {type(optimizer).__name__} is {other._claimed()}")
        _driven.setdefault(optimizer, WeakValueDictionary())[self.hyper] = self

    def _claimed(self) -> str:
        """What is said to another one that comes for the same hyperparameter."""
        return f"driven by {self.schedule} already; join the two with >>, or delete the first"


def driver(optimizer: Optimizer, hyper: str) -> ScheduleLR | None:
    """Return the adapter that drives a hyperparameter of an optimizer, if there is one."""
    drivers = _driven.get(optimizer)
    return None if drivers is None else drivers.get(hyper)


def _base(optimizer: Optimizer, group: dict[str, Any], hyper: str) -> float:
    value = _read(optimizer, group, hyper)
    if hyper in _BETAS:
        return float(group.setdefault("initial_betas", tuple(map(float, group["betas"])))[_BETAS[hyper]])
    return float(group.setdefault(f"initial_{hyper}", value))


def _read(optimizer: Optimizer, group: dict[str, Any], hyper: str) -> float:
    place = _BETAS.get(hyper)
    value = group.get(hyper) if place is None else group.get("betas", (None, None))[place]
    if isinstance(value, bool) or not isinstance(value, int | float | Tensor):
        numbers = [key for key, v in optimizer.defaults.items() if type(v) in (int, float)]
        numbers += list(_BETAS) if "betas" in optimizer.defaults else []
        known = ", ".join(numbers) + (
            "; its momentum is beta1" if hyper == "momentum" and "betas" in group else ""
        )
        raise UserError(f"{type(optimizer).__name__} has no number called {hyper!r}; it has {known}")
    return float(value)


def _write(group: dict[str, Any], hyper: str, value: float) -> None:
    if hyper in _BELOW_ONE and value >= 1:
        raise UserError(f"the schedule drives {hyper} to {value:g}; it must stay below 1")
    if hyper in _BETAS:
        betas = list(group["betas"])
        betas[_BETAS[hyper]] = _in_place(betas[_BETAS[hyper]], value)
        group["betas"] = tuple(betas)
    else:
        group[hyper] = _in_place(group[hyper], value)


def _in_place(old: float | Tensor, value: float) -> float | Tensor:
    """Return the value, in the tensor that held the old one where it was a tensor."""
    return old.fill_(value) if isinstance(old, Tensor) else value
