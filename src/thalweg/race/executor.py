"""Executors: they take runs and give back results. `submit`, `wait` and `close` are all a race needs.

`LocalExecutor` keeps warm worker processes. They are spawned, never forked (GNU OpenMP does not survive a
fork), and a worker that dies is replaced and its run given to another.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import Pipe
from multiprocessing import connection as connections
from pathlib import Path
from typing import IO, Any, Protocol

from thalweg.errors import UserError
from thalweg.race.run import RunResult, returned_process, run
from thalweg.race.runs import RunSpec
from thalweg.race.worker import BOOT
from thalweg.tasks import Task

FINAL_EVALS = 20  # points of a finalist's curve
SEARCH_EVALS = 4  # of any other run's: it is judged by its last
LIVES = 3
"""A run that kills so many workers is recorded as failed; so many deaths before any run end the race."""


@dataclass(frozen=True)
class Conditions:
    """What all runs of a race share."""

    device: str = "cpu"
    threads: int = 1


@dataclass(frozen=True)
class Finished:
    """A run that has ended, with the times (UTC, ISO 8601) at which it began and ended."""

    spec: RunSpec
    result: RunResult
    started: str
    finished: str


class Executor(Protocol):
    """Anything that runs runs: here, or on a cluster."""

    progress: dict[str, int]
    """Steps done of each run under way, by its key."""

    def submit(self, spec: RunSpec) -> None:
        """Take a run; it begins as soon as there is room."""

    def wait(self, timeout: float | None = None) -> list[Finished]:
        """Wait until something happens, at most ``timeout`` seconds; return what has ended since."""

    def close(self) -> None:
        """Stop at once; runs under way are lost."""


def now() -> str:
    """The time as the ledger writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def order(spec: RunSpec, conditions: Conditions) -> dict[str, Any]:
    """The arguments of `thalweg.race.run.run` for a run, but task and recipe."""
    final = spec.phase == "final"  # the test data and the long look are for finalists only
    evals = FINAL_EVALS if final else SEARCH_EVALS
    return {"seed": spec.seed, "steps": spec.steps, **vars(conditions), "evals": evals, "test": final}


class InProcessExecutor:
    """Runs one after another in this process: for a task that another process cannot import."""

    def __init__(self, task: Task, conditions: Conditions | None = None) -> None:
        self.progress: dict[str, int] = {}
        self.conditions = conditions or Conditions()
        self._task = task
        self._queue: deque[RunSpec] = deque()

    def submit(self, spec: RunSpec) -> None:
        """Take a run."""
        self._queue.append(spec)

    def wait(self, timeout: float | None = None) -> list[Finished]:
        """Run the next one, however long it takes."""
        if not self._queue:
            return []
        spec, started = self._queue.popleft(), now()
        with returned_process():
            result = run(self._task, spec.recipe, **order(spec, self.conditions))
        return [Finished(spec, result, started, now())]

    def close(self) -> None:
        """Forget what has not begun."""
        self._queue.clear()


class Worker:
    """A worker process as the driver sees it."""

    def __init__(self, source: str, log: IO[bytes]) -> None:
        inbox, self.requests = Pipe(duplex=False)
        self.replies, outbox = Pipe(duplex=False)
        path = json.dumps([entry or os.getcwd() for entry in sys.path])
        command = [sys.executable, "-c", BOOT, path, source, str(os.getpid())]
        with inbox, outbox:
            self.process = subprocess.Popen(command, stdin=inbox.fileno(), stdout=outbox.fileno(), stderr=log)
        self.ready = False
        self.spec: RunSpec | None = None
        self.started = ""

    def send(self, message: dict[str, Any]) -> None:
        """Send a request. A worker that has just died does not take it: `receive` will tell."""
        with contextlib.suppress(OSError):
            self.requests.send_bytes(json.dumps(message).encode())

    def receive(self) -> dict[str, Any] | None:
        """The next reply, or None when the worker is dead."""
        try:
            message: dict[str, Any] = json.loads(self.replies.recv_bytes())
        except (EOFError, OSError):
            return None
        return message

    def end(self, patience: float = 0.0) -> int:
        """Kill it, unless it ends by itself within ``patience`` seconds; return how it ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(patience)
        self.process.kill()
        self.requests.close()
        self.replies.close()
        return self.process.wait()


class LocalExecutor:
    """Worker processes on this machine.

    Args:
        source: the task as ``thalweg.tasks.load`` takes it.
        workers: how many processes.
        log: a file for what workers print.

    Raises:
        UserError: (from `wait`) the workers cannot start.
    """

    def __init__(self, source: str, workers: int, log: Path) -> None:
        self.conditions = Conditions()
        self.progress: dict[str, int] = {}
        self._source, self._log_path = source, log
        self._log = log.open("ab")
        self._queue: deque[RunSpec] = deque()
        self._deaths: Counter[str] = Counter()
        self._dead_starts = 0
        self._finished: list[Finished] = []
        self.workers = [Worker(source, self._log) for _ in range(workers)]

    def submit(self, spec: RunSpec) -> None:
        """Take a run; a free worker begins it at once."""
        self._queue.append(spec)
        self._dispatch()

    def wait(self, timeout: float | None = None) -> list[Finished]:
        """Wait for news of the workers, at most ``timeout`` seconds; return the runs that have ended."""
        for worker, message in self.news(timeout):
            self._take(worker, message)
        self._dispatch()  # before the caller turns to its ledger: workers should not wait for a disk
        finished, self._finished = self._finished, []
        return finished

    def close(self) -> None:
        """Kill the workers."""
        self.resize(0)
        self._log.close()

    def resize(self, workers: int) -> None:
        """End the workers beyond the first ``workers``."""
        for worker in self.workers[workers:]:
            worker.end()
        del self.workers[workers:]

    def warm_up(self) -> None:
        """Wait until every worker has loaded the task."""
        while not all(worker.ready for worker in self.workers):
            self.wait()

    def ask(self, requests: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Have each request answered by a worker of its own, all at the same time."""
        self.warm_up()
        waiting, asked = list(requests), dict[Worker, dict[str, Any]]()
        replies: list[dict[str, Any]] = []
        while len(replies) < len(requests):
            for worker in self.workers:
                if waiting and worker.ready and worker not in asked:
                    asked[worker] = waiting.pop(0)
                    worker.send(asked[worker])
            for worker, message in self.news(None):
                if message is not None and message["is"] == "speed":
                    replies.append(message)
                    del asked[worker]
                    continue
                if message is None and worker in asked:
                    waiting.append(asked.pop(worker))
                    self._dead_starts += 1
                self._take(worker, message)
        return replies

    def news(self, timeout: float | None) -> list[tuple[Worker, dict[str, Any] | None]]:
        """Messages of the workers, None for one that has died."""
        pipes = {worker.replies: worker for worker in self.workers}
        return [(pipes[p], pipes[p].receive()) for p in connections.wait(list(pipes), timeout)]  # type: ignore[index]

    def _dispatch(self) -> None:
        for worker in self.workers:
            if self._queue and worker.ready and worker.spec is None:
                spec = self._queue.popleft()
                worker.spec, worker.started = spec, now()
                arguments = order(spec, self.conditions)
                worker.send({"do": "run", "key": spec.key, "recipe": spec.recipe.to_json(), **arguments})

    def _take(self, worker: Worker, message: dict[str, Any] | None) -> None:
        if message is None:
            self._replace(worker)
        elif message["is"] == "refused":
            raise UserError(message["message"])
        elif message["is"] == "ready":
            worker.ready = True
        elif message["is"] == "point":
            self.progress[message["key"]] = message["step"]
        elif message["is"] == "run":
            self._finish(worker, RunResult(**message["result"]))

    def _finish(self, worker: Worker, result: RunResult) -> None:
        assert worker.spec is not None
        self._dead_starts = 0
        self.progress.pop(worker.spec.key, None)
        self._finished.append(Finished(worker.spec, result, worker.started, now()))
        worker.spec = None

    def _replace(self, worker: Worker) -> None:
        code = worker.end(patience=5.0)  # its pipe is closed: it is about to end, and not by our hand
        self._dead_starts += not worker.ready
        if self._dead_starts >= LIVES:
            raise UserError(f"worker processes die at their start ({ending(code)}); see {self._log_path}")
        if worker.spec is not None:
            self._mourn(worker, worker.spec, code)
        self.workers[self.workers.index(worker)] = Worker(self._source, self._log)

    def _mourn(self, worker: Worker, spec: RunSpec, code: int) -> None:
        self._deaths[spec.key] += 1
        if self._deaths[spec.key] < LIVES:
            self.progress.pop(spec.key, None)
            self._queue.appendleft(spec)
        else:
            reason = (
                f"its worker process died {LIVES} times, at last with {ending(code)}; see {self._log_path}"
            )
            self._finish(worker, RunResult("failed", reason))


def ending(code: int) -> str:
    """How a process ended, from its return code."""
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def processes(executor: LocalExecutor) -> Sequence[int]:
    """The process ids of an executor's workers."""
    return [worker.process.pid for worker in executor.workers]
