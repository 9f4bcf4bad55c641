"""``thalweg race``: find the recipe."""

import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from thalweg.race.api import RaceResult
    from thalweg.race.job import Job

_INTERRUPTED = 130


def _list_optimizers(wanted: bool) -> None:
    if not wanted:
        return
    from thalweg.race.priors import PRIORS

    for prior in PRIORS.values():
        lr = prior.space["lr"]
        print(f"{prior.key:<12}optim.{prior.cls:<9} default lr {prior.default_lr:<7g} {lr}   {prior.source}")
    raise typer.Exit


def race(
    task: Annotated[
        str | None,
        typer.Argument(metavar="TASK", help="A built-in task's name or a task file (thalweg tasks)."),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(help="Wall time: 90s, 3m, 1h, 1m30s.", show_default="3m, unless --steps is given"),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Length of a full run.", show_default="the longest that fits")
    ] = None,
    optimizers: Annotated[
        str | None,
        typer.Option(metavar="A,B,...", help="Who races.", show_default="adamw,nesterov,rmsprop,adagrad"),
    ] = None,
    list_optimizers: Annotated[
        bool,
        typer.Option(
            "--list-optimizers", callback=_list_optimizers, is_eager=True, help="Show who can race, and stop."
        ),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Another seed is another race.")] = 0,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Worker processes.", show_default="what measures fastest")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    out: Annotated[
        Path | None, typer.Option(help="Folder for the results.", show_default="runs/TASK-N, the next free N")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Go on with the race in a folder, as it was begun.")
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Equal budgets to the end: which optimizer is better?")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the result alone.")] = False,
) -> None:
    """Find the training recipe for a task within a budget, and prove it.

    Optimizers are searched side by side; the best recipes and torch's default AdamW then run on fresh,
    paired seeds. The folder gets race.sqlite (every run), recipe.json, train.py and report.html.
    """
    from time import perf_counter

    from thalweg.errors import UserError
    from thalweg.race import api

    began = perf_counter()
    if resume is not None:
        given = {"TASK": task, "--budget": budget, "--steps": steps, "--optimizers": optimizers, "--out": out}
        given |= {"--seed": seed or None, "--workers": workers, "--compare": compare or None}
        given |= {"--device": None if device == "auto" else device}
        if extra := [name for name, value in given.items() if value is not None]:
            raise UserError(
                f"a resumed race goes on as it was begun: leave away {', '.join(extra)}, or --resume"
            )
        job = api.resume(resume)
    elif task is None:
        raise UserError("which task? give a built-in task's name or a task file (thalweg tasks)")
    else:
        names = (
            None if optimizers is None else [name.strip() for name in optimizers.split(",") if name.strip()]
        )
        job = api.prepare(
            task,
            budget,
            steps=steps,
            optimizers=names,
            seed=seed,
            workers=workers,
            device=device,
            out=out,
            compare=compare,
            began=began,
        )
    _say(job, _run(job, quiet))


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
    if result.recipe is not None:
        print(f"Recipe   {result.recipe_file}     {result.recipe.describe()}")
    print(f"Report   {result.report}")
    if result.recipe is not None:
        task, recipe = quote(job.request.source), quote(str(result.recipe_file))
        print(f"Train    thalweg train {task} --recipe {recipe}")
