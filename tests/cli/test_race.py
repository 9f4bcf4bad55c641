import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from thalweg import cli
from thalweg.race.ledger import FILE, Ledger, lock
from thalweg.race.priors import PRIORS

COMMAND = [sys.executable, "-c", "import sys; from thalweg import cli; sys.exit(cli.run(sys.argv[1:]))"]
FIRST = ["--steps", "40", "--optimizers", "adamw", "--workers", "2", "--device", "cpu", "--quiet"]


def end(arguments: list[str], capsys) -> tuple[int, str, str]:
    """Run ``thalweg ARGUMENTS`` here; return exit code and what was printed."""
    code = cli.run(arguments)
    shown = capsys.readouterr()
    return code, shown.out, shown.err


@pytest.fixture(scope="module")
def over(tmp_path_factory, tiny_text) -> Path:
    """A folder with a task file and a race of it that is over."""
    folder = tmp_path_factory.mktemp("over")
    (folder / "tiny.py").write_text(tiny_text)
    command = [*COMMAND, "race", "tiny.py", *FIRST]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    (folder / "output").write_text(done.stdout)
    return folder


@pytest.fixture
def race(over: Path, tmp_path: Path, monkeypatch) -> Path:
    """A copy of that race's folder, in a copy of the folder it was made in."""
    monkeypatch.chdir(over)
    shutil.copytree(over / "runs" / "tiny-1", tmp_path / "race")
    return tmp_path / "race"


def test_a_race_prints_its_verdict_and_where_things_are(over):
    lines = (over / "output").read_text().strip().splitlines()
    with Ledger.open(over / "runs" / "tiny-1" / FILE) as ledger:
        meta = ledger.meta()
    assert lines[0] == meta["verdict"]["sentence"]
    assert re.search(r"^Recipe   runs/tiny-1/recipe.json     adamw lr ", "\n".join(lines), re.MULTILINE)
    assert "Report   runs/tiny-1/report.html" in lines
    assert lines[-1].startswith("Train    thalweg train ")
    assert lines[-1].endswith("tiny.py --recipe runs/tiny-1/recipe.json")
    assert {"race.sqlite", "recipe.json", "train.py", "report.html"} <= {
        path.name for path in (over / "runs" / "tiny-1").iterdir()
    }
    assert "<html" in (over / "runs" / "tiny-1" / "report.html").read_text()


def test_the_last_line_can_be_pasted(race, capsys):
    line = (Path.cwd() / "output").read_text().strip().splitlines()[-1]
    code, out, err = end(line.split()[2:], capsys)
    assert (code, err) == (0, "")
    assert "reproduces the race's run exactly" in out


def test_the_snippet_is_python_that_trains(race):
    import torch

    scope = {"model": torch.nn.Linear(12, 2)}
    exec((race / "train.py").read_text(), scope)
    scope["model"](torch.ones(1, 12)).sum().backward()
    scope["optimizer"].step()
    scope["scheduler"].step()


def test_a_race_that_is_over_can_be_resumed(race, capsys):
    before = (race / "recipe.json").read_text()
    code, out, _ = end(["race", "--resume", str(race), "--quiet"], capsys)
    assert code == 0
    assert out.strip().splitlines()[0] == (Path.cwd() / "output").read_text().strip().splitlines()[0]
    assert (race / "recipe.json").read_text() == before


def test_optimizers_are_listed(capsys):
    code, out, err = end(["race", "--list-optimizers"], capsys)
    assert (code, err) == (0, "")
    head, *lines = out.splitlines()
    assert head.split()[:2] == ["name", "class"]
    assert [line.split()[0] for line in lines] == list(PRIORS)
    adamw = next(line for line in lines if line.startswith("adamw "))
    assert "AdamW" in adamw
    assert " 8 B " in adamw
    assert "AlgoPerf" in adamw


WRONG = {
    "no task": ([], "which task?"),
    "no such task": (["fashion-mpl"], "no task called 'fashion-mpl'; did you mean 'fashion-mlp'?"),
    "no such file": (["tinny.py"], "there is no file 'tinny.py'; did you mean 'tiny.py'?"),
    "a near optimizer": (
        ["tiny.py", "--optimizers", "adamv"],
        "no optimizer called 'adamv'; did you mean 'adam",
    ),
    "no optimizer": (["tiny.py", "--optimizers", ","], "no optimizer to race"),
    "an optimizer twice": (["tiny.py", "--optimizers", "sgd, sgd"], "'sgd' is named twice"),
    "budget 0": (["tiny.py", "--budget", "0s"], "the budget is 0s; it must be above 0"),
    "budget without unit": (["tiny.py", "--budget", "90"], "the budget '90' is no time (90s or 90m?)"),
    "budget in words": (["tiny.py", "--budget", "soon"], "the budget 'soon' is no time; write it as 90s"),
    "negative budget": (["tiny.py", "--budget=-3m"], "the budget '-3m' is no time"),
    "steps 0": (["tiny.py", "--steps", "0"], "invalid value for '--steps'"),
    "too few steps": (["tiny.py", "--steps", "3", "--workers", "2"], "steps is 3; a full run needs at least"),
    "negative seed": (["tiny.py", "--seed", "-1"], "invalid value for '--seed'"),
    "a huge seed": (["tiny.py", "--seed", "99999999"], "seed is 99999999"),
    "no workers": (["tiny.py", "--workers", "0"], "invalid value for '--workers'"),
    "no such device": (["tiny.py", "--device", "abacus"], "no device called 'abacus'"),
    "no such card": (["tiny.py", "--device", "cuda:99"], "device 'cuda:99'"),
    "an unknown option": (["tiny.py", "--budgt", "3m"], "no such option"),
    "nothing to resume": (["--resume", "nowhere"], "there is no race to resume in nowhere"),
    "resume and more": (["tiny.py", "--resume", "runs/tiny-1", "--seed", "3"], "leave away TASK, --seed"),
    "out below a file": (["tiny.py", "--out", "tiny.py/x"], "cannot make the folder tiny.py/x"),
    "steps too short, said at once": (
        ["tiny.py", "--steps", "39"],
        "steps is 39; a full run needs at least 40",
    ),
    "a far file": (["syn.py"], "there is no file 'syn.py'; thalweg tasks new syn.py writes one"),
    "out is a file": (["tiny.py", "--out", "tiny.py"], "tiny.py is a file; give a folder with --out"),
    "out cannot be made": (["tiny.py", "--out", "/proc/x"], "cannot make the folder /proc/x"),
    "out has a race": (["tiny.py", "--out", "runs/tiny-1"], "runs/tiny-1 holds a race of tiny with"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_is_one_line_and_exit_code_2(name, race, capsys):
    arguments, words = WRONG[name]
    before = sorted(Path("runs").iterdir())
    code, out, err = end(["race", *arguments, "--quiet"], capsys)
    assert code == 2
    assert err.startswith("thalweg: ")
    assert words in err
    assert err.count("\n") == 1
    assert out == ""
    assert sorted(Path("runs").iterdir()) == before


BAD_TASKS = {
    "syntax": ("task = Task(\n", "bad.py, line 1"),
    "import": ("import no_such_thing\n", "there is no module 'no_such_thing'"),
    "no task": ("x = 1\n", "defines no task"),
    "shapes": ("nn.Linear(12, 2)", "nn.Linear(11, 2)", "bad.py, line"),
    "not a mean": ("batch[1])\n\n\ndef acc", "batch[1], reduction='none')\n\n\ndef acc", "return its mean"),
    "a slip in a keyword": (
        "batch_size=20",
        "batchsize=20",
        "a Task has no 'batchsize'; did you mean 'batch_size'?",
    ),
    "nan": ("return nn.functional", "return float('nan') * nn.functional", "is nan at the first step"),
}


@pytest.mark.parametrize("name", BAD_TASKS)
def test_a_task_that_cannot_run_fails_before_the_race(name, tiny_text, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    *change, words = BAD_TASKS[name]
    Path("bad.py").write_text(tiny_text.replace(*change) if len(change) == 2 else change[0])
    code, _, err = end(["race", "bad.py", "--quiet"], capsys)
    assert code == 2
    assert words in err
    assert err.count("\n") == 1
    assert not Path("runs").exists()


def overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)


def of_another_version(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=99")
    connection.close()


def of_another_torch(path: Path) -> None:
    connection = sqlite3.connect(path)
    [text] = connection.execute("SELECT value FROM meta WHERE key = 'versions'").fetchone()
    versions = json.dumps({**json.loads(text), "torch": "1.0"})
    connection.execute("UPDATE meta SET value = ? WHERE key = 'versions'", (versions,))
    connection.commit()
    connection.close()


def of_another_task(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute('UPDATE meta SET value = replace(value, \'"hash": "\', \'"hash": "0\')')
    connection.commit()
    connection.close()


LEDGERS = {
    "damaged": (overwrite, "is damaged"),
    "text": (lambda path: path.write_text("accuracy 0.9\n" * 100), "is damaged"),
    "empty": (lambda path: os.truncate(path, 0), "had not begun"),
    "of another version": (of_another_version, "another version of thalweg"),
    "of another torch": (of_another_torch, "began with torch 1.0"),
    "of another task": (of_another_task, "has changed since the race"),
}


@pytest.mark.parametrize("name", LEDGERS)
def test_a_ledger_that_is_not_this_races_is_left_alone(name, race, capsys):
    spoil, words = LEDGERS[name]
    spoil(race / FILE)
    before = (race / FILE).read_bytes()
    code, out, err = end(["race", "--resume", str(race), "--quiet"], capsys)
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1
    assert (race / FILE).read_bytes() == before


@pytest.mark.parametrize("how", [["tiny.py", "--out"], ["--resume"]])
def test_two_races_in_one_folder(how, race, capsys):
    with lock(race):
        code, out, err = end(["race", *how, str(race), "--quiet"], capsys)
    assert (code, out) == (2, "")
    assert f"another race is running in {race} (process {os.getpid()})" in err
    assert err.count("\n") == 1


def test_a_full_disk_ends_the_race_and_keeps_it(over, tmp_path):
    """A limit on the size of files is what a full disk looks like to the driver."""
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "from thalweg import cli; import thalweg.race.driver as driver; run_all = driver.run_all\n"
        "def limited(*arguments):\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (160_000, resource.RLIM_INFINITY))\n"
        "    run_all(*arguments)\n"
        "driver.run_all = limited; sys.exit(cli.run(sys.argv[1:]))"
    )
    folder = tmp_path / "full"
    command = [sys.executable, "-c", code, "race", "tiny.py", *FIRST, "--out", str(folder)]
    done = subprocess.run(command, cwd=over, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    assert re.fullmatch(
        rf"thalweg: cannot write {folder}/race.sqlite: .*make room, then thalweg race --resume {folder}\n",
        done.stderr,
    )
    with Ledger.open(folder / FILE) as ledger:
        kept = {row["key"]: row["finished"] for row in ledger.runs()}
    assert kept
    again = subprocess.run(
        [*COMMAND, "race", "--resume", str(folder), "--quiet"],
        cwd=over,
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 0, again.stderr
    assert again.stdout.splitlines()[1] == (over / "output").read_text().splitlines()[1]
    with Ledger.open(folder / FILE) as ledger:
        assert kept.items() <= {row["key"]: row["finished"] for row in ledger.runs()}.items()
