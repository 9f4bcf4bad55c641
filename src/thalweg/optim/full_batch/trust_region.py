"""Trust regions: the least value of a quadratic model within a distance, and how the distance adapts.

The model of the loss around x is m(p) = g · p + ½ p · H p, with gradient g and Hessian H.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Step", "accepted", "resized", "solve", "steihaug"]

MAX_RADIUS = 1000.0
LEAST_RATIO = 0.15


def accepted(ratio: float) -> bool:
    """Whether a step is taken: its decrease is more than 0.15 of the model's (η in algorithm 4.1)."""
    return ratio > LEAST_RATIO


def resized(radius: float, ratio: float, on_boundary: bool) -> float:
    """The next radius Δ (Nocedal & Wright 2006, algorithm 4.1).

    A quarter where the loss decreased by less than a quarter of what the model said (or became NaN), twice,
    up to 1000, where it decreased by more than three quarters and the step went to the boundary.
    """
    if not ratio >= 0.25:
        return radius / 4
    return min(2 * radius, MAX_RADIUS) if ratio > 0.75 and on_boundary else radius


def solve(eigenvalues: Tensor, c: Tensor, radius: float) -> tuple[Tensor, bool]:
    r"""The exact minimizer of the model within a ball, in the basis of the Hessian's eigenvectors.

    .. math:: z_i = -\frac{c_i}{λ_i + μ}, \qquad μ ≥ \max(0, -λ_1), \qquad \|z\| = Δ \text{ or } μ = 0

    In the hard case, where g has no part along the lowest eigenvectors and the others do not reach the
    boundary, the rest of the way is gone along the lowest one, if λ₁ < 0: so a saddle is left. Along flat
    directions (λ₁ = 0), where g is nothing but rounding, it does not move. Source: Moré & Sorensen 1983;
    Nocedal & Wright 2006, theorem 4.1 and the section "The Hard Case" after algorithm 4.3.

    >>> import torch
    >>> z, _ = solve(torch.tensor([-2.0, 2.0]), torch.tensor([0.0, 0.0]), 0.5)  # the very middle of a saddle
    >>> z.tolist()
    [0.5, 0.0]

    Args:
        eigenvalues: λ of H, ascending, of shape (n,).
        c: the coefficients of g in the eigenvectors, of shape (n,).
        radius: Δ.

    Returns:
        The coefficients z of the step, in float64 on the CPU, and whether it is on the boundary.
    """
    tiny = torch.finfo(eigenvalues.dtype).eps * math.sqrt(len(eigenvalues))  # how rounding shows in λ
    values, c = eigenvalues.cpu().double(), c.cpu().double()
    lowest, size, scale = float(values[0]), float(c.norm()), float(values.abs().max())
    gaps = values - lowest
    bottom = gaps <= tiny * scale
    convex = lowest > tiny * scale
    if not convex and float(c[bottom].norm()) <= tiny * max(size, scale):
        along = -1.0 if c[0] > 0 else 1.0
        c = c.masked_fill(bottom, 0.0)
    else:
        along = 0.0

    def at(shift: float) -> Tensor:
        """The step for a shift counted from the least one, σ = μ + λ₁: λ + μ = gap + σ loses no digits."""
        return torch.where(c == 0, 0.0, -c / (gaps + shift))

    least = max(lowest, 0.0)
    if convex or along:
        z = at(least)
        length = float(z.norm())
        if length <= radius and lowest < -tiny * scale:
            z[0] = along * math.sqrt(radius**2 - length**2)
            return z, True
        if length <= radius:
            return z, False
    return at(_shift(lambda s: float(at(s).norm()), least, least + size / radius, radius)), True


def _shift(length: Callable[[float], float], low: float, high: float, radius: float) -> float:
    """The shift at which the step has the radius's length, which falls as the shift grows, by bisection."""
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if length(middle) > radius else (low, middle)
    return high


class Step(NamedTuple):
    """A step of the conjugate gradients.

    Attributes:
        p: the step, of shape (n,).
        slope: g · p.
        bend: p · H p.
        on_boundary: whether ‖p‖ = Δ.
    """

    p: Tensor
    slope: float
    bend: float
    on_boundary: bool = False


def steihaug(g: Tensor, product: Callable[[Tensor], Tensor], radius: float, max_iter: int) -> Step:
    r"""A step by conjugate gradients on H p = -g, cut off at the boundary or at negative curvature.

    It stops when the residual is below min(½, √‖g‖) ‖g‖, which makes the method converge faster than
    linearly. Along a direction of negative curvature it goes to the boundary, to the lower of its two ends;
    with an infinite radius it returns what it has, which at first is -g. Source: Nocedal & Wright 2006,
    algorithms 7.2 (Steihaug 1983) and, for an infinite radius, 7.1.

    Args:
        g: the gradient, of shape (n,).
        product: v ↦ H v.
        radius: Δ, may be infinite.
        max_iter: how many products at most.
    """

    def step(z: Tensor, hz: Tensor, on_boundary: bool = False) -> Step:
        return Step(z, float(g.dot(z)), float(z.dot(hz)), on_boundary)

    size = float(g.norm())
    tolerance = min(0.5, math.sqrt(size)) * size
    z, hz, r, d = torch.zeros_like(g), torch.zeros_like(g), g, -g
    rr = size * size
    for i in range(max_iter if size else 0):
        hd = product(d)
        bend = float(d.dot(hd))
        if bend <= 0 and math.isinf(radius):
            return step(z, hz) if i else step(d, hd)
        taken = z + (rr / bend) * d if bend > 0 else None
        if taken is None or float(taken.norm()) >= radius:
            ends = _to_boundary(z, d, radius)[: 2 if taken is None else 1]
            steps = [step(z + tau * d, hz + tau * hd, True) for tau in ends]
            return min(steps, key=lambda s: s.slope + 0.5 * s.bend)
        z, hz, r = taken, hz + (rr / bend) * hd, r + (rr / bend) * hd
        rr, before = float(r.dot(r)), rr
        if math.sqrt(rr) < tolerance:
            break
        d = (rr / before) * d - r
    return step(z, hz)


def _to_boundary(z: Tensor, d: Tensor, radius: float) -> tuple[float, float]:
    """The two τ with ‖z + τ d‖ = Δ, the positive one first."""
    a, b, c = float(d.dot(d)), float(z.dot(d)), float(z.dot(z)) - radius**2
    root = math.sqrt(b * b - a * c)
    return (root - b) / a, (-root - b) / a
