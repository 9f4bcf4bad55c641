"""Early stopping, and the weights of the best evaluation."""

import math
import numbers
from itertools import chain
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from thalweg.engine.options import check_value
from thalweg.errors import UserError
from thalweg.regularize.checks import whole

__all__ = ["EarlyStopping"]

Mode = Literal["min", "max"]


class EarlyStopping:
    """Stop when a validation metric has made no progress for a while, and go back to the best weights.

    Progress is a value better than that of the last progress by more than `min_delta`; after `patience`
    evaluations in a row without it, it is time to stop. The weights that are kept are those of the best
    value of all, however small its lead. A value that is not finite is neither.

    Source: Prechelt 1998, "Early stopping - but when?", doi 10.1007/3-540-49430-8_3: its UP criterion counts
    rises in a row; this one, as is usual today, evaluations since the best.

    Args:
        model: its parameters and buffers are copied at each new best value.
        patience: evaluations without progress until it is time to stop, 1 or more.
        min_delta: the least progress, in units of the metric.
        mode: "min" where less is better (a loss), "max" where more is (an accuracy).

    Attributes:
        best: the best value so far, or None.
        best_evaluation: its number, counted from 0, or None.
        evaluations: how many there were.
        waited: evaluations in a row without progress.

    Raises:
        UserError: an option is out of its range.

    >>> model = nn.Linear(1, 1, bias=False)
    >>> stopping = EarlyStopping(model, patience=2)
    >>> for loss in (3.0, 1.0, 2.0, 1.5, 0.5):
    ...     _ = model.weight.data.fill_(loss)
    ...     if stopping(loss):
    ...         break
    >>> stopping.evaluations, stopping.best
    (4, 1.0)
    >>> stopping.restore()
    >>> model.weight.item()
    1.0
    """

    def __init__(
        self, model: nn.Module, patience: int, *, min_delta: float = 0.0, mode: Mode = "min"
    ) -> None:
        if not isinstance(model, nn.Module):
            raise UserError(
                f"EarlyStopping: it keeps the weights of a model, not of a {type(model).__name__}"
            )
        check_value("EarlyStopping", "min_delta", min_delta, "[0, inf)")
        if mode not in get_args(Mode):
            raise UserError(f"EarlyStopping: mode must be 'min' or 'max', got {mode!r}")
        self.model, self.min_delta, self.mode = model, min_delta, mode
        self.patience = whole("EarlyStopping", "patience", patience, 1)
        self.best: float | None = None
        self.best_evaluation: int | None = None
        self.evaluations = self.waited = 0
        self._progress: float | None = None  # the value of the last progress
        self._weights: dict[str, Tensor] = {}

    def __call__(self, value: float | Tensor) -> bool:
        """Take the metric of one more evaluation; True when it is time to stop.

        Raises:
            UserError: it is not one number.
        """
        number = _number(value)
        if self._better(number, self.best):
            self.best, self.best_evaluation = number, self.evaluations
            self._weights = {name: t.detach().clone() for name, t in _tensors(self.model).items()}
        if self._better(number, self._progress, self.min_delta):
            self._progress, self.waited = number, 0
        else:
            self.waited += 1
        self.evaluations += 1
        return self.waited >= self.patience

    @torch.no_grad()
    def restore(self) -> None:
        """Copy the weights and buffers of the best evaluation back into the model, bit for bit.

        Raises:
            UserError: there was no finite value yet, or the model has changed its shape.
        """
        if not self._weights:
            raise UserError("EarlyStopping: there is nothing to restore before a finite value")
        self._check(self._weights)
        for name, tensor in _tensors(self.model).items():
            tensor.copy_(self._weights[name])

    def state_dict(self) -> dict[str, Any]:
        """The values and the best weights, for an exact resume."""
        return {
            "mode": self.mode,
            "best": self.best,
            "best_evaluation": self.best_evaluation,
            "evaluations": self.evaluations,
            "waited": self.waited,
            "progress": self._progress,
            "weights": dict(self._weights),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a saved run; patience and min_delta are those given here.

        Raises:
            UserError: the state is of something else, of another mode, or of another model; nothing was
                changed.
        """
        missing = self.state_dict().keys() - state_dict.keys()
        if missing:
            raise UserError(f"EarlyStopping: this is not its state: {sorted(missing)[0]} is missing")
        if state_dict["mode"] != self.mode:
            raise UserError(
                f"EarlyStopping: the saved run had mode {state_dict['mode']!r}, not {self.mode!r}"
            )
        weights = state_dict["weights"]
        if weights:
            self._check(weights)
        own = _tensors(self.model)
        self._weights = {name: t.detach().to(own[name].device, copy=True) for name, t in weights.items()}
        self.best, self.best_evaluation = state_dict["best"], state_dict["best_evaluation"]
        self.evaluations, self.waited = state_dict["evaluations"], state_dict["waited"]
        self._progress = state_dict["progress"]

    def _better(self, value: float, than: float | None, by: float = 0.0) -> bool:
        if not math.isfinite(value):
            return False
        return than is None or (than - value if self.mode == "min" else value - than) > by

    def _check(self, weights: dict[str, Tensor]) -> None:
        """Refuse weights that are not this model's."""
        own = _tensors(self.model)
        if own.keys() != weights.keys():
            name = sorted(own.keys() ^ weights.keys())[0]
            raise UserError(f"EarlyStopping: {name} is only in one of the model and the kept weights")
        for name, tensor in own.items():
            if tensor.shape != weights[name].shape or tensor.dtype != weights[name].dtype:
                kept = f"{weights[name].dtype} of shape {tuple(weights[name].shape)}"
                raise UserError(f"EarlyStopping: {name} was kept as {kept}; the model's is another")


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    """All that a model's output depends on: state_dict would lack the buffers that are not persistent."""
    return dict(chain(model.named_parameters(), model.named_buffers()))


def _number(value: float | Tensor) -> float:
    if isinstance(value, Tensor) and value.numel() == 1 and not value.is_complex():
        return float(value.detach())
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise UserError(f"EarlyStopping: the metric is one number, got {value!r}")
    return float(value)
