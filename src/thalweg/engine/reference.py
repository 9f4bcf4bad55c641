"""The reference engine: calls each rule's function on torch tensors; the truth for the other engines.

Any dtype, any device, differentiable: `update` is pure, so an optimizer can be unrolled within a graph.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from thalweg.engine.batch import Batch, compute_dtype
from thalweg.engine.lowbits import join, split
from thalweg.engine.plan import Program, Stage, Sums
from thalweg.engine.tensor_rule import TensorRule

__all__ = ["step", "total", "update"]


def update(
    program: Program,
    tensors: Mapping[str, Tensor],
    values: Mapping[str, Any],
    sums: Mapping[int, Mapping[str, float]],
) -> dict[str, Tensor]:
    """One step of a program, as a pure function.

    Args:
        program: what to compute.
        tensors: "p", "g" and each state by its key, all in the precision of the arithmetic.
        values: the scalars by name: lr, t (the number of this step, from 1), the group's options, and the
            states that are one number.
        sums: the sums of each stage that waits for some, by the stage's index.

    Returns:
        New tensors under the same names, and the new numbers; "g" holds the step that was taken.
    """
    return _run(program, len(program.stages), tensors, values, sums)


def _run(
    program: Program,
    stop: int,
    tensors: Mapping[str, Tensor],
    values: Mapping[str, Any],
    sums: Mapping[int, Mapping[str, float]],
) -> dict[str, Any]:
    env = dict(tensors)
    for i, stage in enumerate(program.stages[:stop]):
        _take(stage, env, program.scalars(stage, values, sums.get(i, {})))
    return env


def _take(stage: Stage, env: dict[str, Any], scalars: Mapping[str, float]) -> None:
    """Run one stage."""
    rule = stage.rule
    if isinstance(rule, TensorRule):
        states = {key: env[key] for key in rule.shapes(env["p"].shape)}
        env[stage.outputs[0]], new = rule.function(env["p"], env["g"], states, **scalars)
        env.update(new)
        return
    out = rule(*(env[name] for name in stage.inputs), **scalars)
    env.update(zip(stage.outputs, out, strict=True))


def _env(batch: Batch, i: int) -> dict[str, Tensor]:
    """The tensors of one parameter, in the precision of the arithmetic."""
    p, compute = batch.params[i], compute_dtype(batch.params[i])
    env = {
        "p": join(p, batch.states[-1][i]) if batch.split else p.to(compute),
        "g": batch.grads[i].to(compute),
    }
    env.update((key, batch.states[j][i]) for j, key in enumerate(batch.keys))
    return env


def total(batch: Batch, stage: int, sums: Sums) -> dict[str, list[float]]:
    """Each tensor's value of each sum that the stage waits for, in double."""
    place = batch.program.stages[stage]
    found: dict[str, list[Tensor]] = {name: [] for name in place.rule.sums}
    for i, row in enumerate(batch.rows.tolist()):
        values = batch.values[row]
        env = _run(batch.program, stage, _env(batch, i), values, batch.sums_of(row, sums))
        exact = torch.float32 if env["g"].device.type == "mps" else torch.float64  # MPS has no float64
        for name, summand in place.rule.sums.items():
            scalars = batch.program.scalars(place, values, {}, summand)
            (value,) = summand(*(env[key].to(exact) for key in place.reads(summand)), **scalars)
            found[name].append(value.sum())
    return {name: _floats(column) for name, column in found.items()}


def _floats(sums: list[Tensor]) -> list[float]:
    if sums[0].device.type == "meta":
        return [0.0] * len(sums)  # nothing is known of the values
    return [float(x) for x in torch.stack(sums).tolist()]


def step(batch: Batch, sums: Sums) -> None:
    """Update parameters and states in place, one tensor after another."""
    for i, row in enumerate(batch.rows.tolist()):
        new = update(batch.program, _env(batch, i), batch.values[row], batch.sums_of(row, sums))
        if batch.split:
            new["p"], low = split(new["p"], batch.params[i].dtype)
            batch.states[-1][i].copy_(low)
        batch.params[i].copy_(new["p"])
        for j, key in enumerate(batch.keys):
            batch.states[j][i].copy_(new[key])
