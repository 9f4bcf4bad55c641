"""Every schedule, cut in the middle of a cycle and resumed, gives the values of the uninterrupted run."""

import io
from typing import Any

import pytest
import torch

from thalweg import optim, schedules
from thalweg.schedules import Schedule, parse

STEPS = 60
TEXTS = [
    "constant()",
    "step(7)",
    "multistep([9, 30])",
    "exponential(0.93)",
    "linear(50)",
    "warmup(40)",
    "polynomial(50, 2.5)",
    "cosine(13, after='repeat')",
    "inverse_sqrt(5)",
    "cosine_restarts(7, multiplier=2)",
    "cosine_restarts(7, cycles=4)",
    "triangular(5, down=8)",
    "triangular2(6, low=0.1)",
    "exp_range(6, gamma=0.97)",
    "one_cycle(55)",
    "one_cycle(55, rise=0.4, curve='linear', three_phase=True)",
    "wsd(10, 20, 25, curve='1-sqrt')",
    "warmup(9) >> cosine_restarts(5, cycles=3) >> triangular(4, cycles=2) >> wsd(3, 4, 9)",
]
OPTIMIZERS = {
    "lr": lambda: torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3),
    "beta1": lambda: optim.AdamW([torch.zeros(1, requires_grad=True)], betas=(0.95, 0.99)),
}


def test_every_schedule_is_resumed_here() -> None:
    shapes = {
        name
        for name in schedules.__all__
        if isinstance(getattr(schedules, name), type) and issubclass(getattr(schedules, name), Schedule)
    }
    assert shapes - {"Schedule", "Chain"} <= {text.split("(")[0] for text in TEXTS}


def value(optimizer: torch.optim.Optimizer, hyper: str) -> float:
    group = optimizer.param_groups[0]
    return group["betas"][0] if hyper == "beta1" else group[hyper]


def drive(scheduler: Any, steps: int, hyper: str) -> list[float]:
    used = []
    for _ in range(steps):
        used.append(value(scheduler.optimizer, hyper))
        scheduler.optimizer.step()
        scheduler.step()
    return used


@pytest.mark.parametrize("hyper", OPTIMIZERS)
@pytest.mark.parametrize("text", TEXTS)
def test_values_after_resuming_are_the_same_to_the_bit(text: str, hyper: str) -> None:
    make, schedule = OPTIMIZERS[hyper], parse(text)
    whole = drive(schedule.attach(make(), hyper), STEPS, hyper)
    assert len(set(whole)) > 1 or text == "constant()"
    running = schedule.attach(make(), hyper)
    for stop in range(STEPS):
        saved = io.BytesIO()
        torch.save((running.state_dict(), running.optimizer.state_dict()), saved)
        if stop % 7 == 3:
            saved.seek(0)
            state, options = torch.load(saved, weights_only=True)
            loaded, fresh = parse(text).attach(make(), hyper), parse(text).attach(make(), hyper)
            loaded.optimizer.load_state_dict(options)
            for resumed in (loaded, fresh):
                resumed.load_state_dict(state)
                assert drive(resumed, STEPS - stop, hyper) == whole[stop:]
            later = parse(text).attach(make(), hyper, last_step=stop - 1)
            assert drive(later, STEPS - stop, hyper) == whole[stop:]
        drive(running, 1, hyper)
