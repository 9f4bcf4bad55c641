"""The scaling rules: what each keeps the same, measured on steps of real optimizers."""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch

from thalweg import optim
from thalweg.errors import UserError
from thalweg.schedules import adam_scaling, linear_scaling, sqrt_scaling


def moved(
    optimizer: Callable[..., torch.optim.Optimizer], gradients: list[float], **options: object
) -> float:
    weight = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    driven = optimizer([weight], **options)
    for gradient in gradients:
        weight.grad = torch.full_like(weight, gradient)
        driven.step()
    return weight.item()


@pytest.mark.parametrize("k", [2, 8, 32])
def test_the_linear_rule_goes_as_far_in_one_large_step_as_in_k_small_ones(k: int) -> None:
    small = moved(optim.SGD, [0.3] * k, lr=0.1)
    large = moved(optim.SGD, [0.3], lr=linear_scaling(0.1, reference=64, batch=64 * k))
    assert large == pytest.approx(small, rel=1e-12)


@pytest.mark.parametrize("k", [2, 8, 32])
def test_the_square_root_rule_keeps_the_noise_of_a_step(k: int) -> None:
    noise = torch.randn(4096, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    small = 0.1 * noise  # steps of single gradients, and of means over k of them
    large = sqrt_scaling(0.1, reference=1, batch=k) * noise.reshape(4096 // k, k, 64).mean(1)
    assert large.std().item() == pytest.approx(small.std().item(), rel=0.02)


@pytest.mark.parametrize("k", [2, 4, 9])
def test_adam_on_noise_alone_steps_sqrt_k_as_far_with_its_epsilon_scaled(k: int) -> None:
    scaled = adam_scaling(1e-3, (0.9, 0.999), 1e-3, reference=16, batch=16 * k)
    gradient = 1e-3  # of the size of epsilon; the mean over k samples of noise is sqrt(k) smaller
    small = moved(optim.Adam, [gradient], lr=1e-3, eps=1e-3)
    large = moved(optim.Adam, [gradient / math.sqrt(k)], lr=scaled["lr"], eps=scaled["eps"])
    assert large == pytest.approx(math.sqrt(k) * small, rel=1e-12)


@pytest.mark.parametrize("k", [0.25, 1, 2, 4, 8])
def test_adams_averages_reach_over_as_many_samples(k: float) -> None:
    scaled = adam_scaling(1e-3, reference=64, batch=int(64 * k))
    for before, after in zip((0.9, 0.999), scaled["betas"], strict=True):
        assert 64 * k / (1 - after) == pytest.approx(64 / (1 - before), rel=1e-9)
    assert scaled["lr"] == sqrt_scaling(1e-3, reference=64, batch=int(64 * k))


def test_the_options_go_straight_into_an_optimizer() -> None:
    weight = torch.zeros(1, requires_grad=True)
    for kind in (optim.AdamW, torch.optim.AdamW):
        group = kind([weight], **adam_scaling(1e-3, reference=256, batch=1024)).param_groups[0]
        assert (group["lr"], group["eps"]) == (2e-3, 5e-9)
        assert group["betas"] == pytest.approx((0.6, 0.996))


def test_batch_sizes_may_come_from_numpy() -> None:
    assert linear_scaling(0.1, reference=np.int64(256), batch=np.int32(512)) == 0.2


def test_rules_compose_and_undo_themselves() -> None:
    for rule, power in ((linear_scaling, 1.0), (sqrt_scaling, 0.5)):
        sizes, lr = [32, 96, 7, 2048, 32], 0.3
        for reference, batch in pairwise(sizes):
            scaled = rule(lr, reference=reference, batch=batch)
            assert scaled == pytest.approx(lr * (batch / reference) ** power, rel=1e-12)
            lr = scaled
        assert lr == pytest.approx(0.3, rel=1e-12)
    there = adam_scaling(1e-3, (0.9, 0.95), 1e-6, reference=32, batch=256)
    back = adam_scaling(there["lr"], there["betas"], there["eps"], reference=256, batch=32)
    assert (back["lr"], back["eps"]) == pytest.approx((1e-3, 1e-6), rel=1e-12)
    assert back["betas"] == pytest.approx((0.9, 0.95), rel=1e-12)


def test_the_rule_reaches_exactly_to_the_limit_of_the_smaller_beta() -> None:
    assert adam_scaling(1e-3, (0.99, 0.999), reference=1, batch=100)["betas"][0] == pytest.approx(
        0, abs=1e-12
    )
    with pytest.raises(UserError, match="up to 100 times"):
        adam_scaling(1e-3, (0.99, 0.999), reference=1, batch=101)


BAD: list[tuple[Callable[[], object], str]] = [
    (lambda: linear_scaling(0.1, reference=256, batch=0), "the new batch size is 0"),
    (lambda: linear_scaling(0.1, reference=0, batch=256), "the reference batch size is 0"),
    (lambda: sqrt_scaling(0.1, reference=256, batch=-8), "the new batch size is -8"),
    (lambda: sqrt_scaling(0.1, reference=256, batch=8.5), "the new batch size is 8.5; it must be a whole nu"),
    (lambda: adam_scaling(0.1, reference=True, batch=8), "the reference batch size is True"),
    (lambda: linear_scaling(-1, reference=1, batch=2), "lr is -1; it must be a number, 0 or more"),
    (lambda: sqrt_scaling(math.nan, reference=1, batch=2), "lr is nan; it must be a number, 0 or more"),
    (lambda: sqrt_scaling("1", reference=1, batch=2), "lr is '1'; it must be a number, 0 or more"),
    (lambda: adam_scaling(1e-3, (0.9, 1.0), reference=1, batch=2), r"betas is \(0.9, 1.0\); it must be two"),
    (lambda: adam_scaling(1e-3, (0.9,), reference=1, batch=2), "betas is .* it must be two numbers"),
    (lambda: adam_scaling(1e-3, eps=-1, reference=1, batch=2), "eps is -1; it must be a number, 0 or more"),
    (
        lambda: adam_scaling(1e-3, reference=256, batch=8192),
        "a batch 32 times as large takes a beta of 0.9 below 0; the rule reaches up to 10 times, or scale th",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), BAD)
def test_a_nonsense_value_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        make()
