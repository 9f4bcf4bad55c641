"""The reference engine: calls each rule's function on torch tensors; the truth for the other engines.

Any dtype, any device, differentiable: `update` is pure, so an optimizer can be unrolled within a graph.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from thalweg.engine.batch import Batch, compute_dtype
from thalweg.engine.lowbits import join, split
from thalweg.engine.plan import Program

__all__ = ["step", "total", "update"]


def update(
    program: Program, tensors: Mapping[str, Tensor], values: Mapping[str, Any], totals: Mapping[int, float]
) -> dict[str, Tensor]:
    """One step of a program, as a pure function.

    Args:
        program: what to compute.
        tensors: "p", "g" and each state by its key, all in the precision of the arithmetic.
        values: the scalars by name: lr, t (the number of this step, from 1) and the group's options.
        totals: the total of each reducing stage, by the stage's index.

    Returns:
        New tensors under the same names; "g" holds the step that was taken.
    """
    return _run(program, len(program.stages), tensors, values, totals)


def _run(
    program: Program,
    stop: int,
    tensors: Mapping[str, Tensor],
    values: Mapping[str, Any],
    totals: Mapping[int, float],
) -> dict[str, Tensor]:
    env = dict(tensors)
    for i, stage in enumerate(program.stages[:stop]):
        scalars = program.scalars(stage, values, totals.get(i))
        out = stage.rule(*(env[name] for name in stage.inputs), **scalars)
        env.update(zip(stage.outputs, out, strict=True))
    return env


def _env(batch: Batch, i: int) -> dict[str, Tensor]:
    """The tensors of one parameter, in the precision of the arithmetic."""
    p, compute = batch.params[i], compute_dtype(batch.params[i])
    env = {
        "p": join(p, batch.states[-1][i]) if batch.split else p.to(compute),
        "g": batch.grads[i].to(compute),
    }
    env.update((key, batch.states[j][i]) for j, key in enumerate(batch.program.states))
    return env


def total(batch: Batch, stage: int, totals: Mapping[int, float]) -> list[float]:
    """Each tensor's sum for a reducing stage, in double."""
    transform = batch.program.stages[stage].transform
    assert transform is not None
    assert transform.reduce is not None
    sums = []
    for i, row in enumerate(batch.rows):
        env = _run(batch.program, stage, _env(batch, i), batch.values[row], totals)
        exact = torch.float32 if env["g"].device.type == "mps" else torch.float64  # MPS has no float64
        (value,) = transform.reduce(env["p"].to(exact), env["g"].to(exact))
        sums.append(value.sum())
    if sums[0].device.type == "meta":
        return [0.0] * len(sums)  # nothing is known of the values
    return [float(x) for x in torch.stack(sums).tolist()]


def step(batch: Batch, totals: Mapping[int, float]) -> None:
    """Update parameters and states in place, one tensor after another."""
    for i, row in enumerate(batch.rows):
        new = update(batch.program, _env(batch, i), batch.values[row], totals)
        if batch.split:
            new["p"], low = split(new["p"], batch.params[i].dtype)
            batch.states[-1][i].copy_(low)
        batch.params[i].copy_(new["p"])
        for j, key in enumerate(batch.program.states):
            batch.states[j][i].copy_(new[key])
