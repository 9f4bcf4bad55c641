"""How ill-conditioned a surface is: its largest curvature over its smallest."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from thalweg.engine.options import check_value
from thalweg.errors import UserError
from thalweg.landscape.eigen import Eigenpairs
from thalweg.landscape.ends import ends
from thalweg.landscape.plain import as_dict
from thalweg.landscape.surface import Kind, Surface
from thalweg.landscape.words import count, number

__all__ = ["Condition", "condition"]

SURE = 0.1
"""A smallest curvature that is known to this share of itself gives a condition number."""


@dataclass(frozen=True)
class Condition:
    """The condition number of the Hessian, where it has one.

    Attributes:
        number: κ, or None if the smallest curvature is negative, zero within its residual, or not known.
        largest: the largest eigenvalue, or None if Lanczos' method did not converge.
        smallest: the smallest one, or None.
        residual: an eigenvalue lies within it of each of the two.
        positive_only: whether all curvatures are positive beyond the residual; None if that is not known.
        with_l2: for each penalty λ/2 |w|² that was asked for, λ and the condition number with it, or None.
    """

    number: float | None
    largest: float | None
    smallest: float | None
    residual: float | None
    positive_only: bool | None
    with_l2: list[tuple[float, float | None]]

    def describe(self) -> str:
        """What the number is and means, or why there is none."""
        if self.largest is None or self.smallest is None or self.residual is None:
            return "The condition number is not known: the ends of the spectrum did not converge."
        between = f"largest curvature {number(self.largest)}, smallest {number(self.smallest)}"
        if self.number is not None:
            return (
                f"The condition number is {number(self.number)} ({between}): gradient descent at its best "
                f"rate needs about {count(self._steps(), 'step')} to shrink the slowest error by a factor e."
                f"{self._regularized()}"
            )
        if self.smallest < -self.residual:
            why = "the surface curves downwards along some direction"
        elif self.smallest <= self.residual:
            why = f"the smallest is zero within its residual of {self.residual:.2g}, a flat direction"
        else:
            why = f"the smallest is known only to ± {self.residual:.2g}"
        return f"There is no finite condition number ({between}): {why}.{self._regularized()}"

    def _steps(self) -> int:
        """At the rate 2 / (λ_max + λ_min) a step shrinks the slowest error by (κ - 1) / (κ + 1)."""
        if self.number is None or self.number <= 1:
            return 1
        return max(1, round(1 / math.log((self.number + 1) / (self.number - 1))))

    def _regularized(self) -> str:
        known = [f"{number(value, 3)} with λ = {l2:g}" for l2, value in self.with_l2 if value is not None]
        return f" An L2 penalty λ/2 |w|² makes it {', '.join(known)}." if known else ""

    def to_dict(self) -> dict[str, Any]:
        """Numbers alone."""
        return as_dict(self)


def condition(
    surface: Surface,
    l2: Sequence[float] = (1e-4, 1e-3, 1e-2),
    *,
    pairs: Eigenpairs | None = None,
    product: Kind = "hessian",
    seed: int = 0,
) -> Condition:
    r"""Measure the condition number of the Hessian, and what an L2 penalty makes of it.

    .. math:: κ = \frac{λ_\max}{λ_\min}, \qquad κ(λ) = \frac{λ_\max + λ}{λ_\min + λ}

    A penalty λ/2 \|w\|² adds λ to every eigenvalue. There is a number only where the Hessian is positive
    definite, with λ_min known to a tenth of itself; in a network with more weights than data, where many
    eigenvalues are 0, or between minima, where some are negative, only the penalized one exists. Up to 512
    coordinates the whole Hessian is computed, else Lanczos' method finds both ends. A penalty that is part of
    the surface's loss already counts in κ.

    Args:
        surface: the surface, measured where its model stands.
        l2: strengths λ of penalties to try.
        pairs: ``eigenpairs(surface, which="both")`` at this point, if it is there already.
        product: which matrix, without them; see `Surface.products`.
        seed: of the first vector.

    Raises:
        UserError: a strength is negative or not finite, or the pairs are not those of both ends.

    >>> import torch
    >>> model = torch.nn.Linear(2, 1, bias=False)
    >>> data = torch.diag(torch.tensor([1.0, 50.0]).sqrt())
    >>> surface = Surface(model, lambda model, x: model(x).square().mean(), data)
    >>> found = condition(surface, l2=[1.0])
    >>> round(found.number, 3), [round(number, 3) for _, number in found.with_l2]
    (50.0, [25.5])
    """
    if not isinstance(l2, list | tuple):
        raise UserError(f"condition: l2 is a list of strengths, such as [1e-3, 1e-2], got {l2!r}")
    for strength in l2:
        check_value("condition", "l2", strength, "[0, inf)")
    found = both_ends("condition", surface, pairs, product, seed)
    if not found.outermost:
        return Condition(None, None, None, None, None, [(float(strength), None) for strength in l2])
    smallest, largest = float(found.values[0]), float(found.values[-1])
    residual = float(found.residuals[[0, -1]].max())
    return Condition(
        number=_quotient(largest, smallest, residual),
        largest=largest,
        smallest=smallest,
        residual=residual,
        positive_only=smallest > residual if abs(smallest) > residual else None,
        with_l2=[(float(s), _quotient(largest + s, smallest + s, residual)) for s in l2],
    )


def both_ends(owner: str, surface: Surface, pairs: Eigenpairs | None, product: Kind, seed: int) -> Eigenpairs:
    """Return the given pairs, or measure them.

    Raises:
        UserError: the given ones are not those of both ends of this surface.
    """
    if pairs is None:
        return ends(surface, product, seed)
    if pairs.which != "both" or len(pairs.vectors) != surface.dimension:
        raise UserError(
            f'{owner}: pairs must be what eigenpairs(surface, which="both") gave for this surface; these are '
            f'"{pairs.which}", with vectors of {len(pairs.vectors)} coordinates for {surface.dimension}'
        )
    return pairs


def _quotient(largest: float, smallest: float, residual: float) -> float | None:
    return largest / smallest if smallest > 0 and residual <= SURE * smallest else None
