"""Resilient backpropagation."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from torch import Tensor

from thalweg.engine.ops import maximum, minimum, sign, where
from thalweg.engine.optimizer import Optimizer
from thalweg.engine.options import check_order
from thalweg.engine.plan import Transform
from thalweg.engine.rule import Rule, rule

__all__ = ["Rprop"]


@rule(states={"before": "prev", "size": "step_size"}, moves=True)
def rprop(p, g, before, size, *, eta1, eta2, step_size1, step_size2):  # type: ignore[no-untyped-def]
    """Riedmiller & Braun 1993 without going back: after a change of sign the element rests for one step.

    One sign is enough for the product's: that of two faint gradients could underflow.
    """
    agreement = g * sign(before)
    size = where(agreement > 0, eta2 * size, where(agreement < 0, eta1 * size, size))
    size = minimum(maximum(size, step_size1), step_size2)
    g = where(agreement < 0, 0, g)
    return p - sign(g) * size, g, size


class Rprop(Optimizer):
    r"""Rprop: each parameter moves by a step size of its own, against the sign of its gradient.

    With the sign of g_t g_{t-1} (of each element), the step size Δ and the gradient become

    ========  =============================  ============
    sign      step size                      gradient
    ========  =============================  ============
    positive  Δ_t = min(η⁺ Δ_{t-1}, Δ_max)   g_t
    negative  Δ_t = max(η⁻ Δ_{t-1}, Δ_min)   g_t ← 0
    zero      Δ_t = Δ_{t-1}                  g_t
    ========  =============================  ============

    .. math:: θ_t = θ_{t-1} - \operatorname{sign}(g_t) Δ_t

    Steps grow while the gradient keeps its sign and shrink when a minimum was passed; its size is never used.
    It needs the gradient of the whole data set: the noise of mini-batches changes the signs, and the steps
    collapse. As in torch, after a change of sign the element rests for one step; the paper of 1993 also goes
    back to where it was (Rprop⁺), which torch never does. Both states have the shape of their parameter.
    Source: Riedmiller & Braun 1993, IEEE International Conference on Neural Networks; this variant is iRprop⁻
    of Igel & Hüsken 2000.

    Down a slope the steps grow by a fifth; past the minimum they halve:

    >>> import torch
    >>> from thalweg import optim
    >>> w = torch.nn.Parameter(torch.zeros(1))
    >>> optimizer = optim.Rprop([w], lr=0.1)
    >>> for g in (-3.0, -0.1, 5.0):
    ...     w.grad = torch.tensor([g])
    ...     optimizer.step()
    ...     print(f"{w.item():.2f}, step size {optimizer.state[w]['step_size'].item():.2f}")
    0.10, step size 0.10
    0.22, step size 0.12
    0.22, step size 0.06

    Args:
        params: parameters, named parameters or groups.
        lr: Δ₀, the step size of every element before its first step. A schedule of lr has no effect after it,
            and a warm-up from 0 would have every element begin at Δ_min: use none.
        etas: (η⁻, η⁺), the factors by which a step size shrinks and grows.
        step_sizes: (Δ_min, Δ_max).
        capturable: accepted as in torch; no effect.
        foreach: accepted as in torch; the engine decides how tensors are batched.
        maximize: climb instead of descend.
        differentiable: run the reference engine within autograd.
        transforms: what wraps the step; those that change the step itself do not fit, since Rprop moves the
            parameter.
        engine: "fused", "compiled", "reference" or None for the default of the device.

    Raises:
        UserError: an option is out of its interval, Δ_min is above Δ_max, or a transform changes the step.
    """

    intervals: ClassVar[Mapping[str, str]] = {
        "lr": "[0, inf)",
        "etas": "(0, 1) x (1, inf)",
        "step_sizes": "[0, inf) x [0, inf)",
    }

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        transforms: Iterable[Transform] = (),
        engine: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults, transforms, engine)

    def algorithm(self, group: Mapping[str, Any]) -> tuple[Rule, tuple[Transform, ...]]:
        """Rprop; its limits have to be in order."""
        check_order("Rprop", "step_sizes", group["step_sizes"])
        return rprop, ()

    def states_of(self, group: Mapping[str, Any], p: Tensor) -> dict[str, Any]:
        """The step sizes start at lr."""
        state = super().states_of(group, p)
        state["step_size"].fill_(float(group["lr"]))
        return state
