"""Newton and Newton-CG: quadratics in one step, saddles, scipy's iterates, plain formulas."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize, rosen, rosen_der, rosen_hess, rosen_hess_prod
from torch import nn

from tests.optim.full_batch.problems import (
    Closure,
    Quadratic,
    parts,
    rosenbrock,
    run,
    saddle,
    state_of,
    values,
)
from thalweg import optim
from thalweg.errors import UserError

START = np.array([-1.2, 1.0, 0.5, -1.0, 2.0])
SAFE = pytest.mark.parametrize("globalization", ["trust_region", "line_search"])
ALL = pytest.mark.parametrize("globalization", ["trust_region", "line_search", None])
BOTH = pytest.mark.parametrize("cls", [optim.Newton, optim.NewtonCG])


@ALL
def test_one_step_reaches_the_minimum_of_a_quadratic(globalization):
    loss = Quadratic(condition=1e4)
    optimizer = optim.Newton(parts(loss.start), globalization=globalization, radius=100.0)
    np.testing.assert_allclose(run(optimizer, loss, 1), loss.b, rtol=1e-9)
    assert state_of(optimizer)["hvps"] == 8
    assert state_of(optimizer)["func_evals"] == (1 if globalization is None else 2)


@SAFE
def test_conjugate_gradients_reach_it_in_a_few(globalization):
    loss = Quadratic(condition=1e3)
    optimizer = optim.NewtonCG(parts(loss.start), globalization=globalization, radius=100.0)
    np.testing.assert_allclose(run(optimizer, loss, 12), loss.b, rtol=1e-8)
    assert state_of(optimizer)["hvps"] <= 12 * 8


@pytest.mark.parametrize("lr", [1.0, 0.5])
def test_the_pure_step_is_the_formula(lr):
    optimizer = optim.Newton(parts(START, [(2,), (3,)]), lr=lr, globalization=None)
    x = START
    for _ in range(4):
        x = x - lr * np.linalg.solve(rosen_hess(x), rosen_der(x))
        np.testing.assert_allclose(run(optimizer, rosenbrock, 1), x, rtol=1e-9)


def test_the_damped_step_turns_negative_curvature_round():
    """On x² - y² + y⁴ the direction is -|H|⁻¹ g, here with H = diag(2, 12 y² - 2)."""
    x = np.array([0.5, 0.1])
    optimizer = optim.Newton(parts(x, [(2,)]), lr=0.3, globalization="line_search")
    g, h = np.array([2 * x[0], -2 * x[1] + 4 * x[1] ** 3]), np.array([2, 12 * x[1] ** 2 - 2])
    np.testing.assert_allclose(run(optimizer, saddle, 1), x - 0.3 * g / abs(h), rtol=1e-12)


@pytest.mark.parametrize("start", [[0.0, 0.0], [0.5, 0.0], [0.5, 1e-9]])
def test_a_trust_region_leaves_a_saddle_and_the_pure_step_does_not(start):
    found = run(optim.Newton(parts(start, [(2,)])), saddle, 15)
    np.testing.assert_allclose([found[0], abs(found[1])], [0, np.sqrt(0.5)], atol=1e-8)
    pure = run(optim.Newton(parts(start, [(2,)]), globalization=None), saddle, 15)
    np.testing.assert_allclose(pure, [0, 0], atol=1e-8)


@pytest.mark.parametrize("start", [[0.5, 1e-9], [0.5, -1e-3]])
@SAFE
@BOTH
def test_beside_the_saddle_every_safe_form_leaves_it(cls, globalization, start):
    found = run(cls(parts(start, [(2,)]), globalization=globalization), saddle, 60)
    np.testing.assert_allclose([found[0], found[1] * np.sign(start[1])], [0, np.sqrt(0.5)], atol=1e-6)


@SAFE
@BOTH
def test_the_valley_s_end_is_reached_as_closely_as_scipy_s(cls, globalization):
    start = np.array([1.3, 0.7, 0.8, 1.9, 1.2])
    optimizer = cls(parts(start, [(2,), (3,)]), globalization=globalization)
    found = run(optimizer, rosenbrock, 40)
    method, options = {
        "trust_region": ("trust-exact", {"gtol": 1e-10}),
        "line_search": ("Newton-CG", {"xtol": 1e-12}),
    }[globalization]
    theirs = minimize(rosen, start, jac=rosen_der, hess=rosen_hess, method=method, options=options)
    np.testing.assert_allclose(found, theirs.x, atol=1e-7)
    assert rosen(found) <= 1e-15


def test_the_iterates_of_newton_cg_are_those_of_scipy_s_trust_region():
    optimizer = optim.NewtonCG(parts(START, [(2,), (3,)]))
    theirs = []
    minimize(
        rosen,
        START,
        jac=rosen_der,
        hessp=rosen_hess_prod,
        method="trust-ncg",
        callback=lambda x: theirs.append(x.copy()),
        options={"gtol": 1e-3},
    )
    moved = [x for x, before in zip(theirs, [START, *theirs], strict=False) if not np.array_equal(x, before)]
    assert len(moved) < len(theirs)  # scipy shows the rejected steps too: the radius was put to use
    assert len(moved) > 15
    for x in moved:
        np.testing.assert_allclose(run(optimizer, rosenbrock, 1), x, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("cls", [optim.Newton, optim.NewtonCG])
def test_a_step_that_the_model_got_wrong_is_not_taken(cls):
    """From 1.5 along (x² - 1)² + x / 5 - no: a wall of x¹² that the quadratic does not know of."""
    loss = lambda x: ((x - 3) ** 2 + (x / 2) ** 24).sum()  # noqa: E731
    optimizer = cls(parts([1.2], [(1,)]), radius=900.0, max_eval=50)
    closure, last = Closure(optimizer, loss), np.inf
    for _ in range(12):
        now = optimizer.step(closure).item()
        assert now <= last
        last = now
    assert state_of(optimizer)["radius"] < 900
    slope = (
        2 * (values(optimizer.param_groups[0]["params"]) - 3)
        + 12 * (values(optimizer.param_groups[0]["params"]) / 2) ** 23
    )
    assert abs(slope).max() < 1e-6


def test_the_radius_is_kept_from_step_to_step():
    optimizer = optim.Newton(parts([-1.2, 1.0], [(2,)]), radius=1e-3)
    lengths, last = [], np.array([-1.2, 1.0])
    for _ in range(4):
        now = run(optimizer, rosenbrock, 1)
        lengths.append(np.linalg.norm(now - last))
        last = now
    np.testing.assert_allclose(lengths, [1e-3, 2e-3, 4e-3, 8e-3], rtol=1e-6)


def test_too_many_parameters_are_refused_with_their_size_and_a_way_out():
    p = nn.Parameter(torch.ones(5001, dtype=torch.float64))
    optimizer = optim.Newton([p])
    with pytest.raises(
        UserError,
        match=r"^Newton needs 5 matrices of n x n numbers: 1\.0 GB for n = 5,001, above "
        r"max_params=5,000; raise max_params, or use LBFGS or NewtonCG",
    ):
        optimizer.step(lambda: (p**2).sum())
    small = optim.Newton(parts([1.0, 2.0, 3.0], [(3,)]), max_params=2)
    with pytest.raises(UserError, match="n = 3, above max_params=2"):
        run(small, lambda x: (x**2).sum(), 1)


def test_newton_cg_has_no_such_limit():
    p = nn.Parameter(torch.linspace(1, 2, 100_000))
    optimizer = optim.NewtonCG([p], radius=1000.0)
    closure = Closure(optimizer, lambda x: (x**2).sum())
    for _ in range(3):
        optimizer.step(closure)
    assert p.abs().max() < 1e-3


@pytest.mark.parametrize("max_cg", [1, 3])
def test_the_products_of_a_direction_are_limited(max_cg):
    loss = Quadratic(condition=1e6)
    optimizer = optim.NewtonCG(parts(loss.start), max_cg=max_cg, radius=1000.0)
    run(optimizer, lambda x: 1e-14 * loss(x), 1)  # the smaller the gradient, the more are asked for
    assert state_of(optimizer)["hvps"] == max_cg
