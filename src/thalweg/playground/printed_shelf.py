"""What the page says of each optimizer and transform: options, defaults, intervals, the printed methods."""

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FunctionType
from typing import Any, Literal, get_args, get_origin
from unittest.mock import patch

import torch

from thalweg.engine.checkpoint import HOW
from thalweg.engine.javascript import literal, safe
from thalweg.engine.optimizer import Optimizer
from thalweg.engine.options import taken_apart
from thalweg.errors import UserError
from thalweg.playground.printed_functions import function_lines, indented
from thalweg.playground.printed_library import Library

__all__ = ["facts", "instance_of", "optimizer_lines", "option", "transform_lines"]

_PAIR = (0.25, 0.5)  # any two numbers: what rules call them is asked for


def facts(documented: Any) -> dict[str, str]:
    """The first sentence of a docstring and, where it is stated, the source."""
    text = inspect.getdoc(documented) or ""
    sentence = re.sub(r"``|`", "", text.split("\n\n")[0].replace("\n", " "))
    found = re.search(r"Source:\s+(.*?)(?:\n\n|\n    \n|$)", text, re.DOTALL)
    source = " ".join(found[1].split()).replace("`", "") if found else ""
    return {"doc": sentence, "source": source}


def option(name: str, parameter: inspect.Parameter, interval: str | None) -> dict[str, Any]:
    """One argument: its name, default (None where it must be given), kind, interval and choices."""
    annotation, default = parameter.annotation, parameter.default
    required = default is parameter.empty
    out: dict[str, Any] = {"name": name, "default": None if required else default, "required": required}
    out |= {"kind": _kind(annotation), "interval": interval, "choices": None, "members": None}
    if out["kind"] == "choice":
        out["choices"] = list(get_args(annotation))
    if out["kind"] == "pair":
        out["members"] = [key for key in taken_apart({name: _PAIR}) if key != name]
    return out


def _kind(annotation: Any) -> str:
    """What a field for an argument has to take."""
    if get_origin(annotation) is Literal:
        return "choice"
    if get_origin(annotation) is tuple:
        return "pair"
    if get_origin(annotation) is Sequence:
        return "integers"
    parts = set(get_args(annotation)) or {annotation}
    for kind, name in ((float, "number"), (bool, "boolean"), (int, "integer")):
        if kind in parts:
            return name
    raise UserError(f"an argument of type {annotation!r} has no field in the page")


# -- optimizers ---------------------------------------------------------------------------------------------


def optimizer_lines(library: Library, kind: type[Optimizer], instance: Optimizer) -> list[str]:
    """An optimizer as an object of JavaScript."""
    group = {k: v for k, v in instance.param_groups[0].items() if k != "params" and k not in HOW}
    signature = inspect.signature(kind, eval_str=True).parameters
    options = [option(n, p, kind.intervals.get(n)) for n, p in signature.items() if n in group]
    lines = [f"{key}: {literal(value)}," for key, value in {"name": kind.__name__, **facts(kind)}.items()]
    lines += ["options: [", *indented([f"{literal(o)}," for o in options]), "],"]
    lines.append(f"group: {literal(group)},")
    ahead = getattr(kind, "ahead", None)
    pair = {"state": ahead[0], "factor": ahead[1]} if ahead else None
    lines.append(f"ahead: {literal(pair)},")
    lines += _check(library, kind, [o["name"] for o in options])
    lines += [*function_lines(library, _written(kind, "algorithm"), "algorithm", kind)[:-1], "},"]
    return lines + _states(library, kind)


def _written(kind: type, name: str) -> FunctionType:
    found = inspect.getattr_static(kind, name)
    assert isinstance(found, FunctionType)
    return found


def _check(library: Library, kind: type, options: list[str]) -> list[str]:
    """What the constructor checks before it hands its arguments on."""
    head = f"check({{ {_taken(options)} }})"
    skip = ("defaults = ", "super().__init__(")
    lines = function_lines(library, _written(kind, "__init__"), "check", kind, skip=skip)
    return [f"{head} {{", *lines[1:-1], "},"]


def _states(library: Library, kind: type[Optimizer]) -> list[str]:
    """What the states are before the first step; null where they are zero."""
    written = _written(kind, "states_of")
    if written is Optimizer.states_of:
        return ["states: null,"]
    given = {"super().states_of(group, p)": "zeros"}
    lines = function_lines(library, written, "states", kind, given)
    return ["states(group, zeros) {", *lines[1:-1], "},"]


# -- transforms ---------------------------------------------------------------------------------------------


def transform_lines(library: Library, factory: FunctionType, examples: Mapping[str, Any]) -> list[str]:
    """A transform's factory as an object of JavaScript."""
    with _recorded(factory) as intervals:
        made = factory(**examples)
    signature = inspect.signature(factory, eval_str=True).parameters
    arguments = [option(n, p, intervals.get(n)) for n, p in signature.items()]
    name = library.name(inspect.getmodule(factory), factory.__name__)  # type: ignore[arg-type]
    lines = [f"{key}: {literal(v)}," for key, v in {"name": factory.__name__, **facts(factory)}.items()]
    lines += [f"on: {literal(made.on)},", f"example: {literal(examples)},"]
    lines += ["arguments: [", *indented([f"{literal(a)}," for a in arguments]), "],"]
    lines.append(f"make: ({{ {_taken(signature)} }}) => {name}({', '.join(map(safe, signature))}),")
    return lines


def _taken(names: Iterable[str]) -> str:
    """Names taken out of an object, those that JavaScript wants for itself under others."""
    return ", ".join(name if name == safe(name) else f"{name}: {safe(name)}" for name in names)


@contextmanager
def _recorded(factory: FunctionType) -> Iterator[dict[str, str]]:
    """The intervals that a factory checks its arguments against."""
    found: dict[str, str] = {}

    def check_value(owner: str, name: str, value: Any, interval: str) -> None:
        found[name] = interval

    def check_options(owner: str, options: Mapping[str, Any], intervals: Mapping[str, str]) -> None:
        found.update(intervals)

    recorders = {"check_value": check_value, "check_options": check_options}
    present = {name: recorder for name, recorder in recorders.items() if name in factory.__globals__}
    with patch.dict(factory.__globals__, present):
        yield found


def instance_of(kind: type[Optimizer]) -> Optimizer:
    """An optimizer of a kind, with its defaults."""
    return kind([torch.nn.Parameter(torch.zeros(1))])  # type: ignore[call-arg]
