"""Rules in JavaScript: what is printed, and that its arithmetic is Python's where the two differ."""

import math
from pathlib import Path
from typing import Any

import pytest

from tests.playground.node import node
from thalweg.engine.javascript import literal, rule_source, safe
from thalweg.engine.ops import absolute, isfinite, maximum, minimum, sign, sqrt, where
from thalweg.engine.rule import Rule, formula, rule

RUNTIME = Path(__file__).parents[2] / "web" / "src" / "engine" / "python.js"
ODD = [0.0, -0.0, 1.0, -2.5, 1e-300, 1e300, math.inf, -math.inf, math.nan]


@formula
def functions(p, g):
    a = maximum(p, g) + minimum(p, g) * sign(g)
    b = where(isfinite(p), absolute(p), 1) - where(p <= g, p, g)
    return where(p != g, a, b) + where(p == g, 1, sqrt(absolute(g)))


@formula
def nested(p, g):
    return -(p - (g - 2)) / (p * (g / 3)) - -g


@rule(states={"v": "v", "new": "number"})
def scalars(p, g, v, *, t, class_, limit, new):
    """Sets a number, and has names that JavaScript wants for itself."""
    power = class_**t
    both = where(t == 1, minimum(limit, -class_), sqrt(class_) / t)
    v = power * v + both * g
    return v, v, new + power


@formula
def refused(p, g, *, a, b):
    return where(b != 0, a / b, 1) * g


@formula
def raised(p, g, *, a, b):
    return a**b * g


@formula
def rooted(p, g, *, a, b):
    return sqrt(a - b) * g


def element(rule_: Rule, p: float, g: float) -> float:
    import torch

    pair = (torch.tensor([x], dtype=torch.float64) for x in (p, g))
    return float(rule_(*pair)[0])


def evaluated(tmp_path: Path, source: str, expression: str) -> Any:
    """What an expression gives after a rule's source."""
    script = tmp_path / "rule.mjs"
    script.write_text(
        f'import {{ divide, pick, power, root, ArithmeticError }} from "{RUNTIME.as_uri()}";\n{source}\n'
        "const plain = (_, x) => (typeof x === 'number' && !Number.isFinite(x) ? String(x) : x);\n"
        f"console.log(JSON.stringify({expression}, plain));\n"
    )
    return node(script)[0]


@pytest.mark.parametrize("rule_", [functions, nested], ids=lambda r: r.name)
def test_elements_are_what_torch_makes_of_them(rule_: Rule, tmp_path: Path) -> None:
    """Infinities and NaN included; both values of a choice are there."""
    pairs = [(p, g) for p in ODD for g in ODD]
    columns = (f"Float64Array.from({literal(list(column))})" for column in zip(*pairs, strict=True))
    expression = (
        f"(() => {{ const c = Array({len(rule_.lifted.constants)}), out = Array({len(pairs)});"
        f" {rule_.name}.constants([], c);"
        f" {rule_.name}.run({len(pairs)}, [{', '.join(columns)}], c, out); return out; }})()"
    )
    found = map(float, evaluated(tmp_path, rule_source(rule_), expression))
    for (p, g), value in zip(pairs, found, strict=True):
        assert value == pytest.approx(element(rule_, p, g), rel=0, nan_ok=True), (p, g)


@pytest.mark.parametrize("t", [1, 2, 7])
def test_scalars_are_what_python_makes_of_them(t: int, tmp_path: Path) -> None:
    values = {"t": t, "class_": 0.7, "limit": 0.2, "new": 3.0}
    order = literal([values[name] for name in scalars.scalars])
    size = len(scalars.lifted.constants)
    expression = (
        f"(() => {{ const c = Array({size}); scalars.constants({order}, c); return c.map(Number); }})()"
    )
    found = evaluated(tmp_path, rule_source(scalars), expression)
    assert found == pytest.approx(list(scalars.lifted.scalars(**values)), rel=1e-15)
    assert evaluated(tmp_path, rule_source(scalars), "scalars.newNumbers.length") == 1


@pytest.mark.parametrize(
    ("rule_", "a", "b"),
    [(refused, 1.0, 0.0), (raised, 0.0, -1.0), (raised, 1e200, 3.0), (rooted, 1.0, 2.0)],
    ids=["divided by zero", "zero to a negative power", "overflow", "root of a negative number"],
)
def test_what_python_refuses_is_refused(rule_: Rule, a: float, b: float, tmp_path: Path) -> None:
    with pytest.raises((ArithmeticError, ValueError)):
        rule_.lifted.scalars(a=a, b=b)
    attempt = (
        f"(() => {{ try {{ {rule_.name}.constants([{a}, {b}], []); return 'taken'; }}"
        " catch (error) { return error instanceof ArithmeticError; } })()"
    )
    assert evaluated(tmp_path, rule_source(rule_), attempt) is True


def test_a_sum_has_a_loop_of_its_own(tmp_path: Path) -> None:
    source = rule_source(nested, summed=True)
    total = (
        "nested.total(2, [[1, 2], [3, 4]], (() => { const c = []; nested.constants([], c); return c; })())"
    )
    assert evaluated(tmp_path, source, total) == pytest.approx(element(nested, 1, 3) + element(nested, 2, 4))
    assert "run(" not in source


def test_lines_are_the_rule_as_it_is_written(tmp_path: Path) -> None:
    """Each statement in order; what is returned first has no name, a state that has its value no line."""
    source = rule_source(scalars)
    names = evaluated(tmp_path, source, "scalars.lines.map((line) => line.name)")
    assert names == ["power", "both", "v", None, "new"]
    tokens = evaluated(tmp_path, source, "scalars.lines[0].tokens")
    assert tokens == [["class_"], " ** ", ["t"]]
    assert evaluated(tmp_path, source, "scalars.lines[0].value({ class_: 3, t: 2 })") == 9
    assert evaluated(tmp_path, source, "scalars.lines[4].value({ new: 3, power: 2 })") == 5


def test_names_and_values_of_javascript() -> None:
    assert [safe(name) for name in ("beta1", "new", "class", "power")] == [
        "beta1",
        "new_",
        "class_",
        "power_",
    ]
    assert literal({"a b": [1, 2.5, None, True, "x"], "c": -math.inf, "d": {}}) == (
        '{ "a b": [1, 2.5, null, true, "x"], c: -Infinity, d: {} }'
    )
    assert literal(math.nan) == "NaN"
    with pytest.raises(TypeError, match="no plain value"):
        literal(object())
