"""The fused engine: one native kernel a program, one pass over memory, one launch for all tensors (CPU)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from threading import RLock
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.graph import increment_version

from thalweg.engine.batch import Batch, IntArray
from thalweg.engine.plan import Program, Sums
from thalweg.engine.threads import Team, launch
from thalweg.errors import UserError

__all__ = ["step", "supports", "total"]

CHUNK = 65536  # elements: large enough to stream, small enough to balance threads
SHARED_FROM = 262144
_pointer = Tensor.data_ptr


@cache
def _machine() -> Any:
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    features = binding.get_host_cpu_features().flatten()
    target = binding.Target.from_default_triple()
    return target.create_target_machine(cpu=binding.get_host_cpu_name(), features=features, opt=3, jit=True)


@dataclass(frozen=True)
class Kernel:
    """A compiled kernel; `owner` keeps its machine code alive."""

    address: int
    owner: Any

    @cached_property
    def call(self) -> Any:
        """The kernel as a function that Python can call with the address of a job."""
        return Team(self.address)


_compiling = RLock()  # LLVM's target machine is one for all threads


def compile_kernel(text: str) -> Kernel:
    """Machine code for the LLVM text of a kernel; equal programs share it, also when threads ask at once."""
    with _compiling:
        return _compiled(text)


@cache
def _compiled(text: str) -> Kernel:
    from llvmlite import binding

    owner = binding.create_mcjit_compiler(optimized(text), _machine())
    owner.finalize_object()
    return Kernel(owner.get_function_address("team"), owner)


def optimized(text: str, vectorize: bool = True) -> Any:
    """The LLVM module of a kernel's text after optimization; its string shows what the kernel will do."""
    from llvmlite import binding

    machine = _machine()
    module = binding.parse_assembly(text)
    module.triple = machine.triple
    module.verify()
    options = binding.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = options.loop_unrolling = vectorize
    builder = binding.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return module


@lru_cache(maxsize=256)
def _kernel(program: Program, stage: int | None, dtypes: tuple[str, ...]) -> Kernel:
    """The kernel of a program's step, or (with `stage`) of a reducing stage's pass."""
    from thalweg.engine import codegen

    if stage is None:
        return compile_kernel(codegen.emit_step(program, dtypes))
    return compile_kernel(codegen.emit_reduction(program, stage, dtypes))


def total(batch: Batch, stage: int, sums: Sums) -> dict[str, list[float]]:
    """Each tensor's value of each sum of a stage: one read-only pass, the same on any number of threads."""
    table, names = _table(batch), tuple(batch.program.stages[stage].rule.sums)
    partials = np.zeros((len(table), len(names)))
    _run(batch, _kernel(batch.program, stage, batch.dtypes), batch.constants(sums, stage), partials)
    columns = (np.bincount(table[:, 0], column, minlength=len(batch.params)) for column in partials.T)
    return {name: column.tolist() for name, column in zip(names, columns, strict=True)}


def step(batch: Batch, sums: Sums) -> None:
    """Update parameters and states in one pass."""
    kernel = _kernel(batch.program, None, batch.dtypes)
    # Autograd shall notice a graph that still needs the old values. First, since the tensors that the reading
    # of the addresses brought into the caches leave them during the pass.
    increment_version(batch.params)
    _run(batch, kernel, batch.constants(sums, None), None)


def _table(batch: Batch) -> IntArray:
    if batch.table is None:
        batch.table = _chunks([p.numel() for p in batch.params])
    return batch.table


def _run(batch: Batch, kernel: Kernel, constants: Sequence[Sequence[float]], partials: Any) -> None:
    table = _table(batch)
    if not len(table):
        return
    scalars = np.array(constants, dtype=np.float64)
    if len(scalars) > 1:
        table[:, 3] = batch.rows[table[:, 0]] * scalars.shape[1]
    elif batch.spread:
        table[:, 3] = 0
    batch.spread = len(scalars) > 1
    arrays = (table, _arrays(batch), scalars, partials)
    addresses = (0 if a is None else a.__array_interface__["data"][0] for a in arrays)
    job = np.array([0, len(table), *addresses], dtype=np.int64)
    launch(kernel, job.__array_interface__["data"][0], parallel=batch.elements >= SHARED_FROM)


def _arrays(batch: Batch) -> IntArray:
    """The addresses of p, g and each state, one row a tensor, read once a step."""
    if batch.arrays is None:
        columns = (batch.params, batch.grads, *batch.states)
        batch.arrays = np.array([list(map(_pointer, column)) for column in columns], dtype=np.int64).T.copy()
        _check_memory(batch)
    return batch.arrays


def _check_memory(batch: Batch) -> None:
    """Raise where a tensor has elements and no memory: its storage was resized to 0, or it wraps others."""
    if batch.arrays is None or batch.arrays.all():
        return
    for p, row in zip(batch.params, batch.arrays.tolist(), strict=True):
        if p.numel() and 0 in row:
            what = ("parameter", "gradient", "state")[min(row.index(0), 2)]
            raise UserError(f"the {what} of a parameter of shape {tuple(p.shape)} has no memory of its own")


def _chunks(sizes: Sequence[int]) -> IntArray:
    """The chunk table: tensor, offset, length, and a column for the row of scalars."""
    rows = [
        (i, start, min(CHUNK, size - start), 0)
        for i, size in enumerate(sizes)
        for start in range(0, size, CHUNK)
    ]
    return np.array(rows, dtype=np.int64).reshape(-1, 4)


def supports(param: Tensor) -> bool:
    """True if the engine can run on this tensor."""
    return param.device.type == "cpu" and param.dtype in _SUPPORTED


_SUPPORTED = (torch.float32, torch.float64, torch.bfloat16, torch.float16)
