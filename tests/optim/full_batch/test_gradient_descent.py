"""Gradient descent against its formula, SGD and the textbook's backtracking."""

import numpy as np
import pytest

from tests.optim.full_batch.problems import Closure, Quadratic, parts, rosenbrock, run, state_of
from thalweg import optim


def test_with_a_fixed_rate_it_is_sgd_on_all_the_data():
    loss = Quadratic()
    found = [run(cls(parts(loss.start), lr=0.03), loss, 20) for cls in (optim.GradientDescent, optim.SGD)]
    np.testing.assert_allclose(*found, rtol=1e-13)


def test_on_a_quadratic_the_error_shrinks_as_the_closed_form_says():
    """x - b shrinks by I - ηA in each step."""
    loss = Quadratic()
    found = run(optim.GradientDescent(parts(loss.start), lr=0.05), loss, 30)
    factor = np.linalg.matrix_power(np.eye(8) - 0.05 * loss.a, 30)
    np.testing.assert_allclose(found - loss.b, factor @ (loss.start - loss.b), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("lr", [1.0, 64.0])
def test_backtracking_is_the_textbook_s(lr):
    """Algorithm 3.1 with ρ = ½, c = 10⁻⁴, in numpy, on Rosenbrock's valley."""
    from scipy.optimize import rosen, rosen_der

    optimizer = optim.GradientDescent(parts([-1.2, 1.0], [(2,)]), lr=lr, line_search_fn="armijo")
    closure = Closure(optimizer, rosenbrock)
    x, calls = np.array([-1.2, 1.0]), 0
    for _ in range(50):
        g, t = rosen_der(x), lr
        calls += 2
        while rosen(x - t * g) > rosen(x) - 1e-4 * t * (g @ g):
            t, calls = t / 2, calls + 1
        x = x - t * g
        optimizer.step(closure)
        np.testing.assert_allclose(optimizer.param_groups[0]["params"][0].detach(), x, rtol=1e-9)
    assert closure.calls == state_of(optimizer)["func_evals"] == calls


def test_it_creeps_to_the_end_of_the_valley():
    optimizer = optim.GradientDescent(parts([0.9, 0.5], [(2,)]), lr=0.008, line_search_fn="armijo")
    distances = [abs(run(optimizer, rosenbrock, 500) - 1).max() for _ in range(3)]
    assert distances[2] < 0.7 * distances[1] < 0.7**2 * distances[0]
    assert distances[2] < 0.1


def test_where_the_limit_is_too_low_it_stays():
    optimizer = optim.GradientDescent(parts([-1.2, 1.0], [(2,)]), lr=1.0, line_search_fn="armijo", max_eval=4)
    assert run(optimizer, rosenbrock, 1).tolist() == [-1.2, 1.0]
    assert state_of(optimizer)["func_evals"] == 4
