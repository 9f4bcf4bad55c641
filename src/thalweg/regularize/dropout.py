"""Dropout whose rate follows a schedule."""

import weakref
from typing import Any

from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from thalweg.errors import UserError
from thalweg.regularize.checks import whole
from thalweg.regularize.depth import DropPath
from thalweg.schedules import Schedule

__all__ = ["DropoutSchedule"]

_driven: weakref.WeakKeyDictionary[nn.Module, weakref.ref["DropoutSchedule"]] = weakref.WeakKeyDictionary()


class DropoutSchedule:
    r"""Keep the rate of every dropout of a model at :math:`p(s) = p_0 f(s)`, with f a schedule.

    p₀ is the rate that each module has when the schedule is attached. Call `step` after every
    ``optimizer.step()``. The rate depends on the step alone, so that a resumed run cannot drift.

    Driven are torch's dropout modules, `DropPath`, and every module with a number called ``dropout`` (torch's
    attention and recurrent layers have one) whose rate is above 0.

    Published schedules, for a run of n steps:

    - early dropout, against underfitting: ``linear(k)`` or ``constant(k) >> constant(factor=0)``, and late
      dropout ``constant(k, factor=0) >> constant()`` (Liu et al. 2023, arXiv 2303.01500);
    - annealed dropout: ``linear(n)`` (Rennie et al. 2014, doi 10.1109/SLT.2014.7078567).

    A model under `torch.compile` is compiled again for each new rate; a schedule in few steps spares it that.

    Args:
        model: the model.
        schedule: one of `thalweg.schedules`.
        last_step: the last step that was trained; -1 starts a run.

    Raises:
        UserError: the model has no dropout above 0, another schedule drives it already, or the schedule
            drives a rate above 1.

    >>> from thalweg.schedules import constant
    >>> layer = nn.Dropout(0.4)
    >>> dropout = DropoutSchedule(layer, constant(2) >> constant(factor=0))
    >>> for _ in range(3):
    ...     print(layer.p)
    ...     dropout.step()
    0.4
    0.4
    0.0
    """

    def __init__(self, model: nn.Module, schedule: Schedule, last_step: int = -1) -> None:
        if not isinstance(model, nn.Module):
            raise UserError(f"a dropout schedule drives a model, not a {type(model).__name__}")
        if not isinstance(schedule, Schedule):
            raise UserError(f"a dropout schedule is one of thalweg.schedules, not {schedule!r}")
        self.schedule = schedule
        self._places = _places(model)
        self.bases = {name: float(getattr(m, attribute)) for name, (m, attribute) in self._places.items()}
        if not self.bases:
            raise UserError(f"{type(model).__name__} has no dropout above 0, so a schedule would do nothing")
        self._claim()
        self._set(whole("DropoutSchedule", "last_step", last_step, -1) + 1)

    def step(self) -> None:
        """Go to the next step and set the rates that belong to it."""
        self._set(self.last_step + 1)

    def rates(self) -> dict[str, float]:
        """The present rate of each module by its name."""
        return {name: float(getattr(m, attribute)) for name, (m, attribute) in self._places.items()}

    def state_dict(self) -> dict[str, Any]:
        """The step, and what the run was trained with."""
        return {"last_step": self.last_step, "schedule": str(self.schedule), "bases": dict(self.bases)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go to the step of a saved run.

        Raises:
            UserError: the saved run had another schedule or other rates; nothing was changed.
        """
        step = state_dict.get("last_step")
        if not isinstance(step, int) or step < 0:
            raise UserError("this is not the state of a DropoutSchedule; attach with last_step=... instead")
        for name, value in self.state_dict().items():
            if name != "last_step" and state_dict.get(name) != value:
                raise UserError(
                    f"the saved run had {name} {state_dict.get(name)}, this one has {value}; build the same "
                    f"to resume it, or attach with last_step={step - 1} to go on with the new one"
                )
        self._set(step)

    def _set(self, step: int) -> None:
        factor = self.schedule(step)
        for name, base in self.bases.items():
            if base * factor > 1:
                raise UserError(f"the schedule drives dropout of {name or 'the model'} to {base * factor:g}")
        for name, (module, attribute) in self._places.items():
            setattr(module, attribute, self.bases[name] * factor)
        self.last_step = step

    def _claim(self) -> None:
        """Refuse a second schedule: the rate it finds is not the one that was chosen."""
        for name, (module, _) in self._places.items():
            reference = _driven.get(module)
            other = reference() if reference else None
            if other is not None:
                raise UserError(
                    f"dropout of {name or 'the model'} is driven by {other.schedule} already; join the two "
                    "with >>, or delete the first"
                )
        for module, _ in self._places.values():
            _driven[module] = weakref.ref(self)


def _places(model: nn.Module) -> dict[str, tuple[nn.Module, str]]:
    """The modules with a rate above 0, and the name of its attribute."""
    found = {}
    for name, module in model.named_modules():
        attribute = "p" if isinstance(module, _DropoutNd | DropPath) else "dropout"
        rate = getattr(module, attribute, None)
        if isinstance(rate, float | int) and not isinstance(rate, bool) and rate > 0:
            found[name] = (module, attribute)
    return found
