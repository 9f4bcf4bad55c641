"""A layout is cached between steps: whatever may change behind its back is noticed, never read stale."""

import pytest
import torch
from torch import nn

from tests.optim.kinds import RULED
from thalweg import optim
from thalweg.engine.lowbits import join
from thalweg.errors import UserError


def twins(*params, **options):
    """The same parameters twice: under AdamW of thalweg and of torch."""
    ours = [nn.Parameter(p.detach().clone()) for p in params]
    theirs = [nn.Parameter(p.detach().clone()) for p in params]
    options = {"lr": 0.1, **options}
    return ours, optim.AdamW(ours, **options), theirs, torch.optim.AdamW(theirs, **options)


def step_both(ours, mine, theirs, other, seed=0, live=None):
    generator = torch.Generator().manual_seed(seed)
    for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        grad = torch.randn(b.shape, generator=generator, dtype=torch.float64).to(b.dtype)
        keep = live is None or live[i]
        a.grad = torch.empty_like(a).copy_(grad) if keep else None
        b.grad = torch.empty_like(b).copy_(grad) if keep else None
    mine.step()
    other.step()


def assert_same(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


def double(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


# -- memory formats ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "p",
    [
        double(2, 3, 4, 5).to(memory_format=torch.channels_last),
        double(3, 4).t(),
        double(4, 6)[:, ::2],
        double(7)[3],
        double(0, 3),
        double(2, 1, 3).transpose(0, 1),
        double(3, 5).expand(2, 3, 5).clone(memory_format=torch.preserve_format),
    ],
    ids=["channels-last", "transposed", "gaps", "0-d", "zero-sized", "size-1 axis", "expanded"],
)
def test_any_memory_layout_matches_torch(p):
    # The gaps survive only if the parameter is made without a copy.
    ours, theirs = nn.Parameter(p.clone(memory_format=torch.preserve_format)), nn.Parameter(p.clone())
    if p.numel() and not p.is_contiguous() and p.stride() == (6, 2):
        ours = nn.Parameter(torch.empty(4, 6, dtype=p.dtype)[:, ::2].copy_(p))
        assert ours.stride() == (6, 2)
    mine, other = optim.AdamW([ours], lr=0.1), torch.optim.AdamW([theirs], lr=0.1)
    for k in range(3):
        step_both([ours], mine, [theirs], other, seed=k)
    assert_same([ours], [theirs])


def test_a_gradient_in_another_memory_layout_is_read_by_position():
    p = nn.Parameter(torch.zeros(2, 3, 4, 5))
    optimizer = optim.SGD([p], lr=1.0)
    grad = torch.arange(120.0).view(2, 3, 4, 5)
    p.grad = grad.to(memory_format=torch.channels_last)
    assert p.grad.stride() != p.stride()
    optimizer.step()
    assert torch.equal(p, -grad)


def test_a_gradient_that_is_a_negative_view():
    for p in (nn.Parameter(torch.ones(())), nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(3))):
        optimizer = optim.SGD([p], lr=1.0)
        p.grad = torch.full_like(p, 1 + 2j, dtype=torch.complex64).conj().imag
        assert p.grad.is_neg()
        optimizer.step()
        assert bool((p == 3).all())


# -- what changes behind the optimizer's back ----------------------------------------------------------------


def test_gradients_that_move_are_read_where_they_are():
    ours, mine, theirs, other = twins(double(4, 3), double(5))
    kept = []
    for k in range(4):
        step_both(ours, mine, theirs, other, seed=k)
        kept += [p.grad for p in ours]  # old gradients stay alive, so the next ones have new addresses
    assert_same(ours, theirs)


def test_a_parameter_whose_data_was_swapped_is_stepped_where_it_is():
    ours, mine, theirs, other = twins(double(4, 3), double(5))
    step_both(ours, mine, theirs, other)
    for params in (ours, theirs):
        params[0].data = params[0].data * 2
    old = ours[0].data
    step_both(ours, mine, theirs, other, seed=1)
    assert_same(ours, theirs)
    assert old.data_ptr() == ours[0].data_ptr()


def test_model_moved_to_channels_last_between_steps():
    p = double(2, 3, 4, 5)
    ours, mine, theirs, other = twins(p)
    for k in range(2):
        step_both(ours, mine, theirs, other, seed=k)
    for params in (ours, theirs):
        params[0].data = params[0].data.to(memory_format=torch.channels_last)
    for k in range(2):
        step_both(ours, mine, theirs, other, seed=2 + k)
    assert_same(ours, theirs)
    assert ours[0].is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64, torch.float16])
def test_model_cast_between_steps_goes_on_in_the_new_precision(dtype):
    p = nn.Parameter(torch.ones(1000))
    beyond = torch.full((1000,), 7.0)
    optimizer = optim.AdamW([p], lr=0.01)
    p.grad = torch.ones(1000)
    optimizer.step()
    p.grad = None
    p.data = p.data.to(dtype)
    for _ in range(3):
        p.grad = torch.ones(1000, dtype=dtype)
        optimizer.step()
    assert p.dtype == dtype
    assert bool((beyond == 7.0).all())
    torch.testing.assert_close(p.double(), torch.full((1000,), 0.96, dtype=torch.float64), rtol=0, atol=4e-3)
    assert optimizer.state[p]["step"] == 4


def test_a_parameter_that_grew_or_shrank_is_refused_until_its_state_is_dropped():
    for size in (3, 10):
        p, q = nn.Parameter(torch.ones(5)), nn.Parameter(torch.ones(2))
        optimizer = optim.AdamW([("w", p), ("b", q)], lr=0.01)
        p.grad, q.grad = torch.ones(5), torch.ones(2)
        optimizer.step()
        before = q.detach().clone()
        p.grad = None
        p.data = torch.ones(size)
        p.grad = torch.ones(size)
        with pytest.raises(UserError, match=r"exp_avg of w has shape \(5,\)"):
            optimizer.step()
        assert torch.equal(q, before)
        del optimizer.state[p]
        optimizer.step()
        assert optimizer.state[p]["exp_avg"].shape == (size,)
        assert optimizer.state[p]["step"] == 1
        assert optimizer.state[q]["step"] == 2


def test_a_stale_gradient_of_another_shape_is_refused():
    p = nn.Parameter(torch.ones(4, 5))
    optimizer = optim.SGD([("w", p)], lr=0.01)
    p.grad = torch.ones(4, 5)
    optimizer.step()
    p.data = torch.ones(1000, 5)
    with pytest.raises(UserError, match=r"gradient of w has shape \(4, 5\)"):
        optimizer.step()
    assert torch.equal(p, torch.ones(1000, 5))


@pytest.mark.parametrize("which", [0, 1, 2])
def test_state_of_any_parameter_may_be_dropped(which):
    ours, mine, theirs, other = twins(double(4), double(5), double(6))
    for k in range(3):
        step_both(ours, mine, theirs, other, seed=k)
    del mine.state[ours[which]]
    del other.state[theirs[which]]
    for k in range(3):
        step_both(ours, mine, theirs, other, seed=3 + k)
    assert_same(ours, theirs)


def test_state_may_be_cleared_as_a_whole():
    ours, mine, theirs, other = twins(double(4), double(5))
    step_both(ours, mine, theirs, other)
    mine.state.clear()
    other.state.clear()
    step_both(ours, mine, theirs, other, seed=1)
    assert_same(ours, theirs)


@pytest.mark.parametrize("key", ["exp_avg", "exp_avg_sq", "step"])
@pytest.mark.parametrize("how", ["replaced", "filled"])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_one_state_may_be_replaced_or_filled(key, how, which):
    ours, mine, theirs, other = twins(double(4), double(5), double(6))
    for k in range(2):
        step_both(ours, mine, theirs, other, seed=k)
    for optimizer, params in ((mine, ours), (other, theirs)):
        state = optimizer.state[params[which]]
        if how == "filled":
            state[key].fill_(9.0)
        else:
            state[key] = torch.full_like(state[key], 9.0)
    for k in range(2):
        step_both(ours, mine, theirs, other, seed=2 + k)
    assert_same(ours, theirs)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine.state[a][key], other.state[b][key].to(mine.state[a][key].dtype))


def test_a_state_that_was_set_to_none_begins_anew():
    ours, mine, theirs, other = twins(double(4), double(5))
    step_both(ours, mine, theirs, other)
    mine.state[ours[0]]["exp_avg"] = None
    other.state[theirs[0]]["exp_avg"].zero_()
    step_both(ours, mine, theirs, other, seed=1)
    assert_same(ours, theirs)


def test_a_state_replaced_by_one_in_another_layout_or_precision_is_fitted():
    ours, mine, theirs, other = twins(double(4, 3), double(5))
    step_both(ours, mine, theirs, other)
    mine.state[ours[0]]["exp_avg"] = (
        torch.empty(3, 4, dtype=torch.float64).t().copy_(mine.state[ours[0]]["exp_avg"])
    )
    mine.state[ours[1]]["exp_avg"] = mine.state[ours[1]]["exp_avg"].float()
    other.state[theirs[1]]["exp_avg"] = other.state[theirs[1]]["exp_avg"].float().double()
    step_both(ours, mine, theirs, other, seed=1)
    assert_same(ours, theirs)


def test_the_parameters_of_a_group_may_be_replaced():
    ours, mine, theirs, other = twins(double(4), double(5))
    step_both(ours, mine, theirs, other)
    for params, optimizer in ((ours, mine), (theirs, other)):
        params[0] = nn.Parameter(params[0].detach().clone())
        optimizer.param_groups[0]["params"] = list(params)
    step_both(ours, mine, theirs, other, seed=1)
    assert_same(ours, theirs)


@pytest.mark.parametrize("engine", ["fused", "reference"])
def test_a_low_precision_parameter_that_was_written_to_drops_its_rounding_error(engine):
    p = nn.Parameter(torch.ones(5, dtype=torch.bfloat16))
    q = nn.Parameter(torch.ones(5, dtype=torch.bfloat16))
    optimizer = optim.SGD([p, q], lr=1e-4, engine=engine)
    for k in range(3):
        p.grad, q.grad = torch.ones_like(p), torch.ones_like(q) if k else None  # two patterns, one count
        optimizer.step()
    assert bool((optimizer.state[p]["low_bits"] != 0).all())
    assert bool((p == 1).all())
    with torch.no_grad():
        p.zero_()  # as pruning does
    kept = optimizer.state[q]["low_bits"].clone()
    assert bool((optimizer.state_dict()["state"][0]["low_bits"] == 0).all())
    optimizer.param_groups[0]["lr"] = 0.0
    optimizer.step()
    assert bool((p == 0).all())
    assert bool((kept != 0).all())
    assert torch.equal(optimizer.state[q]["low_bits"], kept)


@pytest.mark.parametrize("name", RULED)
def test_in_bfloat16_small_updates_add_up(name):
    p = nn.Parameter(torch.ones(5, dtype=torch.bfloat16))
    q = nn.Parameter(torch.ones(5, dtype=torch.float32))
    optimizers = [getattr(optim, name)([x], lr=1e-3) for x in (p, q)]
    for _ in range(30):
        p.grad, q.grad = torch.ones_like(p), torch.ones_like(q)
        for optimizer in optimizers:
            optimizer.step(lambda: None)
    assert torch.equal(join(p.detach(), optimizers[0].state[p]["low_bits"]), q.detach())
    assert bool((q < 1).all())


# -- which gradients there are -------------------------------------------------------------------------------


def test_every_pattern_of_missing_gradients():
    ours, mine, theirs, other = twins(*(double(3, seed=k) for k in range(6)))
    for pattern in range(64):
        live = [bool(pattern >> i & 1) for i in range(6)]
        step_both(ours, mine, theirs, other, seed=pattern, live=live)
    for pattern in (5, 63, 1, 5, 0, 62):
        live = [bool(pattern >> i & 1) for i in range(6)]
        step_both(ours, mine, theirs, other, seed=pattern, live=live)
    assert_same(ours, theirs)
    assert [float(mine.state[p]["step"]) for p in ours] == [float(other.state[p]["step"]) for p in theirs]


def test_a_parameter_without_a_gradient_is_untouched_and_keeps_no_state():
    p, q = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(3))
    optimizer = optim.AdamW([p, q], lr=0.1, weight_decay=0.5)
    p.grad = torch.ones(3)
    optimizer.step()
    assert torch.equal(q, torch.ones(3))
    assert q not in optimizer.state
    assert not torch.equal(p, torch.ones(3))


def test_a_parameter_frozen_midway_stops_and_goes_on():
    ours, mine, theirs, other = twins(double(4), double(5))
    for live in ((1, 1), (1, 0), (1, 0), (1, 1)):
        for params in (ours, theirs):
            params[1].requires_grad_(bool(live[1]))
        step_both(ours, mine, theirs, other, live=live)
    assert_same(ours, theirs)
    assert mine.state[ours[1]]["step"] == 2


def test_no_gradient_at_all_is_no_step():
    p = nn.Parameter(torch.ones(3))
    optimizer = optim.AdamW([p], lr=0.1)
    optimizer.step()
    assert torch.equal(p, torch.ones(3))
    assert not optimizer.state


def test_groups_added_late_join_with_their_own_step_count():
    ours, mine, theirs, other = twins(double(4), double(5))
    step_both(ours, mine, theirs, other)
    for params, optimizer in ((ours, mine), (theirs, other)):
        params.append(nn.Parameter(double(6)))
        optimizer.add_param_group({"params": [params[-1]], "lr": 0.01, "weight_decay": 0.3})
    for k in range(3):
        step_both(ours, mine, theirs, other, seed=k)
    assert_same(ours, theirs)
    assert [float(mine.state[p]["step"]) for p in ours] == [4, 4, 3]
