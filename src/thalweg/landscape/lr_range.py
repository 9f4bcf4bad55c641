"""Which learning rate? A short training in which it grows at every step."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim import Optimizer

from thalweg.engine.options import check_value
from thalweg.errors import UserError
from thalweg.landscape.endless import endless
from thalweg.landscape.interrupted import Interrupted
from thalweg.landscape.plain import as_dict
from thalweg.landscape.progress import progress
from thalweg.landscape.smoothing import local_quadratic
from thalweg.landscape.surface import Surface
from thalweg.landscape.training import check_optimizer, step
from thalweg.regularize.checks import whole

__all__ = ["LrRange", "lr_range"]

Array = NDArray[np.float64]

_WIDTH = 0.15
"""Of the smoothing kernel, in decades of the learning rate; two steps at least."""
_SURE = 4.0
"""How many standard errors a fall or a rise is to be."""
_RECENT = 5
"""Losses whose median tells whether a run has left for good."""


@dataclass(frozen=True)
class LrRange:
    """What `lr_range` measured.

    Attributes:
        lrs: the learning rates, (m,).
        losses: the loss of the batch before each step, (repeats, m); NaN after a run has diverged.
        smoothed: the same without the noise, (repeats, m).
        suggestion: the rate at which the loss falls most steeply against log lr, the median of the repeats;
            None where no repeat shows a fall.
        low: the smallest of the repeats' suggestions.
        high: the largest of them.
        diverges_at: the rate from which the loss only rose, the median of the repeats; None where most did
            not diverge.
        complete: False after Ctrl-C.
    """

    lrs: Tensor
    losses: Tensor
    smoothed: Tensor
    suggestion: float | None
    low: float | None
    high: float | None
    diverges_at: float | None
    complete: bool = True

    def describe(self) -> str:
        """Say which rate the test suggests, how far the repeats agree, and where training diverges."""
        if not len(self.lrs):
            return "No learning rate was tried."
        swept = f"between {self.lrs[0]:.2g} and {self.lrs[-1]:.2g}"
        if self.suggestion is None:
            return f"No learning rate {swept} lowers the loss beyond its noise; {self._end()}."
        repeats = len(self.losses)
        agree = f" ({self.low:.2g} to {self.high:.2g} over {repeats} repeats)" if repeats > 1 else ""
        if repeats > 1 and torch.equal(self.losses[0], self.losses[1]):
            agree = " (the repeats are alike: nothing in them is random)"
        return f"The loss falls fastest at a learning rate of {self.suggestion:.2g}{agree}; {self._end()}."

    def _end(self) -> str:
        if self.diverges_at is None:
            further = self.suggestion is not None and self.suggestion > 0.5 * float(self.lrs[-1])
            advice = "; sweep further" if further else ""
            end = "the end of the sweep" if self.complete else "where the sweep was stopped"
            return f"it does not diverge up to {self.lrs[-1]:.2g}, {end}{advice}"
        return f"from {self.diverges_at:.2g} on it rises"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain numbers and lists; None stands for what was not measured."""
        return as_dict(self)


def lr_range(
    surface: Surface,
    optimizer: Optimizer,
    start: float = 1e-6,
    end: float = 10.0,
    steps: int = 100,
    repeats: int = 3,
    *,
    scaler: Any = None,
    seed: int = 0,
) -> LrRange:
    r"""The learning-rate range test: train while the rate grows, and see where the loss falls and rises.

    .. math:: η_k = η_0 \left( \frac{η_{m-1}}{η_0} \right)^{k / (m - 1)}, \qquad
        \hat η = \arg\min_η \frac{d \bar L}{d \log η}

    Each step takes one batch, the next of the data. The curve is smoothed by local quadratics in log η
    (`thalweg.landscape.smoothing`), which do not lag; it counts until it has first lost half of what it had
    gained, and a run stops when it has lost twice as much. The test is repeated from the same weights with
    other random numbers: another order of a list of batches and of a loader that shuffles, other masks of
    dropout. The spread of the suggestions is that of these repeats, not of other initial weights.

    Source: Smith 2015, arXiv 1506.01186, section 3.3; with a rate that grows by a factor and the steepest
    point instead of one read by eye, as by Gugger in 2018. Momentum and adaptive methods remember earlier,
    smaller rates, so that the test sees an effect of a rate late; take the suggestion as a start of a search.

    The model, its gradients, the optimizer, the scaler and the random generators are afterwards bit for bit
    as before. Modules stay in the mode they are in: call ``model.train()`` first.

    Args:
        surface: the model, loss and batches.
        optimizer: of the model's parameters; with several groups, the rate is that of the group with the
            largest, and the others keep their ratio to it.
        start: η_0, the first rate.
        end: the last rate.
        steps: m, steps in each repeat.
        repeats: how often.
        scaler: a `torch.amp.GradScaler`, where the training uses one.
        seed: of the first repeat's random numbers.

    Raises:
        UserError: an option is out of its range, or the optimizer has no learning rate or does not hold the
            model's parameters.
        Interrupted: Ctrl-C; `partial` has the losses so far.
    """
    whole("lr_range", "steps", steps, 10)
    whole("lr_range", "repeats", repeats, 1)
    whole("lr_range", "seed", seed, 0)
    check_value("lr_range", "start", start, "(0, inf)")
    check_value("lr_range", "end", end, f"({start}, inf)")
    check_optimizer("lr_range", surface, optimizer)
    lrs = np.geomspace(start, end, steps)
    losses = np.full((repeats, steps), np.nan)
    diverged: list[bool] = []
    held = (optimizer,) if scaler is None else (optimizer, scaler)
    try:
        with progress("learning rates", repeats * steps) as advance:
            for repeat in range(repeats):
                with surface.hold(*held):
                    sweep = _Sweep(surface, optimizer, scaler, seed + repeat)
                    diverged.append(sweep.run(lrs, losses[repeat], advance))
    except KeyboardInterrupt as stop:
        raise Interrupted(_result(lrs, losses, [*diverged, False], complete=False)) from stop
    return _result(lrs, losses, diverged)


class _Sweep:
    """One training with a growing rate, inside `hold`."""

    def __init__(self, surface: Surface, optimizer: Optimizer, scaler: Any, seed: int) -> None:
        self.surface, self.optimizer, self.scaler = surface, optimizer, scaler
        rates = [float(group["lr"]) for group in optimizer.param_groups]
        self.shares = [rate / max(rates) for rate in rates]
        self.batches = endless(surface, seed)

    def run(self, lrs: Array, losses: Array, advance: Callable[[], None]) -> bool:
        """Fill in the losses until the run diverges; return whether it did."""
        for parameter in self.surface.model.parameters():
            parameter.grad = None  # one that the loss does not reach must not move
        for k, lr in enumerate(lrs):
            for group, share in zip(self.optimizer.param_groups, self.shares, strict=True):
                _set_rate(group, float(lr) * share)
            try:
                losses[k] = step(self.surface, self.optimizer, next(self.batches), self.scaler)
                if k == 0 and not math.isfinite(losses[0]):
                    raise UserError(
                        f"lr_range: the loss is {losses[0]} before the first step; begin where it is finite"
                    )
            except FloatingPointError:  # the optimizer's own guard against gradients that are not finite
                return True
            if not math.isfinite(losses[k]) or _has_left(losses[: k + 1]):
                return True
            advance()
        return False


def _set_rate(group: dict[str, Any], rate: float) -> None:
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate


def _noise(losses: Array) -> float:
    """The standard deviation of a batch's loss, from the differences of neighbours."""
    steps = np.abs(np.diff(losses[np.isfinite(losses)]))
    return float(np.median(steps)) / 0.954 if len(steps) else 0.0  # the median of |N(0, 2)|


def _noise_along(x: Array, losses: Array, width: float) -> Array:
    """The same around each rate: batches differ less where the loss is small."""
    between = (x[1:] + x[:-1]) / 2
    weights = np.exp(-((between[None, :] - x[:, None]) ** 2) / (2 * (3 * width) ** 2))
    steps = np.abs(np.diff(losses))
    means: Array = weights @ np.minimum(steps, 10 * np.median(steps)) / weights.sum(axis=1)
    return means / 1.128  # the mean of |N(0, 2)|


def _has_left(losses: Array) -> bool:
    """Whether a run has lost what it had gained and as much again, beyond the noise."""
    if len(losses) <= _RECENT:
        return False
    return float(np.median(losses[-_RECENT:])) > _ceiling(losses)


def _ceiling(losses: Array) -> float:
    first = float(np.median(losses[:_RECENT]))
    gained = first - min(float(np.median(losses[k : k + _RECENT])) for k in range(len(losses) - _RECENT + 1))
    return first + max(gained, 6 * _noise(losses))


def _result(lrs: Array, losses: Array, diverged: list[bool], complete: bool = True) -> LrRange:
    """The curves, and what they say together."""
    diverged = [left for left, row in zip(diverged, losses, strict=False) if np.isfinite(row).any()]
    losses = losses[np.isfinite(losses).any(axis=1)]
    lengths = [int(np.isfinite(row).sum()) for row in losses]
    reached = max(lengths, default=0)
    lrs, losses = lrs[:reached], losses[:, :reached]
    smoothed = np.full_like(losses, np.nan)
    read = [
        _read(lrs[:length], row[:length], smooth[:length], left)
        if length >= 2 * _RECENT
        else (None, float(lrs[0]))
        for row, length, smooth, left in zip(losses, lengths, smoothed, diverged, strict=True)
        if length >= 2 * _RECENT or left
    ]
    read = [(fall, rise) for fall, rise in read if fall is not None] or read  # a rise without a fall is less
    steepest = [fall for fall, _ in read if fall is not None]
    ends = [rise for _, rise in read if rise is not None]
    return LrRange(
        lrs=torch.from_numpy(lrs.copy()),
        losses=torch.from_numpy(losses.copy()),
        smoothed=torch.from_numpy(smoothed),
        suggestion=_middle(steepest),
        low=min(steepest, default=None),
        high=max(steepest, default=None),
        diverges_at=_middle(ends) if 2 * len(ends) > len(read) else None,
        complete=complete,
    )


def _read(lrs: Array, losses: Array, smooth: Array, left: bool) -> tuple[float | None, float | None]:
    """Smooth a run; return the rate of its steepest fall and that from which it rose for good, if any."""
    x, ceiling = np.log10(lrs), _ceiling(losses)
    width = max(_WIDTH, 2 * float(x[1] - x[0]))
    smooth[:], slopes, errors = local_quadratic(x, np.minimum(losses, ceiling), width)
    errors *= _SURE * _noise_along(x, losses, width)
    best, top = np.minimum.accumulate(smooth), np.maximum.accumulate(smooth)
    gained = top[[int(np.argmin(smooth[: k + 1])) for k in range(len(smooth))]] - best
    regained = np.minimum.accumulate(smooth[::-1])[::-1] < best  # then a rise before any fall was chance
    rises = smooth - best > np.maximum((top - best) / 2, 1.4 * errors)
    lost = np.flatnonzero(rises & ~(regained & (gained <= 1.4 * errors)))
    lowest = int(np.argmin(smooth[: lost[0] if len(lost) else None]))
    fall = smooth[: lowest + 1]
    highest = int(np.argmax(fall))
    fallen = fall[highest] - fall[lowest]
    risen = float(lrs[lowest]) if len(lost) else None
    if left and risen is None:  # it rose at its end, and no fall is seen before
        risen = float(lrs[np.flatnonzero(smooth <= smooth[0] + errors[0])[-1]])
    if not fallen > math.hypot(errors[highest], errors[lowest]):
        return None, risen
    begin = int(np.flatnonzero(fall > fall[highest] - 0.1 * fallen)[-1])  # before, slopes are mostly noise
    return float(lrs[begin + int(np.argmin(slopes[begin : lowest + 1]))]), risen


def _middle(rates: list[float]) -> float | None:
    """The median, on the scale of logarithms."""
    return float(np.exp(np.median(np.log(rates)))) if rates else None
