"""AdaMax."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from torch import Tensor

from thalweg.engine.ops import absolute, maximum
from thalweg.engine.optimizer import Optimizer
from thalweg.engine.plan import Transform
from thalweg.engine.rule import Rule, rule
from thalweg.transforms.decay import COUPLED

__all__ = ["Adamax"]


@rule(states={"m": "exp_avg", "u": "exp_inf"})
def adamax(p, g, m, u, *, t, beta1, beta2, eps):  # type: ignore[no-untyped-def]
    """Kingma & Ba 2015, algorithm 2, with torch's eps beside the gradient's magnitude."""
    m = beta1 * m + (1 - beta1) * g
    u = maximum(beta2 * u, absolute(g) + eps)
    return m / (1 - beta1**t) / u, m, u


class Adamax(Optimizer):
    r"""AdaMax: Adam with the largest recent gradient, slowly forgotten, in place of the root mean square.

    .. math::
        m_t &= β_1 m_{t-1} + (1 - β_1) g_t, \qquad u_t = \max(β_2 u_{t-1}, |g_t| + ε) \\
        θ_t &= θ_{t-1} - \frac{η}{1 - β_1^t} \frac{m_t}{u_t}

    The maximum needs no correction for its start at zero. The paper has no ε; as in torch it keeps the
    quotient of a parameter that never had a gradient at 0 instead of 0/0; with ``eps=0`` this is the paper's.
    m and u have the shape of their parameter. Source: Kingma & Ba 2015, arXiv 1412.6980, algorithm 2.

    Args:
        params: parameters, named parameters or groups.
        lr: η, the learning rate.
        betas: (β₁, β₂), decay rates of the average and of the maximum.
        eps: ε, added to the gradient's magnitude.
        weight_decay: λ, coupled: g ← g + λθ.
        foreach: accepted as in torch; the engine decides how tensors are batched.
        maximize: climb instead of descend.
        differentiable: run the reference engine within autograd.
        capturable: accepted as in torch; no effect.
        transforms: what wraps the step; see `thalweg.transforms`.
        engine: "fused", "compiled", "reference" or None for the default of the device.

    Raises:
        UserError: an option is out of its interval.
    """

    intervals: ClassVar[Mapping[str, str]] = {
        "lr": "[0, inf)",
        "betas": "[0, 1) x [0, 1)",
        "eps": "[0, inf)",
        "weight_decay": "[0, inf)",
    }

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
        transforms: Iterable[Transform] = (),
        engine: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults, transforms, engine)

    def algorithm(self, group: Mapping[str, Any]) -> tuple[Rule, tuple[Transform, ...]]:
        """AdaMax with coupled decay."""
        return adamax, (COUPLED,)
