"""JavaScript for Python's expressions: the small subset in which the shelf's functions are written.

Whatever is outside it is refused with file and line, so that nothing is printed wrongly in silence. Printed
code calls the runtime `web/src/engine/python.js` wherever the two languages differ: remainders of negative
numbers, powers, the truth of an empty list, the text of a number.
"""

import ast
import builtins
import inspect
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, NoReturn, Protocol

from thalweg.engine.javascript import literal, safe
from thalweg.engine.plan import Transform
from thalweg.errors import UserError
from thalweg.playground.printed_names import HELPED, KINDS, METHODS, NATIVE, ORDERS, SIGNS

__all__ = ["Expressions", "Needs", "is_plain"]


class Needs(Protocol):
    """What a printed expression asks for: globals, each to be declared once."""

    def name(self, module: ModuleType, name: str) -> str:
        """The name in JavaScript of a function, class, rule or table of a module."""
        ...

    def runtime(self, name: str) -> str:
        """The same name, which the runtime has to give."""
        ...


def is_plain(value: Any) -> bool:
    """True for numbers, texts, None, and lists and mappings of such.

    >>> is_plain((1, {"a": None})), is_plain(len)
    (True, False)
    """
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and is_plain(v) for key, v in value.items())
    if isinstance(value, tuple | list):
        return all(map(is_plain, value))
    return value is None or isinstance(value, bool | int | float | str)


class Expressions:
    """Prints the expressions of one function.

    Args:
        needs: where globals are declared.
        module: whose globals the function sees.
        place: says where a node stands, for messages.
        local: the function's own names.
        owner: its class, if it is a method.
        given: expressions, by their text, that are printed as something else.
    """

    def __init__(
        self,
        needs: Needs,
        module: ModuleType,
        place: Callable[[ast.AST], str],
        local: Sequence[str] = (),
        owner: type | None = None,
        given: Mapping[str, str] | None = None,
    ) -> None:
        self.needs, self.module, self.place, self.owner = needs, module, place, owner
        self.local = set(local)
        self.given = given or {}

    def refuse(self, node: ast.AST, why: str = "is outside the Python that can be printed") -> NoReturn:
        """Raise, with the place."""
        raise UserError(f"{self.place(node)}: {ast.unparse(node)!r} {why}")

    # -- names ----------------------------------------------------------------------------------------------

    def value_of(self, node: ast.expr) -> Any:
        """What an expression of globals alone is worth now, or a fresh object if it cannot be said."""
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        if names & self.local or any(isinstance(n, ast.Lambda | ast.comprehension) for n in ast.walk(node)):
            return object()
        space = {**vars(builtins), **vars(self.module)}
        if not names <= set(space):
            self.refuse(node, "is neither local nor global")
        return eval(ast.unparse(node), space)

    def text(self, node: ast.expr) -> str:
        """An expression; those of more than one part are in parentheses where that matters."""
        if (given := self.given.get(ast.unparse(node))) is not None:
            return given
        if not isinstance(node, ast.Call | ast.Lambda) and is_plain(value := self._folded(node)):
            return literal(value)
        method: Callable[[Any], str] | None = getattr(self, f"_{type(node).__name__.lower()}", None)
        return method(node) if method else self.refuse(node)

    def _folded(self, node: ast.expr) -> Any:
        return self.value_of(node) if isinstance(node, ast.Name | ast.Attribute | ast.Constant) else object()

    def _name(self, node: ast.Name) -> str:
        if node.id == "self":
            return "this"
        if node.id in self.local:
            return safe(node.id)
        value = self.value_of(node)
        if id(value) in NATIVE:
            return self._native(value)
        if node.id not in vars(self.module):
            self.refuse(node, "is a builtin that cannot be printed")
        return self.needs.name(self.module, node.id)

    def _native(self, value: Any) -> str:
        name = NATIVE[id(value)]
        return name if "." in name or name == "Error" else self.needs.runtime(name)

    def _attribute(self, node: ast.Attribute) -> str:
        value = self.value_of(node)
        if id(value) in NATIVE:
            return self._native(value)
        return f"{self.text(node.value)}.{node.attr}"

    def _subscript(self, node: ast.Subscript) -> str:
        match node.slice:
            case ast.Constant(value=str(key)) if key.isidentifier():
                return f"{self.text(node.value)}.{key}"
            case ast.Slice(lower=lower, upper=upper, step=None):
                first = self.text(lower) if lower else "0"
                return f"{self.text(node.value)}.slice({first}{f', {self.text(upper)}' if upper else ''})"
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant()):
                return f"{self.text(node.value)}.at({self.text(node.slice)})"
        return f"{self.text(node.value)}[{self.text(node.slice)}]"

    # -- arithmetic and conditions --------------------------------------------------------------------------

    def _unaryop(self, node: ast.UnaryOp) -> str:
        if isinstance(node.op, ast.Not):
            return f"!({self.test(node.operand)})"
        if isinstance(node.op, ast.USub):
            text = f"-{self.text(node.operand)}"
            return text if isinstance(node.operand, ast.Constant) else f"({text})"
        return self.refuse(node)

    def _binop(self, node: ast.BinOp) -> str:
        if any(isinstance(side, ast.List | ast.Tuple | ast.ListComp) for side in (node.left, node.right)):
            self.refuse(node, "is arithmetic with lists, which cannot be printed")
        left, right = self._operand(node.left), self._operand(node.right)
        if type(node.op) in HELPED:
            return f"{self.needs.runtime(HELPED[type(node.op)])}({left}, {right})"
        if type(node.op) in SIGNS:
            return f"({left} {SIGNS[type(node.op)]} {right})"
        return self.refuse(node)

    def test(self, node: ast.expr) -> str:
        """A condition: what is not one by itself is asked for its truth as Python knows it."""
        if isinstance(node, ast.BoolOp):
            sign = " && " if isinstance(node.op, ast.And) else " || "
            return f"({sign.join(self.test(value) for value in node.values)})"
        text = self.text(node)
        return text if _is_condition(node) else f"{self.needs.runtime('truth')}({text})"

    def _boolop(self, node: ast.BoolOp) -> str:
        if not _is_condition(node):
            self.refuse(node, "is one of its values, not a condition; write it with if and else")
        return self.test(node)

    def _compare(self, node: ast.Compare) -> str:
        operands = [node.left, *node.comparators]
        pairs = zip(operands, node.ops, operands[1:], strict=False)
        parts = [self._comparison(left, op, right) for left, op, right in pairs]
        return parts[0] if len(parts) == 1 else f"({' && '.join(parts)})"

    def _comparison(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> str:
        a, b = self._operand(left), self._operand(right)
        if isinstance(op, ast.In | ast.NotIn):
            return f"{'!' if isinstance(op, ast.NotIn) else ''}{self.needs.runtime('contains')}({b}, {a})"
        return f"{a} {ORDERS[type(op)]} {b}"

    def _operand(self, node: ast.expr) -> str:
        text = self.text(node)
        return f"({text})" if isinstance(node, ast.Compare) else text

    def _ifexp(self, node: ast.IfExp) -> str:
        return f"({self.test(node.test)} ? {self.text(node.body)} : {self.text(node.orelse)})"

    def _namedexpr(self, node: ast.NamedExpr) -> str:
        return f"({safe(node.target.id)} = {self.text(node.value)})"

    # -- displays -------------------------------------------------------------------------------------------

    def _tuple(self, node: ast.Tuple | ast.List) -> str:
        return f"[{', '.join(map(self.text, node.elts))}]"

    _list = _tuple

    def _starred(self, node: ast.Starred) -> str:
        return f"...{self.text(node.value)}"

    def _dict(self, node: ast.Dict) -> str:
        pairs = []
        for key, value in zip(node.keys, node.values, strict=True):
            if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
                self.refuse(node)
            own = key.value if key.value.isidentifier() else literal(key.value)
            pairs.append(f"{own}: {self.text(value)}")
        return f"{{ {', '.join(pairs)} }}"

    def _lambda(self, node: ast.Lambda) -> str:
        names = [a.arg for a in node.args.args]
        inner = self._with(names)
        return f"({', '.join(map(safe, names))}) => {inner.text(node.body)}"

    def _with(self, names: Sequence[str]) -> "Expressions":
        return Expressions(self.needs, self.module, self.place, [*self.local, *names], self.owner, self.given)

    def _generatorexp(self, node: ast.GeneratorExp | ast.ListComp | ast.SetComp) -> str:
        """A list in all three cases: nothing printed relies on a set's forgetting."""
        if len(node.generators) != 1:
            self.refuse(node)
        (loop,) = node.generators
        inner = self._with(_targets(loop.target))
        target = inner.target(loop.target)
        text = f"Array.from({self.iterated(loop.iter)})"
        for condition in loop.ifs:
            text += f".filter(({target}) => {inner.test(condition)})"
        return f"{text}.map(({target}) => {inner.text(node.elt)})"

    _listcomp = _setcomp = _generatorexp

    def iterated(self, node: ast.expr) -> str:
        """What a loop runs over."""
        match node:
            case ast.Call(func=ast.Attribute(value=mapping, attr="items"), args=[]):
                return f"Object.entries({self.text(mapping)})"
        return self.text(node)

    def target(self, node: ast.expr) -> str:
        """What is assigned to."""
        match node:
            case ast.Name():
                return safe(node.id)
            case ast.Tuple():
                return f"[{', '.join(map(self.target, node.elts))}]"
            case ast.Attribute() | ast.Subscript():
                return self.text(node)
        return self.refuse(node)

    def _joinedstr(self, node: ast.JoinedStr) -> str:
        return f"`{''.join(map(self._piece, node.values))}`"

    def _piece(self, node: ast.expr) -> str:
        if isinstance(node, ast.Constant):
            return str(node.value).replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${")
        if not isinstance(node, ast.FormattedValue):
            self.refuse(node)
        value = self.text(node.value)
        if node.format_spec is not None:
            if ast.unparse(node.format_spec) not in ("f':g'", "f'g'"):
                self.refuse(node.format_spec, "is a format that cannot be printed; use :g")
            return f"${{{self.needs.runtime('general')}({value})}}"
        return f"${{{self.needs.runtime('repr' if node.conversion == ord('r') else 'text')}({value})}}"

    # -- calls ----------------------------------------------------------------------------------------------

    def _call(self, node: ast.Call) -> str:
        match node:
            case ast.Call(func=ast.Name(id="isinstance"), args=[value, kind]):
                return self._isinstance(value, kind)
            case ast.Call(func=ast.Name(id="getattr"), args=[value, name]):
                return f"{self.text(value)}[{self.text(name)}]"
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="object"), attr="__setattr__"), args=[value, name, new]
            ):
                return f"{self.text(value)}[{self.text(name)}] = {self.text(new)}"
            case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name)):
                return f"super.{name}({', '.join(map(self.text, node.args))})"
            case ast.Call(func=ast.Attribute(value=separator, attr="join"), args=[parts]):
                return f"{self.needs.runtime('join')}({self.text(separator)}, {self.text(parts)})"
            case ast.Call(func=ast.Attribute(value=value, attr="extend"), args=[parts]):
                return f"{self.text(value)}.push(...{self.text(parts)})"
            case ast.Call(func=ast.Attribute(value=value, attr="insert"), args=[place, new]):
                return f"{self.text(value)}.splice({self.text(place)}, 0, {self.text(new)})"
        if is_plain(folded := self._worth(node)):
            return literal(folded)
        return self._plain_call(node)

    def _worth(self, node: ast.Call) -> Any:
        """The value of a call that mentions no local name and is of the module `typing`."""
        function = self.value_of(node.func)
        return self.value_of(node) if getattr(function, "__module__", "") == "typing" else object()

    def _isinstance(self, value: ast.expr, kind: ast.expr) -> str:
        if isinstance(kind, ast.BinOp) and isinstance(kind.op, ast.BitOr):
            return f"({self._isinstance(value, kind.left)} || {self._isinstance(value, kind.right)})"
        if not isinstance(kind, ast.Name):
            self.refuse(kind)
        if kind.id in KINDS:
            return f'typeof {self.text(value)} === "{KINDS[kind.id]}"'
        if kind.id in ("tuple", "list", "Sequence"):
            return f"Array.isArray({self.text(value)})"
        return f"{self.text(value)} instanceof {self.text(kind)}"

    def _plain_call(self, node: ast.Call) -> str:
        """A call of which nothing is special: of a method, of a global, or of a value."""
        match node.func:
            case ast.Attribute(value=ast.Name(id="self"), attr=name) if self.owner is not None:
                function = inspect.getattr_static(self.owner, name, None)
                return f"this.{name}({', '.join(self._arguments(node, function))})"
            case ast.Attribute(value=value, attr=name) if id(self.value_of(node.func)) not in NATIVE:
                if name not in METHODS:
                    self.refuse(node, "calls a method that cannot be printed")
                return f"{self.text(value)}.{METHODS[name]}({', '.join(self._arguments(node, None))})"
            case ast.Attribute():
                return self._global_call(node)
            case ast.Name(id=name) if name not in self.local:
                return self._global_call(node)
        values = [self.text(node.func), *self._arguments(node, None)]
        return f"{self.needs.runtime('call')}({', '.join(values)})"  # of a schedule or a function

    def _global_call(self, node: ast.Call) -> str:
        function = self.value_of(node.func)
        name, arguments = self.text(node.func), self._arguments(node, function)
        if inspect.isclass(function) and id(function) not in NATIVE:
            return f"{self.needs.runtime('construct')}({', '.join([name, *arguments])})"
        made = "new " if inspect.isclass(function) and issubclass(function, Exception) else ""
        return f"{made}{name}({', '.join(arguments)})"

    def _arguments(self, node: ast.Call, function: Any) -> list[str]:
        """The arguments in order; those that are keywords alone stand in one object at the end."""
        positional = list(map(self.text, node.args))
        keywords = {k.arg: self.text(k.value) for k in node.keywords if k.arg is not None}
        if not node.keywords:
            return positional
        if not callable(function) or len(keywords) < len(node.keywords):
            self.refuse(node)
        parameters = [p for n, p in inspect.signature(function).parameters.items() if n != "self"]
        names = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
        if function is Transform:
            names = names[:1]
        while any(name in keywords for name in names[len(positional) :]):
            positional.append(keywords.pop(names[len(positional)], "undefined"))
        alone = ", ".join(f"{safe(name)}: {value}" for name, value in keywords.items())
        if alone and len(positional) < len(names):
            positional += ["undefined"] * (len(names) - len(positional))
        return [*positional, f"{{ {alone} }}"] if alone else positional


def _targets(node: ast.expr) -> list[str]:
    return [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]


def _is_condition(node: ast.expr) -> bool:
    match node:
        case ast.Compare() | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.BoolOp():
            return all(map(_is_condition, node.values))
        case ast.Call(func=ast.Name(id="isinstance" | "any" | "all")):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(id="math"), attr="isinf" | "isnan" | "isfinite")):
            return True
    return False
