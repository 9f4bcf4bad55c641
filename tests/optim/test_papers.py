"""Every algorithm and transform against its paper, step by step, in float64."""

import pytest

from tests.optim.checks import CHECKS
from tests.optim.kinds import RULED
from tests.optim.shelf import VARIANTS


def test_every_exported_optimizer_is_in_the_table() -> None:
    assert set(VARIANTS) == set(RULED)


@pytest.mark.parametrize("engine", ["reference", "fused"])
@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_it_computes_what_the_paper_says(check, engine) -> None:
    check(engine)
