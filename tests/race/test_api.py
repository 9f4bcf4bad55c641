import dataclasses

import pytest

import thalweg
from thalweg.errors import UserError
from thalweg.race import api, driver
from thalweg.race.api import finish, prepare, resume, seconds
from thalweg.race.ledger import Ledger
from thalweg.race.live import SilentView
from thalweg.race.priors import PRIORS
from thalweg.tasks import Task, load


@pytest.fixture
def task(tiny, monkeypatch) -> Task:
    """A task made in Python: no file to load it from."""
    monkeypatch.chdir(tiny.parent)
    monkeypatch.setattr(driver, "cores", lambda: 1)
    return dataclasses.replace(load(tiny), source="", file_hash="")


def test_a_race_in_python(task, capsys):
    result = thalweg.race(task, steps=40, optimizers=["sgd"], quiet=True)
    assert capsys.readouterr().out == ""
    assert result.verdict.winner == result.recipe
    assert result.folder.name == "tiny-1"
    assert "<html" in result.report.read_text()
    with Ledger.open(result.ledger) as ledger:
        assert ledger.meta()["request"]["optimizers"] == ["sgd"]
    trained = thalweg.train(task, result.recipe_file)
    assert trained.same is True
    # It goes on in Python too, with the task that only Python has.
    with pytest.raises(UserError, match="a task made in Python; resume it there"):
        resume(result.folder)
    again = finish(resume(result.folder, task), SilentView())
    assert again.verdict == result.verdict


def test_all_optimizers_that_can_run_race(task, monkeypatch):
    monkeypatch.setattr(driver, "too_slow", lambda weights: {"sgd": "it is slow"} if weights else {})
    result = thalweg.race(task, steps=40, optimizers="all", out="all", quiet=True)
    assert set(result.left_out) == {"newton", "coordinate_descent", "sgd"}
    assert "52 gradient evaluations" in result.left_out["coordinate_descent"]
    with Ledger.open(result.ledger) as ledger:
        meta, rows = ledger.meta(), ledger.runs()
    racers = set(PRIORS) - set(result.left_out)
    assert set(meta["plan"]["optimizers"]) == racers
    assert {row["optimizer"] for row in rows if row["phase"] == "screen"} == racers
    assert not [row["reason"] for row in rows if row["status"] == "failed"]
    page = result.report.read_text()
    assert all(name in page for name in result.left_out)
    with pytest.raises(UserError, match="newton cannot race here: a step takes 53 gradient evaluations"):
        thalweg.race(task, steps=40, optimizers="newton", out="one", quiet=True)


def test_a_budget_in_time_decides_the_plan(task):
    result = thalweg.race(task, "20s", optimizers=["sgd"], compare=True, out="x", quiet=True)
    with Ledger.open(result.ledger) as ledger:
        meta = ledger.meta()
    assert meta["request"]["budget"] == 20.0
    assert meta["plan"]["purpose"] == "compare"
    assert meta["speed"]["step_seconds"] > 0
    assert meta["plan"]["steps"] <= task.full_steps


def test_three_minutes_when_nothing_is_said(task):
    assert prepare(task, out="a").request.budget == 180
    assert prepare(task, steps=50, out="b").request.budget is None
    assert prepare(task, out="c").request.optimizers == api.OPTIMIZERS


@pytest.mark.parametrize(
    ("text", "value"),
    [("90s", 90), ("3m", 180), ("1h", 3600), ("1m30s", 90), ("1h1m1s", 3661), ("0.5m", 30), (" 2M ", 120)],
)
def test_budgets(text, value):
    assert seconds(text) == value


@pytest.mark.parametrize(
    "text", ["", "3", "m", "3 minutes", "-3m", "3x", "1s1m", "0s", "nan", 0, -1, float("inf")]
)
def test_what_is_no_budget(text):
    with pytest.raises(UserError, match="budget"):
        seconds(text)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"steps": 1.5}, "steps is 1.5"),
        ({"workers": 0}, "workers is 0"),
        ({"workers": 2}, "runs in this process alone"),
        ({"seed": -1}, "seed is -1"),
        ({"optimizers": []}, "no optimizer to race"),
        ({"optimizers": ["adamv"]}, "did you mean"),
        ({"device": "abacus"}, "no device called"),
    ],
)
def test_wrong_arguments_make_no_folder(task, tmp_path, options, words):
    with pytest.raises(UserError, match=words):
        thalweg.race(task, out=tmp_path / "new", quiet=True, **options)
    assert not (tmp_path / "new").exists()
