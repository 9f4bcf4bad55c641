"""Each wrong use of a full-batch method gets one clear error, and leaves the parameters as they were."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

from tests.optim.full_batch.problems import (
    EACH,
    LEAST_EVAL,
    MATRIX,
    NAMES,
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
from thalweg.errors import UserError

SECOND = ("Newton", "NewtonCG")


@EACH
@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt])
def test_where_the_closure_raises_nothing_has_changed(name, variant, kind):
    loss = Quadratic(8, 200)
    optimizer = make(name, variant, parts(loss.start))
    run(optimizer, loss, 1)
    held, state = bits(optimizer), copy.deepcopy(optimizer.state_dict()["state"])
    once = Closure(optimizer, loss)
    trial = make(name, variant, parts(values(optimizer.param_groups[0]["params"])))
    trial.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    count = Closure(trial, loss)
    trial.step(count)  # how many evaluations the step takes

    def broken():
        if once.calls == count.calls - 1:  # at the last of them
            raise kind("mine")
        return once()

    with pytest.raises(kind, match="mine"):
        optimizer.step(broken)
    assert bits(optimizer) == held
    torch.testing.assert_close(optimizer.state_dict()["state"], state, rtol=0, atol=0)


@EACH
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_start_that_is_not_finite_is_refused_and_random_search_leaves_it(name, variant, bad):
    def loss(x):
        return torch.where(x[0] > 0.9, bad * x[0], (x**2).sum())

    params = parts(np.ones(8))
    optimizer = make(name, variant, params)
    if name == "RandomSearch":
        assert loss(torch.tensor(run(optimizer, loss, 5))).isfinite()
        return
    with pytest.raises(FloatingPointError, match=rf"^{name}: the loss is {bad} in evaluation 1 of this step"):
        run(optimizer, loss, 1)
    assert np.array_equal(values(params), np.ones(8))


SEARCHING = [(n, v) for n, v in MATRIX if v in ("armijo", "cyclic", "lasso", "trust region", "wolfe")]
SEARCHING += [("Newton", "line search"), ("NewtonCG", "line search")]


@pytest.mark.parametrize(("name", "variant"), SEARCHING)
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_trial_that_is_not_finite_is_too_far(name, variant, bad):
    """-log(1 - x) for each element, beyond 1 NaN or infinite, with its minimum at 0.9."""

    def loss(x):
        wall = torch.where(x < 1, -torch.log((1 - x).clamp(min=1e-300)), bad)
        return (wall - 10 * x).sum()

    optimizer = make(name, variant, parts(np.full(8, -2.0)), lr=4.0 if "Newton" not in name else 1.0)
    if "max_eval" in optimizer.defaults:
        optimizer.param_groups[0]["max_eval"] = 100
    found = run(optimizer, loss, 40)
    least = 0.9 if variant != "lasso" else 1 - 1 / 9.7
    np.testing.assert_allclose(found, least, atol=2e-3)


@pytest.mark.parametrize(
    ("name", "variant"), [("LBFGS", "fixed"), ("BFGS", "damped"), ("GradientDescent", "fixed")]
)
def test_without_a_line_search_a_step_into_nan_is_taken_back(name, variant):
    optimizer = make(name, variant, parts(np.full(8, 0.5)), lr=40.0)
    with pytest.raises(FloatingPointError, match="the loss is nan in evaluation"):
        run(optimizer, lambda x: -torch.log(x).sum() + x.sum() * 3, 3)
    if name != "GradientDescent":  # which sees it at the start of the next step
        assert np.isfinite(np.log(values(optimizer.param_groups[0]["params"]))).all()


@NAMES
def test_a_missing_closure_gets_the_lines_to_write(name):
    p = nn.Parameter(torch.ones(2))
    optimizer = class_of(name)([p])
    with pytest.raises(UserError, match=f"^{name} evaluates the loss itself: write 'def closure") as error:
        optimizer.step()
    message = str(error.value)
    assert "\n" not in message
    source, call = (message.split("'")[i] for i in (1, 3))
    model, x, y = (lambda _: p), None, torch.zeros(2)
    scope = {"optimizer": optimizer, "model": model, "x": x, "y": y, "loss_fn": nn.functional.mse_loss}
    exec(f"{source}\n{call}", scope)  # what the message says works as it stands
    assert state_of(optimizer)["func_evals"] >= 1


@NAMES
def test_closures_of_no_use_are_refused(name):
    p = nn.Parameter(torch.ones(2))
    optimizer = class_of(name)([p])
    with pytest.raises(UserError, match=f"{name}: the closure returned None; end it with 'return loss'"):
        optimizer.step(lambda: None)
    with pytest.raises(UserError, match=rf"{name}: the closure returned torch.float32 of shape \(2,\)"):
        optimizer.step(lambda: p * 2)
    with pytest.raises(UserError, match=f"{name}: the closure returned torch.complex64 of shape"):
        optimizer.step(lambda: (p * 1j).sum())
    with pytest.raises(UserError, match=f"{name}: the closure returned a tuple; return the loss, one real"):
        optimizer.step(lambda: ((p**2).sum(), p))
    with pytest.raises(UserError, match=f"{name}: the closure returned a str; return the loss, one real num"):
        optimizer.step(lambda: "1.0")
    if name not in (*SECOND, "RandomSearch"):
        with pytest.raises(UserError, match=f"{name}: the closure left no gradient; call loss.backward"):
            optimizer.step(lambda: (p**2).sum())
    if name in SECOND:
        with pytest.raises(UserError, match=f"{name} differentiates the returned loss twice, and it has no"):
            optimizer.step(lambda: (p**2).sum().item())
    assert (p == 1).all()


@pytest.mark.parametrize("name", [name for name in VARIANTS if name != "RandomSearch"])
def test_a_sparse_gradient_is_refused(name):
    model = nn.Embedding(5, 2, sparse=True)
    optimizer = class_of(name)(model.parameters())

    def closure():
        optimizer.zero_grad()
        loss = model(torch.tensor([1, 2])).square().sum()
        loss.backward()
        return loss

    with pytest.raises(UserError, match=f"{name}: a gradient is sparse; use a layer with sparse=False"):
        optimizer.step(closure)


@NAMES
def test_parameters_that_are_no_one_vector_are_refused(name):
    cls, p = class_of(name), nn.Parameter(torch.ones(2))
    wrong = [
        ([torch.ones(2, dtype=torch.complex64, requires_grad=True)], "torch.complex64 are refused"),
        ([nn.Parameter(torch.ones(2, dtype=torch.float16))], "torch.float16 are refused: convert the model"),
        ([nn.Parameter(torch.ones(2, dtype=torch.bfloat16))], "torch.bfloat16 are refused"),
        ([p, nn.Parameter(torch.ones(2, dtype=torch.float64))], "torch.float32 on cpu and torch.float64 on"),
        ([{"params": [p]}, {"params": [nn.Parameter(torch.ones(1))]}], "give it one parameter group"),
        ([nn.Parameter(torch.ones(0))], "hold no numbers"),
        ([torch.ones(2).to_sparse().requires_grad_()], "none may be sparse or sharded"),
    ]
    for params, message in wrong:
        with pytest.raises(UserError, match=f"^{name}.*{message}"):
            cls(params)
    optimizer = cls([p])
    with pytest.raises(UserError, match="one parameter group"):
        optimizer.add_param_group({"params": [nn.Parameter(torch.ones(1))]})
    assert len(optimizer.param_groups) == 1


def test_a_parameter_given_twice_is_refused():
    p = nn.Parameter(torch.ones(2))
    with pytest.warns(UserWarning, match="duplicate"), pytest.raises(UserError, match="appears twice"):
        optim.BFGS([p, p])


@NAMES
def test_nonsense_options_are_refused_by_name_value_and_range(name):
    cls, p = class_of(name), nn.Parameter(torch.ones(2))
    for option in cls.intervals:
        wrong = [-1, math.nan, "1", *([1.5, 4.0, True] if option in cls.whole else [])]
        for value in wrong + [0] * (not cls.intervals[option].startswith("[0")):
            with pytest.raises(UserError, match=rf"^{name}: {option} must be a (number in|whole number)"):
                cls([p], **{option: value})
    for option in cls.choices:
        with pytest.raises(UserError, match=rf"^{name}: {option} must be one of .*, got 'best'"):
            cls([p], **{option: "best"})


@NAMES
def test_an_option_that_is_changed_later_is_checked_at_the_step(name):
    optimizer = class_of(name)([nn.Parameter(torch.ones(2))])
    optimizer.param_groups[0]["lr"] = -1.0
    with pytest.raises(UserError, match=f"{name}: lr must be a number in"):
        optimizer.step(lambda: None)


@pytest.mark.parametrize("name", [n for n in VARIANTS if "max_eval" in class_of(n).intervals])
def test_the_least_limit_of_evaluations_is_enough_to_move(name):
    loss, least = Quadratic(), LEAST_EVAL.get(name, 2)
    for variant in VARIANTS[name]:
        if name == "LBFGS" and variant != "fixed":
            with pytest.raises(UserError, match="max_eval must be at least 2 with a line search"):
                make(name, variant, parts(loss.start), max_eval=1)
            least = 2
        optimizer = make(name, variant, parts(loss.start), max_eval=least, lr=0.02)
        closure = Closure(optimizer, loss)
        optimizer.step(closure)
        assert closure.calls <= least
        assert not np.array_equal(values(optimizer.param_groups[0]["params"]), loss.start)
