"""Weight decay as a gradient: against autograd of the penalty."""

import math

import pytest
import torch

from thalweg import optim, transforms


def start() -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.linspace(-2, 2, 11, dtype=torch.float64))


def test_coupled_decay_is_the_gradient_of_half_the_squared_norm() -> None:
    p, q = start(), start()
    p.grad = torch.zeros_like(p)
    optim.SGD([p], lr=0.1, transforms=[transforms.coupled_decay(0.7)]).step()
    (0.7 / 2 * q.square().sum()).backward()
    torch.testing.assert_close(p.detach(), q.detach() - 0.1 * q.grad, rtol=1e-14, atol=0)


def test_decoupled_decay_shrinks_every_weight_at_one_rate_under_adam() -> None:
    p = start()
    p.grad = torch.zeros_like(p)
    before = p.detach().clone()
    optim.Adam([p], lr=0.1, transforms=[transforms.decoupled_decay(0.7)]).step()
    torch.testing.assert_close(p.detach(), before * (1 - 0.07), rtol=1e-14, atol=0)


def test_decay_follows_the_group_s_rate_and_strength() -> None:
    params = [start(), start()]
    groups = [{"params": [params[0]], "lr": 0.1}, {"params": [params[1]], "weight_decay": 0.0}]
    optimizer = optim.AdamW(groups, lr=0.5, weight_decay=0.2)
    before = start().detach()
    for p in params:
        p.grad = torch.zeros_like(p)
    optimizer.step()
    torch.testing.assert_close(params[0].detach(), before * (1 - 0.02), rtol=1e-14, atol=0)
    assert torch.equal(params[1].detach(), before)


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf, "1", None])
@pytest.mark.parametrize("make", [transforms.coupled_decay, transforms.decoupled_decay])
def test_the_strength_is_a_number_from_zero(make, value) -> None:
    message = rf"{make.__name__}: weight_decay must be a number in \[0, inf\), got"
    with pytest.raises(ValueError, match=message):
        make(value)


def test_it_prints_as_it_was_made() -> None:
    assert "0.25" in repr(transforms.decoupled_decay(0.25))
