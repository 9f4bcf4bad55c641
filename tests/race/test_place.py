"""The place that is measured: the very end of a race's run, a checkpoint, or a short training."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from thalweg.errors import UserError
from thalweg.race import place
from thalweg.race.plan import Plan
from thalweg.race.recipe import Recipe
from thalweg.race.run import run
from thalweg.race.saved import SavedRecipe, save_proof, versions
from thalweg.race.training import digest
from thalweg.tasks import Task, load

RECIPE = Recipe("adamw", 1e-2, {"weight_decay": 0.1}, warmup=0.05, clip=1.0)


@pytest.fixture
def task(tiny: Path) -> Task:
    return load(tiny)


@pytest.fixture
def saved(task: Task, tmp_path: Path) -> SavedRecipe:
    threads = torch.get_num_threads()
    result = run(task, RECIPE, 100, 40, threads=1, evals=20, test=True)
    torch.set_num_threads(threads)
    row = {**vars(result), "recipe": json.loads(RECIPE.to_json()), "seed": 100, "steps": 40}
    counts = {"trials": 1, "heats": 1, "rounds": 0, "points": 0, "finalists": 1, "pairs": 1}
    plan = Plan("tiny", ("adamw",), 40, 10, **counts, versions=versions())
    about = {"name": "tiny", "source": task.source, "hash": task.hash}
    return save_proof(tmp_path / "recipe.json", plan, about, {}, row, 20)


def test_a_recipe_ends_where_the_race_ended_and_nothing_else_has_moved(
    task: Task, saved: SavedRecipe
) -> None:
    random, threads = torch.get_rng_state(), torch.get_num_threads()
    found = place.trained(task, saved, "cpu")
    assert digest(found.model) == saved.proof.figures["weights"]
    assert "the very weights of the race's run" in found.words
    assert found.facts["valid_loss"] == saved.proof.figures["valid_loss"]
    assert torch.equal(torch.get_rng_state(), random)
    assert torch.get_num_threads() == threads
    assert not found.model.training
    assert {group["lr"] for group in found.optimizer.param_groups} == {1e-2}
    assert "had come down to 0" in found.words
    assert all(int(state["step"]) == 40 for state in found.optimizer.state.values())


def test_a_metric_that_is_the_loss_is_said_once(task: Task) -> None:
    assert ", loss " in place.briefly(task, "cpu", 0, 0.0).words
    same = dataclasses.replace(task, metric=task.loss, metric_name="loss", higher_is_better=False)
    assert place.briefly(same, "cpu", 0, 0.0).words.count("loss") == 1


def test_the_path_begins_at_the_start_and_ends_at_the_place(task: Task, saved: SavedRecipe) -> None:
    found = place.trained(task, saved, "cpu", seed=3)
    assert "seed 3" in found.words
    assert "very weights" not in found.words
    points = found.trajectory.points()
    assert torch.equal(points[-1], found.surface(50, 1.0).point())
    model, _ = found.start(3)
    assert torch.equal(points[0], model.point())
    assert found.trajectory.steps[-1] == 40


def test_a_short_training_ends_within_a_full_one(task: Task) -> None:
    found = place.briefly(task, "cpu", 0, 600.0)
    assert found.facts["steps"] == task.full_steps
    assert found.words.startswith("the end of a full training, 40 steps with the advised adamw")
    hurried = place.briefly(task, "cpu", 0, 0.0)
    assert hurried.facts["steps"] == 1
    assert hurried.words.startswith("the end of a short training, 1 step ")


def test_a_training_that_diverges_is_said(task: Task, saved: SavedRecipe) -> None:
    wild = SavedRecipe(Recipe("sgd", 1e8), 40, saved.task, None, {})
    with pytest.raises(UserError, match="the training diverged: step"):
        place.trained(task, wild, "cpu")


def test_a_recipe_of_another_task_is_refused(tiny: Path, saved: SavedRecipe) -> None:
    tiny.write_text(tiny.read_text().replace("epochs=4", "epochs=5"))
    with pytest.raises(UserError, match="the recipe was found for tiny, and this is another task"):
        place.check_recipe(saved, load(tiny))


def test_a_checkpoint_with_its_optimizer(task: Task, saved: SavedRecipe, tmp_path: Path) -> None:
    there = place.trained(task, saved, "cpu")
    path = tmp_path / "c.pt"
    torch.save({"model": there.model.state_dict(), "optimizer": there.optimizer.state_dict()}, path)
    here = place.loaded(task, path, saved, "cpu")
    assert digest(here.model) == digest(there.model)
    assert here.words.endswith("and its state")
    for mine, own in zip(here.model.parameters(), there.model.parameters(), strict=True):
        assert torch.equal(here.optimizer.state[mine]["exp_avg_sq"], there.optimizer.state[own]["exp_avg_sq"])
    assert here.optimizer.param_groups[0]["lr"] == 1e-2
    alone = place.loaded(task, path, None, "cpu")
    assert alone.optimizer is None
    assert alone.words == f"the checkpoint {path}; its optimizer's state needs --recipe to be of use"
    other = SavedRecipe(Recipe("nesterov", 0.1), 40, saved.task, None, {})
    with pytest.raises(UserError, match=r"the optimizer's state in .* is not of this recipe's optimizer"):
        place.loaded(task, path, other, "cpu")


class Numbers(Dataset):
    """Samples that say which they are; each draws something, as an augmentation would."""

    def __len__(self) -> int:
        return 50

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return torch.cat([torch.full((11,), float(index)), torch.rand(1)]), index % 2


@pytest.mark.parametrize("kind", ["tensors", "dataset", "loader"])
def test_the_data_are_a_random_part_and_the_same_for_a_seed(task: Task, kind: str) -> None:
    train = {
        "tensors": (torch.arange(50.0)[:, None].expand(50, 12), torch.arange(50) % 2),
        "dataset": Numbers(),
        "loader": DataLoader(Numbers(), batch_size=8, shuffle=True),
    }[kind]
    other = dataclasses.replace(task, train=train)
    random = torch.get_rng_state()
    first, again, seeded = (list(place.data(other, 30, "cpu", seed)) for seed in (0, 0, 1))
    assert [len(batch[0]) for batch in first] == ([8, 8, 8, 6] if kind == "loader" else [20, 10])
    rows = [row for batch in first for row in batch[0][:, 0].tolist()]
    assert len(set(rows)) == 30
    assert rows != sorted(rows)
    assert all(torch.equal(a[0], b[0]) for a, b in zip(first, again, strict=True))
    assert rows != [row for batch in seeded for row in batch[0][:, 0].tolist()]
    assert torch.equal(torch.get_rng_state(), random)


def test_more_time_more_samples_and_a_batch_at_least(task: Task) -> None:
    found = place.briefly(task, "cpu", 0, 0.0)
    assert found.surface(None, 1e-6).samples == 20
    assert found.surface(None, 1e6).samples == 200
    assert found.surface(70, 1.0).samples == 70
