import pytest

from tests.race.ledgers import plan
from thalweg.errors import UserError
from thalweg.race.plan import Plan, total_runs, total_steps


def test_json_and_back():
    a_plan = plan(versions={"torch": "2.13.0"})
    assert Plan.from_json(a_plan.to_json()) == a_plan
    assert Plan.from_json(a_plan.to_json()).id == a_plan.id


def test_the_id_tells_plans_apart():
    ids = {
        plan().id,
        plan(seed=1).id,
        plan(pairs=7).id,
        plan(task_hash="x").id,
        plan(versions={"torch": "1"}).id,
    }
    assert len(ids) == 5


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"task": "t"}', '{"optimizers": ["adamw"], "fun": 1}'])
def test_another_text_is_no_plan(text):
    with pytest.raises(UserError, match="not a plan"):
        Plan.from_json(text)


def test_totals_by_hand():
    # 3 x 4 short runs of 100; 4 heats, 2 x 3 refining, 3 x 6 final runs of 400
    assert total_runs(plan()) == 12 + 4 + 6 + 18
    assert total_steps(plan()) == 12 * 100 + (4 + 6 + 18) * 400


def test_a_plan_is_told_in_plain_lines():
    assert plan().describe() == [
        "screen    3 optimizers x 4 recipes, 100 steps each",
        "heats     4 of them at full length, 400 steps",
        "refine    6 recipes near the leaders, in 2 rounds",
        "final     2 finalists and torch's default AdamW on 6 fresh seeds, 400 steps each",
    ]


def test_a_plan_s_optimizers_and_purpose_are_checked():
    with pytest.raises(UserError, match="did you mean"):
        plan(optimizers=("adamv",))
    with pytest.raises(UserError, match="purpose"):
        plan(purpose="fun")
