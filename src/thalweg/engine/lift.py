"""Lifting: what depends on scalars alone is computed once a step, in double, not once an element.

Float32 hyperparameters would give ``1 - beta2`` an error of 5e-5; here it is exact to double and only the
finished scalar is rounded to the precision of the kernel.
"""

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from thalweg.engine import ops
from thalweg.errors import UserError

__all__ = ["Lifted", "lift"]


@dataclass(frozen=True)
class Lifted:
    """A rule in two parts.

    Attributes:
        constants: names of the lifted scalars, in the order that `scalars` returns them.
        statements: the scalar assignments, in order, among which is each of `constants`.
        scalars: takes the rule's scalar arguments by name and returns the lifted values.
        element: takes the per-element arguments, then the lifted values, and returns what the rule returns.
        body: per-element assignments, which mention lifted scalars by name.
        returns: per-element expressions returned.
    """

    constants: tuple[str, ...]
    statements: tuple[tuple[str, ast.expr], ...]
    scalars: Callable[..., tuple[float, ...]]
    element: Callable[..., tuple[Any, ...]]
    body: tuple[tuple[str, ast.expr], ...]
    returns: tuple[ast.expr, ...]


def lift(
    tensors: Sequence[str],
    scalars: Sequence[str],
    body: Sequence[tuple[str, ast.expr]],
    returns: Sequence[ast.expr],
) -> Lifted:
    """Split a rule's expressions into scalar-only ones and the per-element rest."""
    lifter = _Lifter(set(scalars), set(tensors) | set(scalars))
    kept = []
    for name, expression in body:
        if lifter.is_scalar(expression):
            lifter.assign(name, expression)
        else:
            lifter.taken.add(name)
            lifter.scalar_names.discard(name)
            kept.append((name, lifter.visit(expression)))
    out = tuple(lifter.visit(e) for e in returns)
    constants = tuple(lifter.found)
    element = _compile((*tensors, *constants), (), [_assign(n, e) for n, e in kept], out)
    return Lifted(constants, tuple(lifter.statements), lifter.compile(scalars), element, tuple(kept), out)


def _assign(name: str, expression: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(name, ast.Store())], expression)


def _compile(
    positional: Sequence[str], keywords: Sequence[str], body: Sequence[ast.stmt], returns: Sequence[ast.expr]
) -> Callable[..., tuple[Any, ...]]:
    """A Python function from statements of the rules' vocabulary."""
    header = ", ".join([*positional, *(["*", *keywords] if keywords else [])])
    lines = [ast.unparse(ast.fix_missing_locations(statement)) for statement in body]
    lines.append(f"return ({''.join(ast.unparse(e) + ', ' for e in returns)})")
    text = f"def lifted({header}):\n" + "".join(f"    {line}\n" for line in lines)
    space: dict[str, Any] = {name: getattr(ops, name) for name in ops.__all__}
    exec(text, space)
    found: Callable[..., tuple[Any, ...]] = space["lifted"]
    return found


class _Lifter(ast.NodeTransformer):
    """Replaces each largest scalar-only expression by a name and remembers the expression."""

    def __init__(self, scalar_names: set[str], taken: set[str]) -> None:
        self.scalar_names = scalar_names
        self.taken = taken  # names that a scalar may not be given: expressions are shared by their text
        self.statements: list[tuple[str, ast.expr]] = []
        self.found: dict[str, str] = {}  # lifted name -> the expression's dump, to share equal ones

    def is_scalar(self, node: ast.expr) -> bool:
        return all(
            sub.id in self.scalar_names or sub.id in ops.__all__
            for sub in ast.walk(node)
            if isinstance(sub, ast.Name)
        )

    def assign(self, name: str, expression: ast.expr) -> None:
        """Keep an assignment whose value is a scalar among the scalar statements."""
        if name in self.taken:
            raise UserError(f"{name!r} is assigned a scalar, but has a value already; use a name of its own")
        self.taken.add(name)
        self.scalar_names.add(name)
        self.statements.append((name, expression))

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.expr) and self.is_scalar(node):
            return self._lifted(node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            raise UserError(f"{ast.unparse(node)!r}: powers are for scalars; write x * x for an element")
        if isinstance(node, ast.BinOp):
            return ast.BinOp(self.visit(node.left), node.op, self.visit(node.right))
        if isinstance(node, ast.UnaryOp):
            return ast.UnaryOp(node.op, self.visit(node.operand))
        if isinstance(node, ast.Compare):
            return ast.Compare(self.visit(node.left), node.ops, [self.visit(c) for c in node.comparators])
        if isinstance(node, ast.Call):
            return ast.Call(node.func, [self.visit(a) for a in node.args], [])
        return node

    def _lifted(self, node: ast.expr) -> ast.Name:
        text = ast.dump(node)
        for name, known in self.found.items():
            if known == text:
                return ast.Name(name, ast.Load())
        name = f"_{len(self.found)}"
        self.found[name] = text
        self.statements.append((name, node))
        return ast.Name(name, ast.Load())

    def compile(self, arguments: Sequence[str]) -> Callable[..., tuple[float, ...]]:
        """The function from scalar arguments to lifted values, in Python's double precision."""
        found = [ast.Name(name, ast.Load()) for name in self.found]
        return _compile((), arguments, [_assign(n, e) for n, e in self.statements], found)
