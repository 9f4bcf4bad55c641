"""Where in the user's own files something happened: ``task.py, line 14``."""

import dis
import functools
import os
import sysconfig
import traceback
from pathlib import Path
from types import CodeType
from typing import Any

import torch

_HERE = Path(__file__).parent
_LIBRARIES = tuple(
    str(folder) + os.sep
    for folder in (
        Path(torch.__file__).parents[1],
        sysconfig.get_path("stdlib"),
        sysconfig.get_path("purelib"),
        _HERE.parent,
    )
)
_BUILTIN = str(_HERE / "builtin") + os.sep


def shown(path: str | Path) -> str:
    """Return a path as a person would write it: relative where it lies below the current folder."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def place(path: str | Path, line: int | None) -> str:
    """Return ``"task.py, line 14"``."""
    return f"{shown(path)}, line {line}" if line else shown(path)


def is_users(path: str) -> bool:
    """Whether a source file is the user's own: no library's, not thalweg's, except a built-in task."""
    if path.startswith(_BUILTIN):
        return True
    return not path.startswith((*_LIBRARIES, "<frozen", "<string>", "<__array"))


def of_error(error: BaseException) -> str:
    """Return the place of the last of the user's lines that led to an error, or ``""``."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if is_users(frame.filename):
            return place(frame.filename, frame.lineno)
    return ""


def of_return(function: Any) -> str:
    """Return the place of a function's return statement, or of its first line where it has several."""
    code = _code(function)
    if code is None or not is_users(code.co_filename):
        return ""
    lines = {
        instruction.positions.lineno
        for instruction in dis.get_instructions(code)
        if instruction.opname in ("RETURN_VALUE", "RETURN_CONST") and instruction.positions
    }
    return place(code.co_filename, lines.pop() if len(lines) == 1 else code.co_firstlineno)


def _code(function: Any) -> CodeType | None:
    """Return the code behind a function, a method, a partial, a class or an object that can be called."""
    while isinstance(function, functools.partial):
        function = function.func
    if isinstance(function, type):
        function = vars(function).get("__init__")
    elif not hasattr(function, "__code__") and not hasattr(function, "__func__"):
        function = getattr(type(function), "forward", type(function).__call__)
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return code if isinstance(code, CodeType) else None


def message(error: BaseException) -> str:
    """Return an error's first line, with its type where the text alone would not say enough."""
    text = " ".join(str(error).strip().splitlines()[:1]).rstrip(".")
    if type(error) is RuntimeError and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
