"""Rectified Adam."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from torch import Tensor

from thalweg.engine.ops import maximum, sqrt, where
from thalweg.engine.optimizer import Optimizer
from thalweg.engine.plan import Transform
from thalweg.engine.rule import Rule, rule
from thalweg.transforms.decay import COUPLED, DECOUPLED

__all__ = ["RAdam"]


@rule(states={"m": "exp_avg", "v": "exp_avg_sq"})
def radam(p, g, m, v, *, t, beta1, beta2, eps):  # type: ignore[no-untyped-def]
    """Liu et al. 2020, algorithm 2, with torch's threshold of 5 and its eps.

    Where the rectification r is not used its formula may divide by zero: it is kept at lengths of at least 5.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    longest = 2 / (1 - beta2) - 1
    length = longest - 2 * t * beta2**t / (1 - beta2**t)
    now = maximum(length, 5)
    end = maximum(longest, 5)
    r = sqrt((now - 4) * (now - 2) * end / ((end - 4) * (end - 2) * now))
    adaptive = r * sqrt(1 - beta2**t) / (sqrt(v) + eps)
    return m / (1 - beta1**t) * where(length > 5, adaptive, 1), m, v


class RAdam(Optimizer):
    r"""RAdam: Adam that waits until its step sizes can be trusted, and then trusts them by degrees.

    .. math::
        m_t &= β_1 m_{t-1} + (1 - β_1) g_t, \qquad v_t = β_2 v_{t-1} + (1 - β_2) g_t^2 \\
        ρ_∞ &= \frac{2}{1 - β_2} - 1, \qquad ρ_t = ρ_∞ - \frac{2 t β_2^t}{1 - β_2^t} \\
        r_t &= \sqrt{\frac{(ρ_t - 4)(ρ_t - 2) ρ_∞}{(ρ_∞ - 4)(ρ_∞ - 2) ρ_t}} \\
        θ_t &= θ_{t-1} - η \frac{m_t}{1 - β_1^t} \begin{cases}
            r_t \sqrt{1 - β_2^t} / (\sqrt{v_t} + ε) & ρ_t > 5 \\ 1 & \text{else} \end{cases}

    ρ_t is the number of gradients that v has effectively averaged; while it is small (the first 5 steps at
    the default β₂) the step is that of momentum. r grows to 1, like a warm-up. The paper's threshold is 4 and
    it has no ε; 5 is that of its authors' code and of torch. ε is added to √v before the correction,
    otherwise than in `Adam`. m and v have the shape of their parameter. Source: Liu et al. 2020, arXiv
    1908.03265, algorithm 2.

    Args:
        params: parameters, named parameters or groups.
        lr: η, the learning rate.
        betas: (β₁, β₂), decay rates of the two averages.
        eps: ε, added to the root of v.
        weight_decay: λ, coupled: g ← g + λθ.
        decoupled_weight_decay: decay as `AdamW` does.
        foreach: accepted as in torch; the engine decides how tensors are batched.
        maximize: climb instead of descend.
        capturable: accepted as in torch; no effect.
        differentiable: run the reference engine within autograd.
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
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        transforms: Iterable[Transform] = (),
        engine: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults, transforms, engine)

    def algorithm(self, group: Mapping[str, Any]) -> tuple[Rule, tuple[Transform, ...]]:
        """RAdam with coupled or decoupled decay."""
        return radam, (DECOUPLED if group["decoupled_weight_decay"] else COUPLED,)
