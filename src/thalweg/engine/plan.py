"""Programs: a rule and the transforms around it, composed into one pass over memory.

A step runs in stages, each a parsed rule::

    gradient -> [on="grad"] -> rule -> [on="step"] -> p -= lr * step -> [on="param"]

A stage whose rule declares sums over the elements (a norm) waits for them: the engine computes all sums of a
stage in one read-only pass and hands them to the rule as scalars.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Literal

import torch

from thalweg.engine.rule import Rule, formula
from thalweg.engine.tensor_rule import TensorRule
from thalweg.errors import UserError

__all__ = ["Program", "Stage", "Sums", "Totals", "Transform", "compose"]

Place = Literal["grad", "step", "param"]
SkipStep = bool
Sums = Mapping[int, Sequence[Mapping[str, float]]]  # stage -> row of scalars -> a sum's name -> its value


@dataclass(frozen=True)
class Totals:
    """What a transform is told after the pass for its sum.

    Attributes:
        total: its sum over all elements of all gradients, in double.
        by_name: that of each parameter that was part of the step, by the parameter's name.
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
        check: for a rule with a sum called ``total``: called with the `Totals`; returns True to skip the
            whole step, or raises.
    """

    rule: Rule
    on: Place
    options: Mapping[str, float] = field(default_factory=dict)
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

    rule: Rule | TensorRule
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    transform: Transform | None = None

    @property
    def identity(self) -> Transform | Rule | TensorRule:
        """What makes the stages of two programs the same one: their sums are taken together."""
        return self.transform or self.rule

    def reads(self, formula: Rule) -> tuple[str, ...]:
        """The names in the environment of what one of the rule's sums is computed from."""
        places = dict(zip(self.rule.tensors, self.inputs, strict=True))
        return tuple(places[name] for name in formula.tensors)


@dataclass(frozen=True, eq=False)
class Program:
    """Stages in order, and the keys of their states.

    Attributes:
        stages: what runs, in order.
        states: keys of the states with a value for each element.
        numbers: keys of the states that are one number a parameter.
    """

    stages: tuple[Stage, ...]
    states: tuple[str, ...]
    numbers: tuple[str, ...] = ()

    @cached_property
    def reducing(self) -> tuple[int, ...]:
        """Indices of the stages that wait for sums."""
        return tuple(i for i, s in enumerate(self.stages) if s.rule.sums)

    @cached_property
    def by_tensor(self) -> bool:
        """True if each tensor has scalars of its own."""
        return any(stage.rule.sums and stage.rule.over == "tensor" for stage in self.stages)

    @cached_property
    def elementwise(self) -> bool:
        """True if every stage treats each element by itself, as all engines but the reference demand."""
        return all(isinstance(stage.rule, Rule) for stage in self.stages)

    def shapes(self, shape: torch.Size) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor state of a parameter."""
        out = dict.fromkeys(self.states, tuple(shape))
        for stage in self.stages:
            if isinstance(stage.rule, TensorRule):
                out.update(stage.rule.shapes(shape))
        return out

    def scalars(
        self,
        stage: Stage,
        values: Mapping[str, Any],
        sums: Mapping[str, float],
        rule: Rule | TensorRule | None = None,
    ) -> dict[str, float]:
        """The scalar arguments of a stage's rule (or of one of its sums), from options, sums and values."""
        rule = rule or stage.rule
        options = stage.transform.options if stage.transform else {}
        known = {**values, **options, **sums}
        return {name: known[stage.rule.states.get(name, name)] for name in rule.scalars}

    def constants(
        self, values: Mapping[str, Any], sums: Mapping[int, Mapping[str, float]], stop: int | None = None
    ) -> list[float]:
        """All lifted scalars of the stages before `stop`, then of its sums, as a kernel reads them."""
        out: list[float] = []
        for i, stage in enumerate(self.stages[:stop]):
            out += self._lifted(stage, values, sums.get(i, {}), stage.rule)
        if stop is not None:
            for summand in self.stages[stop].rule.sums.values():
                out += self._lifted(self.stages[stop], values, {}, summand)
        return out

    def _lifted(
        self, stage: Stage, values: Mapping[str, Any], sums: Mapping[str, float], rule: Rule | TensorRule
    ) -> list[float]:
        assert isinstance(rule, Rule)
        return [float(x) for x in rule.lifted.scalars(**self.scalars(stage, values, sums, rule))]

    def carried(self, values: Mapping[str, Any], sums: Mapping[int, Mapping[str, float]]) -> dict[str, float]:
        """The new value of each state that is one number."""
        out: dict[str, float] = {}
        for i, stage in enumerate(self.stages):
            if isinstance(stage.rule, Rule) and stage.rule.numbers:
                lifted = self._lifted(stage, values, sums.get(i, {}), stage.rule)
                places = zip(stage.rule.numbers, stage.rule.new_numbers, strict=True)
                out.update((key, lifted[place]) for key, place in places)
        return out


@lru_cache(maxsize=256)
def compose(
    rule: Rule | TensorRule, transforms: tuple[Transform, ...] = (), maximize: bool = False
) -> Program:
    """Put a rule and its transforms into one program.

    Raises:
        UserError: two stages keep a state under one key, or a step transform meets a rule that moves the
            parameter itself.
    """
    of_step = [t for t in transforms if t.on == "step"]
    if rule.moves and of_step:
        raise UserError(
            f"{rule.name} moves the parameter itself: it takes no transform of the step, and {of_step[0]!r} "
            "is one; leave it out, or use one of the gradient, such as coupled_decay"
        )
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
    buffers = tuple(key for stage in stages for key in stage.rule.buffers)
    return Program(tuple(stages), buffers, tuple(key for stage in stages for key in stage.rule.numbers))


def _wrap(transform: Transform) -> Stage:
    return _stage(transform.rule, "p" if transform.on == "param" else "g", transform)


def _stage(rule: Rule | TensorRule, target: str, transform: Transform | None) -> Stage:
    inputs = ("p", "g")[: len(rule.tensors)] + rule.buffers
    return Stage(rule, inputs, (target, *rule.buffers, *rule.numbers), transform)
