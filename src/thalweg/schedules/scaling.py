"""What to scale along when the batch becomes larger or smaller: the linear and the square-root rule.

Symbols: `k` is the new batch size over the one for which the values were found.
"""

import math
import operator
from typing import SupportsIndex, TypedDict

from thalweg.errors import UserError


class _Scaled(TypedDict):
    lr: float
    betas: tuple[float, float]
    eps: float


def linear_scaling(lr: float, *, reference: int, batch: int) -> float:
    """Return the learning rate for another batch size by the linear rule: ``k * lr``.

    For SGD, with or without momentum: one step over `k` batches then goes about as far as `k` steps did.
    The rule breaks down in the first epochs, when the weights change fast, so begin at the old rate:
    ``warmup(steps, start=1 / k)`` over about five epochs. It also breaks down for very large batches
    (beyond 8,192 images on ImageNet).

    Args:
        lr: the learning rate that was found with `reference`.
        reference: the batch size it was found with, over all devices.
        batch: the batch size to train with, over all devices.

    Raises:
        UserError: a batch size is no whole number above 0, or the learning rate is negative.

    Source: Goyal et al. 2017 (arXiv 1706.02677, section 2.1).

    >>> linear_scaling(0.1, reference=256, batch=8192)
    3.2
    """
    return _rate(lr) * _factor(reference, batch)


def sqrt_scaling(lr: float, *, reference: int, batch: int) -> float:
    """Return the learning rate for another batch size by the square-root rule: ``sqrt(k) * lr``.

    It keeps the variance of a step that is due to the noise of the batch. For Adam, AdamW and RMSprop use
    `adam_scaling`, which scales their other options along.

    Args:
        lr: the learning rate that was found with `reference`.
        reference: the batch size it was found with, over all devices.
        batch: the batch size to train with, over all devices.

    Raises:
        UserError: a batch size is no whole number above 0, or the learning rate is negative.

    Source: Krizhevsky 2014 (arXiv 1404.5997), who found the linear rule to work better for SGD.

    >>> sqrt_scaling(0.1, reference=256, batch=1024)
    0.2
    """
    return _rate(lr) * math.sqrt(_factor(reference, batch))


def adam_scaling(
    lr: float, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, *, reference: int, batch: int
) -> _Scaled:
    """Return Adam's options for another batch size by the square-root rule.

    ``lr * sqrt(k)``, ``1 - k * (1 - beta)`` for both betas, and ``eps / sqrt(k)``: the averages then reach
    back over as many samples as before. (RMSprop's ``alpha`` scales as `beta2`.)

    Args:
        lr: the learning rate that was found with `reference`.
        betas: Adam's betas that were used with it.
        eps: Adam's epsilon that was used with it.
        reference: the batch size they were found with, over all devices.
        batch: the batch size to train with, over all devices.

    Returns:
        The options by name: ``AdamW(parameters, **adam_scaling(...))``.

    Raises:
        UserError: an option is out of its range, or the batch grows so much that a beta would not stay
            between 0 and 1.

    Source: Malladi et al. 2022 (arXiv 2205.10287, the square root scaling rule for Adam).

    >>> adam_scaling(1e-3, betas=(0.875, 0.9921875), reference=256, batch=1024)
    {'lr': 0.002, 'betas': (0.5, 0.96875), 'eps': 5e-09}
    """
    k = _factor(reference, batch)
    if not (len(betas) == 2 and all(0 <= beta < 1 for beta in betas)):
        raise UserError(f"adam_scaling: betas is {betas!r}; it must be two numbers, 0 or more and below 1")
    if not 0 <= eps < math.inf:
        raise UserError(f"adam_scaling: eps is {eps!r}; it must be a number, 0 or more")
    fast = min(betas)
    if k * (1 - fast) > 1 + 1e-9:  # 0.99 is not exactly a hundredth below 1
        raise UserError(
            f"a batch {k:g} times as large takes a beta of {fast:g} below 0; the rule reaches up to "
            f"{1 / (1 - fast):g} times, or scale the learning rate alone with sqrt_scaling"
        )
    first, second = (max(0.0, 1 - k * (1 - beta)) for beta in betas)
    return {"lr": _rate(lr) * math.sqrt(k), "betas": (first, second), "eps": eps / math.sqrt(k)}


def _rate(lr: float) -> float:
    if isinstance(lr, bool) or not isinstance(lr, int | float) or not 0 <= lr < math.inf:
        raise UserError(f"lr is {lr!r}; it must be a number, 0 or more")
    return lr


def _factor(reference: int, batch: int) -> float:
    return _size("new", batch) / _size("reference", reference)


def _size(name: str, value: SupportsIndex) -> int:
    try:
        size = 0 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        size = 0
    if size < 1:
        raise UserError(f"the {name} batch size is {value!r}; it must be a whole number, 1 or more")
    return size
