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
    "radam": {
        "return m / (1 - beta1 ** t) * where(length > 5, adaptive, 1), m, v"
        "  ->  return m / (1 - beta1 ** t) * where(length >= 5, adaptive, 1), m, v": "no length is 5 exactly",
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
