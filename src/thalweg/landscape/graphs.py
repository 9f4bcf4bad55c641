"""The gradients of a loss with their graphs, piece by piece, in the memory of a training step.

A product with the Hessian is a pass backward through the graph of a gradient. That graph takes twice the
memory of a training step, and making it takes as long as the product itself. So a batch is cut into pieces
where the loss is the mean over its samples (which is verified, not believed), one piece at a time is worked
on by each thread, and the graphs of as many pieces are kept for the next product as take half of the memory
that a training step holds of its forward pass.
"""

import math
from collections.abc import Iterator, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_unflatten

from thalweg.errors import UserError
from thalweg.landscape.checks import require_any, require_graph, require_second_derivative
from thalweg.landscape.state import random_state
from thalweg.tasks.batches import Batch, samples

if TYPE_CHECKING:
    from thalweg.landscape.surface import Surface

PIECE = 8 * 2**20
"""A piece's graph takes about so many bytes: what is in work then stays in the caches."""
FEW = 4
"""A piece has at least so many samples."""
AWAY = 0.1
"""Whether the loss is a mean is tried at a point where each weight is another by about this share."""
FREE = 32 * 2**20
"""Bytes that nobody misses: graphs are kept up to them whatever a training step takes."""

UNFIT = (RuntimeError, ValueError, TypeError, LookupError, ArithmeticError, AssertionError, UserError)
"""What a model raises for a part of a batch or beside its point; an error of the whole comes again."""

Parts = Sequence[Tensor | None]


class Piece(NamedTuple):
    """A part of a batch: how many samples, the part itself, its batch's number, and its own."""

    samples: int
    part: Batch
    batch: int
    number: int


class Graphs:
    """The pieces' gradients with graphs, at the point where the model stands, inside `Surface.hold`.

    Pieces can be worked on side by side where `several` says so. The model and the loss run in one thread at
    a time even then, for they may leave something on the model for each other.

    Args:
        surface: whose.

    Attributes:
        allowance: so many bytes may be kept from product to product.
        model: held while the model and the loss run.
    """

    def __init__(self, surface: "Surface") -> None:
        self._surface = surface
        self._kept: dict[int, Parts] = {}
        self._versions: list[int] = []
        self._pieces, self._room = 0, 0
        self._seen = 0
        self.allowance = FREE
        self.model = Lock()

    def several(self) -> bool:
        """Whether the batches are taken in pieces, of which more than one can be in work."""
        if not self._pieces:
            n, batch = next(self._surface.batches())
            self._decide(batch, n)
        return self._pieces > 1

    def __iter__(self) -> Iterator[Piece]:
        """Yield the pieces, the same in the same order each time; `several` comes first."""
        versions = [parameter._version for parameter in self._surface.parameters]
        if versions != self._versions:  # the model has been elsewhere since
            self._versions = versions
            self.clear()
        number = 0
        for b, (n, batch) in enumerate(self._surface.batches()):
            for part in cut(batch, n, self._pieces):
                yield Piece(samples(part), part, b, number)
                number += 1
        self._seen = number

    @property
    def complete(self) -> bool:
        """Whether the graphs of all pieces fit, of the first batch before all were seen."""
        return max(self._pieces, self._seen) <= self._room

    def slopes(self, piece: Piece, keep: bool) -> tuple[Parts, bool]:
        """Return a piece's gradient with its graph, and whether it is kept for the next product."""
        found = self._kept.get(piece.number)
        if found is not None:
            return found, True
        with self.model, torch.enable_grad():
            loss = self._surface.batch_loss(piece.part, piece.batch)
        require_graph(loss)
        found = torch.autograd.grad(loss, self._surface.parameters, create_graph=True, allow_unused=True)
        if piece.number >= self._room or not keep:
            return found, False
        self._kept[piece.number] = found
        return found, True

    def clear(self) -> None:
        """Let go of all graphs."""
        self._kept.clear()

    def _decide(self, batch: Batch, n: int) -> None:
        """Choose the number of pieces and how many graphs are kept, by a few samples of the first batch."""
        few = -(-n // FEW) if _can_be_cut(batch, n) else 1
        try:
            measured = self._measured(next(cut(batch, n, few)))
        except UNFIT:  # such as of a model for batches of one size
            few, measured = 1, self._measured(batch)
        forward, whole = (size * few for size in measured)
        self.allowance = max(FREE, forward // 2)
        if whole <= FREE:
            self._pieces, self._room = 1, FREE // max(1, whole)
            return
        pieces = min(few, -(-whole // PIECE))
        if pieces > 1 and self._is_mean(pieces):
            self._pieces, self._room = pieces, forward * pieces // (2 * whole)
        else:
            self._pieces = 1

    def _measured(self, piece: Batch) -> tuple[int, int]:
        """Return the bytes that a piece's loss holds for its gradient, and its gradient for a product."""
        surface = self._surface
        own = {tensor.untyped_storage().data_ptr() for tensor in surface.parameters}
        own |= {leaf.untyped_storage().data_ptr() for leaf in tree_flatten(piece)[0] if _is_dense(leaf)}
        seen: dict[int, int] = {}

        def note(tensor: Tensor) -> Tensor:
            if _is_dense(tensor) and (address := tensor.untyped_storage().data_ptr()) not in own:
                seen[address] = tensor.untyped_storage().nbytes()
            return tensor.detach()  # the tensor itself would hold its own graph in a cycle

        with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            loss = surface.batch_loss(piece)
            require_graph(loss)
            forward = sum(seen.values())
            slopes = torch.autograd.grad(loss, surface.parameters, create_graph=True, allow_unused=True)
            require_any(slopes)
            require_second_derivative(slopes)
        return forward, sum(seen.values())

    def _is_mean(self, pieces: int) -> bool:
        """Whether each batch's loss is the mean of its pieces' losses, at the point and beside it.

        Not so with batch statistics, weights of classes, padding that does not count, or random numbers. At
        the point itself a head of zeros would hide it: all samples have the same loss. Beside it a kink of
        the whole batch's loss would be missed on which the point lies.
        """
        return all(self._adds_up_at(at, pieces) for at in (None, _away(self._surface)))

    def _adds_up_at(self, at: Tensor | None, pieces: int) -> bool:
        with torch.no_grad(), self._surface.standing(at):
            try:
                return all(self._adds_up(batch, n, pieces) for n, batch in self._surface.batches())
            except UNFIT:
                return False

    def _adds_up(self, batch: Batch, n: int, pieces: int) -> bool:
        before = random_state()
        whole = float(self._surface.batch_loss(batch))
        if not _can_be_cut(batch, n) or random_state() != before:
            return False
        losses = [samples(part) * float(self._surface.batch_loss(part)) for part in cut(batch, n, pieces)]
        mean = sum(losses) / n
        return abs(mean - whole) <= 64 * torch.finfo(self._surface.dtype).eps * max(abs(whole), abs(mean))


def _away(surface: "Surface") -> Tensor:
    """A point beside that of the model, in all coordinates."""
    point, generator = surface.point(), torch.Generator().manual_seed(0)
    everywhere = _size(point) or 1.0
    for part in surface.split(point).values():
        noise = torch.randn(part.shape, generator=generator).to(part)
        part.add_(noise, alpha=AWAY * (_size(part) or everywhere))
    return point


def _size(values: Tensor) -> float:
    """The root mean square."""
    return float(values.norm()) / math.sqrt(max(1, values.numel()))


def cut(batch: Batch, n: int, pieces: int) -> Iterator[Batch]:
    """Yield a batch in so many pieces along the first dimension of its tensors."""
    if pieces == 1:
        yield batch
        return
    leaves, form = tree_flatten(batch)
    size = -(-n // pieces)
    for start in range(0, n, size):
        yield tree_unflatten([leaf[start : start + size] for leaf in leaves], form)


def _can_be_cut(batch: Batch, n: int) -> bool:
    leaves, _ = tree_flatten(batch)
    return all(_is_dense(leaf) and leaf.ndim > 0 and len(leaf) == n for leaf in leaves)


def _is_dense(value: Any) -> bool:
    return isinstance(value, Tensor) and value.layout == torch.strided
