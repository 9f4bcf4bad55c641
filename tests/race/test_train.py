import dataclasses
import json
from pathlib import Path
from time import perf_counter

import pytest
import torch

from thalweg.errors import UserError
from thalweg.race import driver
from thalweg.race.driver import conduct
from thalweg.race.job import Job, Request, make_folder
from thalweg.race.ledger import FILE, Ledger
from thalweg.race.live import SilentView
from thalweg.race.recipe import Recipe
from thalweg.race.saved import SavedRecipe
from thalweg.race.train import train
from thalweg.tasks import Task, check, load


@pytest.fixture
def task(tiny) -> Task:
    return dataclasses.replace(load(tiny), source="")


@pytest.fixture
def folder(task, tmp_path, monkeypatch) -> Path:
    """A race that is over."""
    monkeypatch.setattr(driver, "cores", lambda: 1)
    request = Request("", ("sgd",), steps=40, workers=1)
    place = make_folder(tmp_path / "race")
    conduct(Job(task, request, place, perf_counter(), check(task)), SilentView())
    return place


def test_the_races_run_again_and_what_is_not_it(task, folder):
    path = folder / "recipe.json"
    saved = SavedRecipe.read(path)
    again = train(task, path)
    assert again.same is True
    assert again.comparison.startswith(f"reproduces the race's run exactly (seed {saved.proof.seed}")
    with Ledger.open(folder / FILE) as ledger:
        row = next(
            row
            for row in ledger.runs()
            if (row["phase"], row["seed"], row["recipe_id"]) == ("final", saved.proof.seed, saved.recipe.id)
        )
    assert again.result.weights == row["weights"]
    assert again.result.test_loss == row["test_loss"]
    points = [{**point, "seconds": 0} for point in again.result.curve]
    assert points == [{**point, "seconds": 0} for point in row["curve"]]
    right = (again.model(task.test[0]).argmax(1) == task.test[1]).float().mean().item()
    assert right == pytest.approx(again.result.test_metric)

    other = train(task, saved, seed=saved.proof.seed + 1)
    assert other.same is None
    assert f"seed {saved.proof.seed + 1}, not {saved.proof.seed}" in other.comparison
    longer = train(task, saved, steps=50)
    assert longer.same is None
    assert "steps 50, not 40" in longer.comparison
    assert longer.result.curve[-1]["step"] == 50
    elsewhere = train(dataclasses.replace(task, file_hash="other"), saved)
    assert elsewhere.same is None
    assert "another task" in elsewhere.comparison


def test_a_difference_is_said_with_its_likely_cause(task, folder):
    saved = SavedRecipe.read(folder / "recipe.json")
    figures = {**saved.proof.figures, "test_metric": 0.5, "weights": "0" * 16}
    proof = dataclasses.replace(saved.proof, figures=figures)
    changed = dataclasses.replace(saved, proof=proof, versions={**saved.versions, "torch": "1.0"})
    done = train(task, changed)
    assert done.same is False
    assert done.comparison.startswith("differs from the race's run: test accuracy")
    assert f"torch {saved.versions['torch']} here, 1.0 there" in done.comparison


def test_a_plain_recipe_leaves_the_process_as_it_was(task):
    threads = torch.get_num_threads()
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    done = train(task, Recipe("adamw", 0.01), seed=1, threads=threads + 1)
    assert torch.equal(torch.rand(2), expected)
    assert torch.get_num_threads() == threads
    assert (done.same, done.comparison) == (None, "")
    assert done.result.curve[-1]["step"] == task.full_steps
    assert train(task, Recipe("adamw", 0.01), seed=1, threads=1).result.status == "ok"


def test_a_training_that_does_not_end_well_is_an_error(task):
    wide = dataclasses.replace(task, loss=lambda m, b: (m(b[0])[:, 0] - b[1]).square().mean())
    with pytest.raises(UserError, match="the training diverged: step"):
        train(wide, Recipe("sgd", 1e3, decay="constant"), steps=200)
    with pytest.raises(UserError, match=r"the training failed: .*ZeroDivisionError"):
        train(dataclasses.replace(task, loss=lambda m, b: 1 / 0), Recipe("sgd", 0.1), steps=40)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seed": -1}, "seed is -1"),
        ({"steps": 0}, "steps is 0"),
        ({"threads": 1.5}, "threads is 1.5"),
        ({"device": "cuda:9"}, "device 'cuda:9'"),
        ({"device": "abacus"}, "no device called 'abacus'"),
    ],
)
def test_wrong_arguments(task, options, words):
    with pytest.raises(UserError, match=words):
        train(task, Recipe("sgd", 0.1), **options)


def test_a_recipe_file_survives_a_round_trip(folder, tmp_path):
    saved = SavedRecipe.read(folder / "recipe.json")
    saved.write(tmp_path / "copy.json")
    assert SavedRecipe.read(tmp_path / "copy.json") == saved
    assert (tmp_path / "copy.json").read_text() == (folder / "recipe.json").read_text()
    assert {"python", "torch", "thalweg", "numpy"} <= set(saved.versions)
    assert {"system", "processor", "cores"} <= set(saved.machine)
    assert saved.task["name"] == "tiny"


def broken(folder: Path, change) -> Path:
    content = json.loads((folder / "recipe.json").read_text())
    path = folder / "broken.json"
    path.write_text(json.dumps(change(content)))
    return path


def without(name):
    return lambda content: {key: value for key, value in content.items() if key != name}


BROKEN = {
    "no mapping": (lambda content: [content], "is no recipe"),
    "something else": (lambda content: {"x": 1}, "is no recipe"),
    "another format": (lambda content: {**content, "format": "thalweg recipe 9"}, "this version reads"),
    "no proof": (without("proof"), "is damaged"),
    "no steps": (without("steps"), "is damaged"),
    "steps in words": (lambda content: {**content, "steps": "many"}, "is damaged"),
    "a stranger": (lambda content: {**content, "surprise": 1}, "is damaged"),
    "recipe of nothing": (
        lambda content: {**content, "recipe": {"optimizer": "adamv", "lr": 1}},
        "is damaged",
    ),
    "a negative rate": (
        lambda content: {**content, "recipe": {**content["recipe"], "lr": -1}},
        "is damaged",
    ),
}


def test_what_is_no_recipe_file_is_refused(folder, tmp_path):
    for change, words in BROKEN.values():
        path = broken(folder, change)
        with pytest.raises(UserError, match=words) as caught:
            SavedRecipe.read(path)
        assert str(path) in str(caught.value)
    (tmp_path / "text").write_text("adamw, lr 3e-3")
    with pytest.raises(UserError, match="it is not JSON"):
        SavedRecipe.read(tmp_path / "text")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="it is not JSON"):
        SavedRecipe.read(tmp_path / "bytes")
    with pytest.raises(UserError, match="cannot read the recipe"):
        SavedRecipe.read(tmp_path / "nothing.json")
    with pytest.raises(UserError, match="cannot read the recipe"):
        SavedRecipe.read(tmp_path)
