"""The vocabulary of rules: the functions that a rule may call, on tensors and on plain numbers.

Each function takes tensors (per element), Python floats (scalars), or a mix. The engines that print
code replace these calls by their own instructions; the `reference` engine simply runs them.
"""

import math
from typing import Any

import torch
from torch import Tensor

__all__ = ["absolute", "isfinite", "maximum", "minimum", "sign", "sqrt", "where"]

# A rule's values are tensors in the reference engine and floats in lifted scalars: one annotation for both.
Value = Any


def _tensors(*values: Value) -> list[Tensor]:
    """The values as tensors of the kind of the first tensor among them."""
    like = next(v for v in values if isinstance(v, Tensor))
    return [v if isinstance(v, Tensor) else like.new_full((), v) for v in values]


def sqrt(x: Value) -> Value:
    """Square root."""
    return torch.sqrt(x) if isinstance(x, Tensor) else math.sqrt(x)


def absolute(x: Value) -> Value:
    """Absolute value."""
    return torch.abs(x) if isinstance(x, Tensor) else abs(x)


def sign(x: Value) -> Value:
    """-1, 0 or 1; NaN for NaN."""
    if isinstance(x, Tensor):
        return torch.where(torch.isnan(x), x, torch.sign(x))
    return math.nan if math.isnan(x) else float((x > 0) - (x < 0))


def isfinite(x: Value) -> Value:
    """True where x is neither infinite nor NaN."""
    return torch.isfinite(x) if isinstance(x, Tensor) else math.isfinite(x)


def maximum(a: Value, b: Value) -> Value:
    """The larger of two; NaN if either is NaN."""
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return torch.maximum(*_tensors(a, b))
    return math.nan if math.isnan(a) or math.isnan(b) else max(a, b)


def minimum(a: Value, b: Value) -> Value:
    """The smaller of two; NaN if either is NaN."""
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return torch.minimum(*_tensors(a, b))
    return math.nan if math.isnan(a) or math.isnan(b) else min(a, b)


def where(condition: Value, a: Value, b: Value) -> Value:
    """`a` where the condition holds, else `b`; both are computed.

    On a condition per element one of the two has to be an element too: torch gives two fractions its own
    default precision.
    """
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        a, b = _tensors(a, b)
    if isinstance(condition, Tensor):
        return torch.where(condition if condition.dtype == torch.bool else condition != 0, a, b)
    return a if condition else b
