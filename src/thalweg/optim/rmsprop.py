"""RMSprop, plain and centered, with or without momentum."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from torch import Tensor

from thalweg.engine.ops import maximum, sqrt
from thalweg.engine.optimizer import Optimizer
from thalweg.engine.plan import Transform
from thalweg.engine.rule import Rule, rule
from thalweg.optim.sgd import heavy_ball
from thalweg.transforms.decay import COUPLED

__all__ = ["RMSprop"]


@rule(states={"s": "square_avg"})
def rmsprop(p, g, s, *, alpha, eps):  # type: ignore[no-untyped-def]
    """Tieleman & Hinton 2012."""
    s = alpha * s + (1 - alpha) * g * g
    return g / (sqrt(s) + eps), s


@rule(states={"s": "square_avg", "a": "grad_avg"})
def rmsprop_centered(p, g, s, a, *, alpha, eps):  # type: ignore[no-untyped-def]
    """Graves 2013, equations 38-40: divided by an estimate of the standard deviation.

    Rounding can make the variance of a constant gradient negative: it counts as zero, never as a NaN.
    """
    s = alpha * s + (1 - alpha) * g * g
    a = alpha * a + (1 - alpha) * g
    return g / (sqrt(maximum(s - a * a, 0)) + eps), s, a


_MOMENTUM = Transform(heavy_ball, on="step", options={"dampening": 0.0})


class RMSprop(Optimizer):
    r"""RMSprop: each parameter's step is divided by the recent size of its gradient.

    .. math::
        s_t &= α s_{t-1} + (1 - α) g_t^2 \\
        θ_t &= θ_{t-1} - η \frac{g_t}{\sqrt{s_t} + ε}

    With `centered`, s is replaced in the denominator by s - a², where a is the same average of g itself; with
    momentum μ, the step is v ← μ v + g / (√s + ε). Each state has the shape of its parameter. As in torch, ε
    is outside the root; the fifth source document writes it inside. Source: Tieleman & Hinton 2012, Coursera
    lecture 6e; Graves 2013, arXiv 1308.0850, equations 38-40.

    Args:
        params: parameters, named parameters or groups.
        lr: η, the learning rate.
        alpha: α, the decay rate of the average.
        eps: ε, added to the denominator.
        weight_decay: λ, coupled: g ← g + λθ.
        momentum: μ.
        centered: divide by the standard deviation instead of the root mean square.
        capturable: accepted as in torch; no effect.
        foreach: accepted as in torch; the engine decides how tensors are batched.
        maximize: climb instead of descend.
        differentiable: run the reference engine within autograd.
        transforms: what wraps the step; see `thalweg.transforms`.
        engine: "fused", "compiled", "reference" or None for the default of the device.

    Raises:
        UserError: an option is out of its interval.
    """

    intervals: ClassVar[Mapping[str, str]] = {
        "lr": "[0, inf)",
        "alpha": "[0, 1)",
        "eps": "[0, inf)",
        "weight_decay": "[0, inf)",
        "momentum": "[0, 1)",
    }

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        *,
        transforms: Iterable[Transform] = (),
        engine: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults, transforms, engine)

    def algorithm(self, group: Mapping[str, Any]) -> tuple[Rule, tuple[Transform, ...]]:
        """Plain or centered, with coupled decay and, if asked for, momentum after it."""
        momentum = (_MOMENTUM,) if group["momentum"] > 0 else ()
        return (rmsprop_centered if group["centered"] else rmsprop), (COUPLED, *momentum)
