"""Coordinate descent: one number at a time, exactly where the loss is quadratic; the lasso by thresholds."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from thalweg.optim.full_batch.base import FullBatch
from thalweg.optim.full_batch.line_search import noise
from thalweg.optim.full_batch.objective import Objective, Value
from thalweg.optim.full_batch.random_search import generator

__all__ = ["CoordinateDescent"]


class CoordinateDescent(FullBatch):
    r"""Coordinate descent: each number in θ moves in its turn, the others held.

    .. math::
        θ_j ← S\left( θ_j - η_j \frac{∂L}{∂θ_j}, \; η_j λ \right), \qquad
        S(z, γ) = \operatorname{sign}(z) \max(|z| - γ, 0)

    It minimizes L(θ) + λ‖θ‖₁, with soft-thresholding S for the second part: that is where exact zeros come
    from. With `exact`, η_j = η / h_j, where the curvature h_j, the second derivative along the coordinate, is
    measured by gradients: on a quadratic loss with η = 1 the move is the exact minimizer along the
    coordinate, and for ½ ‖y - Xθ‖² the method is the lasso's. On another loss, a move that increases L +
    λ‖θ‖₁ is taken back and repeated with at least twice the curvature. Without `exact`, η_j = η: the plain
    move, which diverges if η is too large.

    A step is one sweep over all coordinates, or as much of it as `max_eval` evaluations allow; the next step
    goes on from there. The closure gives the gradient whole, so a coordinate costs an evaluation (two on its
    first turn): on ½ (10 θ₁² + θ₂²) one sweep suffices, but where parameters are coupled, as in networks, use
    a method that moves them together. Where the loss has kinks of its own (a hinge, say), every coordinate
    may rest at a point that is no minimum; the kink of ‖θ‖₁ does no such harm, since it is separable.

    The returned loss is the closure's, without λ‖θ‖₁. Every parameter is penalized: for an intercept center y
    and the columns of X, or leave the bias out. State: n curvatures. Source: Friedman, Hastie & Tibshirani
    2010, "Regularization paths for generalized linear models via coordinate descent", equations 4-6; Tseng
    2001 for its convergence.

    The second source document's bowl takes one sweep:

    >>> import torch
    >>> from thalweg import optim
    >>> w = torch.nn.Parameter(torch.tensor([3.0, 2.0], dtype=torch.float64))
    >>> optimizer = optim.CoordinateDescent([w])
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (10 * w[0] ** 2 + w[1] ** 2) / 2
    ...     loss.backward()
    ...     return loss
    >>> for _ in range(2):
    ...     print(f"{optimizer.step(closure).item():.6f}")
    47.000000
    0.000000

    Args:
        params: parameters or named parameters, all of them treated as one vector.
        lr: η; with `exact` a factor on the exact move, else the rate of each move.
        l1: λ, the weight of ‖θ‖₁.
        exact: measure the curvature of each coordinate.
        order: "cyclic", or "random" for another permutation in each sweep.
        seed: of the permutations.
        max_eval: the most evaluations in a step.

    Raises:
        UserError: an option is out of its interval, or the parameters cannot be made one vector.
    """

    intervals: ClassVar[Mapping[str, str]] = {
        "lr": "[0, inf)",
        "l1": "[0, inf)",
        "seed": "[0, 4294967296)",
        "max_eval": "[3, inf)",
    }
    whole: ClassVar[frozenset[str]] = frozenset({"seed", "max_eval"})
    choices: ClassVar[Mapping[str, tuple[str | None, ...]]] = {"order": ("cyclic", "random")}
    remembers: ClassVar[Mapping[str, str]] = {"curvature": "vector", "visits": "number"}

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1.0,
        l1: float = 0.0,
        exact: bool = True,
        order: str = "cyclic",
        seed: int = 0,
        max_eval: int = 1000,
    ) -> None:
        defaults = {
            "lr": lr,
            "l1": l1,
            "exact": exact,
            "order": order,
            "seed": seed,
            "max_eval": max_eval,
        }
        super().__init__(params, defaults)

    def _advance(
        self, objective: Objective, group: Mapping[str, Any], state: dict[str, Any]
    ) -> tuple[Tensor, dict[str, Any]]:
        n = len(objective.start)
        visits = int(state.get("visits", 0))
        turns = _Turns(objective, group, state.get("curvature"))
        order = _order(group, visits // n, n)
        while objective.left >= 2:  # a probe and a move
            turns.visit(order[visits % n])
            visits += 1
            if visits % n == 0:
                break
        return turns.x, {"curvature": turns.curvature, "visits": visits}


def soft(z: float, threshold: float) -> float:
    """S(z, γ): z moved towards zero by γ, and not past it."""
    return 0.0 if abs(z) <= threshold else z - math.copysign(threshold, z)


def _order(group: Mapping[str, Any], sweep: int, n: int) -> list[int]:
    if group["order"] == "cyclic":
        return list(range(n))
    shuffled: list[int] = torch.randperm(n, generator=generator(group["seed"], sweep)).tolist()
    return shuffled


class _Turns:
    """The coordinates' turns within a step: x, the loss and the gradient there, the curvatures known."""

    def __init__(self, objective: Objective, group: Mapping[str, Any], curvature: Tensor | None) -> None:
        self.objective = objective
        self.rate, self.l1, self.exact = float(group["lr"]), float(group["l1"]), group["exact"]
        self.x = objective.start
        self.here = objective.finite_at(self.x)
        self.curvature = torch.zeros_like(self.x) if curvature is None else curvature.clone()

    def visit(self, j: int) -> None:
        """Move coordinate j."""
        if self.exact:
            h = float(self.curvature[j]) or self._probed(j)
            self.curvature[j] = self._moved(j, h)
            return
        x = self._towards(j, self.rate)
        if x is not None:
            self.x, self.here = x, self.objective.finite_at(x)

    def _moved(self, j: int, h: float) -> float:
        """Move as the curvature h says, or less far, until it is no loss; return the curvature found."""
        while self.objective.left > 0:
            x = self._towards(j, self.rate / h)
            if x is None:
                break
            there = self.objective.at(x)
            bend = self._bend(j, x, there)
            if there.finite and self._total(there, x) <= self._total(self.here, self.x) + self._slack():
                self.x, self.here = x, there
                return bend or h
            h = max(2 * h, bend)
        return h

    def _towards(self, j: int, rate: float) -> Tensor | None:
        """Where the coordinate goes, or None if it stays."""
        old = float(self.x[j])
        x = self.x.clone()
        x[j] = soft(old - rate * float(self.here.g[j]), rate * self.l1)
        return x if float(x[j]) != old else None

    def _probed(self, j: int) -> float:
        """The curvature from a small move; where the loss is concave, one that makes for a move below 1."""
        x = self.x.clone()
        x[j] -= math.copysign(self._resolution(j), float(self.here.g[j]))
        slope = abs(float(self.here.g[j]))
        return self._bend(j, x, self.objective.at(x)) or slope or 1.0

    def _bend(self, j: int, x: Tensor, there: Value) -> float:
        """The curvature between here and x, or 0 if it is not positive, or too close to be measured."""
        moved = float(x[j]) - float(self.x[j])
        if abs(moved) < 0.5 * self._resolution(j) or not there.finite:
            return 0.0
        rise = float(there.g[j]) - float(self.here.g[j])
        return max(0.0, rise / moved)

    def _resolution(self, j: int) -> float:
        return math.cbrt(torch.finfo(self.x.dtype).eps) * max(1.0, abs(float(self.x[j])))

    def _total(self, value: Value, x: Tensor) -> float:
        return value.f + self.l1 * float(x.abs().sum())

    def _slack(self) -> float:
        return noise(self._total(self.here, self.x), self.x.dtype)
