"""A recipe: everything that decides how a network is trained, as one small value."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from thalweg.errors import UserError
from thalweg.race.priors import prior
from thalweg.race.space import Option

if TYPE_CHECKING:
    from thalweg.schedules import Schedule

DECAYS = ("cosine", "linear", "constant")


@dataclass(frozen=True)
class Recipe:
    """An optimizer with its options, learning rate, schedule and clipping.

    The schedule is kept as fractions of the run, so that one recipe fits a run of any length.

    Attributes:
        optimizer: A key of ``thalweg.race.priors.PRIORS``, such as ``"adamw"``.
        lr: The highest learning rate of the run.
        options: The optimizer's other options, by torch's names.
        warmup: The fraction of the run in which the learning rate climbs from 0 to ``lr``.
        decay: What follows: ``"cosine"`` or ``"linear"`` to 0, or ``"constant"``.
        clip: The largest global norm of the gradient, or None.

    Raises:
        UserError: A value is out of its range, or the optimizer does not exist.

    >>> Recipe("adamw", 3.1e-3, {"weight_decay": 0.11}, warmup=0.05, clip=1.0).describe()
    'adamw lr 3.1e-3, warm-up 5 %, cosine, decay 0.11, clip 1.0'
    """

    optimizer: str
    lr: float
    options: Mapping[str, Option] = field(default_factory=dict)
    warmup: float = 0.0
    decay: str = "cosine"
    clip: float | None = None

    def __post_init__(self) -> None:
        prior(self.optimizer)
        _positive("lr", self.lr)
        if not (isinstance(self.warmup, int | float) and 0 <= self.warmup < 1):
            raise UserError(
                f"recipe: warmup is {self.warmup!r}; it is a fraction of the run, 0 <= warmup < 1"
            )
        if self.decay not in DECAYS:
            raise UserError(f"recipe: decay is {self.decay!r}; it is one of {', '.join(DECAYS)}")
        if self.clip is not None:
            _positive("clip", self.clip)
            if "clip" not in prior(self.optimizer).space:
                raise UserError(
                    f"recipe: {self.optimizer} sets its own steps and takes no clip; leave it away"
                )
        plain = {k: tuple(v) if isinstance(v, list | tuple) else v for k, v in sorted(self.options.items())}
        object.__setattr__(self, "options", plain)

    def __hash__(self) -> int:
        return hash(self.id)

    @staticmethod
    def default(optimizer: str) -> Recipe:
        """Return the optimizer's textbook recipe: the options of its class, a constant learning rate."""
        known = prior(optimizer)
        return Recipe(optimizer, known.default_lr, {**known.fixed, **known.defaults}, decay="constant")

    @property
    def id(self) -> str:
        """Twelve hex digits of the sha256 of the canonical JSON: equal recipes have equal ids."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:12]

    def to_json(self) -> str:
        """Return the canonical JSON: sorted keys, no spaces."""
        value = {
            "optimizer": self.optimizer,
            "lr": float(self.lr),
            "options": dict(self.options),
            "warmup": float(self.warmup),
            "decay": self.decay,
            "clip": None if self.clip is None else float(self.clip),
        }
        return json.dumps(value, sort_keys=True, separators=(",", ":"))

    @staticmethod
    def from_json(text: str | Mapping[str, Any]) -> Recipe:
        """Return the recipe of a JSON text or of its parsed mapping.

        Raises:
            UserError: The text is not a recipe.
        """
        try:
            value = json.loads(text) if isinstance(text, str) else dict(text)
            return Recipe(**value)
        except UserError:
            raise
        except (TypeError, ValueError, AttributeError) as error:
            raise UserError(f"not a recipe: {error}") from None

    def describe(self) -> str:
        """Return the recipe in a line that a person reads."""
        parts = [f"{self.optimizer} lr {number(self.lr)}"]
        if self.warmup:
            parts.append(f"warm-up {100 * self.warmup:g} %")
        parts.append(self.decay)
        parts += [f"{_NAMES.get(name, name)} {_show(value)}" for name, value in self._shown_options()]
        if self.clip is not None:
            parts.append(f"clip {self.clip:.1f}" if self.clip >= 0.1 else f"clip {self.clip:g}")
        return ", ".join(parts)

    def _shown_options(self) -> list[tuple[str, Option]]:
        known = prior(self.optimizer)
        usual = {**known.fixed, **known.defaults, "weight_decay": 0}
        return [(k, v) for k, v in self.options.items() if k not in usual or v != usual[k]]

    def schedule(self, steps: int) -> Schedule:
        """Return the factor of the learning rate over a run of ``steps`` steps."""
        from thalweg import schedules

        warm = round(self.warmup * steps)
        rest = max(steps - warm, 1)
        after: Schedule
        if self.decay == "constant":
            after = schedules.constant()
        else:
            after = schedules.cosine(rest) if self.decay == "cosine" else schedules.linear(rest)
        return schedules.warmup(warm).then(after) if warm else after

    def build(self, params: Iterable[Any], steps: int) -> tuple[Any, Any]:
        """Return the optimizer over ``params`` and its learning-rate scheduler for ``steps`` steps."""
        from thalweg import optim, transforms

        clip = {} if self.clip is None else {"transforms": [transforms.clip_norm(self.clip)]}
        make = getattr(optim, prior(self.optimizer).cls)
        optimizer = make(params, lr=self.lr, **self.options, **clip)
        return optimizer, self.schedule(steps).attach(optimizer)

    def snippet(self, steps: int) -> str:
        """Return Python to paste: it makes ``optimizer`` and ``scheduler`` for a ``model``."""
        warm = round(self.warmup * steps)
        after = "constant()" if self.decay == "constant" else f"{self.decay}({max(steps - warm, 1)})"
        schedule = f"schedules.warmup({warm}) >> schedules.{after}" if warm else f"schedules.{after}"
        lines = ["    model.parameters(),", f"    lr={self.lr!r},"]
        lines += [f"    {name}={value!r}," for name, value in self.options.items()]
        if self.clip is not None:
            lines.append(f"    transforms=[transforms.clip_norm({self.clip!r})],")
        return "\n".join(
            [
                "from thalweg import optim, schedules, transforms",
                "",
                f"# recipe {self.id}, for a run of {steps:,} steps",
                f"optimizer = optim.{prior(self.optimizer).cls}(",
                *lines,
                ")",
                f"schedule = {schedule}",
                "scheduler = schedule.attach(optimizer)",
                *_usage(prior(self.optimizer).closure),
                "",
            ]
        )


_NAMES = {"weight_decay": "decay"}


def _usage(closure: bool) -> list[str]:
    if closure:
        call = "optimizer.step(closure)  # closure(): zero_grad, loss, loss.backward(), return loss"
        return ["# for each batch:", f"#     {call}", "#     scheduler.step()"]
    return ["# after each loss.backward():", "#     optimizer.step()", "#     scheduler.step()"]


def number(value: float) -> str:
    """Return a number as a person writes it, to two digits.

    >>> number(0.0031), number(0.12), number(1e-3), number(2.5)
    ('3.1e-3', '0.12', '1e-3', '2.5')
    """
    if value == 0 or 0.01 <= abs(value) < 1000:
        return f"{value:.2g}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def _show(value: Option) -> str:
    if isinstance(value, tuple):
        return "(" + ", ".join(_show(x) for x in value) + ")"
    if isinstance(value, bool | str) or value is None:
        return {True: "on", False: "off", None: "none"}.get(value, str(value))  # type: ignore[arg-type]
    return number(value) if not 0.9 < value < 1 else near_one(value)


def near_one(value: float) -> str:
    """Return a number just under 1 with two digits of its distance to 1: there 0.999 is not 1.

    >>> near_one(0.98731), near_one(0.999), near_one(0.95)
    ('0.987', '0.999', '0.95')
    """
    places = 1 - math.floor(math.log10(1 - value) + 1e-9)
    return f"{value:.{places}f}".rstrip("0")


def _positive(name: str, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise UserError(f"recipe: {name} is {value!r}; it is a finite number above 0")


BASELINE = Recipe.default("adamw")
"""The recipe that people start from: torch's AdamW as it comes, at a constant learning rate."""
