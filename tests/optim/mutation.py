"""Mutants of rules: because a rule is parsed, each small mistake that could be made in it can be made."""

import ast
import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import pytest

from thalweg.engine import lift, optimizer, plan
from thalweg.engine.rule import Rule

SWAPS: dict[type, list[type]] = {
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div],
    ast.Div: [ast.Mult],
    ast.Pow: [ast.Mult],
}
COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
FUNCTIONS = {
    "maximum": "minimum",
    "minimum": "maximum",
    "sqrt": "absolute",
    "sign": "absolute",
    "absolute": "sign",
}


@dataclass(frozen=True)
class Mutant:
    """A rule with one mistake; `change` says which."""

    change: str
    rule: Rule


def mutants(rule: Rule) -> list[Mutant]:
    """Every mutant of a rule, without repetitions."""
    found: dict[str, Mutant] = {}
    original = _text(rule.body, rule.returns)
    for body, returns in _changed(rule):
        text = _text(body, returns)
        if text != original and text not in found:
            found[text] = Mutant(_difference(original, text), rebuilt(rule, body, returns))
    return list(found.values())


def rebuilt(rule: Rule, body: Any, returns: Any) -> Rule:
    """A rule from another tree; its function is printed from that tree."""
    statements = [ast.Assign([ast.Name(name, ast.Store())], value) for name, value in body]
    function = lift._compile(rule.tensors, rule.scalars, statements, returns)
    return replace(rule, function=function, body=tuple(body), returns=tuple(returns))


def _text(body: Any, returns: Any) -> str:
    lines = [f"{name} = {ast.unparse(value)}" for name, value in body]
    return "\n".join([*lines, "return " + ", ".join(map(ast.unparse, returns))])


def _difference(original: str, text: str) -> str:
    before, after = original.split("\n"), text.split("\n")
    if len(after) > len(before):
        return after[-1]
    return next(f"{a}  ->  {b}" for a, b in zip(before, after, strict=True) if a != b)


def _changed(rule: Rule) -> Iterator[tuple[Any, Any]]:
    count = len(rule.body)
    expressions = [value for _, value in rule.body] + list(rule.returns)
    names = [name for name, _ in rule.body]
    for i, expression in enumerate(expressions):
        for changed in _expressions(expression, rule):
            new = [*expressions[:i], changed, *expressions[i + 1 :]]
            yield list(zip(names, new[:count], strict=True)), new[count:]
    kept = rule.tensors[2:] if rule.states else ()
    for i, state in enumerate(kept, start=1):  # a frozen state: the old value is returned
        returns = [*rule.returns]
        returns[i] = ast.Name("old", ast.Load())
        yield [("old", ast.Name(state, ast.Load())), *rule.body], returns


def _expressions(expression: ast.expr, rule: Rule) -> Iterator[ast.expr]:
    yield ast.UnaryOp(ast.USub(), expression)
    for path, node in _nodes(expression):
        for new in _replacements(node, rule):
            yield _with(expression, path, new)


def _nodes(expression: ast.expr, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], ast.expr]]:
    """Each subexpression with the way to it."""
    yield path, expression
    for name, value in ast.iter_fields(expression):
        if name == "func":
            continue
        children = enumerate(value) if isinstance(value, list) else [(None, value)]
        for i, child in children:
            if isinstance(child, ast.expr):
                yield from _nodes(child, (*path, (name, i)))


def _with(expression: ast.expr, path: tuple[Any, ...], new: ast.expr) -> ast.expr:
    if not path:
        return new
    changed = copy.deepcopy(expression)
    node: Any = changed
    for name, i in path[:-1]:
        node = getattr(node, name) if i is None else getattr(node, name)[i]
    name, i = path[-1]
    if i is None:
        setattr(node, name, new)
    else:
        getattr(node, name)[i] = new
    return changed


def _replacements(node: ast.expr, rule: Rule) -> Iterator[ast.expr]:
    match node:
        case ast.BinOp():
            for swap in SWAPS[type(node.op)]:
                yield ast.BinOp(node.left, swap(), node.right)
            yield node.left  # a term is dropped
            yield node.right
            if isinstance(node.op, ast.Sub | ast.Div | ast.Pow):
                yield ast.BinOp(node.right, node.op, node.left)
        case ast.UnaryOp():
            yield node.operand
        case ast.Compare():
            yield from (ast.Compare(node.left, [op()], node.comparators) for op in COMPARISONS)
        case ast.Constant():
            values = {0, 1, 2, node.value + 1, node.value / 2, -node.value} - {node.value}
            yield from map(ast.Constant, sorted(values))
        case ast.Name():
            yield from _other_names(node, rule)
        case ast.Call(func=ast.Name(id=name)):
            yield from _other_calls(node, name)


def _other_names(node: ast.Name, rule: Rule) -> Iterator[ast.expr]:
    others = rule.scalars if node.id in rule.scalars else rule.tensors
    if len(others) > 20:  # the weights of a network: those that stand nearest
        place = others.index(node.id)
        others = others[max(place - 3, 0) : place + 4]
    yield from (ast.Name(other, ast.Load()) for other in others if other != node.id)
    if node.id == "t":
        yield from (ast.BinOp(node, op(), ast.Constant(1)) for op in (ast.Add, ast.Sub))


def _other_calls(node: ast.Call, name: str) -> Iterator[ast.expr]:
    if name in FUNCTIONS:
        yield ast.Call(ast.Name(FUNCTIONS[name], ast.Load()), node.args, [])
    if name == "where":
        yield ast.Call(node.func, [node.args[0], node.args[2], node.args[1]], [])
    if name != "isfinite":
        yield from (argument for argument in node.args if not isinstance(argument, ast.Compare))


@contextmanager
def exchanged(original: Rule, mutant: Rule) -> Iterator[None]:
    """Within this context, programs are composed with the mutant wherever the original stands."""

    @lru_cache
    def composed(*arguments: Any) -> plan.Program:
        program = plan.compose(*arguments)
        stages = [replace(s, rule=_with_mutant(s.rule, original, mutant)) for s in program.stages]
        return replace(program, stages=tuple(stages))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(optimizer, "compose", composed)
        yield


@lru_cache
def _with_mutant(rule: Rule, original: Rule, mutant: Rule) -> Rule:
    """The mutant in place of the original, or of a sum that the rule waits for; one object for every call."""
    if rule is original:
        return mutant
    if original not in rule.sums.values():
        return rule
    return replace(rule, sums={name: mutant if s is original else s for name, s in rule.sums.items()})


def rules_used(check: Callable[[str], None]) -> set[Rule]:
    """Every rule that a check's programs contain."""
    used: set[Rule] = set()

    def recorded(*arguments: Any) -> plan.Program:
        program = plan.compose(*arguments)
        used.update(stage.rule for stage in program.stages)
        used.update(summand for stage in program.stages for summand in stage.rule.sums.values())
        return program

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(optimizer, "compose", recorded)
        check("reference")
    return used
