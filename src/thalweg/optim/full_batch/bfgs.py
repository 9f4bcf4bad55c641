"""BFGS: a dense approximation of the inverse Hessian, learned from gradients."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from thalweg.optim.full_batch.base import FullBatch, check_size, evaluations
from thalweg.optim.full_batch.line_search import Trial, strong_wolfe
from thalweg.optim.full_batch.objective import Objective, largest

__all__ = ["BFGS"]

DAMPING = 0.2


class BFGS(FullBatch):
    r"""BFGS: Newton's direction with an inverse Hessian learned from the gradients met on the way.

    .. math::
        θ_{k+1} &= θ_k - t_k B_k g_k, \qquad s = θ_{k+1} - θ_k, \quad y = g_{k+1} - g_k, \quad
        ρ = \frac{1}{y · s} \\
        B_{k+1} &= (I - ρ s y^T) B_k (I - ρ y s^T) + ρ s s^T

    B starts as the identity and, before the first update, is scaled to (y·s / y·y) I. t satisfies the strong
    Wolfe conditions. Where y·s is not positive (without a line search, or where it ran out of evaluations),
    the update is skipped; with `damped`, y gives way to y' = φ y + (1 - φ) B⁻¹s with the largest φ ≤ 1 for
    which y'·s ≥ 0.2 s·B⁻¹s. Where -B g does not lead down, B is forgotten. Unlike in `LBFGS`, both gradients
    of a pair come from the same step, hence from the same data. Source: Nocedal & Wright 2006, algorithm 6.1
    and equation (6.20); procedure 18.2 for damping (Powell 1978).

    A step makes up to `max_iter` iterations. Memory: two n × n matrices in a step and one between steps, 16
    n² and 8 n² bytes in float64: 1.6 GB and 0.8 GB for n = 10,000, hence `max_params`; an iteration adds
    O(n²) work to the evaluations.

    >>> import torch
    >>> from thalweg import optim
    >>> p = torch.nn.Parameter(torch.tensor([-1.2, 1.0], dtype=torch.float64))
    >>> optimizer = optim.BFGS([p], max_iter=50)
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = 100 * (p[1] - p[0] ** 2) ** 2 + (1 - p[0]) ** 2  # Rosenbrock's valley
    ...     loss.backward()
    ...     return loss
    >>> print(f"{optimizer.step(closure).item():.1f}")
    24.2
    >>> [round(x, 4) for x in p.tolist()]
    [1.0, 1.0]

    Args:
        params: parameters or named parameters, all of them treated as one vector of n numbers.
        lr: where each line search starts, or the rate of each iteration without one; in the first iteration
            times min(1, 1 / ‖g‖₁).
        max_iter: the most iterations in a step.
        max_eval: the most evaluations in a step; by default 5/4 of `max_iter`, at least 2.
        tolerance_grad: a step ends where no element of the gradient is larger.
        tolerance_change: a step ends where the loss, or every parameter, changes by less.
        line_search_fn: "strong_wolfe" or None.
        damped: damp the updates that would be skipped.
        max_params: the largest n.

    Raises:
        UserError: an option is out of its interval, n is above `max_params`, or the parameters cannot be made
            one vector.
    """

    intervals: ClassVar[Mapping[str, str]] = {
        "lr": "[0, inf)",
        "max_iter": "[1, inf)",
        "max_eval": "[2, inf)",
        "tolerance_grad": "[0, inf)",
        "tolerance_change": "[0, inf)",
        "max_params": "[1, inf)",
    }
    whole: ClassVar[frozenset[str]] = frozenset({"max_iter", "max_eval", "max_params"})
    choices: ClassVar[Mapping[str, tuple[str | None, ...]]] = {"line_search_fn": ("strong_wolfe", None)}
    remembers: ClassVar[Mapping[str, str]] = {"inverse_hessian": "matrix"}

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        line_search_fn: str | None = "strong_wolfe",
        damped: bool = False,
        max_params: int = 10_000,
    ) -> None:
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": evaluations(max_eval, max_iter, least=2),
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "line_search_fn": line_search_fn,
            "damped": damped,
            "max_params": max_params,
        }
        super().__init__(params, defaults)

    def _advance(
        self, objective: Objective, group: Mapping[str, Any], state: dict[str, Any]
    ) -> tuple[Tensor, dict[str, Any]]:
        x, inverse = objective.start, state.get("inverse_hessian")
        check_size(type(self).__name__, x, 2, group["max_params"])
        f, g = objective.finite_at(x)
        iterations = 0
        while iterations < group["max_iter"] and objective.left > 0 and not flat(g, group):
            d, slope = _direction(inverse, g)
            if slope >= 0:  # rounding has spoilt the matrix
                inverse = None
                d, slope = _direction(inverse, g)
            start = Trial(0.0, f, g, slope)
            if start.slope > -group["tolerance_change"]:
                break
            iterations += 1
            t = float(group["lr"]) * (first_rate(g) if inverse is None else 1.0)
            end = follow(objective, x, d, start, t, group)
            s, y = d * end.t, end.g - g
            x, f, g = x.add(d, alpha=end.t), end.f, end.g
            mine = inverse is not state.get("inverse_hessian")
            inverse = updated(inverse, s, y, -end.t * start.g, group["damped"], in_place=mine)
            if end.t == 0:  # nor does it lead down: the next step starts afresh
                inverse = None
            if still(s, f - start.f, group):
                break
        return x, {"n_iter": state.get("n_iter", 0) + iterations, "inverse_hessian": inverse}


def _direction(inverse: Tensor | None, g: Tensor) -> tuple[Tensor, float]:
    """-B g and the slope along it; without a matrix B is the identity."""
    d = -g if inverse is None else -(inverse @ g)
    return d, float(g.dot(d))


def flat(g: Tensor, group: Mapping[str, Any]) -> bool:
    """True where no element of the gradient is above the tolerance."""
    return largest(g) <= float(group["tolerance_grad"])


def still(s: Tensor, change: float, group: Mapping[str, Any]) -> bool:
    """True where an iteration changed every parameter, or the loss, by no more than the tolerance."""
    tolerance = float(group["tolerance_change"])
    return largest(s) <= tolerance or abs(change) < tolerance


def first_rate(g: Tensor) -> float:
    """How far to go along -g when no curvature is known: no element moves by more than 1."""
    total = float(g.abs().sum())
    return 1.0 / total if total > 1.0 else 1.0


def follow(
    objective: Objective, x: Tensor, d: Tensor, start: Trial, t: float, group: Mapping[str, Any]
) -> Trial:
    """Go along d by t, or as far as the group's line search says.

    Raises:
        FloatingPointError: without a line search, the loss or its gradient is infinite or NaN there.
    """
    if group["line_search_fn"] is None:
        f, g = objective.finite_at(x.add(d, alpha=t))
        return Trial(t, f, g, math.nan)

    def at(t: float) -> Trial:
        f, g = objective.at(x.add(d, alpha=t))
        return Trial(t, f, g, float(g.dot(d)))

    resolution = group["tolerance_change"] / largest(d)
    return strong_wolfe(at, start, t, left=objective.left, resolution=resolution)


def updated(
    inverse: Tensor | None, s: Tensor, y: Tensor, bs: Tensor, damped: bool, in_place: bool = False
) -> Tensor | None:
    """The inverse Hessian after a pair (s, y); as it was if the pair shows no positive curvature.

    Args:
        inverse: B, of shape (n, n); None for the identity before the first update.
        s: the step, of shape (n,).
        y: the change of the gradient.
        bs: B⁻¹ s, which needs no inverse: for s = -t B g it is -t g.
        damped: move y towards B⁻¹ s rather than skip.
        in_place: B may be changed.
    """
    ys, sbs = float(y.dot(s)), float(s.dot(bs))
    if damped and ys < DAMPING * sbs:
        share = (1 - DAMPING) * sbs / (sbs - ys)
        y = share * y + (1 - share) * bs
        ys = float(y.dot(s))
    if not ys > torch.finfo(s.dtype).eps * float(s.norm()) * float(y.norm()):
        return inverse
    if inverse is None:
        inverse, in_place = torch.eye(len(s), dtype=s.dtype, device=s.device) * (ys / float(y.dot(y))), True
    by = inverse @ y
    half = (
        (float(y.dot(by)) / ys + 1) * s / 2 - by
    ) / ys  # B + s half' + half s' is the update multiplied out
    inverse = inverse.addr_(s, half) if in_place else inverse.addr(s, half)
    return inverse.addr_(half, s)
