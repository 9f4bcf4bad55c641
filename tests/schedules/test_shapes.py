"""Each schedule against torch's scheduler of the same shape, and against its closed form beyond."""

import math
from collections.abc import Callable

import pytest
import torch
from torch.optim import lr_scheduler

from thalweg import schedules
from thalweg.errors import UserError
from thalweg.schedules import Schedule

Twin = Callable[[torch.optim.Optimizer], lr_scheduler.LRScheduler]

TWINS: list[tuple[Schedule, int, Twin]] = [
    (schedules.step(7, 0.3), 40, lambda o: lr_scheduler.StepLR(o, 7, 0.3)),
    (schedules.multistep([3, 11, 12], 0.5), 40, lambda o: lr_scheduler.MultiStepLR(o, [3, 11, 12], 0.5)),
    (schedules.exponential(0.9), 40, lambda o: lr_scheduler.ExponentialLR(o, 0.9)),
    (schedules.linear(30, 0.25, 0.75), 40, lambda o: lr_scheduler.LinearLR(o, 0.25, 0.75, 30)),
    (schedules.linear(30), 30, lambda o: lr_scheduler.LinearLR(o, 1.0, 0.0, 30)),
    (schedules.warmup(30, start=0.1), 40, lambda o: lr_scheduler.LinearLR(o, 0.1, 1.0, 30)),
    (schedules.polynomial(30, 2.5), 40, lambda o: lr_scheduler.PolynomialLR(o, 30, 2.5)),
    (schedules.cosine(30), 30, lambda o: lr_scheduler.CosineAnnealingLR(o, 30)),
    (schedules.cosine(30, end=0.2), 30, lambda o: lr_scheduler.CosineAnnealingLR(o, 30, 0.1)),
    (schedules.constant(30, 0.3) >> schedules.constant(), 40, lambda o: lr_scheduler.ConstantLR(o, 0.3, 30)),
    (schedules.inverse_sqrt(4), 40, lambda o: lr_scheduler.LambdaLR(o, lambda s: (1 + s / 4) ** -0.5)),
    (schedules.cosine(10, after="repeat"), 40, lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 10)),
    (
        schedules.cosine(5) >> schedules.cosine(10) >> schedules.cosine(20),
        34,
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 5, 2),
    ),
]


@pytest.mark.parametrize(("schedule", "steps", "twin"), TWINS, ids=[str(s) for s, _, _ in TWINS])
def test_torch_has_the_same_values(schedule: Schedule, steps: int, twin: Twin) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    scheduler = twin(optimizer)
    for step in range(steps + 1):
        assert 0.5 * schedule(step) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12, abs=1e-15)
        optimizer.step()
        scheduler.step()


CLOSED: list[tuple[Schedule, Callable[[int], float]]] = [
    (schedules.constant(5, 0.7), lambda s: 0.7),
    (schedules.step(4, 0.5, steps=10), lambda s: 0.5 ** (min(s, 10) // 4)),
    (schedules.multistep([2, 6], 0.5, steps=4), lambda s: 1.0 if s < 2 else 0.5),
    (schedules.exponential(0.9, steps=10), lambda s: 0.9 ** min(s, 10)),
    (schedules.linear(10, 0.2, 1.4), lambda s: 0.2 + 0.12 * min(s, 10)),
    (schedules.warmup(10), lambda s: min(s, 10) / 10),
    (schedules.polynomial(10, 3, end=0.1), lambda s: 0.1 + 0.9 * (1 - min(s, 10) / 10) ** 3),
    (schedules.cosine(10, end=0.1), lambda s: 0.1 + 0.9 * math.cos(math.pi * min(s, 10) / 20) ** 2),
    (schedules.inverse_sqrt(3, steps=10), lambda s: (3 / (3 + min(s, 10))) ** 0.5),
]


@pytest.mark.parametrize(("schedule", "closed"), CLOSED, ids=[str(s) for s, _ in CLOSED])
def test_the_closed_form_holds_and_the_last_value_is_kept(
    schedule: Schedule, closed: Callable[[int], float]
) -> None:
    for step in range(25):
        assert schedule(step) == pytest.approx(closed(step), rel=1e-12, abs=1e-15)


def test_the_worked_example_of_warm_up_and_cosine() -> None:
    schedule = schedules.warmup(100) >> schedules.cosine(900)
    values = [f"{1e-3 * schedule(step):.6f}" for step in (0, 50, 100, 300, 700, 1000)]
    assert values == ["0.000000", "0.000500", "0.001000", "0.000883", "0.000250", "0.000000"]


def test_the_transformer_schedule() -> None:
    schedule, warm = schedules.warmup(50) >> schedules.inverse_sqrt(50), 50
    for step in range(1, 400):
        published = min(step**-0.5, step * warm**-1.5)
        assert schedule(step) == pytest.approx(published / warm**-0.5, rel=1e-12)


def test_inverse_sqrt_with_scale_one_counts_from_one() -> None:
    assert [schedules.inverse_sqrt()(step) for step in range(9)] == pytest.approx(
        [t**-0.5 for t in range(1, 10)], rel=1e-15
    )


def test_a_schedule_that_is_used_up_keeps_its_end_and_never_climbs_back() -> None:
    schedule = schedules.cosine(10, end=0.25)
    assert {schedule(step) for step in range(10, 40)} == {0.25}


BAD: list[tuple[Callable[[], object], str]] = [
    (lambda: schedules.cosine(0), "cosine: steps is 0; it must be a whole number, 1 or more"),
    (lambda: schedules.cosine(2.5), "cosine: steps is 2.5; it must be a whole number, 1 or more"),
    (lambda: schedules.warmup(True), "warmup: steps is True; it must be a whole number, 1 or more"),
    (
        lambda: schedules.cosine(9, end=1.5),
        "cosine: end is 1.5; it must be a number, 0 or more and at most 1",
    ),
    (lambda: schedules.cosine(9, end=math.nan), "cosine: end is nan"),
    (lambda: schedules.linear(9, start=-1), "linear: start is -1; it must be a number, 0 or more"),
    (lambda: schedules.linear(9, end=math.inf), "linear: end is inf; it must be a number, 0 or more"),
    (
        lambda: schedules.warmup(9, start=2),
        "warmup: start is 2; it must be a number, 0 or more and at most 1",
    ),
    (lambda: schedules.polynomial(9, 0), "polynomial: power is 0; it must be a number, more than 0"),
    (lambda: schedules.polynomial(9, 1, end=-1), "polynomial: end is -1; it must be a number"),
    (lambda: schedules.step(0), "step: size is 0; it must be a whole number, 1 or more"),
    (lambda: schedules.step(3, gamma=0), "step: gamma is 0; it must be a number, more than 0"),
    (lambda: schedules.step(3, steps=-4), "step: steps is -4; it must be a whole number, 1 or more"),
    (lambda: schedules.multistep([3, 3]), r"multistep: milestones is \[3, 3\]; it must be a rising list"),
    (lambda: schedules.multistep([]), r"multistep: milestones is \[\]; it must be a rising list"),
    (lambda: schedules.multistep(30), "multistep: milestones is 30; it must be a list of steps"),
    (lambda: schedules.multistep("30"), "multistep: milestones is '30'; it must be a list of steps"),
    (
        lambda: schedules.exponential(1.01),
        "exponential: gamma is 1.01; it must be a number, more than 0 and at",
    ),
    (lambda: schedules.exponential("0.9"), "exponential: gamma is '0.9'; it must be a number"),
    (lambda: schedules.inverse_sqrt(0), "inverse_sqrt: scale is 0; it must be a whole number, 1 or more"),
    (lambda: schedules.constant(factor=-1), "constant: factor is -1; it must be a number, 0 or more"),
    (lambda: schedules.constant(after="repeat"), "constant: after='repeat' needs an end; give steps as well"),
    (
        lambda: schedules.cosine(9, after="stop"),
        "cosine: after is 'stop'; it must be one of 'hold', 'repeat'",
    ),
    (lambda: schedules.cosine(9)(-1), "a schedule starts at step 0; there is no step -1"),
    (lambda: schedules.cosine(9)(math.nan), "there is no step nan"),
]


@pytest.mark.parametrize(("make", "message"), BAD)
def test_a_nonsense_option_is_refused_by_name_value_and_range(
    make: Callable[[], object], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        make()
