"""The two halves of a float32 weight: exact, the same in every engine, harmless when they do not fit."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from tests.engine.probe import evaluate
from tests.engine.test_fused import awkward, same_bits, without_subnormals
from thalweg import optim, transforms
from thalweg.engine.lowbits import join, split
from thalweg.engine.rule import rule
from thalweg.errors import UserError

HALVES = pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
ENGINES = pytest.mark.parametrize("engine", ["reference", "fused", "compiled"])


@rule(states={"s": "s"}, moves=True)
def stored(p, g, s):
    """Stores a float32 as the parameter."""
    return s, s


@rule(states={"s": "s"}, moves=True)
def loaded(p, g, s):
    """Loads the parameter into a float32."""
    return p, p


def fine() -> torch.Tensor:
    """Float32 values of all magnitudes around those of a float16."""
    rng = np.random.default_rng(1)
    values = rng.uniform(-1, 1, 200_000) * 2.0 ** rng.uniform(-45, 15.9, 200_000)
    return torch.from_numpy(values.astype(np.float32))


# -- what the halves are -------------------------------------------------------------------------------------


def test_a_bfloat16_and_its_low_bits_are_every_float32() -> None:
    w = awkward()
    p, low = split(w, torch.bfloat16)
    same_bits(join(p, low), w)
    upper, rest = p.view(torch.int16).numpy().astype(np.int64), low.numpy().astype(np.int64)
    bits = w.view(torch.int32).numpy().astype(np.int64)
    number = ~torch.isnan(w).numpy()
    assert low.dtype == torch.int16
    assert np.array_equal(((upper << 16) + rest)[number], bits[number])  # the nearest: the rest is an int16
    assert (upper[~number] == 0x7FC0).all()
    assert (rest[~number] == 0).all()


def test_half_way_a_bfloat16_is_rounded_away_from_zero_and_otherwise_as_torch_does() -> None:
    half = torch.tensor([1 + 2**-8, -1 - 2**-8, 1 + 3 * 2**-8])
    assert split(half, torch.bfloat16)[0].tolist() == [1 + 2**-7, -1 - 2**-7, 1 + 2**-6]
    w = awkward()
    w = w[w.view(torch.int32) & 0xFFFF != 0x8000]
    same_bits(split(w, torch.bfloat16)[0], w.to(torch.bfloat16))


def test_a_float16_and_its_low_bits_are_the_float32_or_within_1e_12_of_it() -> None:
    w = fine()
    p, low = split(w, torch.float16)
    back = join(p, low)
    assert torch.equal(p, w.to(torch.float16))
    assert low.dtype == torch.int16
    exact = w.abs() >= 2**-14
    tie = ((w - p.float()).abs() == 2**-25) & ~exact
    assert exact.sum() > 1000
    assert torch.equal(back[exact], w[exact])
    assert torch.equal(back[(w.abs() >= 2**-17) & ~tie], w[(w.abs() >= 2**-17) & ~tie])
    assert (back - w).abs()[~tie].max() <= 2**-41
    assert (back - w).abs().max() <= 2**-40


def test_beyond_the_range_of_float16_the_weight_is_infinite() -> None:
    w = torch.tensor([65519.9, 65520.0, 1e30, -1e30, np.inf, -np.inf, np.nan])
    p, low = split(w, torch.float16)
    assert p[:6].tolist() == [65504, np.inf, np.inf, -np.inf, np.inf, -np.inf]
    assert torch.equal(join(p, low)[:6], torch.tensor([w[0], *p[1:6].tolist()]))
    assert torch.isnan(join(p, low)[6])
    assert low[1:].tolist() == [0] * 6


@HALVES
def test_without_low_bits_a_parameter_is_its_own_value(dtype) -> None:
    p = torch.arange(65536, dtype=torch.int32).to(torch.int16).view(dtype)
    zeros = torch.zeros(65536, dtype=torch.int16)
    same_bits(join(p, zeros), p.float())
    kept, low = split(p.float(), dtype)
    same_bits(kept, p)
    assert (low == 0).all()


# -- the same in every engine --------------------------------------------------------------------------------


@HALVES
@ENGINES
def test_every_engine_stores_the_same_halves(dtype, engine) -> None:
    w = without_subnormals(torch.cat([awkward(), fine()]))
    zeros = torch.zeros(len(w), dtype=dtype)
    p, _, low = evaluate(stored, engine, zeros, zeros, w, torch.zeros(len(w), dtype=torch.int16))
    kept, rest = split(w, dtype)
    same_bits(p, kept)
    assert torch.equal(low, rest)


@HALVES
@ENGINES
def test_every_engine_joins_them_the_same(dtype, engine) -> None:
    """Every parameter beside bits that may have nothing to do with it."""
    p = torch.arange(65536, dtype=torch.int32).to(torch.int16).view(dtype)
    zeros = torch.zeros(len(p))
    random = torch.randint(-(2**15), 2**15, p.shape, generator=torch.Generator().manual_seed(0))
    for low in (random.to(torch.int16), torch.zeros(len(p), dtype=torch.int16)):
        _, s, _ = evaluate(loaded, engine, p, torch.zeros_like(p), zeros, low)
        same_bits(s, join(p, low))


def test_halves_may_lie_anywhere_in_memory() -> None:
    w = torch.randn(6, 8)
    p, low = split(w.t()[:, ::2], torch.bfloat16)
    gaps = torch.zeros(16, 3, dtype=torch.bfloat16)[::2].copy_(p)
    assert not gaps.is_contiguous()
    assert torch.equal(join(gaps, torch.zeros(3, 8, dtype=torch.int16).t().copy_(low)), w.t()[:, ::2])


# -- halves that do not belong together ----------------------------------------------------------------------


@HALVES
def test_stale_low_bits_move_a_number_by_half_a_place_at_most_and_make_no_nan(dtype) -> None:
    p = torch.arange(65536, dtype=torch.int32).to(torch.int16).view(dtype)
    p = p[p.isfinite()]
    place = torch.nextafter(p.abs(), torch.full_like(p, np.inf)).double() - p.abs().double()
    place = torch.where(place.isfinite(), place, torch.finfo(dtype).max * torch.finfo(dtype).eps)
    for value in (-(2**15), -1, 1, 2**15 - 1):
        moved = join(p, torch.full(p.shape, value, dtype=torch.int16))
        assert moved.isfinite().all()
        if dtype == torch.bfloat16 or abs(value) <= 2**12:  # a float16 has less than an int16 to carry
            assert ((moved.double() - p.double()).abs() <= place / 2 + 2**-120).all()
        assert (split(moved[p == 0], dtype)[0] == 0).all()


@HALVES
@ENGINES
def test_a_weight_that_is_set_to_zero_behind_the_optimizer_stays_zero(dtype, engine) -> None:
    p = nn.Parameter(torch.linspace(-2, 2, 64).to(dtype))
    optimizer = optim.SGD([p], lr=1e-3, momentum=0.9, engine=engine)
    for _ in range(3):
        p.grad = torch.ones_like(p)
        optimizer.step()
    assert bool((optimizer.state[p]["low_bits"] < 0).any())
    p.data.zero_()  # autograd does not count this write
    optimizer.param_groups[0]["lr"] = 0.0
    optimizer.step()
    assert (p == 0).all()


# -- in training ---------------------------------------------------------------------------------------------


@HALVES
@ENGINES
def test_an_exact_zero_of_a_proximal_step_is_zero_in_both_halves(dtype, engine) -> None:
    p = nn.Parameter(torch.linspace(-0.03, 0.03, 101).to(dtype))
    optimizer = optim.SGD([p], lr=0.1, transforms=[transforms.l1_prox(0.05)], engine=engine)
    for k in range(3):
        p.grad = torch.full_like(p, 1e-3 * (-1) ** k)
        optimizer.step()
    zero = p == 0
    assert 40 < int(zero.sum()) < 60
    assert (optimizer.state[p]["low_bits"][zero] == 0).all()


@HALVES
def test_a_step_can_be_differentiated_through_the_halves(dtype) -> None:
    start = torch.tensor([1.0, -2.0, 0.7], dtype=dtype, requires_grad=True)
    p = start.clone()
    optimizer = optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.3, differentiable=True)
    optimizer.param_groups[0]["params"][0] = p
    weight = start.detach().float()
    for _ in range(2):
        p.grad = 0.5 * p
        weight = weight - 0.3 * p.grad.detach().float()
        optimizer.step()
    (slope,) = torch.autograd.grad(p.sum(), start)
    torch.testing.assert_close(slope.float(), torch.full((3,), 0.85**2), rtol=0.01, atol=0)
    torch.testing.assert_close(join(p.detach(), optimizer.state[p]["low_bits"]), weight, rtol=2e-7, atol=0)


def trained(dtype) -> optim.AdamW:
    p = nn.Parameter(torch.linspace(-1, 1, 6).to(dtype))
    optimizer = optim.AdamW([("w", p)], lr=1e-3)
    p.grad = torch.ones_like(p)
    optimizer.step()
    return optimizer


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda low: low.float(), r"low_bits of w is torch.float32; as torch.int16 it would lose digits"),
        (lambda low: low[:2], r"low_bits of w has shape \(2,\), not \(6,\)"),
        (lambda low: low.int(), r"low_bits of w is torch.int32"),
        (lambda low: 3, r"low_bits of w has shape \(\)"),
    ],
)
def test_low_bits_of_another_kind_are_refused(spoil, message) -> None:
    state = copy.deepcopy(trained(torch.bfloat16).state_dict())
    state["state"][0]["low_bits"] = spoil(state["state"][0]["low_bits"])
    with pytest.raises(UserError, match=message):
        trained(torch.bfloat16).load_state_dict(state)


def test_a_checkpoint_without_low_bits_begins_with_none_and_one_with_them_serves_any_precision() -> None:
    for source in (torch.float32, torch.bfloat16, torch.float16):
        for target in (torch.float32, torch.bfloat16, torch.float16):
            optimizer = trained(target)
            saved = trained(source).state_dict()
            optimizer.load_state_dict(saved)
            (state,) = optimizer.state.values()
            assert ("low_bits" in state) == (target != torch.float32)
            if "low_bits" in state and "low_bits" not in saved["state"][0]:
                assert (state["low_bits"] == 0).all()
            elif "low_bits" in state:
                assert saved["state"][0]["low_bits"].dtype == torch.bfloat16  # collectives know no int16
                assert torch.equal(state["low_bits"], saved["state"][0]["low_bits"].view(torch.int16))
            assert torch.equal(state["exp_avg"], saved["state"][0]["exp_avg"])
