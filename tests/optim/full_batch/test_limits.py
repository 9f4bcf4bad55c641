"""Evaluation limits, for whatever loss and options: never exceeded, and never a loss that goes up."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.optim.full_batch.problems import Closure, Quadratic, class_of, parts, values
from thalweg import optim

LIMITED = {
    "GradientDescent": st.fixed_dictionaries({"line_search_fn": st.just("armijo")}),
    "CoordinateDescent": st.fixed_dictionaries(
        {"order": st.sampled_from(["cyclic", "random"]), "l1": st.sampled_from([0.0, 0.5])}
    ),
    "Newton": st.fixed_dictionaries(
        {"globalization": st.sampled_from(["trust_region", "line_search"]), "radius": st.floats(0.01, 1000)}
    ),
    "NewtonCG": st.fixed_dictionaries(
        {
            "globalization": st.sampled_from(["trust_region", "line_search"]),
            "radius": st.floats(0.01, 1000),
            "max_cg": st.integers(1, 9),
        }
    ),
    "BFGS": st.fixed_dictionaries({"max_iter": st.integers(1, 9), "damped": st.booleans()}),
    "LBFGS": st.fixed_dictionaries(
        {
            "max_iter": st.integers(1, 9),
            "history_size": st.integers(1, 4),
            "line_search_fn": st.just("strong_wolfe"),
        }
    ),
}


def test_every_method_with_a_limit_is_in_the_table():
    names = {name for name in optim.__all__ if "max_eval" in getattr(class_of(name), "intervals", ())}
    assert names == set(LIMITED)


@pytest.mark.parametrize("name", LIMITED)
@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_the_limit_holds_and_the_loss_never_rises(name, data):
    draw = data.draw
    options = draw(LIMITED[name])
    limit, seed = draw(st.integers(3, 14)), draw(st.integers(0, 10**6))
    wave, wall = draw(st.sampled_from([0.0, 0.5, 4.0])), draw(st.sampled_from([4.0, 100.0]))
    bowl = Quadratic(6, 100, seed)

    def loss(x):
        smooth = bowl(x) + wave * torch.sin(5 * x).sum()
        return torch.where(x.abs().max() > wall, math.nan, smooth)

    start = np.clip(bowl.start, -3, 3)
    optimizer = class_of(name)(parts(start, [(6,)]), lr=draw(st.floats(0.01, 20)), max_eval=limit, **options)
    closure = Closure(optimizer, loss)
    l1, last = options.get("l1", 0.0), math.inf
    for _ in range(4):
        calls = closure.calls
        x = values(optimizer.param_groups[0]["params"])
        total = optimizer.step(closure).item() + l1 * abs(x).sum()
        assert closure.calls - calls <= limit
        assert total <= last + 1e-13 * max(1.0, abs(last)) * 100  # rounding, which line searches let pass
        last = total
