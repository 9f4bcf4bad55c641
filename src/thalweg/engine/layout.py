"""Which tensors are stepped together: sorted once for each pattern of gradients, refreshed at each step."""

import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from thalweg.engine import distributed
from thalweg.engine.batch import LOW_BITS, Batch, Engine, IntArray, compute_dtype
from thalweg.engine.distributed import is_sharded, local
from thalweg.engine.lowbits import is_low_precision
from thalweg.engine.plan import Program
from thalweg.errors import UserError

if TYPE_CHECKING:
    from thalweg.engine.optimizer import Optimizer

__all__ = ["Layout", "StepCounters", "initial_state", "is_dense"]

_pointer = Tensor.data_ptr


def is_dense(p: Tensor) -> bool:
    """True if the tensor's elements fill a stretch of memory without gaps or overlaps."""
    return p.is_contiguous() or torch.empty_like(p).stride() == p.stride()


def initial_state(program: Program, p: Tensor) -> dict[str, Any]:
    """Zero states in the precision of the arithmetic, and the low bits of a low-precision p."""
    state: dict[str, Any] = {"step": torch.zeros((), dtype=torch.float32, device="cpu")}
    state.update((key, torch.zeros_like(p, dtype=compute_dtype(p))) for key in program.states)
    if is_low_precision(p):
        state[LOW_BITS] = torch.zeros_like(p, dtype=torch.int16)
    return state


class StepCounters:
    """Step counts of all parameters in one array; each ``state["step"]`` is a view of its element.

    torch keeps one 0-d tensor a parameter: adding 1 to 300 of them costs more than the update itself.
    """

    def __init__(self, count: int) -> None:
        self.tensor = torch.zeros(count, dtype=torch.float32, device="cpu")
        self.values = self.tensor.numpy()
        self.views = self.tensor.unbind()
        self.versions: dict[int, int] = {}  # autograd's count of writes to each low-precision parameter

    def adopt(self, index: int, state: dict[str, Any]) -> None:
        """Take over a parameter's count."""
        if state["step"] is not self.views[index]:
            self.values[index] = float(state["step"])
            state["step"] = self.views[index]


def _kind(p: Tensor) -> tuple[Any, ...]:
    """What of a tensor the engines rely on: its size and where its elements lie.

    A 0-d gradient may be a view that stands for the negative of its memory (the imaginary part of a
    conjugate) and no stride tells; with None for a stride it is always copied.
    """
    return p.dtype, p.stride() or None, p.shape, p.device


@dataclass(eq=False)
class Member:
    """A batch of the layout: where its tensors stand among all parameters, and how they are run."""

    batch: Batch
    engine: Engine
    index: IntArray
    groups: IntArray
    slots: list[dict[str, Any]]
    kinds: list[tuple[Any, ...]]
    reach: distributed.Reach | None
    names: list[str] | None = None


class Layout:
    """The batches for one pattern of present gradients."""

    def __init__(
        self, optimizer: "Optimizer", params: list[Tensor], live: bytes, counters: StepCounters
    ) -> None:
        self.optimizer, self.params, self.counters = optimizer, params, counters
        self.members: list[Member] = []
        self.locals = list(map(local, params))
        self.sharded = any(map(is_sharded, params))
        self.pointers = list(map(_pointer, self.locals))
        kinds: dict[Any, list[int]] = {}
        groups = [i for i, group in enumerate(optimizer.param_groups) for _ in group["params"]]
        programs = [optimizer.program(group) for group in optimizer.param_groups]
        for i, p in enumerate(self.locals):
            if live[i]:
                engine = optimizer.engine_of(p, is_dense(p))
                reach = distributed.reach(params[i], optimizer.name_of(i)) if self.sharded else None
                kinds.setdefault((programs[groups[i]], p.dtype, p.device, engine, reach), []).append(i)
        for (program, _, _, engine, reach), index in kinds.items():
            self.members.append(self._member(program, engine, index, [groups[i] for i in index], reach))
        self.slots = list(optimizer.state.values())
        self.entries = list(_entries(self.members))

    def _member(
        self,
        program: Program,
        engine: Engine,
        index: list[int],
        groups: list[int],
        reach: distributed.Reach | None,
    ) -> Member:
        params = [self.locals[i] for i in index]
        keys = (*program.states, LOW_BITS) if is_low_precision(params[0]) else program.states
        slots = [self._slot(i, g, keys) for i, g in zip(index, groups, strict=True)]
        states = [[local(slot[key]) for slot in slots] for key in keys]
        rows = np.zeros(len(params), dtype=np.int64)
        batch = Batch(program, params, [], states, rows)
        kinds = list(map(_kind, params))
        return Member(batch, engine, np.array(index), np.array(groups), slots, kinds, reach)

    def _slot(self, i: int, group: int, keys: Sequence[str]) -> dict[str, Any]:
        """A parameter's state: begun where it has none, fitted to the parameter where that has changed."""
        optimizer, p = self.optimizer, self.params[i]
        slot: dict[str, Any] = optimizer.state[p]
        if any(slot.get(key) is None for key in ("step", *keys)):
            found = {key: value for key, value in slot.items() if value is not None}
            slot.update({**optimizer.states_of(optimizer.param_groups[group], p), **found})
        for key in keys:
            slot[key] = self._fitted(i, key, slot[key])
        self.counters.adopt(i, slot)
        return slot

    def _fitted(self, i: int, key: str, state: Tensor) -> Tensor:
        p = self.params[i]
        dtype = torch.int16 if key == LOW_BITS else compute_dtype(p)
        if is_sharded(p) != is_sharded(state):
            raise UserError(
                f"the state {key} of {self.optimizer.name_of(i)} is not sharded as the parameter is"
            )
        if _kind(state) == (dtype, *_kind(p)[1:]) and local(state).shape == local(p).shape:
            return state
        if state.shape != p.shape:
            raise UserError(
                f"the state {key} of {self.optimizer.name_of(i)} has shape {tuple(state.shape)}, not "
                f"{tuple(p.shape)}; after a change of size, delete its state: del optimizer.state[p]"
            )
        return torch.empty_like(p, dtype=dtype).copy_(state)

    def holds(self, params: Sequence[Tensor], state: Mapping[Tensor, Any]) -> bool:
        """True if the parameters and their states are still the same objects, of the same kinds."""
        return (
            _same(params, self.params)
            and (not self.sharded or _same(map(local, params), self.locals))
            and _same(state.values(), self.slots)
            and _same(_entries(self.members), self.entries)
            and self._in_place()
        )

    def _in_place(self) -> bool:
        """True unless a parameter's data was swapped for one of another kind (`model.to`, pruning, ...)."""
        pointers = list(map(_pointer, self.locals))
        if pointers == self.pointers:
            return True
        self.pointers = pointers
        return all(list(map(_kind, m.batch.params)) == m.kinds for m in self.members)

    def refresh(self, grads: Sequence[Tensor | None]) -> None:
        """Read this step's gradients and scalars."""
        self.settle()
        for member in self.members:
            batch = member.batch
            found = [grads[i] for i in member.index]
            if member.reach is not None:
                places = zip(member.index.tolist(), found, strict=True)
                found = [
                    distributed.gradient(self.params[i], g, self.optimizer.name_of(i)) for i, g in places
                ]
            batch.grads = [
                g
                if g.dtype is kind[0]
                and g.layout is torch.strided
                and g.stride() == kind[1]
                and g.shape == kind[2]
                else self._dense(int(member.index[k]), batch.params[k], g)
                for k, (g, kind) in enumerate(zip(found, member.kinds, strict=True))
            ]
            self._scalars(member)

    def _dense(self, index: int, p: Tensor, g: Tensor) -> Tensor:
        """A copy of a gradient that lies otherwise in memory than its parameter."""
        name = self.optimizer.name_of(index)
        if g.layout is not torch.strided:
            raise UserError(f"the gradient of {name} is sparse; build the layer with sparse=False")
        if g.shape != p.shape:
            raise UserError(
                f"the gradient of {name} has shape {tuple(g.shape)}, the parameter {tuple(p.shape)}; "
                "call zero_grad and backward again after a change of size"
            )
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
            if member.batch.split:
                self.counters.versions.update((i, self.params[i]._version) for i in member.index.tolist())

    def settle(self) -> None:
        """Forget the low bits of a parameter that someone else has written to since the last step."""
        versions = self.counters.versions
        for member in self.members:
            if member.batch.split:
                for i, slot in zip(member.index.tolist(), member.slots, strict=True):
                    version = self.params[i]._version
                    if versions.get(i, version) != version:
                        slot[LOW_BITS].zero_()
                        versions[i] = version

    def names(self, member: Member) -> list[str]:
        """The names of a batch's parameters."""
        if member.names is None:
            member.names = [self.optimizer.name_of(int(i)) for i in member.index]
        return member.names


def _same(some: Iterable[Any], others: Sequence[Any]) -> bool:
    """True if two sequences hold the very same objects."""
    found = list(some)
    return len(found) == len(others) and all(map(operator.is_, found, others))


def _entries(members: Sequence[Member]) -> Iterator[Any]:
    return chain.from_iterable(map(dict.values, (slot for member in members for slot in member.slots)))


def _values(group: Mapping[str, Any], t: int) -> dict[str, Any]:
    """The scalars that rules may ask for: the group's options, betas taken apart, and the step's number."""
    values = {**group, "lr": float(group["lr"]), "t": t}
    if "betas" in group:
        values["beta1"], values["beta2"] = (float(b) for b in group["betas"])
    return values
