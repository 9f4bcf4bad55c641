"""DropPath: its expectation, its gradient, its modes and its rates."""

import math
from typing import Any

import pytest
import torch
from torch import nn

from thalweg.errors import UserError
from thalweg.regularize import DropPath, depth_linear, drop_path


@pytest.mark.parametrize("mode", ["sample", "batch"])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_it_keeps_the_expectation(p: float, mode: Any) -> None:
    """A mean of n values, each 0 or 1 / (1 - p), is within 5 standard errors of 1."""
    torch.manual_seed(0)
    if mode == "sample":
        drawn = drop_path(torch.ones(20_000, 1, dtype=torch.float64), p)
    else:
        drawn = torch.stack(
            [drop_path(torch.ones((), dtype=torch.float64), p, mode="batch") for _ in range(4000)]
        )
    error = math.sqrt(p / (1 - p) / len(drawn))
    assert abs(drawn.mean() - 1) < 5 * error
    assert set(drawn.unique().tolist()) == {0.0, 1 / (1 - p)}


def test_a_sample_is_kept_or_dropped_whole_and_with_it_its_gradient() -> None:
    torch.manual_seed(1)
    x = torch.randn(50, 3, 2, dtype=torch.float64, requires_grad=True)
    y = drop_path(x, 0.4)
    kept = y.detach().flatten(1).ne(0)
    assert torch.equal(kept.any(1), kept.all(1))
    assert 0 < kept.any(1).sum() < 50
    factor = (kept.any(1).double() / 0.6).view(-1, 1, 1)
    torch.testing.assert_close(y, x * factor, rtol=1e-15, atol=0)
    (grad,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(grad, factor.expand_as(x), rtol=1e-15, atol=0)


def test_a_batch_is_kept_or_dropped_whole() -> None:
    torch.manual_seed(0)
    layer = DropPath(0.5, mode="batch")
    seen = {tuple(layer(torch.ones(4, 2)).unique().tolist()) for _ in range(30)}
    assert seen == {(0.0,), (2.0,)}


def test_the_gradient_of_a_residual_block_is_right() -> None:
    weight = torch.randn(3, 3, dtype=torch.float64, requires_grad=True)
    x = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)

    def block(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(4)
        return x + drop_path((x @ weight).tanh(), 0.5)

    assert torch.autograd.gradcheck(block, (x, weight))


def test_in_evaluation_and_at_rate_zero_it_returns_its_input() -> None:
    x = torch.randn(4, 2)
    layer = DropPath(0.7)
    assert layer.eval()(x) is x
    assert layer.train()(x) is not x
    layer.p = 0.0
    assert layer(x) is x


def test_at_rate_one_all_is_dropped_and_the_gradient_is_zero() -> None:
    x = torch.randn(4, 2, requires_grad=True)
    y = DropPath(1.0)(x)
    y.sum().backward()
    assert not y.any()
    assert not x.grad.any()


def test_the_seed_decides() -> None:
    torch.manual_seed(3)
    first = drop_path(torch.ones(64, 1), 0.5)
    other = drop_path(torch.ones(64, 1), 0.5)
    torch.manual_seed(3)
    assert torch.equal(drop_path(torch.ones(64, 1), 0.5), first)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64, torch.complex64])
def test_dtype_device_and_shape_are_kept(dtype: torch.dtype) -> None:
    y = drop_path(torch.ones(3, 2, 2, dtype=dtype), 0.5)
    assert (y.dtype, y.shape) == (dtype, (3, 2, 2))
    meta = drop_path(torch.ones(3, 2, device="meta"), 0.5)
    assert (meta.device.type, meta.shape) == ("meta", (3, 2))


def test_a_rate_that_low_precision_cannot_hold_is_not_biased() -> None:
    x = torch.linspace(1, 2, 4000).bfloat16().view(1, -1)
    torch.manual_seed(0)
    kept = drop_path(x.expand(2, -1), 0.1).float()
    kept = kept[kept[:, 0] > 0][0]
    assert abs((kept / x[0].float()).mean() * 0.9 - 1) < 1e-4  # 1 / 0.9 itself rounds by 1.6e-3


def test_it_can_be_compiled_whole_and_mapped() -> None:
    torch.manual_seed(0)
    y = torch.compile(DropPath(0.5), backend="eager", fullgraph=True)(torch.ones(64, 2))
    assert set(y.unique().tolist()) == {0.0, 2.0}
    mapped = torch.vmap(lambda x: drop_path(x, 0.5), randomness="different")(torch.ones(30, 4, 2))
    assert len(mapped.flatten(1).unique(dim=0)) > 2


def test_it_replays_under_activation_checkpointing() -> None:
    from torch.utils.checkpoint import checkpoint

    torch.manual_seed(0)
    x = torch.randn(32, 2, requires_grad=True)
    y = checkpoint(lambda x: drop_path(x.exp(), 0.5), x, use_reentrant=False)
    (grad,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(grad, y.detach())  # d exp = exp, dropped where the output was


def test_the_rates_rise_linearly_to_the_last_block() -> None:
    rates = depth_linear(0.5, 54)  # the paper's ResNet-110
    assert rates[-1] == 0.5
    assert [1 - rate for rate in rates] == pytest.approx(
        [1 - block / 54 * (1 - 0.5) for block in range(1, 55)]
    )
    assert depth_linear(0.3, 1) == [0.3]
    assert max(depth_linear(1.0, 7)) == 1.0


def test_it_prints_its_options() -> None:
    assert str(nn.Sequential(DropPath(0.25))[0]) == "DropPath(p=0.25)"
    assert str(DropPath(0.5, "batch")) == "DropPath(p=0.5, mode='batch')"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: DropPath(1.5), r"DropPath: p must be a number in \[0, 1\], got 1.5"),
        (lambda: DropPath(0.5, "row"), "DropPath: mode must be 'sample' or 'batch', got 'row'"),
        (lambda: drop_path(torch.ones(2), -0.1), r"drop_path: p must be a number in \[0, 1\], got -0.1"),
        (lambda: drop_path(torch.ones(2), math.nan), "got nan"),
        (lambda: drop_path(torch.ones(2), 0.5, mode="row"), "drop_path: mode must be"),
        (lambda: drop_path(torch.ones(()), 0.5), "x has no dimension that counts samples"),
        (lambda: drop_path(torch.ones(2, 2).long(), 0.5), "x is torch.int64; it must be floating"),
        (lambda: depth_linear(2.0, 3), r"depth_linear: p must be a number in \[0, 1\]"),
        (lambda: depth_linear(0.5, 0), "depth_linear: depth must be a whole number, 1 or more, got 0"),
        (lambda: depth_linear(0.5, 2.0), "depth must be a whole number"),
    ],
)
def test_nonsense_is_refused(call: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        call()
