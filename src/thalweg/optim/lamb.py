"""LAMB: layer-wise adaptive moments."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from torch import Tensor

from thalweg.engine.ops import sqrt
from thalweg.engine.optimizer import Optimizer
from thalweg.engine.options import check_order
from thalweg.engine.plan import Transform
from thalweg.engine.rule import Rule, rule
from thalweg.optim.adam import adam
from thalweg.transforms.decay import DECOUPLED
from thalweg.transforms.trust import TRUST_RATIO

__all__ = ["LAMB"]


@rule(states={"m": "exp_avg", "v": "exp_avg_sq"})
def uncorrected(p, g, m, v, *, beta1, beta2, eps):  # type: ignore[no-untyped-def]
    """Adam without its bias corrections."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    return m / (sqrt(v) + eps), m, v


class LAMB(Optimizer):
    r"""LAMB: AdamW whose step in each tensor has the tensor's length, for large batches.

    .. math::
        r_t &= \frac{\hat m_t}{\sqrt{\hat v_t} + ε} + λ θ_{t-1} \\
        θ_t &= θ_{t-1} - η \frac{φ(\|θ_{t-1}\|)}{\|r_t\|} r_t

    with the bias-corrected averages of `Adam` and the Euclidean norms of each tensor, so that a tensor moves
    by the share η of its length. Where one of the norms is zero their ratio counts as 1. m and v have the
    shape of their parameter.

    This is algorithm 2 of the paper's last version, with bias corrections and φ(z) = z. Some published code
    leaves the bias corrections out (``bias_correction=False``) or limits φ to 10 (``bounds=(0.0, 10.0)``).
    Biases and the parameters of norm layers are usually left out of both the ratio and the decay: give them a
    group with ``adapt=False, weight_decay=0.0``; without the ratio LAMB is `AdamW`. A tensor that is nearly
    zero hardly moves: a lower bound above 0 sees to it. Source: You et al. 2020, arXiv 1904.00962, algorithm
    2.

    A tensor of length 5 moves by 0.1 of that, whatever its gradient:

    >>> import torch
    >>> from thalweg import optim
    >>> w = torch.nn.Parameter(torch.tensor([3.0, 4.0]))
    >>> w.grad = torch.tensor([0.0, 1e-3])
    >>> optim.LAMB([w], lr=0.1, weight_decay=0.0).step()
    >>> w.data
    tensor([3.0000, 3.5000])

    Args:
        params: parameters, named parameters or groups.
        lr: η, the learning rate.
        betas: (β₁, β₂), decay rates of the two averages.
        eps: ε, added to the denominator.
        weight_decay: λ, decoupled; part of the step whose length is set.
        bounds: (γ₁, γ₂): φ(z) = min(max(z, γ₁), γ₂).
        bias_correction: correct the averages for their start at zero.
        adapt: give each tensor's step the tensor's length; False for groups of biases and norms.
        maximize: climb instead of descend.
        transforms: what wraps the step; see `thalweg.transforms`.
        engine: "fused", "compiled", "reference" or None for the default of the device.

    Raises:
        UserError: an option is out of its interval, or γ₁ is above γ₂.
    """

    intervals: ClassVar[Mapping[str, str]] = {
        "lr": "[0, inf)",
        "betas": "[0, 1) x [0, 1)",
        "eps": "[0, inf)",
        "weight_decay": "[0, inf)",
        "bounds": "[0, inf) x (0, inf]",
    }

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 1e-2,
        bounds: tuple[float, float] = (0.0, math.inf),
        bias_correction: bool = True,
        adapt: bool = True,
        *,
        maximize: bool = False,
        transforms: Iterable[Transform] = (),
        engine: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "bounds": bounds,
            "bias_correction": bias_correction,
            "adapt": adapt,
            "maximize": maximize,
        }
        super().__init__(params, defaults, transforms, engine)

    def algorithm(self, group: Mapping[str, Any]) -> tuple[Rule, tuple[Transform, ...]]:
        """Adam with decoupled decay, and the whole at the length of the tensor."""
        check_order("LAMB", "bounds", group["bounds"])
        own = (DECOUPLED, TRUST_RATIO) if group["adapt"] else (DECOUPLED,)
        return (adam if group["bias_correction"] else uncorrected), own
