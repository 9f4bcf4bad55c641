"""Momentum in the three conventions of the literature, and Nesterov's method with its true look-ahead."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from thalweg.engine.interrupt import held
from thalweg.engine.optimizer import Optimizer
from thalweg.engine.plan import Transform
from thalweg.engine.rule import Rule, rule
from thalweg.errors import UserError
from thalweg.transforms.decay import COUPLED

__all__ = ["Momentum", "Nesterov"]


@rule(states={"v": "velocity"})
def accumulate(p, g, v, *, momentum):  # type: ignore[no-untyped-def]
    """A decaying sum of gradients."""
    v = momentum * v + g
    return v, v


@rule(states={"v": "velocity"})
def average(p, g, v, *, momentum):  # type: ignore[no-untyped-def]
    """An exponential moving average of gradients."""
    v = momentum * v + (1 - momentum) * g
    return v, v


@rule(states={"v": "velocity"}, moves=True)
def velocity(p, g, v, *, lr, momentum):  # type: ignore[no-untyped-def]
    """A velocity in units of the parameter: the learning rate is inside."""
    v = momentum * v - lr * g
    return p + v, v


_CONVENTIONS = {"sum": accumulate, "average": average, "velocity": velocity}


class Momentum(Optimizer):
    r"""Gradient descent with momentum, in one of the three conventions that the literature uses.

    | convention | velocity          | parameter   |
    |------------|-------------------|-------------|
    | sum        | v ← μ v + g       | θ ← θ - η v |
    | average    | v ← μ v + (1-μ) g | θ ← θ - η v |
    | velocity   | v ← μ v - η g     | θ ← θ + v   |

    At a constant η all three walk the same path: "velocity" at η and "average" at η / (1 - μ) equal "sum" at
    η. They part when η changes: "velocity" keeps the old η in what it has accumulated, the others rescale the
    whole velocity at once. "sum" equals `SGD` with momentum. v starts at zero, with its parameter's shape.

    Source: "sum" is Sutskever et al. 2013 as torch and the first source document write it; "velocity" is
    Polyak 1964 as the same paper's equations 1-2 write it; "average" is the fifth source document's.

    Args:
        params: parameters, named parameters or groups.
        lr: η, the learning rate.
        momentum: μ.
        convention: "sum", "average" or "velocity".
        weight_decay: λ, coupled: g ← g + λθ.
        maximize: climb instead of descend.
        transforms: what wraps the step; see `thalweg.transforms`.
        engine: "fused", "compiled", "reference" or None for the default of the device.

    Raises:
        UserError: an option is out of its interval, or the convention is unknown.
    """

    intervals: ClassVar[Mapping[str, str]] = {
        "lr": "[0, inf)",
        "momentum": "[0, 1)",
        "weight_decay": "[0, inf)",
    }

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        momentum: float = 0.9,
        convention: Literal["sum", "average", "velocity"] = "sum",
        weight_decay: float = 0,
        *,
        maximize: bool = False,
        transforms: Iterable[Transform] = (),
        engine: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "convention": convention,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults, transforms, engine)

    def algorithm(self, group: Mapping[str, Any]) -> tuple[Rule, tuple[Transform, ...]]:
        """The convention's rule, with coupled decay."""
        if group["convention"] not in _CONVENTIONS:
            raise UserError(
                f"Momentum: convention must be one of {', '.join(_CONVENTIONS)}, got {group['convention']!r}"
            )
        return _CONVENTIONS[group["convention"]], (COUPLED,)


class Nesterov(Optimizer):
    r"""Nesterov's accelerated gradient with its true look-ahead.

    .. math::
        v_t &= μ v_{t-1} - η ∇f(θ_{t-1} + μ v_{t-1}) \\
        θ_t &= θ_{t-1} + v_t

    The gradient is taken at the point where the velocity is about to carry the parameter, so `step` needs
    a closure: it moves the parameters to θ + μv, calls the closure there once, puts the very same θ back and
    takes the step. Between steps the model holds θ. At a constant η the look-ahead points θ + μv are the
    iterates of ``SGD(nesterov=True)``, which needs no closure. v has the shape of its parameter and starts at
    zero. Source: Nesterov 1983; Sutskever, Martens, Dahl & Hinton 2013, equations 3-4.

    Args:
        params: parameters, named parameters or groups.
        lr: η, the learning rate.
        momentum: μ.
        weight_decay: λ, coupled: g ← g + λθ at the point θ before the step.
        maximize: climb instead of descend.
        transforms: what wraps the step; see `thalweg.transforms`.
        engine: "fused", "compiled", "reference" or None for the default of the device.

    Raises:
        UserError: an option is out of its interval; at the step, the closure is missing.
    """

    intervals = Momentum.intervals
    ahead: ClassVar[tuple[str, str]] = ("velocity", "momentum")  # the state that carries p, and its factor

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        momentum: float = 0.9,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
        transforms: Iterable[Transform] = (),
        engine: str | None = None,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, defaults, transforms, engine)

    def algorithm(self, group: Mapping[str, Any]) -> tuple[Rule, tuple[Transform, ...]]:
        """Momentum with the learning rate inside the velocity, with coupled decay."""
        return velocity, (COUPLED,)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move ahead, call the closure, move back, step.

        Raises:
            UserError: there is no closure, and there were steps before.
        """
        if closure is not None:
            return super().step(lambda: self._ahead(closure))
        if any(self.state.values()):
            raise UserError(
                "Nesterov.step needs a closure that computes the gradients at the look-ahead point"
            )
        return super().step()  # before the first step the velocity is 0: the parameters are that point

    def _ahead(self, closure: Callable[[], Any]) -> Any:
        moved = [
            (p, p.detach().clone()) for group in self.param_groups for p in group["params"] if self._fits(p)
        ]
        state, factor = self.ahead
        try:
            with torch.no_grad():
                for group in self.param_groups:
                    for p in group["params"]:
                        if self._fits(p):
                            p.data.add_(self.state[p][state], alpha=float(group[factor]))
            return closure()
        finally:
            with held(), torch.no_grad():
                for p, home in moved:
                    p.data.copy_(home)  # not a write that the engine should take for another's

    def _fits(self, p: Tensor) -> bool:
        """True for a parameter with a velocity; one that has changed its size the step itself refuses."""
        velocity = self.state.get(p, {}).get(self.ahead[0])
        return velocity is not None and velocity.shape == p.shape
