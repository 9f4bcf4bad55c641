"""JavaScript for a rule: what a page needs to take the same steps, printed from the parsed function.

``constants`` computes the lifted scalars once a step; ``run`` is the loop over the elements, in place;
``total`` is the loop of a formula that is summed; ``lines`` are the rule's own statements, to be shown with
numbers put in. Where Python would refuse (0 ** -1, a scalar divided by 0) the printed code throws too:
``divide``, ``power`` and ``root`` are scalars' own, of the small runtime that the printed file imports.
"""

import ast
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from thalweg.engine import ops
from thalweg.engine.rule import Rule

__all__ = ["literal", "rule_source", "safe"]

_WORDS = (
    "arguments await break case catch class const continue debugger default delete do else enum eval export "
    "extends false finally for function if implements import in instanceof interface let new null package "
    "private protected public return static super switch this throw true try typeof var void while with "
    "yield "
    "any all call check_options check_value construct contains divide divmod fields float floordiv general "
    "index isinf join ldexp len map mod pairwise pick power record repr root sum text transform truth type"
)
_RESERVED = frozenset(_WORDS.split())  # the language's, and those of the runtime
_SIGNS = {ast.Add: ("+", 1), ast.Sub: ("-", 1), ast.Mult: ("*", 2), ast.Div: ("/", 2)}
_NEGATIVE = 3  # how tightly a minus sign binds
_ATOM = 9
_ORDERS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "===", ast.NotEq: "!=="}
_ELEMENT = {"sqrt": "Math.sqrt", "absolute": "Math.abs", "sign": "Math.sign"}
_ELEMENT |= {"isfinite": "Number.isFinite", "maximum": "Math.max", "minimum": "Math.min"}
_SCALAR = {**_ELEMENT, "sqrt": "root", "where": "pick"}


def safe(name: str) -> str:
    """A Python name as one of JavaScript.

    >>> safe("eta"), safe("new")
    ('eta', 'new_')
    """
    return f"{name}_" if name in _RESERVED else name


def literal(value: Any) -> str:
    """A number, a text, None, a sequence or a mapping of such, as JavaScript writes it.

    >>> literal({"low": 0.5, "high": float("inf"), "names": ("a", None)})
    '{ low: 0.5, high: Infinity, names: ["a", null] }'
    """
    match value:
        case None | bool():
            return json.dumps(value)
        case float() if math.isnan(value):
            return "NaN"
        case float() if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        case int() | float():
            return repr(value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case Mapping():
            pairs = (
                f"{key if key.isidentifier() else json.dumps(key)}: {literal(v)}" for key, v in value.items()
            )
            return f"{{ {', '.join(pairs)} }}" if value else "{}"
        case Sequence():
            return f"[{', '.join(map(literal, value))}]"
    raise TypeError(f"{value!r} is no plain value")


def _expression(node: ast.expr, scalar: bool) -> tuple[str, int]:
    """An expression of the rules' vocabulary, and how tightly its outermost sign binds."""
    match node:
        case ast.Name():
            return safe(node.id), _ATOM
        case ast.Constant():
            return repr(node.value), _ATOM
        case ast.UnaryOp():
            return f"-{_within(node.operand, _NEGATIVE + 1, scalar)}", _NEGATIVE
        case ast.Compare():
            left, right = _within(node.left, 1, scalar), _within(node.comparators[0], 1, scalar)
            return f"{left} {_ORDERS[type(node.ops[0])]} {right}", 0
        case ast.BinOp(op=ast.Pow()) | ast.BinOp(op=ast.Div()) if scalar:
            name = "power" if isinstance(node.op, ast.Pow) else "divide"
            return f"{name}({_expression(node.left, True)[0]}, {_expression(node.right, True)[0]})", _ATOM
        case ast.BinOp(op=ast.Pow()):  # of scalars, in a line that is shown
            return f"Math.pow({_element(node.left)}, {_element(node.right)})", _ATOM
        case ast.BinOp():
            sign, tightness = _SIGNS[type(node.op)]
            left = _within(node.left, tightness, scalar)
            return f"{left} {sign} {_within(node.right, tightness + 1, scalar)}", tightness
        case ast.Call(func=ast.Name(id="where")) if not scalar:
            condition, first, second = (_within(a, 1, scalar) for a in node.args)
            return f"{condition} ? {first} : {second}", -1
        case ast.Call(func=ast.Name(id=name)):
            functions = _SCALAR if scalar else _ELEMENT
            return f"{functions[name]}({', '.join(_expression(a, scalar)[0] for a in node.args)})", _ATOM
    raise AssertionError(ast.dump(node))


def _within(node: ast.expr, least: int, scalar: bool) -> str:
    """An expression, in parentheses unless it binds at least so tightly."""
    text, tightness = _expression(node, scalar)
    return text if tightness >= least else f"({text})"


def _element(node: ast.expr) -> str:
    return _expression(node, False)[0]


def _names(*expressions: ast.expr) -> set[str]:
    """The names that expressions mention, without those of functions."""
    nodes = (node for expression in expressions for node in ast.walk(expression))
    return {node.id for node in nodes if isinstance(node, ast.Name)} - set(ops.__all__)


def _constants(rule: Rule) -> list[str]:
    """The lifted scalars, from the scalar arguments in their order."""
    lifted = rule.lifted
    used = _names(*(e for _, e in lifted.statements))
    lines = _declared("const", [f"{safe(n)} = _s[{i}]" for i, n in enumerate(rule.scalars) if n in used])
    lines += [f"const {safe(n)} = {_expression(e, True)[0]};" for n, e in lifted.statements]
    lines += [f"_c[{i}] = {safe(n)};" for i, n in enumerate(lifted.constants)]
    return ["constants(_s, _c) {", *_indented(lines), "},"]


def _loads(rule: Rule) -> tuple[list[str], list[str]]:
    """What is read before the loop, and at each element; only what the rule uses."""
    lifted = rule.lifted
    used = _names(*(e for _, e in lifted.body), *lifted.returns)
    before = _declared("const", [f"{n} = _c[{i}]" for i, n in enumerate(lifted.constants)])
    read = [(i, n) for i, n in enumerate(rule.tensors) if n in used]
    written = [i for i, n in enumerate(rule.tensors) if n in rule.states]
    arrays = sorted({*(i for i, _ in read), *written})
    before += _declared("const", [f"_array{i} = _tensors[{i}]" for i in arrays])
    own = {name for name, _ in lifted.body} - {name for _, name in read}
    return before, _declared(
        "let", [*(f"{safe(n)} = _array{i}[_i]" for i, n in read), *map(safe, sorted(own))]
    )


def _declared(kind: str, names: Sequence[str]) -> list[str]:
    return [f"{kind} {', '.join(names)};"] if names else []


def _body(rule: Rule) -> list[str]:
    return [f"{safe(name)} = {_element(e)};" for name, e in rule.lifted.body]


def _loop(lines: Sequence[str]) -> list[str]:
    return ["for (let _i = 0; _i < _n; _i++) {", *_indented(lines), "}"]


def _run(rule: Rule) -> list[str]:
    """The loop over the elements: the first value goes to `_out`, the others to the states' own arrays."""
    before, each = _loads(rule)
    places = [i for i, name in enumerate(rule.tensors) if name in rule.states]
    values = [_element(e) for e in rule.lifted.returns[: 1 + len(places)]]
    stores = [f"_out[_i] = {values[0]};"]
    stores += [f"_array{i}[_i] = {value};" for i, value in zip(places, values[1:], strict=True)]
    loop = _loop([*each, *_body(rule), *stores])
    return ["run(_n, _tensors, _c, _out) {", *_indented([*before, *loop]), "},"]


def _total(rule: Rule) -> list[str]:
    """The loop of a formula that is summed over the elements."""
    before, each = _loads(rule)
    loop = _loop([*each, *_body(rule), f"_sum += {_element(rule.lifted.returns[0])};"])
    return ["total(_n, _tensors, _c) {", *_indented([*before, "let _sum = 0;", *loop, "return _sum;"]), "},"]


def _lines(rule: Rule) -> list[str]:
    """The statements as they are written; null names the value that the rule returns first."""
    statements: list[tuple[str | None, ast.expr]] = list(rule.body)
    statements.append((None, rule.returns[0]))
    states = [name for name in (*rule.tensors, *rule.scalars) if name in rule.states]
    for name, value in zip(states, rule.returns[1:], strict=True):
        if not (isinstance(value, ast.Name) and value.id == name):
            statements.append((name, value))
    return ["lines: [", *_indented([_line(name, value) for name, value in statements]), "],"]


def _line(name: str | None, value: ast.expr) -> str:
    names = sorted(_names(value))
    held = f"{{ {', '.join(n if n == safe(n) else f'{n}: {safe(n)}' for n in names)} }}" if names else ""
    shown = f"name: {literal(name)}, tokens: {literal(_tokens(value))}"
    return f"{{ {shown}, value: ({held}) => {_element(value)} }},"


def _tokens(value: ast.expr) -> list[Any]:
    """The text of an expression as Python writes it, in pieces; a name stands in a list of its own."""
    text = ast.unparse(value)
    tree = ast.parse(text, mode="eval")
    names = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id not in ops.__all__]
    pieces: list[Any] = []
    end = 0
    for node in sorted(names, key=lambda n: n.col_offset):
        pieces += [text[end : node.col_offset], [node.id]]
        end = node.col_offset + len(node.id)
    return [piece for piece in [*pieces, text[end:]] if piece]


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def rule_source(rule: Rule, summed: bool = False) -> str:
    """A rule as an object of JavaScript; the sums it waits for are named as their formulas are.

    Its parts: `name`, `doc`, `tensors` and `scalars` (the arguments), `states` (the key of each state),
    `buffers` and `numbers` (keys), `newNumbers` (where the new value of each number is among the constants),
    `sums`, `over`, `moves`, `size` (how many constants), `constants(scalars, out)`, `run(n, tensors,
    constants, out)` or, of a formula that is summed, `total(n, tensors, constants)`, and `lines`.
    """
    facts = {
        "name": rule.name,
        "doc": (rule.function.__doc__ or "").strip().split("\n")[0],
        "tensors": rule.tensors,
        "scalars": rule.scalars,
        "states": rule.states,
        "buffers": rule.buffers,
        "numbers": rule.numbers,
        "newNumbers": rule.new_numbers,
        "over": rule.over,
        "moves": rule.moves,
        "size": len(rule.lifted.constants),
    }
    lines = [f"{key}: {literal(value)}," for key, value in facts.items()]
    sums = ", ".join(f"{name}: {safe(summand.name)}" for name, summand in rule.sums.items())
    lines.append(f"sums: {{ {sums} }}," if sums else "sums: {},")
    lines += [*_constants(rule), *(_total(rule) if summed else _run(rule))]
    return "\n".join([f"const {safe(rule.name)} = {{", *_indented([*lines, *_lines(rule)]), "};"])
