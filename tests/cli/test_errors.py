"""Every way a command can end: its line, its exit code, and never a traceback on the terminal."""

import errno
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from thalweg import cli
from thalweg.cli.errors import handled
from thalweg.errors import UserError


def raising(error: BaseException) -> Callable[[], None]:
    def call() -> None:
        raise error

    return call


def code(arguments: list[str]) -> int:
    """Run the command line as the entry point does."""
    return cli.run(arguments)


ENDS = [
    (
        UserError("no optimizer called 'adamv'; did you mean 'adamw'?"),
        2,
        "no optimizer called 'adamv'; did you",
    ),
    (UserError("first\nsecond\tthird"), 2, "first second third"),
    (KeyboardInterrupt(), 130, "stopped"),
    (typer.Abort(), 130, "stopped"),
    (
        OSError(errno.ENOSPC, "No space left on device", "/x/race.sqlite"),
        2,
        "No space left on device: /x/race",
    ),
    (PermissionError(errno.EACCES, "Permission denied", "/x"), 2, "Permission denied: /x"),
    (typer.BadParameter("not a number"), 2, "invalid value: not a number; see thalweg --help"),
]


@pytest.mark.parametrize(("error", "number", "line"), ENDS, ids=[repr(e)[:40] for e, _, _ in ENDS])
def test_an_error_is_one_line_and_a_code(error, number: int, line: str, capsys) -> None:
    assert handled(raising(error), []) == number
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"thalweg: {line}")
    assert shown.err.count("\n") == 1


def test_an_exit_keeps_its_code_and_success_is_quiet(capsys) -> None:
    assert handled(raising(typer.Exit(7)), []) == 7
    assert handled(lambda: None, []) == 0
    assert capsys.readouterr() == ("", "")


def test_a_defect_says_so_and_leaves_its_traceback_in_a_file(capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert handled(raising(ZeroDivisionError("division by zero")), ["race", "x.py"]) == 1
    line = capsys.readouterr().err
    assert re.fullmatch(
        r"thalweg: this is a defect in thalweg \(ZeroDivisionError: division by zero\); "
        r"please report it with the traceback in (\S+)\n",
        line,
    )
    record = Path(line.split()[-1]).read_text()
    assert "thalweg race x.py" in record
    assert "raise error\nZeroDivisionError: division by zero" in record


def test_a_defect_where_nothing_can_be_written_shows_its_traceback(capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    assert handled(raising(RuntimeError()), []) == 1
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert shown.endswith(
        "this is a defect in thalweg (RuntimeError); the traceback above belongs in a report of it\n"
    )


def test_a_pipe_that_breaks_inside_is_a_defect_and_not_silence(capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert handled(raising(BrokenPipeError(errno.EPIPE, "Broken pipe")), []) == 1
    assert "defect in thalweg (BrokenPipeError" in capsys.readouterr().err


WRONG = {
    "shedule": "no such command 'shedule'; did you mean 'schedule'; see thalweg --help",
    "--fast": "no such option: --fast; see thalweg --help",
    "schedule": "missing argument 'SCHEDULE'; see thalweg schedule --help",
    "schedule cosine(9) --lr x": "invalid value for '--lr': ",
    "schedule cosine(9) --steps 0": "invalid value for '--steps': ",
    "schedule cosine(9) extra": "got unexpected extra argument",
    "tasks old": "no such command 'old'; see thalweg tasks --help",
}


@pytest.mark.parametrize("words", WRONG)
def test_wrong_usage_is_one_line_that_names_the_help(words: str, capsys) -> None:
    assert code(words.split()) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.lower().startswith(f"thalweg: {WRONG[words]}".lower())
    assert re.search(r"; see thalweg( \w+)? --help\n$", shown.err)
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help_lists_the_commands(arguments: list[str], capsys) -> None:
    assert code(arguments) == 0
    shown = capsys.readouterr().out
    assert [name for name in ("race", "train", "tasks", "schedule") if f"\n  {name} " not in shown] == []


def test_the_version(capsys) -> None:
    assert code(["--version"]) == 0
    assert re.fullmatch(r"thalweg \d+\.\d+\.\d+\n", capsys.readouterr().out)


def start(program: str, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def test_control_c_in_a_real_process() -> None:
    program = (
        "import sys, time; from thalweg.cli.errors import handled\n"
        "def call(): print('ready', flush=True); time.sleep(60)\n"
        "sys.exit(handled(call, []))"
    )
    with start(program) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30) == ("", "thalweg: stopped\n")
        assert process.returncode == 130


def test_a_reader_that_has_gone_is_no_error() -> None:
    program = "import sys; from thalweg.cli import run; sys.exit(run(['schedule', 'cosine(9)']))"
    read, write = os.pipe()
    os.close(read)
    result = subprocess.run([sys.executable, "-c", program], stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (result.returncode, result.stderr) == (141, "")


def test_a_terminal_without_unicode_gets_question_marks() -> None:
    program = "import sys; from thalweg.cli import run; sys.exit(run(['schedule', 'cosine(9)']))"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert (result.returncode, result.stderr) == (0, "")
    assert "????" in result.stdout
