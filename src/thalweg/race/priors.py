"""Where to look: for each optimizer its class, its textbook default and one search space.

The spaces start from the tuning spaces of the AlgoPerf paper baselines (Dahl et al. 2023,
arXiv:2306.07179). Where small models need other learning rates the space is wider, and its
``source`` says so. The search space may be the single most important choice in a comparison
(Choi et al. 2019, arXiv:1910.05446), so it is shipped, written down and the same for everybody.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from thalweg.errors import UserError
from thalweg.race.priors_closure import CLOSURE_PRIORS
from thalweg.race.space import Choice, Prior, Range

__all__ = ["ALL", "PRIORS", "check_optimizers", "prior"]

ALL = "all"
"""In place of names: every optimizer that can run on the task."""

_ALGOPERF = "AlgoPerf paper baselines"
_CLIP: Range | Choice = Choice((1.0, None))
_BETAS = {"betas": (0.9, 0.999)}
_MOMENTUM: dict[str, Range | Choice] = {
    "lr": Range(3e-3, 2.0),
    "1-momentum": Range(2e-2, 0.3),
    "weight_decay": Range(1e-6, 1e-3),
    "clip": _CLIP,
}
_FROM_1E_3 = {**_MOMENTUM, "lr": Range(1e-3, 2.0)}
_MOMENTUM_SOURCE = f"{_ALGOPERF} (momentum: lr 2e-2 .. 5); lr moved down and decay up for small models"
_ADAM: dict[str, Range | Choice] = {"lr": Range(1e-4, 3e-2), "1-beta1": Range(2e-2, 0.3)}
_DECAYED = {**_ADAM, "weight_decay": Range(5e-3, 0.5), "clip": _CLIP}
_ADAM_SOURCE = f"{_ALGOPERF} (adamw without its decay); lr widened to 3e-2 for small models"

_TABLE = (
    Prior(
        "adamw",
        "AdamW",
        1e-3,
        {**_BETAS, "weight_decay": 1e-2},
        _DECAYED,
        f"{_ALGOPERF} (adamw: lr 1e-4 .. 1e-2); lr widened to 3e-2 for small models",
        state=8,
    ),
    Prior("adam", "Adam", 1e-3, _BETAS, {**_ADAM, "clip": _CLIP}, _ADAM_SOURCE, state=8),
    Prior(
        "sgd",
        "SGD",
        1e-2,
        {},
        {"lr": Range(1e-2, 5.0), "weight_decay": Range(1e-6, 1e-3), "clip": _CLIP},
        "lr: the momentum space below, times 1 / (1 - momentum) at momentum 0.7",
        state=0,
    ),
    Prior("heavy_ball", "SGD", 1e-2, {"momentum": 0.9}, _MOMENTUM, _MOMENTUM_SOURCE, state=4),
    Prior(
        "nesterov",
        "SGD",
        1e-2,
        {"momentum": 0.9},
        _MOMENTUM,
        _MOMENTUM_SOURCE,
        state=4,
        fixed={"nesterov": True},
    ),
    Prior(
        "momentum",
        "Momentum",
        1e-3,
        {"momentum": 0.9},
        _FROM_1E_3,
        f"{_MOMENTUM_SOURCE}; the learning rate is inside the velocity, as Polyak wrote it",
        state=4,
        fixed={"convention": "velocity"},
    ),
    Prior(
        "nesterov_lookahead",
        "Nesterov",
        1e-3,
        {"momentum": 0.9},
        _FROM_1E_3,
        f"{_MOMENTUM_SOURCE}; the gradient is taken at the look-ahead point",
        state=4,
        closure=True,
    ),
    Prior(
        "adagrad",
        "Adagrad",
        1e-2,
        {},
        {"lr": Range(1e-3, 1.0), "weight_decay": Range(1e-7, 1e-4), "clip": _CLIP},
        "lr: two decades around torch's default, up to the textbook's 1; no published baseline",
        state=4,
    ),
    Prior(
        "rmsprop",
        "RMSprop",
        1e-2,
        {"alpha": 0.99},
        {"lr": Range(1e-4, 1e-2), "1-alpha": Range(1e-3, 0.1), "clip": _CLIP},
        f"{_ALGOPERF} (adamw: lr), since its step has Adam's size; 1 - alpha around torch's default",
        state=4,
    ),
    Prior(
        "adadelta",
        "Adadelta",
        1.0,
        {"rho": 0.9},
        {"lr": Range(0.1, 10.0), "1-rho": Range(1e-2, 0.2), "clip": _CLIP},
        "lr: a decade around the paper's 1 (arXiv:1212.5701), which it does not tune; rho around its 0.95",
        state=8,
    ),
    Prior(
        "adamax",
        "Adamax",
        2e-3,
        _BETAS,
        {**_ADAM, "clip": _CLIP},
        f"{_ADAM_SOURCE}; its step is at most Adam's",
        state=8,
    ),
    Prior(
        "radam",
        "RAdam",
        1e-3,
        _BETAS,
        _DECAYED,
        f"{_ALGOPERF} (adamw), since after its first steps it is Adam; decay decoupled",
        state=8,
        fixed={"decoupled_weight_decay": True},
    ),
    Prior(
        "nadamw",
        "NAdam",
        2e-3,
        _BETAS,
        {
            "lr": Range(1e-4, 3e-2),
            "1-beta1": Range(4e-3, 0.1),
            "weight_decay": Range(5e-3, 0.5),
            "clip": _CLIP,
        },
        f"{_ALGOPERF} (nadamw: lr 1e-4 .. 1e-2, 1 - beta1 4e-3 .. 0.1); lr widened to 3e-2 for small models",
        state=8,
        fixed={"decoupled_weight_decay": True},
    ),
    Prior(
        "adafactor",
        "Adafactor",
        1e-2,
        {},
        {"lr": Range(1e-4, 3e-2), "weight_decay": Range(1e-3, 0.5), "clip": _CLIP},
        f"{_ALGOPERF} (adafactor: lr 1e-4 .. 1e-2); lr widened to 3e-2 for small models",
        state=4,
        at_most=True,
    ),
    Prior(
        "lamb",
        "LAMB",
        1e-3,
        {**_BETAS, "weight_decay": 1e-2},
        {
            "lr": Range(1e-4, 0.1),
            "1-beta1": Range(5e-2, 0.3),
            "weight_decay": Range(1e-3, 0.5),
            "clip": _CLIP,
        },
        f"{_ALGOPERF} (lamb: lr 1e-4 .. 1e-2); lr widened to 0.1, a share of the weights, for small models",
        state=8,
    ),
    Prior(
        "lars",
        "LARS",
        1.0,
        {"momentum": 0.9, "weight_decay": 5e-4},
        {
            "lr": Range(0.3, 100.0),
            "1-momentum": Range(2e-2, 0.3),
            "weight_decay": Range(1e-5, 1e-2),
            "clip": _CLIP,
        },
        "lr: the paper's base rates (up to 32, arXiv:1708.03888) and half a decade around them",
        state=4,
    ),
    Prior(
        "asgd",
        "ASGD",
        1e-2,
        {"lambd": 1e-4, "alpha": 0.75},
        {"lr": Range(1e-2, 5.0), "lambd": Range(1e-6, 1e-3), "clip": _CLIP},
        "lr: that of sgd; it decays by itself. The race measures the last iterate, not the average",
        state=4,
        scheduled=False,
    ),
    Prior(
        "sgd_hd",
        "SGDHD",
        1e-3,
        {"hypergrad_lr": 1e-6},
        {"lr": Range(1e-3, 2.0), "hypergrad_lr": Range(1e-6, 1e-2), "clip": _CLIP},
        "lr: that of momentum; its rate 1e-6 .. 1e-2, most of what the paper tried (arXiv:1703.04782)",
        state=4,
        scheduled=False,
    ),
    Prior(
        "adam_hd",
        "AdamHD",
        1e-3,
        {**_BETAS, "hypergrad_lr": 1e-8},
        {**_ADAM, "hypergrad_lr": Range(1e-9, 1e-5), "clip": _CLIP},
        f"{_ADAM_SOURCE}; the rate of the rate a few decades around the paper's 1e-7 (arXiv:1703.04782)",
        state=8,
        scheduled=False,
    ),
    Prior(
        "learned",
        "Learned",
        1.0,
        {},
        {"lr": Range(0.03, 3.0), "clip": _CLIP},
        "lr is a factor of the learned step; down a decade and a half for models larger than it trained on",
        state=12,
    ),
    Prior(
        "rprop",
        "Rprop",
        1e-2,
        {"etas": (0.5, 1.2)},
        {"lr": Range(1e-5, 1e-2), "clip": _CLIP},
        "lr is only the first step size; three decades below torch's default, as it grows by itself",
        state=8,
        scheduled=False,
    ),
)
PRIORS: Mapping[str, Prior] = {prior.key: prior for prior in (*_TABLE, *CLOSURE_PRIORS)}


def prior(key: str) -> Prior:
    """Return the prior of an optimizer.

    Raises:
        UserError: There is no such optimizer; the message names the nearest one.
    """
    found = PRIORS.get(key)
    if found is None:
        typed = str(key).lower()
        close = difflib.get_close_matches(typed, PRIORS, n=3)
        # A slip of one letter is the likeliest, and seldom of the first one.
        close.sort(key=lambda name: (name[0] != typed[0], len(name) != len(typed)))
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
        if key == ALL:
            raise UserError(f"'{ALL}' stands alone: it means every optimizer that can run on the task")
        prior(key)
        if list(keys).count(key) > 1:
            raise UserError(f"optimizer '{key}' is named twice; name each one once")
    return tuple(keys)
