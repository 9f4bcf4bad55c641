"""What drives a schedule and a scheduler of torch side by side."""

from collections.abc import Callable

import pytest
import torch
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import LRScheduler

from thalweg.schedules import Schedule

Twin = Callable[[Optimizer], LRScheduler]
RATE, MOMENTUM = 0.5, 0.9  # the tops of the cycles


def optimizer() -> SGD:
    return SGD([torch.zeros(1, requires_grad=True)], lr=RATE, momentum=MOMENTUM)


def assert_twins(drivers: dict[str, Schedule], steps: int, twin: Twin) -> None:
    """Train as many steps with the schedules of our own and with torch's scheduler; compare all values."""
    ours, theirs = optimizer(), optimizer()
    schedulers = [schedule.attach(ours, hyper) for hyper, schedule in drivers.items()]
    torchs = twin(theirs)
    for step in range(steps + 1):
        for hyper in drivers:
            mine, other = (each.param_groups[0][hyper] for each in (ours, theirs))
            assert mine == pytest.approx(other, rel=1e-12, abs=1e-15), (hyper, step)
        for each, running in ((ours, schedulers), (theirs, [torchs])):
            each.step()
            for scheduler in running:
                if step < steps:
                    scheduler.step()
