"""Every mutant of every rule, transform and reduction dies in the comparisons of `checks.py`."""

import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib import import_module

import pytest

import thalweg.optim
import thalweg.transforms
from tests.optim.checks import CHECKS, Check
from tests.optim.mutation import exchanged, mutants, rebuilt, rules_used
from thalweg.engine import plan
from thalweg.engine.rule import Rule

# Mutants that compute the same as the original in everything that can reach them, and why.
EQUIVALENT: dict[str, dict[str, str]] = {
    "heavy_ball": {
        "v = momentum * v + where(t == 1, 1, 1 - dampening) * g"
        "  ->  v = momentum * v + where(t <= 1, 1, 1 - dampening) * g": "steps count from 1",
    },
    "network": {
        **{
            "agree = gm / (sqrt(g2) * sqrt(m2) + 1e-30)"
            f"  ->  agree = gm / (sqrt(g2) * sqrt(m2) {tiny})": "nothing beside a norm"
            for tiny in ("+ -1e-30", "- 1e-30", "+ 5e-31")
        },
        **{
            f"length = sqrt(p2 / maximum(count, 1))  ->  length = sqrt(p2 / {count})": "no tensor is empty"
            for count in ("count", "maximum(count, -1)", "maximum(count, 0)", "maximum(count, 0.5)")
        },
        "odd = absolute(x - y)  ->  odd = absolute(y - x)": "a distance",
        "turn = absolute(y - z)  ->  turn = absolute(z - y)": "a distance",
        "rate = rate * rate  ->  rate = -(rate * rate)": "an even power of it is taken",
        "rate = minimum(maximum(rate, 0), 1.5)  ->  rate = -minimum(maximum(rate, 0), 1.5)": "an even power",
    },
    "radam": {
        "return m / (1 - beta1 ** t) * where(length > 5, adaptive, 1), m, v"
        "  ->  return m / (1 - beta1 ** t) * where(length >= 5, adaptive, 1), m, v": "no length is 5 exactly",
    },
    "lars": {
        "local = where(both > 0, trust_coefficient * sqrt(p2), 1) / where(both > 0, length, 1)  ->  local = "
        + changed: "norms are never negative"
        for changed in (
            "where(both > 0, trust_coefficient * sqrt(p2), 1) / where(both != 0, length, 1)",
            "where(both != 0, trust_coefficient * sqrt(p2), 1) / where(both > 0, length, 1)",
        )
    },
    "trusted": {
        "return where(both > 0, length, 1) / where(both > 0, sqrt(s2), 1) * step  ->  return "
        + changed: "norms are never negative"
        for changed in (
            "where(both != 0, length, 1) / where(both > 0, sqrt(s2), 1) * step",
            "where(both > 0, length, 1) / where(both != 0, sqrt(s2), 1) * step",
        )
    },
    "agreement_with_adam": {
        "return where(t > 1, g * m_hat / (sqrt(v_hat) + eps), 0)"
        "  ->  return where(t != 1, g * m_hat / (sqrt(v_hat) + eps), 0)": "steps count from 1",
    },
    "rprop": {
        "size = where(agreement > 0, eta2 * size, where(agreement < 0, eta1 * size, size))"
        "  ->  size = where(agreement > 0, eta2 * size, where(agreement != 0, eta1 * size, size))": "what is "
        "positive was taken before",
    },
}


def _rules() -> Iterator[tuple[str, Rule]]:
    for package in (thalweg.optim, thalweg.transforms):
        for info in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            yield from vars(import_module(info.name)).items()
    yield from vars(plan).items()


RULES = {rule.name: rule for _, rule in _rules() if isinstance(rule, Rule)}


@cache
def checks_of(rule: Rule) -> list[Check]:
    """The checks in which a rule takes part."""
    return [check for check in CHECKS.values() if rule in _used(check)]


@cache
def _used(check: Check) -> frozenset[Rule]:
    return frozenset(rules_used(check))


def survives(original: Rule, mutant: Rule) -> bool:
    """True if no check notices that the mutant stands in for the original."""
    with exchanged(original, mutant):
        for check in checks_of(original):
            try:
                check("reference")
            except (
                AssertionError,
                ArithmeticError,
                ValueError,
                TypeError,
                AttributeError,
                pytest.fail.Exception,
            ):
                return False
    return True


def test_rules_have_distinct_names() -> None:
    found = {rule for _, rule in _rules() if isinstance(rule, Rule)}
    assert len(found) == len(RULES) >= 20


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_the_rule_rebuilt_from_its_own_tree_survives(rule: Rule) -> None:
    assert checks_of(rule), f"no check uses {rule.name}"
    assert survives(rule, rebuilt(rule, rule.body, rule.returns))


@pytest.mark.filterwarnings("ignore:invalid value encountered")
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_mutant_dies(rule: Rule) -> None:
    made = mutants(rule)
    assert made
    survivors = {mutant.change for mutant in made if survives(rule, mutant.rule)}
    assert survivors == set(EQUIVALENT.get(rule.name, {})), f"{len(made)} mutants"
