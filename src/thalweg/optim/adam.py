"""Adam, AMSGrad and AdamW."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from torch import Tensor

from thalweg.engine.ops import maximum, sqrt
from thalweg.engine.optimizer import Optimizer
from thalweg.engine.plan import Transform
from thalweg.engine.rule import Rule, rule
from thalweg.transforms.decay import COUPLED, DECOUPLED

__all__ = ["Adam", "AdamW"]


@rule(states={"m": "exp_avg", "v": "exp_avg_sq"})
def adam(p, g, m, v, *, t, beta1, beta2, eps):  # type: ignore[no-untyped-def]
    """Kingma & Ba 2015, algorithm 1."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    return (m / (1 - beta1**t)) / (sqrt(v / (1 - beta2**t)) + eps), m, v


@rule(states={"m": "exp_avg", "v": "exp_avg_sq", "v_max": "max_exp_avg_sq"})
def amsgrad(p, g, m, v, v_max, *, t, beta1, beta2, eps):  # type: ignore[no-untyped-def]
    """Reddi, Kale & Kumar 2018, algorithm 2, with Adam's bias corrections as in torch."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    v_max = maximum(v_max, v)
    return (m / (1 - beta1**t)) / (sqrt(v_max / (1 - beta2**t)) + eps), m, v, v_max


class Adam(Optimizer):
    r"""Adam: momentum and a step size for each parameter, both corrected for their start at zero.

    .. math::
        m_t &= β_1 m_{t-1} + (1 - β_1) g_t, \qquad v_t = β_2 v_{t-1} + (1 - β_2) g_t^2 \\
        θ_t &= θ_{t-1} - η \frac{m_t / (1 - β_1^t)}{\sqrt{v_t / (1 - β_2^t)} + ε}

    Weight decay is coupled (g ← g + λθ), as in `torch.optim.Adam`; use `AdamW` for the decoupled form. With
    `amsgrad`, v_t in the denominator is replaced by its maximum so far, taken before the bias correction as
    in torch; the fifth source document takes it after, which needs a rule of its own. Each state has the
    shape of its parameter. Source: Kingma & Ba 2015, arXiv 1412.6980, algorithm 1; Reddi et al. 2018, arXiv
    1904.09237.

    The third source document's first example: three steps on f(x) = x² from x = 1 with η = 0.01 move by
    almost exactly 0.01 each, whatever the gradient.

    >>> import torch
    >>> from thalweg import optim
    >>> x = torch.nn.Parameter(torch.tensor(1.0, dtype=torch.float64))
    >>> optimizer = optim.Adam([x], lr=0.01)
    >>> for _ in range(3):
    ...     x.grad = 2 * x.detach()
    ...     optimizer.step()
    ...     print(f"{x.item():.4f}")
    0.9900
    0.9800
    0.9700

    Args:
        params: parameters, named parameters or groups.
        lr: η, the learning rate.
        betas: (β₁, β₂), decay rates of the two averages.
        eps: ε, added to the denominator.
        weight_decay: λ.
        amsgrad: keep the maximum of v.
        maximize: climb instead of descend.
        foreach: accepted as in torch; the engine decides how tensors are batched.
        capturable: accepted as in torch; no effect.
        differentiable: run the reference engine within autograd.
        fused: accepted as in torch; the engine decides.
        decoupled_weight_decay: decay as `AdamW` does.
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
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
        transforms: Iterable[Transform] = (),
        engine: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults, transforms, engine)

    def algorithm(self, group: Mapping[str, Any]) -> tuple[Rule, tuple[Transform, ...]]:
        """Adam or AMSGrad, with coupled or decoupled decay."""
        decay = DECOUPLED if group["decoupled_weight_decay"] else COUPLED
        return (amsgrad if group["amsgrad"] else adam), (decay,)


class AdamW(Adam):
    r"""Adam with decoupled weight decay: θ ← θ - η λ θ beside Adam's own step.

    .. math:: θ_t = θ_{t-1} - η \left( \frac{\hat m_t}{\sqrt{\hat v_t} + ε} + λ θ_{t-1} \right)

    with the averages of `Adam`. Every weight decays at the same rate, whatever its gradients. Source:
    Loshchilov & Hutter 2019, arXiv 1711.05101, algorithm 2 (with torch's convention that η multiplies λ).

    Args:
        params: parameters, named parameters or groups.
        lr: η, the learning rate.
        betas: (β₁, β₂), decay rates of the two averages.
        eps: ε, added to the denominator.
        weight_decay: λ.
        amsgrad: keep the maximum of v.
        maximize: climb instead of descend.
        foreach: accepted as in torch; the engine decides how tensors are batched.
        capturable: accepted as in torch; no effect.
        differentiable: run the reference engine within autograd.
        fused: accepted as in torch; the engine decides.
        transforms: what wraps the step; see `thalweg.transforms`.
        engine: "fused", "compiled", "reference" or None for the default of the device.

    Raises:
        UserError: an option is out of its interval.
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        transforms: Iterable[Transform] = (),
        engine: str | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
            transforms=transforms,
            engine=engine,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore; a checkpoint of Adam does not turn this into Adam."""
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True
