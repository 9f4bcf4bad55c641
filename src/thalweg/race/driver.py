"""The driver: from a request to a verdict, by way of plan, executor and ledger.

The ledger is the only state. Whatever kills a race, `conduct` on the same folder goes on where it stood,
because runs are deterministic and `next_runs` depends on plan and outcomes alone.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean
from time import perf_counter
from typing import Any

from thalweg.errors import UserError
from thalweg.race.budget import Costs, make_plan
from thalweg.race.calibrate import Speed, calibrate, calibrate_here, splits
from thalweg.race.eligible import too_slow
from thalweg.race.executor import (
    FINAL_EVALS,
    SEARCH_EVALS,
    Conditions,
    Executor,
    InProcessExecutor,
    LocalExecutor,
    now,
)
from thalweg.race.job import LOG, Job, Request, leave_nothing
from thalweg.race.ledger import FILE, Ledger, lock, outcome
from thalweg.race.live import View
from thalweg.race.plan import Plan
from thalweg.race.runs import Outcome
from thalweg.race.saved import cores, machine, plain, save_proof, versions, write_text
from thalweg.race.search import next_runs
from thalweg.race.verdict import Verdict, decide
from thalweg.tasks import Task

TICK = 0.5  # seconds between two looks at the live view


def conduct(job: Job, view: View) -> Verdict:
    """Run a race to its end, from wherever it stands; write the results beside the ledger.

    Raises:
        UserError: the ledger belongs to something else, the budget is too small, the disk is full, ...
        KeyboardInterrupt: as it came; what is finished is in the ledger.
    """
    with lock(job.folder), Ledger.open(job.folder / FILE, "write") as ledger:
        admit(ledger, job)
        executor = _executor(ledger, job)
        try:
            plan = stored_plan(ledger) or _fix_plan(ledger, job, executor, view)
            executor.conditions = Conditions(plan.device, plan.threads)
            view.begin(ledger.meta(), plan, job.began)
            run_all(plan, ledger, executor, view)
        finally:
            executor.close()
            view.end()
        verdict = decide(plan, ledger.outcomes())
        write_results(job.folder, plan, ledger, verdict)
    return verdict


def admit(ledger: Ledger, job: Job) -> None:
    """Begin a new ledger, or see that an old one belongs to this task and these versions."""
    meta, task = ledger.meta(), job.task
    if not meta and job.facts is not None:
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
    if job.facts is not None or "request" not in meta:  # another process was faster
        raise UserError(f"another race has begun in {ledger.path.parent}; choose another folder with --out")
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


def _executor(ledger: Ledger, job: Job) -> LocalExecutor | InProcessExecutor:
    if not job.task.source:
        return InProcessExecutor(job.task)
    known = job.request.workers or ledger.meta().get("workers")
    workers = known or max(count for count, _ in _choices(job.request))
    return LocalExecutor(job.task.source, workers, job.folder / LOG)


def _choices(request: Request, in_process: bool = False) -> list[tuple[int, int]]:
    alone = in_process or request.device != "cpu"
    return splits(cores(), request.workers or (1 if alone else None))


def _fix_plan(ledger: Ledger, job: Job, executor: LocalExecutor | InProcessExecutor, view: View) -> Plan:
    view.note("measuring the speed of a step")
    try:
        speed = _speed(job.task, job.request, executor)
        slow = too_slow(speed.weights) if job.request.everyone else {}
        names = tuple(name for name in job.request.optimizers if name not in slow)
        request = replace(job.request, optimizers=names)
        plan = plan_for(ledger.meta(), request, speed, perf_counter() - job.began)
    except UserError:  # such as a budget that is too small
        ledger.close()
        leave_nothing(job.folder)
        raise
    fixed = {"plan": json.loads(plan.to_json()), "plan_id": plan.id}
    left_out = {**job.request.left_out, **slow}
    ledger.put_meta({**fixed, "workers": speed.workers, "speed": asdict(speed), "left_out": left_out})
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
    weights = [speed.weights.get(name, 1.0) for name in request.optimizers]
    costs = Costs(
        step=speed.step_seconds * fmean(weights),
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
        advised=request.advised,
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
        view.update(rows, due, executor.progress)
        if not under_way:
            return
        for done in executor.wait(TICK):
            row = ledger.insert(done.spec, done.result, done.started, done.finished)
            rows.append(row)
            outcomes.append(outcome(row))
            under_way.discard(done.spec.key)


def write_results(folder: Path, plan: Plan, ledger: Ledger, verdict: Verdict) -> None:
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
