"""A race before it runs: what was asked for, and the folder that it lives in."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from thalweg.errors import UserError
from thalweg.race.ledger import FILE, Ledger, lock
from thalweg.tasks import Task, TaskFacts

LOG = "workers.log"


@dataclass(frozen=True)
class Request:
    """What the user asked for. It is kept in the ledger, so that a resumed race needs nothing said again.

    Attributes:
        optimizers: who races.
        everyone: whether "all" was asked for: then an optimizer that measures as too slow is left out too.
        left_out: who cannot run on the task, with the reason.
        advised: the advisor's recipe for the task, as JSON.
    """

    source: str
    optimizers: tuple[str, ...]
    budget: float | None = None
    steps: int | None = None
    seed: int = 0
    workers: int | None = None
    device: str = "cpu"
    purpose: str = "find"
    everyone: bool = False
    left_out: Mapping[str, str] = field(default_factory=dict)
    advised: str = ""


def new_folder(task: Task, base: Path = Path("runs")) -> Path:
    """Make the first of ``runs/<task>-1``, ``-2``, ... that is not there."""
    number = 1
    while True:
        folder = base / f"{task.name}-{number}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            number += 1
        except OSError as error:
            raise UserError(
                f"cannot make the folder {folder}: {error.strerror}; choose one with --out"
            ) from error
        else:
            return folder


def make_folder(folder: Path) -> Path:
    """Make ``folder`` unless it is there, and refuse one that holds a race already."""
    if folder.is_file():
        raise UserError(f"{folder} is a file; give a folder with --out, or a name that is free")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make the folder {folder}: {error.strerror}; choose another --out") from error
    with lock(folder):
        if (folder / FILE).exists():
            _refuse_a_race(folder)
    return folder


def _refuse_a_race(folder: Path) -> None:
    with Ledger.open(folder / FILE) as ledger:
        if meta := ledger.meta():
            raise UserError(
                f"{folder} holds a race of {meta['task']} with {len(ledger.runs())} finished runs; "
                f"go on with it (thalweg race --resume {folder}), or choose another --out"
            )


def leave_nothing(folder: Path) -> None:
    """Take away what a race has made that could not begin; a log with something in it stays."""
    for name in (FILE, f"{FILE}-wal", f"{FILE}-shm", ".lock"):
        (folder / name).unlink(missing_ok=True)
    log = folder / LOG
    if log.exists() and log.stat().st_size == 0:
        log.unlink()
    with contextlib.suppress(OSError):  # it holds something else
        folder.rmdir()


def stored_request(folder: Path) -> Request:
    """The request of the race in ``folder``.

    Raises:
        UserError: there is no race, or it was killed before it had begun.
    """
    if not (folder / FILE).is_file():
        raise UserError(f"there is no race to resume in {folder} (no {FILE}); thalweg race TASK begins one")
    with Ledger.open(folder / FILE) as ledger:
        meta = ledger.meta()
    if "request" not in meta:
        raise UserError(f"the race in {folder} had not begun; begin it: thalweg race TASK --out {folder}")
    values = meta["request"]
    return Request(**{**values, "optimizers": tuple(values["optimizers"])})


@dataclass(frozen=True)
class Job:
    """A race that is ready to run, or to go on.

    Attributes:
        task: what is raced.
        request: what was asked for (of a resumed race: `stored_request`).
        folder: where ledger and results are.
        began: when the budget began to count, on the clock of ``time.perf_counter``.
        facts: what the preflight found; None for a race that goes on, whose ledger has them.
    """

    task: Task
    request: Request
    folder: Path
    began: float
    facts: TaskFacts | None = None
