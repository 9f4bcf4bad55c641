"""BFGS: the textbook's update, its properties on quadratics, scipy's end point."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize, rosen, rosen_der
from torch import nn

from tests.optim.full_batch.problems import Closure, Quadratic, parts, rosenbrock, run, state_of, values
from thalweg import optim
from thalweg.errors import UserError
from thalweg.optim.full_batch.bfgs import updated

START = np.array([-1.2, 1.0, 0.5, -1.0, 2.0])


def pair(seed, curvature=1.0, n=5):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(n, n))
    s, y = rng.normal(size=n), rng.normal(size=n)
    y += (curvature - y @ s) / (s @ s) * s  # y · s is then the curvature asked for
    return root @ root.T + np.eye(n), s, y


def ours(b, s, y, damped=False):
    given = torch.tensor(b)
    return updated(given, *map(torch.tensor, (s, y, np.linalg.solve(b, s))), damped).numpy()


@pytest.mark.parametrize("seed", range(5))
def test_the_update_is_the_textbook_s(seed):
    b, s, y = pair(seed)
    rho, eye = 1 / (y @ s), np.eye(5)
    book = (eye - rho * np.outer(s, y)) @ b @ (eye - rho * np.outer(y, s)) + rho * np.outer(s, s)
    new = ours(b, s, y)
    np.testing.assert_allclose(new, book, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(new @ y, s, atol=1e-10)  # the secant equation
    np.testing.assert_allclose(new, new.T, atol=1e-12)
    assert np.linalg.eigvalsh(new)[0] > 0


def test_the_first_matrix_is_scaled():
    _, s, y = pair(1)
    new = updated(None, torch.tensor(s), torch.tensor(y), torch.tensor(s), damped=False).numpy()
    scaled = np.eye(5) * (y @ s) / (y @ y)
    np.testing.assert_allclose(new, ours(scaled, s, y), rtol=1e-12)


@pytest.mark.parametrize("curvature", [-1.0, 0.0])
def test_a_pair_without_positive_curvature_is_skipped_or_damped(curvature):
    b, s, y = pair(2, curvature)
    assert np.array_equal(ours(b, s, y), b)
    new = ours(b, s, y, damped=True)
    hessian = np.linalg.inv(b)
    bs = hessian @ s
    phi = 0.8 * (s @ bs) / (s @ bs - s @ y)  # procedure 18.2, on the Hessian's own approximation
    r = phi * y + (1 - phi) * bs
    book = hessian - np.outer(bs, bs) / (s @ bs) + np.outer(r, r) / (s @ r)
    np.testing.assert_allclose(np.linalg.inv(new), book, rtol=1e-8, atol=1e-8)
    assert np.linalg.eigvalsh(new)[0] > 0
    assert s @ r == pytest.approx(0.2 * s @ bs)


def test_damping_leaves_a_good_pair_alone():
    b, s, y = pair(3, curvature=50.0)
    assert np.array_equal(ours(b, s, y), ours(b, s, y, damped=True))


def test_on_a_quadratic_the_inverse_hessian_is_learned():
    loss = Quadratic(6, 10)
    optimizer = optim.BFGS(
        parts(loss.start, [(6,)]), max_iter=60, max_eval=500, tolerance_change=0, tolerance_grad=1e-12
    )
    np.testing.assert_allclose(run(optimizer, loss, 1), loss.b, atol=1e-9)
    learned = state_of(optimizer)["inverse_hessian"].numpy()
    np.testing.assert_allclose(learned @ loss.a, np.eye(6), atol=0.15)


def test_it_reaches_the_minimum_that_scipy_reaches():
    optimizer = optim.BFGS(parts(START, [(2,), (3,)]), tolerance_change=0)
    found = run(optimizer, rosenbrock, 6)
    theirs = minimize(rosen, START, jac=rosen_der, method="BFGS", options={"gtol": 1e-8})
    np.testing.assert_allclose(found, theirs.x, atol=1e-6)
    assert state_of(optimizer)["func_evals"] < 3 * theirs.nfev


def test_without_a_line_search_it_is_the_plain_transcription():
    """Algorithm 6.1 with t = 0.3, in numpy."""
    loss = Quadratic(6, 30)
    optimizer = optim.BFGS(parts(loss.start, [(6,)]), lr=0.3, max_iter=1, line_search_fn=None)
    x, b = loss.start, None
    for _ in range(12):
        g = loss.a @ (x - loss.b)
        d = -g * min(1, 1 / abs(g).sum()) if b is None else -b @ g
        new = x + 0.3 * d
        s, y = new - x, loss.a @ (new - x)
        if b is None:
            b = np.eye(6) * (y @ s) / (y @ y)
        rho, eye = 1 / (y @ s), np.eye(6)
        b = (eye - rho * np.outer(s, y)) @ b @ (eye - rho * np.outer(y, s)) + rho * np.outer(s, s)
        x = new
        np.testing.assert_allclose(run(optimizer, loss, 1), x, rtol=1e-8, atol=1e-10)


def test_pairs_are_of_one_and_the_same_data():
    """Each call has a bowl with another center: the differences between them never enter the matrix."""
    p = nn.Parameter(torch.ones(2, dtype=torch.float64))
    optimizer = optim.BFGS([p], max_iter=1, max_eval=10)
    bowls = np.random.default_rng(0).normal(size=(8, 2)) * 10
    for center in torch.tensor(bowls):
        optimizer.step(Closure(optimizer, lambda x, c=center: ((x - c) ** 2).sum()))
    np.testing.assert_allclose(state_of(optimizer)["inverse_hessian"], np.eye(2) / 2, atol=1e-8)


def test_a_matrix_that_does_not_lead_down_is_forgotten():
    optimizer = optim.BFGS(parts(START, [(5,)]), max_iter=3)
    closure = Closure(optimizer, rosenbrock)
    optimizer.step(closure)
    state_of(optimizer)["inverse_hessian"] = -torch.eye(5, dtype=torch.float64)
    before = rosen(values(optimizer.param_groups[0]["params"]))
    optimizer.step(closure)
    assert rosen(values(optimizer.param_groups[0]["params"])) < before
    assert torch.linalg.eigvalsh(state_of(optimizer)["inverse_hessian"])[0] > 0
    optimizer.param_groups[0].update(lr=1e6, max_eval=2)  # a line search that fails
    x = values(optimizer.param_groups[0]["params"])
    optimizer.step(closure)
    assert np.array_equal(values(optimizer.param_groups[0]["params"]), x)
    assert "inverse_hessian" not in state_of(optimizer)


def test_too_many_parameters_are_refused_with_their_size_and_a_way_out():
    p = nn.Parameter(torch.ones(10_001))
    with pytest.raises(
        UserError,
        match=r"^BFGS needs 2 matrices of n x n numbers: 0\.8 GB for n = 10,001, above "
        r"max_params=10,000; raise max_params, or use LBFGS",
    ):
        optim.BFGS([p]).step(lambda: (p**2).sum())
    small = optim.BFGS(parts([1.0, 2.0, 3.0], [(3,)]), max_params=3)
    assert abs(run(small, lambda x: (x**2).sum(), 2)).max() < 1e-6
    assert values(small.param_groups[0]["params"]).shape == (3,)
