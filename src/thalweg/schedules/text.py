"""From text to a schedule: ``parse("warmup(100) >> cosine(900)")``. Nothing is evaluated."""

import ast
import difflib
import inspect
from typing import Any

from thalweg.errors import UserError
from thalweg.schedules import cycles, phases, shapes
from thalweg.schedules.base import Schedule

_SHAPES: dict[str, type[Schedule]] = {
    name: shape
    for module in (shapes, cycles, phases)
    for name, shape in vars(module).items()
    if isinstance(shape, type) and issubclass(shape, Schedule) and shape.__module__ == module.__name__
    if not name.startswith("_")
}
_LONGEST = 10_000  # characters; deeper nesting than this allows would overrun the parser's stack


def parse(text: str) -> Schedule:
    """Return the schedule that a text describes.

    The text is what ``str(schedule)`` gives: names of schedules with numbers, joined by ``>>``. It is
    read, never executed.

    Args:
        text: such as ``"warmup(100) >> cosine(900, end=0.1)"``.

    Raises:
        UserError: the text is no schedule; the message names the position and near names.

    >>> parse("warmup(100) >> cosine(900)")(550)
    0.5
    """
    if len(text) > _LONGEST:
        raise UserError(f"this schedule has {len(text)} characters; {_LONGEST} at most")
    source = " ".join(text.split())
    if not source:
        names = ", ".join(sorted(_SHAPES))
        raise UserError(f"write a schedule, such as 'warmup(100) >> cosine(900)'; there are {names}")
    try:
        tree = ast.parse(source, mode="eval").body
    except SyntaxError as error:
        column = error.offset or len(source) + 1  # 0 stands for the end of the text
        raise _error(source, column, f"cannot read the schedule: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError):
        raise UserError(f"cannot read the schedule {source[:40]!r}") from None
    return _schedule(tree, source)


def _schedule(node: ast.expr, source: str) -> Schedule:
    match node:
        case ast.BinOp(left=left, op=ast.RShift(), right=right):
            return _schedule(left, source).then(_schedule(right, source))
        case ast.Call(func=ast.Name(id=name)):
            return _call(name, node, source)
        case ast.Name(id=name) if name in _SHAPES:
            message = f"{name} needs its options in parentheses: {_usage(name)}"
            raise _error(source, node.col_offset + 1, message)
        case ast.Name(id=name):
            raise _unknown(name, node, source)
    raise _error(source, node.col_offset + 1, "expected a schedule such as cosine(900)")


def _call(name: str, node: ast.Call, source: str) -> Schedule:
    if name not in _SHAPES:
        raise _unknown(name, node, source)
    if any(keyword.arg is None for keyword in node.keywords):
        raise _error(source, node.col_offset + 1, f"write the options out: {_usage(name)}")
    arguments = [_value(argument, source) for argument in node.args]
    options = {str(keyword.arg): _value(keyword.value, source) for keyword in node.keywords}
    signature = inspect.signature(_SHAPES[name])
    try:
        bound = signature.bind(*arguments, **options)
    except TypeError as error:
        raise _error(source, node.col_offset + 1, f"{error}; it is {_usage(name)}") from None
    return _SHAPES[name](*bound.args, **bound.kwargs)


def _value(node: ast.expr, source: str) -> Any:
    """Return a number, a word, None, or a list of these."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        raise _error(source, node.col_offset + 1, "expected a number") from None


def _unknown(name: str, node: ast.expr, source: str) -> UserError:
    if "plateau" in name.lower():
        message = (
            "a plateau follows a metric and not the step: use thalweg.schedules.ReduceOnPlateau in Python"
        )
        return _error(source, node.col_offset + 1, message)
    near = difflib.get_close_matches(name, _SHAPES, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(_SHAPES))}"
    return _error(source, node.col_offset + 1, f"no schedule called {name!r}; {hint}")


def _usage(name: str) -> str:
    parameters = inspect.signature(_SHAPES[name]).parameters.values()
    needed_first = sorted(parameters, key=lambda parameter: parameter.default is not parameter.empty)
    return f"{name}({', '.join(map(_option, needed_first))})"


def _option(parameter: inspect.Parameter) -> str:
    if parameter.default is not parameter.empty:
        return f"{parameter.name}={parameter.default!r}"
    return f"{parameter.name}=..." if parameter.kind is parameter.KEYWORD_ONLY else parameter.name


def _error(source: str, column: int, message: str) -> UserError:
    return UserError(f"{message} (position {column} of {source!r})")
