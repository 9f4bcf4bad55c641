"""Lifting: scalars are computed once, in double, and shared."""

import ast

import numpy as np
import pytest
import torch

from tests.engine.probe import ENGINES, evaluate
from thalweg.engine.ops import maximum, sqrt, where
from thalweg.engine.rule import formula, rule
from thalweg.optim.adam import adam


@rule(states={"v": "v"}, moves=True)
def rest(p, g, v, *, beta2):
    v = (1 - beta2) * g
    return p, v


@pytest.mark.parametrize("engine", ENGINES)
def test_one_minus_beta_is_exact_to_double(engine: str) -> None:
    """In float32 1 - 0.9999 is off by more than 5e-5; the kernel's value is the double's, rounded once."""
    g = torch.ones(20)
    _, v = evaluate(rest, engine, g, g, torch.zeros(20), beta2=0.9999)
    exact, naive = np.float32(1 - 0.9999), np.float32(1) - np.float32(0.9999)
    assert abs(naive / exact - 1) > 5e-5
    assert (v.numpy() == exact).all()


def test_what_is_left_per_element_mentions_no_scalar() -> None:
    lifted = adam.lifted
    names = {
        node.id
        for expression in [e for _, e in lifted.body] + list(lifted.returns)
        for node in ast.walk(expression)
        if isinstance(node, ast.Name)
    }
    assert not names & set(adam.scalars)
    assert len(lifted.constants) == 7  # beta1, 1 - beta1, beta2, 1 - beta2, both corrections, eps
    values = dict(zip(lifted.constants, lifted.scalars(t=3, beta1=0.9, beta2=0.99, eps=1e-8), strict=True))
    assert sorted(values.values()) == sorted([0.9, 1 - 0.9, 0.99, 1 - 0.99, 1 - 0.9**3, 1 - 0.99**3, 1e-8])


def test_equal_expressions_are_computed_once() -> None:
    @formula
    def twice(p, g, *, a):
        return g * (a + 1) + p * (a + 1)

    assert len(twice.lifted.constants) == 1


def test_scalar_functions_conditions_and_assignments_are_lifted() -> None:
    @formula
    def scaled(p, g, *, total, limit, t):
        norm = sqrt(total)
        factor = where(t == 1, 1, limit / maximum(limit, norm))
        return g * factor

    assert scaled.lifted.body == ()
    assert scaled.lifted.scalars(total=100.0, limit=5.0, t=2) == (0.5,)
    assert scaled.lifted.scalars(total=100.0, limit=5.0, t=1) == (1,)


def test_a_scalar_name_may_become_an_element() -> None:
    @formula
    def reused(p, g, *, a):
        b = a * 2
        x = g * b
        b = x + g
        return b * a

    (value,) = reused.lifted.element(0.0, 3.0, *reused.lifted.scalars(a=5.0))
    assert value == (3 * 10 + 3) * 5
    assert reused(0.0, 3.0, a=5.0) == (165.0,)


def test_a_constant_alone_is_lifted() -> None:
    @formula
    def half(p, g):
        return 0.5 * g

    assert half.lifted.scalars() == (0.5,)
    assert half.lifted.element(0.0, 4.0, 0.5) == (2.0,)
