import dataclasses

import pytest

from thalweg.errors import UserError
from thalweg.race import calibrate as calibrating
from thalweg.race.calibrate import (
    FEW,
    Speed,
    best,
    calibrate,
    calibrate_here,
    recipes_to_warm,
    speed,
    splits,
    weights_of,
)
from thalweg.race.executor import LocalExecutor
from thalweg.race.run import returned_process
from thalweg.tasks import Task, load


@pytest.fixture
def task(tiny) -> Task:
    return load(tiny)


@pytest.fixture(autouse=True)
def _process():
    with returned_process():
        yield


def test_splits_use_the_cores_once():
    for cores in (1, 2, 3, 4, 7, 8, 12):
        for workers, threads in splits(cores):
            assert 1 <= workers * threads <= cores
        assert splits(cores)[0][1] == 1
    assert splits(2) == [(2, 1), (1, 2)]
    assert splits(64)[0] == (8, 1)
    assert splits(2, workers=5) == [(5, 1)]


def test_more_threads_have_to_be_clearly_better():
    two = Speed(2, 1, 0.010, 0.1)  # 200 steps a second
    assert best([two, Speed(1, 2, 0.0049, 0.1)]) == two  # 204
    assert best([two, Speed(1, 2, 0.0030, 0.1)]).threads == 2  # 333


def test_every_kernel_of_a_race_is_warmed():
    recipes = recipes_to_warm(["adamw", "sgd"])
    assert {(recipe.optimizer, recipe.clip) for recipe in recipes} == {
        ("adamw", None),
        ("adamw", 1.0),
        ("sgd", None),
        ("sgd", 1.0),
    }


def test_the_speed_is_that_of_the_task(task, monkeypatch):
    now = 0.0

    def slow(model, batch):
        nonlocal now
        now += 0.02 if model.training else 0.06
        return task.loss(model, batch)

    monkeypatch.setattr(calibrating, "perf_counter", lambda: now)
    measured = speed(dataclasses.replace(task, loss=slow, source=""), "cpu", 1, 0.3, [])
    assert measured["step"] == pytest.approx(0.02)
    assert measured["look"] == pytest.approx(0.06)


def test_kernels_are_warmed_before_anything_is_measured(task):
    steps = []

    def counting(model, batch):
        steps.append(model.training)
        return task.loss(model, batch)

    counted = dataclasses.replace(task, loss=counting, source="")
    speed(counted, "cpu", 1, 0.0, [])
    alone = sum(steps)
    steps.clear()
    speed(counted, "cpu", 1, 0.0, [recipe.to_json() for recipe in recipes_to_warm(["sgd"])])
    assert sum(steps) == alone + 4 * FEW


def test_dear_optimizers_are_weighed(task):
    found = speed(task, "cpu", 1, 0.0, [recipe.to_json() for recipe in recipes_to_warm(["lbfgs", "sgd"])])
    weights = weights_of([found])
    assert set(weights) == {"adamw", "lbfgs", "sgd"}
    assert all(0.05 < weight < 50 for weight in weights.values())


def test_a_task_that_fails_while_it_is_measured_is_told(task):
    def failing(model, batch):
        raise KeyError("lost")

    with pytest.raises(UserError, match="KeyError: 'lost'"):
        speed(dataclasses.replace(task, loss=failing, source=""), "cpu", 1, 0.1, [])


def test_divergence_while_it_is_measured_is_none_of_its_business(task):
    def nan(model, batch):
        return task.loss(model, batch) * float("nan")

    measured = calibrate_here(dataclasses.replace(task, loss=nan, source=""), "cpu", [(1, 1)], ["sgd"], 0.01)
    assert measured.step_seconds > 0


def test_workers_are_measured_together(tiny, tmp_path):
    text = tiny.read_text().replace("def loss(model, batch):", "def loss(model, batch):\n    mark()")
    mark = f"""
import os
def mark():
    with open({str(tmp_path / "marks")!r}, "a") as file:
        file.write(f"{{os.getpid()}} {{torch.get_num_threads()}}\\n")
"""
    tiny.write_text(text.replace("generator = ", f"{mark}\ngenerator = ", 1))
    executor = LocalExecutor(str(tiny), 2, tmp_path / "log")
    try:
        found = calibrate(executor, "cpu", [(2, 1), (1, 2)], ["sgd"], 0.05)
    finally:
        executor.close()
    assert (found.workers, found.threads) in [(2, 1), (1, 2)]
    marks = {tuple(map(int, line.split())) for line in (tmp_path / "marks").read_text().splitlines()}
    assert len({pid for pid, threads in marks if threads == 1}) == 2
    assert len({pid for pid, threads in marks if threads == 2}) == 1


def test_a_task_that_kills_its_worker_while_it_is_measured_ends_the_race(tiny, tmp_path):
    tiny.write_text(
        tiny.read_text().replace(
            "def loss(model, batch):", "def loss(model, batch):\n    import os; os._exit(3)"
        )
    )
    executor = LocalExecutor(str(tiny), 1, tmp_path / "log")
    try:
        with pytest.raises(UserError, match=r"die at their start \(exit code 3\)"):
            calibrate(executor, "cpu", [(1, 1)], ["sgd"], 0.05)
    finally:
        executor.close()
