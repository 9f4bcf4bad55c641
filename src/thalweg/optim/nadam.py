"""NAdam."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from torch import Tensor

from thalweg.engine.ops import sqrt
from thalweg.engine.optimizer import Optimizer
from thalweg.engine.plan import Transform
from thalweg.engine.rule import Rule, rule
from thalweg.transforms.decay import COUPLED, DECOUPLED

__all__ = ["NAdam"]


@rule(states={"m": "exp_avg", "v": "exp_avg_sq", "mu_product": "mu_product"})
def nadam(p, g, m, v, *, t, beta1, beta2, eps, momentum_decay, mu_product):  # type: ignore[no-untyped-def]
    """Dozat 2016, algorithm 2, with the schedule of momentum that he proposes."""
    mu = beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))
    following = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentum_decay))
    product = mu_product * mu
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    ahead = (1 - mu) / (1 - product) * g + following / (1 - product * following) * m
    return ahead / (sqrt(v / (1 - beta2**t)) + eps), m, v, product


class NAdam(Optimizer):
    r"""NAdam: Adam that looks ahead with its momentum as Nesterov's method does.

    .. math::
        μ_t &= β_1 \left(1 - \tfrac{1}{2} 0.96^{t ψ}\right), \qquad Π_t = \prod_{i ≤ t} μ_i \\
        m_t &= β_1 m_{t-1} + (1 - β_1) g_t, \qquad v_t = β_2 v_{t-1} + (1 - β_2) g_t^2 \\
        θ_t &= θ_{t-1} - \frac{η}{\sqrt{v_t / (1 - β_2^t)} + ε}
            \left( \frac{1 - μ_t}{1 - Π_t} g_t + \frac{μ_{t+1}}{1 - Π_{t+1}} m_t \right)

    where ψ is `momentum_decay`. The momentum of the step to come is applied at once, and the present gradient
    counts by itself. With ψ = 0 the schedule is flat, at μ = β₁ / 2. As in torch, the average m decays at the
    constant β₁, while the paper's decays at μ_t; optax's `nadam` has no schedule at all. m and
    v have the shape of their parameter; Π is one number, kept in double (torch: in its default precision).
    Source: Dozat 2016, Incorporating Nesterov Momentum into Adam, algorithm 2.

    Args:
        params: parameters, named parameters or groups.
        lr: η, the learning rate.
        betas: (β₁, β₂), decay rates of the two averages.
        eps: ε, added to the denominator.
        weight_decay: λ, coupled: g ← g + λθ.
        momentum_decay: ψ, how fast the momentum rises from β₁ / 2 to β₁.
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
        "momentum_decay": "[0, inf)",
    }

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
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
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults, transforms, engine)

    def algorithm(self, group: Mapping[str, Any]) -> tuple[Rule, tuple[Transform, ...]]:
        """NAdam with coupled or decoupled decay."""
        return nadam, (DECOUPLED if group["decoupled_weight_decay"] else COUPLED,)

    def states_of(self, group: Mapping[str, Any], p: Tensor) -> dict[str, Any]:
        """The product of momenta starts at 1."""
        state = super().states_of(group, p)
        state["mu_product"].fill_(1.0)
        return state
