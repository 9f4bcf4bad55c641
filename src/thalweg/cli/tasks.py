"""``thalweg tasks``: list the built-in tasks; ``thalweg tasks new``: write a task file to start from."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="List the built-in tasks, or write a new one.", rich_markup_mode=None, invoke_without_command=True
)


@app.callback()
def tasks(context: typer.Context) -> None:
    """List the built-in tasks."""
    if context.invoked_subcommand is None:
        from thalweg.tasks import names

        print("\n\n".join(described(name) for name in names()))
        print("\nA task of your own: thalweg tasks new task.py")


def described(name: str) -> str:
    """Return three lines on a built-in task: what it is, its sizes, its metric."""
    from thalweg.tasks import load

    task = load(name)
    parameters = sum(parameter.numel() for parameter in task.model().parameters())
    train, valid, test = (f"{task.size(split):,}" for split in ("train", "valid", "test"))
    return (
        f"{name}: {task.description}\n"
        f"    {parameters:,} parameters; {train} + {valid} + {test} samples; batch {task.batch_size}; "
        f"{task.full_steps:,} steps\n"
        f"    {task.metric_name}, {'higher' if task.higher_is_better else 'lower'} is better"
    )


@app.command("new")
def new(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The file to write, such as task.py.")],
) -> None:
    """Write a commented task file that runs as it is, to start from."""
    from thalweg.errors import UserError
    from thalweg.tasks import template

    if path.suffix != ".py":
        raise UserError(f"'{path}' is no name for a Python file; give one that ends in .py")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(template())
    except FileExistsError as error:
        raise UserError(f"'{path}' exists; choose another name, or remove it first") from error
    except OSError as error:
        raise UserError(f"cannot write '{path}': {error.strerror}") from error
    print(f"written to {path}; edit it, then: thalweg race {path}")
