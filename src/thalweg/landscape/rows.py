"""Batches taken apart and put together along their first dimension, where the samples are."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_leaves, tree_map, tree_unflatten

from thalweg.errors import UserError
from thalweg.landscape.checks import a_kind
from thalweg.tasks.batches import Batch

__all__ = ["Parts", "join", "take"]


def take(batch: Batch, rows: Tensor) -> Batch:
    """Return the samples of a batch with the given row numbers, in that order.

    Raises:
        UserError: the batch is not made of tensors with one row a sample.

    >>> take({"x": torch.tensor([[1], [2], [3]]), "y": torch.tensor([4, 5, 6])}, torch.tensor([2, 0]))
    {'x': tensor([[3],
            [1]]), 'y': tensor([6, 4])}
    """
    _only_tensors([batch])
    return tree_map(lambda tensor: tensor[rows.to(tensor.device)], batch)


def join(batches: Sequence[Batch]) -> Batch:
    """Return one batch that holds the samples of several, in their order.

    Raises:
        UserError: the batches are not made of tensors with one row a sample, or are not alike.

    >>> join([(torch.tensor([1, 2]),), (torch.tensor([3]),)])
    (tensor([1, 2, 3]),)
    """
    columns = _only_tensors(batches)
    kinds = {tuple((tensor.shape[1:], tensor.dtype) for tensor in tensors) for tensors in columns}
    if len(kinds) > 1:
        raise UserError(
            "the batches cannot be joined, since their tensors differ in number, type or shape (beyond the "
            "number of rows); give samples of one shape"
        )
    _, form = tree_flatten(batches[0])
    return tree_unflatten([torch.cat(same) for same in zip(*columns, strict=True)], form)


def _only_tensors(batches: Sequence[Batch]) -> list[list[Tensor]]:
    """The tensors of each batch, after a check that their rows are the samples."""
    found = [tree_leaves(batch) for batch in batches]
    for leaves in found:
        others = [leaf for leaf in leaves if not isinstance(leaf, Tensor) or leaf.ndim == 0]
        if others or not leaves:
            raise UserError(
                f"a batch holds {_what(others)}, so it cannot be cut into smaller ones; give batches of a "
                "tensor, a tuple or a dict of tensors with one row a sample"
            )
        if len(lengths := {len(leaf) for leaf in leaves}) > 1:
            raise UserError(
                f"the tensors of a batch have {' and '.join(map(str, sorted(lengths)))} rows, so it cannot "
                "be cut into smaller ones; give tensors with one row a sample"
            )
    return found


def _what(leaves: list[Any]) -> str:
    if not leaves:
        return "nothing"
    return "a single number" if isinstance(leaves[0], Tensor) else a_kind(leaves[0])


class Parts:
    """Parts of batches as data of a surface, each made when it is read.

    Args:
        parts: batches, and the rows to take of each.
    """

    def __init__(self, parts: Sequence[tuple[Batch, Tensor]]) -> None:
        self.parts = parts

    def __iter__(self) -> Iterator[Batch]:
        return (take(batch, rows) for batch, rows in self.parts)
