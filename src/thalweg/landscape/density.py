"""The density of the Hessian's eigenvalues, by stochastic Lanczos quadrature."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from thalweg.landscape.interrupted import Interrupted
from thalweg.landscape.lanczos import Lanczos
from thalweg.landscape.plain import as_dict
from thalweg.landscape.probes import dense, rademacher, standard_error, whole
from thalweg.landscape.progress import progress
from thalweg.landscape.surface import Kind, Surface
from thalweg.landscape.words import count, number, percent

__all__ = ["Density", "density"]

Multiply = Callable[[Tensor], Tensor]
WIDTH = 0.01  # of the Gaussians, as a share of the spectrum's range
FLAT = 0.01
"""Eigenvalues within this share of the largest magnitude count as 0: their signs are not resolved."""
POINTS = 1024
MARGIN = 6  # widths beyond the last node: what a Gaussian has outside is 1e-9


@dataclass(frozen=True, eq=False)
class Density:
    """How the eigenvalues of a matrix of curvature are distributed.

    Attributes:
        grid: (m,), eigenvalues, evenly spaced.
        values: (m,), the density there; it integrates to 1. Empty if a product was infinite or NaN.
        errors: (m,), its standard error between the probes; 0 where the density is exact.
        nodes: for each probe the eigenvalues of its Lanczos matrix.
        weights: for each probe the share of the spectrum that each of its nodes stands for; their sum is 1.
        width: the standard deviation of the Gaussian that stands for each node.
        negative_share: the share of eigenvalues that are negative, by more than 1 % of the largest magnitude
            (see `flat_share`); None where it is not known.
        negative_error: its standard error between the probes.
        dimension: n, the number of eigenvalues.
        exact: whether the nodes are the eigenvalues themselves.
    """

    grid: Tensor
    values: Tensor
    errors: Tensor
    nodes: tuple[Tensor, ...]
    weights: tuple[Tensor, ...]
    width: float
    negative_share: float | None
    negative_error: float | None
    dimension: int
    exact: bool

    @property
    def flat_share(self) -> float | None:
        """The share of eigenvalues within 1 % of the largest magnitude around 0; None if it is not known.

        Their signs are not resolved: a node there stands for many eigenvalues of both.
        """
        return float(_shares(self.nodes, self.weights)[0].mean()) if self.nodes else None

    def describe(self) -> str:
        """Where the eigenvalues are and how many are negative."""
        if self.flat_share is None or self.negative_share is None or self.negative_error is None:
            return "The density is not known: a product with the Hessian was infinite or NaN."
        nodes = torch.cat(self.nodes)
        low, high = float(nodes.min()), float(nodes.max())
        how = "exact" if self.exact else count(len(self.nodes), "probe")
        if math.isinf(self.negative_error):
            how = "1 probe, which leaves the error open"
        seen = "The eigenvalues lie between" if self.exact else "Eigenvalues were seen between"
        return (
            f"{seen} {number(low, 3)} and {number(high, 3)}; {percent(self.flat_share)} "
            "of them are 0 within 1 % of the largest, "
            f"{percent(self.negative_share, self.negative_error)} are negative beyond that ({how}, drawn "
            f"with Gaussians of width {self.width:.2g})."
        )

    def to_dict(self) -> dict[str, Any]:
        """Lists of numbers."""
        return {**as_dict(self), "flat_share": self.flat_share}


def density(
    surface: Surface, probes: int = 8, steps: int = 48, *, product: Kind = "hessian", seed: int = 0
) -> Density:
    r"""Estimate the density of the Hessian's eigenvalues by stochastic Lanczos quadrature.

    .. math:: φ(t) = \frac{1}{n} \sum_{i=1}^n δ(t - λ_i) ≈
        \frac{1}{k} \sum_{l=1}^k \sum_{j=1}^m τ_{lj}^2 \, g_σ(t - θ_{lj})

    where each of the k probes, a vector of random signs, begins m steps of the Lanczos recurrence with full
    reorthogonalization; θ are the eigenvalues of its tridiagonal matrix and τ the first entries of the
    eigenvectors, so that each probe is a Gauss quadrature, exact for polynomials of degree 2m - 1. g_σ is the
    Gaussian of standard deviation σ, here 1 % of the range of all nodes: nothing finer can be seen in
    `values`, while `nodes` and `weights` are as sharp as the quadrature is. Large eigenvalues that lie alone
    are found to many digits; the bulk is resolved to about its range / m.

    With k m >= n the Hessian is computed whole and the density is that of its eigenvalues. Source:
    Ghorbani, Krishnan & Xiao 2019, arXiv 1901.10159, algorithm 1 (Gaussian probes there).

    Args:
        surface: the surface, measured where its model stands.
        probes: k.
        steps: m, products with the Hessian for each probe.
        product: which matrix; see `Surface.products`.
        seed: of the random signs.

    Raises:
        UserError: probes or steps are no positive whole numbers.
        Interrupted: it was stopped after the first probe; `partial` uses the probes that are complete. Before
            that, and where the density is exact, a plain `KeyboardInterrupt`.

    >>> model = torch.nn.Linear(2, 1, bias=False)
    >>> data = torch.tensor([[1.0, 0.0], [0.0, 3.0]])
    >>> surface = Surface(model, lambda model, x: model(x).square().mean(), data)
    >>> density(surface).nodes
    (tensor([1., 9.], dtype=torch.float64),)
    """
    whole("density", "seed", seed, 0)
    whole("density", "steps", steps, 1)
    exact = whole("density", "probes", probes, 1) * steps >= surface.dimension
    with surface.products(product) as multiply:
        if not exact:
            return _quadratures(surface, multiply, probes, steps, torch.Generator().manual_seed(seed))
        matrix, _ = dense(surface, "density", multiply)
    if not bool(matrix.isfinite().all()):
        return _density(surface, [], exact)
    nodes = torch.linalg.eigvalsh(matrix)
    return _density(surface, [(nodes, torch.full_like(nodes, 1 / len(nodes)))], exact)


def _quadratures(
    surface: Surface, multiply: Multiply, probes: int, steps: int, generator: torch.Generator
) -> Density:
    found: list[tuple[Tensor, Tensor]] = []
    with progress("density", probes * steps) as advance:

        def counted(vector: Tensor) -> Tensor:
            out = multiply(vector)
            advance()
            return out

        try:
            for _ in range(probes):
                start = rademacher(surface, generator)
                found.append(_quadrature(counted, start, steps, generator))
        except KeyboardInterrupt:
            if not found:
                raise
            raise Interrupted(_density(surface, found, False)) from None
    return _density(surface, found, False)


def _quadrature(
    multiply: Multiply, start: Tensor, steps: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Nodes and weights of the Gauss quadrature that Lanczos finds from one vector."""
    recurrence = Lanczos(multiply, start, generator)
    while len(recurrence) < steps and (not recurrence.betas or recurrence.betas[-1]):
        recurrence.step()  # where β is 0, the start has no part in further eigenvectors
    alphas = torch.tensor(recurrence.alphas, dtype=torch.float64)
    if not bool(alphas.isfinite().all()):
        return alphas, torch.full_like(alphas, 1 / len(alphas))
    nodes, coordinates, *_ = recurrence.ritz()
    return torch.from_numpy(nodes), torch.from_numpy(coordinates[0] ** 2)


def _density(surface: Surface, found: list[tuple[Tensor, Tensor]], exact: bool) -> Density:
    if not all(bool(nodes.isfinite().all()) for nodes, _ in found):
        found = []
    nodes, weights = tuple(nodes for nodes, _ in found), tuple(weights for _, weights in found)
    width = _width(nodes)
    grid, curves = _curves(nodes, weights, width)
    _, negative = _shares(nodes, weights)
    none = torch.zeros_like(curves[0])
    return Density(
        grid=grid,
        values=curves.mean(0),
        errors=none if exact else standard_error(curves),
        nodes=nodes,
        weights=weights,
        width=width,
        negative_share=float(negative.mean()) if found else None,
        negative_error=(0.0 if exact else float(standard_error(negative))) if found else None,
        dimension=surface.dimension,
        exact=exact,
    )


def _shares(nodes: tuple[Tensor, ...], weights: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """Each probe's share of eigenvalues that count as 0, and of those that are negative beyond that."""
    zero = FLAT * max((float(t.abs().max()) for t in nodes), default=0.0)
    flat = [w[t.abs() <= zero].sum() for t, w in zip(nodes, weights, strict=True)]
    negative = [w[t < -zero].sum() for t, w in zip(nodes, weights, strict=True)]
    empty = [torch.zeros((), dtype=torch.float64)]
    return torch.stack(flat or empty), torch.stack(negative or empty)


def _width(nodes: tuple[Tensor, ...]) -> float:
    if not nodes:
        return 0.0
    every = torch.cat(nodes)
    spread = float(every.max() - every.min())
    # All eigenvalues may be one, and that may be 0.
    return WIDTH * (spread or float(every.abs().max()) or 1.0)


def _curves(nodes: tuple[Tensor, ...], weights: tuple[Tensor, ...], width: float) -> tuple[Tensor, Tensor]:
    """The grid, (m,), and each probe's density on it, (k, m)."""
    if not nodes:
        return torch.empty(0, dtype=torch.float64), torch.empty(1, 0, dtype=torch.float64)
    every = torch.cat(nodes)
    low, high = float(every.min()) - MARGIN * width, float(every.max()) + MARGIN * width
    grid = torch.linspace(low, high, POINTS, dtype=torch.float64)
    curves = [_broadened(grid, t, w, width) for t, w in zip(nodes, weights, strict=True)]
    return grid, torch.stack(curves)


def _broadened(grid: Tensor, nodes: Tensor, weights: Tensor, width: float) -> Tensor:
    gaussians = torch.exp(-((grid[:, None] - nodes) / width).square() / 2) / (width * math.sqrt(2 * math.pi))
    return gaussians @ weights
