"""``thalweg schedule``: the drawing, the files, and one clear line for each mistake."""

import csv
import inspect
import re
from pathlib import Path

import pytest

from thalweg import cli, schedules
from thalweg.schedules import text


def run(capsys, *arguments: str) -> str:
    assert cli.run(["schedule", *arguments]) == 0
    return capsys.readouterr().out


def test_it_draws_what_the_library_draws(capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "64")
    shown = run(capsys, "warmup(100)>>cosine(900)", "--lr", "1e-3")
    schedule = schedules.parse("warmup(100) >> cosine(900)")
    assert shown == f"{schedule}\n\n{schedule.draw(base=1e-3, width=64)}\n"


@pytest.mark.parametrize(("columns", "width"), [("10", 30), ("64", 64), ("500", 100)])
def test_it_fits_the_terminal(columns: str, width: int, capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    lines = run(capsys, "constant(100)").splitlines()
    assert max(map(len, lines)) == width


def test_it_writes_a_picture_and_a_table(capsys, tmp_path: Path) -> None:
    for name in ("curve.svg", "curve.csv"):
        shown = run(capsys, "cosine(9)", "--lr", "0.5", "--steps", "12", "--out", str(tmp_path / name))
        assert shown.endswith(f"\nwritten to {tmp_path / name}\n")
    assert "cosine(9)" in (tmp_path / "curve.svg").read_text()
    rows = list(csv.DictReader((tmp_path / "curve.csv").read_text().splitlines()))
    assert len(rows) == 13
    assert [float(row["value"]) for row in rows] == [0.5 * schedules.cosine(9)(s) for s in range(13)]


def test_help_names_every_schedule(capsys) -> None:
    shown = run(capsys, "--help")
    for name in sorted(text._SHAPES):
        assert re.search(rf"\b{name}\b", shown), name


@pytest.mark.parametrize("name", sorted(text._SHAPES))
def test_a_name_alone_shows_its_options(name: str, capsys) -> None:
    assert cli.run(["schedule", name]) == 2
    usage = f"{name}{inspect.signature(text._SHAPES[name])}".split(":")[0].split("=")[0]
    assert capsys.readouterr().err.startswith(f"thalweg: {name} needs its options in parentheses: {usage}")


WRONG = [
    (
        [""],
        "write a schedule, such as 'warmup(100) >> cosine(900)'; there are constant, cosine, "
        "cosine_restarts, exp_range, exponential, inverse_sqrt, linear, multistep, one_cycle, polynomial, "
        "step, triangular, triangular2, warmup, wsd",
    ),
    (
        ["plateau(10)"],
        "a plateau follows a metric and not the step: use thalweg.schedules.ReduceOnPlateau in Python "
        "(position 1 of 'plateau(10)')",
    ),
    (
        ["triangular(9, low=2)"],
        "triangular: low is 2, above the top of the cycle, which is 1; give it as a fraction of the "
        "optimizer's own value, from 0 to 1",
    ),
    (["cosine_restarts(0)"], "cosine_restarts: period is 0; it must be a whole number, 1 or more"),
    (["cosin(900)"], "no schedule called 'cosin'; did you mean 'cosine'? (position 1 of 'cosin(900)')"),
    (["warmup(9) >> "], "cannot read the schedule: invalid syntax (position 13 of 'warmup(9) >>')"),
    (["cosine(900)", "--lr", "0"], "the base value is 0; it must be a number above 0"),
    (["cosine(900)", "--lr", "nan"], "the base value is nan; it must be a number above 0"),
    (["cosine(900)", "--out", "curve.png"], "cannot write curve.png: give a name that ends in .svg or .csv"),
    (["cosine(900)", "--out", "missing/curve.svg"], "No such file or directory: missing/curve.svg"),
]


@pytest.mark.parametrize(("arguments", "line"), WRONG, ids=[" ".join(a) for a, _ in WRONG])
def test_a_mistake_is_one_line(arguments: list[str], line: str, capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["schedule", *arguments]) == 2
    assert capsys.readouterr() == ("", f"thalweg: {line}\n")
    assert list(tmp_path.iterdir()) == []
