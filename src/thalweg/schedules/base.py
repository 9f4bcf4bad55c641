"""What every schedule is: a pure function of the step, with a stated length and a stated end."""

import math
import operator
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from thalweg.errors import UserError

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from thalweg.schedules.adapter import ScheduleLR

After = Literal["hold", "repeat", "error"]


class Schedule:
    """A pure function of the step that returns a factor, by which a base value is multiplied.

    ``schedule(step)`` is the factor for that step, counted from 0. Two schedules with the same text
    are the same schedule, and ``schedules.parse(str(schedule))`` gives it back.

    Attributes:
        steps: how many steps it takes, or None when it has no end. Step ``steps`` itself still belongs
            to it: ``cosine(900)(900)`` is the end of the curve.
        after: what happens past the end: ``"hold"`` keeps the last factor, ``"repeat"`` starts again
            (a warm restart), ``"error"`` refuses.
    """

    steps: int | None
    after: After

    def __post_init__(self) -> None:
        """Refuse options that make no sense."""
        if self.after not in get_args(After):
            raise self._refuse("after", self.after, "one of 'hold', 'repeat', 'error'")
        own = "steps" in {field.name for field in fields(self)}  # type: ignore[arg-type]  # else it follows
        if self.steps is None and self.after != "hold":
            length = "steps" if own else "cycles"
            raise UserError(f"{self._name}: after={self.after!r} needs an end; give {length} as well")
        if own and self.steps is not None:
            self._whole("steps")

    def __call__(self, step: float) -> float:
        """Return the factor at a step.

        Args:
            step: counted from 0.

        Raises:
            UserError: the step is negative or infinite, or past the end where ``after`` is ``"error"``.
        """
        if not 0 <= step < math.inf:
            raise UserError(f"a schedule starts at step 0; there is no step {step}")
        return self._factor(self._inside(step))

    def then(self, following: "Schedule") -> "Chain":
        """Return this schedule followed by another one, which counts its own steps from 0.

        ``a.then(b)`` and ``a >> b`` are the same. The step at which ``a`` ends is step 0 of ``b``.

        Args:
            following: what comes after.

        Raises:
            UserError: this schedule has no end, or repeats for ever.

        >>> from thalweg.schedules import constant, linear, warmup
        >>> trapezoid = warmup(10) >> constant(70) >> linear(20)
        >>> [trapezoid(step) for step in (0, 5, 10, 80, 90, 100)]
        [0.0, 0.5, 1.0, 1.0, 0.5, 0.0]
        """
        return Chain(self, following)

    def __rshift__(self, following: "Schedule") -> "Chain":
        if not isinstance(following, Schedule):
            return NotImplemented
        return Chain(self, following)

    def attach(self, optimizer: "Optimizer", hyper: str = "lr", last_step: int = -1) -> "ScheduleLR":
        """Let this schedule drive a hyperparameter of an optimizer; see `ScheduleLR`.

        Args:
            optimizer: any ``torch.optim.Optimizer``.
            hyper: ``"lr"``, ``"momentum"``, ``"weight_decay"``, ``"beta1"``, ``"beta2"``, or any other
                number in the optimizer's parameter groups.
            last_step: the last step that was trained, when a run goes on from there.

        Raises:
            UserError: the optimizer has no such hyperparameter, or it is driven already.
        """
        from thalweg.schedules.adapter import ScheduleLR

        return ScheduleLR(optimizer, self, hyper=hyper, last_step=last_step)

    def draw(self, steps: int | None = None, base: float = 1.0, width: int = 72, height: int = 12) -> str:
        """Return a drawing for a terminal: the value over the steps.

        Args:
            steps: how far to draw; the schedule's length unless given.
            base: what the factor is multiplied by, such as the learning rate.
            width: columns, 30 at least.
            height: rows of the curve, 3 at least.

        Raises:
            UserError: an option is out of its range, or the schedule ends before `steps` and refuses.
        """
        from thalweg.schedules.drawing import draw

        return draw(self, self._extent(steps), base=_positive(base), width=width, height=height)

    def save(self, path: str | Path, steps: int | None = None, base: float = 1.0) -> None:
        """Write a picture (``.svg``) or a table (``.csv``) of the value over the steps.

        Args:
            path: the file; its ending chooses the form.
            steps: how far to draw; the schedule's length unless given.
            base: what the factor is multiplied by, such as the learning rate.

        Raises:
            UserError: another ending, or an option out of its range.
        """
        from thalweg.schedules.files import save

        save(self, Path(path), self._extent(steps), base=_positive(base))

    def span(self) -> int:
        """Return how many steps are worth a look: the length, or enough to see an endless one's shape."""
        if self.steps is None:
            return self._shape_steps()
        return 3 * self.steps if self.after == "repeat" else self.steps

    def __repr__(self) -> str:
        parts = []
        for field in fields(self):  # type: ignore[arg-type]  # every schedule is a dataclass
            value = getattr(self, field.name)
            if field.default is MISSING and not field.kw_only:
                parts.append(repr(value))
            elif value != field.default:
                parts.append(f"{field.name}={value!r}")
        return f"{self._name}({', '.join(parts)})"

    def _extent(self, steps: int | None) -> int:
        return self.span() if steps is None else self._as_whole("steps to draw", steps, 1)

    def _factor(self, step: float) -> float:
        """Return the factor at a step that lies within the schedule."""
        raise NotImplementedError

    def _shape_steps(self) -> int:
        """Return how many steps show the shape of a schedule without an end."""
        return 100

    def turns(self, steps: int) -> Iterator[int]:
        """Yield the steps from 0 to about `steps` where the curve turns or jumps, for drawings."""
        if self.steps is None or self.after != "repeat":
            yield from self._corners(steps)
            return
        for start in range(0, steps + 1, self.steps):
            yield from (start + corner for corner in (-1, 0, *self._corners(self.steps)))

    def _corners(self, steps: int) -> Iterable[int]:
        """Return the same within the schedule's own length."""
        return ()

    def _inside(self, step: float) -> float:
        """Return the step of this schedule that stands for a step of the run."""
        if self.steps is None:
            return step
        if self.after == "repeat":
            return step % self.steps
        if step > self.steps and self.after == "error":
            raise UserError(f"step {step} is past the end of {self}, which takes {self.steps} steps")
        return min(step, self.steps)

    @property
    def _name(self) -> str:
        return type(self).__name__

    def _refuse(self, option: str, value: object, wanted: str) -> UserError:
        return UserError(f"{self._name}: {option} is {value!r}; it must be {wanted}")

    def _whole(self, option: str, low: int = 1) -> None:
        """Make an option a Python int, or refuse it."""
        object.__setattr__(self, option, self._as_whole(option, getattr(self, option), low))

    def _as_whole(self, option: str, value: Any, low: int) -> int:
        try:
            number = None if isinstance(value, bool) else operator.index(value)
        except TypeError:
            number = None
        if number is None or number < low:
            raise self._refuse(option, value, f"a whole number, {low} or more")
        return number

    def _real(self, option: str, low: float, high: float = math.inf, *, above: bool = False) -> None:
        """Make an option a Python float within [low, high] ((low, high] with `above`), or refuse it."""
        value = getattr(self, option)
        try:
            number = math.nan if isinstance(value, bool | str) else float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not (low <= number <= high) or math.isinf(number) or (above and number == low):
            least = f"more than {low:g}" if above else f"{low:g} or more"
            most = "" if math.isinf(high) else f" and at most {high:g}"
            raise self._refuse(option, value, f"a number, {least}{most}")
        object.__setattr__(self, option, number)

    def _below_top(self, option: str) -> None:
        """Make an option a fraction of the top of a cycle, or refuse it."""
        self._real(option, 0)
        value = getattr(self, option)
        if value > 1:
            raise UserError(
                f"{self._name}: {option} is {value:g}, above the top of the cycle, which is 1; give it as a "
                "fraction of the optimizer's own value, from 0 to 1"
            )

    def _flag(self, option: str) -> None:
        if not isinstance(getattr(self, option), bool):
            raise self._refuse(option, getattr(self, option), "True or False")


@dataclass(frozen=True, repr=False, init=False)
class Chain(Schedule):
    """Schedules one after the other, each counting its own steps from 0.

    With lengths ``n1, n2, ...`` part ``i`` covers the steps from ``n1 + ... + n(i-1)`` on, and what
    happens past the end is the last part's own policy. Nested chains are flattened, so
    ``(a >> b) >> c`` equals ``a >> (b >> c)``.
    """

    parts: tuple[Schedule, ...]

    def __init__(self, *schedules: Schedule) -> None:
        parts: list[Schedule] = []
        for schedule in schedules:
            if not isinstance(schedule, Schedule):
                raise UserError(f"a schedule can only be followed by a schedule, not by {schedule!r}")
            parts.extend(schedule.parts if isinstance(schedule, Chain) else [schedule])
        for part in parts[:-1]:
            if part.steps is None or part.after == "repeat":
                raise UserError(f"{part} has no end, so nothing can follow it; give steps, and no repeat")
        object.__setattr__(self, "parts", tuple(parts))

    @property
    def steps(self) -> int | None:  # type: ignore[override]
        """The steps of all parts together, or None when the last one has no end."""
        last = self.parts[-1].steps
        return None if last is None else last + self._start_of_last()

    @property
    def after(self) -> After:  # type: ignore[override]
        """What the last part does past its end."""
        return self.parts[-1].after

    def _inside(self, step: float) -> float:
        return step  # the last part applies its own policy

    def _factor(self, step: float) -> float:
        for part in self.parts[:-1]:
            if step < _length(part):
                return part(step)
            step -= _length(part)
        return self.parts[-1](step)

    def span(self) -> int:
        """Return how many steps are worth a look."""
        return self._start_of_last() + self.parts[-1].span()

    def turns(self, steps: int) -> Iterator[int]:
        """Yield where the parts meet, and where each of them turns."""
        start = 0
        for part in self.parts:
            yield from (start - 1, start)
            length = steps - start if part.steps is None or part is self.parts[-1] else part.steps
            yield from (start + turn for turn in part.turns(length))
            start += part.steps or 0

    def _start_of_last(self) -> int:
        return sum(_length(part) for part in self.parts[:-1])

    def __repr__(self) -> str:
        return " >> ".join(map(repr, self.parts))


def _length(part: Schedule) -> int:
    if part.steps is None:
        raise AssertionError("only the last part may be endless")  # the constructor saw to it
    return part.steps


def _positive(base: float) -> float:
    if not 0 < base < math.inf:
        raise UserError(f"the base value is {base:g}; it must be a number above 0")
    return base
