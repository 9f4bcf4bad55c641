"""``thalweg play``: the playground in a browser, or as one file."""

from pathlib import Path
from typing import Annotated

import typer

from thalweg.errors import UserError


def play(
    surface: Annotated[
        str | None, typer.Option(help="The surface to begin with, such as rosenbrock.")
    ] = None,
    lesson: Annotated[str | None, typer.Option(help="The lesson to begin with, such as ravine.")] = None,
    slices: Annotated[
        list[Path] | None,
        typer.Option(
            "--slice",
            metavar="FILE.json",
            help="A slice of your own model, from: thalweg landscape TASK --json > FILE.json. Repeatable.",
        ),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(metavar="PAGE.html", help="Write the page as one offline file, and serve nothing."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Where to listen.", show_default="8765, or the next that is free"
        ),
    ] = None,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open a browser.")] = False,
) -> None:
    """Watch optimizers race on a loss surface, from a point you drag. Serves this machine alone."""
    from thalweg import playground

    if export is None:
        playground.serve(
            surface=surface, lesson=lesson, slices=slices or (), port=port, open_browser=not no_open
        )
        return
    if port is not None:
        raise UserError("--export serves nothing, so there is no --port; give one of them")
    page = playground.export(export, surface=surface, lesson=lesson, slices=slices or ())
    print(f"Playground   {page}")
