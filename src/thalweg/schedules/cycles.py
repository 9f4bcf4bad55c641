"""Schedules that rise and fall again and again: warm restarts, and the triangles of cyclical rates.

Symbols: `s` is the step counted from 0, `f(s)` the factor, `h(s)` the height in the cycle from 0 to 1.
"""

import math
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass

from thalweg.schedules.base import After, Schedule

_SHOWN = 4  # cycles that show the shape of a schedule without an end


@dataclass(frozen=True, repr=False)
class cosine_restarts(Schedule):
    """A cosine that starts again: ``f(s) = end + (1 - end) * (1 + cos(pi * t / n)) / 2``.

    `t` counts the steps since the last restart; `n` is the length of the cycle: `period` at first, and
    `multiplier` times the one before from then on.

    Args:
        period: length of the first cycle in steps (the paper's ``T_0``).
        multiplier: how many times longer each cycle is than the one before (``T_mult``), 1 or more.
        end: the factor at the end of a cycle, from 0 to 1 (``eta_min / eta_max``).
        cycles: how many; without it there is no end. The end of the last one is no restart.
        after: see `Schedule`.

    Raises:
        UserError: an option is out of its range.

    Source: Loshchilov and Hutter 2017 (SGDR, arXiv 1608.03983, equation 5). Snapshot ensembles (Huang et
    al. 2017, arXiv 1704.00109, equation 2) use cycles of equal length; see `SnapshotEnsemble`.

    >>> schedule = cosine_restarts(2, multiplier=2, cycles=2)
    >>> [round(schedule(s), 3) for s in range(8)]
    [1.0, 0.5, 1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """

    period: int
    multiplier: int = 1
    end: float = 0.0
    cycles: int | None = None
    _: KW_ONLY
    after: After = "hold"

    def __post_init__(self) -> None:
        self._whole("period")
        self._whole("multiplier")
        self._real("end", 0, 1)
        if self.cycles is not None:
            self._whole("cycles")
            if self.cycles * math.log2(self.multiplier) > 64:
                most = int(64 / math.log2(self.multiplier))
                raise self._refuse("cycles", self.cycles, f"at most {most}, or the run would never end")
        super().__post_init__()

    @property
    def steps(self) -> int | None:  # type: ignore[override]
        """The steps of all cycles, or None without an end."""
        return None if self.cycles is None else self._until(self.cycles)

    def _factor(self, step: float) -> float:
        if step == self.steps:  # the last cycle ends; it does not start again
            return self.end
        place, length = self._place(step)
        return self.end + (1 - self.end) * (1 + math.cos(math.pi * place / length)) / 2

    def _place(self, step: float) -> tuple[float, int]:
        """Return the steps since the last restart, and the length of that cycle."""
        if self.multiplier == 1:
            return step % self.period, self.period
        length = self.period
        while step >= length:  # in whole numbers: a logarithm would be off at some restarts
            step -= length
            length *= self.multiplier
        return step, length

    def _until(self, cycles: int) -> int:
        """Return the steps that so many cycles take."""
        if self.multiplier == 1:
            return self.period * cycles
        return int(self.period * (self.multiplier**cycles - 1) // (self.multiplier - 1))

    def _shape_steps(self) -> int:
        return self._until(_SHOWN)

    def _corners(self, steps: int) -> Iterator[int]:
        start, length = 0, self.period
        while start <= steps:
            yield from (start - 1, start)
            start, length = start + length, length * self.multiplier


@dataclass(frozen=True, repr=False)
class _Cyclical(Schedule):
    """What the three policies of Smith 2017 share; `_scale` is where they differ."""

    up: int
    down: int | None = None
    low: float = 0.25
    cycles: int | None = None
    _: KW_ONLY
    inverse: bool = False
    after: After = "hold"

    def __post_init__(self) -> None:
        self._whole("up")
        if self.down is not None:
            self._whole("down")
        self._below_top("low")
        self._flag("inverse")
        if self.cycles is not None:
            self._whole("cycles")
        super().__post_init__()

    @property
    def steps(self) -> int | None:  # type: ignore[override]
        """The steps of all cycles, or None without an end."""
        return None if self.cycles is None else self.cycles * self._length

    @property
    def _length(self) -> int:
        return self.up + (self.up if self.down is None else self.down)

    def _factor(self, step: float) -> float:
        cycle, place = divmod(step, self._length)
        height = place / self.up if place <= self.up else (self._length - place) / (self._length - self.up)
        height *= self._scale(cycle, step)
        return 1 - (1 - self.low) * height if self.inverse else self.low + (1 - self.low) * height

    def _scale(self, cycle: float, step: float) -> float:
        """Return what the height is multiplied by in a cycle (counted from 0) at a step."""
        raise NotImplementedError

    def _shape_steps(self) -> int:
        return _SHOWN * self._length

    def _corners(self, steps: int) -> Iterator[int]:
        for start in range(0, steps + 1, self._length):
            yield from (start, start + self.up)


@dataclass(frozen=True, repr=False)
class triangular(_Cyclical):
    """A triangle that repeats: ``f(s) = low + (1 - low) * h(s)``.

    In a cycle, `h` rises in a straight line from 0 to 1 over `up` steps and falls back over `down` steps.
    The optimizer's own learning rate is the top (the paper's ``max_lr``), and `low` times it is the base.

    For the momentum that goes with it, attach ``triangular(..., inverse=True)`` to ``"momentum"`` or
    ``"beta1"``: it is highest, the optimizer's own value, where the learning rate is lowest.

    Args:
        up: steps from the base to the top (the paper's ``stepsize``).
        down: steps from the top to the base; as many as `up` unless given.
        low: the factor at the base, from 0 to 1. Smith sets the base to a third or a quarter of the top.
        cycles: how many; without it there is no end.
        inverse: start at 1 and fall to `low` first: ``f(s) = 1 - (1 - low) * h(s)``.
        after: see `Schedule`.

    Raises:
        UserError: an option is out of its range.

    Source: Smith 2017 (arXiv 1506.01186, section 3.1).

    >>> [triangular(2, low=0.5)(s) for s in range(6)]
    [0.5, 0.75, 1.0, 0.75, 0.5, 0.75]
    >>> [triangular(2, low=0.5, inverse=True)(s) for s in range(6)]
    [1.0, 0.75, 0.5, 0.75, 1.0, 0.75]
    """

    def _scale(self, cycle: float, step: float) -> float:
        return 1.0


@dataclass(frozen=True, repr=False)
class triangular2(_Cyclical):
    """A triangle half as high in each cycle: ``f(s) = low + (1 - low) * h(s) / 2 ** c``.

    `c` is the number of the cycle counted from 0; the rest is as in `triangular`.

    Args:
        up: steps from the base to the top.
        down: steps from the top to the base; as many as `up` unless given.
        low: the factor at the base, from 0 to 1.
        cycles: how many; without it there is no end.
        inverse: start at 1 and fall first, for the momentum; see `triangular`.
        after: see `Schedule`.

    Raises:
        UserError: an option is out of its range.

    Source: Smith 2017 (arXiv 1506.01186, section 3.1).

    >>> [triangular2(2, low=0)(s) for s in range(8)]
    [0.0, 0.5, 1.0, 0.5, 0.0, 0.25, 0.5, 0.25]
    """

    def _scale(self, cycle: float, step: float) -> float:
        return math.ldexp(1.0, -int(cycle))


@dataclass(frozen=True, repr=False)
class exp_range(_Cyclical):
    """A triangle that shrinks with every step: ``f(s) = low + (1 - low) * h(s) * gamma ** s``.

    As in the author's code and in torch, the base stays and the top comes down to it. The paper's text
    lets both bounds decline; with ``low=0`` the two are the same.

    Args:
        up: steps from the base to the top.
        down: steps from the top to the base; as many as `up` unless given.
        low: the factor at the base, from 0 to 1.
        cycles: how many; without it there is no end.
        gamma: what one step leaves of the height, more than 0 and at most 1.
        inverse: start at 1 and fall first, for the momentum; see `triangular`.
        after: see `Schedule`.

    Raises:
        UserError: an option is out of its range.

    Source: Smith 2017 (arXiv 1506.01186, section 3.1).

    >>> [round(exp_range(2, low=0, gamma=0.9)(s), 4) for s in range(7)]
    [0.0, 0.45, 0.81, 0.3645, 0.0, 0.2952, 0.5314]
    """

    _: KW_ONLY
    gamma: float

    def __post_init__(self) -> None:
        self._real("gamma", 0, 1, above=True)
        super().__post_init__()

    def _scale(self, cycle: float, step: float) -> float:
        return math.pow(self.gamma, step)
