"""What every full-batch method keeps to: the table enumerates the exports, so none is left out."""

import importlib
import inspect
import pkgutil

import numpy as np
import pytest
import torch
from torch import nn

from tests.optim.full_batch.problems import (
    EACH,
    NAMES,
    SHAPES,
    TYPES,
    VARIANTS,
    Closure,
    Quadratic,
    class_of,
    joined,
    make,
    parts,
    run,
    state_of,
)
from tests.optim.kinds import FULL_BATCH
from thalweg import optim
from thalweg.optim import full_batch
from thalweg.optim.full_batch import FullBatch

# -- the table ----------------------------------------------------------------------------------------------


def test_every_export_that_runs_no_rule_is_in_the_table():
    assert set(VARIANTS) == set(FULL_BATCH)
    assert all(issubclass(class_of(name), FullBatch) for name in VARIANTS)


def test_every_method_of_the_folder_is_exported():
    assert set(full_batch.__all__) == {*VARIANTS, "FullBatch"}
    infos = pkgutil.iter_modules(full_batch.__path__, "thalweg.optim.full_batch.")
    modules = [importlib.import_module(info.name) for info in infos]
    found = {
        key
        for module in modules
        for key, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, FullBatch) and value.__module__ == module.__name__
    }
    assert found == set(full_batch.__all__)


@NAMES
def test_every_number_has_an_interval_and_every_text_its_choices(name):
    defaults = {p.name: p.default for p in inspect.signature(class_of(name)).parameters.values()}
    numbers = {k for k, v in defaults.items() if isinstance(v, int | float) and not isinstance(v, bool)}
    assert numbers | ({"max_eval"} & defaults.keys()) == set(class_of(name).intervals)
    assert {k for k, v in defaults.items() if isinstance(v, str) or v is None} - {"max_eval"} <= set(
        class_of(name).choices
    )


# -- what a step does ---------------------------------------------------------------------------------------


@EACH
@TYPES
def test_it_goes_down_a_quadratic_and_returns_the_loss_before(name, variant, dtype):
    loss = Quadratic()
    params = parts(loss.start, dtype=dtype)
    optimizer = make(name, variant, params)
    before = loss(joined(params)).item()
    closure = Closure(optimizer, loss)
    assert optimizer.step(closure).item() == before
    run(optimizer, loss, 29)
    assert loss(joined(params)).item() < (0.5 if name == "RandomSearch" else 0.2) * before


@EACH
def test_one_step_is_of_the_vector_however_it_is_cut_into_parameters(name, variant):
    loss = Quadratic()
    found = [run(make(name, variant, parts(loss.start, shapes)), loss, 3) for shapes in (SHAPES, [(8,)])]
    assert np.array_equal(*found)
    assert not np.array_equal(found[0], loss.start)


@EACH
def test_evaluations_and_iterations_are_counted(name, variant):
    optimizer = make(name, variant, parts(Quadratic().start))
    closure = Closure(optimizer, Quadratic())
    for _ in range(3):
        optimizer.step(closure)
        assert state_of(optimizer)["func_evals"] == closure.calls
    assert state_of(optimizer)["n_iter"] >= 3


@EACH
def test_a_rate_of_zero_moves_nothing(name, variant):
    loss = Quadratic()
    if variant == "fresh":
        return  # its candidate is then zero
    optimizer = make(name, variant, parts(loss.start), lr=0.0)
    assert np.array_equal(run(optimizer, loss, 2), loss.start)


@EACH
def test_a_schedule_of_torch_drives_the_rate(name, variant):
    optimizer = make(name, variant, parts(Quadratic().start))
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.0)
    first = run(optimizer, Quadratic(), 1)
    schedule.step()
    assert optimizer.param_groups[0]["lr"] == 0
    if variant != "fresh":
        assert np.array_equal(run(optimizer, Quadratic(), 1), first)


@EACH
def test_a_frozen_parameter_and_one_that_the_loss_does_not_use_stay_where_the_method_has_no_reason(
    name, variant
):
    params = [nn.Parameter(torch.ones(2, dtype=torch.float64)) for _ in range(3)]
    params[1].requires_grad_(False)
    optimizer = make(name, variant, params)

    def closure():
        optimizer.zero_grad()
        loss = (params[0] ** 2).sum() + params[1].sum()
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    assert (params[0] != 1).all()
    assert (params[1] == 1).all()
    if name != "RandomSearch" and variant != "lasso":
        assert (params[2] == 1).all()


@EACH
def test_the_layout_in_memory_changes_nothing(name, variant):
    loss, start = Quadratic(12, 5), np.random.default_rng(0).normal(size=12)
    plain = parts(start, [(2, 6), ()][:1])
    odd = nn.Parameter(torch.empty(6, 4, dtype=torch.float64).T[::2].copy_(plain[0]))
    assert not odd.is_contiguous()
    found = [run(make(name, variant, [p]), loss, 3) for p in (plain[0], odd)]
    assert np.array_equal(*found)


def test_a_gradient_that_is_not_contiguous_is_taken():
    torch.manual_seed(0)
    model = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
    data = torch.randn(2, 3, 8, 8).to(memory_format=torch.channels_last)
    losses = []
    for cls in (optim.LBFGS, torch.optim.LBFGS):
        optimizer = cls(model.parameters())

        def closure(optimizer=optimizer):
            optimizer.zero_grad()
            loss = model(data).square().mean()
            loss.backward()
            return loss

        if cls is optim.LBFGS:
            losses = [optimizer.step(closure).item() for _ in range(2)]
        else:
            with pytest.raises(RuntimeError, match="view size"):
                optimizer.step(closure)
    assert losses[1] < losses[0]


@EACH
def test_it_trains_a_module_in_float32_by_the_same_closure(name, variant):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    x = torch.randn(30, 3)
    y = x.sum(1, keepdim=True).sin()
    optimizer = make(name, variant, model.named_parameters())

    def closure():
        optimizer.zero_grad()
        loss = (model(x) - y).square().mean()
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(12)]
    assert losses[-1] < 0.97 * losses[0]
    assert all(p.grad is not None and not p.grad.requires_grad for p in model.parameters())
