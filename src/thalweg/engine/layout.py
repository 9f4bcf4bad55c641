"""Which tensors are stepped together: sorted once for each pattern of present gradients, refreshed at each step."""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from thalweg.engine.batch import COMPENSATION, Batch, Engine, IntArray, compute_dtype
from thalweg.engine.plan import Program
from thalweg.errors import UserError

if TYPE_CHECKING:
    from thalweg.engine.optimizer import Optimizer

__all__ = ["Layout", "StepCounters", "initial_state", "is_dense"]


def is_dense(p: Tensor) -> bool:
    """True if the tensor's elements fill a stretch of memory without gaps or overlaps."""
    return p.is_contiguous() or torch.empty_like(p).stride() == p.stride()


def is_low_precision(p: Tensor) -> bool:
    """True if a parameter would lose small updates to rounding."""
    return p.dtype in (torch.bfloat16, torch.float16)


def initial_state(program: Program, p: Tensor) -> dict[str, Any]:
    """Zero states in the precision of the arithmetic, and a Kahan compensation where the parameter needs one."""
    state: dict[str, Any] = {"step": torch.zeros((), dtype=torch.float32)}
    state.update((key, torch.zeros_like(p, dtype=compute_dtype(p))) for key in program.states)
    if is_low_precision(p):
        state[COMPENSATION] = torch.zeros_like(p)
    return state


class StepCounters:
    """Step counts of all parameters in one array; each ``state["step"]`` is a view of its element.

    torch keeps one 0-d tensor a parameter: adding 1 to 300 of them costs more than the update itself.
    """

    def __init__(self, count: int) -> None:
        self.tensor = torch.zeros(count)
        self.values = self.tensor.numpy()

    def adopt(self, index: int, state: dict[str, Any]) -> None:
        """Take over a parameter's count."""
        self.values[index] = float(state["step"])
        state["step"] = self.tensor[index]


@dataclass(eq=False)
class Member:
    """A batch of the layout: where its tensors stand among all parameters, and how they are run."""

    batch: Batch
    engine: Engine
    index: IntArray
    groups: IntArray
    slots: list[dict[str, Any]]
    strides: list[tuple[int, ...]]
    names: list[str] | None = None


class Layout:
    """The batches for one pattern of present gradients."""

    def __init__(
        self, optimizer: "Optimizer", params: list[Tensor], live: bytes, counters: StepCounters
    ) -> None:
        self.optimizer, self.params, self.counters = optimizer, params, counters
        self.members: list[Member] = []
        kinds: dict[Any, list[int]] = {}
        groups = [i for i, group in enumerate(optimizer.param_groups) for _ in group["params"]]
        programs = [optimizer.program(group) for group in optimizer.param_groups]
        for i, p in enumerate(params):
            if live[i]:
                engine = optimizer.engine_of(p, is_dense(p))
                kinds.setdefault((programs[groups[i]], p.dtype, p.device, engine), []).append(i)
        for (program, _, _, engine), index in kinds.items():
            self.members.append(self._member(program, engine, index, [groups[i] for i in index]))

    def _member(self, program: Program, engine: Engine, index: list[int], groups: list[int]) -> Member:
        optimizer = self.optimizer
        params = [self.params[i] for i in index]
        for i, p, group in zip(index, params, groups, strict=True):
            state = optimizer.state[p]
            for key, value in optimizer.states_of(optimizer.param_groups[group], p).items():
                state.setdefault(key, value)
            self.counters.adopt(i, state)
        slots = [optimizer.state[p] for p in params]
        compensated = is_low_precision(params[0])
        keys = (*program.states, COMPENSATION) if compensated else program.states
        states = [[slot[key] for slot in slots] for key in keys]
        rows = np.zeros(len(params), dtype=np.int64)
        batch = Batch(program, params, [], states, rows, (), compensated)
        strides = [p.stride() for p in params]
        return Member(batch, engine, np.array(index), np.array(groups), slots, strides)

    def holds(self, params: Sequence[Tensor], state: Mapping[Tensor, Any]) -> bool:
        """True if the parameters and their states are still the same objects."""
        if len(params) != len(self.params) or not all(map(operator.is_, params, self.params)):
            return False
        for member in self.members:
            batch, slots = member.batch, member.slots
            if state.get(batch.params[0]) is not slots[0] or state.get(batch.params[-1]) is not slots[-1]:
                return False
            keys = (*batch.program.states, COMPENSATION)
            for key, column in zip(keys, batch.states, strict=False):
                if not all(map(operator.is_, [slot.get(key) for slot in slots], column)):
                    return False
        return True

    def refresh(self, grads: Sequence[Tensor | None]) -> None:
        """Read this step's gradients and scalars."""
        for member in self.members:
            batch = member.batch
            found = [grads[i] for i in member.index]
            dtype = batch.params[0].dtype
            batch.grads = [
                g
                if g.dtype is dtype and g.layout is torch.strided and g.stride() == stride
                else self._dense(int(member.index[k]), batch.params[k], g)
                for k, (g, stride) in enumerate(zip(found, member.strides, strict=True))
            ]
            self._scalars(member)

    def _dense(self, index: int, p: Tensor, g: Tensor) -> Tensor:
        if g.layout is not torch.strided:
            name = self.optimizer.name_of(index)
            raise UserError(f"the gradient of {name} is sparse; build the layer with sparse=False")
        return torch.empty_like(p).copy_(g)

    def _scalars(self, member: Member) -> None:
        """One mapping of scalars for each distinct (group, step count)."""
        steps = self.counters.values[member.index] + 1
        keys = member.groups * 2**32 + steps.astype(np.int64)
        distinct, member.batch.rows = np.unique(keys, return_inverse=True)
        groups = self.optimizer.param_groups
        member.batch.values = [_values(groups[key >> 32], key & 0xFFFFFFFF) for key in distinct.tolist()]

    def count(self) -> None:
        """The step was taken: count it."""
        for member in self.members:
            self.counters.values[member.index] += 1

    def names(self, member: Member) -> list[str]:
        """The names of a batch's parameters."""
        if member.names is None:
            member.names = [self.optimizer.name_of(int(i)) for i in member.index]
        return member.names


def _values(group: Mapping[str, Any], t: int) -> dict[str, Any]:
    """The scalars that rules may ask for: the group's options, with betas taken apart, and the step's number."""
    values = {**group, "lr": float(group["lr"]), "t": t}
    if "betas" in group:
        values["beta1"], values["beta2"] = (float(b) for b in group["betas"])
    return values
