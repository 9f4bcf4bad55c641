"""The declarations of a printed file: each global that printed code mentions, once, in an order that runs."""

import ast
import dataclasses
import importlib
import inspect
from types import FunctionType, ModuleType
from typing import Any

from thalweg.engine.javascript import literal, rule_source, safe
from thalweg.engine.rule import Rule
from thalweg.errors import UserError
from thalweg.playground.printed_expressions import Expressions
from thalweg.playground.printed_functions import function_lines, indented, module_of

__all__ = ["Library"]

# Methods of schedules that draw, write files or meet torch: a page has its own ways.
_PYTHON_ONLY = frozenset({"attach", "draw", "save", "turns", "_corners", "_extent", "__rshift__"})
_RENAMED = {"__call__": "at"}


class Library:
    """Collects declarations.

    What a function's body mentions may stand behind it; what is needed at once, such as the class that
    another one extends, stands before.
    """

    def __init__(self) -> None:
        self.sources: list[str] = []
        self.runtimes: set[str] = set()
        self.rules: list[str] = []
        self._owners: dict[str, Any] = {}
        self._waiting: list[tuple[str, Any, ModuleType]] = []
        self._written: set[str] = set()

    def runtime(self, name: str) -> str:
        """A name that the runtime has to give."""
        self.runtimes.add(name)
        return name

    def name(self, module: ModuleType, name: str) -> str:
        """The name in JavaScript of a module's global; its declaration will be written."""
        module, value = _origin(module, name), getattr(module, name)
        own = safe(value.name if isinstance(value, Rule) else getattr(value, "__name__", name))
        if self._owners.setdefault(own, value) is not value:
            raise UserError(
                f"{module.__name__}.{name}: the page has another {own!r} already; rename one of them"
            )
        if own not in self._written and all(waiting != own for waiting, *_ in self._waiting):
            self._waiting.append((own, name, module))
        return own

    def rule(self, rule: Rule, summed: bool = False) -> str:
        """The name of a rule, written at once after the formulas that it sums."""
        own = safe(rule.name)
        if self._owners.setdefault(own, rule) is not rule:
            raise UserError(f"two rules are called {rule.name!r}; rename one of them")
        if own not in self._written:
            self._written.add(own)
            for summand in rule.sums.values():
                self.rule(summand, summed=True)
            text = rule_source(rule, summed)
            for helper in ("divide", "pick", "power", "root"):
                if f"{helper}(" in text:
                    self.runtime(helper)
            self.sources.append(text)
            self.rules.append(own)
        return own

    def finish(self) -> None:
        """Write all that was asked for, and what that asks for."""
        while self._waiting:
            self._write(*self._waiting.pop(0))

    def _at_once(self, name: str) -> None:
        for i, (own, *_) in enumerate(self._waiting):
            if own == name:
                self._write(*self._waiting.pop(i))
                return

    def _write(self, own: str, name: str, module: ModuleType) -> None:
        value = getattr(module, name)
        if isinstance(value, Rule):
            self.rule(value)
            return
        self._written.add(own)
        if inspect.isclass(value):
            self.sources.append("\n".join(self._class(own, value)))
        elif isinstance(value, FunctionType):
            self.sources.append("\n".join(function_lines(self, value, f"function {own}")))
        else:
            self._table(own, name, module)

    def _table(self, own: str, name: str, module: ModuleType) -> None:
        """A global that is no function: its expression, after all that the expression mentions."""
        node, place = _assignment(module, name)
        code = Expressions(self, module, place)
        text = code.text(node)
        for mentioned in [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]:
            if isinstance(value := getattr(module, mentioned, None), Rule):
                self.rule(value)
            self._at_once(safe(mentioned))
        self.sources.append(f"const {own} = {text};")

    def _class(self, own: str, kind: type) -> list[str]:
        base = kind.__mro__[1]
        head = f"class {own}"
        if base is not object:
            self._at_once(self.name(module_of(base), base.__name__))
            head += f" extends {base.__name__}"
        lines = [f"static __name__ = {literal(kind.__name__)};"]
        if getattr(kind, "__dataclass_params__", None) is not None and "__init__" not in _own_source(kind):
            lines.append(f"static fields = {literal(_fields(kind))};")
        for name, member in vars(kind).items():
            lines += self._member(kind, name, member)
        return [f"{head} {{", *indented(lines), "}"]

    def _member(self, kind: type, name: str, member: Any) -> list[str]:
        if name in _PYTHON_ONLY:
            return []
        if isinstance(member, property) and isinstance(member.fget, FunctionType):
            return function_lines(self, member.fget, f"get {name}", kind)
        if isinstance(member, FunctionType) and name in _own_source(kind):
            return function_lines(self, member, _RENAMED.get(name, name), kind)
        return []


def _own_source(kind: type) -> set[str]:
    """Names of the methods that are written in a class, and not made by the decorator of dataclasses."""
    tree = ast.parse(inspect.cleandoc("\n" + inspect.getsource(kind))).body[0]
    assert isinstance(tree, ast.ClassDef)
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def _fields(kind: type) -> list[dict[str, Any]]:
    """The fields of a dataclass in order: name, default (absent if there is none) and kw_only."""
    out = []
    for field in dataclasses.fields(kind):
        has = {} if field.default is dataclasses.MISSING else {"default": field.default}
        out.append({"name": field.name, **has, "kw_only": bool(field.kw_only)})
    return out


def _origin(module: ModuleType, name: str) -> ModuleType:
    """The module in which a global is written, found along the imports."""
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.ImportFrom) and any(a.name == name and not a.asname for a in node.names):
            return _origin(importlib.import_module(node.module or ""), name)
    return module


def _assignment(module: ModuleType, name: str) -> tuple[ast.expr, Any]:
    for node in ast.parse(inspect.getsource(module)).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if (
            isinstance(target, ast.Name)
            and target.id == name
            and isinstance(node, ast.Assign | ast.AnnAssign)
        ):
            assert node.value is not None
            return node.value, lambda inner: f"{module.__file__}, line {getattr(inner, 'lineno', 1)}"
    raise UserError(f"{module.__name__}: {name!r} is no assignment, so it cannot be printed")
