"""Frozen trajectories: a number that moves between versions is seen, and changed on purpose or not at all."""

import json

import numpy as np
import pytest

from tests.optim.make_golden import FILE, trajectory
from tests.optim.shelf import IDS, MATRIX

GOLDEN = json.loads(FILE.read_text())


def test_the_file_names_every_variant() -> None:
    assert list(GOLDEN) == IDS


@pytest.mark.parametrize("engine", ["reference", "fused"])
@pytest.mark.parametrize(("name", "variant"), MATRIX, ids=IDS)
def test_the_trajectory_is_the_frozen_one(name: str, variant: str, engine: str) -> None:
    frozen = GOLDEN[f"{name}-{variant}"]
    np.testing.assert_allclose(trajectory(name, variant, engine), frozen, rtol=1e-12, atol=1e-14)
