"""Frozen trajectories: a number that moves between versions is seen, and changed on purpose or not at all."""

import json

import numpy as np

from tests.optim.full_batch.make_golden import FILE, START, loss, trajectory
from tests.optim.full_batch.problems import EACH, IDS, parts

GOLDEN = json.loads(FILE.read_text())


def test_the_file_names_every_variant():
    assert list(GOLDEN) == IDS


@EACH
def test_the_trajectory_is_the_frozen_one(name, variant):
    np.testing.assert_allclose(trajectory(name, variant), GOLDEN[f"{name}-{variant}"], rtol=1e-7, atol=1e-9)


def test_the_frozen_numbers_move_and_go_down():
    start = loss(parts(START, [(8,)])[0]).item()
    assert start > 1
    norms = {name: row[-2] for name, row in GOLDEN.items()}
    assert len(set(norms.values())) > 0.8 * len(norms)
