"""The extreme eigenvalues of a surface's curvature, with bounds."""

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from thalweg.errors import UserError
from thalweg.landscape.interrupted import Interrupted
from thalweg.landscape.lanczos import Array, Lanczos
from thalweg.landscape.products import hessian
from thalweg.landscape.progress import progress
from thalweg.landscape.secants import RefutedError, Thrifty
from thalweg.landscape.surface import Kind, Surface
from thalweg.landscape.words import count

__all__ = ["Eigenpairs", "eigenpairs"]

Which = Literal["magnitude", "largest", "smallest", "both"]
NEAR = 10.0
"""A pair whose residual is so many bounds has about the value that it will have."""
LEAST = 10
"""Products at least: earlier, the method may have settled on another eigenvalue than the outermost."""
CHOICES = ("magnitude", "largest", "smallest", "both")


@dataclass(frozen=True, eq=False)
class Eigenpairs:
    """Eigenvalues at the ends of a spectrum, those that converged.

    Attributes:
        values: λ, in order of what was asked (the largest magnitude first; ascending for ``"both"``), (k,).
        vectors: of length 1, one a column, (n, k).
        residuals: |H v - λ v| of each: an eigenvalue lies within it of λ, (k,).
        products: how many products with vectors it took.
        converged: whether all that were asked for are here.
        tolerance: what was asked for.
        which: which end.
        outermost: whether the first that was asked for is here, for ``"both"`` the smallest and the largest;
            these converge before the others.
        differences: how many of the products were differences of gradients.
    """

    values: Tensor
    vectors: Tensor
    residuals: Tensor
    products: int
    converged: bool
    tolerance: float
    which: str
    outermost: bool
    differences: int = 0

    def describe(self) -> str:
        """Say the eigenvalues with their bounds."""
        pairs = zip(self.values.tolist(), self.residuals.tolist(), strict=True)
        found = ", ".join(f"{v:.4g}" + f" ± {r:.1g}" * (r > 1e-4 * abs(v)) for v, r in pairs)
        where = {"both": "at both ends", "magnitude": "largest in magnitude"}.get(self.which, self.which)
        if self.converged:
            of_them = f", {self.differences} of them differences of gradients" * bool(self.differences)
            return f"Eigenvalues ({where}): {found}; {count(self.products, 'product')}{of_them}."
        some = f"only {found} did" if found else "none did"
        return (
            f"The eigenvalues ({where}) did not all converge in {count(self.products, 'product')}: {some}; "
            "allow more products or a larger tolerance."
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything but the vectors, for JSON."""
        return {
            "values": self.values.tolist(),
            "residuals": self.residuals.tolist(),
            "products": self.products,
            "converged": self.converged,
            "tolerance": self.tolerance,
            "which": self.which,
            "outermost": self.outermost,
            "differences": self.differences,
        }


def eigenpairs(
    surface: Surface,
    k: int = 5,
    which: Which = "magnitude",
    tolerance: float = 0.01,
    product: Kind = "hessian",
    max_products: int = 200,
    seed: int = 0,
) -> Eigenpairs:
    r"""Find extreme eigenvalues of the curvature and their eigenvectors, by Lanczos' method.

    A pair (θ, y) counts as converged when

    .. math:: \|H y - θ y\|_2 ≤ τ \max(|θ|, τ ρ)

    where τ is the tolerance and ρ the largest magnitude seen: a relative residual of τ, and for eigenvalues
    near zero an absolute one. The recurrence is `thalweg.landscape.lanczos.Lanczos`; it begins with a random
    vector, since a vector that is orthogonal to an eigenvector never finds it.

    The bound says that an eigenvalue lies near θ, not that none was passed over: of two that are equal or
    differ by some percent one may still be hidden when the rest has converged. A smaller τ, or another seed,
    tells. It is the bound of the products as computed: in float32 their own rounding is usually below 1e-5,
    but can be percents where a network amplifies it; `Surface.in_float64` tells.

    With ``"hessian"``, products after the first are differences of gradients where these are cheaper and
    agree to a quarter of τ, see `thalweg.landscape.secants`. Values and residuals are then computed with
    exact products at the end; where a residual is too large, all begins anew with exact ones.

    Args:
        surface: what to measure, at the point where its model stands.
        k: how many; of each end for ``"both"``.
        which: ``"magnitude"`` (the largest absolute values), ``"largest"``, ``"smallest"``, ``"both"``.
        tolerance: τ.
        product: the matrix, see `Surface.product`.
        max_products: stop after so many steps, converged or not, each with one product. A check at the end
            takes one more for each pair.
        seed: of the first vector.

    Raises:
        UserError: an argument out of its range, or the surface refuses.
        Interrupted: Ctrl-C; `partial` has the pairs that had converged; a check takes its time even then.
    """
    _check(surface, k, which, tolerance, max_products)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise UserError(f"eigenpairs: seed is {seed!r}; it must be a whole number")
    n = surface.dimension
    ask = _Ask(k, which, tolerance, min(max_products, n), _wanted(n, k, which), seed)
    if product != "hessian":
        with surface.products(product) as multiply:
            return _search(surface, Thrifty(multiply), ask)
    with surface.hold(), hessian(surface) as exact:
        quick = Thrifty(exact, tolerance)
        try:
            found = _search(surface, quick, ask)
            if found.converged or not quick.differences or quick.products >= max_products:
                return found
        except RefutedError:
            pass
        again = _search(surface, Thrifty(exact), ask)
    return replace(again, products=quick.products + again.products, differences=quick.differences)


def nothing(surface: Surface, products: int, tolerance: float, which: str) -> Eigenpairs:
    """The result where a product was infinite or NaN."""
    none = torch.empty(0, dtype=torch.float64)
    vectors = torch.empty(surface.dimension, 0, dtype=torch.float64)
    return Eigenpairs(none, vectors, none, products, False, tolerance, which, False)


class _Ask(NamedTuple):
    """What is asked for, and how many pairs and steps that makes."""

    k: int
    which: str
    tolerance: float
    limit: int
    wanted: int
    seed: int


def _search(surface: Surface, multiply: Thrifty, ask: _Ask) -> Eigenpairs:
    generator = torch.Generator().manual_seed(ask.seed)
    start = torch.randn(surface.dimension, generator=generator, dtype=surface.dtype).to(surface.device)
    lanczos = Lanczos(multiply, start, generator)
    found: _Found | None = None
    with progress("eigenvalues", ask.limit) as advance:
        try:
            while found is None or not (lanczos.complete or found.ended or len(lanczos) >= ask.limit):
                lanczos.step()
                found = _found(lanczos, ask, multiply)
                if found is None:
                    return nothing(surface, multiply.products, ask.tolerance, ask.which)
                if found.refuted:
                    raise RefutedError
                advance()
        except KeyboardInterrupt as stop:
            if found is None:
                raise
            raise Interrupted(_result(lanczos, found, ask, multiply)) from stop
    return _result(lanczos, found, ask, multiply)


def _check(surface: Surface, k: int, which: str, tolerance: float, max_products: int) -> None:
    if which not in CHOICES:
        raise UserError(f"eigenpairs: which is {which!r}; choose one of {', '.join(CHOICES)}")
    if not (isinstance(k, int) and 1 <= k <= surface.dimension):
        raise UserError(
            f"eigenpairs: k is {k!r}; it must be a whole number from 1 to {surface.dimension}, the number of "
            "coordinates"
        )
    if not 0 < tolerance < 1:
        raise UserError(f"eigenpairs: tolerance is {tolerance!r}; it must lie between 0 and 1")
    if not (isinstance(max_products, int) and max_products >= 1):
        raise UserError(f"eigenpairs: max_products is {max_products!r}; it must be a whole number above 0")


def _wanted(dimension: int, k: int, which: str) -> int:
    return min(dimension, 2 * k if which == "both" else k)


def _chosen(values: Array, k: int, which: str) -> list[int]:
    """Indices of the wanted ends, in the order of the result; `values` ascend."""
    everything = list(range(len(values)))
    if which == "both":
        return everything if len(values) <= 2 * k else everything[:k] + everything[-k:]
    if which == "smallest":
        return everything[:k]
    if which == "largest":
        return everything[::-1][:k]
    return sorted(everything, key=lambda i: -abs(values[i]))[:k]


def _bounds(values: Array, tolerance: float, radius: float) -> Array:
    """Which residuals count as converged, for a spectrum of this radius."""
    return tolerance * np.maximum(np.abs(values), tolerance * radius)


class _Found(NamedTuple):
    """The wanted Ritz pairs after a step.

    Attributes:
        values, coordinates, residuals: theirs.
        good: which have converged.
        enough: whether there are as many as were asked for.
        radius: the largest magnitude seen.
        ended: whether all that were asked for have converged, or would but for rounding in the products.
        refuted: whether secants are too inexact for it.
    """

    values: Array
    coordinates: Array
    residuals: Array
    good: list[bool]
    enough: bool
    radius: float
    ended: bool
    refuted: bool


def _found(lanczos: Lanczos, ask: _Ask, multiply: Thrifty) -> _Found | None:
    if not np.isfinite(lanczos.alphas[-1]):
        return None
    values, coordinates, tails, strays = lanczos.ritz()
    radius = float(np.abs(values).max())
    chosen = _chosen(values, ask.k, ask.which)
    values, tails, strays = values[chosen], tails[chosen], strays[chosen]
    bounds = _bounds(values, ask.tolerance, radius)
    residuals, enough = np.hypot(tails, strays), len(chosen) == ask.wanted
    good = residuals + multiply.error <= bounds
    ended = enough and bool((tails + multiply.error <= bounds).all()) and len(lanczos) >= LEAST
    near = enough and bool((tails <= NEAR * bounds).all())
    refuted = near and multiply.differences > 0 and bool((strays + multiply.error > bounds).any())
    return _Found(values, coordinates[:, chosen], residuals, good.tolist(), enough, radius, ended, refuted)


def _result(lanczos: Lanczos, found: _Found, ask: _Ask, multiply: Thrifty) -> Eigenpairs:
    values, residuals, good = found.values, found.residuals, found.good
    vectors = lanczos.combine(found.coordinates)
    if multiply.differences:
        values, residuals = multiply.measured(vectors)
        order = np.argsort(values)
        order = order[_chosen(values[order], ask.k, ask.which)]
        values, residuals, vectors = values[order], residuals[order], vectors[:, order.tolist()]
        good = (residuals <= _bounds(values, ask.tolerance, found.radius)).tolist()
    kept = [i for i, fine in enumerate(good) if fine]
    return Eigenpairs(
        torch.from_numpy(values[kept]),
        vectors[:, kept].double().cpu(),
        torch.from_numpy(residuals[kept]),
        multiply.products,
        found.enough and all(good),
        ask.tolerance,
        ask.which,
        good[0] and (ask.which != "both" or (found.enough and good[-1])),
        multiply.differences,
    )
