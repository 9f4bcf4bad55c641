"""Rules: small pure functions that say what an optimizer does to one element, parsed once.

A rule is written as the paper writes it::

    @rule(states={"m": "exp_avg", "v": "exp_avg_sq"})
    def adam(p, g, m, v, *, t, beta1, beta2, eps):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        return (m / (1 - beta1**t)) / (sqrt(v / (1 - beta2**t)) + eps), m, v

Arguments before the star are per element (the parameter, the gradient or step, then the state buffers);
those after it are scalars. The body is assignments and one return, made of ``+ - * /``, comparisons, the
functions of `thalweg.engine.ops` and, among scalars, ``**``. Everything else is refused with file and line.

A scalar that stands in `states` is a state too, one number a parameter; its new value is returned after the
buffers. A scalar may also be a sum over elements, such as a squared norm: `sums` gives its formula, and the
engine computes it in a read-only pass before the step.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from thalweg.engine import ops
from thalweg.engine.lift import Lifted, lift
from thalweg.errors import UserError

__all__ = ["Over", "Rule", "formula", "rule"]

Over = Literal["all", "group", "tensor"]

_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
_ARITY = {"sqrt": 1, "absolute": 1, "sign": 1, "isfinite": 1, "maximum": 2, "minimum": 2, "where": 3}


@dataclass(frozen=True, eq=False)
class Rule:
    """A parsed rule.

    Attributes:
        name: the function's name.
        function: the function itself, which the reference engine calls.
        tensors: names of the per-element arguments, in order.
        scalars: names of the scalar arguments.
        states: for each state argument, its key in the optimizer's ``state_dict``.
        sums: for each scalar that is a sum over elements, its formula; it may ask for the rule's arguments.
        over: what a sum spans: "all" parameters of the optimizer, those of a "group", or each "tensor" alone.
        moves: True if the first value returned is the new parameter instead of a step.
        body: the assignments, in order, as (name, expression).
        returns: the expressions returned, in order.
    """

    name: str
    function: Callable[..., Any]
    tensors: tuple[str, ...]
    scalars: tuple[str, ...]
    states: Mapping[str, str]
    moves: bool
    sums: Mapping[str, "Rule"]
    over: Over
    body: tuple[tuple[str, ast.expr], ...]
    returns: tuple[ast.expr, ...]

    @property
    def buffers(self) -> tuple[str, ...]:
        """Keys of the states that are kept for each element, in the order of their arguments."""
        return tuple(self.states[name] for name in self.tensors if name in self.states)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Keys of the states that are one number a parameter, in the order of their arguments."""
        return tuple(self.states[name] for name in self.scalars if name in self.states)

    @cached_property
    def new_numbers(self) -> tuple[int, ...]:
        """For each of `numbers`, the place of its new value among the lifted scalars."""
        ends = self.lifted.returns[1 + len(self.buffers) :]
        return tuple(self.lifted.constants.index(end.id) for end in ends if isinstance(end, ast.Name))

    @cached_property
    def lifted(self) -> Lifted:
        """The rule with every scalar-only expression taken out of the per-element part."""
        return lift(self.tensors, self.scalars, self.body, self.returns)

    def __call__(self, *args: Any, **scalars: Any) -> tuple[Any, ...]:
        """Run the function as written; the values returned are always a tuple."""
        out = self.function(*args, **scalars)
        return out if isinstance(out, tuple) else (out,)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, str]]:
        """Pickle by name, as functions are."""
        return _find, (self.function.__module__, self.function.__qualname__)


def _find(module: str, name: str) -> Rule:
    import importlib

    found = getattr(importlib.import_module(module), name)
    if not isinstance(found, Rule):
        raise UserError(f"{module}.{name} is no longer a rule; the pickle is of another version")
    return found


def rule(
    *,
    states: Mapping[str, str] | None = None,
    moves: bool = False,
    sums: Mapping[str, Rule] | None = None,
    over: Over = "all",
) -> Callable[[Callable[..., Any]], Rule]:
    """Parse the decorated function into a `Rule`.

    Args:
        states: for each state argument, its key in ``state_dict`` (torch's own key where torch has one).
        moves: the function returns the new parameter itself instead of a step to be scaled by ``-lr``.
        sums: for each scalar argument that is a sum over elements, its `formula`.
        over: what the sums span: "all", "group" or "tensor".

    Raises:
        UserError: the function uses something outside the vocabulary; the message names file and line.
    """
    return lambda function: _parse(function, dict(states or {}), moves, dict(sums or {}), over)


def formula(function: Callable[..., Any]) -> Rule:
    """Parse a function that keeps no state: a transform's formula, or that of a sum."""
    return _parse(function, None, False, {}, "all")


def _parse(
    function: Callable[..., Any],
    states: Mapping[str, str] | None,
    moves: bool,
    sums: Mapping[str, Rule],
    over: Over,
) -> Rule:
    reader = _Reader(function)
    definition = reader.definition
    arguments = definition.args
    if arguments.vararg or arguments.kwarg or arguments.defaults or any(arguments.kw_defaults):
        reader.refuse(definition, "arguments are plain names, without defaults, *args or **kwargs")
    tensors = tuple(a.arg for a in arguments.posonlyargs + arguments.args)
    scalars = tuple(a.arg for a in arguments.kwonlyargs)
    if tensors[:1] != ("p",):
        reader.refuse(definition, "the first argument is p, the parameter")
    for argument in ast.walk(arguments):
        if isinstance(argument, ast.arg):
            reader.check_name(argument, argument.arg)
    body, returns = reader.read(tensors + scalars)
    kept = states or {}
    _check_states(reader, states, sums, tensors, scalars)
    if len(returns) != 1 + len(kept):
        reader.refuse(definition, f"it must return 1 value and {len(kept)} states, not {len(returns)} values")
    parsed = Rule(definition.name, function, tensors, scalars, kept, moves, sums, over, body, returns)
    try:
        ends = parsed.lifted.returns[
            1 + len(parsed.buffers) :
        ]  # lifted here: what cannot be is refused at once
    except UserError as error:
        reader.refuse(definition, str(error))
    for expression, end in zip(returns[1 + len(parsed.buffers) :], ends, strict=True):
        if not (isinstance(end, ast.Name) and end.id in parsed.lifted.constants):
            reader.refuse(
                definition, f"{ast.unparse(expression)!r} is a scalar state and depends on elements"
            )
    return parsed


def _check_states(
    reader: "_Reader",
    states: Mapping[str, str] | None,
    sums: Mapping[str, Rule],
    tensors: tuple[str, ...],
    scalars: tuple[str, ...],
) -> None:
    if states is not None and not set(tensors[2:]) <= set(states) <= {*tensors[2:], *scalars}:
        reader.refuse(
            reader.definition,
            f"states= must name exactly the arguments after g: {tensors[2:]}, and scalars that are kept",
        )
    if not set(sums) <= set(scalars) - set(states or {}):
        reader.refuse(
            reader.definition, f"sums= names {sorted(sums)}; each is a scalar argument and no state"
        )


class _Reader:
    """Reads one function's source and refuses what is outside the vocabulary."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.file = inspect.getsourcefile(function) or "<unknown>"
        lines, self.first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
        definition = tree.body[0]
        if not isinstance(definition, ast.FunctionDef):
            raise UserError(f"{self.file}, line {self.first}: a rule is a plain function, written with def")
        self.definition = definition

    def place(self, node: ast.AST) -> str:
        return f"{self.file}, line {self.first + getattr(node, 'lineno', 1) - 1}"

    def refuse(self, node: ast.AST, why: str) -> None:
        raise UserError(f"{self.place(node)}: rule {self.definition.name!r}: {why}")

    def read(self, names: tuple[str, ...]) -> tuple[tuple[tuple[str, ast.expr], ...], tuple[ast.expr, ...]]:
        known = dict.fromkeys(names, False)
        statements = list(self._statements())
        if not statements or not isinstance(statements[-1], ast.Return) or statements[-1].value is None:
            self.refuse(self.definition, "the last line returns the step and the new states")
        body = [self._assignment(s, known) for s in statements[:-1]]
        value: ast.expr = statements[-1].value  # type: ignore[attr-defined]
        returns = tuple(value.elts) if isinstance(value, ast.Tuple) else (value,)
        self._check_numbers(returns, known)
        return tuple(body), returns

    def _statements(self) -> Iterator[ast.stmt]:
        for i, statement in enumerate(self.definition.body):
            is_docstring = (
                i == 0 and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            )
            if not is_docstring:
                yield statement

    def check_name(self, node: ast.AST, name: str) -> None:
        """Refuse a name that would hide one of the vocabulary or of the lifted scalars."""
        if name in _ARITY or name.startswith("_"):
            self.refuse(node, f"the name {name!r} is taken by the vocabulary; choose another")

    def _assignment(self, statement: ast.stmt, known: dict[str, bool]) -> tuple[str, ast.expr]:
        if not (isinstance(statement, ast.Assign) and len(statement.targets) == 1):
            self.refuse(statement, "only assignments to a name, then one return")
        assert isinstance(statement, ast.Assign)
        target = statement.targets[0]
        if not isinstance(target, ast.Name):
            self.refuse(statement, "only assignments to a plain name")
        assert isinstance(target, ast.Name)
        self.check_name(statement, target.id)
        known[target.id] = self.check(statement.value, known)
        return target.id, statement.value

    def check(self, node: ast.expr, known: dict[str, bool]) -> bool:
        """Refuse an expression outside the vocabulary; True if it is a condition instead of a number."""
        match node:
            case ast.Name() if node.id not in known:
                self.refuse(node, f"{node.id!r} is neither an argument nor assigned before")
            case ast.Name():
                return known[node.id]
            case ast.Constant() if isinstance(node.value, bool) or not isinstance(node.value, int | float):
                self.refuse(node, f"the constant {node.value!r} is not a number")
            case ast.Constant():
                return False
            case ast.BinOp() if isinstance(node.op, _OPERATORS):
                self._check_numbers((node.left, node.right), known)
            case ast.UnaryOp() if isinstance(node.op, ast.USub):
                self._check_numbers((node.operand,), known)
            case ast.Compare() if len(node.ops) == 1 and isinstance(node.ops[0], _COMPARISONS):
                self._check_numbers((node.left, node.comparators[0]), known)
                return True
            case ast.Call() if isinstance(node.func, ast.Name) and not node.keywords:
                return self._check_call(node, node.func.id, known)
            case _:
                self.refuse(node, f"{ast.unparse(node)!r} is outside the vocabulary of rules")
        return False

    def _check_call(self, node: ast.Call, name: str, known: dict[str, bool]) -> bool:
        if name not in _ARITY:
            self.refuse(node, f"no function {name!r}; there are {', '.join(ops.__all__)}")
        if len(node.args) != _ARITY[name]:
            self.refuse(node, f"{name} takes {_ARITY[name]} arguments, not {len(node.args)}")
        numbers = node.args
        if name == "where":
            numbers = node.args[1:]
            if not self.check(node.args[0], known):
                self.refuse(node, "the first argument of where is a condition, such as a comparison")
        self._check_numbers(numbers, known)
        return name == "isfinite"

    def _check_numbers(self, nodes: Sequence[ast.expr], known: dict[str, bool]) -> None:
        for node in nodes:
            if self.check(node, known):
                self.refuse(node, f"the condition {ast.unparse(node)!r} is no number; only where takes one")
