"""States that are one number a parameter, such as the step count: one array for all parameters."""

from collections.abc import Sequence
from typing import Any

import torch

__all__ = ["Column", "Counters"]


class Column:
    """One number for each parameter; each parameter's state holds a view of its element.

    torch keeps one 0-d tensor a parameter: adding 1 to 300 of them costs more than the update itself.
    """

    def __init__(self, count: int, dtype: torch.dtype) -> None:
        self.tensor = torch.zeros(count, dtype=dtype, device="cpu")
        self.values = self.tensor.numpy()
        self.views = self.tensor.unbind()

    def adopt(self, index: int, state: dict[str, Any], key: str) -> None:
        """Take over a parameter's number."""
        if state[key] is not self.views[index]:
            self.values[index] = float(state[key])
            state[key] = self.views[index]


class Counters:
    """The step counts of all parameters, and the numbers that rules keep."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.steps = Column(count, torch.float32)
        self.numbers: dict[str, Column] = {}
        self.versions: dict[int, int] = {}  # autograd's count of writes to each low-precision parameter

    def adopt(self, index: int, state: dict[str, Any], keys: Sequence[str]) -> None:
        """Take over a parameter's count and its numbers under `keys`."""
        self.steps.adopt(index, state, "step")
        for key in keys:
            column = self.numbers.get(key)
            if column is None:
                column = self.numbers[key] = Column(self.count, torch.float64)
            column.adopt(index, state, key)
