"""Frozen trajectories: a number that moves between versions is seen, and changed on purpose or not at all."""

import json

import numpy as np

from tests.optim.full_batch.make_golden import FILE, trajectory
from tests.optim.full_batch.problems import EACH, IDS

GOLDEN = json.loads(FILE.read_text())


def test_the_file_names_every_variant():
    assert list(GOLDEN) == IDS


@EACH
def test_the_trajectory_is_the_frozen_one(name, variant):
    np.testing.assert_allclose(trajectory(name, variant), GOLDEN[f"{name}-{variant}"], rtol=1e-7, atol=1e-9)
