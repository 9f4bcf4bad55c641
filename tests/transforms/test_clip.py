"""Clipping against the exact formula and against torch's functions."""

import math

import numpy as np
import pytest
import torch
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from thalweg import optim, transforms
from thalweg.engine import fused, reference
from thalweg.engine.batch import Batch
from thalweg.engine.lowbits import join

SHAPES = [(40, 7), (13,), ()]


def leaves(scale: float, dtype: torch.dtype = torch.float64) -> list[torch.nn.Parameter]:
    """Zero parameters with random gradients: after one SGD step at lr 1 they are minus what was applied."""
    generator = torch.Generator().manual_seed(3)
    params = [torch.nn.Parameter(torch.zeros(shape, dtype=dtype)) for shape in SHAPES]
    for p in params:
        p.grad = (scale * torch.randn(p.shape, generator=generator, dtype=torch.float64)).to(dtype)
    return params


def applied(params: list[torch.nn.Parameter], transform, engine: str | None = None) -> torch.Tensor:
    optim.SGD(params, lr=1.0, transforms=[transform], engine=engine).step()
    return -torch.cat([p.detach().flatten() for p in params])


def gradient(params: list[torch.nn.Parameter]) -> torch.Tensor:
    return torch.cat([p.grad.flatten() for p in params])


@pytest.mark.parametrize("engine", ["reference", "fused"])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_the_norm_is_cut_to_exactly_the_threshold(scale: float, engine: str) -> None:
    params = leaves(scale)
    g = gradient(params)
    out = applied(params, transforms.clip_norm(2.0), engine)
    torch.testing.assert_close(out, g * min(1.0, 2.0 / g.norm().item()), rtol=1e-13, atol=0)
    if scale < 0.01:
        assert torch.equal(out, g)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_torch_cuts_by_a_millionth_more(scale: float) -> None:
    """torch divides by the norm + 1e-6."""
    ours, theirs = leaves(scale), leaves(scale)
    norm = clip_grad_norm_(theirs, 2.0).item()
    out, twin = applied(ours, transforms.clip_norm(2.0)), gradient(theirs)
    factor = (norm + 1e-6) / norm if norm > 2.0 else 1.0
    torch.testing.assert_close(out, twin * factor, rtol=1e-13, atol=0)


def test_values_are_clipped_as_by_torch() -> None:
    ours, theirs = leaves(1.0), leaves(1.0)
    clip_grad_value_(theirs, 0.5)
    assert torch.equal(applied(ours, transforms.clip_value(0.5)), gradient(theirs))


def test_the_norm_is_that_of_all_groups_dtypes_and_engines_together() -> None:
    generator = torch.Generator().manual_seed(0)
    params = [
        torch.nn.Parameter(torch.zeros(9, dtype=torch.float32)),
        torch.nn.Parameter(torch.zeros(70001, dtype=torch.float64)),
        torch.nn.Parameter(torch.zeros(5, dtype=torch.bfloat16)),
        torch.nn.Parameter(torch.zeros(8, 6)[:, ::2]),  # has gaps: runs in the reference engine
    ]
    for p in params:
        p.grad = torch.randn(p.shape, generator=generator).to(p.dtype)
    norm = math.sqrt(sum(p.grad.double().square().sum().item() for p in params))
    groups = [{"params": params[:2], "lr": 1.0}, {"params": params[2:], "lr": 10.0}]
    optim.SGD(groups, lr=1.0, transforms=[transforms.clip_norm(1.0)]).step()
    for p, lr in zip(params, (1, 1, 10, 10), strict=True):
        tolerance = 1e-2 if p.dtype == torch.bfloat16 else 1e-6
        expected = -lr * p.grad.double() / norm
        torch.testing.assert_close(p.detach().double(), expected, rtol=tolerance, atol=0)


def test_clipping_comes_before_the_optimizer_s_own_decay() -> None:
    """As with torch, where the gradients are clipped before the optimizer sees them."""
    start = torch.linspace(-3, 3, 7, dtype=torch.float64)
    ours, theirs = (torch.nn.Parameter(start.clone()) for _ in range(2))
    ours.grad, theirs.grad = 2 * start, 2 * start
    optim.SGD([ours], lr=0.1, weight_decay=0.5, transforms=[transforms.clip_value(1.0)]).step()
    clip_grad_value_([theirs], 1.0)
    torch.optim.SGD([theirs], lr=0.1, weight_decay=0.5).step()
    torch.testing.assert_close(ours, theirs, rtol=1e-14, atol=0)


def test_in_low_precision_the_norm_sees_the_parameter_with_its_low_bits() -> None:
    """Decay makes the parameter part of the gradient: the sums of both engines are of the whole weight."""
    p = torch.nn.Parameter(torch.linspace(1, 2, 300, dtype=torch.bfloat16))
    layers = [transforms.coupled_decay(1.0), transforms.clip_norm(1e9)]
    optimizer = optim.SGD([p], lr=1e-3, transforms=layers)
    sums = []
    for engine in (reference, fused):
        p.grad = torch.zeros_like(p)
        optimizer.step()
        program = optimizer.program(optimizer.param_groups[0])
        low = optimizer.state[p]["low_bits"]
        batch = Batch(program, [p], [p.grad], [[low]], np.zeros(1, np.int64), [{"lr": 1.0, "t": 1}])
        (found,) = engine.total(batch, 1, {})["total"]
        exact = join(p.detach(), low).double().square().sum().item()
        assert found == pytest.approx(exact, rel=1e-6)
        sums.append(abs(found / p.double().square().sum().item() - 1))
    assert max(sums) > 1e-5  # the error is large enough to be seen


def test_clipping_by_value_first_changes_the_norm_that_the_second_sees() -> None:
    params = leaves(1.0)
    g = gradient(params)
    layers = [transforms.clip_value(0.5), transforms.clip_norm(2.0)]
    optim.SGD(params, lr=1.0, transforms=layers).step()
    first = g.clamp(-0.5, 0.5)
    out = -torch.cat([p.detach().flatten() for p in params])
    torch.testing.assert_close(out, first * 2 / first.norm(), rtol=1e-13, atol=0)


def test_a_large_float32_gradient_does_not_overflow_its_norm() -> None:
    params = leaves(1e30, torch.float32)
    out = applied(params, transforms.clip_norm(1.0))
    assert out.double().norm().item() == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize("engine", ["reference", "fused"])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_bad_gradient_is_named_and_nothing_is_changed(bad: float, engine: str) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1))
    optimizer = optim.Adam(model.named_parameters(), transforms=[transforms.clip_norm(1.0)], engine=engine)
    for p in model.parameters():
        p.grad = torch.ones_like(p)
    model[1].weight.grad[0, 1] = bad
    before = [p.detach().clone() for p in model.parameters()]
    with pytest.raises(FloatingPointError, match=r"gradient of 1\.weight is infinite or NaN"):
        optimizer.step()
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True))
    assert all(state["step"] == 0 for state in optimizer.state.values())


@pytest.mark.parametrize("value", [0, -1.0, math.nan, math.inf, "1", None])
def test_thresholds_are_positive_numbers(value) -> None:
    with pytest.raises(ValueError, match=r"clip_norm: max_norm must be a number in \(0, inf\), got"):
        transforms.clip_norm(value)
    with pytest.raises(ValueError, match=r"clip_value: limit must be a number in \(0, inf\), got"):
        transforms.clip_value(value)
