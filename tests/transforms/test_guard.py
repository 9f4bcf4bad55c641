"""The guard: nothing bad gets in, and who is to blame is said."""

import math

import pytest
import torch

from thalweg import optim, transforms

ENGINES = pytest.mark.parametrize("engine", ["reference", "fused"])


def model_with_gradients(bad: float) -> torch.nn.Module:
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1))
    for p in model.parameters():
        p.grad = torch.ones_like(p)
    model[1].weight.grad[0, 1:] = bad
    return model


@ENGINES
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_the_error_names_the_parameter_and_counts(bad: float, engine: str) -> None:
    model = model_with_gradients(bad)
    optimizer = optim.AdamW(model.named_parameters(), transforms=[transforms.guard()], engine=engine)
    before = [p.detach().clone() for p in model.parameters()]
    with pytest.raises(FloatingPointError, match=r"in 1\.weight \(2 elements\); nothing was changed"):
        optimizer.step()
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True))


@ENGINES
def test_a_skipped_step_leaves_no_trace(engine: str) -> None:
    model = model_with_gradients(math.nan)
    optimizer = optim.AdamW(model.named_parameters(), transforms=[transforms.guard("skip")], engine=engine)
    before = [p.detach().clone() for p in model.parameters()]
    optimizer.step()
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True))
    for state in optimizer.state.values():
        assert state["step"] == 0
        assert not state["exp_avg"].any()
    model[1].weight.grad.fill_(1.0)
    optimizer.step()
    assert all(state["step"] == 1 for state in optimizer.state.values())


@ENGINES
def test_before_a_clip_it_hides_the_bad_step_from_the_clip(engine: str) -> None:
    model = model_with_gradients(math.nan)
    layers = [transforms.guard("skip"), transforms.clip_norm(1.0)]
    before = [p.detach().clone() for p in model.parameters()]
    optim.SGD(model.parameters(), lr=1.0, transforms=layers, engine=engine).step()
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
def test_the_largest_finite_gradient_passes(dtype: torch.dtype) -> None:
    p = torch.nn.Parameter(torch.zeros(3, dtype=dtype))
    p.grad = torch.full_like(p, torch.finfo(dtype).max)
    optim.SGD([p], lr=0.0, transforms=[transforms.guard()]).step()


def test_other_policies_are_refused() -> None:
    with pytest.raises(ValueError, match="policy must be 'raise' or 'skip', got 'warn'"):
        transforms.guard("warn")
