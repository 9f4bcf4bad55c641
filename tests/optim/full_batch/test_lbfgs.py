"""L-BFGS: torch's twin where torch is right; where it is not, torch is shown to go wrong."""

import copy
import inspect
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from torch import nn

from tests.optim.full_batch.problems import (
    SHAPES,
    Closure,
    Quadratic,
    bits,
    joined,
    parts,
    rosenbrock,
    run,
    state_of,
    values,
)
from thalweg import optim

BOTH = pytest.mark.parametrize("cls", [optim.LBFGS, torch.optim.LBFGS], ids=["ours", "torch's"])
AMPLE = {"line_search_fn": "strong_wolfe", "max_eval": 1000}
OPTIONS = {
    "default": {},
    "wolfe": AMPLE,
    "wolfe, default limit": {"line_search_fn": "strong_wolfe"},
    "wolfe, long first step": {**AMPLE, "lr": 4.0},
    "wolfe, short memory": {**AMPLE, "history_size": 2, "max_iter": 4},
    "wolfe, one iteration": {"line_search_fn": "strong_wolfe", "max_iter": 1},
    "fixed rate": {"lr": 0.05, "max_iter": 3},
    "fixed, short memory": {"lr": 0.1, "history_size": 2, "max_iter": 7},
    "tolerances": {**AMPLE, "tolerance_grad": 1e-3, "tolerance_change": 1e-4},
    "one iteration": {"max_iter": 1, "lr": 0.02},
}


def network(x):
    """A small network on fixed data: the parameters cut from the vector."""
    generator = torch.Generator().manual_seed(1)
    data = torch.randn(40, 3, generator=generator, dtype=torch.float64)
    target = data.prod(1).sign()
    hidden = torch.tanh(data @ x[:12].reshape(3, 4) + x[12:16])
    return torch.nn.functional.softplus(-target * (hidden @ x[16:20])).mean() + 1e-3 * x.square().sum()


PROBLEMS = {
    "quadratic": (Quadratic(8, 50), Quadratic().start),
    "rosenbrock": (rosenbrock, np.array([-1.2, 1.0, 0.5, -1.0, 2.0, 0.3, -0.4, 1.5])),
    "network": (network, np.random.default_rng(2).normal(size=20)),
}


def shapes_of(start):
    return SHAPES if len(start) == 8 else [(12,), (2, 4)]


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_the_trajectory_and_the_state_are_those_of_torch(problem, options):
    loss, start = PROBLEMS[problem]
    both = (optim.LBFGS, torch.optim.LBFGS)
    mine, theirs = (cls(parts(start, shapes_of(start)), **options) for cls in both)
    closures = Closure(mine, loss), Closure(theirs, loss)
    for _ in range(8):
        returned = [o.step(c).item() for o, c in zip((mine, theirs), closures, strict=True)]
        if not math.isfinite(returned[1]):  # a fixed rate may diverge, alike
            break
        assert returned[0] == pytest.approx(returned[1], rel=1e-10, abs=1e-12)
        found = [values(o.param_groups[0]["params"]) for o in (mine, theirs)]
        np.testing.assert_allclose(*found, rtol=1e-10, atol=1e-10)
        ours, torchs = state_of(mine), {k: v for k, v in state_of(theirs).items() if k != "al"}
        for key in ("func_evals", "n_iter"):
            assert ours[key] == torchs[key]
        assert ours.keys() == torchs.keys()
        assert len(ours["old_dirs"]) == len(torchs["old_dirs"])
        if not (torchs["t"] == options.get("lr", 1) and ours["t"] == 0):  # a step that torch did not take
            for key in ("d", "old_dirs", "old_stps", "prev_flat_grad"):
                torch.testing.assert_close(ours[key], torchs[key], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("options", [AMPLE, {"lr": 0.1, "max_iter": 5}], ids=["wolfe", "fixed"])
@pytest.mark.parametrize("first", [optim.LBFGS, torch.optim.LBFGS], ids=["ours first", "torch's first"])
def test_a_state_dict_goes_from_one_to_the_other_and_on(first, options):
    loss = PROBLEMS["network"][0]
    second = torch.optim.LBFGS if first is optim.LBFGS else optim.LBFGS
    options = {**options, "max_iter": 3}
    whole = first(parts(PROBLEMS["network"][1], [(20,)]), **options)
    run(whole, loss, 2)
    other = second(parts(values(whole.param_groups[0]["params"]), [(20,)]), **options)
    other.load_state_dict(copy.deepcopy(whole.state_dict()))
    found = [run(o, loss, 3) for o in (whole, other)]
    np.testing.assert_allclose(*found, rtol=1e-10, atol=1e-10)
    assert state_of(whole)["func_evals"] == state_of(other)["func_evals"]
    back = first(parts(found[1], [(20,)]), **options)
    back.load_state_dict(copy.deepcopy(other.state_dict()))
    np.testing.assert_allclose(run(back, loss, 2), run(whole, loss, 2), rtol=1e-10, atol=1e-10)


def test_constructor_and_options_are_those_of_torch():
    mine, theirs = (inspect.signature(cls).parameters for cls in (optim.LBFGS, torch.optim.LBFGS))
    assert {k: (v.kind, v.default) for k, v in mine.items()} == {
        k: (v.kind, v.default) for k, v in theirs.items()
    }
    p = nn.Parameter(torch.ones(2))
    groups = [cls([p], max_iter=7).param_groups[0] for cls in (optim.LBFGS, torch.optim.LBFGS)]
    assert {k: v for k, v in groups[0].items() if k != "params"} == {
        k: v for k, v in groups[1].items() if k != "params"
    }


def test_the_rate_may_be_a_tensor():
    loss = Quadratic()
    runs = [run(optim.LBFGS(parts(loss.start), lr=lr), loss, 2) for lr in (0.5, torch.tensor(0.5))]
    assert np.array_equal(*runs)


def test_a_checkpoint_of_torch_with_one_evaluation_goes_on_with_two():
    options = {"line_search_fn": "strong_wolfe", "max_iter": 1}
    theirs = torch.optim.LBFGS(parts(Quadratic().start), **options)
    run(theirs, Quadratic(), 2)
    assert theirs.param_groups[0]["max_eval"] == 1
    mine = optim.LBFGS(parts(values(theirs.param_groups[0]["params"])), **options)
    mine.load_state_dict(copy.deepcopy(theirs.state_dict()))
    assert mine.param_groups[0]["max_eval"] == 2
    np.testing.assert_allclose(run(mine, Quadratic(), 3), run(theirs, Quadratic(), 3), rtol=1e-12)


def test_it_reaches_the_minimum_that_scipy_reaches():
    start = np.array([-1.2, 1.0, 0.5, -1.0, 2.0])
    optimizer = optim.LBFGS(parts(start, [(5,)]), line_search_fn="strong_wolfe", tolerance_change=0)
    found = run(optimizer, rosenbrock, 12)
    from scipy.optimize import rosen, rosen_der

    theirs = minimize(rosen, start, jac=rosen_der, method="L-BFGS-B", options={"ftol": 0, "gtol": 1e-9})
    np.testing.assert_allclose(found, theirs.x, atol=1e-6)


@pytest.mark.parametrize("lr", [0.25, 1.0])
@pytest.mark.parametrize("slope", [0.5, 2.0])  # exact in binary: no rounding decides
def test_along_a_straight_line_it_goes_as_far_as_torch_which_takes_one_evaluation_more(slope, lr):
    found = [
        run(
            cls(parts(np.ones(8)), lr=lr, line_search_fn="strong_wolfe", max_eval=limit),
            lambda x: slope * x.sum(),
            1,
        )
        for cls, limit in ((optim.LBFGS, 7), (torch.optim.LBFGS, 6))
    ]
    np.testing.assert_allclose(*found, rtol=1e-12)
    assert found[0][0] < -100


# -- where torch goes wrong ---------------------------------------------------------------------------------


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
@pytest.mark.parametrize("limit", range(1, 12))
def test_the_limit_of_evaluations_holds_and_torch_s_does_not(search, limit):
    if search and limit == 1:
        return  # refused
    calls = []
    for cls in (optim.LBFGS, torch.optim.LBFGS):
        optimizer = cls(parts([-1.2, 1.0], [(2,)]), max_eval=limit, line_search_fn=search, lr=0.001)
        closure = Closure(optimizer, rosenbrock)
        optimizer.step(closure)
        calls.append(closure.calls)
    assert calls[0] <= limit
    if limit < 2 + bool(search):
        assert calls[1] == limit + 1


@BOTH
def test_a_loss_that_is_not_a_number_is_not_accepted(cls):
    """Near 0.02 the slope of x - 3 log x is -149: the first trials of the line search lie beyond 0."""
    p = nn.Parameter(torch.tensor([0.02], dtype=torch.float64))
    optimizer = cls([p], lr=20.0, line_search_fn="strong_wolfe")

    def loss(x):
        return (x - 3 * torch.log(x)).sum()

    run(optimizer, loss, 3)
    if cls is optim.LBFGS:
        assert p.item() == pytest.approx(3.0, abs=1e-4)
    else:
        assert p.item() < -1e17


@BOTH
def test_an_interrupt_leaves_the_parameters_where_they_were(cls):
    p = nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
    optimizer = cls([p], line_search_fn="strong_wolfe")
    closure = Closure(optimizer, lambda x: (x**4).sum())

    def interrupted():
        if closure.calls == 1:
            raise KeyboardInterrupt
        return closure()

    with pytest.raises(KeyboardInterrupt):
        optimizer.step(interrupted)
    assert p.item() == (2.0 if cls is optim.LBFGS else 1.0)


@BOTH
def test_a_step_that_is_not_taken_makes_no_pair_with_other_data(cls):
    """The second call's slope is within tolerance_change; the third call has other data."""
    p = nn.Parameter(torch.tensor([1.0, 1.0], dtype=torch.float64))
    optimizer = cls([p], lr=0.5, max_iter=1)
    losses = iter([lambda: p**2, lambda: 1e-5 * p**2, lambda: 3 * (p - 2) ** 2])

    def closure():
        optimizer.zero_grad()
        loss = next(losses)().sum()
        loss.backward()
        return loss

    for _ in range(2):
        optimizer.step(closure)
    before = p.detach().clone()
    pairs = len(state_of(optimizer)["old_dirs"])
    optimizer.step(closure)
    assert not torch.equal(p, before)
    assert len(state_of(optimizer)["old_dirs"]) - pairs == (0 if cls is optim.LBFGS else 1)


def test_a_copy_of_torch_s_does_not_step():
    optimizer = torch.optim.LBFGS(parts(Quadratic().start))
    with pytest.raises(AttributeError, match="_params"):
        run(copy.deepcopy(optimizer), Quadratic(), 1)


@pytest.mark.parametrize("size", [3, 40])
def test_the_size_of_the_history_may_change(size):
    for cls in (optim.LBFGS, torch.optim.LBFGS):
        optimizer = cls(parts(Quadratic().start), lr=0.1, history_size=6)
        run(optimizer, Quadratic(8, 50), 1)
        assert len(state_of(optimizer)["old_dirs"]) == 6
        optimizer.param_groups[0]["history_size"] = size
        if cls is torch.optim.LBFGS:
            with pytest.raises(IndexError):
                run(optimizer, Quadratic(8, 50), 1)
        else:
            run(optimizer, Quadratic(8, 50), 1)
            assert len(state_of(optimizer)["old_dirs"]) == min(size, 6 + 20)


# -- properties ---------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    st.integers(0, 10**6),
    st.floats(0.01, 30),
    st.integers(1, 6),
    st.integers(2, 12),
    st.sampled_from([0.0, 0.3, 3.0]),
)
def test_a_line_search_never_goes_up_whatever_the_loss(seed, lr, max_iter, limit, wiggle):
    loss = Quadratic(8, 30, seed)

    def rough(x):
        inside = loss(x) + wiggle * torch.sin(7 * x).sum()
        return torch.where(x.abs().max() > 6, math.nan, inside)

    optimizer = optim.LBFGS(
        parts(loss.start), lr=lr, max_iter=max_iter, max_eval=limit, line_search_fn="strong_wolfe"
    )
    closure, last = Closure(optimizer, rough), math.inf
    for _ in range(4):
        calls, before = closure.calls, bits(optimizer)
        now = optimizer.step(closure).item()
        assert closure.calls - calls <= limit
        assert now <= last
        last = now
        after = rough(joined(optimizer.param_groups[0]["params"])).item()
        assert after < now or bits(optimizer) == before
