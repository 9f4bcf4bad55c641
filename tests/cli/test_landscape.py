import importlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from thalweg import cli
from thalweg.errors import UserError
from thalweg.landscape import menu
from thalweg.landscape.budget import Option
from thalweg.race.advice import advise
from thalweg.race.recipe import Recipe
from thalweg.race.saved import SavedRecipe
from thalweg.tasks import load

SURVEY = importlib.import_module("thalweg.landscape.survey")  # its name is the function's too
pytestmark = pytest.mark.usefixtures("timeless")
QUICK = ("gradient", "curvature", "saddle", "sharpness")


@pytest.fixture
def folder(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a task and advice on it, in which surveys are of a few measurements."""
    monkeypatch.chdir(tiny.parent)
    monkeypatch.setattr(SURVEY, "MENUS", {name: menu.MENUS[name] for name in QUICK})
    task = load("tiny.py")
    advise(task, "cpu").save("recipe.json", task)
    return tiny.parent


def end(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = cli.run(["landscape", *arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_everything_on_one_screen_and_a_report(tiny: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tiny.parent)
    monkeypatch.setattr(menu, "_GRIDS", (5,))
    code, out, err = end(["tiny.py", "--budget", "1h", "--samples", "40"], capsys)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert (
        lines[0] == "thalweg landscape · tiny · 26 parameters · 40 of 200 training samples · evaluation mode"
    )
    assert lines[2].startswith("  point          the end of a full training, 40 steps with the advised adamw")
    assert "not measured" not in out
    assert lines[-1] == "Report   landscape-tiny.html"
    assert max(map(len, lines)) <= 100
    assert len(lines) <= 50
    assert "<html" in Path("landscape-tiny.html").read_text()[:200]


def test_json_alone(folder: Path, capsys) -> None:
    code, out, err = end(["tiny.py", "--budget", "1h", "--json"], capsys)
    assert (code, err) == (0, "")
    found = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert found["format"] == "thalweg landscape 1"
    assert found["task"] == "tiny"
    assert found["gradient"]["passed"]
    assert found["facts"]["lr"] == found["sharpness"]["lr"]
    assert not list(folder.glob("*.html"))
    code, out, _ = end(["tiny.py", "--budget", "1h", "--json", "--out", "here.html"], capsys)
    assert code == 0
    assert json.loads(out)["complete"]
    assert Path("here.html").stat().st_size > 1000


@pytest.mark.parametrize("options", [[], ["--json", "--out", "here.html"]])
def test_what_was_measured_is_shown_although_the_disk_is_full(
    options: list[str], folder: Path, monkeypatch, capsys
) -> None:
    def full(*_: object) -> None:
        raise UserError("cannot write here.html: No space left on device; choose another folder")

    monkeypatch.setattr("thalweg.report.landscape.write", full)
    code, out, err = end(["tiny.py", "--budget", "1h", *options], capsys)
    assert (code, err.count("\n")) == (2, 1)
    assert "No space left" in err
    assert "gradient" in out
    assert "Report" not in out


def test_the_end_of_a_recipe(folder: Path, capsys) -> None:
    (folder / "reports").mkdir()
    code, out, _ = end(["tiny.py", "--recipe", "recipe.json", "--budget", "1h", "--out", "reports"], capsys)
    assert code == 0
    assert "point          the end of 40 steps with adamw" in out
    assert "The sharpness that AdamW sees" in out
    assert out.splitlines()[-1] == "Report   reports/landscape-tiny.html"
    assert (folder / "reports/landscape-tiny.html").exists()


def test_a_checkpoint_is_measured_as_it_is(folder: Path, capsys) -> None:
    model = load("tiny.py").model()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    torch.save(model.state_dict(), "zero.pt")
    arguments = ["tiny.py", "--checkpoint", "zero.pt", "--budget", "1h", "--json"]
    found = json.loads(end(arguments, capsys)[1])
    assert found["facts"]["loss"] == pytest.approx(0.6931472, abs=1e-6)  # log 2
    assert "sharpness" in found["skipped"]
    both = json.loads(end([*arguments, "--recipe", "recipe.json"], capsys)[1])
    assert both["facts"]["loss"] == pytest.approx(
        0.6931472, abs=1e-6
    )  # of as many samples as there was time for
    assert both["point"].startswith("the checkpoint zero.pt, with the optimizer of adamw")
    assert both["sharpness"]["value"] is None  # it has not taken a step
    assert "has not taken a step" in both["sharpness"]["rule"]


def pressed(_: menu.Given) -> list[Option]:
    def measure() -> None:
        raise KeyboardInterrupt

    return [Option(0.0, measure)]


def test_ctrl_c_writes_what_there_is(folder: Path, monkeypatch, capsys) -> None:
    some = {"gradient": menu.MENUS["gradient"], "noise": pressed, "curvature": menu.MENUS["curvature"]}
    monkeypatch.setattr(SURVEY, "MENUS", some)
    code, out, err = end(["tiny.py", "--budget", "1h"], capsys)
    assert (code, err) == (130, "thalweg: stopped; what was measured until then is kept\n")
    assert "The gradient is right" in out
    assert "  curvature      not measured: stopped before it" in out
    assert Path("landscape-tiny.html").stat().st_size > 1000


def test_ctrl_c_before_anything_was_measured(folder: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("thalweg.race.place.briefly", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    code, out, err = end(["tiny.py", "--budget", "1h"], capsys)
    assert (code, out, err) == (130, "", "thalweg: stopped\n")
    assert not list(folder.glob("*.html"))


def damaged(kind: str) -> Callable[[], None]:
    def make() -> None:
        state = load("tiny.py").model().state_dict()
        state["weight"] = state["weight"] * torch.nan if kind == "nan" else state["weight"][:, :5]
        torch.save(state, f"{kind}.pt")

    return make


WRONG = {
    "no task": ([], "missing argument 'TASK'"),
    "no such task": (["fashion-mpl"], "did you mean 'fashion-mlp'?"),
    "a task that fails": (["bad.py"], "bad.py, line"),
    "no time": (["tiny.py", "--budget", "60"], "the budget '60' is no time (60s or 60m?)"),
    "too little time": (["tiny.py", "--budget", "4s"], "a budget of 4 s is too short"),
    "no such recipe": (["tiny.py", "--recipe", "no.json"], "cannot read the recipe no.json"),
    "a recipe of another task": (
        ["other.py", "--recipe", "recipe.json"],
        "the recipe was found for tiny, and this is another task or other data",
    ),
    "and for a checkpoint": (
        ["other.py", "--recipe", "recipe.json", "--checkpoint", "nan.pt"],
        "the recipe was found for tiny, and this is another task or other data",
    ),
    "a recipe that diverges": (["tiny.py", "--recipe", "wild.json"], "the training diverged: step"),
    "no checkpoint": (["tiny.py", "--checkpoint", "no.pt"], "cannot read the checkpoint no.pt"),
    "no checkpoint at all": (["tiny.py", "--checkpoint", "tiny.py"], "tiny.py "),
    "other shapes": (["tiny.py", "--checkpoint", "shape.pt"], "'weight' is (2, 5), not (2, 12)"),
    "not a number": (["tiny.py", "--checkpoint", "nan.pt"], "the loss is nan on batch 0"),
    "out in no folder": (["tiny.py", "--out", "no/r.html"], "there is no folder no; make it first"),
    "out below a file": (["tiny.py", "--out", "tiny.py/r.html"], "cannot write tiny.py/r.html"),
    "out is no page": (["tiny.py", "--out", "report.pdf"], "there is no folder report.pdf; make it first"),
    "no such device": (["tiny.py", "--device", "abacus"], "no device called 'abacus'"),
    "no samples": (["tiny.py", "--samples", "0"], "invalid value for '--samples'"),
    "no seed": (["tiny.py", "--seed", "-1"], "invalid value for '--seed'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_is_one_line_and_exit_code_2(name: str, folder: Path, tiny_text: str, capsys) -> None:
    Path("bad.py").write_text(tiny_text.replace("nn.Linear(12, 2)", "nn.Linear(11, 2)"))
    Path("other.py").write_text(tiny_text + "\n")
    damaged("nan")()
    damaged("shape")()
    task = load("tiny.py")
    about = {"name": "tiny", "source": task.source, "hash": task.hash}
    SavedRecipe(Recipe("sgd", 1e8), 40, about, None, {}).write(Path("wild.json"))
    arguments, words = WRONG[name]
    code, out, err = end(arguments, capsys)
    assert (code, out) == (2, "")
    assert err.startswith("thalweg: ")
    assert words in err
    assert err.count("\n") == 1
    assert not list(folder.glob("**/*.html"))


def test_a_report_that_is_there_is_not_emptied_by_a_mistake(folder: Path, capsys) -> None:
    Path("landscape-tiny.html").write_text("the last one")
    assert end(["tiny.py", "--checkpoint", "no.pt"], capsys)[0] == 2
    assert Path("landscape-tiny.html").read_text() == "the last one"


PROGRAM = """
import importlib, sys
from thalweg import cli
survey = importlib.import_module("thalweg.landscape.survey")
whole = survey.MENUS["curvature"]
def curvature(given):
    if "gradient" in given.found:
        print("measured", file=sys.stderr, flush=True)
    return whole(given)
survey.MENUS = {**survey.MENUS, "curvature": curvature}
sys.exit(cli.run(["landscape", "slow.py", "--budget", "40s", "--samples", "20", "--out", "slow.html"]))
"""


def test_ctrl_c_in_a_real_process(tiny: Path, tiny_text: str) -> None:
    """A survey of a task whose loss takes a moment, stopped while it looks for eigenvalues."""
    text = "import time\n" + tiny_text.replace("(model, batch):", "(model, batch):\n    time.sleep(0.002)", 1)
    tiny.with_name("slow.py").write_text(text)
    program = [sys.executable, "-c", PROGRAM]
    pipe = subprocess.PIPE
    with subprocess.Popen(program, cwd=tiny.parent, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stderr.readline() == "measured\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=300)
    assert process.returncode == 130, err
    assert err.endswith("thalweg: stopped; what was measured until then is kept\n")
    assert "The gradient is right" in out
    assert tiny.with_name("slow.html").stat().st_size > 1000
