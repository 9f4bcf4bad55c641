"""Twins in optax, for what torch does not have."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.optim.shelf import Bowl, feed, join, parameters
from thalweg import optim, transforms

DECAYED = [transforms.coupled_decay(0.3), transforms.trust_ratio()]
TWINS: dict[str, Any] = {
    "lars": lambda p, e: optim.LARS(p, 2.0, momentum=0.8, weight_decay=0.0, trust_coefficient=0.03, engine=e),
    "trust ratio of a decayed gradient": lambda p, e: optim.SGD(p, 0.1, transforms=DECAYED, engine=e),
    "lamb": lambda p, e: optim.LAMB(p, 0.05, betas=(0.8, 0.9), eps=0.01, weight_decay=0.2, engine=e),
    "lamb without decay": lambda p, e: optim.LAMB(p, 0.05, weight_decay=0.0, engine=e),
}


@pytest.fixture(scope="module")
def paths() -> dict[str, list[list[float]]]:
    """What optax computes, alone, on the same bowl."""
    command = [sys.executable, "-m", "tests.optim.optax_paths"]
    root = Path(__file__).parents[2]
    return json.loads(subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout)


def test_the_twins_are_those_of_the_script(paths: dict[str, list[list[float]]]) -> None:
    assert paths.keys() == TWINS.keys()


@pytest.mark.parametrize("engine", ["reference", "fused"])
@pytest.mark.parametrize("name", TWINS)
def test_the_path_is_that_of_optax(name: str, engine: str, paths: dict[str, list[list[float]]]) -> None:
    steps = len(paths[name])
    bowl = Bowl(steps, seed=7)
    params = parameters(bowl.start)
    optimizer = TWINS[name](params, engine)
    for t, expected in enumerate(paths[name], 1):
        optimizer.step(feed(params, bowl, t))
        np.testing.assert_allclose(join(params), expected, rtol=1e-9, atol=1e-10, err_msg=f"step {t}")
    assert abs(join(params) - bowl.start).max() > 0.1
