"""Newton's method with the whole Hessian: pure, damped by a line search, or within a trust region."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from thalweg.optim.full_batch.base import FullBatch, check_size
from thalweg.optim.full_batch.line_search import backtrack, noise
from thalweg.optim.full_batch.objective import Objective
from thalweg.optim.full_batch.trust_region import accepted, resized, solve

__all__ = ["Newton"]


class Newton(FullBatch):
    r"""Newton's method: to the minimum of the quadratic model of the loss, as far as the model is right.

    .. math:: θ_{t+1} = θ_t + η p, \qquad p = -H^{-1} g, \qquad g = ∇L(θ_t), \; H = ∇^2 L(θ_t)

    On a quadratic loss one step reaches the minimum. Elsewhere the pure step may go up, and to a saddle as
    gladly as to a minimum, so that by default another p is taken (`globalization`):

    - ``"trust_region"``: p minimizes g·p + ½ p·Hp within ‖p‖ ≤ Δ, exactly. At a saddle it goes down along the
      most negative curvature, even where g = 0. The step is taken if the loss decreases by more than 0.15 of
      what the model says; else Δ is quartered and another tried. Source: Nocedal & Wright 2006, algorithm 4.1
      and theorem 4.1; Moré & Sorensen 1983.
    - ``"line_search"``: p = -|H|⁻¹ g, where |H| has the absolute eigenvalues of H, at least 10⁻⁸ of the
      largest one; the step is halved from η until the loss decreases enough. Near a saddle it goes away from
      it, at its very middle it stays. Source: Nocedal & Wright 2006, algorithm 3.2 with section 3.4;
      Dauphin et al. 2014, arXiv 1406.2572.
    - ``None``: the pure step, along eigenvectors whose eigenvalue is not zero.

    The closure is that of every method here; the loss that it returns is differentiated twice. A step costs n
    products with the Hessian (some 2 n gradients), O(n³) for its eigenvectors (half a minute for n = 3000 on
    one core), one evaluation, and one more for each step that is tried. Memory: at the peak some five n × n
    matrices, 40 n² bytes in float64: 1 GB for n = 5000, hence `max_params`.

    A saddle at 0, which the pure step does not leave:

    >>> import torch
    >>> from thalweg import optim
    >>> p = torch.nn.Parameter(torch.zeros(2, dtype=torch.float64))
    >>> optimizer = optim.Newton([p])
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = p[0] ** 2 - p[1] ** 2 + p[1] ** 4
    ...     loss.backward()
    ...     return loss
    >>> for _ in range(9):
    ...     loss = optimizer.step(closure)
    >>> print(f"{loss.item():.6f} at {p[0].item():.6f}, ±{p[1].abs().item():.6f}")
    -0.250000 at 0.000000, ±0.707107

    Args:
        params: parameters or named parameters, all of them treated as one vector of n numbers.
        lr: η, the part of p that is taken or, with a line search, tried first.
        globalization: "trust_region", "line_search" or None.
        radius: Δ of the first step; then it adapts, up to 1000.
        max_eval: the most evaluations in a step.
        max_params: the largest n.

    Raises:
        UserError: an option is out of its interval, n is above `max_params`, or (at the step) the loss cannot
            be differentiated twice.
    """

    intervals: ClassVar[Mapping[str, str]] = {
        "lr": "[0, inf)",
        "radius": "(0, 1000]",
        "max_eval": "[2, inf)",
        "max_params": "[1, inf)",
    }
    whole: ClassVar[frozenset[str]] = frozenset({"max_eval", "max_params"})
    choices: ClassVar[Mapping[str, tuple[str | None, ...]]] = {
        "globalization": ("trust_region", "line_search", None)
    }
    remembers: ClassVar[Mapping[str, str]] = {"radius": "number", "hvps": "number"}

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1.0,
        globalization: str | None = "trust_region",
        radius: float = 1.0,
        max_eval: int = 25,
        max_params: int = 5000,
    ) -> None:
        defaults = {
            "lr": lr,
            "globalization": globalization,
            "radius": radius,
            "max_eval": max_eval,
            "max_params": max_params,
        }
        super().__init__(params, defaults)

    def _advance(
        self, objective: Objective, group: Mapping[str, Any], state: dict[str, Any]
    ) -> tuple[Tensor, dict[str, Any]]:
        check_size(type(self).__name__, objective.start, 5, group["max_params"])
        (f, g), curvature = objective.curved_at(objective.start)
        values, vectors = torch.linalg.eigh(curvature.hessian())
        changes = {"hvps": state.get("hvps", 0) + curvature.products}
        model = _Model(objective, f, values, vectors, vectors.T @ g)
        if group["globalization"] == "trust_region":
            x, radius = model.within(state.get("radius", group["radius"]), float(group["lr"]))
            return x, {**changes, "radius": radius}
        return model.along(float(group["lr"]), searching=group["globalization"] is not None), changes


class _Model:
    """The quadratic model of the loss, in the basis of the Hessian's eigenvectors."""

    def __init__(self, objective: Objective, f: float, values: Tensor, vectors: Tensor, c: Tensor) -> None:
        self.objective, self.f, self.values, self.vectors, self.c = objective, f, values, vectors, c
        self.slack = noise(f, c.dtype)

    def along(self, t: float, searching: bool) -> Tensor:
        """Where the Newton direction leads, as far as η or a line search says."""
        sizes = self.values.abs()
        if searching:
            z = -self.c / sizes.clamp(min=max(1e-8 * float(sizes.max()), torch.finfo(sizes.dtype).tiny))
        else:
            tiny = torch.finfo(sizes.dtype).eps * math.sqrt(len(sizes)) * sizes.max()
            z = torch.where(sizes > tiny, -self.c / self.values, 0.0)
        x, d = self.objective.start, self.vectors @ z
        slope = float(self.c.dot(z))
        if searching and slope < 0:
            left = self.objective.left
            value = lambda t: self.objective.value(x.add(d, alpha=t))  # noqa: E731
            t = backtrack(value, self.f, slope, t, left=left, slack=self.slack)
        return x.add(d, alpha=t)

    def within(self, radius: float, rate: float) -> tuple[Tensor, float]:
        """Where the model is least within the radius, if the loss agrees; and the next radius."""
        x = self.objective.start
        while self.objective.left > 0:
            z, on_boundary = solve(self.values, self.c, radius)
            z = rate * z
            there = x + self.vectors @ z.to(self.vectors.dtype).to(self.vectors.device)
            predicted = -float((z * (self.c.cpu() + 0.5 * self.values.cpu() * z)).sum())
            if predicted <= 0:
                break
            actual = self.f - self.objective.value(there)
            ratio = (actual + self.slack) / (predicted + self.slack)
            radius = resized(radius, ratio, on_boundary)
            if accepted(ratio):
                return there, radius
        return x, radius
