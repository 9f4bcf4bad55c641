"""A report on disk appears whole or not at all."""

import os
from pathlib import Path

import pytest

from thalweg import files
from thalweg.errors import UserError
from thalweg.race.ledger import Ledger
from thalweg.report import write


def test_write_replaces_in_one_move_and_leaves_nothing_else(full: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    out.write_text("old")
    assert write(full, out) == out
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert list(tmp_path.iterdir()) == [out]


def test_a_failed_write_keeps_the_old_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "report.html"
    out.write_text("old")

    def full_disk(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(UserError, match=r"cannot write .*report\.html: No space left on device"):
        files.save("new", out)
    assert out.read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for place in (pipe, tmp_path):
        with pytest.raises(UserError, match="is no file; choose another name"):
            files.save("new", place)
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


def test_a_missing_folder_or_ledger_is_one_clear_line(full: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="choose another folder"):
        write(full, tmp_path / "no" / "report.html")
    with pytest.raises(UserError, match=r"there is no ledger"):
        write(tmp_path / "race.sqlite", tmp_path / "report.html")


def test_a_race_killed_before_its_plan_has_a_page_too(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "race.sqlite", "write") as ledger:
        ledger.put_meta({"task": "toy"})
    page = write(tmp_path / "race.sqlite", tmp_path / "report.html").read_text(encoding="utf-8")
    assert "No run has finished yet." in page
    assert "thalweg race toy" in page
