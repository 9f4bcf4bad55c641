"""What is computed from runs, against answers worked out by hand."""

from collections.abc import Sequence

import pytest

from thalweg.report import measures
from thalweg.report.model import Race, race_from

Row = dict[str, object]


def row(label: str, seed: int, curve: Sequence[float], **more: object) -> Row:
    """A run of 30 steps with a validation metric after each ten of them."""
    points = [
        {"step": 10 * (i + 1), "train_loss": 1.0 / (i + 1), "valid_metric": v, "seconds": 0.5 * (i + 1)}
        for i, v in enumerate(curve)
    ]
    base: Row = {
        "phase": "final",
        "label": label,
        "optimizer": "adamw" if label == "baseline" else label,
        "recipe_id": label,
        "recipe": {"optimizer": label, "lr": 0.01},
        "seed": seed,
        "steps": 30,
        "status": "ok",
        "reason": "",
        "valid_metric": curve[-1] if curve else None,
        "test_metric": curve[-1] if curve else None,
        "curve": points,
    }
    return base | more


def race(*rows: Row, higher: bool = True) -> Race:
    plan = {
        "task": "t",
        "optimizers": ["adamw", "sgd"],
        "steps": 30,
        "metric_name": "score",
        "higher_is_better": higher,
    }
    return race_from(rows, {"plan": plan}, None)


FOUR = (
    row("adamw", 1, [0.5, 0.7, 0.9]),
    row("adamw", 2, [0.7, 0.8, 0.8]),
    row("baseline", 1, [0.1, 0.4, 0.6]),
    row("baseline", 2, [0.2, 0.6, 0.7]),
)


def test_a_curve_is_the_mean_in_the_range_of_its_seeds() -> None:
    contender = race(*FOUR).contenders[0]
    first, _, last = measures.curve(contender.ok_runs, "valid_metric")
    assert (first.step, first.mean, first.low, first.high, first.n) == (10, pytest.approx(0.6), 0.5, 0.7, 2)
    assert (last.step, last.mean) == (30, pytest.approx(0.85))


def test_a_curve_ends_where_not_all_seeds_are_left() -> None:
    runs = race(row("sgd", 1, [1.0, 2.0, 3.0]), row("sgd", 2, [3.0])).contenders[0].ok_runs
    assert [(p.step, p.mean) for p in measures.curve(runs, "valid_metric")] == [(10, 2.0)]


def test_the_target_is_the_baselines_median_end() -> None:
    goal = measures.target(race(*FOUR))
    assert goal is not None
    assert goal.value == pytest.approx(0.65)
    assert goal.owner.label == "baseline"


@pytest.mark.parametrize(("higher", "owner"), [(True, "sgd"), (False, "adamw")])
def test_without_a_baseline_the_target_is_the_weakest_end(higher: bool, owner: str) -> None:
    goal = measures.target(
        race(row("adamw", 1, [0.5, 0.7, 0.9]), row("sgd", 1, [0.3, 0.4, 0.5]), higher=higher)
    )
    assert goal is not None
    assert goal.owner.label == owner


def test_there_is_no_target_without_a_finished_final() -> None:
    assert measures.target(race(row("adamw", 1, [], status="diverged"))) is None


def test_misses_and_diverged_runs_are_kept_as_misses() -> None:
    seen = race(*FOUR, row("sgd", 1, [0.1, 0.2, 0.3]), row("sgd", 2, [0.7], status="diverged", seconds=0.6))
    by = {c.label: measures.hits(seen, c, 0.65) for c in seen.contenders}
    assert [hit.step for hit in by["adamw"]] == [20, 10]
    assert [hit.seconds for hit in by["adamw"]] == [1.0, 0.5]
    assert [hit.step for hit in by["baseline"]] == [None, 30]
    assert [hit.step for hit in by["sgd"]] == [None, None], (
        "a run that diverges later does not count as there"
    )
    assert by["sgd"][0].end_step == 30


def test_lower_is_better_reaches_the_target_from_above() -> None:
    seen = race(row("adamw", 1, [3.0, 2.0, 1.0]), higher=False)
    assert [hit.step for hit in measures.hits(seen, seen.contenders[0], 2.0)] == [20]


@pytest.mark.parametrize(
    ("times", "median"),
    [([], None), ([None], None), ([1.0, None, 3.0], 3.0), ([1.0, None], None), ([1.0, 2.0], 1.5)],
)
def test_a_censored_median(times: list[float | None], median: float | None) -> None:
    assert measures.censored_median(times) == median


def test_costs_and_gaps_are_medians_and_means_of_finished_runs() -> None:
    seen = race(
        row("sgd", 1, [0.5], step_ms=2.0, optimizer_ms=0.5, state_bytes=0, train_metric=0.9),
        row("sgd", 2, [0.7], step_ms=4.0, optimizer_ms=0.7, state_bytes=0, train_metric=0.8),
        row("sgd", 3, [0.1], step_ms=99.0, status="failed"),
    )
    (cost,), (gap,) = measures.costs(seen), measures.gaps(seen)
    assert (cost.step_ms, cost.optimizer_ms, cost.state_bytes) == (3.0, pytest.approx(0.6), 0.0)
    assert cost.model_ms == pytest.approx(2.4)
    assert gap.size == pytest.approx(0.25)


def test_failures_are_grouped_by_what_they_have_in_common() -> None:
    def bad(seed: int, lr: float, reason: str) -> Row:
        recipe = {"optimizer": "sgd", "lr": lr}
        return row("sgd", seed, [], status="diverged", reason=reason, recipe=recipe, phase="screen")

    nan = [bad(1, 0.1, "step 3: the training loss is nan"), bad(2, 0.9, "step 77: the training loss is nan")]
    high = [
        bad(3, 0.3, "step 3: the loss is 512, 2.3 at the start"),
        bad(4, 0.4, "the loss is 900, 2 at the start"),
    ]
    first, second = measures.failures(race(*nan, *high))
    assert (len(first.runs), first.lrs, measures.summary(first)) == (
        2,
        (0.1, 0.9),
        "the training loss is nan",
    )
    assert measures.summary(second) == "the loss is 512, 2.3 at the start, and similar"


def test_the_best_run_follows_the_direction() -> None:
    low, high = row("sgd", 1, [0.2]), row("sgd", 2, [0.9])
    for higher, seed in ((True, 2), (False, 1)):
        seen = race(low, high, higher=higher)
        found = measures.best(seen, seen.runs)
        assert found is not None
        assert found.seed == seed
