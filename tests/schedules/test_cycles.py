"""Warm restarts and cyclical schedules: torch's twins, the papers' formulas, ends, composition, refusals."""

import math
from collections.abc import Callable
from itertools import accumulate

import pytest
from torch.optim import lr_scheduler

from tests.schedules.twins import MOMENTUM, RATE, Twin, assert_twins
from thalweg.errors import UserError
from thalweg.schedules import (
    Schedule,
    constant,
    cosine,
    cosine_restarts,
    exp_range,
    linear,
    triangular,
    triangular2,
    warmup,
)


@pytest.mark.parametrize(("period", "multiplier", "end"), [(10, 1, 0.0), (7, 2, 0.2), (3, 3, 0.0), (1, 2, 0)])
def test_warm_restarts_are_those_of_torch(period: int, multiplier: int, end: float) -> None:
    schedule = cosine_restarts(period, multiplier, end)
    assert_twins(
        {"lr": schedule},
        200,
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, period, multiplier, end * RATE),
    )


def cyclic(up: int, down: int | None, mode: str, gamma: float = 1.0) -> Twin:
    return lambda o: lr_scheduler.CyclicLR(
        o, 0.2 * RATE, RATE, up, down, mode, gamma, base_momentum=0.8 * MOMENTUM, max_momentum=MOMENTUM
    )


CYCLIC: list[tuple[Callable[..., Schedule], Twin]] = [
    (lambda **o: triangular(7, **o), cyclic(7, None, "triangular")),
    (lambda **o: triangular(3, 11, **o), cyclic(3, 11, "triangular")),
    (lambda **o: triangular2(7, **o), cyclic(7, None, "triangular2")),
    (lambda **o: triangular2(11, 3, **o), cyclic(11, 3, "triangular2")),
    (lambda **o: exp_range(7, gamma=0.97, **o), cyclic(7, None, "exp_range", 0.97)),
    (lambda **o: exp_range(4, 9, gamma=0.99, **o), cyclic(4, 9, "exp_range", 0.99)),
]


@pytest.mark.parametrize(("make", "twin"), CYCLIC, ids=[str(make()) for make, _ in CYCLIC])
def test_rate_and_momentum_cycle_as_in_torch(make: Callable[..., Schedule], twin: Twin) -> None:
    assert_twins({"lr": make(low=0.2), "momentum": make(low=0.8, inverse=True)}, 90, twin)


@pytest.mark.parametrize(("period", "multiplier"), [(10, 1), (3, 2), (5, 3), (1, 2), (10, 7)])
def test_every_restart_is_at_the_top_and_every_cycle_ends_at_the_bottom(period: int, multiplier: int) -> None:
    schedule = cosine_restarts(period, multiplier, end=0.1)
    lengths = [period * multiplier**i for i in range(7)]
    for start, length in zip([0, *accumulate(lengths)], lengths, strict=False):
        for place in {0, 1, length // 2, length - 1} - {length}:
            published = 0.1 + 0.45 * (1 + math.cos(math.pi * place / length))
            assert schedule(start + place) == pytest.approx(published, rel=1e-12)


def test_restarts_are_exact_where_a_logarithm_is_off() -> None:
    schedule = cosine_restarts(1, 3)
    for cycle in range(1, 30):
        start = (3**cycle - 1) // 2  # math.log(3**5, 3) is 4.999...
        assert schedule(start) == 1
        assert schedule(start - 1) < 1 or cycle == 1


def test_the_papers_cycles_for_snapshots() -> None:
    total, models = 103, 4
    length = math.ceil(total / models)
    schedule = cosine_restarts(length, cycles=models)
    for t in range(1, total + 1):
        published = 0.5 * (math.cos(math.pi * ((t - 1) % length) / length) + 1)
        assert schedule(t - 1) == pytest.approx(published, rel=1e-12, abs=1e-15)


def smith(step: int, size: int, low: float) -> float:
    cycle = math.floor(1 + step / (2 * size))
    return low + (1 - low) * max(0.0, 1 - abs(step / size - 2 * cycle + 1))


@pytest.mark.parametrize("low", [0.0, 0.25, 1.0])
def test_the_triangle_of_the_paper(low: float) -> None:
    for step in range(60):
        assert triangular(7, low=low)(step) == pytest.approx(smith(step, 7, low), rel=1e-12, abs=1e-15)
        halved = low + (smith(step, 7, low) - low) / 2 ** (step // 14)
        assert triangular2(7, low=low)(step) == pytest.approx(halved, rel=1e-12, abs=1e-15)
        shrunk = low + (smith(step, 7, low) - low) * 0.9**step
        assert exp_range(7, low=low, gamma=0.9)(step) == pytest.approx(shrunk, rel=1e-12, abs=1e-15)


def test_each_policy_without_its_difference_is_the_triangle() -> None:
    for step in range(20):
        assert exp_range(4, 3, gamma=1)(step) == triangular(4, 3)(step)
        assert triangular2(10, 10)(step) == triangular(10, 10)(step)  # in the first cycle
    assert triangular(5, 5) != triangular(5)  # two texts
    assert [triangular(5, 5)(s) for s in range(30)] == [triangular(5)(s) for s in range(30)]


ENDS: list[tuple[Schedule, int, float]] = [
    (cosine_restarts(10, cycles=3), 30, 0.0),
    (cosine_restarts(10, 2, 0.25, cycles=3), 70, 0.25),
    (cosine_restarts(10, 3, cycles=3), 130, 0.0),
    (cosine_restarts(1, 2, cycles=64), 2**64 - 1, 0.0),
    (triangular(3, 5, cycles=2), 16, 0.25),
    (triangular(3, 5, cycles=2, inverse=True), 16, 1.0),
    (triangular2(4, cycles=3, low=0.5), 24, 0.5),
    (exp_range(4, cycles=1, low=0, gamma=0.5), 8, 0.0),
]


@pytest.mark.parametrize(("schedule", "steps", "end"), ENDS, ids=[str(row[0]) for row in ENDS])
def test_so_many_cycles_end_and_do_not_start_again(schedule: Schedule, steps: int, end: float) -> None:
    assert schedule.steps == schedule.span() == steps
    assert {schedule(step) for step in (steps, steps + 1, 10 * steps)} == {end}
    joined, first = warmup(5) >> schedule >> linear(5), range(min(steps, 200))
    assert [joined(5 + step) for step in first] == [schedule(step) for step in first]
    assert joined(5 + steps) == 1


@pytest.mark.parametrize(
    "cut", [cosine_restarts(10, 2, cycles=2), triangular(3, 5, cycles=2), triangular2(5, cycles=2)], ids=str
)
def test_repeat_starts_with_the_first_cycle_again(cut: Schedule) -> None:
    again = type(cut)(**{**vars(cut), "after": "repeat"})
    assert [again(step) for step in range(90)] == [cut(step % cut.steps) for step in range(90)]
    with pytest.raises(UserError, match="has no end, so nothing can follow it"):
        again >> linear(5)


def test_restarts_of_equal_length_are_a_cosine_that_repeats() -> None:
    restarts, repeated = cosine_restarts(10), cosine(10, after="repeat")
    assert [restarts(step) for step in range(95)] == [repeated(step) for step in range(95)]


def test_without_cycles_there_is_no_end() -> None:
    for endless in (cosine_restarts(10, 2), triangular(10), triangular2(10), exp_range(10, gamma=0.9)):
        assert endless.steps is None
        assert 0 <= endless(10**9) <= 1
        with pytest.raises(UserError, match="has no end, so nothing can follow it"):
            endless >> constant()


BAD: list[tuple[Callable[[], object], str]] = [
    (
        lambda: cosine_restarts(10, 2, cycles=65),
        "cycles is 65; it must be at most 64, or the run would never",
    ),
    (
        lambda: cosine_restarts(10, 4, cycles=40),
        "cycles is 40; it must be at most 32, or the run would never",
    ),
    (lambda: cosine_restarts(0), "cosine_restarts: period is 0; it must be a whole number, 1 or more"),
    (lambda: cosine_restarts(-5), "cosine_restarts: period is -5; it must be a whole number, 1 or more"),
    (
        lambda: cosine_restarts(10, 0),
        "cosine_restarts: multiplier is 0; it must be a whole number, 1 or more",
    ),
    (lambda: cosine_restarts(10, 1.5), "cosine_restarts: multiplier is 1.5; it must be a whole number"),
    (lambda: cosine_restarts(10, end=2), "cosine_restarts: end is 2; it must be a number, 0 or more and at"),
    (lambda: cosine_restarts(10, cycles=0), "cosine_restarts: cycles is 0; it must be a whole number, 1 or"),
    (lambda: cosine_restarts(10, 2, cycles=10**9), "cycles is 1000000000; it must be at most 64, or the run"),
    (
        lambda: cosine_restarts(10, after="repeat"),
        "cosine_restarts: after='repeat' needs an end; give cycles",
    ),
    (lambda: triangular(0), "triangular: up is 0; it must be a whole number, 1 or more"),
    (lambda: triangular(5, -1), "triangular: down is -1; it must be a whole number, 1 or more"),
    (
        lambda: triangular(5, low=2),
        "triangular: low is 2, above the top of the cycle, which is 1; give it as",
    ),
    (lambda: triangular(5, low=-0.1), "triangular: low is -0.1; it must be a number, 0 or more"),
    (lambda: triangular(5, low=math.nan), "triangular: low is nan; it must be a number, 0 or more"),
    (lambda: triangular(5, inverse=1), "triangular: inverse is 1; it must be True or False"),
    (lambda: triangular2(5, cycles=-1), "triangular2: cycles is -1; it must be a whole number, 1 or more"),
    (lambda: triangular2(5, after="error"), "triangular2: after='error' needs an end; give cycles as well"),
    (lambda: exp_range(5, gamma=0), "exp_range: gamma is 0; it must be a number, more than 0 and at most 1"),
    (
        lambda: exp_range(5, gamma=1.1),
        "exp_range: gamma is 1.1; it must be a number, more than 0 and at most",
    ),
    (lambda: exp_range(5, low=3, gamma=0.9), "exp_range: low is 3, above the top of the cycle"),
    (lambda: cosine_restarts(10, 2)(math.inf), "there is no step inf"),
]


@pytest.mark.parametrize(("make", "message"), BAD)
def test_a_nonsense_option_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        make()
