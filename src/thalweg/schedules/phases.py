"""Schedules of a whole run in phases: one cycle, and warm-up, stable, decay.

Symbols: `s` is the step counted from 0, `f(s)` the factor, `n` the number of steps.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, dataclass
from itertools import pairwise
from typing import Literal, get_args

from thalweg.errors import UserError
from thalweg.schedules.base import After, Schedule

Curve = Literal["cosine", "linear"]
Decay = Literal["linear", "cosine", "1-sqrt"]


@dataclass(frozen=True, repr=False)
class one_cycle(Schedule):
    """Up from `low` to 1 and down to `end`, once: the 1cycle policy.

    The factor runs through the points ``(0, low)``, ``(rise * n - 1, 1)`` and ``(n - 1, end)``, joined by
    half cosines ``a + (b - a) * (1 - cos(pi * x)) / 2`` or by straight lines. Step ``n - 1``, the last
    that is trained, has the factor `end`. This is torch's ``OneCycleLR`` with ``total_steps = n`` to the
    last digit; the optimizer's own learning rate is its ``max_lr``.

    For the momentum that goes with it, attach ``one_cycle(n, low=0.85 / 0.95, inverse=True)`` to
    ``"momentum"`` or ``"beta1"`` of an optimizer whose own value, the highest, is 0.95.

    Args:
        steps: `n`.
        low: the factor at step 0, from 0 to 1 (torch's ``1 / div_factor``).
        end: the factor at the end, from 0 to 1; ``low / 10_000`` unless given, or 1 with `inverse`.
        rise: the part of the run in which it rises, from 0 to 1 (torch's ``pct_start``).
        curve: ``"cosine"`` or ``"linear"``.
        three_phase: come down to `low` in as many steps as it rose, then on to `end`.
        inverse: start at 1, fall to `low` and come back.
        after: see `Schedule`.

    Raises:
        UserError: an option is out of its range.

    Source: Smith and Topin 2017 (Super-Convergence, arXiv 1708.07120); the momentum in Smith 2018 (arXiv
    1803.09820, section 4.3). Their own shape is ``curve="linear", three_phase=True`` with `rise` just
    under a half; the cosine in two phases, the default here, is that of the fastai library.

    >>> schedule = one_cycle(5, low=0.5, end=0, rise=0.6, curve="linear")
    >>> [schedule(s) for s in range(6)]
    [0.5, 0.75, 1.0, 0.5, 0.0, 0.0]
    """

    steps: int
    low: float = 0.04
    end: float | None = None
    rise: float = 0.3
    _: KW_ONLY
    curve: Curve = "cosine"
    three_phase: bool = False
    inverse: bool = False
    after: After = "hold"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._below_top("low")
        if self.end is not None:
            self._real("end", 0, 1)
        self._real("rise", 0, 1)
        self._flag("three_phase")
        self._flag("inverse")
        if self.curve not in get_args(Curve):
            raise self._refuse("curve", self.curve, "one of 'cosine', 'linear'")
        if self.three_phase and self.rise > 0.5:
            raise UserError(
                f"one_cycle: rise is {self.rise:g}; with three_phase it must be at most 0.5, "
                "since the way down takes as long as the way up"
            )

    def _factor(self, step: float) -> float:
        for (start, a), (stop, b) in pairwise(self._points()):
            if step <= stop:
                part = (step - start) / (stop - start) if stop > start else 1.0
                return _CURVES[self.curve](a, b, part)
        return self._points()[-1][1]

    def _points(self) -> list[tuple[float, float]]:
        """Return the (step, factor) pairs where one phase ends and the next begins."""
        edge, middle = (1.0, self.low) if self.inverse else (self.low, 1.0)
        end = self.end
        if end is None:
            end = 1.0 if self.inverse else self.low / 1e4
        points = [(0.0, edge), (self.rise * self.steps - 1, middle), (self.steps - 1.0, end)]
        if self.three_phase:
            points.insert(2, (2 * self.rise * self.steps - 2, edge))
        return points

    def _corners(self, steps: int) -> Iterator[int]:
        return (math.floor(step) for step, _ in self._points())


_CURVES: dict[Curve, Callable[[float, float, float], float]] = {
    "linear": lambda a, b, x: a + (b - a) * x,
    "cosine": lambda a, b, x: b + (a - b) / 2 * (1 + math.cos(math.pi * x)),
}


@dataclass(frozen=True, repr=False)
class wsd(Schedule):
    """Warm-up, stable, decay: a rise to 1, a long level stretch, and a fall to `end`.

    ``f(s) = s / warmup``, then 1 for `stable` steps, then ``end + (1 - end) * d(x)``, where `x` goes from 0
    to 1 over the decay: ``d(x) = 1 - x`` (linear), ``(1 + cos(pi * x)) / 2`` (cosine) or ``1 - sqrt(x)``.

    The level stretch need not know how long the run will be. Train with ``warmup(100) >> constant()``,
    and where a result is wanted, at step 800, say, go on from that checkpoint with
    ``wsd(100, 700, 200).attach(optimizer, last_step=799)``.

    Args:
        warmup: steps of the rise, 0 or more.
        stable: steps at 1, 0 or more.
        decay: steps of the fall, 1 or more.
        end: the factor at the end, from 0 to 1.
        curve: ``"linear"``, ``"cosine"`` or ``"1-sqrt"``.
        after: see `Schedule`.

    Raises:
        UserError: an option is out of its range.

    Source: Hu et al. 2024 (MiniCPM, arXiv 2404.06395, section 4.2), with a decay of a tenth of the run;
    their own decay, ``d = 0.5 ** (steps / T)``, is
    ``warmup(100) >> constant(700) >> exponential(0.5 ** (1 / T), 200)``. Hägele et al. 2024 (arXiv
    2405.18392, section 3) compare the curves and find 1-sqrt best, over a fifth of the run.

    >>> schedule = wsd(2, 2, 4, curve="1-sqrt")
    >>> [round(schedule(s), 3) for s in range(9)]
    [0.0, 0.5, 1.0, 1.0, 1.0, 0.5, 0.293, 0.134, 0.0]
    """

    warmup: int
    stable: int
    decay: int
    end: float = 0.0
    _: KW_ONLY
    curve: Decay = "linear"
    after: After = "hold"

    def __post_init__(self) -> None:
        self._whole("warmup", 0)
        self._whole("stable", 0)
        self._whole("decay")
        self._real("end", 0, 1)
        if self.curve not in get_args(Decay):
            raise self._refuse("curve", self.curve, "one of 'linear', 'cosine', '1-sqrt'")
        super().__post_init__()

    @property
    def steps(self) -> int:  # type: ignore[override]
        """The steps of the three phases together."""
        return self.warmup + self.stable + self.decay

    def _factor(self, step: float) -> float:
        if step < self.warmup:
            return step / self.warmup
        part = max(0.0, (step - self.warmup - self.stable) / self.decay)
        return self.end + (1 - self.end) * _DECAYS[self.curve](part)

    def _corners(self, steps: int) -> Iterator[int]:
        return iter((self.warmup, self.warmup + self.stable))


_DECAYS: dict[Decay, Callable[[float], float]] = {
    "linear": lambda x: 1 - x,
    "cosine": lambda x: (1 + math.cos(math.pi * x)) / 2,
    "1-sqrt": lambda x: 1 - math.sqrt(x),
}
