"""Running scripts under node."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from thalweg.engine.javascript import literal


def node(script: Path, *arguments: str) -> list[Any]:
    """The results that a script prints, a line each; infinities and NaN come as text."""
    found = shutil.which("node")
    assert found, "the page's engine runs under node, and there is none: install nodejs, 18 or newer"
    result = subprocess.run([found, str(script), *arguments], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-4000:]
    return [json.loads(line) for line in result.stdout.splitlines()]


def module(path: Path, **exports: Any) -> str:
    """A module of JavaScript that exports plain values."""
    lines = (f"export const {name} = {literal(value)};\n" for name, value in exports.items())
    path.write_text("".join(lines), encoding="utf-8")
    return str(path)
