import math

import pytest

from thalweg.race.priors import PRIORS
from thalweg.race.recipe import Recipe
from thalweg.race.sampling import halton, near, on_edge, recipe_of, trials, values_of
from thalweg.race.space import Choice, Range

KEYS = pytest.mark.parametrize("key", PRIORS)


@KEYS
def test_trials_stay_in_the_space_and_begin_with_the_default(key):
    recipes = trials(key, 17, seed=3)
    assert recipes[0] == Recipe.default(key)
    assert len({r.id for r in recipes}) == 17
    for recipe in recipes[1:]:
        for name, value in values_of(recipe).items():
            space = PRIORS[key].space[name]
            if isinstance(space, Choice):
                assert value in space.values
            else:
                assert space.low * 0.99 <= value <= space.high * 1.01


@KEYS
def test_learning_rates_are_spread_evenly_over_the_decades(key):
    space = PRIORS[key].space["lr"]
    places = [
        math.log(r.lr / space.low) / math.log(space.high / space.low) for r in trials(key, 9, seed=1)[1:]
    ]
    assert sorted(min(int(8 * place), 7) for place in places) == list(range(8))  # one in each eighth


@KEYS
def test_values_are_the_inverse_of_recipes(key):
    for recipe in trials(key, 6, seed=0)[1:]:
        assert recipe_of(key, values_of(recipe)) == recipe


def test_the_same_seed_gives_the_same_points_and_another_seed_others():
    assert trials("adamw", 6, 1) == trials("adamw", 6, 1)
    assert trials("adamw", 6, 1)[1:] != trials("adamw", 6, 2)[1:]
    assert halton(2, 3, 4) == halton(2, 3, 4)


def test_more_trials_begin_with_the_fewer():
    assert trials("adamw", 9, 1)[:5] == trials("adamw", 5, 1)


def test_one_trial_is_the_default_alone():
    assert trials("sgd", 1, 0) == [Recipe.default("sgd")]


def test_near_stays_within_its_width_on_both_sides():
    centre = recipe_of("adamw", {"lr": 1e-3, "1-beta1": 0.1, "weight_decay": 0.05, "clip": 1.0})
    found = near(centre, 16, width=0.3, seed=0)
    logs = [math.log10(r.lr / 1e-3) for r in found]
    assert min(logs) < -0.2
    assert max(logs) > 0.2
    assert max(map(abs, logs)) <= 0.3 + 1e-3
    assert all(0 < r.options["betas"][0] < 1 for r in near(centre, 50, width=2.0, seed=0))


def test_near_leaves_the_space_at_an_edge_but_not_by_more_than_a_decade():
    edge = recipe_of("rmsprop", {"lr": 1e-2, "1-alpha": 0.01, "clip": None})
    lrs = [r.lr for r in near(edge, 32, width=3.0, seed=0)]
    assert 1e-2 < max(lrs) <= 1e-1


def test_a_default_without_decay_is_searched_from_the_middle_of_the_space():
    found = near(Recipe.default("sgd"), 8, width=0.3, seed=0)
    assert all(1e-6 < r.options["weight_decay"] < 1e-3 for r in found)
    assert all(r.decay == "cosine" for r in found)


def test_edges():
    adamw = PRIORS["adamw"]
    assert on_edge(adamw, "lr", 1.05e-4) == "low"
    assert on_edge(adamw, "lr", 0.05) == "high"
    assert [on_edge(adamw, "lr", lr) for lr in (1.5e-4, 3e-3, 2e-2)] == [None, None, None]
    assert on_edge(adamw, "clip", None) is None
    assert isinstance(adamw.space["lr"], Range)
