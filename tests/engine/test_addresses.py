"""Addresses are right whatever happens to the tensors between steps."""

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from random import Random

import pytest
import torch
from torch import Tensor, nn

from thalweg import optim
from thalweg.engine import addresses
from thalweg.errors import UserError

SHAPES = [(3, 4), (5,), (), (1,), (2, 3, 4, 5), (4, 1)]


class Twins:
    """The same parameters twice, one set stepped by thalweg and one by torch."""

    def __init__(
        self, ours: Callable[..., torch.optim.Optimizer], theirs: Callable[..., torch.optim.Optimizer]
    ):
        start = [torch.randn(shape, dtype=torch.float64) for shape in SHAPES]
        self.sets = [[nn.Parameter(t.clone()) for t in start] for _ in range(2)]
        self.makers = (ours, theirs)
        self.optimizers = [make(params) for make, params in zip(self.makers, self.sets, strict=True)]

    def gradients(self, random: Random) -> None:
        for pair in zip(*self.sets, strict=True):
            change = random.choice(list(GRADIENTS.values()))
            seed = random.randrange(10**6)
            for p in pair:
                torch.manual_seed(seed)
                change(p)

    def tensors(self, random: Random) -> None:
        change = random.choice(list(CHANGES.values()))
        place, seed = random.randrange(len(SHAPES)), random.randrange(10**6)
        for params, optimizer in zip(self.sets, self.optimizers, strict=True):
            torch.manual_seed(seed)
            change(params[place], optimizer)

    def reload(self) -> None:
        """Each continues from its own checkpoint, in a new optimizer."""
        saved = [optimizer.state_dict() for optimizer in self.optimizers]
        self.optimizers = [make(params) for make, params in zip(self.makers, self.sets, strict=True)]
        for optimizer, state in zip(self.optimizers, saved, strict=True):
            optimizer.load_state_dict(state)

    def step(self) -> None:
        for optimizer in self.optimizers:
            optimizer.step()
        for ours, theirs in zip(*self.sets, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-13)


def _transposed(p: Tensor) -> None:
    p.grad = torch.randn(p.shape[::-1], dtype=p.dtype).permute(tuple(reversed(range(p.dim()))))


def _negative(p: Tensor) -> None:
    p.grad = torch.randn(p.shape, dtype=torch.complex128).conj().imag


def _backward(p: Tensor) -> None:
    p.grad = None
    (p * torch.randn(p.shape, dtype=p.dtype)).sum().backward()


def _set(p: Tensor, grad: Tensor | None) -> None:
    p.grad = grad


GRADIENTS: dict[str, Callable[[Tensor], None]] = {
    "fresh": lambda p: _set(p, torch.randn(p.shape, dtype=p.dtype)),
    "fresh again": lambda p: _set(p, torch.randn(p.shape, dtype=p.dtype)),
    "kept": lambda p: None,
    "missing": lambda p: _set(p, None),
    "expanded": lambda p: _set(p, torch.randn((), dtype=p.dtype).expand(p.shape)),
    "strided": lambda p: _set(p, torch.randn(*p.shape, 2, dtype=p.dtype)[..., 1]),
    "offset": lambda p: _set(p, torch.randn(p.numel() + 3, dtype=p.dtype)[3:].view(p.shape)),
    "transposed": _transposed,
    "negative": _negative,
    "by backward": _backward,
}


def _swap(p: Tensor, optimizer: torch.optim.Optimizer) -> None:
    p.grad = None
    torch.utils.swap_tensors(p, nn.Parameter(torch.randn(p.shape, dtype=p.dtype)))


def _new_data(p: Tensor, optimizer: torch.optim.Optimizer) -> None:
    p.data = p.detach().clone()


def _transposed_data(p: Tensor, optimizer: torch.optim.Optimizer) -> None:
    axes = tuple(reversed(range(p.dim())))
    p.data = p.detach().permute(axes).contiguous().permute(axes)


def _resized(p: Tensor, optimizer: torch.optim.Optimizer) -> None:
    if p.is_shared():
        return
    kept = p.detach().clone()
    with torch.no_grad():
        p.untyped_storage().resize_(0)
        p.untyped_storage().resize_(8 * p.numel())
        p.copy_(kept)


def _new_states(p: Tensor, optimizer: torch.optim.Optimizer) -> None:
    slot = optimizer.state[p]
    slot.update({key: value.clone() for key, value in slot.items() if isinstance(value, Tensor)})


def _new_state_data(p: Tensor, optimizer: torch.optim.Optimizer) -> None:
    for value in optimizer.state[p].values():
        if isinstance(value, Tensor) and value.dim():
            value.data = value.clone()


def _forgotten(p: Tensor, optimizer: torch.optim.Optimizer) -> None:
    optimizer.state.pop(p, None)


CHANGES: dict[str, Callable[[Tensor, torch.optim.Optimizer], object]] = {
    "nothing": lambda p, _: None,
    "swap_tensors": _swap,
    "data": _new_data,
    "transposed data": _transposed_data,
    "resized storage": _resized,
    "share_memory_": lambda p, _: p.share_memory_(),
    "frozen": lambda p, _: p.requires_grad_(False).requires_grad_(True),
    "new states": _new_states,
    "state data": _new_state_data,
    "forgotten state": _forgotten,
    "zero_grad": lambda _, optimizer: optimizer.zero_grad(),
    "collected": lambda _, __: gc.collect(),
}
PAIRS = {
    "AdamW": (optim.AdamW, torch.optim.AdamW),
    "Adagrad": (optim.Adagrad, torch.optim.Adagrad),
    "SGD": (
        lambda params: optim.SGD(params, lr=0.1, momentum=0.9),
        lambda params: torch.optim.SGD(params, lr=0.1, momentum=0.9),
    ),
}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("native", [True, False])
def test_random_changes_of_tensors(
    name: str, seed: int, native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not native:
        monkeypatch.setattr(addresses, "usable", lambda: False)
    torch.manual_seed(seed)
    random = Random(seed)
    twins = Twins(*PAIRS[name])
    for k in range(60):
        if random.random() < 0.5:
            twins.tensors(random)
        if k % 20 == 19:
            twins.reload()
        if random.random() < 0.8:
            twins.gradients(random)
        twins.step()


def _reader() -> tuple[list[nn.Parameter], addresses.Reader]:
    params = [nn.Parameter(torch.ones(2, 3)), nn.Parameter(torch.ones(4))]
    for p in params:
        p.grad = torch.ones_like(p)
    return params, addresses.Reader(params, [[torch.zeros_like(p) for p in params]])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda p: _set(p, None),
        lambda p: _set(p, torch.ones(3, 2).T),
        lambda p: p.grad.untyped_storage().resize_(0),
        lambda p: _set(p, torch._efficientzerotensor((2, 3))),
        lambda p: _set(p, torch.ones(2, 3).to_sparse()),
        lambda p: setattr(p, "data", torch.ones(2, 3, dtype=torch.float64)),
        lambda p: setattr(p, "data", torch.ones(5)),
        lambda p: setattr(p, "data", torch.ones(3, 2).T),
    ],
    ids=["none", "transposed", "freed", "zero tensor", "sparse", "dtype", "size", "transposed parameter"],
)
def test_reader_refuses(spoil: Callable[[Tensor], object]) -> None:
    params, reader = _reader()
    assert reader.read()
    spoil(params[0])
    assert not reader.read()


def test_without_memory_is_an_error() -> None:
    p = nn.Parameter(torch.ones(3))
    optimizer = optim.SGD([p], lr=0.1)
    for _ in range(2):
        p.grad = torch.ones(3)
        optimizer.step()
    p.grad.untyped_storage().resize_(0)
    with pytest.raises(UserError, match=r"the gradient of a parameter of shape \(3,\) has no memory"):
        optimizer.step()


def test_memory_is_given_back() -> None:
    def watched() -> Iterator[weakref.ref[object]]:
        model = nn.Linear(3, 2)
        model.weight.owner = optimizer = optim.AdamW(model.parameters())  # a cycle through a parameter
        for _ in range(2):
            model(torch.ones(1, 3)).sum().backward()
            optimizer.step()
        yield from map(weakref.ref, (optimizer, model.weight, optimizer.state[model.bias]["exp_avg"]))

    seen = list(watched())
    gc.collect()
    assert [ref() for ref in seen] == [None, None, None]


def test_threads_begin_at_once() -> None:
    """Each thread's first step compiles the same kernel; it is compiled once."""
    ready = threading.Barrier(4)
    ends: list[Tensor] = []

    def train() -> None:
        p = nn.Parameter(torch.ones(50))
        optimizer = optim.RMSprop([p], lr=0.01, centered=True, momentum=0.3)
        ready.wait()
        for _ in range(50):
            p.grad = p.detach().clone()
            optimizer.step()
        ends.append(p.detach())

    threads = [threading.Thread(target=train) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ends) == 4
    assert all(torch.equal(end, ends[0]) for end in ends)
