"""The Python of each surface of the playground says what its JavaScript does."""

import json
import math
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

SCRIPT = Path(__file__).with_name("expressions.mjs")


@pytest.fixture(scope="module")
def surfaces() -> list[dict[str, Any]]:
    run = subprocess.run(["node", str(SCRIPT)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found: list[dict[str, Any]] = json.loads(run.stdout)
    return found


def function(expression: str) -> Callable[[Tensor, Tensor], Tensor]:
    f: Callable[[Tensor, Tensor], Tensor] = eval(f"lambda x, y: {expression}", {"torch": torch})
    return f


def mean_of(losses: Callable[[Tensor, Tensor], Tensor], indices: list[int], x: Tensor, y: Tensor) -> Tensor:
    return losses(x, y)[indices].mean()


def value_and_gradient(f: Callable[[Tensor, Tensor], Tensor], p: list[float]) -> list[float]:
    w = torch.tensor(p, dtype=torch.float64, requires_grad=True)
    value = f(*w)
    (gradient,) = torch.autograd.grad(value, w)
    return [float(value.detach()), *gradient.tolist()]


def close(found: list[float], wanted: list[float]) -> bool:
    """To 1e-10 of the largest number."""
    size = max(1.0, *map(abs, wanted))
    return all(abs(a - b) <= 1e-10 * size for a, b in zip(found, wanted, strict=True))


def test_value_and_gradient_agree_with_torch(surfaces: list[dict[str, Any]]) -> None:
    assert len({surface["id"] for surface in surfaces}) >= 13
    compared = 0
    for surface in surfaces:
        f = function(surface["expression"])
        for point in surface["points"]:
            here = [math.nan if x is None else x for x in (point["f"], *point["gradient"])]
            there = value_and_gradient(f, point["p"])
            if not all(map(math.isfinite, there)):  # such as hypot's at 0, which is 0 in the page
                continue
            assert close(here, there), f"{surface['expression'][:200]} at {point['p']}: {here}, torch {there}"
            compared += 1
    assert compared > 4000


def test_the_gradient_of_a_batch_is_that_of_its_samples(surfaces: list[dict[str, Any]]) -> None:
    sampled = [surface for surface in surfaces if surface["sampleExpression"]]
    assert {surface["id"] for surface in sampled} == {"linear", "logistic"}
    for surface in sampled:
        losses = function(surface["sampleExpression"])
        for point in surface["points"]:
            mean = partial(mean_of, losses, point["indices"])
            assert close(point["batch"], value_and_gradient(mean, point["p"])[1:])
