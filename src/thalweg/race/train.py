"""Train with a recipe, and tell whether it is the race's run again: ``thalweg.train(task, recipe)``."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from thalweg.errors import UserError
from thalweg.race.executor import FINAL_EVALS
from thalweg.race.recipe import Recipe
from thalweg.race.run import RunResult, fit, returned_process
from thalweg.race.saved import FIGURES, Proof, SavedRecipe, machine, versions
from thalweg.race.training import Point
from thalweg.tasks import Task, load
from thalweg.tasks import device as find_device


@dataclass(frozen=True)
class TrainResult:
    """What a training gives.

    Attributes:
        model: trained, on its device.
        result: curve and figures.
        same: whether it is bit for bit the race's run; None when it is not comparable.
        comparison: the same in words; "" without a race to compare with.
    """

    model: nn.Module
    result: RunResult
    same: bool | None = None
    comparison: str = ""


def train(
    task: str | Path | Task | None,
    recipe: Recipe | SavedRecipe | str | Path,
    *,
    seed: int | None = None,
    steps: int | None = None,
    threads: int | None = None,
    device: str | None = None,
    on_point: Callable[[Point], None] | None = None,
) -> TrainResult:
    """Train ``task`` with a recipe; with the one of a race, and nothing changed, exactly as the race did.

    Args:
        task: a name, a path or a `Task`; None takes the one that the recipe was found for.
        recipe: a `Recipe`, or a ``recipe.json`` (its path, or read).
        seed: by default that of the race's run in the file (without a file 0).
        steps: by default those of the race's full runs (without a file the task's epochs).
        threads: by default those of the race's run (without a file torch's).
        device: by default that of the race's run (without a file "auto").
        on_point: called with each point of the curve.

    Raises:
        UserError: a wrong argument, or the training diverged or failed.
    """
    saved = SavedRecipe.read(recipe) if isinstance(recipe, str | Path) else recipe
    proof = saved.proof if isinstance(saved, SavedRecipe) else None
    if task is None and isinstance(saved, SavedRecipe):
        task = saved.task["source"]
    found = task if isinstance(task, Task) else load(task or "")
    asked = {
        "seed": _whole_seed(seed) if seed is not None else proof.seed if proof else 0,
        "steps": whole("steps", steps) or (proof.steps if proof else found.full_steps),
        "device": str(find_device(device or (proof.device if proof else "auto"))),
        "threads": whole("threads", threads) or (proof.threads if proof else torch.get_num_threads()),
        "evals": proof.evals if proof else FINAL_EVALS,
    }
    plain = saved.recipe if isinstance(saved, SavedRecipe) else saved
    with returned_process():
        model, result = fit(found, plain, **asked, test=True, on_point=on_point)  # type: ignore[arg-type]
    if result.status != "ok" or model is None:
        raise UserError(f"the training {result.status}: {result.reason}")
    if proof is None or not isinstance(saved, SavedRecipe):
        return TrainResult(model, result)
    same, words = compare(saved, proof, found, asked, result)
    return TrainResult(model, result, same, words)


def incomparable(saved: SavedRecipe, task: Task) -> str:
    """Why no training of ``task`` can be the race's run again, known before it; "" where one can."""
    if saved.proof is None or task.hash == saved.task["hash"]:
        return ""
    return f"the recipe was found for {saved.task['name']}, another task or other data: nothing to compare"


def compare(
    saved: SavedRecipe, proof: Proof, task: Task, asked: dict[str, object], result: RunResult
) -> tuple[bool | None, str]:
    """Whether a training is the race's run again, and the same in words."""
    if why := incomparable(saved, task):
        return None, why
    there = {name: getattr(proof, name) for name in asked}
    changed = [f"{name} {asked[name]}, not {there[name]}" for name in asked if asked[name] != there[name]]
    if changed:
        return None, f"not the race's run again ({'; '.join(changed)})"
    different = [name for name in FIGURES if getattr(result, name) != proof.figures.get(name)]
    if not different:
        return True, f"reproduces the race's run exactly (seed {proof.seed}, weights {result.weights})"
    return False, _difference(saved, proof, task, result)


def _difference(saved: SavedRecipe, proof: Proof, task: Task, result: RunResult) -> str:
    then, now = proof.figures.get("test_metric"), result.test_metric
    here = {**versions(), **machine()}
    old = {**saved.versions, **saved.machine}
    other = [
        f"{name} {here[name]} here, {old.get(name)} there" for name in here if here[name] != old.get(name)
    ]
    why = f" ({'; '.join(other)})" if other else ""
    return f"differs from the race's run: test {task.metric_name} {now} here, {then} there{why}"


def whole(name: str, value: int | None) -> int | None:
    """The value, if it is None or a whole number of at least 1."""
    if value is not None and (type(value) is not int or value < 1):
        raise UserError(f"{name} is {value}; it is a whole number of at least 1")
    return value


def _whole_seed(seed: int) -> int:
    if type(seed) is not int or not 0 <= seed < 2**63:
        raise UserError(f"seed is {seed}; it is a whole number of at least 0")
    return seed
