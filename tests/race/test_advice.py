import json
from dataclasses import replace

import pytest

import thalweg
from thalweg.race.advice import Advice, advice_for, advise
from thalweg.race.ledger import Ledger
from thalweg.race.look import Look
from thalweg.race.plan import Plan
from thalweg.race.recipe import Recipe
from thalweg.race.sampling import trials
from thalweg.race.search import next_runs
from thalweg.tasks import load, names

USUAL = Look("t", 100_000, "3 Linear", 3, False, False, False, 0.0, 0.0, 128, 50_000, 1000, 8e5, 8e9)


def given(**changes) -> Advice:
    return advice_for(replace(USUAL, **changes))


def value(advice: Advice, what: str) -> str:
    return next(choice.value for choice in advice.choices if choice.what == what)


def test_the_usual_is_adamw_with_a_schedule():
    advice = given()
    assert advice.recipe == Recipe(
        "adamw", 6.5e-3, {"betas": (0.9, 0.999), "weight_decay": 0.1}, 0.05, "cosine"
    )


@pytest.mark.parametrize(
    ("changes", "optimizer"),
    [
        ({"batch_size": 8192}, "lamb"),
        ({"batch_size": 1024}, "adamw"),
        ({"embedding_share": 0.9, "untouched": 0.99}, "adagrad"),
        ({"embedding_share": 0.9, "untouched": 0.5}, "adamw"),
        ({"embedding_share": 0.1, "untouched": 0.99}, "adamw"),
        ({"free_bytes": 1e6}, "adafactor"),
    ],
)
def test_the_optimizer_follows_batch_sparsity_and_memory(changes, optimizer):
    advice = given(**changes)
    assert advice.recipe.optimizer == value(advice, "optimizer") == optimizer
    Recipe.from_json(advice.recipe.to_json())


# Brown et al. 2020, table 2.1
@pytest.mark.parametrize(
    ("parameters", "table"), [(125e6, 6e-4), (1.3e9, 2e-4), (13e9, 1e-4), (175e9, 0.6e-4)]
)
def test_larger_models_take_lower_rates_as_those_of_gpt_3(parameters, table):
    lr = given(parameters=int(parameters), free_bytes=1e15).recipe.lr
    assert 0.66 < lr / table < 1.5


def test_small_models_take_higher_rates_up_to_a_limit():
    rates = {10**6: 3e-3, 125_000: 6e-3, 8 * 10**6: 1.5e-3, 5000: 1e-2, 50: 1e-2}
    assert {n: given(parameters=n).recipe.lr for n in rates} == rates


def test_attention_and_recurrence_are_clipped_and_attention_warms_up_longer():
    plain, attends, recurs = given(), given(attention=True), given(recurrent=True)
    assert [a.recipe.clip for a in (plain, attends, recurs)] == [None, 1.0, 1.0]
    assert [a.recipe.warmup for a in (plain, attends, recurs)] == [0.05, 0.1, 0.05]


def test_decay_is_stronger_where_parameters_outnumber_samples():
    assert given(samples=99_999).recipe.options["weight_decay"] == 0.1
    assert given(samples=100_001).recipe.options["weight_decay"] == 0.01


@pytest.mark.parametrize("changes", [{}, {"embedding_share": 0.9, "untouched": 0.99}, {"free_bytes": 1.0}])
def test_every_choice_has_its_reason_and_its_source_and_is_in_the_recipe(changes):
    advice = given(**changes)
    assert all(choice.why and choice.source for choice in advice.choices)
    for what, said in (("lr", advice.recipe.lr), ("weight decay", advice.recipe.options.get("weight_decay"))):
        if said is not None and any(choice.what == what for choice in advice.choices):
            assert float(value(advice, what)) == pytest.approx(said, rel=0.05)
    assert json.loads(json.dumps(advice.to_dict()))["recipe"]["optimizer"] == advice.recipe.optimizer


@pytest.mark.parametrize("name", names())
def test_built_in_tasks_get_advice(name):
    advice = advise(name, "cpu")
    assert advice.recipe.optimizer == "adamw"
    assert (advice.recipe.clip is not None) == name.startswith("kjv")


def test_advice_is_trained_by_train(tiny, tmp_path):
    task = load(tiny)
    advice = thalweg.advise(task, "cpu")
    advice.save(tmp_path / "recipe.json", task)
    done = thalweg.train(task, tmp_path / "recipe.json", threads=1)
    assert (done.same, done.comparison) == (None, "")
    same = thalweg.train(task, advice.recipe, threads=1)
    assert done.result.weights == same.result.weights
    assert done.result.curve[-1]["step"] == task.full_steps


# -- in the race

COUNTS = {"trials": 4, "heats": 3, "rounds": 1, "points": 2, "finalists": 2, "pairs": 6}
ADVISED = Recipe("rmsprop", 2e-3, {"alpha": 0.98}, 0.05, "cosine", 1.0)


def test_advice_is_one_of_the_first_trials_and_nobody_has_more():
    plan = Plan("t", ("adamw", "rmsprop", "sgd"), 400, 100, **COUNTS, advised=ADVISED.to_json())
    specs = next_runs(plan, [])
    own = [spec.recipe for spec in specs if spec.label == "rmsprop"]
    assert own[:2] == [Recipe.default("rmsprop"), ADVISED]
    assert specs[0].label == "rmsprop"
    assert [sum(spec.label == name for spec in specs) for name in plan.optimizers] == [4, 4, 4]
    without = next_runs(replace(plan, advised=""), [])
    assert [s for s in without if s.label != "rmsprop"] == [s for s in specs if s.label != "rmsprop"]


def test_advice_that_is_the_default_or_of_another_is_no_further_trial():
    for advice in (Recipe.default("adamw"), ADVISED):
        assert trials("adamw", 4, 0, advice) == trials("adamw", 4, 0)
    assert trials("rmsprop", 1, 0, ADVISED) == [Recipe.default("rmsprop")]


def test_the_race_asks_the_advisor(tiny, tmp_path):
    task = load(tiny)
    result = thalweg.race(task, steps=40, optimizers=["adamw"], workers=1, out=tmp_path / "r", quiet=True)
    with Ledger.open(result.ledger) as ledger:
        plan, rows = ledger.meta()["plan"], ledger.runs()
    advised = advise(task).recipe
    assert plan["advised"] == advised.to_json()
    assert advised.id in {row["recipe_id"] for row in rows if row["phase"] == "screen"}
