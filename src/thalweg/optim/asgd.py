"""Averaged stochastic gradient descent."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from torch import Tensor

from thalweg.engine.ops import maximum
from thalweg.engine.optimizer import Optimizer
from thalweg.engine.plan import Transform
from thalweg.engine.rule import Rule, rule
from thalweg.transforms.decay import COUPLED

__all__ = ["ASGD"]


@rule(states={"average": "ax", "eta": "eta", "mu": "mu"}, moves=True)
def asgd(p, g, average, *, t, lr, lambd, alpha, t0, eta, mu):  # type: ignore[no-untyped-def]
    """Polyak & Juditsky 1992 with the rates of Bottou's SGD; those of a step are set by the step before."""
    moved = (1 - lambd * eta) * p - eta * g
    average = (1 - mu) * average + mu * moved
    return moved, average, lr / (1 + lambd * lr * t) ** alpha, 1 / maximum(1, t - t0)


class ASGD(Optimizer):
    r"""ASGD: stochastic gradient descent whose result is the average of its late iterates.

    .. math::
        θ_t &= (1 - λ_d η_t) θ_{t-1} - η_t g_t, \qquad η_{t+1} = \frac{η}{(1 + λ_d η t)^α} \\
        \bar θ_t &= \bar θ_{t-1} + μ_t (θ_t - \bar θ_{t-1}), \qquad μ_{t+1} = \frac{1}{\max(1, t - t_0)}

    with η_1 = η and μ_1 = 1. λ_d is `lambd`. Averaging takes away the noise that a rate too high for
    convergence leaves: at α < 1 the average converges as fast as any method can. Until step t₀ the average is
    the last iterate. The parameters of the model are θ; the average is in ``optimizer.state[p]["ax"]``, and
    to use it, copy it into them. As in torch, a rate that a schedule sets counts one step later. The average
    has the shape of its parameter; η_t and μ_t are numbers, kept in double (torch: in its default precision).
    Source: Polyak & Juditsky 1992, SIAM Journal on Control and Optimization 30; the rates are those of Bottou
    2010, Large-Scale Machine Learning with Stochastic Gradient Descent.

    Args:
        params: parameters, named parameters or groups.
        lr: η, the first learning rate.
        lambd: λ_d, a decay of the parameters, which also sets how fast the rate falls.
        alpha: α, the power by which the rate falls.
        t0: t₀, the step at which averaging begins.
        weight_decay: λ, coupled: g ← g + λθ.
        foreach: accepted as in torch; the engine decides how tensors are batched.
        maximize: climb instead of descend.
        differentiable: run the reference engine within autograd.
        capturable: accepted as in torch; no effect.
        transforms: what wraps the step; those that change the step itself do not fit, since ASGD moves the
            parameter.
        engine: "fused", "compiled", "reference" or None for the default of the device.

    Raises:
        UserError: an option is out of its interval, or a transform changes the step.
    """

    intervals: ClassVar[Mapping[str, str]] = {
        "lr": "[0, inf)",
        "lambd": "[0, inf)",
        "alpha": "[0, inf)",
        "t0": "[0, inf)",
        "weight_decay": "[0, inf)",
    }

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
        *,
        transforms: Iterable[Transform] = (),
        engine: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults, transforms, engine)

    def algorithm(self, group: Mapping[str, Any]) -> tuple[Rule, tuple[Transform, ...]]:
        """ASGD with coupled decay."""
        return asgd, (COUPLED,)

    def states_of(self, group: Mapping[str, Any], p: Tensor) -> dict[str, Any]:
        """The first rate is lr, and the first average is the first iterate."""
        state = super().states_of(group, p)
        state["eta"].fill_(float(group["lr"]))
        state["mu"].fill_(1.0)
        return state
