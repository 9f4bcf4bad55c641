"""Line searches: how far to go from x along a direction d, with φ(t) = f(x + t d)."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from thalweg.optim.full_batch.objective import largest

__all__ = ["Trial", "backtrack", "noise", "strong_wolfe"]


@dataclass(frozen=True)
class Trial:
    """A point on the line.

    Attributes:
        t: how far it is, in units of the direction.
        f: the loss there, φ(t).
        g: the gradient there, of shape (n,).
        slope: φ'(t) = g · d.
    """

    t: float
    f: float
    g: Tensor
    slope: float

    @cached_property
    def finite(self) -> bool:
        """True unless the loss or the gradient is infinite or NaN, which is how too far a step shows."""
        return math.isfinite(self.f) and math.isfinite(self.slope) and math.isfinite(largest(self.g))


def noise(f: float, dtype: torch.dtype) -> float:
    """By how much rounding alone may change a loss about f: 10 ε max(1, |f|) (Conn, Gould & Toint 2000)."""
    return 10 * torch.finfo(dtype).eps * max(1.0, abs(f))


def backtrack(
    value: Callable[[float], float], f: float, slope: float, t: float, *, left: float, slack: float
) -> float:
    r"""Halve t until the loss decreases enough (Armijo); 0 if the evaluations do not suffice.

    .. math:: φ(t) ≤ φ(0) + c_1 t φ'(0) + \text{slack}, \qquad c_1 = 10^{-4}

    A loss that is infinite or NaN does not decrease enough. Source: Nocedal & Wright 2006, algorithm 3.1 with
    ρ = ½; the slack for rounding lets the last steps before a minimum pass.

    Args:
        value: φ, each call an evaluation.
        f: φ(0).
        slope: φ'(0), negative.
        t: the first step to try.
        left: how many evaluations are allowed.
        slack: the rounding of φ, see `noise`.
    """
    while left > 0:
        if value(t) <= f + 1e-4 * t * slope + slack:  # False for NaN
            return t
        t, left = t / 2, left - 1
    return 0.0


def strong_wolfe(
    at: Callable[[float], Trial],
    start: Trial,
    t: float,
    *,
    left: float,
    resolution: float = 0.0,
    c1: float = 1e-4,
    c2: float = 0.9,
) -> Trial:
    r"""A point that satisfies the strong Wolfe conditions, or the best of those evaluated when `left` are.

    .. math:: φ(t) ≤ φ(0) + c_1 t φ'(0), \qquad |φ'(t)| ≤ c_2 |φ'(0)|

    A bracket is found by going on, then narrowed, each time by cubic interpolation. A point where φ is
    infinite or NaN ends a bracket, which is then halved. Source: Nocedal & Wright 2006, algorithms 3.5 and
    3.6, interpolation (3.59), with the safeguards of torch's L-BFGS, whose points it evaluates where all are
    finite.

    Args:
        at: evaluates a point of the line.
        start: the point at t = 0, with a negative slope.
        t: the first step to try.
        left: how many evaluations are allowed, at least 1.
        resolution: a bracket narrower than this is narrowed no further.
        c1: c₁.
        c2: c₂, in (c₁, 1).
    """
    ends, left = _bracket(at, start, t, left, c1, c2)
    low = 0 if len(ends) == 1 or not ends[1].finite or ends[0].f <= ends[1].f else 1
    stuck = False
    while len(ends) == 2 and left > 0 and abs(ends[1].t - ends[0].t) >= resolution:
        t, stuck = _within(ends, stuck)
        trial, left = at(t), left - 1
        if not trial.finite or trial.f > start.f + c1 * t * start.slope or trial.f >= ends[low].f:
            ends[1 - low] = trial
            low = 0 if not ends[1].finite or (ends[0].finite and ends[0].f <= ends[1].f) else 1
            continue
        if abs(trial.slope) <= -c2 * start.slope:
            return trial
        if trial.slope * (ends[1 - low].t - ends[low].t) >= 0:
            ends[1 - low] = ends[low]
        ends[low] = trial
    return ends[low]


def _bracket(
    at: Callable[[float], Trial], start: Trial, t: float, left: float, c1: float, c2: float
) -> tuple[list[Trial], float]:
    """One point that satisfies the conditions, or two with such a point between; evaluations left."""
    last, trial, left = start, at(t), left - 1
    extended = 0
    while True:
        too_high = trial.f > start.f + c1 * trial.t * start.slope or (extended > 1 and trial.f >= last.f)
        if not trial.finite or too_high:
            return [last, trial], left
        if abs(trial.slope) <= -c2 * start.slope:
            return [trial], left
        if trial.slope >= 0:
            return [last, trial], left
        if left <= 0:
            return [start, trial], left
        t = _cubic(last, trial, trial.t + 0.01 * (trial.t - last.t), 10 * trial.t)
        last, trial, left = trial, at(t), left - 1
        extended += 1


def _within(ends: list[Trial], stuck: bool) -> tuple[float, bool]:
    """A point within a bracket, and whether it is close to an end; not so twice running."""
    near, far = sorted(end.t for end in ends)
    if not (ends[0].finite and ends[1].finite):
        return (near + far) / 2, False
    t, margin = _cubic(ends[0], ends[1], near, far), 0.1 * (far - near)
    if min(far - t, t - near) >= margin:
        return t, False
    if not (stuck or t >= far or t <= near):
        return t, True
    return (far - margin if abs(t - far) < abs(t - near) else near + margin), False


def _cubic(a: Trial, b: Trial, low: float, high: float) -> float:
    """Where the cubic through two values and slopes is least, within [low, high]; else their mean."""
    if a.t > b.t:
        a, b = b, a
    mean = (low + high) / 2
    width = b.t - a.t
    if width == 0:
        return mean
    d1 = a.slope + b.slope - 3 * (a.f - b.f) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:  # no minimum, or numbers too large to tell
        return mean
    d2 = math.sqrt(square)
    top, bottom = b.slope + d2 - d1, b.slope - a.slope + 2 * d2
    if bottom == 0:  # a straight line
        return high if top < 0 else low
    t = b.t - width * (top / bottom)
    return mean if math.isnan(t) else min(max(t, low), high)
