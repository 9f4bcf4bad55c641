"""L1 and elastic net: against autograd, the closed-form lasso and ISTA in numpy."""

import math

import numpy as np
import pytest
import torch

from thalweg import optim, transforms


def start() -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.linspace(-2, 2, 10, dtype=torch.float64))  # without zero


def fit(design: np.ndarray, target: np.ndarray, transform, steps: int, lr: float) -> torch.Tensor:
    """Minimizes half the squared error of a linear model by gradient descent within `transform`."""
    x, y = torch.tensor(design), torch.tensor(target)
    w = torch.nn.Parameter(torch.zeros(design.shape[1], dtype=torch.float64))
    optimizer = optim.SGD([w], lr=lr, transforms=[transform])
    for _ in range(steps):
        optimizer.zero_grad()
        (0.5 * (x @ w - y).square().sum()).backward()
        optimizer.step()
    return w.detach()


@pytest.mark.parametrize(("l1", "l2"), [(0.3, 0.0), (0.0, 0.4), (0.3, 0.4)])
def test_the_penalty_is_the_gradient_of_its_formula(l1: float, l2: float) -> None:
    p, q = start(), start()
    p.grad = torch.zeros_like(p)
    optim.SGD([p], lr=0.1, transforms=[transforms.elastic_net_penalty(l1, l2)]).step()
    (l1 * q.abs().sum() + l2 * q.square().sum()).backward()
    torch.testing.assert_close(p.detach(), q.detach() - 0.1 * q.grad, rtol=1e-14, atol=0)


def test_the_proximal_point_minimizes_its_objective() -> None:
    """prox(z) = argmin of lr (l1 |x| + l2 x²) + (x - z)² / 2, by search over a fine grid."""
    p = start()
    p.grad = torch.zeros_like(p)
    z = p.detach().clone()
    optim.SGD([p], lr=0.5, transforms=[transforms.elastic_net_prox(0.6, 0.3)]).step()
    grid = torch.linspace(-2.5, 2.5, 500001, dtype=torch.float64)
    for found, point in zip(p.detach(), z, strict=True):
        objective = 0.5 * (0.6 * grid.abs() + 0.3 * grid**2) + (grid - point) ** 2 / 2
        assert found.item() == pytest.approx(grid[objective.argmin()].item(), abs=1.1e-5)


def test_the_lasso_on_an_orthogonal_design_is_its_closed_form_with_exact_zeros() -> None:
    rng = np.random.default_rng(0)
    design, _ = np.linalg.qr(rng.normal(size=(30, 12)))
    target = design @ np.array([3, -2, 0.4, 0, -0.1, 1.5, 0, 0, -0.6, 0.2, 0.9, -4.0])
    target = target + 0.01 * rng.normal(size=30)
    correlation = design.T @ target
    closed = np.sign(correlation) * np.maximum(np.abs(correlation) - 0.5, 0)
    found = fit(design, target, transforms.l1_prox(0.5), steps=400, lr=0.5)
    np.testing.assert_allclose(found, closed, rtol=1e-10, atol=1e-12)
    assert np.array_equal(found.numpy() == 0, closed == 0)
    assert 3 <= (closed == 0).sum() <= 9


def test_the_subgradient_gives_no_exact_zeros() -> None:
    rng = np.random.default_rng(0)
    design, _ = np.linalg.qr(rng.normal(size=(30, 12)))
    target = design @ np.array([3, -2, 0.4, 0, -0.1, 1.5, 0, 0, -0.6, 0.2, 0.9, -4.0])
    found = fit(design, target, transforms.l1_penalty(0.5), steps=400, lr=0.05)
    assert (found != 0).all()
    assert found.abs().min() < 0.05


def test_the_elastic_net_is_ista_on_a_correlated_design() -> None:
    rng = np.random.default_rng(1)
    design, target, w = rng.normal(size=(20, 8)), rng.normal(size=20), np.zeros(8)
    lr, l1, l2 = 0.01, 2.0, 0.5
    for _ in range(50):
        z = w - lr * design.T @ (design @ w - target)
        w = np.sign(z) * np.maximum(np.abs(z) - lr * l1, 0) / (1 + 2 * lr * l2)
    found = fit(design, target, transforms.elastic_net_prox(l1, l2), steps=50, lr=lr)
    np.testing.assert_allclose(found, w, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf, "1", None])
@pytest.mark.parametrize("make", [transforms.l1_penalty, transforms.l1_prox])
def test_strengths_are_numbers_from_zero(make, value) -> None:
    with pytest.raises(ValueError, match=r"l1 must be a number in \[0, inf\), got"):
        make(value)


@pytest.mark.parametrize("make", [transforms.elastic_net_penalty, transforms.elastic_net_prox])
def test_the_second_strength_too(make) -> None:
    with pytest.raises(ValueError, match=r"l2 must be a number in \[0, inf\), got -1"):
        make(1.0, -1)
