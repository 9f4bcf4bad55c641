"""``thalweg advise``: a starting recipe from a look at the task."""

import json
from pathlib import Path
from shlex import quote
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from thalweg.race.advice import Advice

_WIDTH = 100


def advise(
    task: Annotated[
        str, typer.Argument(metavar="TASK", help="A built-in task's name or a task file (thalweg tasks).")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Also write a recipe.json for thalweg train --recipe.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
) -> None:
    """Look at a task's model and data, and print a starting recipe with the reason for each choice.

    One batch is run, nothing is trained. A race starts from this recipe too, and finds out what is better.
    """
    from thalweg.cli.output import check_output
    from thalweg.race import advice
    from thalweg.tasks import check, load
    from thalweg.tasks import device as find_device

    found = load(task)
    check(found, find_device(device))  # one line about what is wrong with it, if anything
    if out is not None:
        check_output(out)
    given = advice.advise(found, device)
    if out is not None:
        given.save(out, found)
    print(json.dumps(given.to_dict(), indent=2) if as_json else _text(given))
    if out is not None and not as_json:
        print(f"\nRecipe  {out}\nTrain   thalweg train {quote(task)} --recipe {quote(str(out))}")


def _text(given: "Advice") -> str:
    from thalweg.race.eligible import size

    seen = given.seen
    lines = [
        f"{seen.task}: {seen.parameters:,} parameters in {seen.layers}",
        f"batch {seen.batch_size:,} of {seen.samples:,} samples; a full run is {seen.steps:,} steps; "
        f"AdamW would keep {size(seen.state_bytes)}",
        "",
        given.recipe.describe(),
        "",
    ]
    for choice in given.choices:
        lines += wrap(
            f"{choice.what:<13} {choice.value:<9} {choice.why} [{choice.source}]",
            _WIDTH,
            subsequent_indent=" " * 24,
        )
    return "\n".join([*lines, "", f"Worth a race: {given.also}."])
