import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from thalweg.errors import UserError
from thalweg.race.executor import Conditions, Finished, InProcessExecutor, LocalExecutor, processes
from thalweg.race.recipe import Recipe
from thalweg.race.runs import RunSpec
from thalweg.tasks import load

RECIPE = Recipe("sgd", 0.1)
DEADLY, SLOW, LOUD = 666, 777, 888
MODEL = f"""
import ctypes, os, signal, sys

def model():
    seed = torch.initial_seed()
    if seed == {DEADLY}:
        os.kill(os.getpid(), signal.SIGKILL)
    if seed == {SLOW}:
        ctypes.PyDLL(None).sleep(600)  # holds the interpreter's lock: no other thread gets on
    if seed == {LOUD}:
        print("a word from the task")
        os.system("echo and a word from a child")
    return nn.Linear(12, 2)

task = Task("""


def spec(seed: int, phase: str = "screen") -> RunSpec:
    return RunSpec(RECIPE, seed, 40, phase, "sgd")


@pytest.fixture
def special(tiny: Path) -> Path:
    text = tiny.read_text().replace("task = Task(", MODEL)
    tiny.write_text(text.replace("model=lambda: nn.Linear(12, 2)", "model=model"))
    return tiny


def drain(executor, count: int, timeout: float = 300) -> list[Finished]:
    finished: list[Finished] = []
    end = time.monotonic() + timeout
    while len(finished) < count and time.monotonic() < end:
        finished += executor.wait(0.2)
    assert len(finished) == count
    return finished


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_workers_do_what_this_process_does_and_survive_what_happens_to_them(special, tmp_path):
    log = tmp_path / "workers.log"
    here = InProcessExecutor(load(special))
    specs = [spec(1), spec(2, "final"), spec(LOUD)]
    for item in specs:
        here.submit(item)
    expected = {done.spec.key: done.result for _ in specs for done in here.wait()}
    assert here.wait() == []

    executor = LocalExecutor(str(special), 2, log)
    try:
        executor.conditions = Conditions(threads=1)
        executor.warm_up()
        first = processes(executor)
        # A run that kills whatever runs it ends as failed; the others come back as they should.
        for item in [spec(DEADLY), *specs]:
            executor.submit(item)
        finished = {done.spec.seed: done for done in drain(executor, 4)}
        assert finished[DEADLY].result.status == "failed"
        assert f"died 3 times, at last with signal {signal.SIGKILL.value}" in finished[DEADLY].result.reason
        for item in specs:
            got, want = finished[item.seed].result, expected[item.key]
            assert (got.weights, got.valid_loss, got.test_metric) == (
                want.weights,
                want.valid_loss,
                want.test_metric,
            )
            assert (got.test_metric is not None) == (item.phase == "final")
            assert len(got.curve) == (20 if item.phase == "final" else 4)
            assert finished[item.seed].started <= finished[item.seed].finished
        text = log.read_text()
        assert "a word from the task" in text
        assert "and a word from a child" in text
        # A worker that is killed from outside: its run is done by another.
        executor.warm_up()
        assert set(processes(executor)) != set(first)
        executor.submit(spec(SLOW))
        executor.wait(0.5)
        busy = next(worker for worker in executor.workers if worker.spec)
        os.kill(busy.process.pid, signal.SIGKILL)
        while busy in executor.workers:
            executor.wait(0.5)
        executor.warm_up()
        assert [worker.spec for worker in executor.workers if worker.spec] == [spec(SLOW)]
        # Ctrl-C is no business of theirs.
        busy = next(worker for worker in executor.workers if worker.spec)
        idle = next(worker for worker in executor.workers if worker is not busy)
        os.kill(busy.process.pid, signal.SIGKILL)
        executor.workers.remove(busy)
        os.kill(idle.process.pid, signal.SIGINT)
        executor.submit(spec(3))
        assert drain(executor, 1)[0].result.status == "ok"
        assert executor.workers == [idle]
        busy.end()
        last = processes(executor)
    finally:
        executor.close()
    assert not any(alive(pid) for pid in last)


def test_a_task_that_workers_cannot_load_is_told(tmp_path):
    executor = LocalExecutor(str(tmp_path / "nothing.py"), 1, tmp_path / "log")
    try:
        with pytest.raises(UserError, match="there is no file"):
            executor.warm_up()
    finally:
        executor.close()


def test_workers_that_die_at_the_start_end_the_race(tiny, tmp_path):
    tiny.write_text("import os; os._exit(7)")
    executor = LocalExecutor(str(tiny), 1, tmp_path / "log")
    try:
        with pytest.raises(UserError, match=r"die at their start \(exit code 7\); see .*log"):
            executor.warm_up()
    finally:
        executor.close()


DRIVER = """
import sys, time
from pathlib import Path
from thalweg.race.executor import *
from thalweg.race.recipe import Recipe
from thalweg.race.runs import RunSpec
executor = LocalExecutor(sys.argv[1], 1, Path(sys.argv[2]))
executor.warm_up()
executor.submit(RunSpec(Recipe("sgd", 0.1), int(sys.argv[3]), 40, "screen", "sgd"))
print(*processes(executor), flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("seed", [1, SLOW])
def test_no_worker_outlives_a_killed_driver(special, tmp_path, seed):
    """Idle (it sees the end of its pipe) or busy in a call that does not return (the kernel ends it)."""
    command = [sys.executable, "-c", DRIVER, str(special), str(tmp_path / "log"), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout is not None
        worker = int(driver.stdout.readline())
        assert alive(worker)
        driver.kill()
    end = time.monotonic() + 120
    while alive(worker) and time.monotonic() < end:
        time.sleep(0.05)
    assert not alive(worker)
