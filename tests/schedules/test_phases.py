"""One cycle and WSD: torch's twins, the papers' formulas, the same shapes built from parts."""

import math
from collections.abc import Callable

import pytest
import torch
from torch.optim import lr_scheduler

from tests.schedules.twins import MOMENTUM, RATE, assert_twins, optimizer
from thalweg import optim
from thalweg.errors import UserError
from thalweg.schedules import constant, cosine, exponential, linear, one_cycle, warmup, wsd


@pytest.mark.parametrize("total", [2, 9, 40, 101])
@pytest.mark.parametrize("curve", ["cosine", "linear"])
@pytest.mark.parametrize(("rise", "three_phase"), [(0.3, False), (0.25, True), (0.45, True), (0.61, False)])
def test_rate_and_momentum_are_those_of_torch(total: int, curve: str, rise: float, three_phase: bool) -> None:
    options = {"rise": rise, "curve": curve, "three_phase": three_phase}
    rate = one_cycle(total, 0.1, 0.1 / 50, **options)
    momentum = one_cycle(total, 0.8, inverse=True, **options)
    strategy = {"cosine": "cos", "linear": "linear"}[curve]
    assert_twins(
        {"lr": rate, "momentum": momentum},
        total - 1,
        lambda o: lr_scheduler.OneCycleLR(
            o, RATE, total, pct_start=rise, anneal_strategy=strategy, div_factor=10, final_div_factor=50,
            base_momentum=0.8 * MOMENTUM, max_momentum=MOMENTUM, three_phase=three_phase,
        ),
    )  # fmt: skip


def test_the_defaults_are_those_of_torch() -> None:
    assert_twins(
        {"lr": one_cycle(50)}, 49, lambda o: lr_scheduler.OneCycleLR(o, RATE, 50, cycle_momentum=False)
    )


@pytest.mark.parametrize(
    ("ours", "theirs", "hyper"),
    [
        (lambda p: optim.SGD(p, RATE, MOMENTUM), lambda p: torch.optim.SGD(p, RATE, MOMENTUM), "momentum"),
        (
            lambda p: optim.AdamW(p, RATE, (MOMENTUM, 0.99)),
            lambda p: torch.optim.AdamW(p, RATE, (MOMENTUM, 0.99)),
            "beta1",
        ),
    ],
    ids=["SGD", "AdamW"],
)
def test_weights_trained_with_rate_and_momentum_in_cycles_are_those_of_torch(
    ours, theirs, hyper: str
) -> None:
    weights = [torch.linspace(-1, 1, 8, dtype=torch.float64).requires_grad_() for _ in range(2)]
    mine, other = ours(weights[:1]), theirs(weights[1:])
    attached = [one_cycle(30).attach(mine), one_cycle(30, 0.8, inverse=True).attach(mine, hyper)]
    torchs = lr_scheduler.OneCycleLR(other, RATE, 30, base_momentum=0.8 * MOMENTUM, max_momentum=MOMENTUM)
    for step in range(30):
        for weight, driven, schedulers in zip(weights, (mine, other), (attached, [torchs]), strict=True):
            weight.grad = (weight.detach() - 0.3) ** 3
            driven.step()
            for scheduler in schedulers if step < 29 else ():
                scheduler.step()
        assert torch.allclose(*weights, rtol=1e-12, atol=0)


def test_it_rises_and_falls_even_where_torch_divides_by_zero() -> None:
    with pytest.raises(ZeroDivisionError):
        lr_scheduler.OneCycleLR(optimizer(), RATE, 10, pct_start=0.1)  # the peak is at step 0
    assert [one_cycle(10, rise=0.1, curve="linear", end=0)(step) for step in (0, 9)] == [1, 0]
    assert one_cycle(1, end=0.5)(0) == 0.5
    assert one_cycle(7, rise=1)(6) == 1


def test_three_phases_may_rise_half_of_the_run() -> None:
    schedule = one_cycle(100, 0.2, 0.0, rise=0.5, curve="linear", three_phase=True)
    assert [schedule(step) for step in (49, 98, 99)] == pytest.approx([1, 0.2, 0])


def test_after_warm_up_it_is_what_it_is_alone() -> None:
    cycle, chain = one_cycle(100), warmup(20) >> one_cycle(100)
    assert [chain(step) for step in range(20)] == [step / 20 for step in range(20)]
    assert [chain(20 + step) for step in range(100)] == [cycle(step) for step in range(100)]


def test_the_last_step_trains_at_the_end_and_it_stays_there() -> None:
    schedule = one_cycle(100, end=0.01)
    assert schedule(98) > schedule(99) == schedule(100) == schedule(500) == 0.01
    assert one_cycle(100, low=0.5)(99) == pytest.approx(0.5 / 10_000)
    assert one_cycle(100, low=0.5, inverse=True)(99) == 1


@pytest.mark.parametrize("end", [0.0, 0.1])
def test_wsd_is_its_three_parts(end: float) -> None:
    straight = warmup(10) >> constant(20) >> linear(15, 1, end)
    bowed = warmup(10) >> constant(20) >> cosine(15, end)
    for step in range(60):
        assert wsd(10, 20, 15, end)(step) == pytest.approx(straight(step), rel=1e-12, abs=1e-15)
        assert wsd(10, 20, 15, end, curve="cosine")(step) == pytest.approx(bowed(step), rel=1e-12, abs=1e-15)


def test_the_root_of_the_paper() -> None:
    total, decay = 50, 12  # Hägele et al.: f(n, N, N_decay) = 1 - sqrt((n - (N - N_decay)) / N_decay)
    schedule = wsd(8, total - decay - 8, decay, curve="1-sqrt")
    for n in range(total - decay, total + 1):
        published = 1 - math.sqrt((n - (total - decay)) / decay)
        assert schedule(n) == pytest.approx(published, rel=1e-12, abs=1e-15)
    assert schedule.steps == total


def test_a_run_at_the_level_can_be_brought_down_at_any_step() -> None:
    level = warmup(10) >> constant()
    for turn in (10, 25):
        down = wsd(10, turn - 10, 15)
        assert [down(step) for step in range(turn + 1)] == [level(step) for step in range(turn + 1)]


def test_phases_may_be_empty() -> None:
    assert [wsd(0, 0, 4)(step) for step in range(5)] == [linear(4)(step) for step in range(5)]
    assert [wsd(4, 0, 4)(step) for step in range(9)] == [(warmup(4) >> linear(4))(step) for step in range(9)]
    assert wsd(0, 3, 1)(3) == 1


def test_the_exponential_decay_of_minicpm_is_a_chain() -> None:
    published = [0.5 ** (step / 40) for step in range(100)]
    chain = warmup(10) >> constant(20) >> exponential(0.5 ** (1 / 40), 100)
    assert [chain(30 + step) for step in range(100)] == pytest.approx(published, rel=1e-12)


BAD: list[tuple[Callable[[], object], str]] = [
    (lambda: one_cycle(0), "one_cycle: steps is 0; it must be a whole number, 1 or more"),
    (lambda: one_cycle(9, low=25), "one_cycle: low is 25, above the top of the cycle, which is 1; give"),
    (lambda: one_cycle(9, end=1.5), "one_cycle: end is 1.5; it must be a number, 0 or more and at most 1"),
    (lambda: one_cycle(9, rise=30), "one_cycle: rise is 30; it must be a number, 0 or more and at most 1"),
    (lambda: one_cycle(9, curve="cos"), "one_cycle: curve is 'cos'; it must be one of 'cosine', 'linear'"),
    (lambda: one_cycle(9, rise=0.6, three_phase=True), "rise is 0.6; with three_phase it must be at most"),
    (lambda: one_cycle(9, three_phase="yes"), "one_cycle: three_phase is 'yes'; it must be True or False"),
    (lambda: one_cycle(9, inverse=0), "one_cycle: inverse is 0; it must be True or False"),
    (lambda: wsd(5, 5, 5, after="stop"), "wsd: after is 'stop'; it must be one of 'hold', 'repeat', 'error'"),
    (lambda: wsd(-1, 5, 5), "wsd: warmup is -1; it must be a whole number, 0 or more"),
    (lambda: wsd(5, 0.7, 5), "wsd: stable is 0.7; it must be a whole number, 0 or more"),
    (lambda: wsd(5, 5, 0), "wsd: decay is 0; it must be a whole number, 1 or more"),
    (lambda: wsd(5, 5, 5, 2), "wsd: end is 2; it must be a number, 0 or more and at most 1"),
    (lambda: wsd(5, 5, 5, curve="sqrt"), "wsd: curve is 'sqrt'; it must be one of 'linear', 'cosine',"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), BAD)
def test_a_nonsense_option_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        make()
