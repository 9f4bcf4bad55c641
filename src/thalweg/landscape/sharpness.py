"""The sharpness that an optimizer sees, against the one at which its steps grow."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from thalweg.engine.options import check_value
from thalweg.errors import UserError
from thalweg.landscape.eigen import LEAST
from thalweg.landscape.lanczos import Lanczos
from thalweg.landscape.plain import as_dict
from thalweg.landscape.probes import whole
from thalweg.landscape.progress import progress
from thalweg.landscape.stability import METHODS, Method
from thalweg.landscape.surface import Kind, Surface
from thalweg.landscape.words import number

__all__ = ["Sharpness", "sharpness"]

Multiply = Callable[[Tensor], Tensor]
Moved = Mapping[int, tuple[dict[str, Any], dict[str, Any]]]
EDGE = (0.8, 1.25)
"""Ratios of the sharpness to the threshold that count as being at it."""


@dataclass(frozen=True)
class Sharpness:
    """The largest eigenvalue of the preconditioned Hessian.

    Attributes:
        value: s; None if it is not known.
        error: an eigenvalue lies within it of s.
        threshold: s*, above which steps grow on the quadratic model; None if it is not known.
        ratio: s / s*.
        rule: s* as a formula, or why there is no number.
        optimizer: the optimizer's class.
        lr: η, the largest learning rate of its groups.
    """

    value: float | None
    error: float | None
    threshold: float | None
    ratio: float | None
    rule: str
    optimizer: str
    lr: float

    def describe(self) -> str:
        """The number, the threshold and what their ratio means."""
        if self.value is None or self.error is None:
            return f"The sharpness that {self.optimizer} sees is not known: {self.rule}."
        sure = f" ± {self.error:.1g}" if self.error > 1e-4 * abs(self.value) else ""
        known = f"The sharpness that {self.optimizer} sees is {number(self.value)}{sure}"
        if self.threshold is None or self.ratio is None:
            return f"{known}; its threshold is not known: {self.rule}."
        against = f"{known}, {number(self.ratio, 2)} of its threshold {number(self.threshold)} = {self.rule}"
        if self.ratio < EDGE[0]:
            return f"{against}: at the learning rate {self.lr:.3g} steps are stable."
        if self.ratio <= EDGE[1]:
            return (
                f"{against}: if the loss is falling this is the edge of stability, where training usually "
                "settles, and no fault."
            )
        return (
            f"{against}: at the learning rate {self.lr:.3g} steps overshoot along that direction until they "
            "reach flatter ground or diverge; if the loss is rising, lower the rate."
        )

    def to_dict(self) -> dict[str, Any]:
        """Numbers and words."""
        return as_dict(self)


def sharpness(
    surface: Surface,
    optimizer: torch.optim.Optimizer,
    *,
    tolerance: float = 0.01,
    max_products: int = 200,
    product: Kind = "hessian",
    seed: int = 0,
) -> Sharpness:
    r"""Measure the sharpness of a surface as an optimizer sees it, and compare it with its threshold.

    .. math:: s = λ_\max \left( P^{-1/2} (H + Λ) P^{-1/2} \right)

    where P is the diagonal by which the optimizer divides its step, from its present state (the identity for
    SGD), and Λ the coupled weight decay. Adam's is that of the source, with the correction of both averages:
    :math:`P = (1 - β_1^t) (\sqrt{v / (1 - β_2^t)} + ε)`. Rates that differ between groups go into P, relative
    to the largest, η. While P changes slowly, steps shrink on the quadratic model of the surface where s < s*
    and grow where s > s*:

    | optimizer | s* |
    |---|---|
    | gradient descent, AdaGrad, RMSprop, AdaDelta | 2/η |
    | heavy ball (also RMSprop with momentum) | 2(1 + β)/η |
    | Nesterov | 2(1 + β)/((1 + 2β)η) |
    | Adam, AdamW, AMSGrad, Adamax, RAdam | (2 + 2β₁)/((1 - β₁)η) |
    | NAdam | from its present weights of gradient and average |

    The sharpness of a network rises during training until it is at s* and stays there while the loss falls:
    the edge of stability, not a fault. Left out are decoupled weight decay, which multiplies s* by
    1 - ηλ/2, and the noise of minibatches, which keeps the sharpness lower. Parameters that the optimizer
    does not hold, or has not stepped yet, do not move and count as fixed. Source: Cohen et al. 2022, arXiv
    2207.14484, section 2 and appendix A; Cohen et al. 2021, arXiv 2103.00065.

    Args:
        surface: the surface, measured where its model stands.
        optimizer: one of `thalweg.optim` or `torch.optim`, that trains this model; its state is read only.
        tolerance: the relative residual at which the eigenvalue counts as found.
        max_products: give up after so many products with the Hessian.
        product: which matrix; see `Surface.products`.
        seed: of the first vector.

    Raises:
        UserError: it is no optimizer, or holds no parameter of the surface.

    >>> model = torch.nn.Linear(2, 1, bias=False)
    >>> data = torch.diag(torch.tensor([1.0, 50.0]).sqrt())
    >>> surface = Surface(model, lambda model, x: model(x).square().mean(), data)
    >>> found = sharpness(surface, torch.optim.SGD(model.parameters(), lr=0.01))
    >>> round(found.value, 3), found.threshold, found.rule
    (50.0, 200.0, '2/η')
    """
    check_value("sharpness", "tolerance", tolerance, "(0, 1)")
    whole("sharpness", "max_products", max_products, 1)
    moved = _moved(surface, optimizer)
    lr = max(float(group["lr"]) for group, _ in moved.values())
    method = METHODS.get(type(optimizer))
    metric = _metric(surface, optimizer, moved, method, lr)
    name = type(optimizer).__name__
    if metric is None:
        return Sharpness(
            None, None, None, None, f"{name} has not taken a step and has no scale yet", name, lr
        )
    with surface.hold(optimizer), surface.products(product) as multiply:
        found = _largest(metric.around(multiply), metric.start(seed), seed, tolerance, max_products)
    if isinstance(found, str):
        return Sharpness(None, None, None, None, found, name, lr)
    threshold, rule = _threshold(optimizer, moved, method, lr)
    ratio = None if threshold is None else found[0] / threshold
    return Sharpness(*found, threshold, ratio, rule, name, lr)


def _moved(surface: Surface, optimizer: Any) -> dict[int, tuple[dict[str, Any], dict[str, Any]]]:
    """The optimizer's group and state for those parameters of the surface that it holds, by their place."""
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise UserError(f"sharpness: {optimizer!r} is no torch.optim.Optimizer")
    groups = {id(p): group for group in optimizer.param_groups for p in group["params"]}
    states = optimizer.state
    moved = {
        index: (groups[id(p)], states.get(p, {}))
        for index, p in enumerate(surface.parameters)
        if id(p) in groups
    }
    if not moved:
        raise UserError(
            "sharpness: the optimizer holds no parameter of this model that requires a gradient; give the "
            "one that trains it"
        )
    return moved


@dataclass(frozen=True, eq=False)
class _Metric:
    """P^(-1/2) and the coupled decay Λ, both diagonal, (n,)."""

    scale: Tensor
    decay: Tensor

    def start(self, seed: int) -> Tensor:
        """A random vector of what moves."""
        generator = torch.Generator().manual_seed(seed)
        start = torch.randn(self.scale.shape, generator=generator, dtype=self.scale.dtype)
        return start.to(self.scale.device) * (self.scale > 0)

    def around(self, multiply: Multiply) -> Multiply:
        """Products with P^(-1/2) (H + Λ) P^(-1/2)."""

        def preconditioned(vector: Tensor) -> Tensor:
            scaled = self.scale * vector
            return self.scale * (multiply(scaled) + self.decay * scaled)

        return preconditioned


def _metric(
    surface: Surface, optimizer: torch.optim.Optimizer, moved: Moved, method: Method | None, lr: float
) -> _Metric | None:
    """The optimizer's metric; None if nothing has a scale. An unknown optimizer gets the Hessian itself."""
    scales: list[Tensor | None] = [None] * len(surface.parameters)
    decays: list[Tensor | None] = [None] * len(surface.parameters)
    for index, (group, state) in moved.items():
        one = torch.ones_like(surface.parameters[index].detach())
        if method is None:
            scales[index] = one
            continue
        decays[index] = one * _coupled_decay(optimizer, group)
        if method.scale is None or float(state.get("step", 0)) > 0:
            relative = float(group["lr"]) / lr if lr else 1.0
            inverse = relative * (one.double() if method.scale is None else 1 / method.scale(group, state))
            scales[index] = inverse.sqrt().nan_to_num(posinf=0.0)  # nothing to divide by: it never moved
    if all(scale is None for scale in scales):
        return None
    return _Metric(surface.flat(scales), surface.flat(decays))


def _coupled_decay(optimizer: torch.optim.Optimizer, group: Mapping[str, Any]) -> float:
    """λ where it enters the gradient."""
    decoupled = isinstance(optimizer, torch.optim.AdamW) or group.get("decoupled_weight_decay", False)
    return 0.0 if decoupled else float(group.get("weight_decay", 0))


def _largest(
    multiply: Multiply, start: Tensor, seed: int, tolerance: float, max_products: int
) -> tuple[float, float] | str:
    """The largest eigenvalue and its residual, or why it is not known."""
    limit = min(max_products, int((start != 0).sum()))
    if not limit:
        return "nothing that it holds can move"
    generator = torch.Generator().manual_seed(seed + 1)  # what `start` was drawn from would give it again
    recurrence = Lanczos(multiply, start, generator)
    with progress("sharpness", limit) as advance:
        for _ in range(limit):
            recurrence.step()
            advance()
            if not np.isfinite(recurrence.alphas[-1] + recurrence.betas[-1]):
                return "a product with the Hessian was infinite or NaN"
            values, _, tails, strays = recurrence.ritz()
            residual = math.hypot(tails[-1], strays[-1])
            needed = tolerance * max(abs(values[-1]), tolerance * float(np.abs(values).max()))
            if residual <= needed and len(recurrence) >= min(LEAST, limit):
                return float(values[-1]), residual
    return f"Lanczos' method did not converge in {limit} products; allow more or a larger tolerance"


def _threshold(
    optimizer: torch.optim.Optimizer, moved: Moved, method: Method | None, lr: float
) -> tuple[float | None, str]:
    """The threshold and its formula, or None and why there is none."""
    name = type(optimizer).__name__
    if method is None:
        return (
            None,
            f"no stability rule for {name} is known here, and the value is that of the Hessian itself",
        )
    if any(group.get("maximize") for group, _ in moved.values()):
        return None, f"{name} climbs (maximize)"
    if lr == 0:
        return None, "its learning rate is 0"
    found = {
        method.momentum(group, state)
        for group, state in moved.values()
        if method.scale is None or float(state.get("step", 0)) > 0
    }
    momentum = found.pop()
    if momentum is None:
        return None, f"{name} searches the length of each step"
    if found:
        return None, "its parameters differ in momentum, so that there is no single threshold"
    note = " (its transforms are left out)" if getattr(optimizer, "transforms", ()) else ""
    return momentum.threshold(lr), momentum.rule + note
