import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from thalweg.race import live, standing
from thalweg.race.budget import make_plan
from thalweg.race.live import LiveView, PlainView, SilentView, view_for
from thalweg.race.priors import PRIORS
from thalweg.race.recipe import Recipe
from thalweg.race.runs import BASELINE_LABEL
from thalweg.race.search import next_runs
from thalweg.race.standing import Progress, bar, cells, clock, leader, leading, phase_text, standings, title

PLAN = make_plan(task="tiny", optimizers=("adamw", "sgd"), full_steps=400, steps=400)
META = {"facts": {"train": 12000, "parameters": 269322}, "workers": 2}


def row(spec, metric=0.5, status="ok", ms=2.0):
    return {
        "key": spec.key,
        "phase": spec.phase,
        "label": spec.label,
        "recipe": {"lr": spec.recipe.lr, "options": dict(spec.recipe.options)},
        "steps": spec.steps,
        "status": status,
        "valid_metric": metric if status == "ok" else None,
        "step_ms": ms,
        "optimizer_ms": 0.11,
    }


@pytest.fixture
def due():
    return next_runs(PLAN, [])


def test_standings_count_what_is_done_and_due(due):
    rows = [row(spec, metric=0.1 * i) for i, spec in enumerate(due[:3])]
    adamw, sgd = standings(PLAN, rows, due[3:])
    assert (adamw.label, adamw.done, adamw.total) == ("adamw", 3, PLAN.trials)
    assert (sgd.done, sgd.total, sgd.best) == (0, PLAN.trials, None)
    assert adamw.best == rows[2]
    assert leader(PLAN, [adamw, sgd]) == adamw
    text = cells(adamw)
    assert text[2] == f"3/{PLAN.trials}"
    assert text[3] == "best 0.200"
    assert text[-1] == "2 ms/step (0.1 optimizer)"


def test_full_runs_count_for_more_than_short_ones(due):
    long = due[0].__class__(due[0].recipe, 1, PLAN.steps, "heats", "adamw")
    found = standings(PLAN, [row(due[0], 0.9), row(long, 0.7)], due[1:])
    assert found[0].best["steps"] == PLAN.steps


def test_lower_may_be_better(due):
    plan = make_plan(task="t", optimizers=("adamw", "sgd"), full_steps=400, steps=400, higher_is_better=False)
    found = standings(plan, [row(due[0], 0.9), row(due[1], 0.7)], due[2:])
    assert found[0].best["valid_metric"] == 0.7


def spec_with(lr, due):
    return due[0].__class__(Recipe("sgd", lr), 1, PLAN.screen_steps, "screen", "sgd")


def test_what_diverged_is_said_with_where_it_begins(due):
    rows = [row(spec_with(lr, due), status="ok" if lr < 1 else "diverged") for lr in (0.01, 0.1, 3, 2)]
    assert standings(PLAN, rows, [])[1].lost == "2 runs diverged (lr from 2)"
    rows.append(row(spec_with(4.0, due)))  # one beyond them did well: no border
    assert standings(PLAN, rows, [])[1].lost == "2 runs diverged"
    rows.append(row(spec_with(0.5, due), status="failed"))
    assert standings(PLAN, rows, [])[1].lost == "2 runs diverged, 1 run failed"


def test_the_final_shows_torchs_default_too(due):
    final = [due[0].__class__(Recipe.default("adamw"), 100, PLAN.steps, "final", BASELINE_LABEL)]
    found = standings(PLAN, [], final)
    assert [item.label for item in found] == ["adamw", "sgd", BASELINE_LABEL]
    assert cells(found[2])[0] == "torch default"
    assert cells(found[0])[1] == ""


def test_texts(due):
    assert title(META, PLAN) == "thalweg race · tiny · 12,000 samples · 269,322 parameters · 2 workers"
    assert phase_text(PLAN, due) == "phase 1 of 4: screen"
    assert phase_text(PLAN, []) == "phase 4 of 4: final"
    assert (bar(0, 10), bar(10, 10), bar(0, 0)) == ("░" * 20, "█" * 20, "")
    assert (clock(0), clock(59.6), clock(3600)) == ("0:00", "1:00", "1:00:00")


def test_time_left_comes_from_the_speed_since_the_first_step(due, monkeypatch):
    now = 100.0
    monkeypatch.setattr(standing, "perf_counter", lambda: now)
    progress = Progress(PLAN, began=90.0)
    progress.see([], {})
    assert progress.text() == "elapsed 0:10"
    now = 150.0  # the workers took long to start: that says nothing about the rest
    progress.see([], {"a": 100})
    assert progress.left is None
    now = 160.0
    progress.see([], {"a": 300})
    assert progress.left == pytest.approx((progress.total - 300) / 20)
    assert progress.percent == 100 * 300 // progress.total


def test_plain_lines_are_rare(due, capsys, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(live, "perf_counter", lambda: now)
    view = PlainView()
    view.note("measuring")
    view.begin(META, PLAN, 0.0)
    start = capsys.readouterr().out
    assert start.startswith("measuring\nthalweg race · tiny")
    assert "screen    2 optimizers x" in start
    rows = []
    for spec in due:
        rows.append(row(spec))
        view.update(rows, due[len(rows) :] or due[-1:], {})
    assert capsys.readouterr().out.count("\n") == 1
    now += live.RARE + 1
    view.update(rows, due[-1:], {})
    line = capsys.readouterr().out
    assert re.match(r"\d+ % · phase 1 of 4: screen · best adamw 0.500 · elapsed ", line)
    view.update(rows, [spec_with(0.1, due).__class__(Recipe("sgd", 0.1), 1, 400, "heats", "sgd")], {})
    assert "phase 2 of 4: heats" in capsys.readouterr().out
    view.end()


def test_the_live_view_is_one_screen(due):
    view = LiveView("runs/tiny-1/race.sqlite")
    output = io.StringIO()
    view._live.console = Console(file=output, force_terminal=True, width=120, height=24, color_system=None)
    view.note("measuring the speed of a step")
    view.begin(META, PLAN, 0.0)
    view.update([row(spec) for spec in due[:3]], due[3:], {due[3].key: 10})
    view.end()
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output.getvalue())
    assert "thalweg race · measuring the speed of a step" in text
    assert "phase 1 of 4: screen" in text
    assert re.search(rf"adamw  +█+░+ +3/{PLAN.trials}  best 0.500  lr 1e-3", text)
    assert "ledger runs/tiny-1/race.sqlite" in text
    assert max(len(line) for line in text.replace("\r", "\n").splitlines()) <= 120


def test_the_view_fits_the_output(tmp_path, monkeypatch):
    assert isinstance(view_for(True, tmp_path), SilentView)
    assert isinstance(view_for(False, Path("x")), PlainView)  # tests have no terminal
    monkeypatch.setattr("sys.stdout", type("Terminal", (io.StringIO,), {"isatty": lambda self: True})())
    assert isinstance(view_for(False, Path("x")), LiveView)


def test_of_many_optimizers_a_small_terminal_shows_the_leaders(monkeypatch):
    names = tuple(PRIORS)[:16]
    plan = make_plan(task="t", optimizers=names, full_steps=400, steps=400)
    due = next_runs(plan, [])
    firsts = [next(spec for spec in due if spec.label == name) for name in names]
    rows = [row(spec, metric=i / 100) for i, spec in enumerate(firsts[:-2])]
    found = standings(plan, rows, [spec for spec in due if spec not in firsts[:-2]])
    assert leading(plan, found, 16) == found
    assert [s.label for s in leading(plan, found, 5)] == [*names[13:8:-1]]
    view = LiveView("ledger")
    view._console = Console(file=io.StringIO(), width=110, height=12)
    view._plan, view._progress, view._title = plan, Progress(plan, 0.0), "race"
    view._console.print(view._screen(rows, due))
    text = view._console.file.getvalue()
    assert len(text.splitlines()) <= 12
    assert "and 10 more" in text
    assert f"  {names[13]} " in text
    assert names[-1] not in text
