import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.race.ledgers import plan, raced, trained
from thalweg.race.plan import MOST_IN_HEATS, total_runs, total_steps
from thalweg.race.priors import PRIORS
from thalweg.race.recipe import BASELINE, Recipe
from thalweg.race.runs import Outcome
from thalweg.race.search import best_of_each, finalists, next_runs, ranked

PHASES = ["screen", "heats", "refine", "final"]
PURPOSES = pytest.mark.parametrize("purpose", ["find", "compare"])


def keys(specs):
    return [spec.key for spec in specs]


@PURPOSES
def test_a_race_has_just_the_runs_and_steps_of_its_plan(purpose):
    a_plan = plan(purpose=purpose)
    done = raced(a_plan)
    assert len(done) == total_runs(a_plan)
    assert sum(outcome.steps for outcome in done) == total_steps(a_plan)
    assert len({outcome.key for outcome in done}) == len(done)
    counts = Counter(outcome.phase for outcome in done)
    assert [counts[phase] for phase in PHASES] == [12, 4, 6, 18]
    assert sorted(PHASES.index(outcome.phase) for outcome in done) == [PHASES.index(o.phase) for o in done]


@PURPOSES
@settings(max_examples=15, deadline=None)
@given(order=st.randoms(use_true_random=False), cut=st.integers(0, 40))
def test_order_and_interruptions_do_not_change_the_runs(purpose, order, cut):
    a_plan = plan(purpose=purpose)
    whole = raced(a_plan)
    kept = whole[:cut]
    order.shuffle(kept)
    assert keys(next_runs(a_plan, kept)) == keys(next_runs(a_plan, whole[:cut]))
    while specs := next_runs(a_plan, kept):
        order.shuffle(specs)
        kept += [trained(spec) for spec in specs[: order.randint(1, len(specs))]]  # killed in the middle
    assert sorted(keys(kept)) == sorted(keys(whole))


def test_what_is_asked_for_is_never_done_already_and_of_one_phase():
    a_plan = plan()
    whole = raced(a_plan)
    for cut in range(len(whole)):
        specs = next_runs(a_plan, whole[:cut])
        assert not set(keys(specs)) & set(keys(whole[:cut]))
        assert len({spec.phase for spec in specs}) == 1
    assert next_runs(a_plan, whole) == []


def test_outcomes_of_another_race_are_ignored():
    a_plan = plan()
    assert next_runs(a_plan, raced(plan(seed=5))) == next_runs(a_plan, [])


def test_every_optimizer_is_screened_with_the_same_number_of_short_runs_and_its_default():
    a_plan = plan(trials=5)
    specs = next_runs(a_plan, [])
    assert Counter(spec.label for spec in specs) == dict.fromkeys(a_plan.optimizers, 5)
    assert {spec.steps for spec in specs} == {a_plan.screen_steps}
    for key in a_plan.optimizers:
        assert Recipe.default(key) in [spec.recipe for spec in specs]


def test_the_final_s_seeds_are_fresh_and_paired():
    a_plan = plan(pairs=7)
    done = raced(a_plan)
    final = [outcome for outcome in done if outcome.phase == "final"]
    assert not {o.seed for o in final} & {o.seed for o in done if o.phase != "final"}
    for label in {outcome.label for outcome in final}:
        assert [o.seed for o in final if o.label == label] == list(a_plan.final_seeds)
    assert len(set(a_plan.final_seeds)) == 7
    assert {o.recipe for o in final if o.label == "baseline"} == {BASELINE}


def test_races_with_other_seeds_share_no_seed_and_draw_other_recipes():
    first, second = raced(plan(seed=1)), raced(plan(seed=2))
    assert not {o.seed for o in first} & {o.seed for o in second}
    shared = {o.recipe for o in first} & {o.recipe for o in second}
    assert shared <= {BASELINE, *map(Recipe.default, plan().optimizers)}


def test_heats_hold_the_best_of_each_optimizer():
    a_plan = plan()
    done = raced(a_plan)
    screen = [o for o in done if o.phase == "screen"]
    heats = {o.recipe for o in done if o.phase == "heats"}
    assert {o.recipe for o in best_of_each(a_plan, screen)} <= heats


def test_of_many_optimizers_only_the_best_go_on_unless_they_are_compared():
    from thalweg.race.budget import STANDARD, _counts

    many = tuple(key for key in PRIORS if PRIORS[key].space["lr"].high > 1e-2)[:14]
    for purpose, racers in (("find", MOST_IN_HEATS), ("compare", 14)):
        counts = _counts(STANDARD, len(many), purpose, 400)
        a_plan = plan(optimizers=many, purpose=purpose, **{**counts, "pairs": 6})
        done = raced(a_plan)
        assert len(done) <= total_runs(a_plan)
        screen = [o for o in done if o.phase == "screen"]
        heats = [o for o in done if o.phase == "heats"]
        assert Counter(o.label for o in screen) == dict.fromkeys(many, a_plan.trials)
        assert len(heats) == a_plan.heats
        firsts = best_of_each(a_plan, screen)[:racers]
        assert {o.recipe for o in firsts} <= {o.recipe for o in heats}


def test_refinement_tries_only_new_recipes_of_the_leaders():
    a_plan = plan(points=6, finalists=2)
    done = raced(a_plan)
    refined = [o.recipe for o in done if o.phase == "refine"]
    heats = {o.recipe for o in done if o.phase == "heats"}
    assert len({r.id for r in refined}) == len(refined) == 12
    assert not heats & set(refined)
    assert len({r.optimizer for r in refined[:6]}) == 2


def test_refinement_finds_better_recipes_than_screening():
    a_plan = plan(points=6, rounds=3)
    done = raced(a_plan)
    heats = ranked(a_plan, [o for o in done if o.phase == "heats"])
    refined = ranked(a_plan, [o for o in done if o.phase == "refine"])
    assert refined[0].valid_metric > heats[0].valid_metric


@pytest.mark.parametrize("purpose", ["find", "compare"])
def test_finding_spends_on_the_leaders_and_comparing_on_all(purpose):
    def outcome(spec):
        found = trained(spec)
        return Outcome.of(
            spec, valid_metric=(found.valid_metric or 0.0) + (spec.label == "adamw"), test_metric=0.5
        )

    a_plan, done = plan(purpose=purpose, points=6, heats=6), []
    while specs := next_runs(a_plan, done):
        done += [outcome(spec) for spec in specs]
    heats, refined = (Counter(o.label for o in done if o.phase == phase) for phase in ("heats", "refine"))
    if purpose == "compare":
        assert set(heats.values()) == {2}
        assert set(refined.values()) == {4}
    else:
        assert heats["adamw"] == 4  # its best, and all three places beside the best of each
        assert sorted(refined.values()) == [6, 6]


def test_finalists_are_the_best_of_different_optimizers():
    a_plan = plan(finalists=2)
    chosen = finalists(a_plan, raced(a_plan))
    assert len({o.label for o in chosen}) == 2
    assert chosen == ranked(a_plan, chosen)


def test_the_baseline_is_in_the_final_once_even_if_it_led_the_search():
    def outcome(spec):
        best = spec.recipe == BASELINE
        return Outcome.of(
            spec, valid_metric=0.99 if best else trained(spec).valid_metric or 0.0, test_metric=0.5
        )

    a_plan, done = plan(), []
    while specs := next_runs(a_plan, done):
        done += [outcome(spec) for spec in specs]
    labels = [o.label for o in done if o.phase == "final" and o.recipe == BASELINE]
    assert labels == ["baseline"] * a_plan.pairs


@pytest.mark.parametrize("higher", [True, False])
def test_ranking_follows_the_metric_s_direction_then_the_loss(higher):
    a_plan = plan(higher_is_better=higher)
    specs = next_runs(a_plan, [])[:5]
    values = [(0.5, 2.0), (0.7, 1.0), (0.5, 1.0), (None, None), (float("nan"), 1.0)]
    outcomes = [
        Outcome.of(s, valid_metric=m, valid_loss=loss) for s, (m, loss) in zip(specs, values, strict=True)
    ]
    outcomes.append(Outcome.of(next_runs(a_plan, [])[6], status="diverged", valid_metric=0.6))
    random.Random(0).shuffle(outcomes)
    found = [(o.valid_metric, o.valid_loss) for o in ranked(a_plan, outcomes)]
    assert found == ([(0.7, 1.0), (0.5, 1.0), (0.5, 2.0)] if higher else [(0.5, 1.0), (0.5, 2.0), (0.7, 1.0)])


def test_an_optimizer_that_always_fails_drops_out_and_the_race_goes_on():
    def outcome(spec):
        return Outcome.of(spec, status="failed") if spec.label == "rmsprop" else trained(spec)

    a_plan, done = plan(finalists=3), []
    while specs := next_runs(a_plan, done):
        done += [outcome(spec) for spec in specs]
    assert {o.label for o in done if o.phase == "final"} == {"adamw", "nesterov", "baseline"}
    assert {o.label for o in done if o.phase == "refine"} == {"adamw", "nesterov"}


def test_a_race_in_which_everything_fails_still_ends():
    a_plan, done = plan(), []
    while specs := next_runs(a_plan, done):
        done += [Outcome.of(spec, status="diverged") for spec in specs]
    assert Counter(o.phase for o in done) == {"screen": 12, "final": 6}
