"""The compiled engine: shapes and scalars compile nothing anew; programs do not use up a common limit."""

import pytest
import torch
import torch._dynamo

from tests.engine.probe import batch_of
from thalweg.engine import compiled, reference
from thalweg.engine.plan import compose
from thalweg.engine.rule import Rule, formula


@formula
def scaled(p, g, *, factor):
    return factor * g


@pytest.fixture
def frames():
    """How many graphs torch has compiled since the test began."""
    from torch._dynamo.utils import counters

    before = counters["stats"]["unique_graphs"]
    return lambda: counters["stats"]["unique_graphs"] - before


def test_shapes_and_scalars_share_one_graph(frames) -> None:
    program = compose(scaled)
    for shape, factor in [((4, 5), 1.0), ((7,), 0.5), ((2, 3, 4), 0.25), ((1000,), 3.0)]:
        p, g = [torch.ones(shape)], [torch.full(shape, 2.0)]
        compiled.step(batch_of(program, p, g, lr=0.5, factor=factor), {})
        assert torch.equal(p[0], torch.full(shape, 1 - factor))
    assert frames() == 1


@torch._dynamo.config.patch(recompile_limit=1)
def test_the_number_of_programs_has_no_limit() -> None:
    """torch stops compiling one code object after eight times."""
    for power in (1, 2, 3):
        p, g = torch.ones(6), torch.full((6,), 2.0)
        compiled.step(batch_of(compose(_multiple(power)), [p], [g], lr=0.5), {})
        assert torch.equal(p, torch.full((6,), 1.0 - power))


def _multiple(number: int) -> Rule:
    @formula
    def once(p, g):
        return g

    @formula
    def twice(p, g):
        return g + g

    @formula
    def thrice(p, g):
        return g + g + g

    return {1: once, 2: twice, 3: thrice}[number]


def test_sums_are_those_of_the_reference() -> None:
    assert compiled.total is reference.total
