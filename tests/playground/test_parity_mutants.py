"""A mistake in any printed rule turns parity red: each mutant of each rule leaves the path of some case."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.optim.mutation import Mutant, mutants
from tests.optim.test_mutants import EQUIVALENT, RULES
from tests.playground.node import node
from tests.playground.parity import Case, cases, data
from thalweg import optim, transforms
from thalweg.engine.javascript import literal, rule_source, safe
from thalweg.engine.rule import Rule
from thalweg.errors import UserError

SCRIPT = Path(__file__).with_name("parity.mjs")
ENGINE = Path(__file__).parents[2] / "web" / "src"
SUMMED = {summand.name for rule in RULES.values() for summand in rule.sums.values()}
# Mutants that the page cannot tell from the original, beside those that nothing can, and why.
SAME = {
    "unit": {"return p - p + 1  ->  return 1"},  # at a finite p
    "count_not_finite": {  # how many there are is said in Python's message alone
        f"return where(isfinite(g), 0, 1)  ->  return where(isfinite(g), 0, {n})" for n in ("2", "0.5")
    },
}
MOST = 150  # of a rule's mutants: the network has ten times as many, all alike


def rules_of(case: Case) -> frozenset[str]:
    """The names of the rules that a case runs, and of the formulas that they sum."""
    wraps = [getattr(transforms, name)(**options) for name, options in case.transforms]
    p = torch.nn.Parameter(torch.zeros(1))
    optimizer = getattr(optim, case.optimizer)([p], **case.options, transforms=wraps)
    used = [stage.rule for stage in optimizer.program(optimizer.param_groups[0]).stages]
    return frozenset(rule.name for one in used for rule in (one, *one.sums.values()))


@cache
def used() -> dict[str, frozenset[str]]:
    """The rules of each case."""
    return {case.name: rules_of(case) for case in cases()}


def chosen(rule: Rule) -> list[Mutant]:
    """The rule's mutants, or as many of them, evenly spread."""
    made = mutants(rule)
    return made[:: -(-len(made) // MOST)]


def source_of(mutant: Mutant) -> str | None:
    """The mutant in JavaScript, or None if no rule can be read from it."""
    try:
        return rule_source(mutant.rule, summed=mutant.rule.name in SUMMED)
    except (UserError, ValueError):
        return None


def entry(rule: Rule) -> str:
    """A rule's mutants as a part of the module that node reads."""
    sources = [(mutant.change, source) for mutant in chosen(rule) if (source := source_of(mutant))]
    own = [name for name, rules in used().items() if rule.name in rules]
    changes = [
        f"{{ change: {literal(change)}, mutant: (() => {{ {source} return {safe(rule.name)}; }})() }},"
        for change, source in sources
    ]
    return (
        f"{{ rule: {literal(rule.name)}, cases: {literal(own)}, changes: [\n"
        + "\n".join(changes)
        + "\n] },\n"
    )


@pytest.fixture(scope="module")
def survivors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """For each rule, the mutants that no case tells from it."""
    lines = [
        f'import {{ rules }} from "{(ENGINE / "generated" / "library.js").as_uri()}";',
        f'import {{ divide, pick, power, root }} from "{(ENGINE / "engine" / "python.js").as_uri()}";',
        f"const {{ {', '.join(map(safe, RULES))} }} = rules;",
        f"export const data = {literal(data())};",
        f"export const cases = {literal([case.plain() for case in cases()])};",
        f"export const shapes = null;\nexport const mutants = [\n{''.join(map(entry, RULES.values()))}];",
    ]
    path = tmp_path_factory.mktemp("mutants") / "mutants.mjs"
    path.write_text("\n".join(lines), encoding="utf-8")
    return {result["rule"]: result for result in node(SCRIPT, str(path))}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_mutant_leaves_the_path(rule: Rule, survivors: dict[str, Any]) -> None:
    found = survivors[rule.name]
    assert found["count"] > 0
    assert set(found["left"]) <= {*EQUIVALENT.get(rule.name, ()), *SAME.get(rule.name, ())}, (
        f"of {found['count']} mutants"
    )
