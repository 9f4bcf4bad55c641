"""Adafactor."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from thalweg.engine.optimizer import Optimizer
from thalweg.engine.plan import Transform
from thalweg.engine.tensor_rule import TensorRule, tensor_rule
from thalweg.transforms.decay import DECOUPLED

__all__ = ["Adafactor"]


def _shapes(shape: torch.Size) -> dict[str, tuple[int, ...]]:
    """Two factors for a matrix (and for each matrix of a higher tensor), the whole variance for a vector."""
    if len(shape) < 2:
        return {"variance": tuple(shape)}
    return {"row_var": (*shape[:-1], 1), "col_var": (*shape[:-2], 1, shape[-1])}


def _rms(x: Tensor) -> Tensor:
    rms: Tensor = torch.linalg.vector_norm(x) / max(1, x.numel()) ** 0.5
    return rms


@tensor_rule(shapes=_shapes)
def adafactor(p, g, state, *, t, lr, beta2_decay, eps1, eps2, d):  # type: ignore[no-untyped-def]
    """Shazeer & Stern 2018, algorithm 4, as torch has it; divided by lr, by which the driver multiplies."""
    eps1 = torch.finfo(p.dtype).eps if eps1 is None else eps1
    new = {key: torch.lerp(old, _mean_square(g, key), t**beta2_decay) for key, old in state.items()}
    update = g * _variance(new, eps1).clamp(min=eps1 * eps1).rsqrt()
    clipped = update / (_rms(update) / d).clamp(min=1)
    return clipped * _rms(p).clamp(min=eps2) / max(1, lr * t**0.5), new


def _mean_square(g: Tensor, key: str) -> Tensor:
    if key == "variance":
        return g * g
    return (g * g).mean(dim=-1 if key == "row_var" else -2, keepdim=True)


def _variance(state: Mapping[str, Tensor], eps1: float) -> Tensor:
    if "variance" in state:
        return state["variance"]
    row, col = state["row_var"], state["col_var"]
    return row @ col / row.mean(dim=-2, keepdim=True).clamp(min=eps1)


class Adafactor(Optimizer):
    r"""Adafactor: Adam's second moment kept as one number a row and one a column, and no first moment.

    For a matrix G_t of n rows and m columns (of each of the last two dimensions of a higher tensor), with
    :math:`\hat β_t = t^{-0.8}`, the exponent being `beta2_decay`:

    .. math::
        R_t &= (1 - \hat β_t) R_{t-1} + \hat β_t \operatorname{mean}_{\text{row}}(G_t^2), \qquad
        C_t = (1 - \hat β_t) C_{t-1} + \hat β_t \operatorname{mean}_{\text{column}}(G_t^2) \\
        U_t &= G_t / \max(\sqrt{R_t C_t / \max(\operatorname{mean}(R_t), ε_1)}, ε_1) \\
        θ_t &= θ_{t-1} - η λ θ_{t-1} - \max(ε_2, \operatorname{RMS}(θ_{t-1})) \min(η, 1/\sqrt{t})
            \frac{U_t}{\max(1, \operatorname{RMS}(U_t) / d)}

    A vector keeps its whole variance. The state of an n x m matrix is n + m numbers instead of Adam's 2nm.
    The steps are relative to the size of each tensor, so that η is a share of it. This is torch's form. The
    paper's adds ε₁ = 1e-30 to G² instead of keeping two quantities above ε₁ (``eps=(1e-15, 1e-3)`` differs
    from it only where the mean of G² over the matrix is below 1e-15), and has η = 0.01 for its relative
    steps; it has no weight decay. Its momentum (β₁) is not here, as it is not in torch. A low-precision
    parameter has the ε₁ of float32, in whose precision it is trained. Source: Shazeer & Stern 2018, arXiv
    1804.04235, algorithms 4 and 5.

    Args:
        params: parameters, named parameters or groups.
        lr: η, the largest step relative to the parameter's root mean square.
        beta2_decay: the exponent of t in \hat β.
        eps: (ε₁, ε₂): the smallest denominator (None: the machine epsilon of the arithmetic), and the
            smallest scale of a parameter.
        d: the largest root mean square of U.
        weight_decay: λ, decoupled.
        foreach: accepted as in torch; the tensors are stepped one after another.
        maximize: climb instead of descend.
        transforms: what wraps the step; see `thalweg.transforms`.
        engine: accepted as everywhere; the factors are computed by the reference engine.

    Raises:
        UserError: an option is out of its interval; at the step, a parameter is sharded.
    """

    intervals: ClassVar[Mapping[str, str]] = {
        "lr": "[0, inf)",
        "beta2_decay": "(-inf, 0]",
        "eps": "[0, inf) or None x [0, inf)",
        "d": "[1, inf)",
        "weight_decay": "[0, inf)",
    }

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        transforms: Iterable[Transform] = (),
        engine: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults, transforms, engine)

    def algorithm(self, group: Mapping[str, Any]) -> tuple[TensorRule, tuple[Transform, ...]]:
        """Adafactor with decoupled decay."""
        return adafactor, (DECOUPLED,)
