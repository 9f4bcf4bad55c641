"""``thalweg schedule``: draw a schedule in the terminal and to a file."""

import shutil
from pathlib import Path
from typing import Annotated

import typer


def schedule(
    text: Annotated[str, typer.Argument(metavar="SCHEDULE", help='Such as "warmup(100) >> cosine(900)".')],
    lr: Annotated[float, typer.Option(help="The learning rate that the factor is multiplied by.")] = 1.0,
    steps: Annotated[int | None, typer.Option(min=1, help="How far to draw.", show_default="all")] = None,
    out: Annotated[Path | None, typer.Option(help="Also write a picture (.svg) or a table (.csv).")] = None,
) -> None:
    """Draw a schedule: the value of the learning rate over the steps.

    Schedules are joined with >>. There are warmup, constant, linear, polynomial, cosine, exponential,
    inverse_sqrt, step, multistep, wsd, one_cycle, cosine_restarts, triangular, triangular2 and exp_range;
    a name alone shows its options.
    """
    from thalweg import schedules

    drawn = schedules.parse(text)
    columns = shutil.get_terminal_size().columns
    picture = drawn.draw(steps=steps, base=lr, width=max(30, min(columns, 100)))
    if out is not None:
        drawn.save(out, steps=steps, base=lr)
    print(f"{drawn}\n\n{picture}")
    if out is not None:
        print(f"\nwritten to {out}")
