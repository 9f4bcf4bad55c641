"""Newton's method without the Hessian: conjugate gradients on products with it."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor

from thalweg.optim.full_batch.base import FullBatch
from thalweg.optim.full_batch.line_search import backtrack, noise
from thalweg.optim.full_batch.objective import Objective, Value
from thalweg.optim.full_batch.trust_region import Step, accepted, resized, steihaug

__all__ = ["NewtonCG"]


class NewtonCG(FullBatch):
    r"""Newton-CG: Newton's step by conjugate gradients, stopped early; O(n) memory.

    .. math:: θ_{t+1} = θ_t + η p, \qquad \|H p + g\| ≤ \min(\tfrac12, \sqrt{\|g\|}) \, \|g\|

    H v comes from differentiating g · v, at about two gradients; n × n numbers are never stored. The residual
    asked for falls with the gradient, so convergence is faster than linear. Where a direction of negative
    curvature turns up, conjugate gradients end (`globalization`):

    - ``"trust_region"``: there, or on leaving ‖p‖ ≤ Δ, p goes to the boundary; the step is taken if the loss
      decreases by more than 0.15 of what the model says, else Δ is quartered and another p computed. Source:
      Nocedal & Wright 2006, algorithms 7.2 (Steihaug 1983) and 4.1.
    - ``"line_search"``: p is what was found before, -g if nothing was; the step is halved from η until the
      loss decreases enough. Source: Nocedal & Wright 2006, algorithm 7.1.

    Where g = 0, at the very middle of a saddle, it stays: `Newton` does not. The closure is that of every
    method here; the loss that it returns is differentiated twice. A step costs one evaluation, up to `max_cg`
    products, and one evaluation for each p that is tried; with a trust region also one for each p after the
    first. Memory: some seven vectors of n numbers, and the graph of the gradient.

    Args:
        params: parameters or named parameters, all of them treated as one vector of n numbers.
        lr: η, the part of p that is taken or, with a line search, tried first.
        globalization: "trust_region" or "line_search".
        radius: Δ of the first step; then it adapts, up to 1000.
        max_cg: the most products with the Hessian for one p.
        max_eval: the most evaluations in a step.

    Raises:
        UserError: an option is out of its interval, or (at the step) the loss cannot be differentiated twice.
    """

    intervals: ClassVar[Mapping[str, str]] = {
        "lr": "[0, inf)",
        "radius": "(0, 1000]",
        "max_cg": "[1, inf)",
        "max_eval": "[2, inf)",
    }
    whole: ClassVar[frozenset[str]] = frozenset({"max_cg", "max_eval"})
    choices: ClassVar[Mapping[str, tuple[str | None, ...]]] = {
        "globalization": ("trust_region", "line_search")
    }
    remembers: ClassVar[Mapping[str, str]] = {"radius": "number", "hvps": "number"}

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1.0,
        globalization: str = "trust_region",
        radius: float = 1.0,
        max_cg: int = 100,
        max_eval: int = 25,
    ) -> None:
        defaults = {
            "lr": lr,
            "globalization": globalization,
            "radius": radius,
            "max_cg": max_cg,
            "max_eval": max_eval,
        }
        super().__init__(params, defaults)

    def _advance(
        self, objective: Objective, group: Mapping[str, Any], state: dict[str, Any]
    ) -> tuple[Tensor, dict[str, Any]]:
        search = _Search(objective, float(group["lr"]), group["max_cg"])
        if group["globalization"] == "trust_region":
            x, radius = search.within(state.get("radius", group["radius"]))
            changes = {"radius": radius}
        else:
            x, changes = search.along(), {}
        return x, {**changes, "hvps": state.get("hvps", 0) + search.products}


class _Search:
    """Directions from the start of a step, and the products that they took."""

    def __init__(self, objective: Objective, rate: float, max_cg: int) -> None:
        self.objective, self.rate, self.max_cg = objective, rate, max_cg
        self.products = 0

    def _direction(self, radius: float) -> tuple[Value, Step]:
        value, curvature = self.objective.curved_at(self.objective.start)
        step = steihaug(value.g, curvature.product, radius, self.max_cg)
        self.products += curvature.products
        return value, step

    def along(self) -> Tensor:
        """Where the truncated Newton direction leads, as far as the line search says."""
        x, value = self.objective.start, self.objective.value
        (f, _), (d, slope, _, _) = self._direction(math.inf)
        if slope == 0:
            return x
        slack, left = noise(f, x.dtype), self.objective.left
        t = backtrack(lambda t: value(x.add(d, alpha=t)), f, slope, self.rate, left=left, slack=slack)
        return x.add(d, alpha=t)

    def within(self, radius: float) -> tuple[Tensor, float]:
        """Where the model is least within the radius, if the loss agrees; and the next radius."""
        x = self.objective.start
        while self.objective.left >= 2:
            (f, _), (p, slope, bend, on_boundary) = self._direction(radius)
            predicted = -(self.rate * slope + 0.5 * self.rate**2 * bend)
            if predicted <= 0:
                break
            there, slack = x.add(p, alpha=self.rate), noise(f, x.dtype)
            ratio = (f - self.objective.value(there) + slack) / (predicted + slack)
            radius = resized(radius, ratio, on_boundary)
            if accepted(ratio):
                return there, radius
        return x, radius
