"""One run as the plan asks for it, and what came of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from thalweg.race.recipe import Recipe

BASELINE_LABEL = "baseline"


@dataclass(frozen=True)
class RunSpec:
    """One run to do: train with ``recipe`` from ``seed`` for ``steps`` steps.

    Attributes:
        phase: ``"screen"``, ``"heats"``, ``"refine"`` or ``"final"``.
        label: Under which name the run counts: an optimizer's key, or ``"baseline"``.
    """

    recipe: Recipe
    seed: int
    steps: int
    phase: str
    label: str

    @property
    def key(self) -> str:
        """A text that is different for each run of a race."""
        return f"{self.phase}/{self.label}/{self.recipe.id}/{self.seed}/{self.steps}"


@dataclass(frozen=True)
class Outcome:
    """What came of a run: a row of the ledger without its curve.

    Attributes:
        key: The key of its ``RunSpec``.
        status: ``"ok"``, ``"diverged"`` (the loss left the numbers) or ``"failed"`` (an error).
        reason: Why it is not ``"ok"``.
        valid_metric: The metric on the validation data at the end: the search looks at this.
        test_metric: The metric on the test data: only the final has it, and only the verdict looks.
    """

    key: str
    recipe: Recipe
    seed: int
    steps: int
    phase: str
    label: str
    status: str = "ok"
    reason: str = ""
    valid_metric: float | None = None
    valid_loss: float | None = None
    test_metric: float | None = None
    test_loss: float | None = None
    train_metric: float | None = None
    train_loss: float | None = None
    seconds: float | None = None

    @staticmethod
    def of(spec: RunSpec, **results: object) -> Outcome:
        """Return the outcome of ``spec`` with the given results."""
        return Outcome(spec.key, spec.recipe, spec.seed, spec.steps, spec.phase, spec.label, **results)  # type: ignore[arg-type]


def healthy(value: float | None) -> bool:
    """Return whether a result is a finite number."""
    return value is not None and math.isfinite(value)
