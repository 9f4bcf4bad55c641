"""Runs one rule on given tensors in any engine, without an optimizer around it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from thalweg.engine import compiled, fused, reference
from thalweg.engine.batch import Batch
from thalweg.engine.lowbits import is_low_precision
from thalweg.engine.plan import Program, compose
from thalweg.engine.rule import Rule

ENGINES = {"reference": reference, "fused": fused, "compiled": compiled}


def batch_of(
    program: Program, p: Sequence[Tensor], g: Sequence[Tensor], *states: Sequence[Tensor], **scalars: Any
) -> Batch:
    """Tensors that share one row of scalars; low bits are zero unless they are the last of the states."""
    rows = np.zeros(len(p), dtype=np.int64)
    columns = [list(s) for s in states]
    if is_low_precision(p[0]) and len(columns) == len(program.states):
        columns.append([torch.zeros_like(x, dtype=torch.int16) for x in p])
    return Batch(program, list(p), list(g), columns, rows, [{"lr": 1.0, "t": 1, **scalars}])


def evaluate(rule: Rule, engine: str, p: Tensor, g: Tensor, *states: Tensor, **scalars: Any) -> list[Tensor]:
    """What a rule with ``moves=True`` gives: the new p and the new states, as stored."""
    p, states = p.clone(), tuple(s.clone() for s in states)
    batch = batch_of(compose(rule), [p], [g], *([s] for s in states), **scalars)
    with torch.no_grad():
        ENGINES[engine].step(batch, {})
    return [p, *states]
