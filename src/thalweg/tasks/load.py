"""Find a task: a built-in one by its name, a user's by the path of its Python file."""

import dataclasses
import difflib
import hashlib
import importlib
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from thalweg.errors import UserError
from thalweg.tasks import where
from thalweg.tasks.task import Task

_BUILTIN = Path(__file__).parent / "builtin"
_TEMPLATE = Path(__file__).parent / "starter.py"


def names() -> list[str]:
    """Return the names of the built-in tasks, sorted.

    >>> names()
    ['fashion-cnn', 'fashion-linear', 'fashion-mlp', 'fashion-svm', 'kjv-gru', 'kjv-transformer']
    """
    return sorted(path.stem.replace("_", "-") for path in _BUILTIN.glob("[!_]*.py"))


def template() -> str:
    """Return the text of a commented task file to start from; it runs as it is."""
    return _TEMPLATE.read_text(encoding="utf-8")


def load(name_or_path: str | Path) -> Task:
    """Return a built-in task by its name, or the task that a Python file defines.

    The file defines ``task = Task(...)``, or a function ``task()`` that returns one. It is run once for each
    call, as a script would be: its folder is on the import path.

    Raises:
        UserError: there is no such task or file, it cannot be run, or it defines no task.

    >>> load("fashion-mlp").name
    'fashion-mlp'
    """
    text = str(name_or_path)
    if text in names():
        path = _BUILTIN / f"{text.replace('-', '_')}.py"
        return _finish(importlib.import_module(f"thalweg.tasks.builtin.{path.stem}"), path, source=text)
    path = Path(text).expanduser()
    if path.suffix != ".py":
        raise UserError(_not_found(text, path))
    if not path.is_file():
        raise UserError(_no_file(path))
    path = path.resolve()
    return _finish(_run(path), path, source=str(path))


def _not_found(text: str, path: Path) -> str:
    if path.exists():
        kind = "a folder" if path.is_dir() else "no Python file"
        return f"'{text}' is {kind}; give a built-in task or the path of a .py file (thalweg tasks)"
    near = difflib.get_close_matches(text.lower().replace("_", "-"), names(), n=1, cutoff=0.5)
    if near:
        return f"no task called '{text}'; did you mean '{near[0]}'? (thalweg tasks)"
    return f"no task called '{text}'; give one of {', '.join(names())}, or the path of a .py file"


def _no_file(path: Path) -> str:
    beside = [p.stem for p in path.parent.glob("*.py")] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.stem, beside, n=1, cutoff=0.75)  # without what all names share
    hint = f"thalweg tasks new {path} writes one"
    if near:
        hint = f"did you mean '{path.with_name(near[0])}.py'?"
    return f"there is no file '{path}'; {hint}"


def _run(path: Path) -> ModuleType:
    """Run a user's file as a module of its own name, so that datasets of its classes can be pickled."""
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    name = f"thalweg_task_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UserError(f"'{where.shown(path)}' cannot be read as a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise UserError(_failure(error, path)) from error
    return module


def _failure(error: BaseException, path: Path) -> str:
    """Return one line that says where a user's file failed to run, and why."""
    if isinstance(error, SyntaxError):
        return f"{where.place(error.filename or path, error.lineno)}: {error.msg}"
    if isinstance(error, UnicodeDecodeError | OSError) and not where.of_error(error):
        return f"{where.shown(path)}: cannot be read: {error}"
    at = where.of_error(error) or where.shown(path)
    if isinstance(error, UserError):
        return f"{at}: {error}"
    if isinstance(error, ModuleNotFoundError):
        return f"{at}: there is no module '{error.name}'; install it, or correct the name"
    if keyword := re.fullmatch(
        r"Task\.__init__\(\) got an unexpected keyword argument '(\w+)'.*", str(error)
    ):
        return f"{at}: {_no_field(keyword[1])}"
    if isinstance(error, SystemExit):
        return f"{at}: the file ended the program (exit {error.code}); a task file only defines a task"
    return f"{at}: {where.message(error)}"


def _no_field(name: str) -> str:
    known = [field.name for field in dataclasses.fields(Task) if field.name not in ("source", "file_hash")]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"it has {', '.join(known)}"
    return f"a Task has no '{name}'; {hint}"


def _finish(module: ModuleType, path: Path, source: str) -> Task:
    task: Any = getattr(module, "task", None)
    if task is None:
        raise UserError(f"{where.shown(path)}: defines no task; write task = Task(...) (thalweg tasks new)")
    if callable(task):
        task = _made(task, path)
    if not isinstance(task, Task):
        raise UserError(f"{where.shown(path)}: task is of type {type(task).__name__}; it must be a Task")
    file_hash = hashlib.sha256(path.read_bytes()).hexdigest()
    return dataclasses.replace(task, source=source, file_hash=file_hash)


def _made(function: Any, path: Path) -> Any:
    try:
        return function()
    except (Exception, SystemExit) as error:
        raise UserError(_failure(error, path)) from error
