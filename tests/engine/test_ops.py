"""The vocabulary: on floats, on tensors and in every engine the same, NaN and infinity included."""

import itertools
import math

import pytest
import torch

from tests.engine.probe import ENGINES, evaluate
from thalweg.engine import ops
from thalweg.engine.ops import absolute, isfinite, maximum, minimum, sign, sqrt, where
from thalweg.engine.rule import rule

SPECIAL = [math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, -1.0, 2.5, 1e-30, -1e30]
PAIRS = torch.tensor(list(itertools.product(SPECIAL, SPECIAL)), dtype=torch.float64)
STATES = {
    name: name for name in ("big", "small", "signed", "size", "root", "finite", "less", "unequal", "given")
}


@rule(states=STATES, moves=True)
def everything(p, g, big, small, signed, size, root, finite, less, unequal, given, *, a):
    return (
        p,
        maximum(p, g),
        minimum(p, g),
        sign(g),
        absolute(g),
        sqrt(g),
        where(isfinite(g), 1, 0),
        where(p < g, 1, 0) + where(p <= g, 2, 0) + where(p > g, 4, 0) + where(p >= g, 8, 0),
        where(p != g, 1, 0) + where(p == g, 2, 0),
        where(a > 1, g, p),
    )


def expected(a: torch.Tensor, b: torch.Tensor) -> list[torch.Tensor]:
    """The same from torch's own functions."""
    nan_sign = torch.where(torch.isnan(b), b, torch.sign(b))
    order = (a < b) + 2 * (a <= b) + 4 * (a > b) + 8 * (a >= b)
    return [
        torch.maximum(a, b),
        torch.minimum(a, b),
        nan_sign,
        b.abs(),
        b.sqrt(),
        torch.isfinite(b).to(b),
        order.to(b),
        ((a != b) + 2 * (a == b)).to(b),
        b,
    ]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("engine", ENGINES)
def test_engines_follow_torch_on_special_values(engine: str, dtype: torch.dtype) -> None:
    p, g = (PAIRS[:, i].to(dtype).contiguous() for i in (0, 1))
    buffers = [torch.empty_like(p) for _ in STATES]
    found = evaluate(everything, engine, p, g, *buffers, a=2.0)[1:]
    for name, mine, theirs in zip(STATES, found, expected(p, g), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=0, equal_nan=True, msg=name)


@rule(states={"big": "big", "finite": "finite"}, moves=True)
def computed(p, g, big, finite):
    x = (g * 2 + g) / 3
    return p, maximum(x, p), where(isfinite(x), 1, 0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("engine", ["reference", "fused"])
def test_what_arithmetic_gives_may_be_infinite_or_nan(engine: str, dtype: torch.dtype) -> None:
    """A compiler that is told otherwise removes guards that come after arithmetic."""
    p, g = (PAIRS[:, i].to(dtype).contiguous() for i in (0, 1))
    _, big, finite = evaluate(computed, engine, p, g, torch.empty_like(p), torch.empty_like(p))
    x = (g * 2 + g) / 3
    torch.testing.assert_close(big, torch.maximum(x, p), equal_nan=True)
    assert torch.equal(finite, torch.isfinite(x).to(dtype))


@pytest.mark.parametrize("a", SPECIAL)
@pytest.mark.parametrize("b", SPECIAL)
def test_floats_follow_tensors(a: float, b: float) -> None:
    x, y = torch.tensor(a, dtype=torch.float64), torch.tensor(b, dtype=torch.float64)
    for name in ("maximum", "minimum"):
        function = getattr(ops, name)
        same(function(a, b), function(x, y))
        same(function(a, b), function(a, y))
        same(function(a, b), function(x, b))
    for function in (sign, absolute, isfinite):
        same(function(b), function(y))
    same(where(a > 0, a, b), where(x > 0, x, y))
    same(where(a > 0, a, b), where(x > 0, a, y))


def same(number: float, tensor: torch.Tensor) -> None:
    assert number == tensor.item() or (math.isnan(number) and math.isnan(tensor.item()))


def test_square_roots() -> None:
    assert sqrt(2.25) == 1.5
    assert math.isnan(sqrt(math.nan))
    assert sqrt(torch.tensor(2.25)).item() == 1.5
    assert torch.isnan(sqrt(torch.tensor(-1.0)))


def test_where_of_a_lifted_condition() -> None:
    assert where(torch.tensor(1.0), 2.0, 3.0) == 2.0
    assert where(torch.tensor(0.0), torch.tensor(2.0), 3.0).item() == 3.0


def test_where_gives_a_tensor_where_one_of_the_two_is_one() -> None:
    x = torch.ones(2, dtype=torch.float64)
    for condition in (True, False, 1.0, 0.0):
        out = ops.where(condition, x, 0)
        assert isinstance(out, torch.Tensor)
        assert out.dtype == torch.float64
        assert bool((out == float(condition)).all())
