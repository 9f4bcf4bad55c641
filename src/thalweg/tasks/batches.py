"""Batches from tensors, datasets and loaders; the order of training batches follows from a seed alone.

- **Tensors** are indexed directly: one ``index_select`` a tensor and step. They are copied to another device
  once where they take less than `RESIDENT` bytes, batch by batch otherwise.
- **A map-style Dataset** is indexed sample by sample and collated as a ``DataLoader`` would. What it draws
  itself (augmentation) comes from the global generators, which a run seeds.
- **A DataLoader** keeps its batch size, workers and collation. Its generator and its sampler's are replaced
  by one that is seeded anew each epoch from the seed and the epoch, and a sampler with ``set_epoch`` is told
  an epoch drawn likewise; so equal seeds see equal batches whatever else happens. Only a sampler of your own
  that draws from a global generator escapes this.
"""

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset, default_collate

from thalweg.errors import UserError

Batch = Any
"""What a loss receives: a tuple of tensors, or what the user's dataset or loader collates."""

Data = tuple[Tensor, ...] | Dataset[Any] | DataLoader[Any]

RESIDENT = 2**31
"""Tensors of up to so many bytes in a split are kept on the device as a whole."""

_Cache = dict[Any, tuple[Tensor, ...]]


def normalise(data: Any, split: str) -> Data:
    """Return the data in one of the three forms, or raise a `UserError` that names the split."""
    if isinstance(data, TensorDataset):
        data = data.tensors
    if isinstance(data, list | tuple):
        return _checked_tensors(tuple(data), split)
    if isinstance(data, DataLoader):
        _check_length(data.dataset, f"{split}: a DataLoader")
        return data
    if isinstance(data, Dataset):
        _check_length(data, f"{split}: {_article(type(data).__name__)}")
        return data
    raise UserError(
        f"{split} is {_article(type(data).__name__)}; give a tuple of tensors such as (images, labels), "
        "a torch Dataset or a DataLoader"
    )


def _checked_tensors(tensors: tuple[Any, ...], split: str) -> tuple[Tensor, ...]:
    for i, tensor in enumerate(tensors):
        if not isinstance(tensor, Tensor):
            raise UserError(
                f"{split}: element {i} of the tuple is {_article(type(tensor).__name__)}; give tensors "
                "(torch.as_tensor makes one of an array)"
            )
        if tensor.ndim == 0:
            raise UserError(f"{split}: element {i} of the tuple is a single number; its rows are the samples")
    lengths = [len(tensor) for tensor in tensors]
    if len(set(lengths)) > 1:
        raise UserError(f"{split}: the tensors have {_and(lengths)} rows; they must be as many")
    if not tensors or lengths[0] == 0:
        raise UserError(f"{split} holds no samples")
    return tensors


def _check_length(dataset: Any, what: str) -> None:
    if isinstance(dataset, IterableDataset) or not hasattr(dataset, "__len__"):
        raise UserError(f"{what} without a length cannot be raced; give a map-style Dataset (with __len__)")
    if len(dataset) == 0:
        raise UserError(f"{what} holds no samples")


def _article(name: str) -> str:
    if name == "NoneType":
        return "None"
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _and(values: Sequence[object]) -> str:
    texts = [str(value) for value in values]
    return f"{', '.join(texts[:-1])} and {texts[-1]}"


def size(data: Data) -> int:
    """Return the number of samples."""
    if isinstance(data, tuple):
        return len(data[0])
    return len(data.dataset if isinstance(data, DataLoader) else data)  # type: ignore[arg-type]


def steps_per_epoch(data: Data, batch_size: int) -> int:
    """Return the number of training batches in an epoch; fewer samples than a batch still make one."""
    if isinstance(data, DataLoader):
        return len(data)
    return max(1, size(data) // batch_size)


def fingerprint(data: Data) -> bytes:
    """Return a digest of the tensors' content, or of the kind and length of a dataset or loader."""
    digest = hashlib.sha256()
    if not isinstance(data, tuple):
        dataset = data.dataset if isinstance(data, DataLoader) else data
        digest.update(f"{type(dataset).__qualname__} {size(data)}".encode())
        return digest.digest()
    for tensor in data:
        plain = tensor.detach().cpu().contiguous()
        digest.update(f"{plain.dtype} {tuple(plain.shape)}".encode())
        digest.update(plain.reshape(-1).view(torch.uint8).numpy().data)
    return digest.digest()


def stream_seed(seed: int, epoch: int = 0) -> int:
    """Return a seed for the data order, unrelated to what the same seed gives a model's initialization."""
    digest = hashlib.sha256(f"thalweg data order {seed} {epoch}".encode()).digest()
    return int.from_bytes(digest[:7], "little")


def train(
    data: Data, batch_size: int, seed: int, device: torch.device, cache: _Cache | None = None
) -> Iterator[Batch]:
    """Yield training batches without end; the order follows from `seed`."""
    if isinstance(data, DataLoader):
        yield from _train_from_loader(data, seed, device)
        return
    tensors = _resident(data, device, cache) if isinstance(data, tuple) else None
    batch_size = min(batch_size, size(data))
    generator = torch.Generator().manual_seed(stream_seed(seed))
    while True:
        order = torch.randperm(size(data), generator=generator)
        chosen = order if tensors is None else order.to(tensors[0].device)
        for start in range(0, len(order) - batch_size + 1, batch_size):
            rows = chosen[start : start + batch_size]
            if tensors is None:
                yield to_device(_collated(data, rows.tolist()), device)
            else:
                yield to_device(tuple(tensor.index_select(0, rows) for tensor in tensors), device)


def _train_from_loader(loader: DataLoader[Any], seed: int, device: torch.device) -> Iterator[Batch]:
    for epoch in count():
        _seed_loader(loader, seed, epoch)
        empty = True
        for batch in loader:
            empty = False
            yield to_device(batch, device)
        if empty:
            raise UserError(
                "train: the DataLoader yields no batch; its batch_size exceeds its data (drop_last)"
            )


def _seed_loader(loader: DataLoader[Any], seed: int, epoch: int) -> None:
    generator = torch.Generator().manual_seed(stream_seed(seed, epoch))
    loader.generator = generator
    batch_sampler: Any = loader.batch_sampler
    samplers: tuple[Any, ...] = (loader.sampler, batch_sampler, getattr(batch_sampler, "sampler", None))
    for sampler in samplers:
        if hasattr(sampler, "generator"):
            sampler.generator = generator
        if hasattr(sampler, "set_epoch"):
            sampler.set_epoch(stream_seed(seed, epoch) % 2**31)


def in_order(data: Data, batch_size: int) -> Data:
    """Return training data for an evaluation: not through its loader, whose order belongs to training."""
    if not isinstance(data, DataLoader):
        return data
    return DataLoader(data.dataset, batch_size, collate_fn=data.collate_fn)


def evaluation(
    data: Data, batch_size: int, device: torch.device, limit: int | None = None, cache: _Cache | None = None
) -> Iterator[Batch]:
    """Yield batches in a fixed order, the last one short; stop after `limit` samples where given."""
    if isinstance(data, DataLoader):
        yield from _evaluation_from_loader(data, device, limit)
        return
    end = size(data) if limit is None else min(limit, size(data))
    tensors = _resident(data, device, cache) if isinstance(data, tuple) else None
    for start in range(0, end, batch_size):
        stop = min(start + batch_size, end)
        if tensors is None:
            yield to_device(_collated(data, range(start, stop)), device)
        else:
            yield to_device(tuple(tensor[start:stop] for tensor in tensors), device)


def _evaluation_from_loader(
    loader: DataLoader[Any], device: torch.device, limit: int | None
) -> Iterator[Batch]:
    """Yield whole batches, until `limit` samples are reached: a loader's batch cannot be cut in general."""
    seen = 0
    for batch in loader:
        yield to_device(batch, device)
        seen += samples(batch) if limit is not None else 0
        if limit is not None and seen >= limit:
            return


def _collated(data: Any, rows: Sequence[int]) -> Batch:
    if hasattr(data, "__getitems__"):
        return default_collate(data.__getitems__(list(rows)))
    return default_collate([data[row] for row in rows])


def _resident(data: tuple[Tensor, ...], device: torch.device, cache: _Cache | None) -> tuple[Tensor, ...]:
    """Return the tensors on the device, copied once, where they are small enough to stay there."""
    if all(tensor.device == device for tensor in data) or sum(t.nbytes for t in data) > RESIDENT:
        return data
    cache = {} if cache is None else cache
    key = (id(data), device)
    if key not in cache:
        cache[key] = tuple(tensor.to(device) for tensor in data)
    return cache[key]


def to_device(batch: Batch, device: torch.device) -> Batch:
    """Return the batch with every tensor in it on `device`, however tuples, lists and mappings are nested."""
    if isinstance(batch, Tensor):
        return batch.to(device, non_blocking=True)
    if isinstance(batch, Mapping):
        return {key: to_device(value, device) for key, value in batch.items()}
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(to_device(value, device) for value in batch))
    if isinstance(batch, list | tuple):
        return type(batch)(to_device(value, device) for value in batch)
    return batch.to(device) if hasattr(batch, "to") else batch


def tensors_in(batch: Batch) -> Iterator[Tensor]:
    """Yield the tensors of a batch, depth first."""
    if isinstance(batch, Tensor):
        yield batch
    elif isinstance(batch, Mapping):
        for value in batch.values():
            yield from tensors_in(value)
    elif isinstance(batch, list | tuple):
        for value in batch:
            yield from tensors_in(value)


def samples(batch: Batch) -> int:
    """Return the number of samples in a batch: the length of the first tensor in it that has one."""
    first = next((tensor for tensor in tensors_in(batch) if tensor.ndim), None)
    if first is None:
        raise UserError("a batch holds no tensor whose rows are the samples")
    return len(first)


@contextmanager
def undisturbed(device: torch.device) -> Iterator[None]:
    """At the end, the global generators of torch, numpy and random are as they were at the start."""
    numpy_state, python_state = np.random.get_state(), random.getstate()
    try:
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            yield
    finally:
        np.random.set_state(numpy_state)
        random.setstate(python_state)
