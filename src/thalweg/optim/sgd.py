"""Stochastic gradient descent, with heavy-ball momentum or torch's form of Nesterov's."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from torch import Tensor

from thalweg.engine.ops import where
from thalweg.engine.optimizer import Optimizer
from thalweg.engine.plan import Transform
from thalweg.engine.rule import Rule, formula, rule
from thalweg.errors import UserError
from thalweg.transforms.decay import COUPLED

__all__ = ["SGD"]


@formula
def gradient(p, g):  # type: ignore[no-untyped-def]
    """The gradient itself is the step."""
    return g


@rule(states={"v": "momentum_buffer"})
def heavy_ball(p, g, v, *, t, momentum, dampening):  # type: ignore[no-untyped-def]
    """Polyak 1964; the first gradient enters undampened, as in torch."""
    v = momentum * v + where(t == 1, 1, 1 - dampening) * g
    return v, v


@rule(states={"v": "momentum_buffer"})
def nesterov(p, g, v, *, momentum):  # type: ignore[no-untyped-def]
    """Sutskever et al. 2013, section 2, rewritten at the look-ahead point."""
    v = momentum * v + g
    return g + momentum * v, v


class SGD(Optimizer):
    r"""Stochastic gradient descent.

    .. math::
        v_t &= μ v_{t-1} + (1 - τ) g_t, \qquad v_1 = g_1 \\
        θ_t &= θ_{t-1} - η v_t

    where μ is the momentum and τ the dampening; without momentum the step is g itself. With `nesterov` the
    step is g + μ v: Nesterov's method, written for the point at which the gradient is taken (`Nesterov` is
    the textbook form). Weight decay is coupled: g ← g + λθ, which for plain SGD equals decoupled decay. v has
    the shape of its parameter. Source: Polyak 1964; Sutskever, Martens, Dahl & Hinton 2013, section 2. Other
    conventions of momentum: `Momentum`.

    The third source document's example of a velocity that builds up and absorbs a reversal (it cuts the
    numbers to 2.0, 3.6, 4.7 and 3.7):

    >>> import torch
    >>> from thalweg import optim
    >>> w = torch.nn.Parameter(torch.zeros(1))
    >>> optimizer = optim.SGD([w], lr=0.1, momentum=0.9)
    >>> for g in (2.0, 1.8, 1.5, -0.5):
    ...     w.grad = torch.tensor([g])
    ...     optimizer.step()
    ...     print(f"{optimizer.state[w]['momentum_buffer'].item():.2f}")
    2.00
    3.60
    4.74
    3.77

    Args:
        params: parameters, named parameters or groups.
        lr: η, the learning rate.
        momentum: μ.
        dampening: τ.
        weight_decay: λ.
        nesterov: take the step g + μ v.
        maximize: climb instead of descend.
        foreach: accepted as in torch; the engine decides how tensors are batched.
        differentiable: run the reference engine within autograd.
        fused: accepted as in torch; the engine decides.
        transforms: what wraps the step; see `thalweg.transforms`.
        engine: "fused", "compiled", "reference" or None for the default of the device.

    Raises:
        UserError: an option is out of its interval, or `nesterov` without momentum or with dampening.
    """

    intervals: ClassVar[Mapping[str, str]] = {
        "lr": "[0, inf)",
        "momentum": "[0, 1)",
        "dampening": "[0, 1]",
        "weight_decay": "[0, inf)",
    }
    uncounted = True

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
        transforms: Iterable[Transform] = (),
        engine: str | None = None,
    ) -> None:
        if nesterov and (momentum == 0 or dampening != 0):
            raise UserError(
                f"SGD: nesterov needs momentum > 0 and dampening 0, got {momentum} and {dampening}"
            )
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults, transforms, engine)

    def algorithm(self, group: Mapping[str, Any]) -> tuple[Rule, tuple[Transform, ...]]:
        """The plain gradient, heavy ball or Nesterov, with coupled decay."""
        if group["momentum"] == 0:
            return gradient, (COUPLED,)
        return (nesterov if group["nesterov"] else heavy_ball), (COUPLED,)
