"""``thalweg race``: find the recipe."""

import sys
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from thalweg.race.api import RaceResult
    from thalweg.race.job import Job

_INTERRUPTED = 130
_LATE = 1.1  # times the budget: a race that took longer says so


def _list_optimizers(wanted: bool) -> None:
    if not wanted:
        return
    from thalweg.race.priors import PRIORS

    width = max(len(key) for key in PRIORS)
    head = f"{'name':<{width}}  {'class':<17}  {'default':<7}  {'lr searched':<14}"
    print(f"{head}  {'state a parameter':<20}  source of the space")
    for prior in PRIORS.values():
        print(
            f"{prior.key:<{width}}  {prior.cls:<17}  {prior.default_lr:<7g}  {prior.space['lr']!s:<14}  "
            f"{prior.state_text:<20}  {prior.source}"
        )
    raise typer.Exit


_Task = Annotated[
    str | None, typer.Argument(metavar="TASK", help="A built-in task's name or a task file (thalweg tasks).")
]
_Budget = Annotated[
    str | None,
    typer.Option(
        help="About this wall time: 90s, 3m, 1h, 1m30s. It becomes a number of runs once, at the start.",
        show_default="3m, unless --steps is given",
    ),
]
_Steps = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Length of a full run, at least 40. With --budget too, the rest of the race is what fits.",
        show_default="the longest that fits",
    ),
]
_Optimizers = Annotated[
    str | None,
    typer.Option(
        metavar="A,B,...",
        help="Who races; 'all' is every optimizer that can run on the task.",
        show_default="adamw,nesterov,rmsprop,adagrad",
    ),
]
_List = Annotated[
    bool,
    typer.Option(
        "--list-optimizers", callback=_list_optimizers, is_eager=True, help="Show who can race, and stop."
    ),
]
_Workers = Annotated[
    int | None, typer.Option(min=1, help="Worker processes.", show_default="what measures fastest")
]
_Out = Annotated[
    Path | None, typer.Option(help="Folder for the results.", show_default="runs/TASK-N, the next free N")
]
_Resume = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Go on with the race in a folder, as it was begun.")
]
_Compare = Annotated[
    bool, typer.Option("--compare", help="Equal budgets to the end: which optimizer is better?")
]


def race(
    task: _Task = None,
    budget: _Budget = None,
    steps: _Steps = None,
    optimizers: _Optimizers = None,
    list_optimizers: _List = False,
    seed: Annotated[int, typer.Option(min=0, help="Another seed is another race.")] = 0,
    workers: _Workers = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    out: _Out = None,
    resume: _Resume = None,
    compare: _Compare = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the result alone.")] = False,
) -> None:
    """Find the training recipe for a task within a budget, and prove it.

    Optimizers are searched side by side; the best recipes and torch's default AdamW then run on fresh,
    paired seeds. The folder gets race.sqlite (every run), recipe.json, train.py and report.html.
    """
    began = perf_counter()
    chosen: dict[str, Any] = {
        "budget": budget,
        "steps": steps,
        "optimizers": _names(optimizers),
        "seed": seed,
    }
    chosen |= {"workers": workers, "device": device, "out": out, "compare": compare}
    job = _new(task, chosen, began) if resume is None else _resumed(resume, {"TASK": task, **chosen})
    result = _run(job, quiet)
    _say(job, result)
    _say_if_late(job, perf_counter() - began if resume is None else 0.0)


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def _new(task: str | None, chosen: Mapping[str, Any], began: float) -> "Job":
    from thalweg.errors import UserError
    from thalweg.race import api

    if task is None:
        raise UserError("which task? give a built-in task's name or a task file (thalweg tasks)")
    return api.prepare(task, **chosen, began=began)


def _resumed(folder: Path, given: Mapping[str, Any]) -> "Job":
    from thalweg.errors import UserError
    from thalweg.race import api

    usual = {"seed": 0, "device": "auto", "compare": False}
    extra = [name for name, value in given.items() if value != usual.get(name)]
    if extra:
        flags = [name if name.isupper() else f"--{name}" for name in extra]
        raise UserError(f"a resumed race goes on as it was begun: leave away {', '.join(flags)}, or --resume")
    return api.resume(folder)


def _run(job: "Job", quiet: bool) -> "RaceResult":
    """Run the race; after Ctrl-C say what is kept and how to go on."""
    from thalweg.race.api import finish
    from thalweg.race.ledger import FILE
    from thalweg.race.live import view_for

    try:
        return finish(job, view_for(quiet, job.folder / FILE))
    except KeyboardInterrupt:
        hint = f"what is finished is kept; go on with: thalweg race --resume {quote(str(job.folder))}"
        print(f"thalweg: stopped; {hint}", file=sys.stderr)
        raise typer.Exit(_INTERRUPTED) from None


def _say(job: "Job", result: "RaceResult") -> None:
    verdict = result.verdict
    print()
    for line in (verdict.sentence, verdict.baseline_sentence, *verdict.notes):
        if line:
            print(line)
    for name, why in result.left_out.items():
        print(f"Left out {name}: {why}")
    if result.recipe is not None:
        print(f"Recipe   {result.recipe_file}     {result.recipe.describe()}")
    print(f"Report   {result.report}")
    if result.recipe is not None:
        task, recipe = quote(job.request.source), quote(str(result.recipe_file))
        print(f"Train    thalweg train {task} --recipe {recipe}")


def _say_if_late(job: "Job", took: float) -> None:
    """A plan is numbers of runs and steps: a machine that gets busier makes it later, never poorer."""
    from thalweg.race.standing import clock

    budget = job.request.budget
    if budget is not None and took > _LATE * budget:
        print(
            f"It took {clock(took)}, the budget was {clock(budget)}: the machine was slower than when it was "
            "measured at the start."
        )
