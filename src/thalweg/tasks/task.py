"""A task: what a race trains - a model, its data, its loss and the metric that counts."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, SupportsIndex

import torch
from torch import Tensor, nn

from thalweg.errors import UserError
from thalweg.tasks import batches
from thalweg.tasks.batches import Batch, Data
from thalweg.tasks.evaluate import evaluate

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True, eq=False)
class Task:
    """What to train: a model's factory, data, a loss and a metric.

    Attributes:
        name: what to call it, such as ``"fashion-mlp"``.
        model: returns a new model; called after the random generators were seeded.
        train: a tuple of tensors with equal first dimension (the fastest: no loader between the data and the
            model), a map-style ``Dataset``, or a ``DataLoader``, which keeps its own batch size.
        valid: the same kinds; by it recipes are chosen.
        test: the same kinds; only the finalists are measured on it.
        loss: ``loss(model, batch)``, the mean over the batch, a scalar tensor to differentiate.
        metric: ``metric(model, batch)``, the mean over the batch, a scalar.
        batch_size: samples in a training batch. The last, incomplete batch of an epoch is dropped.
        eval_batch_size: samples in a batch of an evaluation, where no sample is dropped.
        metric_name: what to call the metric in tables.
        higher_is_better: whether a larger metric is better.
        epochs: length of a full run where the budget allows it.
        description: one line for ``thalweg tasks``.
        source: the name or absolute path to load the task from again; set by `thalweg.tasks.load`.
        file_hash: sha256 of the file's content; set by `thalweg.tasks.load`.

    Raises:
        UserError: a field has the wrong type or range, or a split holds no data or unequal lengths.
    """

    name: str
    model: Callable[[], nn.Module] = field(repr=False)
    train: Data = field(repr=False)
    valid: Data = field(repr=False)
    test: Data = field(repr=False)
    loss: Callable[[nn.Module, Batch], Tensor] = field(repr=False)
    metric: Callable[[nn.Module, Batch], Tensor] = field(repr=False)
    batch_size: int = 128
    eval_batch_size: int = 1000
    metric_name: str = "accuracy"
    higher_is_better: bool = True
    epochs: float = 10
    description: str = ""
    source: str = ""
    file_hash: str = ""

    def __post_init__(self) -> None:
        self._check_fields()
        for split in SPLITS:
            object.__setattr__(self, split, batches.normalise(getattr(self, split), split))

    def _check_fields(self) -> None:
        for key in ("name", "metric_name"):
            value = getattr(self, key)
            if not (isinstance(value, str) and value.strip() and "\n" not in value):
                raise UserError(f"{key} is {value!r}; it must be a short text")
        for key, arguments in (("model", ""), ("loss", "model, batch"), ("metric", "model, batch")):
            self._check_callable(key, arguments)
        for key in ("batch_size", "eval_batch_size"):
            value = getattr(self, key)
            if not (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
                raise UserError(f"{key} is {value!r}; it must be a whole number of at least 1")
        if not isinstance(self.epochs, int | float) or not 0 < self.epochs < float("inf"):
            raise UserError(f"epochs is {self.epochs!r}; it must be a number above 0")
        if not isinstance(self.higher_is_better, bool):
            raise UserError(f"higher_is_better is {self.higher_is_better!r}; it must be True or False")

    def _check_callable(self, key: str, arguments: str) -> None:
        value = getattr(self, key)
        if isinstance(value, nn.Module) and key == "model":
            raise UserError(
                "model is a model; give a function that makes a new one, since every run starts afresh: "
                f"model=lambda: {type(value).__name__}(...)"
            )
        if not callable(value):
            raise UserError(f"{key} is {value!r}; it must be a function {key}({arguments})")

    def data(self, split: str) -> Data:
        """Return the data of ``"train"``, ``"valid"`` or ``"test"``."""
        if split not in SPLITS:
            raise UserError(f"no split called {split!r}; choose one of {', '.join(SPLITS)}")
        value: Data = getattr(self, split)
        return value

    def size(self, split: str) -> int:
        """Return the number of samples in a split."""
        return batches.size(self.data(split))

    @cached_property
    def steps_per_epoch(self) -> int:
        """How many training batches an epoch has: whole ones only, but at least one."""
        return batches.steps_per_epoch(self.train, self.batch_size)

    @property
    def full_steps(self) -> int:
        """How many steps a full run has: `epochs` times `steps_per_epoch`, rounded, at least one."""
        return max(1, round(self.epochs * self.steps_per_epoch))

    @cached_property
    def hash(self) -> str:
        """sha256, in hex, of the file's content and of the data: equal for the same task on the same data."""
        digest = hashlib.sha256(self.file_hash.encode())
        for split in SPLITS:
            digest.update(batches.fingerprint(getattr(self, split)))
        return digest.hexdigest()

    def train_batches(self, seed: int, device: torch.device | str = "cpu") -> Iterator[Batch]:
        """Yield training batches without end, in a new order each epoch, drawn from `seed` alone.

        Each epoch visits every sample at most once: what does not fill a last batch is left out, and another
        epoch leaves out other samples. The order does not depend on the device, nor on torch's global
        generator, nor does it disturb that generator. See `thalweg.tasks.batches` for a ``DataLoader``.
        """
        return batches.train(self.train, self.batch_size, seed, torch.device(device), self._resident)

    def eval_batches(
        self, split: str, device: torch.device | str = "cpu", limit: int | None = None
    ) -> Iterator[Batch]:
        """Yield a split's batches once, in a fixed order, every sample or about the first `limit`."""
        data = self.data(split)
        if split == "train":
            data = batches.in_order(data, self.eval_batch_size)
        return batches.evaluation(data, self.eval_batch_size, torch.device(device), limit, self._resident)

    def evaluate(
        self, model: nn.Module, split: str, device: torch.device | str = "cpu", limit: int | None = None
    ) -> tuple[float, float]:
        """Return the mean loss and metric of `model` over a split, each batch weighted by its samples.

        The model is put in evaluation mode and back, no gradient is recorded, and the global generators
        are left as they were, so that looking at a model does not change its training. Where loss and metric
        call the model on the same tensor, it runs once.

        Args:
            model: the model, already on `device`.
            split: ``"train"``, ``"valid"`` or ``"test"``.
            device: where the batches go.
            limit: use about this many samples, the first ones, instead of all.
        """
        data = self.eval_batches(split, device, limit)
        return evaluate(model, data, self.loss, self.metric, torch.device(device))

    @cached_property
    def _resident(self) -> dict[Any, tuple[Tensor, ...]]:
        """Tensors already copied to a device, so that a race copies them once."""
        return {}

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple[Any, ...]:
        """Travel to another process by reference where a file is known; its functions cannot be pickled."""
        if not self.source:
            return super().__reduce_ex__(protocol)
        return _reload, (self.source, self.file_hash)


def _reload(source: str, file_hash: str) -> Task:
    from thalweg.tasks.load import load

    task = load(source)
    if task.file_hash != file_hash:
        raise UserError(f"{source} has changed since it was first loaded; start again")
    return task
