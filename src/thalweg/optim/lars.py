"""LARS: layer-wise adaptive rates."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from torch import Tensor

from thalweg.engine.ops import minimum, sqrt, where
from thalweg.engine.optimizer import Optimizer
from thalweg.engine.plan import Transform
from thalweg.engine.rule import Rule, rule
from thalweg.optim.momentum import velocity
from thalweg.transforms.clip import square
from thalweg.transforms.decay import COUPLED
from thalweg.transforms.trust import parameter_squared

__all__ = ["LARS"]


@rule(states={"v": "velocity"}, moves=True, sums={"p2": parameter_squared, "g2": square}, over="tensor")
def lars(p, g, v, *, lr, momentum, weight_decay, trust_coefficient, p2, g2):  # type: ignore[no-untyped-def]
    """You, Gitman & Ginsburg 2017, algorithm 1; a tensor without length, or at rest, has the local rate 1."""
    length = sqrt(g2) + weight_decay * sqrt(p2)
    both = minimum(p2, length)
    local = where(both > 0, trust_coefficient * sqrt(p2), 1) / where(both > 0, length, 1)
    v = momentum * v - lr * local * (g + weight_decay * p)
    return p + v, v


class LARS(Optimizer):
    r"""LARS: momentum whose rate in each tensor is proportional to the tensor's length, for large batches.

    .. math::
        η_t &= η \frac{c \|θ_{t-1}\|}{\|g_t\| + λ \|θ_{t-1}\|} \\
        v_t &= μ v_{t-1} - η_t (g_t + λ θ_{t-1}) \\
        θ_t &= θ_{t-1} + v_t

    with the Euclidean norms of each tensor; c is the `trust_coefficient`. Without momentum each tensor moves
    by at most the share ηc of its length, whatever the size of its gradient. A tensor that is zero would
    never move: it has η_t = η. v has the shape of its parameter and starts at zero.

    This is the algorithm as published, with the rate inside the velocity and without the schedule of η that
    its experiments use (`schedules.polynomial`, with a warm-up). optax's `lars` divides by ‖g + λθ‖ instead,
    which is the same without decay. Biases and the parameters of norm layers are usually left out: give them
    a group with ``adapt=False``, which is ``Momentum(convention="velocity")``. Source: You, Gitman & Ginsburg
    2017, arXiv 1708.03888, algorithm 1.

    Args:
        params: parameters, named parameters or groups.
        lr: η, the learning rate.
        momentum: μ.
        weight_decay: λ, coupled: g ← g + λθ, and part of the local rate.
        trust_coefficient: c, how far a tensor may move, relative to its length.
        adapt: give each tensor its own rate; False for groups of biases and norms.
        maximize: climb instead of descend.
        transforms: what wraps the step; those that change the step itself do not fit, since LARS moves the
            parameter.
        engine: "fused", "compiled", "reference" or None for the default of the device.

    Raises:
        UserError: an option is out of its interval, or a transform changes the step.
    """

    intervals: ClassVar[Mapping[str, str]] = {
        "lr": "[0, inf)",
        "momentum": "[0, 1)",
        "weight_decay": "[0, inf)",
        "trust_coefficient": "(0, inf)",
    }

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1.0,
        momentum: float = 0.9,
        weight_decay: float = 5e-4,
        trust_coefficient: float = 1e-3,
        adapt: bool = True,
        *,
        maximize: bool = False,
        transforms: Iterable[Transform] = (),
        engine: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "trust_coefficient": trust_coefficient,
            "adapt": adapt,
            "maximize": maximize,
        }
        super().__init__(params, defaults, transforms, engine)

    def algorithm(self, group: Mapping[str, Any]) -> tuple[Rule, tuple[Transform, ...]]:
        """LARS; without its local rates it is momentum with coupled decay."""
        return (lars, ()) if group["adapt"] else (velocity, (COUPLED,))
