"""Who can run on a task at all: what does not fit its memory or its length is left out before the race."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from thalweg.errors import UserError
from thalweg.race.priors import ALL, PRIORS, check_optimizers, prior

SHARE = 0.5  # of the memory that is free: models, gradients and data need some too
SLOWEST = 8.0  # times AdamW's step: a dearer optimizer would take the time of several others
FEWEST_STEPS = 10  # that a full run must have room for


def field(
    asked: Sequence[str] | str, parameters: int, steps: int, room: float
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return who races, and who is left out with the reason.

    Args:
        asked: names, or "all".
        parameters: how many the model has.
        steps: gradient evaluations in a full run.
        room: bytes for the state of one run, see `free_memory`.

    Raises:
        UserError: a name is unknown or named twice, or one that was asked for by name cannot run.
    """
    everyone = asked == ALL or list(asked) == [ALL]
    names = tuple(PRIORS) if everyone else check_optimizers(asked)
    reasons = {name: why for name in names if (why := obstacle(name, parameters, steps, room))}
    if reasons and not everyone:
        name, why = next(iter(reasons.items()))
        raise UserError(f"{name} cannot race here: {why}; leave it away")
    return tuple(name for name in names if name not in reasons), reasons


def obstacle(name: str, parameters: int, steps: int, room: float) -> str:
    """Why an optimizer cannot run, in words; "" if it can.

    >>> obstacle("adamw", 1000, 500, 1e9)
    ''
    """
    known = prior(name)
    memory = known.memory(parameters)
    if memory > room:
        what = known.matrix or "its state"
        return f"{what} would take {size(memory)}, and there is room for {size(room)}"
    if known.largest is not None and parameters > known.largest:
        return f"it takes at most {known.largest:,} parameters, and the model has {parameters:,}"
    least = known.least_evaluations(parameters)
    if least * FEWEST_STEPS > steps:
        return f"a step takes {least:,.0f} gradient evaluations or more, and a full run has {steps:,}"
    return ""


def too_slow(weights: Mapping[str, float]) -> dict[str, str]:
    """Those whose step takes many times AdamW's, with the reason.

    >>> too_slow({"sgd": 0.9, "learned": 12.3})
    {'learned': "a step takes 12 times AdamW's"}
    """
    return {name: f"a step takes {w:.0f} times AdamW's" for name, w in weights.items() if w > SLOWEST}


def free_memory(device: str, workers: int) -> float:
    """Bytes for the state of one run, when ``workers`` run at the same time."""
    if device.startswith("cuda"):
        return SHARE * torch.cuda.mem_get_info(device)[0] / workers
    return SHARE * _available() / workers


def _available() -> int:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def size(value: float) -> str:
    """Bytes with a unit.

    >>> size(2.9e11), size(2154576), size(800)
    ('290 GB', '2.15 MB', '800 B')
    """
    for limit, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= limit:
            return f"{value / limit:.3g} {unit}"
    return f"{value:.0f} B"
