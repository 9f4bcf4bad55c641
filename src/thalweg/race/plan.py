"""The plan: everything about a race that is fixed before its first run.

A race goes through four phases. Each is a set of runs that depends only on the plan and on the
results of the phases before it, never on the clock:

1. ``screen``: every optimizer gets the same number of trials, as short runs. A short run is a
   complete one, with its own warm-up and decay, because rankings flip during the decay.
2. ``heats``: the best trial of each optimizer, and the best others, run again at full length. Of more
   than ten optimizers only the ten best go on, unless the race compares.
3. ``refine``: rounds of full-length runs of new recipes near the leaders.
4. ``final``: the best recipes and torch's default AdamW, on fresh seeds that no earlier phase
   used. Every finalist gets the same seeds, so that differences are paired. Only this phase
   makes claims.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from thalweg.errors import UserError
from thalweg.race.priors import check_optimizers, prior
from thalweg.race.runs import Outcome, RunSpec
from thalweg.race.statistics import FEWEST_PAIRS

__all__ = ["Outcome", "Plan", "RunSpec", "Stage", "total_runs", "total_steps"]

PURPOSES = ("find", "compare")
MOST_IN_HEATS = 10
"""When finding, of more optimizers only the best of the screening go on to full length."""
_SEEDS_PER_RACE = 1000
_FIRST_FINAL_SEED = 100


@dataclass(frozen=True)
class Stage:
    """A part of the race, counted: at most ``runs`` runs of ``steps`` steps."""

    phase: str
    runs: int
    steps: int


@dataclass(frozen=True)
class Plan:
    """A race, fixed before it starts: how many runs of how many steps, on which seeds.

    Attributes:
        task: The task's name.
        task_hash: A digest of the task's source, so that another task is not resumed by mistake.
        optimizers: Who races.
        seed: From this number come the trials and the seeds of all runs.
        steps: The length of a full run.
        screen_steps: The length of a screening run.
        trials: Screening trials of each optimizer; the textbook default is the first.
        heats: Full-length runs of screened recipes, in all.
        rounds: Rounds of refinement.
        points: Full-length runs in each round, in all.
        finalists: Recipes in the final, torch's default AdamW not counted.
        pairs: Fresh seeds on which each finalist runs.
        purpose: ``"find"`` spends where it pays; ``"compare"`` keeps budgets equal to the end.
        advised: The advisor's recipe as JSON, or "". It is the second trial of its optimizer, after the
            textbook default; every optimizer has the same number of trials all the same.
        margin: Two recipes tie when they differ by less than this fraction of the better one.
    """

    task: str
    optimizers: tuple[str, ...]
    steps: int
    screen_steps: int
    trials: int
    heats: int
    rounds: int
    points: int
    finalists: int
    pairs: int
    seed: int = 0
    purpose: str = "find"
    metric_name: str = "accuracy"
    higher_is_better: bool = True
    margin: float = 0.005
    task_hash: str = ""
    advised: str = ""
    device: str = "cpu"
    threads: int = 1
    versions: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "optimizers", check_optimizers(self.optimizers))
        if self.purpose not in PURPOSES:
            raise UserError(f"purpose is {self.purpose!r}; it is one of {', '.join(PURPOSES)}")

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def id(self) -> str:
        """Twelve hex digits: equal plans have equal ids."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:12]

    def to_json(self) -> str:
        """Return the canonical JSON: sorted keys, no spaces."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> Plan:
        """Return the plan of a JSON text.

        Raises:
            UserError: The text is not a plan.
        """
        try:
            value: dict[str, Any] = json.loads(text)
            return Plan(**{**value, "optimizers": tuple(value["optimizers"])})
        except (TypeError, KeyError, json.JSONDecodeError) as error:
            raise UserError(f"not a plan of a race: {error}") from None

    @property
    def search_seed(self) -> int:
        """The seed of every screening run."""
        return self.seed * _SEEDS_PER_RACE

    @property
    def full_seed(self) -> int:
        """The seed of every run in the heats and the refinement: equal seeds compare best."""
        return self.seed * _SEEDS_PER_RACE + 1

    @property
    def final_seeds(self) -> tuple[int, ...]:
        """The fresh seeds of the final."""
        first = self.seed * _SEEDS_PER_RACE + _FIRST_FINAL_SEED
        return tuple(range(first, first + self.pairs))

    def stages(self) -> list[Stage]:
        """Return the parts of the race in order, with the most runs that each can have."""
        refine = [Stage("refine", self.points, self.steps)] * self.rounds
        return [
            Stage("screen", self.trials * len(self.optimizers), self.screen_steps),
            Stage("heats", self.heats, self.steps),
            *refine,
            Stage("final", (self.finalists + 1) * self.pairs, self.steps),
        ]

    def describe(self) -> list[str]:
        """Return the plan in a few lines for the terminal."""
        n = len(self.optimizers)
        search = f"heats     {self.heats} of them at full length, {self.steps:,} steps"
        rounds = f"{self.rounds} round{'s' * (self.rounds > 1)}"
        near = f"refine    {self.rounds * self.points} recipes near the leaders, in {rounds}"
        final = f"final     {self.finalists} finalist{'s' * (self.finalists > 1)} and torch's default AdamW"
        several = [key for key in self.optimizers if prior(key).closure]
        shared = f"          (a step is a gradient evaluation; {', '.join(several)} may take several at once)"
        mute = "          (too few seeds for a claim; a larger budget has room for one)"
        return [
            f"screen    {n} optimizers x {self.trials} recipes, {self.screen_steps:,} steps each",
            *([shared] if several else []),
            search,
            *([near] if self.rounds * self.points else []),
            f"{final} on {self.pairs} fresh seeds, {self.steps:,} steps each",
            *([mute] if self.pairs < FEWEST_PAIRS else []),
        ]


def total_steps(plan: Plan) -> int:
    """Return the steps of the whole race: exact unless so many runs fail that a phase lacks recipes."""
    return sum(stage.runs * stage.steps for stage in plan.stages())


def total_runs(plan: Plan) -> int:
    """Return the number of runs of the whole race, exact in the same sense."""
    return sum(stage.runs for stage in plan.stages())
