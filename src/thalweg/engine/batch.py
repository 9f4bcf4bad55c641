"""What an engine works on in one step: tensors of one program and one set of dtypes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from thalweg.engine.lowbits import is_low_precision
from thalweg.engine.plan import Program, Sums

__all__ = ["LOW_BITS", "Batch", "Engine"]

LOW_BITS = "low_bits"  # state key of what a low-precision parameter lacks to be a float32

IntArray = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(eq=False)
class Batch:
    """Tensors that one program updates together.

    Attributes:
        program: what to compute.
        params: the parameters, dense in memory.
        grads: their gradients, in the same memory layout; read, never written.
        states: one list of tensors for each of `keys`, then the low bits of low-precision parameters.
        keys: the states' keys; by default those of the program.
        rows: for each tensor, its row in `values`.
        values: scalar values by name (lr, t, beta1, ...), one mapping for each distinct (group, step count,
            states that are numbers), or for each tensor where tensors have sums of their own.
        table: the fused engine's chunk table, made once.
        arrays: the fused engine's addresses of all arrays in this step, one row a tensor.
        spread: whether the chunk table points to several rows of scalars.
    """

    program: Program
    params: list[Tensor]
    grads: list[Tensor]
    states: list[list[Tensor]]
    rows: IntArray
    values: Sequence[Mapping[str, Any]] = ()
    keys: tuple[str, ...] = ()
    table: IntArray | None = None
    arrays: IntArray | None = None
    spread: bool = False

    def __post_init__(self) -> None:
        """States under the program's own keys, unless it is said otherwise."""
        self.keys = self.keys or self.program.states

    @cached_property
    def dtypes(self) -> tuple[str, ...]:
        """Storage type of p, g and each state column."""
        arrays = [self.params[0], self.params[0], *(column[0] for column in self.states)]
        return tuple(str(a.dtype).removeprefix("torch.") for a in arrays)

    @cached_property
    def split(self) -> bool:
        """True if the parameters are stored in two halves; see `lowbits`."""
        return is_low_precision(self.params[0])

    @cached_property
    def elements(self) -> int:
        """How many elements all parameters have."""
        return sum(p.numel() for p in self.params)

    def sums_of(self, row: int, sums: Sums) -> dict[int, Mapping[str, float]]:
        """The sums of each stage, as the tensors of a row see them."""
        return {stage: rows[row] for stage, rows in sums.items()}

    def constants(self, sums: Sums, stop: int | None) -> list[list[float]]:
        """The lifted scalars of the stages before `stop` and of its sums, one list a row."""
        return [
            self.program.constants(values, self.sums_of(row, sums), stop)
            for row, values in enumerate(self.values)
        ]

    def carried(self, sums: Sums) -> list[dict[str, float]]:
        """The new values of the states that are numbers, one mapping a row."""
        return [
            self.program.carried(values, self.sums_of(row, sums)) for row, values in enumerate(self.values)
        ]


class Engine(Protocol):
    """How a program runs on a batch."""

    def total(self, batch: Batch, stage: int, sums: Sums) -> dict[str, list[float]]:
        """Each tensor's value of each sum of a stage, given those of earlier stages; writes nothing."""
        ...

    def step(self, batch: Batch, sums: Sums) -> None:
        """Update parameters and states in place."""
        ...


def compute_dtype(param: Tensor) -> torch.dtype:
    """The precision of the arithmetic and of the states: float64 for float64, else float32."""
    return torch.float64 if param.dtype == torch.float64 else torch.float32
