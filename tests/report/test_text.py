"""Sentences, in the cases that are easy to get wrong: one, none, ties, failures, lower is better."""

import pytest

from thalweg.report import measures, parts, text
from thalweg.report.model import Race, race_from

Row = dict[str, object]
FINALISTS = [("adamw", 0.90), ("sgd", 0.88), ("baseline", 0.85)]


def row(label: str, seed: int, value: float | None, **more: object) -> Row:
    optimizer = "adamw" if label == "baseline" else label
    curve = [{"step": 50, "valid_metric": value, "train_loss": 0.5, "seconds": 1.0}] if value else []
    base: Row = {"phase": "final", "label": label, "optimizer": optimizer, "recipe_id": label, "seed": seed}
    base |= {"recipe": {"optimizer": optimizer, "lr": 3e-3}, "steps": 50, "curve": curve, "reason": "nan"}
    base |= {"status": "ok" if value else "diverged", "test_metric": value, "valid_metric": value}
    return base | {"train_metric": value, "step_ms": 2.0, "optimizer_ms": 0.1, "state_bytes": 800} | more


def claim(label: str, mean: float, first: float, *, beaten: bool) -> Row:
    base: Row = {"label": label, "id": label, "n": 2, "mean": mean, "sd": 0.002}
    base |= {"low": mean - 0.01, "high": mean + 0.01, "beaten": beaten}
    if mean != first:
        diff = mean - first
        base |= {"diff_to_winner": diff, "diff_low": diff - 0.004, "diff_high": diff + 0.004}
    return base


def race(
    *rows: Row, finalists: list[tuple[str, float]] = FINALISTS, kind: str = "better", **plan: object
) -> Race:
    given = rows or tuple(row(label, seed, mean) for label, mean in finalists for seed in (1, 2))
    first = finalists[0][1]
    claims = [claim(label, mean, first, beaten=kind == "better") for label, mean in finalists]
    verdict = {"kind": kind, "winner": {"optimizer": finalists[0][0], "lr": 3e-3}, "finalists": claims}
    about = {"optimizers": ["adamw", "sgd"], "steps": 50, "metric_name": "accuracy", **plan}
    return race_from(given, {"plan": about, "facts": {"parameters": 100}}, verdict)


def test_the_ranking_claims_what_the_verdict_claims() -> None:
    said = text.ranking(race())
    assert said == (
        "adamw reaches a test accuracy of 90.0 % over 2 fresh seeds: it beats sgd (difference 2.0 points, "
        "95 % interval 1.6 to 2.4); it beats torch's default AdamW (difference 5.0 points, "
        "95 % interval 4.6 to 5.4)."
    )
    assert "is not shown to beat sgd" in text.ranking(race(kind="not_enough"))


def test_lower_is_better_turns_the_lead_around() -> None:
    seen = race(
        finalists=[("adamw", 2.0), ("sgd", 2.1)], higher_is_better=False, metric_name="bits per character"
    )
    said = text.ranking(seen)
    assert "a test bits per character of 2.000" in said
    assert "it beats sgd (difference 0.100, 95 % interval 0.096 to 0.104)" in said


def test_a_lone_finalist_is_compared_with_nobody() -> None:
    assert text.ranking(race(finalists=[("sgd", 0.9)])).endswith("nothing else was confirmed beside it.")


def test_curves_that_end_level_have_no_last_one() -> None:
    seen = race(finalists=[("adamw", 0.9), ("sgd", 0.9)])
    assert "all finalists stand level on the validation data, at 90.0 %" in text.curves(
        seen, parts.finalists(seen)
    )
    seen = race(finalists=[("adamw", 0.9), ("sgd", 0.9), ("baseline", 0.85)])
    said = text.curves(seen, parts.finalists(seen))
    assert "adamw and sgd are best" in said
    assert "torch's default AdamW last, at 85.0 %" in said


def test_failed_finals_are_said_to_be_left_out() -> None:
    one = race(row("adamw", 1, 0.9), row("adamw", 2, None), finalists=FINALISTS[:1])
    assert text.left_out(one.contenders) == " 1 of the 2 runs of adamw failed and is in no mean."
    assert text.left_out(race().contenders) == ""


def search(*lrs: tuple[float, float | None]) -> Race:
    rows = [
        row("adamw", i, value, phase="screen", recipe={"optimizer": "adamw", "lr": lr})
        for i, (lr, value) in enumerate(lrs)
    ]
    return race(*rows)


@pytest.mark.parametrize(
    ("lrs", "said"),
    [
        ([(1e-3, 0.9)], "rate found is 1e-3 for adamw (the same). No run failed."),
        (
            [(4e-3, 0.9), (1.0, None)],
            "4e-3 for adamw (4 times higher). One run failed (crosses at the bottom).",
        ),
        ([(2e-4, 0.9), (1.0, None), (2.0, None)], "2e-4 for adamw (5 times lower). 2 runs failed"),
        ([(1.0, None)], "No run came to its end"),
    ],
)
def test_learning_rates_are_set_against_the_default(lrs: list[tuple[float, float | None]], said: str) -> None:
    seen = search(*lrs)
    assert said in text.sensitivity(seen, parts.panels(seen))


def test_costs() -> None:
    seen = race()
    assert text.cost(seen, measures.costs(seen)) == (
        "A step of adamw takes 2.0 ms; its optimizer is 5 % of that and keeps 8 bytes a parameter. "
        "All steps cost nearly the same."
    )
    dear = race(row("adamw", 1, 0.9), row("sgd", 1, 0.8, step_ms=9.0))
    assert text.cost(dear, measures.costs(dear)).endswith("The dearest step is that of sgd, 9.0 ms.")


def test_the_gap_knows_its_direction() -> None:
    seen = race(row("adamw", 1, 0.9, train_metric=0.95), row("sgd", 1, 0.8, train_metric=0.81))
    said = text.gap(seen, measures.gaps(seen))
    assert said == (
        "With adamw, accuracy is 5.0 points better on the training data than on the test data; "
        "the smallest gap is 1.0 points, of sgd."
    )


def test_counts_of_failures() -> None:
    def said(*rows: Row) -> str:
        seen = race(*rows)
        return text.failed(seen, measures.failures(seen))

    assert said(row("sgd", 1, 0.9)) == "The only run came to its end."
    assert said(row("sgd", 1, 0.9), row("sgd", 2, 0.9)) == "All 2 runs came to their end."
    assert said(row("sgd", 1, None)) == "The only run failed."
    assert said(row("sgd", 1, None), row("sgd", 2, None)) == "All 2 runs failed."
    assert said(row("sgd", 1, None), row("sgd", 2, 0.9)) == "1 of 2 runs failed: 1 of sgd."


def test_edges_are_counted() -> None:
    assert text.edges([]) == "No best value lies at the edge of its search space."
    assert text.edges([1]).startswith("One best value lies")
    assert text.edges([1, 2]).startswith("2 best values lie")


def test_a_verdict_begins_with_a_capital_unless_with_an_optimizer() -> None:
    def said(sentence: str) -> str:
        plan = {"optimizers": ["adamw"]}
        return text.verdict(race_from([], {"plan": plan}, {"sentence": sentence}))

    assert said("no result: nothing.") == "No result: nothing."
    assert said("adamw beats sgd.") == "adamw beats sgd."


def test_the_headline_is_one_statement_and_the_rest_stands_below() -> None:
    def split(sentence: str) -> tuple[str, str]:
        plan = {"optimizers": ["adamw"]}
        return text.headline(race_from([], {"plan": plan}, {"sentence": sentence}))

    beats = "adamw beats sgd by 0.4 points (95 % interval 0.1 to 0.7, 12 paired seeds)"
    assert split(f"{beats}; rmsprop is behind.") == (f"{beats}.", "Rmsprop is behind.")
    assert split(f"{beats}.") == (f"{beats}.", "")
    assert split("not enough seeds to say that adamw is best: adamw is ahead by 0.1; a; b.") == (
        "Not enough seeds to say that adamw is best.",
        "adamw is ahead by 0.1; a; b.",
    )
