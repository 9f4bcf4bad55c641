import json
import random

import numpy as np
import pytest
from scipy import stats

from tests.race.ledgers import final, noisy, plan, raced
from thalweg.race.plan import RunSpec
from thalweg.race.recipe import BASELINE, Recipe
from thalweg.race.runs import Outcome
from thalweg.race.verdict import decide

TWELVE = plan(pairs=12)


def simulated(means, races, pairs=12, sd=0.004, seed=0):
    rng = np.random.default_rng(seed)
    a_plan = plan(pairs=pairs)
    return [decide(a_plan, final(a_plan, noisy(rng, means, pairs, sd))) for _ in range(races)]


# -- how often it is wrong, and how often it finds what is there


def test_a_race_of_a_recipe_against_itself_claims_a_winner_at_most_5_times_in_100():
    verdicts = simulated({"adamw-a": 0.9, "adamw-b": 0.9}, races=200)
    assert sum(v.kind == "better" for v in verdicts) <= 10
    assert {v.winner_label for v in verdicts} == {"adamw-a", "adamw-b"}


def test_four_equal_finalists_and_the_baseline_give_no_winner_either():
    labels = ["adamw-a", "adamw-b", "adamw-c", "adamw-d", "baseline"]
    verdicts = simulated(dict.fromkeys(labels, 0.9), races=200)
    assert sum(v.kind == "better" for v in verdicts) <= 10
    assert sum(any(f.beaten for f in v.finalists) for v in verdicts) <= 16


def test_a_gain_of_one_and_a_half_sd_is_found_4_times_in_5():
    verdicts = simulated({"adamw-a": 0.9 + 1.5 * 0.004, "adamw-b": 0.9}, races=200)
    assert sum(v.kind == "better" and v.winner_label == "adamw-a" for v in verdicts) >= 160


def test_the_same_runs_under_two_names_are_a_tie():
    values = list(np.linspace(0.85, 0.87, 12))
    found = decide(TWELVE, final(TWELVE, {"adamw-a": values, "adamw-b": values}))
    assert found.kind == "tie"
    assert found.finalists[1].p == 1.0
    assert (found.finalists[1].diff_low, found.finalists[1].diff_high) == (0.0, 0.0)


# -- numbers


def test_differences_are_those_of_the_paired_t_test():
    results = noisy(np.random.default_rng(2), {"adamw": 0.9, "nesterov": 0.89, "baseline": 0.85}, 12, 0.004)
    found = decide(TWELVE, final(TWELVE, results))
    winner, second, last = found.finalists
    assert [f.label for f in found.finalists] == ["adamw", "nesterov", "baseline"]
    twin = stats.ttest_rel(results["nesterov"], results["adamw"]).confidence_interval(0.95)
    assert (second.diff_low, second.diff_high) == pytest.approx((twin.low, twin.high))
    assert second.diff_to_winner == pytest.approx(second.mean - winner.mean)
    assert second.diff_to_winner < 0
    assert found.baseline is last
    assert winner.diff_to_winner is None


def test_p_is_adjusted_for_all_pairs_of_finalists():
    far = {"adamw": np.arange(12.0), "nesterov": np.arange(12.0) - 5, "baseline": np.arange(12.0) - 20}
    found = decide(TWELVE, final(TWELVE, far))
    assert [f.p for f in found.finalists[1:]] == [3 * 2 / 2**12] * 2


def test_lower_is_better_turns_everything_round():
    a_plan = plan(pairs=12, metric_name="perplexity", higher_is_better=False)
    results = noisy(np.random.default_rng(2), {"adamw": 5.2, "nesterov": 5.5}, 12, 0.1)
    found = decide(a_plan, final(a_plan, results))
    assert found.winner_label == "adamw"
    assert found.finalists[1].diff_to_winner > 0
    assert found.sentence.startswith("adamw beats nesterov by 0.")
    assert "in perplexity, lower is better (95 % interval 0." in found.sentence


def test_the_order_of_outcomes_and_repeats_do_not_matter():
    outcomes = raced(plan(pairs=8))
    shuffled = outcomes + outcomes[:5]
    random.Random(1).shuffle(shuffled)
    assert decide(plan(pairs=8), shuffled) == decide(plan(pairs=8), outcomes)


def test_only_the_final_s_test_metric_counts():
    a_plan = plan(pairs=8)
    outcomes = raced(a_plan)
    spec = RunSpec(Recipe("sgd", 0.5), a_plan.full_seed, a_plan.steps, "heats", "sgd")
    tempting = Outcome.of(spec, valid_metric=0.999, test_metric=0.999)
    assert decide(a_plan, [*outcomes, tempting]).finalists == decide(a_plan, outcomes).finalists


def test_the_verdict_is_json():
    full = decide(TWELVE, final(TWELVE, {"adamw": [0.9] * 12, "baseline": [0.8] * 12}))
    text = json.dumps(full.to_dict(), allow_nan=False)
    assert json.loads(text)["winner"]["optimizer"] == "adamw"
    lonely = plan(pairs=1)
    json.dumps(decide(lonely, final(lonely, {"adamw": [0.9], "baseline": [0.8]})).to_dict(), allow_nan=False)


# -- kinds and sentences


def spaced(gap, half, n=12):
    """Differences with the mean ``gap`` whose 95 % interval is gap -+ half, beside their baseline of 0."""
    shape = np.linspace(-1, 1, n)
    width = stats.t.ppf(0.975, n - 1) * shape.std(ddof=1) / np.sqrt(n)
    return [0.85] * n, list(0.85 + gap + shape * half / width)


def test_nobody_is_ahead_by_nothing():
    nesterov, adamw = spaced(0.00001, 0.03)
    found = decide(TWELVE, final(TWELVE, {"adamw": adamw, "nesterov": nesterov, "baseline": [0.8] * 12}))
    assert found.kind == "not_enough"
    assert (
        "adamw and nesterov are level, at a difference of 0.0 points of accuracy (95 % interval"
        in found.sentence
    )
    assert "ahead" not in found.sentence
    close = decide(TWELVE, final(TWELVE, {"adamw": adamw, "baseline": nesterov}))
    assert "is level with it, at a difference of 0.0 points" in close.baseline_sentence


def test_better():
    nesterov, adamw = spaced(0.004, 0.003)
    found = decide(
        TWELVE,
        final(TWELVE, {"adamw": adamw, "nesterov": nesterov, "rmsprop": [0.84] * 12, "baseline": [0.8] * 12}),
    )
    assert found.kind == "better"
    assert found.sentence == (
        "adamw beats nesterov by 0.4 points of accuracy (95 % interval 0.1 to 0.7, 12 paired seeds);"
        " rmsprop is behind."
    )
    assert found.baseline_sentence.startswith(
        "adamw beats torch's default AdamW (lr 1e-3, constant) by 5.4 points"
    )


def test_tie():
    nesterov, adamw = spaced(0.001, 0.002)
    results = {"adamw": adamw, "nesterov": nesterov, "rmsprop": [0.8] * 12}
    found = decide(TWELVE, final(TWELVE, results))
    assert found.kind == "tie"
    assert found.sentence.startswith(
        "adamw and nesterov tie: adamw leads by 0.1 points of accuracy (95 % interval −0.1 to 0.3, "
        "12 paired seeds); about "
    )
    assert found.sentence.endswith(" seeds would tell them apart; rmsprop is behind.")


def test_not_enough():
    nesterov, adamw = spaced(0.006, 0.008)
    found = decide(TWELVE, final(TWELVE, {"adamw": adamw, "nesterov": nesterov}))
    assert found.kind == "not_enough"
    assert found.sentence.startswith(
        "not enough seeds to say that adamw is best: adamw is ahead of nesterov by 0.6"
    )
    assert found.finalists[1].seeds_needed > 12


def test_never_a_claim_under_six_pairs():
    five = plan(pairs=5)
    found = decide(five, final(five, {"adamw": [0.9] * 5, "nesterov": [0.5] * 5}))
    assert found.kind == "not_enough"
    assert "a claim takes at least 6 seeds" in found.sentence
    same = decide(five, final(five, {"adamw": [0.9] * 5, "nesterov": [0.9] * 5}))
    assert same.kind == "not_enough"


def test_an_unfinished_final_claims_nothing():
    results = {"adamw": [0.9] * 12, "nesterov": [0.5] * 12}
    assert decide(TWELVE, final(TWELVE, results)).kind == "better"
    early = [o for o in final(TWELVE, results) if o.seed < TWELVE.final_seeds[8]]
    found = decide(TWELVE, early)
    assert found.kind == "not_enough"
    assert "not finished (8 of 12 seeds)" in found.notes[0]


def test_a_finalist_that_diverged_once_cannot_win_and_is_named():
    results = {"adamw": [0.9] * 12, "nesterov": [0.95] * 11 + [None], "baseline": [0.8] * 12}
    found = decide(TWELVE, final(TWELVE, results))
    assert found.winner_label == "adamw"
    assert found.finalists[-1].label == "nesterov"
    assert (found.finalists[-1].failures, found.finalists[-1].n) == (1, 11)
    assert "nesterov failed on 1 of 12 seeds of the final, so it cannot win." in found.notes
    assert found.pairs == 12


def test_the_baseline_can_win():
    found = decide(TWELVE, final(TWELVE, {"adamw": [0.8] * 12, "baseline": [0.9] * 12}))
    assert found.winner == BASELINE
    assert found.baseline_sentence.startswith(
        "No recipe that was tried did better than torch's default AdamW"
    )


def test_the_winner_is_not_said_to_beat_a_baseline_that_it_does_not_beat():
    base, adamw = spaced(0.006, 0.008)
    found = decide(TWELVE, final(TWELVE, {"adamw": adamw, "baseline": base}))
    assert found.baseline_sentence.startswith("adamw is not shown to beat torch's default AdamW")


@pytest.mark.parametrize("results", [{}, {"adamw": [None] * 12, "baseline": [None] * 12}])
def test_no_result(results):
    found = decide(TWELVE, final(TWELVE, results))
    assert (found.kind, found.winner) == ("no_result", None)
    assert found.sentence.startswith("no result: ")


def test_a_result_that_is_not_a_number_is_a_failure():
    found = decide(TWELVE, final(TWELVE, {"adamw": [0.9] * 12, "nesterov": [float("nan")] * 12}))
    assert found.finalists[-1].failures == 12
    assert found.sentence.startswith("adamw is the only finalist that trained on every seed")
    assert found.kind == "not_enough"


# -- edges


def test_a_finalist_on_the_edge_of_its_space_is_told():
    outcomes = final(TWELVE, {"adamw": [0.9] * 12})
    at_edge = [
        Outcome.of(RunSpec(Recipe("adamw", 0.029), o.seed, o.steps, "final", "adamw"), test_metric=0.9)
        for o in outcomes
    ]
    found = decide(TWELVE, at_edge)
    (edge,) = [e for e in found.edges if e.hyper == "lr"]
    assert (edge.side, edge.widened) == ("high", None)
    further = Outcome.of(RunSpec(Recipe("adamw", 0.08), 1, 400, "refine", "adamw"), valid_metric=0.1)
    (edge,) = [e for e in decide(TWELVE, [*at_edge, further]).edges if e.hyper == "lr"]
    assert edge.widened == 0.08
    assert edge.sentence() in decide(TWELVE, [*at_edge, further]).notes
    assert "the search went on to 0.08" in edge.sentence()


def test_a_finalist_inside_its_space_is_on_no_lr_edge():
    found = decide(TWELVE, final(TWELVE, {"adamw": [0.9] * 12, "baseline": [0.8] * 12}))
    assert [e for e in found.edges if e.hyper == "lr"] == []
