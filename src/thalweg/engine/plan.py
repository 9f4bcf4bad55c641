"""Programs: a rule and the transforms around it, composed into one pass over memory.

A step runs in stages, each a parsed rule::

    gradient -> [on="grad"] -> rule -> [on="step"] -> p -= lr * step -> [on="param"]

A transform that needs a sum over the whole gradient (a norm) declares it; the engine computes the sum in one
read-only pass and hands it to the transform as the scalar ``total``.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from thalweg.engine.rule import Rule, formula
from thalweg.errors import UserError

__all__ = ["Program", "Stage", "Totals", "Transform", "compose"]

Place = Literal["grad", "step", "param"]
SkipStep = bool


@dataclass(frozen=True)
class Totals:
    """What a reducing transform is told after its pass.

    Attributes:
        total: the sum over all elements of all gradients, in double.
        by_name: the sum of each parameter that was part of the step, by the parameter's name.
    """

    total: float
    by_name: Mapping[str, float]

    def not_finite(self) -> list[str]:
        """Names of the parameters whose sum is infinite or NaN."""
        return [name for name, value in self.by_name.items() if not math.isfinite(value)]


@dataclass(frozen=True, eq=False)
class Transform:
    """What wraps a step: a rule, the place where it works, and its options.

    Attributes:
        rule: takes ``(p, x, ...)`` and returns the new x, where x is the gradient or the step; on "param" it
            takes ``(p)`` and returns the new p.
        on: "grad" (before the algorithm), "step" (after it) or "param" (after the parameter moved).
        options: values of the rule's own scalars; the others (lr, weight_decay, ...) come from the group.
        reduce: a formula ``(p, g) -> value`` that is summed over all elements; the rule then has a scalar
            ``total``.
        check: called with the `Totals`; returns True to skip the whole step, or raises.
    """

    rule: Rule
    on: Place
    options: Mapping[str, float] = field(default_factory=dict)
    reduce: Rule | None = None
    check: Callable[[Totals], SkipStep] | None = None

    def __repr__(self) -> str:
        """The call that makes it."""
        return f"{self.rule.name}({', '.join(f'{k}={v:g}' for k, v in self.options.items())})"


@formula
def descend(p, step, *, lr):  # type: ignore[no-untyped-def]
    """The one place where a parameter moves: p - lr * step."""
    return p - lr * step


@formula
def keep(p, step):  # type: ignore[no-untyped-def]
    """For rules that return the new parameter themselves."""
    return step


@formula
def ascend(p, g):  # type: ignore[no-untyped-def]
    """Maximize: follow the gradient upwards."""
    return -g


@dataclass(frozen=True, eq=False)
class Stage:
    """One rule within a program: what it reads and what it writes.

    `inputs` and `outputs` are names in the program's environment: "p", "g" (the gradient, then the step) and
    the state keys.
    """

    rule: Rule
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    transform: Transform | None = None


@dataclass(frozen=True, eq=False)
class Program:
    """Stages in order, the state buffers that they keep, and the reductions that they wait for."""

    stages: tuple[Stage, ...]
    states: tuple[str, ...]

    @property
    def reducing(self) -> tuple[int, ...]:
        """Indices of the stages that wait for a total."""
        return tuple(i for i, s in enumerate(self.stages) if s.transform and s.transform.reduce)

    def scalars(self, stage: Stage, values: Mapping[str, Any], total: float | None) -> dict[str, float]:
        """The scalar arguments of one stage, from its own options, its total and the group's values."""
        options = stage.transform.options if stage.transform else {}
        known = {**values, **options, "total": total}
        return {name: known[name] for name in stage.rule.scalars}

    def constants(
        self, values: Mapping[str, Any], totals: Mapping[int, float], stop: int | None = None
    ) -> list[float]:
        """All lifted scalars of the stages before `stop`, then of its reduction, as a kernel reads them."""
        out: list[float] = []
        for i, stage in enumerate(self.stages[:stop]):
            arguments = self.scalars(stage, values, totals.get(i))
            out += [float(x) for x in stage.rule.lifted.scalars(**arguments)]
        if stop is not None and (transform := self.stages[stop].transform) and transform.reduce:
            out += [float(x) for x in transform.reduce.lifted.scalars()]
        return out


@lru_cache(maxsize=256)
def compose(rule: Rule, transforms: tuple[Transform, ...] = (), maximize: bool = False) -> Program:
    """Put a rule and its transforms into one program.

    Raises:
        UserError: two stages keep a state under one key, or a step transform meets a rule that moves the
            parameter itself.
    """
    if rule.moves and any(t.on == "step" for t in transforms):
        raise UserError(f"{rule.name} moves the parameter itself: it takes no transform of the step")
    stages = [Stage(ascend, ("p", "g"), ("g",))] if maximize else []
    stages += [_wrap(t) for t in transforms if t.on == "grad"]
    stages += [_stage(rule, "g", None)]
    stages += [_wrap(t) for t in transforms if t.on == "step"]
    stages += [Stage(keep if rule.moves else descend, ("p", "g"), ("p",))]
    stages += [_wrap(t) for t in transforms if t.on == "param"]
    keys = [key for stage in stages for key in stage.rule.states.values()]
    for key in keys:
        if keys.count(key) > 1:
            raise UserError(f"two transforms keep their state under {key!r}; use one of them")
    return Program(tuple(stages), tuple(keys))


def _wrap(transform: Transform) -> Stage:
    return _stage(transform.rule, "p" if transform.on == "param" else "g", transform)


def _stage(rule: Rule, target: str, transform: Transform | None) -> Stage:
    keys = tuple(rule.states[name] for name in rule.tensors[2:])
    inputs = ("p", "g")[: len(rule.tensors)] + keys
    return Stage(rule, inputs, (target, *keys), transform)
