"""Rules that work on a whole tensor: for algorithms whose state is not of the parameter's shape."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from thalweg.engine.rule import Over, Rule

__all__ = ["TensorRule", "tensor_rule"]

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class TensorRule:
    """A step written in torch's operations; the reference engine runs it, one tensor after another.

    Attributes:
        name: the function's name.
        function: ``(p, g, state, *, scalars...) -> (step, new state)``; pure, in the arithmetic's precision.
        shapes: for a parameter's shape, the key and the shape of each of its states.
        scalars: names of the scalar arguments.
        moves: True if the first value returned is the new parameter instead of a step.
    """

    name: str
    function: Callable[..., tuple[Tensor, Mapping[str, Tensor]]]
    shapes: Callable[[torch.Size], Shapes]
    scalars: tuple[str, ...]
    moves: bool
    states: Mapping[str, str] = field(default_factory=dict)
    sums: Mapping[str, Rule] = field(default_factory=dict)
    over: Over = "all"
    tensors: tuple[str, ...] = ("p", "g")
    buffers: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


def tensor_rule(
    *, shapes: Callable[[torch.Size], Shapes], moves: bool = False
) -> Callable[[Callable[..., Any]], TensorRule]:
    """Make the decorated function a `TensorRule`; its scalars are its keyword-only arguments."""

    def make(function: Callable[..., Any]) -> TensorRule:
        parameters = inspect.signature(function).parameters.values()
        scalars = tuple(p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY)
        return TensorRule(function.__name__, function, shapes, scalars, moves)

    return make
