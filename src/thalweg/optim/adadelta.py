"""AdaDelta."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from torch import Tensor

from thalweg.engine.ops import sqrt
from thalweg.engine.optimizer import Optimizer
from thalweg.engine.plan import Transform
from thalweg.engine.rule import Rule, rule
from thalweg.transforms.decay import COUPLED

__all__ = ["Adadelta"]


@rule(states={"s": "square_avg", "d": "acc_delta"})
def adadelta(p, g, s, d, *, rho, eps):  # type: ignore[no-untyped-def]
    """Zeiler 2012, algorithm 1."""
    s = rho * s + (1 - rho) * g * g
    step = sqrt(d + eps) / sqrt(s + eps) * g
    d = rho * d + (1 - rho) * step * step
    return step, s, d


class Adadelta(Optimizer):
    r"""AdaDelta: each parameter moves by the size of its own recent steps, with no learning rate to tune.

    .. math::
        s_t &= ρ s_{t-1} + (1 - ρ) g_t^2 \\
        Δ_t &= \frac{\sqrt{d_{t-1} + ε}}{\sqrt{s_t + ε}} g_t, \qquad d_t = ρ d_{t-1} + (1 - ρ) Δ_t^2 \\
        θ_t &= θ_{t-1} - η Δ_t

    The ratio of the two roots gives the step the units of the parameter, where SGD's has those of the
    gradient. Since d starts at zero, the first steps are of the order of √ε and grow from there. The paper
    has no η: it is 1 there, and the default here as in torch (other libraries take 0.001, which stalls). s
    and d have the shape of their parameter. Source: Zeiler 2012, arXiv 1212.5701, algorithm 1.

    Args:
        params: parameters, named parameters or groups.
        lr: η, a factor on the step.
        rho: ρ, the decay rate of both averages.
        eps: ε, added within both roots; it sets the size of the first steps.
        weight_decay: λ, coupled: g ← g + λθ.
        foreach: accepted as in torch; the engine decides how tensors are batched.
        capturable: accepted as in torch; no effect.
        maximize: climb instead of descend.
        differentiable: run the reference engine within autograd.
        transforms: what wraps the step; see `thalweg.transforms`.
        engine: "fused", "compiled", "reference" or None for the default of the device.

    Raises:
        UserError: an option is out of its interval.
    """

    intervals: ClassVar[Mapping[str, str]] = {
        "lr": "[0, inf)",
        "rho": "[0, 1]",
        "eps": "[0, inf)",
        "weight_decay": "[0, inf)",
    }

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
        transforms: Iterable[Transform] = (),
        engine: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults, transforms, engine)

    def algorithm(self, group: Mapping[str, Any]) -> tuple[Rule, tuple[Transform, ...]]:
        """AdaDelta with coupled decay."""
        return adadelta, (COUPLED,)
