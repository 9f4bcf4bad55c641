"""The recurrence against dense eigenvalues."""

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.landscape.known import rotated
from thalweg.landscape.lanczos import Lanczos


def run(matrix: Tensor, steps: int, start: Tensor | None = None) -> Lanczos:
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(len(matrix), generator=generator, dtype=matrix.dtype) if start is None else start
    lanczos = Lanczos(lambda v: matrix @ v, start, generator)
    for _ in range(steps):
        lanczos.step()
    return lanczos


def test_the_basis_is_orthonormal_and_makes_the_matrix_tridiagonal() -> None:
    matrix = rotated([float(i) ** 3 for i in range(40)])
    lanczos = run(matrix, 30)
    basis = lanczos.combine(np.eye(30))
    torch.testing.assert_close(basis.T @ basis, torch.eye(30, dtype=torch.float64), rtol=0, atol=1e-13)
    inner = np.array(lanczos.betas[:-1])
    tridiagonal = np.diag(lanczos.alphas) + np.diag(inner, 1) + np.diag(inner, -1)
    np.testing.assert_allclose(basis.T @ matrix @ basis, tridiagonal, atol=1e-9)


@pytest.mark.parametrize("steps", [1, 2, 9, 20])
def test_residuals_are_those_of_the_pairs(steps: int) -> None:
    """Each is |A y - θ y|, and an eigenvalue lies within it of θ."""
    spectrum = torch.linspace(-3, 7, 30, dtype=torch.float64)
    matrix = rotated(spectrum.tolist())
    values, coordinates, residuals, _ = run(matrix, steps).ritz()
    vectors = run(matrix, steps).combine(coordinates)
    for value, vector, residual in zip(values, vectors.T, residuals, strict=True):
        assert float((matrix @ vector - value * vector).norm()) == pytest.approx(residual, abs=1e-12)
        assert float((spectrum - value).abs().min()) <= residual + 1e-12


def test_residuals_tell_of_products_that_are_not_symmetric() -> None:
    """Rounding in the products, or an error in them, is inside the basis, where the recurrence looks away."""
    spectrum = torch.linspace(-3, 7, 30, dtype=torch.float64)
    matrix = rotated(spectrum.tolist())
    matrix += 1e-3 * torch.randn(30, 30, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for steps in (5, 30):
        lanczos = run(matrix, steps)
        values, coordinates, outside, inside = lanczos.ritz()
        for value, vector, *parts in zip(
            values, lanczos.combine(coordinates).T, outside, inside, strict=True
        ):
            residual = float((matrix @ vector - value * vector).norm())
            assert residual == pytest.approx(float(np.hypot(*parts)), rel=1e-6)


def test_every_eigenvalue_is_met_in_the_end_multiple_ones_too() -> None:
    spectrum = [-2.0, -2.0, 0.0, 0.0, 0.0, 1.0, 5.0, 5.0]
    lanczos = run(rotated(spectrum), 8)
    assert lanczos.complete
    np.testing.assert_allclose(lanczos.ritz()[0], spectrum, atol=1e-12)


def test_a_start_that_is_an_eigenvector_goes_on() -> None:
    matrix = torch.diag(torch.tensor([3.0, 2.0, 1.0], dtype=torch.float64))
    lanczos = run(matrix, 3, torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64))
    np.testing.assert_allclose(lanczos.ritz()[0], [1, 2, 3], atol=1e-14)
    assert lanczos.betas[0] == 0


def test_copies_of_converged_eigenvalues_do_not_appear_in_float32() -> None:
    """Without full reorthogonalization the largest would be there several times."""
    spectrum = [1e4, *torch.linspace(0, 1, 99).tolist()]
    values, *_ = run(rotated(spectrum).float(), 60).ritz()
    assert (values > 10).sum() == 1
