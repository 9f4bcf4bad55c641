"""Sharded parameters (DTensor, FSDP2): engines run on a process's own shards, totals span the mesh."""

import sys
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from thalweg.errors import UserError

__all__ = ["gradient", "is_sharded", "local", "reach", "summed"]

Reach = tuple[Any, tuple[int, ...]]  # a device mesh, and its dimensions over which a tensor is split


def is_sharded(tensor: Any) -> bool:
    """True for a DTensor; without torch's module for them there are none, and it is not imported for this."""
    module = sys.modules.get("torch.distributed.tensor")
    return module is not None and isinstance(tensor, module.DTensor)


def local(tensor: Any) -> Any:
    """The part of a tensor that this process holds, always the same object; a plain tensor is its own."""
    return tensor._local_tensor if is_sharded(tensor) else tensor


def reach(p: Any, name: str) -> Reach | None:
    """Where the parts of a parameter are; None for a plain tensor.

    Raises:
        UserError: the parameter is a partial sum: no process holds its value.
    """
    if not is_sharded(p):
        return None
    if any(placement.is_partial() for placement in p.placements):
        raise UserError(f"{name} is a DTensor with placements {p.placements}; redistribute it first")
    return p.device_mesh, tuple(i for i, placement in enumerate(p.placements) if not placement.is_replicate())


def gradient(p: Any, g: Any, name: str) -> Tensor:
    """The part of a gradient that belongs to this process's part of the parameter.

    Raises:
        UserError: the gradient is not distributed.
    """
    if not is_sharded(g):
        raise UserError(f"{name} is a DTensor, its gradient is not; make the gradient a DTensor too")
    if g.placements != p.placements:
        g = g.redistribute(placements=p.placements)
    part = g._local_tensor
    whole: Tensor = part.wait() if hasattr(part, "wait") else part  # a collective that is still under way
    return whole


def summed(sums: Sequence[float], where: Reach) -> list[float]:
    """Each tensor's sum over all processes that hold a part of it; every process gets the same."""
    mesh, dimensions = where
    total = torch.tensor(sums, dtype=torch.float64, device=mesh.device_type)
    for dimension in dimensions:
        torch.distributed.all_reduce(total, group=mesh.get_group(dimension))
    return [float(x) for x in total.tolist()]
