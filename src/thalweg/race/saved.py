"""``recipe.json``: a recipe, the run that shows what it does, and all that is needed to repeat it."""

import json
import math
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from thalweg.errors import UserError
from thalweg.race.plan import Plan
from thalweg.race.recipe import Recipe

FORMAT = "thalweg recipe 1"
FIGURES = ("valid_metric", "valid_loss", "test_metric", "test_loss", "train_metric", "train_loss", "weights")
PACKAGES = ("thalweg", "torch", "numpy", "llvmlite")


@dataclass(frozen=True)
class Proof:
    """One run of the final, with everything it depends on: the same again gives the same figures."""

    seed: int
    steps: int
    device: str
    threads: int
    evals: int
    figures: Mapping[str, float | str | None]


@dataclass(frozen=True)
class SavedRecipe:
    """What ``recipe.json`` holds.

    Attributes:
        recipe: how to train.
        steps: the length of a run for which it was found.
        task: name, source (a built-in's name or a path) and hash of the task it was found for.
        proof: one of the race's confirmation runs; None for advice, which no race has confirmed.
        versions: of Python and the packages that decide the numbers.
        machine: the system, its processor and cores.
        verdict: kind and sentence.
        plan_id: the race's plan.
    """

    recipe: Recipe
    steps: int
    task: Mapping[str, str]
    proof: Proof | None
    versions: Mapping[str, str]
    machine: Mapping[str, Any] = field(default_factory=dict)
    verdict: Mapping[str, str] = field(default_factory=dict)
    plan_id: str = ""

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        proof = None if self.proof is None else asdict(self.proof)
        content = {**vars(self), "recipe": json.loads(self.recipe.to_json()), "proof": proof}
        head = {"format": FORMAT, "description": self.recipe.describe()}
        write_text(path, json.dumps({**head, **content}, indent=2, ensure_ascii=False) + "\n")

    @classmethod
    def read(cls, path: str | Path) -> "SavedRecipe":
        """Read a file that `write` made.

        Raises:
            UserError: there is none, or it is no recipe of this version.
        """
        path = Path(path)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise UserError(
                f"cannot read the recipe {path}: {error.strerror}; thalweg race writes one"
            ) from error
        except ValueError as error:
            raise UserError(
                f"{path} is no recipe: it is not JSON ({error}); thalweg race writes one"
            ) from error
        return cls._parse(path, content)

    @classmethod
    def _parse(cls, path: Path, content: Any) -> "SavedRecipe":
        if not isinstance(content, dict) or not str(content.get("format", "")).startswith("thalweg recipe"):
            raise UserError(f"{path} is no recipe; thalweg race writes one (recipe.json)")
        found = content.pop("format")
        if found != FORMAT:
            raise UserError(f"{path} is a '{found}', and this version reads '{FORMAT}'; race again")
        content.pop("description", None)
        try:
            recipe, proof = Recipe.from_json(content.pop("recipe")), content.pop("proof")
            saved = cls(recipe=recipe, proof=None if proof is None else Proof(**proof), **content)
            saved._check()
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{path} is damaged ({error}); thalweg race writes one (recipe.json)") from error
        return saved

    def _check(self) -> None:
        proven = self.steps if self.proof is None else self.proof.steps
        for name, value in (("steps", self.steps), ("proof.steps", proven)):
            if type(value) is not int or value < 1:
                raise ValueError(f"{name} is {value!r}")


def save_proof(
    path: Path,
    plan: Plan,
    task: Mapping[str, str],
    verdict: Mapping[str, str],
    run: Mapping[str, Any],
    evals: int,
) -> SavedRecipe:
    """Write ``recipe.json`` for ``run``, a row of the ledger: the winner's run in the final."""
    figures = {name: run[name] for name in FIGURES}
    saved = SavedRecipe(
        recipe=Recipe.from_json(run["recipe"]),
        steps=run["steps"],
        task=task,
        proof=Proof(run["seed"], run["steps"], plan.device, plan.threads, evals, figures),
        versions=dict(sorted(plan.versions.items())),
        machine=machine(),
        verdict=verdict,
        plan_id=plan.id,
    )
    saved.write(path)
    return saved


def write_text(path: Path, text: str) -> None:
    """Replace a file at once: a reader, or a crash, never meets half of it."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror}; make room, or choose another --out"
        ) from error


def versions() -> dict[str, str]:
    """The versions of what decides the numbers."""
    return {**{name: version(name) for name in sorted(PACKAGES)}, "python": platform.python_version()}


def machine() -> dict[str, Any]:
    """The machine, in words."""
    return {"system": platform.platform(), "processor": processor(), "cores": cores()}


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor() -> str:
    """The processor's name, as well as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def plain(value: Any) -> Any:
    """Values as strict JSON knows them: no NaN, no infinity."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
