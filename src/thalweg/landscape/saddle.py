"""Minimum, saddle or slope: what kind of place the model stands at, and the way out of it."""

import dataclasses
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from thalweg.engine.options import check_value
from thalweg.landscape.condition import both_ends
from thalweg.landscape.eigen import Eigenpairs, eigenpairs
from thalweg.landscape.plain import as_dict
from thalweg.landscape.surface import Kind, Surface
from thalweg.landscape.words import number

__all__ = ["Saddle", "saddle"]

STEPS = (1e-3, 1e-2, 1e-1)
"""Lengths of the steps that are tried, as shares of the weights' norm (or of 1, where that is more)."""
SEEN = 32
"""A loss has fallen if it did so by this many rounding units."""
ROUGH = 0.5
"""Relative residual of the curvature that a gradient is judged by where the ends did not converge."""
Extreme = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Saddle:
    """What kind of point it is.

    Attributes:
        kind: "minimum", "maximum", "saddle", "slope" (the gradient is not small) or "undecided".
        reason: why, in one sentence.
        smallest: the smallest eigenvalue and its residual; None if it did not converge.
        largest: the largest one and its residual, or None.
        gradient_norm: the length of the gradient.
        direction: the way out, of length 1, (n,): along the most negative curvature, with the sign along
            which the loss was seen to fall; None where there is none.
        step: how far the step went that was tried along it.
        descent: by how much the loss fell there.
    """

    kind: str
    reason: str
    smallest: Extreme | None
    largest: Extreme | None
    gradient_norm: float
    direction: Tensor | None
    step: float | None
    descent: float | None

    def describe(self) -> str:
        """The verdict, why, and the way out."""
        verdict = {"undecided": "Undecided", "slope": "A slope"}.get(self.kind, f"A {self.kind}")
        out = ""
        if self.descent is not None:
            out = f" A step of {self.step:.2g} along that direction lowered the loss by {self.descent:.3g}."
        return f"{verdict}: {self.reason}.{out}"

    def to_dict(self) -> dict[str, Any]:
        """Everything but the direction."""
        return as_dict(self, "direction")


def saddle(
    surface: Surface,
    *,
    gradient_tolerance: float = 1e-3,
    fraction: float = 1e-3,
    pairs: Eigenpairs | None = None,
    product: Kind = "hessian",
    seed: int = 0,
) -> Saddle:
    r"""Say whether the model stands at a minimum, a saddle or a maximum, or on a slope.

    With the eigenvalues λ_min and λ_max of the Hessian, their residuals r, and the weights w:

    - *slope*: :math:`\|g\| > τ \max|λ| \max(1, \|w\|)`: even along the steepest curvature it is further than
      the share τ of the weights to where the gradient vanishes. The gradient is then the way down. Where
      the ends did not converge, max|λ| is a rough upper estimate: a residual of half its value will do.
    - *minimum*: :math:`λ_\min > r`; *maximum*: :math:`λ_\max < -r`.
    - *saddle*: :math:`λ_\min < -\max(r, f \max|λ|)` and :math:`λ_\max > r`, and the loss was seen to bend
      down along the eigenvector v of λ_min: for a small step t,
      :math:`L(w + t v) + L(w - t v) < 2 L(w)` by more than rounding.
    - *undecided*: anything else. Where the curvature vanishes along some direction, as at a monkey saddle,
      second derivatives do not decide; nor do they where Lanczos' method did not converge.

    Args:
        surface: the surface, measured where its model stands.
        gradient_tolerance: τ.
        fraction: f, below which a negative curvature counts as flat.
        pairs: ``eigenpairs(surface, which="both")`` at this point, if it is there already.
        product: which matrix, without them; see `Surface.products`.
        seed: of the first vector.

    Raises:
        UserError: an argument is out of its range, or the pairs are not those of both ends.

    >>> from torch import nn
    >>> class Point(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.w = nn.Parameter(torch.zeros(2))
    >>> surface = Surface(Point(), lambda m, _: m.w[0] ** 2 - m.w[1] ** 2, torch.zeros(1))
    >>> found = saddle(surface)
    >>> found.kind, found.smallest[0], found.direction.abs()
    ('saddle', -2.0, tensor([0., 1.], dtype=torch.float64))
    """
    check_value("saddle", "gradient_tolerance", gradient_tolerance, "(0, inf)")
    check_value("saddle", "fraction", fraction, "[0, 1)")
    with surface.hold():
        loss, gradient = surface.gradient()
        norm = float(gradient.double().norm())
        found = both_ends("saddle", surface, pairs, product, seed)
        point = surface.point()
        small = _Small(gradient_tolerance, _scale(point))
        if not found.outermost:
            kind, reason = _without_ends(norm, _rough(surface, found, product, seed), small)
            return Saddle(kind, reason, None, None, norm, None, None, None)
        extremes = _extreme(found, 0), _extreme(found, -1)
        kind, reason = _verdict(*extremes, norm, small, fraction)
        verdict = Saddle(kind, reason, *extremes, norm, None, None, None)
        low, error = extremes[0]
        if kind == "slope" or low >= -error:
            return verdict
        return _escape(surface, verdict, point, found.vectors[:, 0], loss)


def _extreme(found: Eigenpairs, index: int) -> Extreme:
    return float(found.values[index]), float(found.residuals[index])


class _Small(NamedTuple):
    """Up to where a gradient counts as small."""

    share: float
    weights: float

    def limit(self, curvature: float) -> float:
        """The limit where the steepest curvature is this one."""
        return self.share * self.weights * curvature

    def told(self, norm: float, curvature: float) -> str:
        """The gradient's length beside the limit, and what the limit is made of."""
        side = "above" if norm > self.limit(curvature) else "of at most"
        return (
            f"{norm:.3g}, {side} {self.limit(curvature):.2g}, which is {self.share:.2g} × the curvature "
            f"{curvature:.2g} × the weights' length {self.weights:.2g}"
        )


def _rough(surface: Surface, found: Eigenpairs, product: Kind, seed: int) -> float | None:
    """An upper estimate of the steepest curvature where the ends did not converge; None without any."""
    top = eigenpairs(surface, 1, "magnitude", ROUGH, product, seed=seed)
    seen = torch.cat([pairs.values.abs() + pairs.residuals for pairs in (found, top)])
    return float(seen.max()) if len(seen) else None


def _without_ends(norm: float, curvature: float | None, small: _Small) -> tuple[str, str]:
    """A gradient that is not small needs no more than a rough curvature to be judged by."""
    unknown = "the ends of the spectrum did not converge"
    if curvature is None or norm <= small.limit(curvature):
        return "undecided", unknown
    return "slope", (
        f"the gradient is not small ({small.told(norm, curvature)}; {unknown}, so that this is a rough "
        "estimate); it is the way down"
    )


def _verdict(
    smallest: Extreme, largest: Extreme, norm: float, small: _Small, fraction: float
) -> tuple[str, str]:
    (low, low_error), (high, high_error) = smallest, largest
    curvature = max(abs(low), abs(high))
    ends = f"curvatures from {number(low)} to {number(high)}"
    if norm > small.limit(curvature):
        return "slope", (
            f"the gradient is not small ({small.told(norm, curvature)}; {ends}); it is the way down"
        )
    here = f"the gradient is small ({small.told(norm, curvature)})"
    if low > low_error:
        return "minimum", f"{here} and all curvatures are positive, from {number(low)} to {number(high)}"
    if high < -high_error:
        return "maximum", f"{here} and all curvatures are negative, from {number(low)} to {number(high)}"
    if low < -max(low_error, fraction * curvature):
        if high > high_error:
            return "saddle", f"{here} and the surface curves both ways, {ends}"
        return (
            "undecided",
            f"{here}, no curvature is positive and some are zero within their residuals, {ends}",
        )
    if high <= high_error:
        return "undecided", f"{here} and all curvature vanishes; second derivatives do not decide here"
    return "undecided", (
        f"{here} and the smallest curvature, {low:.2g} ± {low_error:.1g}, cannot be told from zero beside "
        f"the largest, {number(high)}; second derivatives do not decide along flat directions"
    )


def _escape(surface: Surface, verdict: Saddle, point: Tensor, vector: Tensor, loss: float) -> Saddle:
    """The verdict with a step down that was taken and seen, or without one."""
    rounding = SEEN * torch.finfo(surface.dtype).eps * abs(loss)
    along = vector.to(point)
    for share in STEPS:
        t = share * _scale(point)
        ahead, behind = surface.value(point + t * along), surface.value(point - t * along)
        if (ahead + behind) / 2 < loss - rounding:
            sign, drop = (1, loss - ahead) if ahead <= behind else (-1, loss - behind)
            return dataclasses.replace(verdict, direction=sign * vector, step=t, descent=drop)
    unseen = f"{verdict.reason}, but along the most negative one the loss was not seen to bend down"
    return dataclasses.replace(verdict, kind="undecided", reason=unseen)


def _scale(point: Tensor) -> float:
    """The length of the weights, or 1 where that is more."""
    return max(1.0, float(point.double().norm()))
