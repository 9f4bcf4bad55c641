"""The subproblem of a trust region, against its optimality conditions and scipy's iterates."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.optim.full_batch.trust_region import accepted, resized, solve, steihaug


def model(a, g, p):
    return g @ p + p @ a @ p / 2


def problem(seed, values, empty=()):
    """A Hessian with given eigenvalues and a gradient with no part along some of its eigenvectors."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(len(values), len(values))))[0]
    c = rng.normal(size=len(values))
    c[list(empty)] = 0
    return (basis * values) @ basis.T, basis @ c


def exact(a, g, radius):
    values, vectors = torch.linalg.eigh(torch.tensor(a))
    z, on_boundary = solve(values, vectors.T @ torch.tensor(g), radius)
    return vectors.numpy() @ z.numpy(), on_boundary


def is_global_minimum(a, g, p, radius):
    """Nocedal & Wright 2006, theorem 4.1: (A + μI) p = -g, μ (Δ - ‖p‖) = 0, A + μI semidefinite, μ ≥ 0."""
    length = np.linalg.norm(p)
    mu = -p @ (a @ p + g) / length**2 if length else 0.0
    shifted = a + mu * np.eye(len(g))
    scale = abs(a).max() + abs(g).max() + abs(mu)
    assert length <= radius * (1 + 1e-9)
    assert np.abs(shifted @ p + g).max() <= 1e-7 * scale * max(1, length)
    assert mu >= -1e-8 * scale
    assert abs(mu * (radius - length)) <= 1e-7 * scale * max(1, radius)
    assert np.linalg.eigvalsh(shifted)[0] >= -1e-7 * scale


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(
    st.integers(0, 10**6),
    st.lists(st.sampled_from([-3.0, -1.0, -1e-3, 0.0, 1e-3, 0.5, 2.0, 40.0]), min_size=1, max_size=6),
    st.sampled_from([1e-4, 0.1, 1.0, 7.0, 1000.0]),
)
def test_the_step_is_the_global_minimum_within_the_radius(seed, values, radius):
    a, g = problem(seed, sorted(values))
    p, on_boundary = exact(a, g, radius)
    is_global_minimum(a, g, p, radius)
    if on_boundary:
        assert np.linalg.norm(p) == pytest.approx(radius, rel=1e-6)


@pytest.mark.parametrize("radius", [0.01, 1.0, 50.0])
@pytest.mark.parametrize("values", [[-2.0, 1.0, 3.0], [-2.0, -2.0, 3.0], [-1.0, -0.5, -0.25]])
def test_in_the_hard_case_too(values, radius):
    lowest = [i for i, v in enumerate(values) if v == values[0]]
    a, g = problem(1, values, empty=lowest)
    p, on_boundary = exact(a, g, radius)
    is_global_minimum(a, g, p, radius)
    assert on_boundary


def test_a_flat_direction_without_a_slope_is_left_alone():
    a, g = problem(2, [0.0, 1.0, 4.0], empty=[0])
    p, on_boundary = exact(a, g + 1e-18, 1000.0)
    assert not on_boundary
    np.testing.assert_allclose(p, -np.linalg.pinv(a) @ g, rtol=1e-9)


def test_where_all_is_flat_it_goes_along_the_slope_or_nowhere():
    zero = torch.zeros(3)
    assert solve(zero, torch.tensor([0.0, 3.0, 4.0]), 0.5)[0].tolist() == pytest.approx([0, -0.3, -0.4])
    assert solve(zero, zero, 0.5)[0].tolist() == [0, 0, 0]


@pytest.mark.parametrize("values", [[1.0, 2.0, 30.0, 31.0], [-1.0, 2.0, 30.0, 31.0], [-3.0, -2.0, 0.0, 1.0]])
@pytest.mark.parametrize("radius", [0.05, 0.5, 20.0, math.inf])
def test_conjugate_gradients_do_as_scipy_s(values, radius):
    from scipy.optimize._trustregion_ncg import CGSteihaugSubproblem

    a, g = problem(4, values)
    if math.isinf(radius) and values[0] < 0:
        return  # scipy has none without a radius
    theirs = CGSteihaugSubproblem(np.zeros(4), lambda x: 0.0, lambda x: g, lambda x: a).solve(radius)
    step = steihaug(torch.tensor(g), lambda v: torch.tensor(a) @ v, radius, 100)
    np.testing.assert_allclose(step.p, theirs[0], rtol=1e-9, atol=1e-12)
    assert step.on_boundary == theirs[1]
    assert step.slope == pytest.approx(g @ theirs[0])
    assert step.bend == pytest.approx(theirs[0] @ a @ theirs[0])
    best = exact(a, g, min(radius, 1e9))[0]
    assert model(a, g, best) <= model(a, g, step.p.numpy()) + 1e-9


def test_without_a_radius_negative_curvature_ends_it():
    a, g = problem(5, [-1.0, 2.0, 30.0])
    step = steihaug(torch.tensor(g), lambda v: torch.tensor(a) @ v, math.inf, 100)
    assert step.slope < 0
    down = steihaug(torch.tensor([1.0, 1.0]), lambda v: -v, math.inf, 100)
    assert down.p.tolist() == [-1, -1]  # the first direction already: steepest descent
    still = steihaug(torch.zeros(2), lambda v: -v, 1.0, 100)
    assert still.p.tolist() == [0, 0]


def test_the_number_of_products_is_limited():
    a, g = problem(6, list(np.geomspace(1, 1e6, 30)))
    products = []

    def product(v):
        products.append(v)
        return torch.tensor(a) @ v

    steihaug(torch.tensor(g), product, math.inf, 7)
    assert len(products) == 7


def test_the_radius_adapts_as_in_the_book():
    assert resized(1.0, 0.2, True) == 0.25
    assert resized(1.0, math.nan, True) == 0.25
    assert resized(1.0, 0.5, True) == 1.0
    assert resized(1.0, 0.9, True) == 2.0
    assert resized(1.0, 0.9, False) == 1.0
    assert resized(800.0, 0.9, True) == 1000.0
    assert [accepted(r) for r in (-1, 0.1, 0.2, math.nan)] == [False, False, True, False]
