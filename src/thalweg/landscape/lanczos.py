"""The Lanczos recurrence, which meets a symmetric matrix only in products with vectors."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Multiply = Callable[[Tensor], Tensor]
Array = NDArray[np.float64]

_ROWS = 8
"""The basis grows by so many vectors at a time."""


class Lanczos:
    r"""An orthonormal basis of the Krylov space of A, in which A is tridiagonal.

    .. math:: β_{j+1} q_{j+1} = A q_j - α_j q_j - β_j q_{j-1}, \qquad α_j = q_j ⋅ A q_j

    Each new vector is orthogonalized twice against all before it (full reorthogonalization), without which
    copies of converged eigenvalues appear. Where the space is invariant (β = 0) the recurrence goes on with
    a random vector that is orthogonal to it, so that every eigenvalue is met in the end, multiple ones too.

    Source: Golub & Van Loan, Matrix Computations, 4th edition, algorithm 10.1.1 and section 10.3.

    Args:
        multiply: v -> A v for vectors (n,).
        start: the first vector, (n,), not zero.
        generator: for vectors after the space became invariant.

    Attributes:
        alphas, betas: the tridiagonal matrix: its diagonal, and what stands beside it. The last β belongs to
            the next vector.
    """

    def __init__(self, multiply: Multiply, start: Tensor, generator: torch.Generator) -> None:
        self._multiply, self._generator = multiply, generator
        self._blocks: list[Tensor] = []
        self._strays: list[Array] = []
        self.alphas: list[float] = []
        self.betas: list[float] = []
        self._dimension = start.numel()
        self._append(start / start.norm())

    def __len__(self) -> int:
        return len(self.alphas)

    @property
    def complete(self) -> bool:
        """Whether the basis spans the whole space, so that nothing can be added."""
        return len(self.alphas) == self._dimension

    def step(self) -> None:
        """Multiply once and add a vector to the basis."""
        j = len(self.alphas)
        q = self._row(j)
        w = self._multiply(q)
        self.alphas.append(float(q @ w))
        scale = float(w.norm())
        inside, w = self._apart(w)
        inside[-1] -= self.alphas[-1]
        inside[-2:-1] -= self.betas[-1:]
        self._strays.append(inside)
        beta = float(w.norm())
        if beta > 1e2 * torch.finfo(w.dtype).eps * scale:
            self.betas.append(beta)
            self._append(w / beta)
            return
        self.betas.append(0.0)
        if not self.complete:
            fresh = torch.randn(w.shape, generator=self._generator, dtype=w.dtype).to(w.device)
            _, fresh = self._apart(fresh)
            self._append(fresh / fresh.norm())

    def ritz(self) -> tuple[Array, Array, Array, Array]:
        r"""Return the Ritz values θ, ascending, their coordinates y in the basis, and their residuals' parts.

        The parts are orthogonal: what lies outside the basis, and what is inside. The length of their sum is
        :math:`\|A y - θ y\|_2`, and an eigenvalue of A lies within it of θ. In exact arithmetic nothing is
        inside. What is there tells how far the products are from those of one symmetric matrix.
        """
        from scipy.linalg import eigh_tridiagonal

        values, coordinates = eigh_tridiagonal(np.array(self.alphas), np.array(self.betas[:-1]))
        strays = np.zeros((len(self), len(self)))
        for j, column in enumerate(self._strays):
            strays[: j + 1, j] = column
        return (
            values.astype(np.float64),
            coordinates.astype(np.float64),
            self.betas[-1] * np.abs(coordinates[-1]),
            np.linalg.norm(strays @ coordinates, axis=0),
        )

    def combine(self, coordinates: Array) -> Tensor:
        """Return combinations of the basis vectors, (n, k), for coordinates (length, k)."""
        weights = torch.from_numpy(np.ascontiguousarray(coordinates))
        total: Tensor | None = None
        for index, block in enumerate(self._blocks):
            part = weights[index * _ROWS : (index + 1) * _ROWS].to(block)
            term = block[: len(part)].T @ part
            total = term if total is None else total.add_(term)
        assert total is not None
        return total

    def _row(self, j: int) -> Tensor:
        return self._blocks[j // _ROWS][j % _ROWS]

    def _append(self, q: Tensor) -> None:
        j = len(self.alphas)
        if j // _ROWS == len(self._blocks):
            self._blocks.append(q.new_zeros(_ROWS, self._dimension))
        self._row(j).copy_(q)

    def _apart(self, w: Tensor) -> tuple[Array, Tensor]:
        """Return the coordinates of `w` in the basis, and the rest, twice: once leaves some."""
        inside = np.zeros(len(self._blocks) * _ROWS)
        for _ in range(2):
            for index, block in enumerate(self._blocks):
                along = block @ w
                w = w - block.T @ along
                inside[index * _ROWS : (index + 1) * _ROWS] += along.cpu().numpy()
        return inside[: len(self)], w
