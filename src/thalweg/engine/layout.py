"""Which tensors are stepped together: sorted once for each pattern of gradients, refreshed at each step."""

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor

from thalweg.engine import addresses, distributed, fused
from thalweg.engine.batch import LOW_BITS, Batch, Engine, IntArray, compute_dtype
from thalweg.engine.counters import Counters
from thalweg.engine.distributed import is_sharded, local
from thalweg.engine.lowbits import is_low_precision
from thalweg.engine.options import taken_apart
from thalweg.engine.plan import Program, Sums
from thalweg.errors import UserError

if TYPE_CHECKING:
    from thalweg.engine.optimizer import Optimizer

__all__ = ["Layout", "Member", "initial_state", "is_dense"]

_pointer = Tensor.data_ptr


def is_dense(p: Tensor) -> bool:
    """True if the tensor's elements fill a stretch of memory without gaps or overlaps."""
    return p.is_contiguous() or torch.empty_like(p).stride() == p.stride()


def initial_state(program: Program, p: Tensor) -> dict[str, Any]:
    """Zero states in the precision of the arithmetic, and the low bits of a low-precision p."""
    state: dict[str, Any] = {"step": torch.zeros((), dtype=torch.float32, device="cpu")}
    for key, shape in program.shapes(p.shape).items():
        like = p if shape == p.shape else p.new_empty(shape)
        state[key] = torch.zeros_like(like, dtype=compute_dtype(p))
    state.update((key, torch.zeros((), dtype=torch.float64, device="cpu")) for key in program.numbers)
    if is_low_precision(p):
        state[LOW_BITS] = torch.zeros_like(p, dtype=torch.int16)
    return state


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
    keys: tuple[str, ...]
    slots: list[dict[str, Any]]
    kinds: list[tuple[Any, ...]]
    reach: distributed.Reach | None
    names: list[str] | None = None

    def __post_init__(self) -> None:
        """Sort out once what is the same at every step."""
        self.places: list[int] = self.index.tolist()
        self.pointers = np.array(list(map(_pointer, self.batch.params)), dtype=np.int64)
        readers = [operator.itemgetter(key) for key in ("step", *self.keys, *self.batch.program.numbers)]
        self.columns = [(read, list(map(read, self.slots))) for read in readers]
        whole = bool((np.diff(self.index) == 1).all())  # a slice is read faster than places one by one
        self.span = slice(self.places[0], self.places[-1] + 1) if whole else self.index
        self.own_groups, self.group_rows = np.unique(self.groups, return_inverse=True)
        self.row_groups: list[int] = self.own_groups.tolist()
        self.reader = self._reader()
        # A gradient of one element may be a view that stands for the negative of its memory; see `_kind`.
        self.single = [p for p in self.batch.params if p.numel() == 1]

    def _reader(self) -> addresses.Reader | None:
        """What reads the addresses natively, where the tensors are simple enough for that."""
        batch = self.batch
        arrays = chain(batch.params, *batch.states)
        simple = self.engine is fused and self.reach is None and all(a.is_contiguous() for a in arrays)
        return addresses.Reader(batch.params, batch.states) if simple and addresses.usable() else None

    def keeps(self) -> bool:
        """True if the parameters' states are still the tensors that they were."""
        try:
            return all(_same(map(read, self.slots), column) for read, column in self.columns)
        except KeyError:
            return False

    def in_place(self) -> bool:
        """True unless a parameter's data was swapped for one of another kind (`model.to`, pruning, ...)."""
        pointers = np.array(list(map(_pointer, self.batch.params)), dtype=np.int64)
        if np.array_equal(pointers, self.pointers):
            return True
        self.pointers = pointers
        return list(map(_kind, self.batch.params)) == self.kinds

    def read(self) -> bool:
        """Read this step's addresses natively; False if something has to be looked at from Python."""
        if self.reader is None or not self.reader.read() or any(p.grad.is_neg() for p in self.single):  # type: ignore[union-attr]
            return False
        self.batch.grads, self.batch.arrays = [], self.reader.out
        return bool((self.reader.out[:, 0] == self.pointers).all())


class Layout:
    """The batches for one pattern of present gradients."""

    def __init__(
        self,
        optimizer: "Optimizer",
        params: list[Tensor],
        live: bytes,
        programs: Sequence[Program],
        counters: Counters,
    ) -> None:
        self.optimizer, self.params, self.counters = optimizer, params, counters
        self.programs = programs
        self.members: list[Member] = []
        self.locals = list(map(local, params))
        self.sharded = any(map(is_sharded, params))
        self.missing = [p for p, alive in zip(params, live, strict=True) if not alive]
        kinds: dict[Any, list[int]] = {}
        groups = [i for i, group in enumerate(optimizer.param_groups) for _ in group["params"]]
        for i, p in enumerate(self.locals):
            if live[i]:
                program = programs[groups[i]]
                engine = optimizer.engine_of(p, is_dense(p), program.elementwise)
                reach = self._reach(i, program) if self.sharded else None
                keys = tuple(program.shapes(p.shape))
                kinds.setdefault((program, p.dtype, p.device, engine, reach, keys), []).append(i)
        for (program, _, _, engine, reach, keys), index in kinds.items():
            self.members.append(self._member(program, engine, index, groups, reach, keys))
        self.slots = list(optimizer.state.values())

    def _reach(self, i: int, program: Program) -> distributed.Reach | None:
        name = self.optimizer.name_of(i)
        if is_sharded(self.params[i]) and not program.elementwise:
            owner = type(self.optimizer).__name__
            raise UserError(
                f"{name} is sharded, and {owner} works on whole tensors; replicate it, or use Adam"
            )
        return distributed.reach(self.params[i], name)

    def _member(
        self,
        program: Program,
        engine: Engine,
        index: list[int],
        groups: Sequence[int],
        reach: distributed.Reach | None,
        own: tuple[str, ...],
    ) -> Member:
        params = [self.locals[i] for i in index]
        keys = (*own, LOW_BITS) if is_low_precision(params[0]) else own
        slots = [self._slot(i, groups[i], program, keys) for i in index]
        states = [[local(slot[key]) for slot in slots] for key in keys]
        rows = np.zeros(len(params), dtype=np.int64)
        batch = Batch(program, params, [], states, rows, keys=own)
        kinds, numbers = list(map(_kind, params)), np.array([groups[i] for i in index])
        return Member(batch, engine, np.array(index), numbers, keys, slots, kinds, reach)

    def _slot(self, i: int, group: int, program: Program, keys: Sequence[str]) -> dict[str, Any]:
        """A parameter's state: begun where it has none, fitted to the parameter where that has changed."""
        optimizer, p = self.optimizer, self.params[i]
        slot: dict[str, Any] = optimizer.state[p]
        if any(slot.get(key) is None for key in ("step", *keys, *program.numbers)):
            found = {key: value for key, value in slot.items() if value is not None}
            slot.update({**optimizer.states_of(optimizer.param_groups[group], p), **found})
        shapes = program.shapes(p.shape)
        for key in keys:
            slot[key] = self._fitted(i, key, slot[key], shapes.get(key, tuple(p.shape)))
        self.counters.adopt(i, slot, program.numbers)
        return slot

    def _fitted(self, i: int, key: str, state: Tensor, shape: tuple[int, ...]) -> Tensor:
        p = self.params[i]
        dtype = torch.int16 if key == LOW_BITS else compute_dtype(p)
        if is_sharded(p) != is_sharded(state):
            raise UserError(
                f"the state {key} of {self.optimizer.name_of(i)} is not sharded as the parameter is"
            )
        if _kind(state) == (dtype, *_kind(p)[1:]) and local(state).shape == local(p).shape:
            return state
        if state.shape != shape:
            raise UserError(
                f"the state {key} of {self.optimizer.name_of(i)} has shape {tuple(state.shape)}, not "
                f"{shape}; after a change of size, delete its state: del optimizer.state[p]"
            )
        if shape != p.shape:
            return state.to(device=p.device, dtype=dtype)
        return torch.empty_like(p, dtype=dtype).copy_(state)

    def holds(self, params: Sequence[Tensor], state: Mapping[Tensor, Any]) -> bool:
        """True if the parameters and their states are still the same objects, of the same kinds."""
        return (
            _same(params, self.params)
            and (not self.sharded or _same(map(local, params), self.locals))
            and _same(state.values(), self.slots)
            and all(member.keeps() for member in self.members)
        )

    def read(self) -> bool:
        """Prepare a step natively, in microseconds; False if it has to be prepared from Python.

        That is so when a gradient has come or gone or lies in memory otherwise than its parameter, when a
        parameter's data was swapped, and where the fused engine does not run.
        """
        return all(p.grad is None for p in self.missing) and all(member.read() for member in self.members)

    def in_place(self) -> bool:
        """True unless a parameter's data was swapped for one of another kind."""
        return all(member.in_place() for member in self.members)

    def refresh(self, grads: Sequence[Tensor | None]) -> None:
        """Prepare a step from Python."""
        for member in self.members:
            found = [cast(Tensor, grads[i]) for i in member.places]
            if member.reach is not None:
                places = zip(member.places, found, strict=True)
                found = [
                    distributed.gradient(self.params[i], g, self.optimizer.name_of(i)) for i, g in places
                ]
            member.batch.grads, member.batch.arrays = self._fitting(member, found), None

    def begin(self) -> None:
        """What every step needs: rounding errors that still hold, and the scalars."""
        self.settle()
        for member in self.members:
            self._scalars(member)

    def _fitting(self, member: Member, grads: Sequence[Tensor]) -> list[Tensor]:
        """Gradients that lie in memory as their parameters do, copied where they do not."""
        return [
            g
            if (g.dtype, g.layout, g.stride(), g.shape) == (kind[0], torch.strided, *kind[1:3])
            else self._dense(member.places[k], member.batch.params[k], g)
            for k, (g, kind) in enumerate(zip(grads, member.kinds, strict=True))
        ]

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
        """One mapping of scalars for each distinct (group, step count, numbers), or for each tensor."""
        batch, groups, program = member.batch, self.optimizer.param_groups, member.batch.program
        counts = self.counters.steps.values[member.span]
        simple = not (program.numbers or program.by_tensor)
        if simple and (counts == counts[0]).all():
            batch.rows, t = member.group_rows, int(counts[0]) + 1
            batch.values = [_values(groups[i], t) for i in member.own_groups.tolist()]
            member.row_groups = member.own_groups.tolist()
            return
        numbers = [self.counters.numbers[key].values[member.span] for key in program.numbers]
        table = np.column_stack([member.groups, counts, *numbers])
        batch.rows = np.arange(len(table))
        if not program.by_tensor:
            table, batch.rows = np.unique(table, axis=0, return_inverse=True)
        member.row_groups = table[:, 0].astype(np.int64).tolist()
        batch.values = [
            {**_values(groups[int(group)], int(count) + 1), **dict(zip(program.numbers, own, strict=True))}
            for group, count, *own in table.tolist()
        ]

    def count(self, sums: Sequence[Sums]) -> None:
        """The step was taken: count it, and keep the new numbers."""
        for member, own in zip(self.members, sums, strict=True):
            if member.batch.program.numbers:
                self._carry(member, own)
            self.counters.steps.values[member.span] += 1
            if member.batch.split:
                self.counters.versions.update((i, self.params[i]._version) for i in member.index.tolist())

    def _carry(self, member: Member, sums: Sums) -> None:
        carried = member.batch.carried(sums)
        for key in member.batch.program.numbers:
            new = np.array([row[key] for row in carried])
            self.counters.numbers[key].values[member.span] = new[member.batch.rows]

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


def _values(group: Mapping[str, Any], t: int) -> dict[str, Any]:
    """The scalars that rules may ask for: the group's options, pairs taken apart, and the step's number."""
    return {**taken_apart(group), "lr": float(group["lr"]), "t": t}
