"""What a prior is made of: ranges, choices, and what an optimizer takes beside time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

Value = float | bool | str | None
Option = float | bool | str | tuple[float, ...] | None


@dataclass(frozen=True)
class Range:
    """A positive number drawn log-uniformly from ``low`` to ``high``."""

    low: float
    high: float

    def at(self, u: float) -> float:
        """Return the value at the fraction ``u`` of the way, in log space, to three digits.

        >>> Range(1e-4, 1e-2).at(0.5)
        0.001
        """
        value = math.exp(math.log(self.low) + u * (math.log(self.high) - math.log(self.low)))
        return float(f"{value:.3g}")

    def __str__(self) -> str:
        return f"{self.low:g} .. {self.high:g}"


@dataclass(frozen=True)
class Choice:
    """One of a few values, each equally likely."""

    values: tuple[Value, ...]

    def at(self, u: float) -> Value:
        """Return the value in whose equal share of [0, 1) the number ``u`` falls."""
        return self.values[min(int(u * len(self.values)), len(self.values) - 1)]

    def __str__(self) -> str:
        return " | ".join(map(str, self.values))


@dataclass(frozen=True)
class Prior:
    """What is known about an optimizer before the race.

    Attributes:
        key: The name in recipes and on the command line.
        cls: The class in ``thalweg.optim``.
        default_lr: The textbook learning rate; the default of the class.
        defaults: The textbook options beside it, by the names of the constructor.
        space: What is searched. The learning rate comes first: it gets the most even coverage. A name such
            as ``1-beta1`` is the distance of an option to 1.
        source: Where the space comes from.
        state: Bytes of state that each parameter takes in float32.
        at_most: Whether that is only the most, as it depends on the shapes or grows to it.
        fixed: Options that make the class this optimizer and are never searched.
        scheduled: Whether the learning rate warms up and decays; not where the algorithm sets it itself.
        closure: Whether a step calls a closure, once or more. Such a step works on one mini-batch.
        evaluations: Gradient evaluations that a step takes at least, of a model with so many parameters, as
            (constant, per parameter).
        matrix: What is a matrix of parameters by parameters, in words; "" for nothing.
        square: Bytes of each element of that matrix, or of all such that a step needs.
        largest: The most parameters that the class takes; None for any number.
    """

    key: str
    cls: str
    default_lr: float
    defaults: Mapping[str, Option]
    space: Mapping[str, Range | Choice]
    source: str
    state: float
    fixed: Mapping[str, Option] = field(default_factory=dict)
    scheduled: bool = True
    closure: bool = False
    evaluations: tuple[float, float] = (1, 0)
    matrix: str = ""
    square: float = 0
    largest: int | None = None
    at_most: bool = False

    def memory(self, parameters: int) -> float:
        """Bytes of state for a model of so many parameters in float32.

        >>> Prior("a", "A", 1.0, {}, {}, "", state=8, matrix="its Hessian", square=4).memory(10)
        480.0
        """
        return float(self.state * parameters + self.square * parameters**2)

    def least_evaluations(self, parameters: int) -> float:
        """Gradient evaluations that a step takes at least."""
        constant, each = self.evaluations
        return constant + each * parameters

    @property
    def state_text(self) -> str:
        """Its memory a parameter in words."""
        matrix = f" + {self.square:g} B x parameters" if self.square else ""
        return f"{'up to ' * self.at_most}{self.state:g} B{matrix}"
