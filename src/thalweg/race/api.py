"""Race from Python: ``thalweg.race(task, budget="3m")``."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from thalweg.errors import UserError
from thalweg.race.advice import advise
from thalweg.race.budget import check_steps
from thalweg.race.driver import conduct
from thalweg.race.eligible import field, free_memory
from thalweg.race.job import Job, Request, make_folder, new_folder, stored_request
from thalweg.race.ledger import FILE, Ledger
from thalweg.race.live import View, view_for
from thalweg.race.priors import ALL, check_optimizers
from thalweg.race.recipe import Recipe
from thalweg.race.saved import cores
from thalweg.race.train import whole
from thalweg.race.verdict import Verdict
from thalweg.tasks import Task, check, load
from thalweg.tasks import device as find_device

OPTIMIZERS = ("adamw", "nesterov", "rmsprop", "adagrad")
"""Who races when nobody says."""
_BUDGET = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")


@dataclass(frozen=True)
class RaceResult:
    """What a race gives.

    Attributes:
        recipe: the recommended recipe; None when no run of the final ended well.
        verdict: what the race shows, in a sentence and in figures.
        folder: where its files are.
        report: the page that shows it.
        ledger: the file with every run.
        recipe_file: ``recipe.json``; None without a recipe.
        left_out: who could not race, with the reason.
    """

    recipe: Recipe | None
    verdict: Verdict
    folder: Path
    report: Path
    ledger: Path
    recipe_file: Path | None
    left_out: Mapping[str, str]


def finish(job: Job, view: View) -> RaceResult:
    """Run a race to its end and write all its files. Errors: see `thalweg.race.driver.conduct`."""
    from thalweg import report

    verdict = conduct(job, view)
    page, ledger = job.folder / "report.html", job.folder / FILE
    with Ledger.open(ledger) as file:
        left_out = file.meta().get("left_out") or {}
    report.write(ledger, page)
    recipe_file = job.folder / "recipe.json" if verdict.winner else None
    return RaceResult(verdict.winner, verdict, job.folder, page, ledger, recipe_file, left_out)


def race(
    task: str | Path | Task,
    budget: str | float | None = None,
    *,
    steps: int | None = None,
    optimizers: Sequence[str] | str | None = None,
    seed: int = 0,
    workers: int | None = None,
    device: str = "auto",
    out: str | Path | None = None,
    compare: bool = False,
    quiet: bool = False,
) -> RaceResult:
    """Find a training recipe for ``task`` within a budget, and prove it.

    Args:
        task: a built-in task's name, the path of a task file, or a `Task`. A `Task` that was made in
            Python runs in this process; one of a file runs in as many worker processes as pay off.
        budget: wall time: "3m", "90s", "1h30m", or a number of seconds (5 is five seconds); "3m" unless
            ``steps`` is given.
        steps: the length of a full run, at least 40. With ``budget`` too, the other sizes of the race
            (trials, finalists, seeds) are the largest that fit; a budget that fits none is refused.
        optimizers: who races; by default adamw, nesterov, rmsprop and adagrad. "all" is every one that can
            run on the task; who cannot is left out, and the verdict's page says why.
        seed: another seed gives other trials and other runs.
        workers: processes; by default what measures fastest.
        device: "auto" is CUDA or MPS where there is one.
        out: the folder for the results; by default the next free ``runs/<task>-<n>``.
        compare: keep the budgets of all optimizers equal to the end.
        quiet: print nothing.

    Raises:
        UserError: the task or an argument is wrong, the budget is too small, the folder cannot be written.
    """
    began = perf_counter()
    job = prepare(
        task,
        budget,
        steps=steps,
        optimizers=optimizers,
        seed=seed,
        workers=workers,
        device=device,
        out=out,
        compare=compare,
        began=began,
    )
    return finish(job, view_for(quiet, job.folder / FILE))


def prepare(
    task: str | Path | Task,
    budget: str | float | None = None,
    *,
    steps: int | None = None,
    optimizers: Sequence[str] | str | None = None,
    seed: int = 0,
    workers: int | None = None,
    device: str = "auto",
    out: str | Path | None = None,
    compare: bool = False,
    began: float | None = None,
) -> Job:
    """Check what is asked for, make the folder, and return the race, not yet begun. See `race`."""
    began = perf_counter() if began is None else began
    if budget is None and steps is None:
        budget = "3m"
    if not 0 <= seed < 1_000_000:
        raise UserError(f"seed is {seed}; it is a whole number from 0 to 999,999")
    asked = OPTIMIZERS if optimizers is None else (optimizers,) if isinstance(optimizers, str) else optimizers
    everyone = list(asked) == [ALL]
    if not everyone:
        check_optimizers(asked)
    limit = None if budget is None else seconds(budget)
    check_steps(steps)
    whole("workers", workers)
    where = str(find_device(device))
    found = task if isinstance(task, Task) else load(task)
    if not found.source and (workers or 1) > 1:
        raise UserError(
            f"workers is {workers}, and a task made in Python runs in this process alone; "
            "put it in a file and give its path"
        )
    purpose = "compare" if compare else "find"
    facts = check(found, where)  # before a folder is made that nothing would be in
    room = free_memory(where, workers or cores())
    names, left_out = field(asked, facts.parameters, steps or facts.full_steps, room)
    advised = advise(found, where).recipe.to_json()
    asked_for = (found.source, names, limit, steps, seed, workers, where, purpose)
    request = Request(*asked_for, everyone, left_out, advised)
    folder = new_folder(found) if out is None else make_folder(Path(out))
    return Job(found, request, folder, began, facts)


def resume(folder: str | Path, task: Task | None = None) -> Job:
    """The race in ``folder``, ready to go on; ``task`` only if it was made in Python.

    Raises:
        UserError: there is none, it is damaged, or its task cannot be loaded any more.
    """
    began = perf_counter()
    folder = Path(folder)
    request = stored_request(folder)
    if task is None:
        if not request.source:
            raise UserError(
                f"the race in {folder} is of a task made in Python; resume it there, with the task"
            )
        task = load(request.source)
    find_device(request.device)
    return Job(task, request, folder, began)


def seconds(budget: str | float) -> float:
    """A budget in seconds.

    Raises:
        UserError: it is not a time above 0.

    >>> seconds("1m30s"), seconds("0.5h"), seconds(20)
    (90.0, 1800.0, 20.0)
    """
    value = float(budget) if isinstance(budget, int | float) else _parsed(budget)
    if not 0 < value < float("inf"):
        raise UserError(f"the budget is {budget}; it must be above 0, such as 3m")
    return value


def _parsed(text: str) -> float:
    match = _BUDGET.fullmatch(text.strip().lower())
    if not match or not any(match.groups()):
        hint = f" ({text}s or {text}m?)" if text.strip().replace(".", "", 1).isdigit() else ""
        raise UserError(f"the budget '{text}' is no time{hint}; write it as 90s, 3m, 1h or 1m30s")
    hours, minutes, rest = (float(group or 0) for group in match.groups())
    return 3600 * hours + 60 * minutes + rest
