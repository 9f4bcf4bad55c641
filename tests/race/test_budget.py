import itertools
import math

import pytest

from thalweg.errors import UserError
from thalweg.race.budget import SHAPES, Costs, Shape, make_plan
from thalweg.race.plan import Plan, total_steps
from thalweg.race.priors import PRIORS
from thalweg.race.statistics import LEVEL, fewest_pairs

FOUR = ("adamw", "nesterov", "rmsprop", "adagrad")
MEASURED = Costs(step=0.0033, look=0.02, startup=6.0, workers=2)


def planned(**changes):
    values = {"task": "t", "optimizers": FOUR, "full_steps": 940, "costs": MEASURED}
    return make_plan(**{**values, **changes})


def least_seconds(plan: Plan, costs: Costs) -> float:
    """The wall time if every worker were always busy."""
    return costs.startup + total_steps(plan) * costs.step / costs.workers


@pytest.mark.parametrize("budget", [12, 20, 40, 60, 120, 180, 600, 3600])
def test_a_plan_fits_its_budget(budget):
    plan = planned(budget_seconds=budget)
    assert least_seconds(plan, MEASURED) <= budget
    assert plan.steps <= 940


def test_a_larger_budget_is_never_a_poorer_race():
    plans = [planned(budget_seconds=b) for b in range(10, 400, 5)]
    shapes = [next(i for i, s in enumerate(SHAPES) if s.trials == p.trials) for p in plans]
    assert shapes == sorted(shapes, reverse=True)
    for earlier, later in itertools.pairwise(plans):
        assert later.trials > earlier.trials or later.steps >= earlier.steps


def test_three_minutes_on_two_cores_are_a_thorough_race_at_full_length():
    plan = planned(budget_seconds=180)
    assert plan.steps == 940
    assert plan.pairs >= 12
    assert plan.finalists >= 3


def test_a_budget_too_small_names_one_that_is_enough():
    with pytest.raises(
        UserError, match=r"too small to race 4 optimizers here; give at least (\d+)s"
    ) as caught:
        planned(budget_seconds=2)
    least = int(str(caught.value).split("at least ")[1].split("s")[0])
    assert planned(budget_seconds=least).pairs >= 1
    with pytest.raises(UserError):
        planned(budget_seconds=least - 2)


def test_the_smallest_race_says_that_it_can_claim_nothing():
    assert "too few seeds for a claim" in "\n".join(planned(budget_seconds=10).describe())
    assert "too few seeds" not in "\n".join(planned(budget_seconds=180).describe())


def test_steps_fix_the_length_of_a_full_run():
    assert planned(steps=200).steps == 200
    assert planned(steps=200, budget_seconds=60).steps == 200
    assert planned(steps=200, full_steps=12).steps == 200
    assert planned(steps=5000, budget_seconds=3600).steps == 5000
    with pytest.raises(UserError, match="too small"):
        planned(steps=100_000, budget_seconds=60)


@pytest.mark.parametrize("shape", SHAPES[:-1], ids=lambda shape: shape.name)
@pytest.mark.parametrize("count", range(1, len(PRIORS) + 1))
@pytest.mark.parametrize("purpose", ["find", "compare"])
def test_every_shape_but_the_last_can_make_a_claim(shape: Shape, count, purpose):
    names = tuple(PRIORS)[:count]
    huge = [
        planned(optimizers=names, purpose=purpose, budget_seconds=b) for b in (60, 120, 300, 600, 1200, 5000)
    ]
    for plan in (p for p in huge if p.trials == shape.trials):
        comparisons = math.comb(plan.finalists + 1, 2)
        assert plan.pairs >= fewest_pairs(LEVEL / comparisons)


@pytest.mark.parametrize("budget", [60, 180, 600])
def test_comparing_gives_every_optimizer_the_same(budget):
    plan = planned(purpose="compare", budget_seconds=budget)
    assert plan.finalists == 4
    assert plan.heats % 4 == 0
    assert plan.points % 4 == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"budget_seconds": 0}, "the budget is 0 s"),
        ({"budget_seconds": -3}, "the budget is -3 s"),
        ({"budget_seconds": math.inf}, "the budget is inf s"),
        ({"steps": 0}, "steps is 0"),
        ({"full_steps": 12}, "the task's epochs make a run of 12 steps; .* give --steps"),
        ({"seed": -1}, "seed is -1"),
        ({"optimizers": ("adamv",)}, "did you mean 'adamw'"),
        ({"purpose": "fun"}, "purpose is 'fun'"),
        ({"budget_seconds": 60, "costs": None}, "measured speed"),
    ],
)
def test_wrong_input_is_told_in_a_line(change, said):
    with pytest.raises(UserError, match=said) as caught:
        planned(**change)
    assert "\n" not in str(caught.value)
