"""``thalweg train``: train with a recipe, exactly as the race did."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from thalweg.race.run import RunResult
    from thalweg.race.training import Point
    from thalweg.tasks import Task

_TaskName = Annotated[
    str | None, typer.Argument(metavar="TASK", help="A name or a task file.", show_default="the recipe's own")
]
_Seed = Annotated[
    int | None, typer.Option(min=0, help="Where the run begins.", show_default="that of the race's run")
]
_Steps = Annotated[
    int | None, typer.Option(min=1, help="Length of the run.", show_default="that of the race's run")
]
_Threads = Annotated[
    int | None, typer.Option(min=1, help="CPU threads.", show_default="those of the race's run")
]
_Device = Annotated[
    str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps.", show_default="that of the race's run")
]


def train(
    recipe: Annotated[Path, typer.Option(help="The recipe.json of a race, or of thalweg advise.")],
    task: _TaskName = None,
    seed: _Seed = None,
    steps: _Steps = None,
    threads: _Threads = None,
    device: _Device = None,
    out: Annotated[Path | None, typer.Option(help="Save the model's state_dict here.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the result alone.")] = False,
) -> None:
    """Train with a recipe; a race's, with nothing changed, bit for bit as the race did on this machine."""
    from thalweg.cli.output import check_output
    from thalweg.race.saved import SavedRecipe
    from thalweg.race.train import incomparable
    from thalweg.race.train import train as fit
    from thalweg.tasks import load

    saved = SavedRecipe.read(recipe)
    found = load(task or saved.task["source"])
    if out is not None:
        check_output(out)
    proof = saved.proof
    length = steps or (proof.steps if proof else found.full_steps)
    begin = seed if seed is not None else proof.seed if proof else 0
    print(f"{found.name} · {saved.recipe.describe()} · {length:,} steps · seed {begin}")
    if warned := incomparable(saved, found):
        print(warned, flush=True)
    show = None if quiet else lambda point: _show(point, found, length)
    done = fit(found, saved, seed=seed, steps=steps, threads=threads, device=device, on_point=show)
    _say(found, done.result)
    if done.comparison and not warned:
        print(done.comparison)
    if out is not None:
        _save(done.model, out)


def _show(point: "Point", task: "Task", length: int) -> None:
    parts = [f"step {point.step:>{len(str(length))}}", f"train loss {point.train_loss:.4f}"]
    parts += [f"valid loss {point.valid_loss:.4f}", f"{task.metric_name} {point.valid_metric:.4f}"]
    print(f"  {'   '.join(parts)}   {point.seconds:.1f} s", flush=True)


def _say(task: "Task", result: "RunResult") -> None:
    for split, metric, loss in (
        ("valid", result.valid_metric, result.valid_loss),
        ("test", result.test_metric, result.test_loss),
    ):
        print(f"{split:<5} {task.metric_name} {metric:.4f}   loss {loss:.4f}")


def _save(model: object, path: Path) -> None:
    import torch

    from thalweg.errors import UserError

    assert isinstance(model, torch.nn.Module)
    try:
        torch.save(model.state_dict(), path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        raise UserError(f"cannot write {path}: {str(error).splitlines()[0]}; choose another --out") from error
    print(f"model {path}", file=sys.stdout)
