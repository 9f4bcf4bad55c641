"""Reduce on plateau: a cut whenever a metric has stopped improving."""

import math
from typing import Any, Literal, SupportsFloat, get_args
from weakref import ReferenceType, WeakKeyDictionary, ref

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from thalweg.errors import UserError
from thalweg.schedules.adapter import ScheduleLR, driver
from thalweg.schedules.shapes import constant

_Mode = Literal["min", "max"]
_ThresholdMode = Literal["rel", "abs"]
_OPTIONS = ("mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "floor")
_COUNTS = ("last_epoch", "best", "num_bad_epochs", "cooldown_counter", "cuts")
_watching: WeakKeyDictionary[ScheduleLR, "ReferenceType[ReduceOnPlateau]"] = WeakKeyDictionary()


class ReduceOnPlateau(ReduceLROnPlateau):
    """Cut the learning rate when a metric has not improved for a while.

    Call ``step(metric)`` after each evaluation. The value is then ``base * max(factor ** cuts, floor)``.
    Beside a schedule, which steps with the optimizer, it is ``base * schedule(step) * max(factor ** cuts,
    floor)``: a function of the two counts, so warm-up, cycles and cuts do not disturb each other::

        scheduler = schedules.warmup(500).attach(optimizer)
        plateau = schedules.ReduceOnPlateau(scheduler, patience=3)

    A metric is an improvement where it is below ``best - threshold * abs(best)`` (``"rel"``) or below
    ``best - threshold`` (``"abs"``); with ``mode="max"``, above the same with a plus. After more than
    `patience` evaluations in a row without one there is a cut, after which `cooldown` evaluations do not
    count. A metric that is NaN or infinite is no improvement.

    This is torch's ``ReduceLROnPlateau``, and trainers that look for one take it, with three differences:
    `floor` is a fraction of the base where ``min_lr`` is a learning rate; the relative threshold holds for
    negative metrics too; and however small a cut is, it is made (torch's ``eps``).

    Args:
        driven: an optimizer, whose learning rate is cut, or a `ScheduleLR`, whose hyperparameter is.
        mode: ``"min"`` for a loss, ``"max"`` for an accuracy.
        factor: what a cut leaves, more than 0 and below 1.
        patience: how many evaluations without an improvement are borne, 0 or more.
        threshold: the least change that is an improvement, 0 or more.
        threshold_mode: ``"rel"`` or ``"abs"``.
        cooldown: how many evaluations after a cut do not count, 0 or more.
        floor: the least that all cuts together leave, from 0 to 1.

    Raises:
        UserError: an option is out of its range, or something else drives the learning rate already.

    >>> import torch
    >>> optimizer = torch.optim.SGD([torch.zeros(2, requires_grad=True)], lr=0.4)
    >>> plateau = ReduceOnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in (3.0, 2.0, 2.0, 2.0, 1.9):
    ...     plateau.step(loss)
    ...     print(optimizer.param_groups[0]["lr"])
    0.4
    0.4
    0.4
    0.2
    0.2
    """

    def __init__(
        self,
        driven: Optimizer | ScheduleLR,
        mode: _Mode = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: _ThresholdMode = "rel",
        cooldown: int = 0,
        floor: float = 0.0,
    ) -> None:
        self.mode, self.threshold_mode = mode, threshold_mode
        self.factor, self.threshold, self.floor = factor, threshold, floor
        self.patience, self.cooldown = patience, cooldown
        self._check()
        self.scheduler = _scheduler(driven)
        self.optimizer = self.scheduler.optimizer
        self.last_epoch = self.cuts = 0
        self._reset()
        self._apply()
        _watching[self.scheduler] = ref(self)

    def step(self, metrics: SupportsFloat | None = None) -> None:  # type: ignore[override]
        """Take note of a metric, and cut where it has not improved for long enough.

        Args:
            metrics: the number that is watched, such as the validation loss.

        Raises:
            UserError: it is missing, or not one number.
        """
        value = _number(metrics)
        self.last_epoch += 1
        better = math.isfinite(value) and self._is_better(value, self.best)
        self.best = value if better else self.best
        self.num_bad_epochs = 0 if better or self.in_cooldown else self.num_bad_epochs + 1
        self.cooldown_counter = max(0, self.cooldown_counter - 1)
        if self.num_bad_epochs > self.patience:
            self.num_bad_epochs, self.cooldown_counter = 0, self.cooldown
            self._reduce_lr(self.last_epoch)

    def get_last_lr(self) -> list[Any]:
        """Return the values that are in force, one a parameter group."""
        return self.scheduler.get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        """Return the counts, and what the run was trained with, so that other options are noticed."""
        options = {name: getattr(self, name) for name in _OPTIONS}
        counts = {name: getattr(self, name) for name in _COUNTS}
        return {**counts, "options": options, "bases": list(self.scheduler.bases)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where a saved run stood, with its cuts.

        Raises:
            UserError: the saved run had other options or another base value. Nothing is changed then.
        """
        own = self.state_dict()
        if set(state_dict) != set(own):
            raise UserError("this is not the state of a ReduceOnPlateau")
        for name in ("options", "bases"):
            if state_dict[name] != own[name]:
                raise UserError(
                    f"the saved run had {name} {state_dict[name]}, this one has {own[name]}; build the same "
                    "to resume it"
                )
        for name in _COUNTS:
            setattr(self, name, state_dict[name])
        self._apply()

    def _reset(self) -> None:
        self.best = math.inf if self.mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = 0

    def _is_better(self, a: float, best: float) -> bool:
        if math.isinf(best):  # the first metric
            return True
        margin = self.threshold * (abs(best) if self.threshold_mode == "rel" else 1.0)
        return bool(a < best - margin if self.mode == "min" else a > best + margin)

    def _reduce_lr(self, epoch: int) -> None:
        if self.factor**self.cuts > self.floor:
            self.cuts += 1
            self._apply()

    def _apply(self) -> None:
        self.scheduler._cut_to(max(self.factor**self.cuts, self.floor))

    def _check(self) -> None:
        for name, words in (("mode", get_args(_Mode)), ("threshold_mode", get_args(_ThresholdMode))):
            if getattr(self, name) not in words:
                raise self._refuse(name, f"one of {', '.join(map(repr, words))}")
        for name in ("patience", "cooldown"):
            if type(getattr(self, name)) is not int or getattr(self, name) < 0:
                raise self._refuse(name, "a whole number, 0 or more")
        for name in ("factor", "threshold", "floor"):
            if isinstance(getattr(self, name), bool) or not isinstance(getattr(self, name), int | float):
                raise self._refuse(name, "a number")
        if not 0 < self.factor < 1:
            raise self._refuse("factor", "a number, more than 0 and below 1")
        if not 0 <= self.threshold < math.inf:
            raise self._refuse("threshold", "a number, 0 or more")
        if not 0 <= self.floor <= 1:
            raise self._refuse("floor", "a number, 0 or more and at most 1")

    def _refuse(self, option: str, wanted: str) -> UserError:
        return UserError(f"ReduceOnPlateau: {option} is {getattr(self, option)!r}; it must be {wanted}")


def _scheduler(driven: Optimizer | ScheduleLR) -> ScheduleLR:
    """Return what holds the value: the schedule beside which the cuts stand, or a constant one."""
    if not isinstance(driven, Optimizer | ScheduleLR):
        raise UserError(
            f"ReduceOnPlateau drives an optimizer, or what schedule.attach(optimizer) returns, not a "
            f"{type(driven).__name__}"
        )
    scheduler = _alone(driven) if isinstance(driven, Optimizer) else driven
    held = _watching.get(scheduler)
    if held is not None and held() is not None:
        raise UserError(f"a ReduceOnPlateau cuts {scheduler.hyper} already; use that one, or delete it first")
    return scheduler


def _alone(optimizer: Optimizer) -> ScheduleLR:
    other = driver(optimizer, "lr")
    if isinstance(other, _Level):
        raise UserError(f"lr of this {type(optimizer).__name__} is {other._claimed()}")
    if other is not None:
        raise UserError(
            f"lr of this {type(optimizer).__name__} is driven by {other.schedule} already; to cut beside it, "
            "write ReduceOnPlateau(scheduler, ...) with what its attach() returned"
        )
    return _Level(optimizer, constant())


class _Level(ScheduleLR):
    """What a `ReduceOnPlateau` that was given an optimizer cuts."""

    def _claimed(self) -> str:
        return (
            "cut by a ReduceOnPlateau already; for a schedule beside it, attach the schedule first and give "
            "what attach() returns to ReduceOnPlateau"
        )


def _number(metric: SupportsFloat | None) -> float:
    if metric is None:
        raise UserError(
            "ReduceOnPlateau.step() needs the metric that it watches: call step(validation_loss) after each "
            "evaluation; what steps with the optimizer is a schedule"
        )
    if isinstance(metric, Tensor):
        metric = metric.detach()
    try:
        return float("" if isinstance(metric, str) else metric)
    except (TypeError, ValueError, RuntimeError):
        raise UserError(
            f"ReduceOnPlateau.step() takes one number, not {metric!r:.60}; average the metric first"
        ) from None
