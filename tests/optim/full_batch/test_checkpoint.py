"""Resuming is exact or refused, for every full-batch method."""

import copy
import io
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from tests.optim.full_batch.problems import (
    EACH,
    NAMES,
    TYPES,
    VARIANTS,
    Closure,
    Quadratic,
    bits,
    class_of,
    make,
    parts,
    run,
    state_of,
    values,
)
from thalweg import optim
from thalweg.errors import CheckpointWarning, UserError


def saved(optimizer):
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    return torch.load(file)  # weights only: tensors and plain Python


@EACH
@TYPES
def test_a_run_resumed_is_the_run_uninterrupted_bit_for_bit(name, variant, dtype):
    loss = Quadratic(8, 200)
    whole = make(name, variant, parts(loss.start, dtype=dtype))
    run(whole, loss, 3)
    again = make(name, variant, parts(values(whole.param_groups[0]["params"]), dtype=dtype))
    again.load_state_dict(saved(whole))
    for optimizer in (whole, again):
        run(optimizer, loss, 4)
    assert bits(again) == bits(whole)
    assert state_of(again)["func_evals"] == state_of(whole)["func_evals"]


@EACH
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_goes_on_alike(name, variant, copied):
    loss = Quadratic()
    optimizer = make(name, variant, parts(loss.start))
    run(optimizer, loss, 2)
    twin = copied(optimizer)
    assert np.array_equal(run(optimizer, loss, 2), run(twin, loss, 2))


@EACH
def test_a_state_dict_is_not_changed_by_later_steps_of_either_side(name, variant):
    loss = Quadratic()
    optimizer = make(name, variant, parts(loss.start))
    run(optimizer, loss, 2)
    state = optimizer.state_dict()
    frozen = copy.deepcopy(state)
    run(optimizer, loss, 2)
    other = make(name, variant, parts(loss.start))
    other.load_state_dict(state)
    run(other, loss, 2)
    torch.testing.assert_close(state["state"], frozen["state"], rtol=0, atol=0)


@NAMES
def test_a_state_of_another_method_or_model_is_refused_and_nothing_changed(name):
    variant = next(iter(VARIANTS[name]))
    loss = Quadratic()
    optimizer = make(name, variant, parts(loss.start))
    run(optimizer, loss, 2)
    before = copy.deepcopy(optimizer.state_dict())
    adam = torch.optim.Adam(parts(loss.start))
    run(adam, loss, 1)
    state = optimizer.state_dict()
    option = sorted(set(state["param_groups"][0]) - {"params"})[0]
    wrong = [
        (adam.state_dict(), "of another method|no option"),
        ({"model": 1}, "no optimizer's state_dict: it holds"),
        ({**state, "param_groups": state["param_groups"] * 2}, "2 parameter groups"),
        ({**state, "param_groups": [{**state["param_groups"][0], "params": [0]}]}, "1 parameters"),
        (
            {
                **state,
                "param_groups": [{k: v for k, v in state["param_groups"][0].items() if k != option}],
            },
            f"no option {option}",
        ),
    ]
    for given, message in wrong:
        with pytest.raises(UserError, match=message):
            optimizer.load_state_dict(given)
        torch.testing.assert_close(optimizer.state_dict()["state"], before["state"], rtol=0, atol=0)


@pytest.mark.parametrize(("name", "key"), [("LBFGS", "d"), ("BFGS", "inverse_hessian")])
def test_a_state_of_another_size_or_precision_is_refused(name, key):
    loss = Quadratic()
    optimizer = make(name, next(iter(VARIANTS[name])), parts(loss.start))
    run(optimizer, loss, 2)
    other = class_of(name)(parts(np.ones(9), [(4,), (4,), ()]))
    with pytest.raises(UserError, match=r"checkpoint's \w+ has shape \(.*8.*\), not \(.*9"):
        other.load_state_dict(optimizer.state_dict())
    single = class_of(name)(parts(loss.start, dtype=torch.float32))
    with pytest.raises(UserError, match=r"is torch.float64; as torch.float32 it would lose digits"):
        single.load_state_dict(optimizer.state_dict())
    assert key in state_of(optimizer)


def test_parameters_are_matched_by_name_in_their_order():
    a, b = (nn.Parameter(torch.ones(2)) for _ in range(2))
    optimizer = optim.BFGS([("a", a), ("b", b)])
    other = optim.BFGS([("b", b), ("a", a)])
    with pytest.raises(UserError, match=r"\['a', 'b'\]\.\.\., the optimizer's \['b', 'a'\]"):
        other.load_state_dict(optimizer.state_dict())


def test_an_option_that_a_load_replaces_is_named():
    state = optim.BFGS([nn.Parameter(torch.ones(2))], lr=0.5).state_dict()
    with pytest.warns(CheckpointWarning, match=r"replaced lr 0\.25 by 0\.5"):
        optim.BFGS([nn.Parameter(torch.ones(2))], lr=0.25).load_state_dict(state)


@EACH
def test_parameters_that_were_cast_go_on_with_what_is_remembered(name, variant):
    loss = Quadratic()
    optimizer = make(name, variant, parts(loss.start, dtype=torch.float32))
    run(optimizer, loss, 2)
    before = Closure(optimizer, loss)().item()
    params = optimizer.param_groups[0]["params"]
    for p in params:
        p.data, p.grad = p.data.double(), None
    run(optimizer, loss, 3)
    assert Closure(optimizer, loss)().item() <= 1.1 * before
    assert all(p.dtype == torch.float64 for p in params)
    tensors = [v for v in state_of(optimizer).values() if isinstance(v, torch.Tensor)]
    assert all(v.dtype == torch.float64 for v in tensors)


@pytest.mark.parametrize("name", ["BFGS", "LBFGS", "CoordinateDescent"])
def test_after_a_change_of_size_the_state_is_refused_and_can_be_forgotten(name):
    p = nn.Parameter(torch.full((4,), 2.0))
    optimizer = class_of(name)([p], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (p**4).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    p.data, p.grad = torch.full((6,), 2.0), None
    with pytest.raises(UserError, match=rf"{name}: its \w+ has shape .*optimizer.state.clear\(\)"):
        optimizer.step(closure)
    assert (p == 2).all()
    optimizer.state.clear()
    optimizer.step(closure)
    assert (p < 2).all()
