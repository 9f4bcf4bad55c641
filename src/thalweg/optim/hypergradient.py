"""Hypergradient descent: the learning rate is learned along the way."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from torch import Tensor

from thalweg.engine.ops import sqrt, where
from thalweg.engine.optimizer import Optimizer
from thalweg.engine.plan import Transform
from thalweg.engine.rule import Rule, formula, rule
from thalweg.transforms.decay import COUPLED

__all__ = ["SGDHD", "AdamHD"]


@formula
def agreement(p, g, before):  # type: ignore[no-untyped-def]
    """Summed over a group: the gradient along the last step of SGD."""
    return g * before


@rule(states={"before": "prev_grad", "shift": "lr_shift"}, moves=True, sums={"h": agreement}, over="group")
def sgd_hd(p, g, before, *, lr, hypergrad_lr, shift, h):  # type: ignore[no-untyped-def]
    """Baydin et al. 2018, SGD-HD."""
    moved = shift + hypergrad_lr * h
    return p - (lr + moved) * g, g, moved


@formula
def agreement_with_adam(p, g, m, v, *, t, beta1, beta2, eps):  # type: ignore[no-untyped-def]
    """Summed over a group: the gradient along the last step of Adam, made again from what that step left."""
    m_hat = m / (1 - beta1 ** (t - 1))
    v_hat = v / (1 - beta2 ** (t - 1))
    return where(t > 1, g * m_hat / (sqrt(v_hat) + eps), 0)


@rule(
    states={"m": "exp_avg", "v": "exp_avg_sq", "shift": "lr_shift"},
    moves=True,
    sums={"h": agreement_with_adam},
    over="group",
)
def adam_hd(p, g, m, v, *, t, lr, hypergrad_lr, beta1, beta2, eps, shift, h):  # type: ignore[no-untyped-def]
    """Baydin et al. 2018, Adam-HD."""
    moved = shift + hypergrad_lr * h
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    return p - (lr + moved) * (m / (1 - beta1**t)) / (sqrt(v / (1 - beta2**t)) + eps), m, v, moved


class SGDHD(Optimizer):
    r"""SGD-HD: gradient descent that moves its learning rate down the slope which the rate itself has.

    .. math::
        h_t &= g_t \cdot g_{t-1}, \qquad α_t = α_{t-1} + β h_t \\
        θ_t &= θ_{t-1} - α_t g_t

    -h_t is the derivative of the loss by the rate of the step before: while gradients that follow each other
    agree the rate rises, once they turn against each other it falls; it may become negative. The product runs
    over all parameters of a group, so that each group has its own α. Source: Baydin, Cornish, Martínez Rubio,
    Schmidt & Wood 2018, arXiv 1703.04782, SGD-HD, in its additive form.

    α is kept as what is added to the group's `lr`: a schedule of lr and the adaption add up. That number is
    in ``optimizer.state[p]["lr_shift"]``; a parameter that had no gradient in a step keeps the one that it
    had. The previous gradient has the shape of its parameter.

    Two gradients that agree raise the rate, one that turns against them lowers it:

    >>> import torch
    >>> from thalweg import optim
    >>> w = torch.nn.Parameter(torch.zeros(1))
    >>> optimizer = optim.SGDHD([w], lr=0.1, hypergrad_lr=0.01)
    >>> for g in (2.0, 2.0, -1.0):
    ...     w.grad = torch.tensor([g])
    ...     optimizer.step()
    ...     print(f"{0.1 + optimizer.state[w]['lr_shift'].item():.2f}")
    0.10
    0.14
    0.12

    Args:
        params: parameters, named parameters or groups.
        lr: α₀, the first learning rate.
        hypergrad_lr: β, the learning rate of the learning rate, in units of lr over those of g²: a
            hundredth of lr / ‖g‖² changes lr by up to 1 % a step.
        weight_decay: λ, coupled: g ← g + λθ.
        maximize: climb instead of descend.
        transforms: what wraps the step; those that change the step itself do not fit, since SGD-HD moves the
            parameter.
        engine: "fused", "compiled", "reference" or None for the default of the device.

    Raises:
        UserError: an option is out of its interval, or a transform changes the step.
    """

    intervals: ClassVar[Mapping[str, str]] = {
        "lr": "[0, inf)",
        "hypergrad_lr": "[0, inf)",
        "weight_decay": "[0, inf)",
    }

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        hypergrad_lr: float = 1e-6,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
        transforms: Iterable[Transform] = (),
        engine: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "hypergrad_lr": hypergrad_lr,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults, transforms, engine)

    def algorithm(self, group: Mapping[str, Any]) -> tuple[Rule, tuple[Transform, ...]]:
        """SGD-HD with coupled decay."""
        return sgd_hd, (COUPLED,)


class AdamHD(Optimizer):
    r"""Adam-HD: Adam that moves its learning rate down the slope which the rate itself has.

    .. math::
        s_t &= \frac{\hat m_t}{\sqrt{\hat v_t} + ε}, \qquad h_t = g_t \cdot s_{t-1}, \qquad
        α_t = α_{t-1} + β h_t \\
        θ_t &= θ_{t-1} - α_t s_t

    with the averages of `Adam` and s₀ = 0; see `SGDHD` for what h is, and how α is kept. The last step s is
    made again from the averages that it left, so that the states are those of Adam: two of the parameter's
    shape, and one number. Source: Baydin, Cornish, Martínez Rubio, Schmidt & Wood 2018, arXiv 1703.04782,
    Adam-HD.

    Args:
        params: parameters, named parameters or groups.
        lr: α₀, the first learning rate.
        betas: (β₁, β₂), decay rates of the two averages.
        eps: ε, added to the denominator.
        hypergrad_lr: β, the learning rate of the learning rate; in units of lr over those of g.
        weight_decay: λ, coupled: g ← g + λθ.
        maximize: climb instead of descend.
        transforms: what wraps the step; those that change the step itself do not fit, since Adam-HD moves the
            parameter.
        engine: "fused", "compiled", "reference" or None for the default of the device.

    Raises:
        UserError: an option is out of its interval, or a transform changes the step.
    """

    intervals: ClassVar[Mapping[str, str]] = {
        "lr": "[0, inf)",
        "betas": "[0, 1) x [0, 1)",
        "eps": "[0, inf)",
        "hypergrad_lr": "[0, inf)",
        "weight_decay": "[0, inf)",
    }

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        hypergrad_lr: float = 1e-8,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
        transforms: Iterable[Transform] = (),
        engine: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "hypergrad_lr": hypergrad_lr,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults, transforms, engine)

    def algorithm(self, group: Mapping[str, Any]) -> tuple[Rule, tuple[Transform, ...]]:
        """Adam-HD with coupled decay."""
        return adam_hd, (COUPLED,)
