"""Everything that a measurement could change, kept and given back bit for bit."""

import copy
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

Restore = Callable[[], None]


@contextmanager
def kept(model: nn.Module, *others: Any) -> Iterator[None]:
    """Give a model, optimizers and the random generators back as they are now, whatever happens.

    Kept are parameters, buffers, ``.grad`` (the tensors themselves and what they hold), ``requires_grad``,
    each module's mode and plain attributes, and the states of torch's, numpy's and Python's global
    generators; also autograd's count of writes, so that a graph from before can still be differentiated.

    Args:
        model: whose state is kept.
        others: optimizers (states, hyperparameters, plain attributes), `torch.Generator` s, and whatever
            else has ``state_dict`` and ``load_state_dict``, such as a gradient scaler or a scheduler.
    """
    restores = [*_generators(), *_model(model)]
    for other in others:
        restores += _other(other)
    try:
        yield
    finally:
        with torch.no_grad():
            for restore in restores:
                restore()


def seed_all(seed: int) -> None:
    """Seed torch's, numpy's and Python's global generators."""
    # torch.manual_seed would also seed a CUDA that is initialized later, and take a stack trace for it
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


def random_state() -> tuple[Any, ...]:
    """Return the state of all these generators, for comparison."""
    _, keys, place, *_ = np.random.get_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []  # type: ignore[no-untyped-call]
    return (
        *(state.numpy().tobytes() for state in (torch.get_rng_state(), *cuda)),
        random.getstate(),
        np.asarray(keys).tobytes(),
        place,
    )


def _generators() -> Iterator[Restore]:
    numpy_state, python_state, torch_state = np.random.get_state(), random.getstate(), torch.get_rng_state()
    yield lambda: np.random.set_state(numpy_state)
    yield lambda: random.setstate(python_state)
    yield lambda: torch.set_rng_state(torch_state)
    if torch.cuda.is_available() and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        cuda_states = torch.cuda.get_rng_state_all()
        yield lambda: torch.cuda.set_rng_state_all(cuda_states)


def _model(model: nn.Module) -> Iterator[Restore]:
    seen: set[int] = set()
    for module in model.modules():
        yield _attribute(module, "training", module.training)
        yield _plain_attributes(module)
        for table in (module._parameters, module._buffers):
            yield _table(table)
            for tensor in table.values():
                if tensor is not None and id(tensor) not in seen:
                    seen.add(id(tensor))
                    yield from _tensor(tensor)


def _attribute(owner: Any, name: str, value: Any) -> Restore:
    return lambda: setattr(owner, name, value)


def _plain_attributes(module: nn.Module) -> Restore:
    """What a forward pass may leave on a module, such as a loss that is read from it later."""
    attributes = vars(module)
    before = dict(attributes)

    def restore() -> None:
        for name in [name for name in attributes if name not in before]:
            del attributes[name]
        attributes.update(before)

    return restore


def _table(table: dict[str, Any]) -> Restore:
    """The entries of a dictionary themselves: a module may put another tensor in a buffer's place."""
    entries = dict(table)

    def restore() -> None:
        if [(key, id(value)) for key, value in table.items()] != [(k, id(v)) for k, v in entries.items()]:
            table.clear()
            table.update(entries)

    return restore


def _tensor(tensor: Tensor) -> Iterator[Restore]:
    yield _content(tensor)
    yield _version(tensor)
    if isinstance(tensor, nn.Parameter):
        if not tensor.is_inference():
            yield _attribute(tensor, "requires_grad", tensor.requires_grad)
        gradient = tensor.grad
        yield lambda: setattr(tensor, "grad", gradient)
        if gradient is not None:
            yield _content(gradient)


def _content(tensor: Tensor) -> Restore:
    """The numbers in a tensor; written back only where they differ, so that no graph is invalidated."""
    if tensor.is_meta or tensor.layout != torch.strided:
        return lambda: None
    copied = tensor.detach().clone()

    def restore() -> None:
        if not same_bits(tensor.detach(), copied):
            tensor.detach().copy_(copied)

    return restore


def _version(tensor: Tensor) -> Restore:
    """Autograd's count of writes: the numbers are those that a graph or an optimizer has seen."""
    if tensor.is_meta or tensor.is_inference() or tensor.layout != torch.strided:
        return lambda: None
    counter = torch.autograd.grad_mode._unsafe_preserve_version_counter(tensor)
    return lambda: counter.__exit__(None, None, None)


def same_bits(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors of one shape and dtype hold the same numbers; NaN equals NaN, and 0 is not -0."""
    if a.numel() == 0:
        return True
    kinds = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
    if a.is_complex():
        a, b = torch.view_as_real(a), torch.view_as_real(b)
    kind = kinds.get(a.element_size())
    return torch.equal(a, b) if kind is None else torch.equal(a.view(kind), b.view(kind))


def _other(other: Any) -> Iterator[Restore]:
    if isinstance(other, Optimizer):
        yield from _optimizer(other)
    elif isinstance(other, torch.Generator):
        state = other.get_state()
        yield lambda: _discard(other.set_state(state))
    else:
        saved = copy.deepcopy(other.state_dict())
        yield lambda: other.load_state_dict(saved)


def _discard(_: object) -> None:
    """Nothing is returned."""


def _optimizer(optimizer: Optimizer) -> Iterator[Restore]:
    """States and hyperparameters, in the very dictionaries and tensors that hold them now."""
    for name, value in vars(optimizer).items():
        if value is None or isinstance(value, bool | int | float | str):
            yield _attribute(optimizer, name, value)
    yield from _written(optimizer)
    states: Any = optimizer.state
    entries = list(states.items())

    def restore_states() -> None:
        if [(id(key), id(value)) for key, value in states.items()] != [(id(k), id(v)) for k, v in entries]:
            states.clear()
            states.update(entries)

    yield restore_states
    for table in [*(value for _, value in entries if isinstance(value, dict)), *optimizer.param_groups]:
        yield _table(table)
        for name, value in table.items():
            if isinstance(value, Tensor):
                yield _content(value)
            elif isinstance(value, list | dict) and name != "params":
                yield _collection(table, name, value)


def _written(optimizer: Optimizer) -> Iterator[Restore]:
    """What an optimizer of ours knows of the writes to its low-precision parameters."""
    counters = getattr(optimizer, "_counters", None)
    if counters is not None:
        yield _table(counters.versions)


def _collection(table: dict[str, Any], name: str, value: Any) -> Restore:
    """A list or dictionary that an optimizer keeps, such as the pairs of L-BFGS."""
    copied = _copied(value)

    def restore() -> None:
        value.clear()
        (value.update if isinstance(value, dict) else value.extend)(copied)
        table[name] = value

    return restore


def _copied(value: Any) -> Any:
    """A copy as deep as lists, tuples and dictionaries go; of the rest only tensors are copied."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, dict):
        return {key: _copied(entry) for key, entry in value.items()}
    return type(value)(map(_copied, value)) if type(value) in (list, tuple) else value
