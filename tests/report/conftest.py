"""Races that never ran: real plans and real ledger files, with results from a formula."""

import json
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from thalweg.race.ledger import Ledger
from thalweg.race.plan import Plan
from thalweg.race.priors import prior
from thalweg.race.run import RunResult
from thalweg.race.runs import Outcome, RunSpec
from thalweg.race.search import next_runs

PARAMETERS = 269_322
# optimizer: best learning rate, quality there, loss of quality a squared decade, divergence above
SHAPES = {
    "adamw": (3.1e-3, 0.8710, 0.016, 0.02),
    "adam": (2.5e-3, 0.8655, 0.018, 0.02),
    "nesterov": (0.12, 0.8685, 0.020, 0.7),
    "heavy_ball": (0.10, 0.8670, 0.022, 0.6),
    "rmsprop": (8e-4, 0.8620, 0.030, 6e-3),
    "adagrad": (0.03, 0.8540, 0.018, 0.3),
    "sgd": (0.8, 0.8580, 0.02, 3.0),
}
STATE = {"adamw": 8, "adam": 8, "nesterov": 4, "heavy_ball": 4, "rmsprop": 4, "adagrad": 4, "sgd": 0}


@dataclass(frozen=True)
class World:
    """What the made-up task is like."""

    noise: float = 0.0018
    doomed: bool = False  # every run diverges
    constant: float | None = None  # every run ends with this metric
    bits: bool = False  # lower is better
    shapes: dict[str, tuple[float, float, float, float]] = field(default_factory=lambda: dict(SHAPES))
    reason: str = "step {step}: the training loss is nan"

    def quality(self, spec: RunSpec, full: int) -> float:
        best, peak, steep, _ = self.shape(spec)
        if self.constant is not None:
            return self.constant
        short = spec.steps / full
        away = math.log10(spec.recipe.lr / (best * (1.4 if short < 1 else 1.0)))
        noise = random.Random(spec.key).gauss(0, self.noise) + random.Random(spec.seed).gauss(0, self.noise)
        flat = 0.012 if spec.recipe.decay == "constant" else 0.0
        value = peak - steep * away**2 - 0.02 * (1 - short) - flat + noise
        value = max(0.1, value)
        return 3.4 - 1.6 * value if self.bits else value

    def shape(self, spec: RunSpec) -> tuple[float, float, float, float]:
        name = spec.recipe.optimizer
        lr = prior(name).default_lr
        return self.shapes.get(name, (lr, 0.84 + 0.01 * random.Random(name).random(), 0.02, 30 * lr))

    def diverges(self, spec: RunSpec) -> bool:
        limit = self.shape(spec)[3]
        return self.doomed or spec.recipe.lr > limit * random.Random(spec.key).uniform(0.8, 1.4)

    def result(self, spec: RunSpec, full: int) -> RunResult:
        rng = random.Random(spec.key + "r")
        costs = {
            "step_ms": 2.0 + (0.16 if spec.recipe.clip else 0.05) + rng.gauss(0, 0.03),
            "optimizer_ms": 0.1 + STATE.get(spec.recipe.optimizer, 8) * 0.012,
            "state_bytes": STATE.get(spec.recipe.optimizer, 8) * PARAMETERS,
        }
        end = self.quality(spec, full)
        curve = self._curve(spec, end, rng)
        if self.diverges(spec):
            at = rng.randint(1, max(1, spec.steps // 4))
            curve = [point for point in curve if point["step"] < at]
            reason = self.reason.format(step=at)
            return RunResult("diverged", reason, seconds=0.4, curve=curve, **costs)
        sign = -1 if self.bits else 1
        final = spec.phase == "final"
        return RunResult(
            "ok",
            valid_metric=end,
            valid_loss=1.2 - end if not self.bits else end,
            test_metric=end - sign * 0.004 + rng.gauss(0, self.noise / 2) if final else None,
            test_loss=0.4 if final else None,
            train_metric=end + sign * (0.03 + 0.02 * rng.random()) if final else None,
            train_loss=0.2 if final else None,
            seconds=spec.steps * 2.3e-3 + 0.3,
            curve=curve,
            weights="0" * 16,
            **costs,
        )

    def _curve(self, spec: RunSpec, end: float, rng: random.Random) -> list[dict[str, float]]:
        points = []
        start = 3.4 if self.bits else 0.4
        tau = 0.16 + 0.1 * ("g" in spec.recipe.optimizer)
        for i in range(1, 21):
            share = i / 20
            rise = (1 - math.exp(-share / tau)) / (1 - math.exp(-1 / tau))
            value = start + (end - start) * rise**0.3 + rng.gauss(0, self.noise) * (1 - share)
            loss = 0.22 + 1.4 * math.exp(-share / tau) + 0.05 * ("g" in spec.recipe.optimizer)
            step = round(spec.steps * share)
            loss += rng.gauss(0, 0.008)
            points.append(
                {"step": step, "train_loss": loss, "valid_loss": loss + 0.1, "valid_metric": value}
                | {"seconds": step * 2.1e-3 * (1 + 0.02 * rng.random())}
            )
        points[-1]["valid_metric"] = end
        return points


def plan(**changes: object) -> Plan:
    """Five optimizers, nine trials each, twelve pairs."""
    first = Plan(
        task="fashion-mlp",
        optimizers=("adamw", "nesterov", "rmsprop", "adagrad", "heavy_ball"),
        steps=940,
        screen_steps=188,
        trials=9,
        heats=8,
        rounds=2,
        points=4,
        finalists=4,
        pairs=12,
        task_hash="5be1d6ad1f0c",
        versions={"thalweg": "0.1.0", "torch": "2.13.0"},
    )
    return replace(first, **changes)


def meta(drawn: Plan) -> dict[str, object]:
    """What the driver writes beside the runs."""
    return {
        "plan": json.loads(drawn.to_json()),
        "plan_id": drawn.id,
        "task": drawn.task,
        "created": "2026-05-04T10:11:12+00:00",
        "versions": {"thalweg": "0.1.0", "torch": "2.13.0", "numpy": "2.4.6", "python": "3.11.7"},
        "machine": {"system": "Linux x86_64", "processor": "AMD EPYC", "cores": 2, "threads": 2},
        "facts": {
            "parameters": PARAMETERS,
            "train": 12_000,
            "valid": 2_000,
            "test": 2_000,
            "batch_size": 128,
            "metric_name": drawn.metric_name,
            "higher_is_better": drawn.higher_is_better,
        },
        "task_source": {"name": drawn.task, "source": drawn.task, "hash": drawn.task_hash},
        "request": {"source": drawn.task, "budget": 180.0, "steps": None, "workers": 2},
    }


def results(drawn: Plan, world: World, stop: int | None = None) -> list[tuple[RunSpec, RunResult]]:
    """Every run of a race, in the order in which the plan asks for them; at most `stop`."""
    done: list[tuple[RunSpec, RunResult]] = []
    outcomes: list[Outcome] = []
    while specs := next_runs(drawn, outcomes):
        for spec in specs:
            if stop is not None and len(done) >= stop:
                return done
            result = world.result(spec, drawn.steps)
            done.append((spec, result))
            names = ("status", "reason", "valid_metric", "valid_loss", "test_metric", "test_loss")
            outcomes.append(Outcome.of(spec, **{name: getattr(result, name) for name in names}))
    return done


def fill(
    path: Path, drawn: Plan, world: World, stop: int | None = None, left_out: dict[str, str] | None = None
) -> Path:
    """A real ledger file of a made-up race."""
    moment = "2026-05-04T10:11:12+00:00"
    with Ledger.open(path, "write") as book:
        book.put_meta({**meta(drawn), "left_out": left_out or {}})
        for spec, result in results(drawn, world, stop):
            book.insert(spec, result, moment, moment)
    return path


@pytest.fixture(scope="session")
def make_ledger(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes the ledger of a race; keywords change the plan, `world` the task, `stop` ends it early."""

    def make(
        world: dict[str, object] | None = None,
        stop: int | None = None,
        left_out: dict[str, str] | None = None,
        **changes: object,
    ) -> Path:
        folder = tmp_path_factory.mktemp("race")
        return fill(folder / "race.sqlite", plan(**changes), World(**(world or {})), stop, left_out)

    return make


@pytest.fixture(scope="session")
def full(make_ledger: Callable[..., Path]) -> Path:
    """The ledger of a whole race: five optimizers, about 120 runs, some diverged."""
    return make_ledger()
