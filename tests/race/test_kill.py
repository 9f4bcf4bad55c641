"""``kill -9`` of a race's driver or of a worker at random moments: nothing is lost, nothing is done twice."""

import json
import multiprocessing
import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from thalweg.race.ledger import FILE, Ledger

KILLS = 20
COUNTING = """
import os

def model():
    with open(os.environ["RUNS"], "a") as file:
        file.write(f"{os.getpid()}\\n")
    return nn.Linear(12, 2)

task = Task("""
OPTIONS = ["--steps", "40", "--optimizers", "adamw", "--device", "cpu", "--quiet"]
WALL = ("seconds", "step_ms", "optimizer_ms", "started", "finished", "curve")


@dataclass(frozen=True)
class Race:
    """A race in a folder, to be begun, killed and resumed."""

    task: Path
    folder: Path
    start: Callable[..., BaseProcess]
    workers: int

    def begin(self) -> BaseProcess:
        return self._run(
            ["race", str(self.task), "--out", str(self.folder), *OPTIONS, "--workers", str(self.workers)]
        )

    def resume(self) -> BaseProcess:
        if "request" not in self.meta():  # killed before it had begun
            return self.begin()
        return self._run(["race", "--resume", str(self.folder), "--quiet"])

    def _run(self, arguments: list[str]) -> BaseProcess:
        return self.start(arguments, str(self.folder) + ".log", str(self.folder) + ".runs", self.workers)

    def meta(self) -> dict:
        if not (self.folder / FILE).exists():
            return {}
        with Ledger.open(self.folder / FILE) as ledger:
            return ledger.meta()

    def rows(self) -> list[dict]:
        if not (self.folder / FILE).exists():
            return []
        with Ledger.open(self.folder / FILE) as ledger:
            return ledger.runs()

    def finished(self) -> int:
        """How many runs the ledger holds, read while it is being written; -1 before there is one."""
        try:
            connection = sqlite3.connect(f"file:{self.folder / FILE}?mode=ro", uri=True)
        except sqlite3.Error:
            return -1
        try:
            return int(connection.execute("SELECT count(*) FROM runs").fetchone()[0])
        except sqlite3.Error:
            return -1
        finally:
            connection.close()

    def done_by_workers(self, *drivers: int | None) -> int:
        """How many runs have been begun; the drivers' own look at the task does not count."""
        file = Path(str(self.folder) + ".runs")
        begun = [int(line) for line in file.read_text().split()] if file.exists() else []
        return sum(pid not in drivers for pid in begun)

    def result(self) -> tuple[list[dict], dict, dict]:
        """What must not depend on interruptions, nor on the number of workers: runs, verdict and recipe."""
        rows = [{k: v for k, v in row.items() if k not in WALL} for row in self.rows()]
        recipe = json.loads((self.folder / "recipe.json").read_text())
        del recipe["machine"]["cores"]
        return rows, self.meta()["verdict"], recipe


@pytest.fixture(scope="module")
def start() -> Iterator[Callable[..., BaseProcess]]:
    """Start drivers by forking a server that has imported everything and computed nothing."""
    sys.path.insert(0, str(Path(__file__).parent))
    import drive

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["drive", "thalweg.cli.race", "thalweg.race.api", "thalweg.report", "scipy.stats"]
    )

    def start(*arguments: object) -> BaseProcess:
        process = context.Process(target=drive.drive, args=arguments)
        process.start()
        return process

    yield start
    sys.path.remove(str(Path(__file__).parent))


@pytest.fixture
def race(tiny: Path, tmp_path: Path, start) -> Callable[..., Race]:
    text = tiny.read_text().replace("task = Task(", COUNTING)
    tiny.write_text(text.replace("model=lambda: nn.Linear(12, 2)", "model=model"))
    return lambda name, workers=2: Race(tiny, tmp_path / name, start, workers)


def children(pid: int | None) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def wait_for_runs(race: Race, count: int, driver: BaseProcess) -> None:
    while race.finished() < count and driver.is_alive():
        time.sleep(0.002)


def ended(driver: BaseProcess, log: Path) -> int | None:
    driver.join(600)
    assert driver.exitcode is not None, log.read_text()
    return driver.exitcode


def kill_driver(race: Race, after: int, delay: float) -> int | None:
    """Begin the race and kill it; its workers must be gone before anything is counted."""
    driver = race.begin()
    wait_for_runs(race, after, driver)
    time.sleep(delay)
    workers = children(driver.pid)
    driver.kill()
    ended(driver, race.folder)
    for worker in workers:
        wait_until_gone(worker)
    return driver.pid


def kill_worker(race: Race, driver: BaseProcess, after: int, delay: float) -> None:
    wait_for_runs(race, after, driver)
    time.sleep(delay)
    for worker in children(driver.pid)[-1:]:
        with suppress(ProcessLookupError):  # the race was over at this moment
            os.kill(worker, signal.SIGKILL)


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except OSError:
        return False


def wait_until_gone(pid: int) -> None:
    end = time.monotonic() + 120
    while running(pid):
        assert time.monotonic() < end, f"worker {pid} has outlived its driver"
        time.sleep(0.01)


def test_a_race_survives_kill_9_at_twenty_random_moments(race):
    """Ten times: the driver is killed, the race resumed, then a worker killed; it ends as if nothing was."""
    reference = race("reference")
    driver = reference.begin()
    assert ended(driver, reference.folder) == 0, Path(f"{reference.folder}.log").read_text()
    total = len(reference.rows())
    assert reference.done_by_workers(driver.pid) == total
    expected = reference.result()
    chance = random.Random(20)

    def case(name: str, workers: int, first: float, second: float, delays: tuple[float, float]) -> None:
        killed = race(name, workers)
        at = round(first * total) - 1
        old = kill_driver(killed, at, delays[0])
        held = {row["key"]: row["finished"] for row in killed.rows()}
        begun = killed.done_by_workers(old)
        driver = killed.resume()
        kill_worker(killed, driver, round(len(held) + second * (total - len(held))), delays[1])
        assert ended(driver, killed.folder) == 0, Path(f"{killed.folder}.log").read_text()
        again = killed.done_by_workers(old, driver.pid) - begun - (total - len(held))
        assert 0 <= again <= 1  # the run of the worker that was killed
        assert held.items() <= {row["key"]: row["finished"] for row in killed.rows()}.items()
        assert killed.result() == expected

    cases = []
    for number in range(KILLS // 2):
        delays = chance.uniform(0, 0.05), chance.uniform(0, 0.05)
        cases.append((f"case-{number}", 1 + number % 2, chance.random(), chance.random(), delays))
    with ThreadPoolExecutor(2) as two_at_a_time:
        for done in [two_at_a_time.submit(case, *each) for each in cases]:
            done.result()


def test_ctrl_c_keeps_what_is_finished_and_says_how_to_go_on(race):
    stopped = race("stopped")
    driver = stopped.begin()
    wait_for_runs(stopped, 10, driver)
    assert driver.pid is not None
    workers = children(driver.pid)
    os.kill(driver.pid, signal.SIGINT)
    assert ended(driver, stopped.folder) == 130
    for worker in workers:
        wait_until_gone(worker)
    log = Path(f"{stopped.folder}.log").read_text()
    assert log.startswith("thalweg: stopped; what is finished is kept; go on with: thalweg race --resume")
    assert str(stopped.folder) in log
    assert log.count("\n") == 1
    held = len(stopped.rows())
    assert held >= 10
    begun = stopped.done_by_workers(driver.pid)
    second = stopped.resume()
    assert ended(second, stopped.folder) == 0
    assert stopped.done_by_workers(driver.pid, second.pid) - begun == len(stopped.rows()) - held
