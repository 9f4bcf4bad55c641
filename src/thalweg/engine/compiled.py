"""The compiled engine: torch.compile of the same rules, for devices other than the CPU.

One graph serves all tensors of a program: each is seen as a flat array of dynamic length, so that the model's
shapes cause no recompilation, and scalars travel in a tensor, so that a changing learning rate causes none.
"""

from collections.abc import Callable
from functools import lru_cache
from itertools import count
from types import FunctionType
from typing import Any

import torch
from torch import Tensor

from thalweg.engine.batch import Batch, compute_dtype
from thalweg.engine.lowbits import is_low_precision, join, split
from thalweg.engine.plan import Program, Sums
from thalweg.engine.reference import total
from thalweg.engine.rule import Rule

__all__ = ["step", "total"]

_programs = count()


def step(batch: Batch, sums: Sums) -> None:
    """Update parameters and states in place, one fused device kernel a tensor."""
    compute, device = compute_dtype(batch.params[0]), batch.params[0].device
    run = _compiled(batch.program)
    constants = torch.tensor(batch.constants(sums, None), dtype=compute).to(device)
    for i, row in enumerate(batch.rows):
        columns = (column[i] for column in (batch.params, batch.grads, *batch.states))
        run([_flat(t) for t in columns], constants[int(row)])


def _flat(tensor: Tensor) -> Tensor:
    """The elements of a dense tensor in the order of memory; no view, since torch guards a view's base."""
    place = (tensor.storage_offset(), (tensor.numel(),), (1,))
    return tensor.detach().new_empty(0).set_(tensor.untyped_storage(), *place)


@lru_cache(maxsize=256)
def _compiled(program: Program) -> Callable[[list[Tensor], Tensor], None]:
    def run(arrays: list[Tensor], constants: Tensor) -> None:
        _update(program, arrays, constants)

    # torch limits how often one code object is compiled: each program gets a code object of its own.
    code = run.__code__.replace(co_name=f"run_{next(_programs)}")
    own = FunctionType(code, run.__globals__, code.co_name, None, run.__closure__)
    # Inductor would drop the rounding to a float16 parameter and back, and with it the low bits.
    return torch.compile(own, dynamic=True, fullgraph=True, options={"emulate_precision_casts": True})


def _update(program: Program, arrays: list[Tensor], constants: Tensor) -> None:
    compute = constants.dtype
    names = ("p", "g", *program.states)
    env: dict[str, Any] = {name: array.to(compute) for name, array in zip(names, arrays, strict=False)}
    if is_low_precision(arrays[0]):
        env["p"] = join(arrays[0], arrays[-1])
    used = 0
    for stage in program.stages:
        assert isinstance(stage.rule, Rule)
        lifted = stage.rule.lifted
        scalars = [constants[used + k] for k in range(len(lifted.constants))]
        used += len(scalars)
        out = lifted.element(*(env[name] for name in stage.inputs), *scalars)
        env.update(zip(stage.outputs, out, strict=True))
    if is_low_precision(arrays[0]):
        env["p"], low = split(env["p"], arrays[0].dtype)
        arrays[-1].copy_(low)
    for name, array in zip(names, arrays, strict=False):
        if name != "g":
            array.copy_(env[name])
