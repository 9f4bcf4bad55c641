"""The command line, one module a command: ``advise``, ``race``, ``train``, ``landscape``, ``play`` and so on.

A command's module imports what is heavy inside its function, so that help appears at once. Errors are
turned into one line and an exit code in one place, `thalweg.cli.errors`.
"""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from thalweg import __version__
from thalweg.cli import advise, landscape, play, race, schedule, tasks, train
from thalweg.cli.errors import handled

app = typer.Typer(
    name="thalweg",
    help="Find the training recipe for a PyTorch model, and prove it.",
    add_completion=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"thalweg {__version__}")
        raise typer.Exit


@app.callback()
def thalweg(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Find the training recipe for a PyTorch model, and prove it."""


app.command("advise")(advise.advise)
app.command("race")(race.race)
app.command("train")(train.train)
app.command("landscape")(landscape.landscape)
app.command("play")(play.play)
app.add_typer(tasks.app, name="tasks")
app.command("schedule")(schedule.schedule)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code: 0, 2 for bad input, 130 for Ctrl-C, 1 for a defect."""
    command = typer.main.get_command(app)

    def call() -> None:
        with command.make_context("thalweg", list(arguments or ["--help"])) as context:
            command.invoke(context)

    return handled(call, arguments)


def main() -> None:
    """Run the command that the process was started with, and end the process."""
    sys.exit(run(sys.argv[1:]))
