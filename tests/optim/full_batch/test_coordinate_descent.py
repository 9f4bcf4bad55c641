"""Coordinate descent: exact moves, the lasso against its optimality conditions and closed forms."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.optim.full_batch.problems import Closure, Quadratic, parts, rosenbrock, run, state_of, values
from thalweg import optim
from thalweg.optim.full_batch.coordinate_descent import soft


def regression(m=40, n=7, seed=0, orthogonal=False):
    rng = np.random.default_rng(seed)
    x = np.linalg.qr(rng.normal(size=(m, n)))[0] if orthogonal else rng.normal(size=(m, n))
    y = x @ (np.arange(n) - 3.0) + rng.normal(size=m) / 2
    data, target = torch.tensor(x), torch.tensor(y)
    return x, y, lambda w: (target - data @ w).square().sum() / 2


@given(st.floats(-10, 10), st.floats(0, 10))
@settings(derandomize=True, database=None)
def test_soft_thresholding_minimizes_its_problem(z, gamma):
    """S(z, γ) is the w with the least ½ (w - z)² + γ |w|: no other point of a fine grid is lower."""
    w = soft(z, gamma)
    grid = np.linspace(-11, 11, 2001)
    assert (w - z) ** 2 / 2 + gamma * abs(w) <= ((grid - z) ** 2 / 2 + gamma * abs(grid)).min() + 1e-12
    assert soft(3.0, 1.0) == 2
    assert soft(-3.0, 1.0) == -2
    assert abs(soft(0.5, 1.0)) == 0


@pytest.mark.parametrize("order", ["cyclic", "random"])
@pytest.mark.parametrize("share", [0.02, 0.2, 0.6, 0.99, 1.01])
def test_the_lasso_satisfies_its_optimality_conditions(share, order):
    """|xⱼ·(y - Xw)| ≤ λ, with equality and w's sign where wⱼ ≠ 0; with λ ≥ |Xᵀy|∞ all are exactly zero."""
    x, y, loss = regression()
    lam = share * abs(x.T @ y).max()
    optimizer = optim.CoordinateDescent(parts(np.ones(7), [(2,), (5,)]), l1=lam, order=order)
    w = run(optimizer, loss, 60)
    correlation = x.T @ (y - x @ w)
    zero = w == 0
    assert (abs(correlation[zero]) <= lam * (1 + 1e-9)).all()
    np.testing.assert_allclose(correlation[~zero], lam * np.sign(w[~zero]), rtol=1e-7)
    assert zero.sum() == {0.02: 1, 0.2: 1, 0.6: 5, 0.99: 6, 1.01: 7}[share]


@pytest.mark.parametrize("lam", [0.1, 1.0, 2.5])
def test_with_orthogonal_columns_it_is_the_closed_form_after_one_sweep(lam):
    x, y, loss = regression(orthogonal=True)
    w = run(optim.CoordinateDescent(parts(np.zeros(7), [(7,)]), l1=lam), loss, 1)
    closed = np.sign(x.T @ y) * np.maximum(abs(x.T @ y) - lam, 0)
    np.testing.assert_allclose(w, closed, atol=1e-8)
    assert ((w == 0) == (closed == 0)).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_sweeps_are_those_of_gauss_and_seidel(dtype):
    """On a quadratic each turn solves its own equation: one sweep is one of Gauss-Seidel's."""
    loss = Quadratic()
    optimizer = optim.CoordinateDescent(parts(loss.start, dtype=dtype))
    w = loss.start.copy()
    for _ in range(3):
        for j in range(8):
            w[j] -= loss.a[j] @ (w - loss.b) / loss.a[j, j]
        exact = 1e-8 if dtype == torch.float64 else 2e-3
        np.testing.assert_allclose(run(optimizer, loss, 1), w, rtol=exact, atol=exact)


def test_plain_moves_are_the_formula_and_diverge_as_the_document_warns():
    loss = Quadratic()
    optimizer = optim.CoordinateDescent(parts(loss.start), exact=False, lr=0.03, l1=0.5)
    w = loss.start.copy()
    for _ in range(3):
        for j in range(8):
            z = w[j] - 0.03 * (loss.a[j] @ (w - loss.b))
            w[j] = np.sign(z) * max(abs(z) - 0.03 * 0.5, 0)
        np.testing.assert_allclose(run(optimizer, loss, 1), w, rtol=1e-12)
    wild = optim.CoordinateDescent(parts(loss.start), exact=False, lr=0.5)
    assert abs(run(wild, loss, 20)).max() > 1e3


def test_the_document_s_bowl_takes_one_sweep():
    """It says that coordinate descent zig-zags here and gradient descent does not: the other way round."""

    def bowl(w):
        return (10 * w[0] ** 2 + w[1] ** 2) / 2

    start = [1.0, 10.0]
    assert abs(run(optim.CoordinateDescent(parts(start, [(2,)])), bowl, 1)).max() < 1e-8
    zigzag = optim.GradientDescent(parts(start, [(2,)]), lr=2 / 11)  # the best fixed rate
    signs = [np.sign(run(zigzag, bowl, 1)[0]) for _ in range(6)]
    assert signs == [-1, 1, -1, 1, -1, 1]
    assert abs(values(zigzag.param_groups[0]["params"])).max() > 1


@pytest.mark.parametrize("limit", [3, 4, 7, 20, 1000])
def test_a_sweep_goes_on_in_the_next_step_where_the_limit_stopped_it(limit):
    x, y, loss = regression()
    optimizer = optim.CoordinateDescent(parts(np.zeros(7), [(7,)]), max_eval=limit)
    closure = Closure(optimizer, loss)
    steps = 0
    while state_of(optimizer).get("visits", 0) < 70:
        calls = closure.calls
        optimizer.step(closure)
        steps += 1
        assert closure.calls - calls <= limit
    w = values(optimizer.param_groups[0]["params"])
    np.testing.assert_allclose(w, np.linalg.lstsq(x, y, rcond=None)[0], atol=1e-3)
    assert steps == 10 if limit >= 17 else steps > 10


def test_a_known_curvature_saves_the_probe():
    loss = Quadratic()
    optimizer = optim.CoordinateDescent(parts(loss.start))
    closure = Closure(optimizer, loss)
    calls = []
    for _ in range(3):
        optimizer.step(closure)
        calls.append(closure.calls - sum(calls))
    assert calls == [17, 9, 9]
    np.testing.assert_allclose(state_of(optimizer)["curvature"], np.diag(loss.a), rtol=1e-6)


def test_a_random_order_is_another_permutation_in_each_sweep():
    visited = []

    class Spy(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            visited.append(x.detach().numpy().copy())
            return (x**2).sum() / 2 + x.sum()

        @staticmethod
        def backward(ctx, grad):
            return grad * torch.tensor(visited[-1] + 1)

    orders = []
    for seed in (0, 1):
        optimizer = optim.CoordinateDescent(
            parts(np.zeros(6), [(6,)]), exact=False, lr=0.1, order="random", seed=seed
        )
        for _ in range(2):
            visited.clear()
            run(optimizer, Spy.apply, 1)
            orders.append([int(np.flatnonzero(b != a)[0]) for a, b in pairwise(visited)])
    assert all(sorted(order) == list(range(6)) for order in orders)
    assert len({tuple(order) for order in orders}) == 4


def test_a_loss_that_is_not_quadratic_never_goes_up():
    """Logistic loss with the l1 penalty, against scikit-learn's form of the optimality conditions."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 5)) * [1, 5, 0.2, 1, 1]
    sign = np.sign(x @ [1, -0.3, 0, 0, 2] + rng.normal(size=60))
    data, labels, lam = torch.tensor(x), torch.tensor(sign), 4.0
    optimizer = optim.CoordinateDescent(parts(np.full(5, 3.0), [(5,)]), l1=lam)
    closure, last = (
        Closure(optimizer, lambda w: torch.nn.functional.softplus(-labels * (data @ w)).sum()),
        math.inf,
    )
    for _ in range(60):
        before = values(optimizer.param_groups[0]["params"])
        now = optimizer.step(closure).item() + lam * abs(before).sum()
        assert now <= last + 1e-12 * abs(now)
        last = now
    w = values(optimizer.param_groups[0]["params"])
    slope = -x.T @ (sign / (1 + np.exp(sign * (x @ w))))
    assert (abs(slope[w == 0]) <= lam).all()
    assert 0 < (w == 0).sum() < 5
    np.testing.assert_allclose(slope[w != 0], -lam * np.sign(w[w != 0]), atol=1e-5)


def test_it_creeps_along_a_curved_valley_and_does_not_go_up():
    optimizer = optim.CoordinateDescent(parts([-1.2, 1.0], [(2,)]))
    closure = Closure(optimizer, rosenbrock)
    losses = [optimizer.step(closure).item() for _ in range(200)]
    assert all(b <= a for a, b in pairwise(losses))
    assert losses[-1] < 0.7 * losses[1]


def test_concave_and_flat_coordinates_move_by_no_more_than_one_at_first():
    p = nn.Parameter(torch.tensor([0.1, 2.0, 0.0], dtype=torch.float64))
    optimizer = optim.CoordinateDescent([p])
    run(optimizer, lambda x: -(x[0] ** 2) + 3 * x[1], 1)
    assert 0.1 < p[0] <= 1.1
    assert p[1].item() == pytest.approx(1.0)
    assert p[2] == 0
