"""The driver: from a request to a verdict, by way of plan, executor and ledger.

The ledger is the only state. Whatever kills a race, `conduct` on the same folder goes on where it stood,
because runs are deterministic and `next_runs` depends on plan and outcomes alone.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from thalweg.errors import UserError
from thalweg.race.budget import Costs, make_plan
from thalweg.race.calibrate import Speed, calibrate, calibrate_here, splits
from thalweg.race.executor import (
    FINAL_EVALS,
    SEARCH_EVALS,
    Conditions,
    Executor,
    InProcessExecutor,
    LocalExecutor,
    now,
)
from thalweg.race.ledger import FILE, Ledger, lock, outcome
from thalweg.race.live import View
from thalweg.race.plan import Plan
from thalweg.race.runs import Outcome
from thalweg.race.saved import cores, machine, plain, save_proof, versions, write_text
from thalweg.race.search import next_runs
from thalweg.race.verdict import Verdict, decide
from thalweg.tasks import Task, TaskFacts

TICK = 0.5  # seconds between two looks at the live view


@dataclass(frozen=True)
class Request:
    """What the user asked for. It is kept in the ledger, so that a resumed race needs nothing said again."""

    source: str
    optimizers: tuple[str, ...]
    budget: float | None = None
    steps: int | None = None
    seed: int = 0
    workers: int | None = None
    device: str = "cpu"
    purpose: str = "find"


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
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make the folder {folder}: {error.strerror}; choose another --out") from error
    if (folder / FILE).exists():
        with Ledger.open(folder / FILE) as ledger:
            if meta := ledger.meta():
                raise UserError(
                    f"{folder} holds a race of {meta['task']} with {len(ledger.runs())} finished runs; "
                    f"go on with it (thalweg race --resume {folder}), or choose another --out"
                )
    return folder


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


def conduct(job: Job, view: View) -> Verdict:
    """Run a race to its end, from wherever it stands; write the results beside the ledger.

    Raises:
        UserError: the ledger belongs to something else, the budget is too small, the disk is full, ...
        KeyboardInterrupt: as it came; what is finished is in the ledger.
    """
    task, request, folder = job.task, job.request, job.folder
    with lock(folder), Ledger.open(folder / FILE, "write") as ledger:
        admit(ledger, job)
        executor = _executor(ledger, task, request, folder)
        try:
            plan = stored_plan(ledger)
            if plan is None:
                view.note("measuring the speed of a step")
                plan = _fix_plan(ledger, job, executor)
            executor.conditions = Conditions(plan.device, plan.threads)
            view.begin(ledger.meta(), plan, job.began)
            run_all(plan, ledger, executor, view)
        finally:
            executor.close()
            view.end()
        verdict = decide(plan, ledger.outcomes())
        write_results(folder, task, plan, ledger, verdict)
    return verdict


def admit(ledger: Ledger, job: Job) -> None:
    """Begin a new ledger, or see that an old one belongs to this task and these versions."""
    meta, task = ledger.meta(), job.task
    if "request" not in meta:
        assert job.facts is not None
        ledger.put_meta(
            {
                "request": asdict(job.request),
                "task": task.name,
                "task_source": {"name": task.name, "source": task.source, "hash": task.hash},
                "facts": asdict(job.facts),
                "created": now(),
                "versions": versions(),
                "machine": machine(),
            }
        )
        return
    if meta["task_source"]["hash"] != task.hash:
        raise UserError(
            f"the task {task.name} or its data has changed since the race in {ledger.path.parent} began; "
            "race it anew in another folder (--out)"
        )
    _refuse_other_versions(ledger.path.parent, meta["versions"])


def _refuse_other_versions(folder: Path, then: dict[str, str]) -> None:
    here = versions()
    for name in ("thalweg", "torch"):
        if then[name] != here[name]:
            raise UserError(
                f"the race in {folder} began with {name} {then[name]}, and this is {here[name]}: its "
                "runs would not compare; install that version, or race anew in another folder (--out)"
            )


def stored_plan(ledger: Ledger) -> Plan | None:
    """The plan in the ledger. Once there it is never computed again."""
    plan = ledger.meta().get("plan")
    return None if plan is None else Plan.from_json(json.dumps(plan))


def _executor(
    ledger: Ledger, task: Task, request: Request, folder: Path
) -> LocalExecutor | InProcessExecutor:
    if not task.source:
        return InProcessExecutor(task)
    known = ledger.meta().get("workers")
    workers = request.workers or known or max(count for count, _ in _choices(request))
    return LocalExecutor(task.source, workers, folder / "workers.log")


def _choices(request: Request, in_process: bool = False) -> list[tuple[int, int]]:
    on_cpu = request.device == "cpu"
    return splits(cores(), request.workers or (None if on_cpu else 1), in_process)


def _fix_plan(ledger: Ledger, job: Job, executor: LocalExecutor | InProcessExecutor) -> Plan:
    speed = _speed(job.task, job.request, executor)
    plan = plan_for(ledger.meta(), job.request, speed, perf_counter() - job.began)
    ledger.put_meta(
        {
            "plan": json.loads(plan.to_json()),
            "plan_id": plan.id,
            "workers": speed.workers,
            "speed": asdict(speed),
        }
    )
    return plan


def _speed(task: Task, request: Request, executor: LocalExecutor | InProcessExecutor) -> Speed:
    seconds = min(max((request.budget or 60) / 200, 0.1), 1.0)
    if isinstance(executor, InProcessExecutor):
        choices = _choices(request, in_process=True)
        return calibrate_here(task, request.device, choices, request.optimizers, seconds)
    choices = _choices(request)
    if len(choices) == 1 and request.budget is None:  # nothing depends on the speed
        return Speed(*choices[0], 0.0, 0.0)
    speed = calibrate(executor, request.device, choices, request.optimizers, seconds)
    executor.resize(speed.workers)
    return speed


def plan_for(meta: dict[str, Any], request: Request, speed: Speed, startup: float) -> Plan:
    """The plan for a request, from what was measured."""
    facts = meta["facts"]
    costs = Costs(
        step=speed.step_seconds,
        look=speed.eval_seconds,
        startup=startup,
        workers=speed.workers,
        search_looks=SEARCH_EVALS,
        final_looks=FINAL_EVALS + 2,  # on the test data, and on a part of the training data
    )
    return make_plan(
        task=meta["task"],
        optimizers=request.optimizers,
        full_steps=facts["full_steps"],
        budget_seconds=request.budget,
        steps=request.steps,
        costs=costs,
        seed=request.seed,
        purpose=request.purpose,
        task_hash=meta["task_source"]["hash"],
        metric_name=facts["metric_name"],
        higher_is_better=facts["higher_is_better"],
        device=request.device,
        threads=speed.threads,
        versions=meta["versions"],
    )


def run_all(plan: Plan, ledger: Ledger, executor: Executor, view: View) -> None:
    """Run what is left to run; each finished run is in the ledger before anything builds on it."""
    rows = ledger.runs()
    outcomes: list[Outcome] = [outcome(row) for row in rows]
    under_way: set[str] = set()
    while True:
        due = next_runs(plan, outcomes)
        for spec in due:
            if spec.key not in under_way:
                under_way.add(spec.key)
                executor.submit(spec)
        if not under_way:
            return
        view.update(rows, due, executor.progress)
        for done in executor.wait(TICK):
            row = ledger.insert(done.spec, done.result, done.started, done.finished)
            rows.append(row)
            outcomes.append(outcome(row))
            under_way.discard(done.spec.key)


def write_results(folder: Path, task: Task, plan: Plan, ledger: Ledger, verdict: Verdict) -> None:
    """Write ``recipe.json`` and ``train.py``, if there is a winner."""
    ledger.put_meta({"verdict": plain(verdict.to_dict()), "ended": now()})
    winner = _winners_run(ledger.runs(), verdict)
    if winner is None:
        return
    about = ledger.meta()["task_source"]
    said = {"kind": verdict.kind, "sentence": verdict.sentence}
    saved = save_proof(folder / "recipe.json", plan, about, said, winner, FINAL_EVALS)
    write_text(folder / "train.py", saved.recipe.snippet(saved.steps))


def _winners_run(rows: Sequence[dict[str, Any]], verdict: Verdict) -> dict[str, Any] | None:
    """The winner's run in the final with the smallest seed."""
    if verdict.winner is None:
        return None
    label, id_ = verdict.winner_label, verdict.winner.id
    own = [
        r
        for r in rows
        if (r["phase"], r["label"], r["recipe_id"], r["status"]) == ("final", label, id_, "ok")
    ]
    return min(own, key=lambda row: row["seed"], default=None)
