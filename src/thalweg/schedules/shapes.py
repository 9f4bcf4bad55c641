"""The schedules. Each is a frozen dataclass whose fields are its options, and one short formula.

Symbols: `s` is the step counted from 0, `f(s)` the factor, `n` the number of steps.
"""

import math
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from itertools import pairwise

from thalweg.schedules.base import After, Schedule


@dataclass(frozen=True, repr=False)
class constant(Schedule):
    """The same factor at every step: ``f(s) = factor``.

    Args:
        steps: how long; without it there is no end.
        factor: the factor, 0 or more.
        after: see `Schedule`.

    Raises:
        UserError: an option is out of its range.

    >>> constant()(123)
    1.0
    """

    steps: int | None = None
    factor: float = 1.0
    _: KW_ONLY
    after: After = "hold"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._real("factor", 0)

    def _factor(self, step: float) -> float:
        return self.factor


@dataclass(frozen=True, repr=False)
class step(Schedule):
    """Multiply by `gamma` every `size` steps: ``f(s) = gamma ** floor(s / size)``.

    Args:
        size: steps between two drops.
        gamma: the factor of one drop, more than 0.
        steps: how long; without it there is no end.
        after: see `Schedule`.

    Raises:
        UserError: an option is out of its range.

    The classic of image classifiers: a tenth every 30 epochs (He et al. 2016, arXiv 1512.03385).

    >>> [round(step(30)(s), 6) for s in (0, 29, 30, 60)]
    [1.0, 1.0, 0.1, 0.01]
    """

    size: int
    gamma: float = 0.1
    steps: int | None = None
    _: KW_ONLY
    after: After = "hold"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._whole("size")
        self._real("gamma", 0, above=True)

    def _factor(self, step: float) -> float:
        return self.gamma ** math.floor(step / self.size)

    def _shape_steps(self) -> int:
        return 4 * self.size


@dataclass(frozen=True, repr=False)
class multistep(Schedule):
    """Multiply by `gamma` at each milestone: ``f(s) = gamma ** (number of milestones <= s)``.

    Args:
        milestones: rising steps at which the factor drops.
        gamma: the factor of one drop, more than 0.
        steps: how long; without it there is no end.
        after: see `Schedule`.

    Raises:
        UserError: an option is out of its range, or the milestones do not rise.

    >>> [round(multistep([30, 60])(s), 6) for s in (29, 30, 59, 60, 90)]
    [1.0, 0.1, 0.1, 0.01, 0.01]
    """

    milestones: Sequence[int]
    gamma: float = 0.1
    steps: int | None = None
    _: KW_ONLY
    after: After = "hold"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._real("gamma", 0, above=True)
        if isinstance(self.milestones, str) or not isinstance(self.milestones, Sequence):
            raise self._refuse("milestones", self.milestones, "a list of steps such as [30, 60]")
        marks = tuple(self._as_whole("milestones", mark, 1) for mark in self.milestones)
        if not marks or any(a >= b for a, b in pairwise(marks)):
            raise self._refuse("milestones", list(marks), "a rising list of steps such as [30, 60]")
        object.__setattr__(self, "milestones", marks)

    def _factor(self, step: float) -> float:
        return self.gamma ** sum(mark <= step for mark in self.milestones)

    def _shape_steps(self) -> int:
        return math.ceil(1.25 * self.milestones[-1])


@dataclass(frozen=True, repr=False)
class exponential(Schedule):
    """Multiply by `gamma` at every step: ``f(s) = gamma ** s``.

    Args:
        gamma: the factor of one step, more than 0 and at most 1.
        steps: how long; without it there is no end.
        after: see `Schedule`.

    Raises:
        UserError: an option is out of its range.

    >>> [exponential(0.5)(s) for s in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """

    gamma: float
    steps: int | None = None
    _: KW_ONLY
    after: After = "hold"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._real("gamma", 0, 1, above=True)

    def _factor(self, step: float) -> float:
        return math.pow(self.gamma, step)

    def _shape_steps(self) -> int:
        """Until one hundredth is left."""
        return 100 if self.gamma == 1 else max(10, math.ceil(math.log(0.01) / math.log(self.gamma)))


@dataclass(frozen=True, repr=False)
class linear(Schedule):
    """A straight line: ``f(s) = start + (end - start) * s / n``.

    Args:
        steps: `n`.
        start: the factor at step 0, 0 or more.
        end: the factor at step `n`, 0 or more.
        after: see `Schedule`.

    Raises:
        UserError: an option is out of its range.

    With the defaults, the linear decay to zero of BERT (Devlin et al. 2019, arXiv 1810.04805, A.2).

    >>> [linear(4)(s) for s in range(6)]
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """

    steps: int
    start: float = 1.0
    end: float = 0.0
    _: KW_ONLY
    after: After = "hold"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._whole("steps")
        self._real("start", 0)
        self._real("end", 0)

    def _factor(self, step: float) -> float:
        return self.start + (self.end - self.start) * step / self.steps


@dataclass(frozen=True, repr=False)
class warmup(Schedule):
    """Rise in a straight line to 1: ``f(s) = start + (1 - start) * s / n``.

    Args:
        steps: `n`; step `n` is the first at the full value.
        start: the factor at step 0, from 0 to 1. With 0 the very first step moves nothing.
        after: see `Schedule`.

    Raises:
        UserError: an option is out of its range.

    Source: the gradual warm-up of Goyal et al. 2017 (arXiv 1706.02677, section 2.2), which starts at
    one over the factor by which the batch was enlarged; Vaswani et al. 2017 (arXiv 1706.03762,
    section 5.3) start at 0.

    >>> [warmup(4)(s) for s in range(6)]
    [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
    """

    steps: int
    start: float = 0.0
    _: KW_ONLY
    after: After = "hold"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._whole("steps")
        self._real("start", 0, 1)

    def _factor(self, step: float) -> float:
        return self.start + (1 - self.start) * step / self.steps


@dataclass(frozen=True, repr=False)
class polynomial(Schedule):
    """Fall along a power of what is left: ``f(s) = end + (1 - end) * (1 - s / n) ** power``.

    Args:
        steps: `n`.
        power: more than 0; 1 is a straight line, above 1 falls fast first, below 1 falls fast last.
        end: the factor at step `n`, from 0 to 1.
        after: see `Schedule`.

    Raises:
        UserError: an option is out of its range.

    Source: Chen et al. 2018 (DeepLab, arXiv 1606.00915, section 4.1, the "poly" policy, power 0.9).

    >>> [polynomial(4, power=2)(s) for s in range(5)]
    [1.0, 0.5625, 0.25, 0.0625, 0.0]
    """

    steps: int
    power: float
    end: float = 0.0
    _: KW_ONLY
    after: After = "hold"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._whole("steps")
        self._real("power", 0, above=True)
        self._real("end", 0, 1)

    def _factor(self, step: float) -> float:
        return self.end + (1 - self.end) * math.pow(1 - step / self.steps, self.power)


@dataclass(frozen=True, repr=False)
class cosine(Schedule):
    """Fall along half a cosine: ``f(s) = end + (1 - end) * (1 + cos(pi * s / n)) / 2``.

    Args:
        steps: `n`.
        end: the factor at step `n`, from 0 to 1.
        after: see `Schedule`. For warm restarts see `cosine_restarts`.

    Raises:
        UserError: an option is out of its range.

    Source: Loshchilov and Hutter 2017 (SGDR, arXiv 1608.03983, equation 5).

    Warm-up over 100 of 1,000 steps, then the cosine, at a peak of 0.001:

    >>> schedule = warmup(100) >> cosine(900)
    >>> for s in (0, 50, 100, 300, 700, 1000):
    ...     print(f"{s:4d}  {1e-3 * schedule(s):.6f}")
       0  0.000000
      50  0.000500
     100  0.001000
     300  0.000883
     700  0.000250
    1000  0.000000
    """

    steps: int
    end: float = 0.0
    _: KW_ONLY
    after: After = "hold"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._whole("steps")
        self._real("end", 0, 1)

    def _factor(self, step: float) -> float:
        return self.end + (1 - self.end) * (1 + math.cos(math.pi * step / self.steps)) / 2


@dataclass(frozen=True, repr=False)
class inverse_sqrt(Schedule):
    """Fall with the inverse square root: ``f(s) = sqrt(scale / (scale + s))``.

    Args:
        scale: the steps after which the factor has fallen to ``sqrt(1/2)``. With 1 it is ``1 / sqrt(t)``
            for the step `t` counted from 1.
        steps: how long; without it there is no end.
        after: see `Schedule`.

    Raises:
        UserError: an option is out of its range.

    Source: Vaswani et al. 2017 (arXiv 1706.03762, equation 3): ``warmup(w) >> inverse_sqrt(w)`` is their
    ``min(t ** -0.5, t * w ** -1.5)``, divided by its peak ``w ** -0.5``.

    >>> transformer = warmup(4000) >> inverse_sqrt(4000)
    >>> [transformer(s) for s in (0, 2000, 4000, 16000)]
    [0.0, 0.5, 1.0, 0.5]
    """

    scale: int = 1
    steps: int | None = None
    _: KW_ONLY
    after: After = "hold"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._whole("scale")

    def _factor(self, step: float) -> float:
        return math.sqrt(self.scale / (self.scale + step))

    def _shape_steps(self) -> int:
        return max(100, 9 * self.scale)
