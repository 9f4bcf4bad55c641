"""The ledger: one SQLite file that holds the plan of a race and every finished run, and nothing else.

A run is inserted once, whole, when it has ended. A killed race therefore leaves no half run behind, and
what is in the file is all that a resumed race needs to know.
"""

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import IO, Any

from thalweg.errors import UserError
from thalweg.race.recipe import Recipe
from thalweg.race.run import RunResult
from thalweg.race.runs import Outcome, RunSpec

APPLICATION_ID = 0x7468616C  # "thal", at a fixed place in the file's header
SCHEMA = 1
FILE = "race.sqlite"

COLUMNS = {
    "key": "TEXT PRIMARY KEY",
    "phase": "TEXT NOT NULL",
    "label": "TEXT NOT NULL",
    "optimizer": "TEXT NOT NULL",
    "recipe_id": "TEXT NOT NULL",
    "recipe": "TEXT NOT NULL",
    "seed": "INTEGER NOT NULL",
    "steps": "INTEGER NOT NULL",
    "status": "TEXT NOT NULL",
    "reason": "TEXT NOT NULL",
    "valid_metric": "REAL",
    "valid_loss": "REAL",
    "test_metric": "REAL",
    "test_loss": "REAL",
    "train_metric": "REAL",
    "train_loss": "REAL",
    "seconds": "REAL NOT NULL",
    "step_ms": "REAL",
    "optimizer_ms": "REAL",
    "state_bytes": "INTEGER NOT NULL",
    "weights": "TEXT NOT NULL",
    "curve": "TEXT NOT NULL",
    "started": "TEXT NOT NULL",
    "finished": "TEXT NOT NULL",
}


class Ledger:
    """A race's file, open. Use it as a context manager or call `close`."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, path: str | Path, mode: str = "read") -> "Ledger":
        """Open the ledger at ``path``.

        Args:
            path: the file ``race.sqlite``.
            mode: "read" (it must exist), or "write" (it is made when it is not there; one writer at a
                time, see `lock`).

        Raises:
            UserError: there is none, it is damaged, it is not a ledger or of another version, or the
                folder cannot be written.
        """
        path = Path(path)
        if mode == "read" and not path.is_file():
            raise UserError(f"there is no ledger {path}; thalweg race makes one")
        with explained(path):
            connection = sqlite3.connect(path, isolation_level=None)
            try:
                ledger = cls(path, connection)
                ledger._verify()
                if mode == "write":
                    ledger._prepare()
            except BaseException:
                connection.close()
                raise
        return ledger

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; everything in it is on disk already."""
        self._connection.close()

    def _pragma(self, name: str) -> Any:
        return self._connection.execute(f"PRAGMA {name}").fetchone()[0]

    def _blank(self) -> bool:
        """A file that a race killed at its very start may leave: made, with nothing in it yet."""
        tables = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        return bool(tables == 0 and self._pragma("application_id") == 0)

    def _verify(self) -> None:
        if self._blank():
            return
        if self._pragma("application_id") != APPLICATION_ID:
            raise UserError(f"{self.path} is not a race's ledger; choose another folder with --out")
        version = self._pragma("user_version")
        if version != SCHEMA:
            raise UserError(
                f"{self.path} was written by another version of thalweg (format {version}, not {SCHEMA}); "
                "choose another folder with --out"
            )
        if (found := self._pragma("integrity_check(1)")) != "ok":
            raise damaged(self.path, found)

    def _prepare(self) -> None:
        connection = self._connection
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        if not self._blank():
            connection.execute(
                "BEGIN IMMEDIATE"
            )  # finds out now, not after the first run, if it can be written
            connection.execute("ROLLBACK")
            return
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        with self._transaction():
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={SCHEMA}")
            connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
            connection.execute(f"CREATE TABLE runs ({columns})")

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def meta(self) -> dict[str, Any]:
        """What the race is about: its request, plan, versions, machine, facts and task."""
        if self._blank():
            return {}
        with explained(self.path):
            rows = self._connection.execute("SELECT key, value FROM meta").fetchall()
            return {key: json.loads(value) for key, value in rows}

    def put_meta(self, values: Mapping[str, Any]) -> None:
        """Add values, all or none; what is there already stays as it is."""
        rows = [(key, json.dumps(value)) for key, value in values.items()]
        with explained(self.path), self._transaction():
            self._connection.executemany("INSERT OR IGNORE INTO meta VALUES (?, ?)", rows)

    def insert(self, spec: RunSpec, result: RunResult, started: str, finished: str) -> dict[str, Any]:
        """Add a finished run (one that is there already stays as it is); return its row as `runs` does."""
        row = {
            "key": spec.key,
            "phase": spec.phase,
            "label": spec.label,
            "optimizer": spec.recipe.optimizer,
            "recipe_id": spec.recipe.id,
            "recipe": spec.recipe.to_json(),
            "seed": spec.seed,
            "steps": spec.steps,
            "started": started,
            "finished": finished,
            **asdict(result),
        }
        stored = {**row, "curve": json.dumps(row["curve"])}
        marks = ", ".join("?" for _ in COLUMNS)
        with explained(self.path), self._transaction():
            values = [stored[name] for name in COLUMNS]
            self._connection.execute(f"INSERT OR IGNORE INTO runs VALUES ({marks})", values)
        return {**row, "recipe": json.loads(spec.recipe.to_json())}

    def runs(self) -> list[dict[str, Any]]:
        """Every finished run as a dictionary, in the order of their keys; recipe and curve are parsed."""
        if self._blank():
            return []
        with explained(self.path):
            rows = self._connection.execute("SELECT * FROM runs ORDER BY key").fetchall()
            dicts = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
            for row in dicts:
                row["recipe"] = json.loads(row["recipe"])
                row["curve"] = json.loads(row["curve"])
        return dicts

    def outcomes(self) -> Sequence[Outcome]:
        """Every finished run as the plan wants it."""
        return [outcome(row) for row in self.runs()]


def outcome(row: Mapping[str, Any]) -> Outcome:
    """The part of a run's row that decides what comes next."""
    values = {field.name: row[field.name] for field in fields(Outcome)}
    return Outcome(**{**values, "recipe": Recipe.from_json(row["recipe"])})


def damaged(path: Path, found: object) -> UserError:
    """The error for a ledger whose content cannot be trusted."""
    text = " ".join(str(found).split())
    return UserError(
        f"the ledger {path} is damaged ({text}); put back a copy, or race anew in another folder (--out)"
    )


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into one line that says what to do."""
    try:
        yield
    except json.JSONDecodeError as error:
        raise damaged(path, error) from error
    except sqlite3.OperationalError as error:
        text = str(error)
        if "full" in text or "disk I/O" in text:
            raise UserError(
                f"cannot write {path}: {text}; the runs finished so far are kept: make room, then "
                f"thalweg race --resume {path.parent}"
            ) from error
        if "readonly" in text or "unable to open" in text:
            raise UserError(f"cannot write {path}: {text}; choose another folder with --out") from error
        if "locked" in text:
            raise UserError(
                f"{path} is in use by another program; close it, or choose another --out"
            ) from error
        raise damaged(path, error) from error
    except sqlite3.DatabaseError as error:
        raise damaged(path, error) from error


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold ``folder`` for one race. The kernel lets go of it however the process ends.

    Raises:
        UserError: another race holds it.
    """
    try:
        handle = (folder / ".lock").open("a+")
    except OSError as error:
        raise UserError(
            f"cannot write in {folder} ({error.strerror}); choose another folder with --out"
        ) from error
    with handle:
        _claim(handle, folder)
        yield


def _claim(handle: IO[str], folder: Path) -> None:
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.seek(0)
        holder = handle.read().strip()
        process = f" (process {holder})" if holder else ""
        raise UserError(
            f"another race is running in {folder}{process}; wait for it, or choose another folder with --out"
        ) from error
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
