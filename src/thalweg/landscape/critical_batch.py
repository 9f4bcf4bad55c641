"""How large a batch still trains as well by sample, measured by training from where the model stands."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import Any, Literal

import torch
from torch import Tensor
from torch.optim import ASGD, SGD, Optimizer

from thalweg import optim
from thalweg.engine.options import check_value
from thalweg.errors import UserError
from thalweg.landscape.interrupted import Interrupted
from thalweg.landscape.plain import as_dict
from thalweg.landscape.progress import progress
from thalweg.landscape.rows import Parts, join, take
from thalweg.landscape.state import seed_all
from thalweg.landscape.surface import Surface
from thalweg.landscape.training import check_optimizer, step
from thalweg.regularize.checks import whole
from thalweg.schedules import linear_scaling, sqrt_scaling
from thalweg.tasks.batches import Batch, to_device
from thalweg.tasks.batches import samples as size_of

__all__ = ["CriticalBatch", "critical_batch"]

Scaling = Literal["linear", "sqrt"]

SCALINGS = {"linear": linear_scaling, "sqrt": sqrt_scaling}
LINEAR = (
    SGD,
    ASGD,
    optim.SGD,
    optim.ASGD,
    optim.SGDHD,
    optim.Momentum,
    optim.Nesterov,
    optim.GradientDescent,
)
"""Whose steps are proportional to the gradient."""
HELD_OUT = 5
"""One sample in so many is not trained on, and the branches are compared on these."""


@dataclass(frozen=True)
class CriticalBatch:
    """What `critical_batch` measured.

    Attributes:
        batches: the batch sizes of the branches.
        losses: on the samples that were held out, at the end of each branch, (repeats, branches); infinite
            where it diverged, NaN where it was not run.
        value: the largest batch up to which no branch lost more than the tolerance, in the mean; None where
            the smallest diverged or did not make as much progress as the tolerance.
        low: the largest batch of which that is sure, by 95 % intervals; None with the value.
        high: the largest batch that could be it; None where that is not known, since no batch is surely too
            large.
        start: the loss before.
        samples: on how many each branch was trained.
        tolerance: the loss that a branch may lose against the smallest batch.
        scaling: how the learning rate grew with the batch, "linear" or "sqrt".
    """

    batches: tuple[int, ...]
    losses: Tensor
    value: int | None
    low: int | None
    high: int | None
    start: float
    samples: int
    tolerance: float
    scaling: Scaling

    def describe(self) -> str:
        """Say what was found, in a sentence or two."""
        end, first = float(self.losses[:, 0].nanmean()), self.batches[0]
        after = f"after the same {self.samples:,} samples"
        if _tried(self.losses) < 2:
            return "No critical batch: stopped before two batch sizes were compared."
        if math.isinf(end):
            return f"No critical batch: training diverges with batches of {first}; lower the learning rate."
        moved = f"with batches of {first:,} the loss went from {self.start:.4g} to {end:.4g}"
        if self.value is None:
            return (
                f"The critical batch cannot be told: {moved} {after}, and standing still would be within the "
                f"tolerance of {self.tolerance:g}. Give more samples or a smaller tolerance."
            )
        scaled = "linear" if self.scaling == "linear" else "square-root"
        return (
            f"The critical batch is {self._found()}: up to it, training loses at most {self.tolerance:g} "
            f"against batches of {first:,} {after} ({scaled} scaling of the learning rate); {moved}."
        )

    def _found(self) -> str:
        if self.value == self.batches[_tried(self.losses) - 1]:
            return f"{self.value:,}, the largest tried, or more (95 % interval: {self.low:,} or more)"
        most = f"{self.low:,} or more" if self.high is None else f"{self.low:,} to {self.high:,}"
        return f"{self.value:,} (95 % interval: {most})"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain numbers and lists; None stands for a loss that is not finite."""
        return as_dict(self)


def critical_batch(
    surface: Surface,
    optimizer: Optimizer,
    batches: Sequence[int],
    samples: int | None = None,
    *,
    repeats: int = 3,
    tolerance: float = 0.01,
    scaling: Scaling | None = None,
    seed: int = 0,
) -> CriticalBatch:
    r"""Measure the critical batch size directly: train on from here with larger and larger batches.

    From the model and the optimizer as they stand, one branch for each batch size B trains on the same
    samples in the same order, with the learning rate scaled to it:

    .. math:: η_B = \frac{B}{B_0} η \; \text{(SGD)}, \qquad η_B = \sqrt{\frac{B}{B_0}} \, η \; \text{(else)}

    The critical batch is the largest B such that every branch up to it ends with

    .. math:: L_B ≤ L_{B_0} + ε

    Source: Merrill et al. 2025 (arXiv 2505.23971, section 3.1, branched training). Differences: there, L is
    the smoothed loss of training and here that of a fifth of the samples, on which no branch is trained; the
    branches are repeated with other orders of the samples, and Student's t gives an interval from the paired
    differences. Adam's betas stay as they are, as there.

    Afterwards model, gradients, optimizer and random generators are bit for bit as before. Modules stay in
    the mode they are in: call ``model.train()`` first.

    Args:
        surface: the model, the loss and the samples: its batches are joined and cut anew along the first
            dimension, so they are tensors or tuples or dictionaries of tensors with one row a sample.
        optimizer: of the model's parameters, with the learning rate η for the first of `batches`.
        batches: two sizes or more, ascending, each a divisor of the largest; the first is B_0.
        samples: on how many each branch trains, rounded down to full batches of the largest; by default those
            not held out, once.
        repeats: how often, each with an order of its own. With one there is no interval.
        tolerance: ε, in units of the loss. The paper takes 0.01 for a cross-entropy of about 2.6.
        scaling: "linear" or "sqrt"; by default linear for SGD with its relatives, and sqrt for all others.
        seed: of which samples are held out, the orders, and dropout.

    Raises:
        UserError: an option is out of its range, the batches of the surface cannot be cut, or the optimizer
            has no learning rate or holds other parameters than the model's.
        Interrupted: Ctrl-C; `partial` has the branches so far.
    """
    sizes = _checked_sizes(batches)
    whole("critical_batch", "repeats", repeats, 1)
    whole("critical_batch", "seed", seed, 0)
    check_value("critical_batch", "tolerance", tolerance, "(0, inf)")
    check_optimizer("critical_batch", surface, optimizer)
    if scaling not in (None, *SCALINGS):
        raise UserError(f"critical_batch: scaling is {scaling!r}; it must be 'linear' or 'sqrt'")
    scaling = scaling or ("linear" if isinstance(optimizer, LINEAR) else "sqrt")
    with surface.hold(optimizer):
        run = _Branches(surface, optimizer, sizes, samples, scaling, seed)
    losses = torch.full((repeats, len(sizes)), torch.nan, dtype=torch.float64)

    def result() -> CriticalBatch:
        verdict = _verdict(sizes, losses, run.start, tolerance)
        return CriticalBatch(sizes, losses, *verdict, run.start, run.samples, tolerance, scaling)

    try:
        with progress("critical batch", repeats * sum(run.samples // size for size in sizes)) as advance:
            for repeat in range(repeats):
                for branch, size in enumerate(sizes):
                    losses[repeat, branch] = run.loss_after(size, seed + repeat, advance)
    except KeyboardInterrupt as stop:
        raise Interrupted(result()) from stop
    return result()


class _Branches:
    """The samples, those held out, and training from one state; made and used inside `Surface.hold`."""

    def __init__(
        self,
        surface: Surface,
        optimizer: Optimizer,
        sizes: tuple[int, ...],
        samples: int | None,
        scaling: Scaling,
        seed: int,
    ) -> None:
        self.surface, self.optimizer, self.base, self.scaling = surface, optimizer, sizes[0], scaling
        batches = [to_device(batch, torch.device("cpu")) for _, batch in surface.batches()]
        self.data: Batch = join(batches)
        order = torch.randperm(size_of(self.data), generator=torch.Generator().manual_seed(seed))
        held, self.rows = order.tensor_split([len(order) // HELD_OUT])
        self.samples = _checked_samples(samples, len(order), len(self.rows), sizes[-1])
        parts = torch.split(held, max(map(size_of, batches)))
        self.held_out = Surface(
            surface.model, surface.terms, Parts([(self.data, rows) for rows in parts]), seed=surface.seed
        )
        self.start = self.held_out.value()

    def loss_after(self, size: int, seed: int, advance: Callable[[], None]) -> float:
        """Return the loss on what is held out after a branch with batches of this size."""
        with self.surface.hold(self.optimizer):
            seed_all(seed)
            for group in self.optimizer.param_groups:
                group["lr"] = group["lr"] * SCALINGS[self.scaling](1.0, reference=self.base, batch=size)
            if not self._train(size, seed, advance):
                return math.inf
            loss = self.held_out.value(self.surface.point())
        return loss if math.isfinite(loss) else math.inf

    def _train(self, size: int, seed: int, advance: Callable[[], None]) -> bool:
        """Train until the samples are used, or return False where training diverges."""
        for rows in torch.split(self._order(seed), size):
            try:
                loss = step(
                    self.surface, self.optimizer, to_device(take(self.data, rows), self.surface.device)
                )
            except FloatingPointError:  # the optimizer's own guard against gradients that are not finite
                return False
            if not math.isfinite(loss):
                return False
            advance()
        return True

    def _order(self, seed: int) -> Tensor:
        """The samples to train on, one pass after another, each in a new order."""
        generator = torch.Generator().manual_seed(seed)
        passes = -(-self.samples // len(self.rows))
        orders = [self.rows[torch.randperm(len(self.rows), generator=generator)] for _ in range(passes)]
        return torch.cat(orders)[: self.samples]


def _checked_sizes(batches: Sequence[int]) -> tuple[int, ...]:
    if not isinstance(batches, Sequence):
        raise UserError(f"critical_batch: batches is {batches!r}; give several sizes, such as (16, 32, 64)")
    sizes = tuple(whole("critical_batch", "a batch size", size, 1) for size in batches)
    if len(sizes) < 2 or any(b <= a for a, b in pairwise(sizes)) or any(sizes[-1] % size for size in sizes):
        raise UserError(
            f"critical_batch: batches are {sizes}; give two sizes or more, ascending, each a divisor of the "
            "largest, such as (16, 32, 64)"
        )
    return sizes


def _checked_samples(samples: int | None, there: int, to_train_on: int, largest: int) -> int:
    if there < HELD_OUT:
        raise UserError(
            f"critical_batch: the data are {there} samples; give {HELD_OUT} or more, since one in "
            f"{HELD_OUT} is held out"
        )
    if to_train_on < largest:
        raise UserError(
            f"critical_batch: of {there} samples {to_train_on} are to train on, fewer than the largest batch "
            f"of {largest}; give more data or smaller batches"
        )
    if samples is not None:
        whole("critical_batch", "samples", samples, largest)
    return (samples or to_train_on) // largest * largest


def _verdict(
    sizes: tuple[int, ...], losses: Tensor, start: float, tolerance: float
) -> tuple[int | None, int | None, int | None]:
    """Return the critical batch with its interval: sizes are judged in turn, up to the first that fails."""
    losses = losses[:, : _tried(losses)]
    over = [_interval(column - losses[:, 0]) for column in losses.T[1:]]
    if not over or not start - float(losses[:, 0].nanmean()) >= tolerance:
        return None, None, None
    seen = sum(1 for _ in takewhile(lambda of: of[1] <= tolerance, over))
    sure = sum(1 for _ in takewhile(lambda of: of[2] <= tolerance, over))
    could = sum(1 for _ in takewhile(lambda of: not of[0] > tolerance, over))
    return sizes[seen], sizes[sure], sizes[could] if could < len(over) else None


def _tried(losses: Tensor) -> int:
    """How many branches were run at all: the others are NaN after Ctrl-C."""
    return int((~losses.isnan()).any(dim=0).sum())


def _interval(over: Tensor) -> tuple[float, float, float]:
    """Student's interval of the mean with the mean in the middle; NaN are left out."""
    from scipy.special import stdtrit

    over = over[~over.isnan()]
    mean = float(over.mean())
    if len(over) < 2 or not math.isfinite(mean):
        lost = len(over) > 1 and bool(over.isinf().all())
        return math.inf if lost else -math.inf, mean, math.inf
    half = float(stdtrit(len(over) - 1, 0.975)) * float(over.std()) / len(over) ** 0.5
    return mean - half, mean, mean + half
