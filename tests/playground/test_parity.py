"""The printed JavaScript takes the steps of the reference engine, to 1e-12, under node."""

import inspect
import math
from pathlib import Path
from typing import Any

import pytest

from tests.playground.node import module, node
from tests.playground.parity import ELEMENTWISE, Case, cases, data, run
from thalweg import optim
from thalweg.engine.checkpoint import HOW

SCRIPT = Path(__file__).with_name("parity.mjs")
CASES = cases()
RELATIVE = 1e-12


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the printed engine makes of every case."""
    path = tmp_path_factory.mktemp("parity") / "cases.mjs"
    plain = [case.plain() for case in CASES]
    results = node(SCRIPT, module(path, data=data(), cases=plain, shapes=None, mutants=None))
    return {case.name: result for case, result in zip(CASES, results, strict=True)}


def apart(a: float, b: float, scale: float) -> float:
    """How far two numbers are apart, as a share of the larger one."""
    if a == b or (math.isnan(a) and math.isnan(b)):
        return 0.0
    return abs(a - b) / max(abs(a), abs(b), scale)


def furthest(ours: list[list[float]], theirs: list[list[Any]]) -> float:
    """The largest relative difference of two paths.

    A coordinate that crosses zero has lost digits: it counts by a thousandth of the largest that it was.
    """
    assert len(ours) == len(theirs)
    largest = [0.0] * len(ours[0])
    worst = 0.0
    for a, b in zip(ours, theirs, strict=True):
        for i, (x, y) in enumerate(zip(a, map(float, b), strict=True)):
            largest[i] = max(largest[i], abs(x) if math.isfinite(x) else 0.0)
            worst = max(worst, apart(x, y, largest[i] / 1000))
    return worst


def test_names_are_distinct() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_every_option_is_turned(name: str) -> None:
    """Each has a value beside its default in some case."""
    signature = inspect.signature(getattr(optim, name)).parameters
    usual = {n: p.default for n, p in signature.items() if n not in ("params", "transforms", "engine", *HOW)}
    own = [case.options for case in CASES if case.optimizer == name]
    assert [n for n, value in usual.items() if all(o.get(n, value) == value for o in own)] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_same_path(case: Case, printed: dict[str, Any]) -> None:
    ours, theirs = run(case), printed[case.name]
    assert theirs["outcomes"] == ours["outcomes"]
    worst = furthest(ours["path"], theirs["path"])
    assert worst <= RELATIVE, worst
    assert sorted(theirs["states"][-1]) == sorted(ours["states"][-1])
    for key in ours["states"][-1]:
        a, b = ([state[key] for state in states["states"]] for states in (ours, theirs))
        assert furthest(a, b) <= RELATIVE, key
