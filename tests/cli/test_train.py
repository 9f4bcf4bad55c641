import dataclasses
import json
from pathlib import Path

import pytest
import torch

from thalweg import cli
from thalweg.race.plan import Plan
from thalweg.race.recipe import Recipe
from thalweg.race.run import run
from thalweg.race.saved import SavedRecipe, save_proof, versions
from thalweg.tasks import load

RECIPE = Recipe("adamw", 1e-2, {"weight_decay": 0.1}, warmup=0.05, clip=1.0)


@pytest.fixture
def folder(tiny: Path, monkeypatch) -> Path:
    """A folder with a task and a recipe for it, as a race leaves them."""
    monkeypatch.chdir(tiny.parent)
    threads = torch.get_num_threads()
    task = load("tiny.py")
    result = run(task, RECIPE, 100, 40, threads=1, evals=20, test=True)
    torch.set_num_threads(threads)
    row = {**vars(result), "recipe": json.loads(RECIPE.to_json()), "seed": 100, "steps": 40}
    counts = {"trials": 1, "heats": 1, "rounds": 0, "points": 0, "finalists": 1, "pairs": 1}
    plan = Plan("tiny", ("adamw",), 40, 10, **counts, versions=versions())
    about = {"name": "tiny", "source": task.source, "hash": task.hash}
    save_proof(tiny.parent / "recipe.json", plan, about, {}, row, 20)
    return tiny.parent


def end(arguments: list[str], capsys) -> tuple[int, str, str]:
    code = cli.run(["train", *arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["tiny.py", "--recipe", "recipe.json"],
        ["--recipe", "recipe.json", "tiny.py"],
        ["--recipe", "recipe.json"],
    ],
)
def test_it_trains_as_the_race_did_and_saves_the_model(folder, arguments, capsys):
    code, out, err = end([*arguments, "--out", "model.pt"], capsys)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "tiny · adamw lr 0.01, warm-up 5 %, cosine, decay 0.1, clip 1.0 · 40 steps · seed 100"
    assert len([line for line in lines if line.startswith("  step")]) == 20
    figures = SavedRecipe.read("recipe.json").proof.figures
    assert f"test  accuracy {figures['test_metric']:.4f}   loss {figures['test_loss']:.4f}" in lines
    assert f"reproduces the race's run exactly (seed 100, weights {figures['weights']})" in lines
    assert lines[-1] == "model model.pt"
    task = load("tiny.py")
    model = task.model()
    model.load_state_dict(torch.load("model.pt"))
    assert task.evaluate(model, "test") == (figures["test_loss"], figures["test_metric"])


def test_another_seed_is_another_run(folder, capsys):
    code, out, _ = end(["--recipe", "recipe.json", "--seed", "0", "--quiet"], capsys)
    assert code == 0
    assert "seed 0" in out.splitlines()[0]
    assert "not the race's run again (seed 0, not 100)" in out
    assert "step " not in out


def test_a_recipe_of_another_task_says_so_before_it_trains(folder, capsys):
    Path("other.py").write_text(Path("tiny.py").read_text() + "\n")
    code, out, err = end(["other.py", "--recipe", "recipe.json"], capsys)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    said = "the recipe was found for tiny, another task or other data: nothing to compare"
    assert lines[1] == said
    assert lines.count(said) == 1
    assert lines[-1].startswith("test  accuracy")


def test_a_recipe_without_a_race_trains(folder, capsys):
    dataclasses.replace(SavedRecipe.read("recipe.json"), proof=None).write(Path("advice.json"))
    code, out, _ = end(["--recipe", "advice.json", "--quiet"], capsys)
    assert code == 0
    assert out.splitlines()[0].endswith(" · 40 steps · seed 0")
    assert len(out.splitlines()) == 3


def test_a_difference_is_said(folder, capsys):
    saved = SavedRecipe.read("recipe.json")
    proof = dataclasses.replace(saved.proof, figures={**saved.proof.figures, "weights": "0" * 16})
    dataclasses.replace(saved, proof=proof).write(Path("recipe.json"))
    code, out, _ = end(["--recipe", "recipe.json", "--quiet"], capsys)
    assert code == 0
    assert "differs from the race's run" in out


WRONG = {
    "no recipe": (["tiny.py"], "missing option '--recipe'"),
    "no such recipe": (["tiny.py", "--recipe", "nothing.json"], "cannot read the recipe nothing.json"),
    "a folder": (["tiny.py", "--recipe", "."], "cannot read the recipe ."),
    "garbage": (["tiny.py", "--recipe", "tiny.py"], "tiny.py is no recipe: it is not JSON"),
    "another version": (["tiny.py", "--recipe", "old.json"], "is a 'thalweg recipe 0'"),
    "no such task": (["tinny.py", "--recipe", "recipe.json"], "did you mean 'tiny.py'?"),
    "negative seed": (["--recipe", "recipe.json", "--seed", "-1"], "invalid value for '--seed'"),
    "no threads": (["--recipe", "recipe.json", "--threads", "0"], "invalid value for '--threads'"),
    "no card": (["--recipe", "recipe.json", "--device", "cuda:99"], "device 'cuda:99'"),
    "out below a file": (["--recipe", "recipe.json", "--out", "tiny.py/x"], "cannot write tiny.py/x"),
    "out in no folder": (
        ["--recipe", "recipe.json", "--out", "no/m.pt"],
        "there is no folder no; make it first",
    ),
    "out is a folder": (["--recipe", "recipe.json", "--out", "."], "cannot write ."),
    "a full disk": (["--recipe", "recipe.json", "--out", "/dev/full"], "cannot write /dev/full"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_is_one_line_and_exit_code_2(name, folder, capsys):
    text = Path("recipe.json").read_text()
    Path("old.json").write_text(text.replace("thalweg recipe 1", "thalweg recipe 0"))
    arguments, words = WRONG[name]
    code, _, err = end([*arguments, "--quiet"], capsys)
    assert code == 2
    assert err.startswith("thalweg: ")
    assert words in err
    assert err.count("\n") == 1


def test_a_task_whose_file_is_gone_is_named(folder, capsys):
    Path("tiny.py").rename("moved.py")
    code, _, err = end(["--recipe", "recipe.json"], capsys)
    assert code == 2
    assert "there is no file" in err
    assert end(["moved.py", "--recipe", "recipe.json", "--quiet"], capsys)[0] == 0
