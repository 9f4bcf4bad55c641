"""``thalweg landscape``: measure the loss surface of a task at a point, within a budget."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from thalweg.landscape.survey import Survey
    from thalweg.race.place import Place
    from thalweg.race.saved import SavedRecipe
    from thalweg.tasks import Task

_INTERRUPTED = 130
_LEAST = 5.0  # seconds
_SHARE = 0.3  # of the budget for a training, where neither a recipe nor a checkpoint says where to measure

_TaskName = Annotated[
    str, typer.Argument(metavar="TASK", help="A built-in task's name or a task file (thalweg tasks).")
]
_Recipe = Annotated[
    Path | None,
    typer.Option(help="A recipe.json: measure where a training with it ends. The training comes first."),
]
_Checkpoint = Annotated[
    Path | None,
    typer.Option(
        help="Measure these weights: a state_dict, {model: ..., optimizer: ...}, or a .safetensors file. "
        "With --recipe too, its optimizer is the one that stability is judged for, and nothing is trained."
    ),
]
_Budget = Annotated[
    str,
    typer.Option(help="About this wall time for the measurements: 30s, 2m. A recipe's training is extra."),
]
_Samples = Annotated[
    int | None,
    typer.Option(min=1, help="Training samples to measure on.", show_default="up to 2,000 that fit"),
]
_Out = Annotated[
    Path | None,
    typer.Option(help="The report: a .html file, or a folder for it.", show_default="landscape-TASK.html"),
]
_Device = Annotated[
    str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps.", show_default="the recipe's, or auto")
]
_Seed = Annotated[
    int | None, typer.Option(min=0, help="Of training and directions.", show_default="the recipe's, or 0")
]


def landscape(
    task: _TaskName,
    recipe: _Recipe = None,
    checkpoint: _Checkpoint = None,
    budget: _Budget = "60s",
    samples: _Samples = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON alone; the report is then written only with --out.")
    ] = False,
    out: _Out = None,
    device: _Device = None,
    seed: _Seed = None,
) -> None:
    """Measure the loss surface at a point: gradient, curvature, noise, flatness, slices. Writes a report.

    The point is where a recipe's training ends, or a checkpoint; with neither, the end of a short training
    with the recipe of thalweg advise, inside the budget. Neither the task nor the checkpoint is changed.
    """
    from thalweg.race.api import seconds
    from thalweg.race.saved import SavedRecipe, machine, versions
    from thalweg.tasks import check, load
    from thalweg.tasks import device as find_device

    began = perf_counter()
    limit = _enough(seconds(budget))
    saved = None if recipe is None else SavedRecipe.read(recipe)
    where = str(find_device(device or (saved.proof.device if saved and saved.proof else "auto")))
    found = load(task)
    check(found, where)
    page = None if as_json and out is None else _page(found, out)
    training = perf_counter()
    place = _place(found, saved, checkpoint, where, seed, _SHARE * limit)
    if saved is not None:
        began += perf_counter() - training  # a recipe's training is as long as it is
    surveyed = _survey(found, place, samples, max(1.0, limit - (perf_counter() - began)), seed or 0)
    options = {"recipe": recipe, "checkpoint": checkpoint, "budget": budget, "samples": samples}
    command = _command(task, {**options, "device": device, "seed": seed})
    surveyed.facts.update(command=command, versions=versions(), machine=machine())
    _finish(surveyed, page, as_json)


def _command(task: str, options: Mapping[str, object]) -> str:
    """What to type to measure this again."""
    given = [f"--{name} {quote(str(value))}" for name, value in options.items() if value is not None]
    return " ".join(["thalweg landscape", quote(task), *given])


def _enough(budget: float) -> float:
    from thalweg.errors import UserError

    if budget < _LEAST:
        raise UserError(
            f"a budget of {budget:g} s is too short to measure anything; give --budget 5s or more"
        )
    return budget


def _page(task: "Task", out: Path | None) -> Path:
    """Where the report goes; that it can be written there is found out now."""
    from thalweg.cli.output import check_output

    name = f"landscape-{''.join(c if c.isalnum() or c in '-_.' else '-' for c in task.name)}.html"
    is_file = out is not None and out.suffix in (".html", ".htm") and not out.is_dir()
    page = out if out is not None and is_file else (out or Path()) / name
    new = not page.exists()
    check_output(page)
    if new:
        page.unlink()  # the check made it; what ends the work early leaves no empty file
    return page


def _place(
    task: "Task",
    saved: "SavedRecipe | None",
    checkpoint: Path | None,
    device: str,
    seed: int | None,
    seconds: float,
) -> "Place":
    from thalweg.race import place

    if saved is not None:
        place.check_recipe(saved, task)
    if checkpoint is not None:
        return place.loaded(task, checkpoint, saved, device)
    if saved is not None:
        return place.trained(task, saved, device, seed)
    return place.briefly(task, device, seed or 0, seconds)


def _survey(task: "Task", place: "Place", samples: int | None, budget: float, seed: int) -> "Survey":
    from thalweg.landscape import Interrupted
    from thalweg.landscape.survey import survey

    surface = place.surface(samples, budget, seed)
    facts = {**place.facts, "train": task.size("train"), "batch_size": task.batch_size}
    try:
        return survey(
            surface,
            budget,
            place.optimizer,
            start=place.start(seed),
            batches=place.in_batches(seed),
            trajectory=place.trajectory,
            task=task.name,
            point=place.words,
            facts=facts,
            seed=seed,
        )
    except Interrupted as stopped:
        survey_so_far: Survey = stopped.partial
        if not survey_so_far.seconds:
            raise
        return survey_so_far


def _finish(surveyed: "Survey", page: Path | None, as_json: bool) -> None:
    from thalweg.race.saved import plain
    from thalweg.report import landscape as report

    if as_json:
        print(json.dumps(plain(surveyed.to_dict()), indent=2))
    else:
        print(f"{_head(surveyed)}\n\n{surveyed.describe()}\n")
    if page is not None:  # after the figures: the disk may be full
        report.write(surveyed, page)
        if not as_json:
            print(f"Report   {page}")
    if not surveyed.complete:
        print("thalweg: stopped; what was measured until then is kept", file=sys.stderr)
        raise typer.Exit(_INTERRUPTED)


def _head(surveyed: "Survey") -> str:
    facts = surveyed.facts
    return (
        f"thalweg landscape · {surveyed.task} · {facts['parameters']:,} parameters · "
        f"{facts['samples']:,} of {facts['train']:,} training samples · {facts['mode']} mode"
    )
