import dataclasses
import json
import random
import re
import sqlite3
from pathlib import Path
from time import perf_counter

import pytest

from thalweg.errors import UserError
from thalweg.race import driver
from thalweg.race.driver import conduct
from thalweg.race.job import Job, Request, make_folder, new_folder, stored_request
from thalweg.race.ledger import FILE, Ledger, lock
from thalweg.race.live import SilentView
from thalweg.race.plan import total_runs
from thalweg.race.saved import SavedRecipe
from thalweg.tasks import Task, check, load

WALL = ("seconds", "step_ms", "optimizer_ms", "started", "finished", "curve")


@pytest.fixture
def task(tiny) -> Task:
    """The tiny task, without a file that workers could load it from: it is raced in this process."""
    return dataclasses.replace(load(tiny), source="")


@pytest.fixture(autouse=True)
def _one_core(monkeypatch):
    """Threads that wait for each other take for ever where other tests use the cores."""
    monkeypatch.setattr(driver, "cores", lambda: 1)


def job(task: Task, folder: Path, **request) -> Job:
    asked = Request("", ("sgd", "adamw"), **{"steps": 40, "workers": 1, **request})
    return Job(task, asked, folder, perf_counter(), check(task))


def race(task: Task, folder: Path, **request):
    make_folder(folder)
    return conduct(job(task, folder, **request), SilentView())


def resume(task: Task, folder: Path):
    return conduct(Job(task, stored_request(folder), folder, perf_counter()), SilentView())


def rows(folder: Path) -> list[dict]:
    with Ledger.open(folder / FILE) as ledger:
        return ledger.runs()


def lasting(folder: Path) -> list[dict]:
    """What must be the same however often a race was interrupted."""
    return [{name: value for name, value in row.items() if name not in WALL} for row in rows(folder)]


def forget(folder: Path, keys: list[str]) -> None:
    connection = sqlite3.connect(folder / FILE)
    connection.executemany("DELETE FROM runs WHERE key = ?", [(key,) for key in keys])
    connection.execute("DELETE FROM meta WHERE key IN ('verdict', 'ended')")
    connection.commit()
    connection.close()


def test_a_race_from_beginning_to_end_and_from_anywhere_in_between(task, tmp_path, monkeypatch):
    folder = tmp_path / "race"
    verdict = race(task, folder)
    finished = rows(folder)
    with Ledger.open(folder / FILE) as ledger:
        meta = ledger.meta()
        plan = driver.stored_plan(ledger)
    assert plan is not None
    assert len(finished) == total_runs(plan)
    assert {row["phase"] for row in finished} == {"screen", "heats", "refine", "final"}
    assert all((row["test_metric"] is not None) == (row["phase"] == "final") for row in finished)
    assert meta["plan_id"] == plan.id
    assert meta["verdict"]["sentence"] == verdict.sentence
    assert plan.task_hash == task.hash

    saved = SavedRecipe.read(folder / "recipe.json")
    assert saved.recipe == verdict.winner
    own = [row for row in finished if row["phase"] == "final" and row["label"] == verdict.winner_label]
    assert saved.proof.seed == min(row["seed"] for row in own)
    assert saved.proof.figures["test_metric"] == next(
        row["test_metric"] for row in own if row["seed"] == saved.proof.seed
    )
    assert saved.recipe.id in (folder / "train.py").read_text()
    before, files = lasting(folder), (folder / "recipe.json").read_text()

    # A plan is never made twice.
    monkeypatch.setattr(driver, "make_plan", None)
    # Whatever is missing, in whatever order it had come in, a resumed race does that, and no more.
    chance = random.Random(0)
    in_order = [row["key"] for row in sorted(finished, key=lambda row: row["started"])]
    for keep in (0, 1, 17, 25, 40, len(in_order) - 1, len(in_order)):
        kept = in_order[:keep]
        if keep == 40:  # a phase in which later runs ended before earlier ones
            kept = in_order[:35] + chance.sample(in_order[35:], 5)
        forget(folder, [key for key in in_order if key not in kept])
        stamps = {row["key"]: row["finished"] for row in rows(folder)}
        assert len(stamps) == keep
        assert resume(task, folder) == verdict
        assert lasting(folder) == before
        assert stamps.items() <= {row["key"]: row["finished"] for row in rows(folder)}.items()
        assert (folder / "recipe.json").read_text() == files


def test_another_seed_is_another_race(task, tmp_path):
    first, second = race(task, tmp_path / "1"), race(task, tmp_path / "2", seed=1)
    assert first != second
    assert not {row["seed"] for row in rows(tmp_path / "1")} & {row["seed"] for row in rows(tmp_path / "2")}


def test_a_race_that_is_over_runs_nothing(task, tmp_path, monkeypatch):
    verdict = race(task, tmp_path)
    monkeypatch.setattr(driver.InProcessExecutor, "submit", None)
    assert resume(task, tmp_path) == verdict


def test_every_recipe_may_fail_and_the_race_still_ends(task, tmp_path):
    def hopeless(model, batch):
        loss = task.loss(model, batch)
        return loss * float("nan") if model.training and count_up() > 4 else loss

    seen = []

    def count_up():
        seen.append(1)
        return len(seen)

    verdict = race(dataclasses.replace(task, loss=hopeless, file_hash="x"), tmp_path)
    assert verdict.kind == "no_result"
    assert verdict.winner is None
    assert not (tmp_path / "recipe.json").exists()
    assert {row["status"] for row in rows(tmp_path)} == {"diverged"}


def test_another_task_does_not_go_on_with_a_ledger(task, tmp_path):
    race(task, tmp_path)
    other = dataclasses.replace(task, file_hash="changed")
    with pytest.raises(UserError, match=r"task tiny or its data has changed .*another folder"):
        resume(other, tmp_path)


def test_other_versions_do_not_go_on_with_a_ledger(task, tmp_path, monkeypatch):
    race(task, tmp_path)
    here = driver.versions()
    monkeypatch.setattr(driver, "versions", lambda: {**here, "torch": "9.9"})
    with pytest.raises(UserError, match=rf"began with torch {re.escape(here['torch'])}, and this is 9.9"):
        resume(task, tmp_path)


def test_a_folder_with_a_race_takes_no_other(task, tmp_path):
    race(task, tmp_path)
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(UserError, match=r"holds a race of tiny with \d+ finished runs; go on with it"):
        make_folder(tmp_path)
    with pytest.raises(UserError, match="another race has begun"):
        conduct(job(task, tmp_path, steps=50), SilentView())
    assert (tmp_path / FILE).read_bytes() == before


def test_a_folder_in_use_takes_no_other(tmp_path):
    with lock(tmp_path), pytest.raises(UserError, match="another race is running"):
        make_folder(tmp_path)


def test_a_budget_too_small_leaves_nothing_behind(task, tmp_path):
    folder = tmp_path / "race"
    with pytest.raises(UserError, match="too small"):
        race(task, folder, budget=0.001, steps=None)
    assert not folder.exists()


def test_nothing_to_resume(tmp_path):
    with pytest.raises(UserError, match="there is no race to resume"):
        stored_request(tmp_path)
    (tmp_path / FILE).touch()
    with pytest.raises(UserError, match="had not begun; begin it"):
        stored_request(tmp_path)


def test_folders_are_numbered(task, tmp_path):
    made = [new_folder(task, tmp_path / "runs") for _ in range(3)]
    assert [folder.name for folder in made] == ["tiny-1", "tiny-2", "tiny-3"]
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="choose one with --out"):
        new_folder(task, tmp_path / "file")
    with pytest.raises(UserError, match="choose another --out"):
        make_folder(tmp_path / "file" / "x")


def test_the_request_is_kept(task, tmp_path):
    race(task, tmp_path, seed=3)
    assert stored_request(tmp_path) == Request("", ("sgd", "adamw"), steps=40, workers=1, seed=3)


def test_the_ledgers_json_is_strict(task, tmp_path):
    race(task, tmp_path)
    connection = sqlite3.connect(tmp_path / FILE)
    texts = [
        text for (text,) in connection.execute("SELECT value FROM meta UNION ALL SELECT curve FROM runs")
    ]
    connection.close()

    def refuse(name):
        raise AssertionError(name)

    for text in texts:
        json.loads(text, parse_constant=refuse)
