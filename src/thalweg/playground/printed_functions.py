"""JavaScript for Python's functions and classes; see `printed_expressions`."""

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType, ModuleType
from typing import Any

from thalweg.engine.javascript import safe
from thalweg.playground.printed_expressions import Expressions, Needs

__all__ = ["function_lines", "indented", "module_of", "tree_of"]


def indented(lines: Sequence[str]) -> list[str]:
    """The lines two spaces further in."""
    return [f"  {line}" for line in lines]


def module_of(value: Any) -> ModuleType:
    """The module in which a function or class was written."""
    return sys.modules[value.__module__]


def tree_of(function: Any) -> tuple[ast.FunctionDef, Callable[[ast.AST], str]]:
    """A function's definition, and what says where one of its nodes stands."""
    file = inspect.getsourcefile(function) or "<unknown>"
    lines, first = inspect.getsourcelines(function)
    definition = ast.parse(textwrap.dedent("".join(lines))).body[0]
    assert isinstance(definition, ast.FunctionDef), function
    return definition, lambda node: f"{file}, line {first + getattr(node, 'lineno', 1) - 1}"


def function_lines(
    needs: Needs,
    function: FunctionType,
    head: str,
    owner: type | None = None,
    given: Mapping[str, str] | None = None,
    skip: Sequence[str] = (),
) -> list[str]:
    """A function in JavaScript.

    Args:
        needs: where the globals that it mentions are declared.
        function: the function.
        head: what stands before the parentheses, such as "function clip_norm" or "algorithm".
        owner: its class, if it is a method.
        given: expressions, by their text, that are printed as something else.
        skip: statements, by how their text begins, that are left out.
    """
    definition, place = tree_of(function)
    arguments = definition.args
    local = [a.arg for a in ast.walk(arguments) if isinstance(a, ast.arg)]
    assigned = _assigned(definition.body)
    code = Expressions(needs, module_of(function), place, [*local, *assigned], owner, given)
    body = [s for s in _body(definition) if not ast.unparse(s).startswith(tuple(skip))]
    inner = _Statements(code).block(body)
    own = [safe(name) for name in dict.fromkeys(assigned) if name not in local]
    declared = [f"let {', '.join(own)};"] if own and body else []
    return [f"{head}({_parameters(arguments, code)}) {{", *indented([*declared, *inner]), "}"]


def _body(definition: ast.FunctionDef) -> list[ast.stmt]:
    """The statements without the docstring."""
    first = definition.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return definition.body[1:] if is_docstring else definition.body


def _assigned(body: Sequence[ast.stmt]) -> list[str]:
    """The names that a function assigns, outside of comprehensions, which have their own."""
    inner = {
        id(name)
        for statement in body
        for node in ast.walk(statement)
        if isinstance(node, ast.comprehension)
        for name in ast.walk(node.target)
    }
    nodes = (node for statement in body for node in ast.walk(statement))
    stored = (n for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
    return [node.id for node in stored if id(node) not in inner]


def _parameters(arguments: ast.arguments, code: Expressions) -> str:
    """The parameters; those that are keywords alone are taken from one object at the end."""
    plain = [a.arg for a in arguments.posonlyargs + arguments.args if a.arg != "self"]
    defaults = [None] * (len(plain) - len(arguments.defaults)) + list(arguments.defaults)
    parts = [
        _parameter(name, default, code)
        for name, default in zip(plain, defaults[-len(plain) :] if plain else [], strict=True)
    ]
    if arguments.vararg:
        parts.append(f"...{safe(arguments.vararg.arg)}")
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    alone = [_parameter(a.arg, default, code) for a, default in pairs]
    return ", ".join([*parts, f"{{ {', '.join(alone)} }} = {{}}"] if alone else parts)


def _parameter(name: str, default: ast.expr | None, code: Expressions) -> str:
    return safe(name) if default is None else f"{safe(name)} = {code.text(default)}"


class _Statements:
    """Prints the statements of one function."""

    def __init__(self, code: Expressions) -> None:
        self.code = code

    def block(self, body: Sequence[ast.stmt]) -> list[str]:
        return [line for statement in body for line in self.lines(statement)]

    def lines(self, node: ast.stmt) -> list[str]:
        text = self.code.text
        match node:
            case ast.Assign(targets=[target]):
                return [f"{self.code.target(target)} = {text(node.value)};"]
            case ast.AnnAssign(value=ast.expr() as value):
                return [f"{self.code.target(node.target)} = {text(value)};"]
            case ast.AugAssign():
                sum_ = ast.BinOp(node.target, node.op, node.value)
                return [f"{self.code.target(node.target)} = {text(sum_)};"]
            case ast.Return(value=None):
                return ["return;"]
            case ast.Return(value=ast.expr() as value):
                return [f"return {text(value)};"]
            case ast.Expr():
                return [f"{text(node.value)};"]
            case ast.Raise(exc=ast.expr() as raised):
                return [f"throw {self._raised(raised)};"]
        return self._compound(node)

    def _compound(self, node: ast.stmt) -> list[str]:
        match node:
            case ast.If():
                return self._if(node)
            case ast.While(orelse=[]):
                return [f"while ({self.code.test(node.test)}) {{", *indented(self.block(node.body)), "}"]
            case ast.For(orelse=[]):
                head = f"for ({self.code.target(node.target)} of {self.code.iterated(node.iter)}) {{"
                return [head, *indented(self.block(node.body)), "}"]
            case ast.Try(handlers=[handler], orelse=[], finalbody=[]):
                return self._try(node, handler)
        return self.code.refuse(node)

    def _if(self, node: ast.If) -> list[str]:
        lines = [f"if ({self.code.test(node.test)}) {{", *indented(self.block(node.body))]
        if node.orelse:
            lines += ["} else {", *indented(self.block(node.orelse))]
        return [*lines, "}"]

    def _try(self, node: ast.Try, handler: ast.ExceptHandler) -> list[str]:
        caught = ast.unparse(handler.type) if handler.type else ""
        if caught not in ("TypeError", "(TypeError, ValueError)") or handler.name:
            self.code.refuse(handler)
        test = "if (!(error instanceof TypeError)) throw error;"
        tried, otherwise = self.block(node.body), self.block(handler.body)
        return ["try {", *indented(tried), "} catch (error) {", *indented([test, *otherwise]), "}"]

    def _raised(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name) and node.id == "NotImplementedError":
            return 'new Error("not implemented")'
        return self.code.text(node)
