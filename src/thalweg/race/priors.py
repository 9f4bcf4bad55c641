"""Where to look: for each optimizer its torch class, its textbook default and one search space.

The spaces start from the tuning spaces of the AlgoPerf paper baselines (Dahl et al. 2023,
arXiv:2306.07179). Where small models need other learning rates the space is wider, and its
``source`` says so. The search space may be the single most important choice in a comparison
(Choi et al. 2019, arXiv:1910.05446), so it is shipped, written down and the same for everybody.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from thalweg.errors import UserError

Value = float | bool | str | None


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


@dataclass(frozen=True)
class Choice:
    """One of a few values, each equally likely."""

    values: tuple[Value, ...]

    def at(self, u: float) -> Value:
        """Return the value in whose equal share of [0, 1) the number ``u`` falls."""
        return self.values[min(int(u * len(self.values)), len(self.values) - 1)]


@dataclass(frozen=True)
class Prior:
    """What is known about an optimizer before the race.

    Attributes:
        key: The name in recipes and on the command line.
        cls: The class in ``thalweg.optim`` (and in ``torch.optim``).
        default_lr: The textbook learning rate.
        defaults: The textbook options beside it, by torch's names.
        fixed: Options that make the class this optimizer and are never searched.
        space: What is searched. The learning rate comes first: it gets the most even coverage.
        source: Where the space comes from.
    """

    key: str
    cls: str
    default_lr: float
    defaults: Mapping[str, float | bool | tuple[float, ...]]
    space: Mapping[str, Range | Choice]
    source: str
    fixed: Mapping[str, float | bool] = field(default_factory=dict)


_ALGOPERF = "AlgoPerf paper baselines"
_CLIP: Range | Choice = Choice((1.0, None))
_MOMENTUM: dict[str, Range | Choice] = {
    "lr": Range(3e-3, 2.0),
    "1-momentum": Range(2e-2, 0.3),
    "weight_decay": Range(1e-6, 1e-3),
    "clip": _CLIP,
}
_MOMENTUM_SOURCE = f"{_ALGOPERF} (momentum: lr 2e-2 .. 5); lr moved down and decay up for small models"
_ADAM: dict[str, Range | Choice] = {"lr": Range(1e-4, 3e-2), "1-beta1": Range(2e-2, 0.3)}

PRIORS: Mapping[str, Prior] = {
    prior.key: prior
    for prior in (
        Prior(
            "adamw",
            "AdamW",
            1e-3,
            {"betas": (0.9, 0.999), "weight_decay": 1e-2},
            {**_ADAM, "weight_decay": Range(5e-3, 0.5), "clip": _CLIP},
            f"{_ALGOPERF} (adamw: lr 1e-4 .. 1e-2); lr widened to 3e-2 for small models",
        ),
        Prior(
            "adam",
            "Adam",
            1e-3,
            {"betas": (0.9, 0.999)},
            {**_ADAM, "clip": _CLIP},
            f"{_ALGOPERF} (adamw without its decay); lr widened to 3e-2 for small models",
        ),
        Prior(
            "sgd",
            "SGD",
            1e-2,
            {},
            {"lr": Range(1e-2, 5.0), "weight_decay": Range(1e-6, 1e-3), "clip": _CLIP},
            "lr: the momentum space below, times 1 / (1 - momentum) at momentum 0.7",
        ),
        Prior("heavy_ball", "SGD", 1e-2, {"momentum": 0.9}, _MOMENTUM, _MOMENTUM_SOURCE),
        Prior(
            "nesterov", "SGD", 1e-2, {"momentum": 0.9}, _MOMENTUM, _MOMENTUM_SOURCE, fixed={"nesterov": True}
        ),
        Prior(
            "adagrad",
            "Adagrad",
            1e-2,
            {},
            {"lr": Range(1e-3, 1.0), "weight_decay": Range(1e-7, 1e-4), "clip": _CLIP},
            "lr: two decades around torch's default, up to the textbook's 1; no published baseline",
        ),
        Prior(
            "rmsprop",
            "RMSprop",
            1e-2,
            {"alpha": 0.99},
            {"lr": Range(1e-4, 1e-2), "1-alpha": Range(1e-3, 0.1), "clip": _CLIP},
            f"{_ALGOPERF} (adamw: lr), since its step has Adam's size; 1 - alpha around torch's default",
        ),
    )
}


def prior(key: str) -> Prior:
    """Return the prior of an optimizer.

    Raises:
        UserError: There is no such optimizer; the message names the nearest one.
    """
    found = PRIORS.get(key)
    if found is None:
        typed = str(key).lower()
        close = difflib.get_close_matches(typed, PRIORS, n=3)
        close.sort(key=lambda name: len(name) != len(typed))  # a slip of one letter is the likeliest
        hint = f"; did you mean '{close[0]}'?" if close else ""
        raise UserError(f"no optimizer called '{key}'{hint} (thalweg race --list-optimizers)")
    return found


def check_optimizers(keys: Sequence[str]) -> tuple[str, ...]:
    """Return the keys as a tuple, each known and named once.

    Raises:
        UserError: The list is empty, or names an optimizer twice or one that does not exist.
    """
    if not keys:
        raise UserError("no optimizer to race; name at least one (thalweg race --list-optimizers)")
    for key in keys:
        prior(key)
        if list(keys).count(key) > 1:
            raise UserError(f"optimizer '{key}' is named twice; name each one once")
    return tuple(keys)
