import os
import resource
import signal
import sqlite3
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from thalweg.errors import UserError
from thalweg.race.ledger import FILE, Ledger, lock
from thalweg.race.recipe import Recipe
from thalweg.race.run import RunResult
from thalweg.race.runs import Outcome, RunSpec

SPEC = RunSpec(Recipe("adamw", 3e-3, {"weight_decay": 0.1}, clip=1.0), 100, 40, "final", "adamw")
CURVE = [{"step": 40, "train_loss": 0.1 + 0.2, "valid_loss": 1 / 3, "valid_metric": 0.7, "seconds": 0.5}]
RESULT = RunResult(
    "ok", valid_metric=0.1 + 0.2, valid_loss=1 / 3, test_metric=0.7, seconds=0.6, weights="ab", curve=CURVE
)


def spec(seed: int) -> RunSpec:
    return RunSpec(SPEC.recipe, seed, SPEC.steps, SPEC.phase, SPEC.label)


def filled(path: Path, runs: int = 1) -> None:
    with Ledger.open(path, "write") as ledger:
        ledger.put_meta({"plan": {"steps": 40}, "task": "tiny"})
        for seed in range(runs):
            ledger.insert(spec(seed), RESULT, "then", "now")


def test_what_goes_in_comes_out_bit_for_bit(tmp_path):
    path = tmp_path / FILE
    with Ledger.open(path, "write") as ledger:
        ledger.put_meta({"plan": {"steps": 40}, "task": "tiny"})
        row = ledger.insert(SPEC, RESULT, "then", "now")
    with Ledger.open(path) as ledger:
        assert ledger.runs() == [row]
        assert ledger.meta() == {"plan": {"steps": 40}, "task": "tiny"}
        [outcome] = ledger.outcomes()
    assert row["curve"] == CURVE
    assert row["recipe"]["lr"] == 3e-3
    expected = Outcome.of(
        SPEC, status="ok", valid_metric=0.1 + 0.2, valid_loss=1 / 3, test_metric=0.7, seconds=0.6
    )
    assert outcome == expected


def test_a_run_and_a_meta_value_are_written_once(tmp_path):
    with Ledger.open(tmp_path / FILE, "write") as ledger:
        ledger.insert(SPEC, RESULT, "then", "now")
        ledger.insert(SPEC, RunResult("failed", "again"), "later", "much later")
        ledger.put_meta({"plan": 1})
        ledger.put_meta({"plan": 2, "speed": 3})
        assert [row["status"] for row in ledger.runs()] == ["ok"]
        assert ledger.meta() == {"plan": 1, "speed": 3}


def test_a_killed_writer_leaves_whole_runs(tmp_path):
    """SIGKILL right after an insert: the run is there for the next process, and nothing else is."""
    path = tmp_path / FILE
    code = (
        "import os, sys; sys.path[:0] = sys.argv[2:]; import test_ledger as t; "
        "from thalweg.race.ledger import Ledger; "
        "ledger = Ledger.open(t.Path(sys.argv[1]), 'write'); ledger.insert(t.spec(1), t.RESULT, 'a', 'b');"
        "ledger._connection.execute('BEGIN'); "
        "ledger._connection.execute('INSERT INTO meta VALUES (1, 1)'); os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(path), str(Path(__file__).parent)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert (tmp_path / f"{FILE}-wal").exists()
    with Ledger.open(path, "write") as ledger:
        assert [row["seed"] for row in ledger.runs()] == [1]
        assert ledger.meta() == {}


def test_a_ledger_is_on_disk_before_it_is_built_on(tmp_path):
    with Ledger.open(tmp_path / FILE, "write") as ledger:
        assert ledger._pragma("journal_mode") == "wal"
        assert ledger._pragma("synchronous") == 2


def test_an_empty_file_is_a_ledger_that_has_not_begun(tmp_path):
    path = tmp_path / FILE
    path.touch()
    with Ledger.open(path) as ledger:
        assert (ledger.meta(), ledger.runs()) == ({}, [])
    filled(path)
    with Ledger.open(path) as ledger:
        assert len(ledger.runs()) == 1


def overwrite(path: Path, at: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 3 * 4096)


def forget_a_table(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE meta")
    connection.close()


def spoil_a_curve(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE runs SET curve = substr(curve, 1, 20)")
    connection.close()


def disagree(path: Path) -> None:
    """Change a key in the index alone: every row can still be read, and none can be trusted."""
    content = path.read_bytes()
    pages = [at for at in range(4096, len(content), 4096) if content[at] == 0x0A]  # leaves of an index
    at = content.index(b"final/adamw", pages[-1])
    assert at < pages[-1] + 4096
    overwrite(path, at, b"final/adamx")


DAMAGE = {
    "index": disagree,
    "no database": lambda path: overwrite(path, 0, b"I am no database, but a text file."),
    "overwritten page": lambda path: overwrite(path, 3 * 4096, b"\xff" * 4096),
    "truncated": truncate,
    "header page": lambda path: overwrite(path, 100, b"\xff" * 3000),
    "a table is gone": forget_a_table,
    "broken text": spoil_a_curve,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_ledger_is_refused_with_what_to_do(tmp_path, damage):
    path = tmp_path / FILE
    filled(path, runs=200)
    DAMAGE[damage](path)

    def read():
        with Ledger.open(path, "write") as ledger:
            ledger.meta()
            ledger.runs()

    with pytest.raises(UserError, match=r"is damaged \(.*put back a copy, or race anew") as caught:
        read()
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def pragma(path: Path, text: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA {text}")
    connection.commit()
    connection.close()


def test_another_programs_database_is_not_touched(tmp_path):
    path = tmp_path / FILE
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE mine (x)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(UserError, match="is not a race's ledger"):
        Ledger.open(path, "write")
    assert path.read_bytes() == before


def test_another_version_is_refused(tmp_path):
    filled(tmp_path / FILE)
    pragma(tmp_path / FILE, "user_version=2")
    with pytest.raises(UserError, match=r"another version of thalweg \(format 2, not 1\)"):
        Ledger.open(tmp_path / FILE, "write")


def test_no_ledger_to_read(tmp_path):
    with pytest.raises(UserError, match="there is no ledger"):
        Ledger.open(tmp_path / "nothing.sqlite")
    assert not (tmp_path / "nothing.sqlite").exists()


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot write .*choose another folder"):
        Ledger.open(tmp_path / "file" / FILE, "write")


@contextmanager
def files_no_larger_than(size: int):
    """What a full disk looks like to a program: every write beyond ``size`` fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_loses_nothing_and_says_how_to_go_on(tmp_path):
    path = tmp_path / FILE
    kept: list[int] = []

    def fill(ledger):
        for seed in range(1000):
            ledger.insert(spec(seed), RESULT, "then", "now")
            kept.append(seed)

    with Ledger.open(path, "write") as ledger:
        with (
            files_no_larger_than(100_000),
            pytest.raises(UserError, match=r"cannot write .*make room, then thalweg race --resume"),
        ):
            fill(ledger)
        assert len(kept) > 3
        ledger.insert(spec(len(kept)), RESULT, "then", "now")
    with Ledger.open(path) as ledger:
        assert sorted(row["seed"] for row in ledger.runs()) == [*kept, len(kept)]


def test_two_races_do_not_share_a_folder(tmp_path):
    with (
        lock(tmp_path),
        pytest.raises(UserError, match=rf"another race is running in .*\(process {os.getpid()}\)"),
        lock(tmp_path),
    ):
        pass
    with lock(tmp_path):
        pass


def test_a_killed_holder_holds_nothing(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from thalweg.race.ledger import lock\n"
        "with lock(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(UserError, match=rf"process {holder.pid}\); wait for it, or choose"),
            lock(tmp_path),
        ):
            pass
        holder.kill()
    with lock(tmp_path):
        pass


def test_a_folder_that_cannot_be_locked(tmp_path):
    with pytest.raises(UserError, match="cannot write in"), lock(tmp_path / "nothing"):
        pass
