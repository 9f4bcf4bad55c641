"""Batches are cut only where that changes nothing, graphs are kept only as far as there is room."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from thalweg.landscape import Surface, graphs
from thalweg.landscape.graphs import Graphs, cut


def loss(model: nn.Module, batch: Any) -> Tensor:
    return cross_entropy(model(batch[0]), batch[1] % 3)


def of_sums(model: nn.Module, batch: Any) -> Tensor:
    """Not the mean over the samples: each meets all others."""
    scores = model(batch[0])
    return cross_entropy(scores - scores.mean(0), batch[1] % 3)


def weighted(model: nn.Module, batch: Any) -> Tensor:
    """A third class, of the last samples alone, that counts more."""
    return cross_entropy(model(batch[0]), batch[1] // 30, weight=torch.tensor([1.0, 1.0, 9.0]).double())


def padded(model: nn.Module, batch: Any) -> Tensor:
    """Some samples do not count, as where sentences are sorted by length: first and last ones."""
    label = torch.where((batch[1] > 75) | (batch[1] < 4), -100, batch[1] % 3)
    return cross_entropy(model(batch[0]), label, ignore_index=-100)


def lucky(model: nn.Module, batch: Any) -> Tensor:
    """A draw that seldom changes anything, as of a layer that is dropped."""
    return loss(model, batch) + float(torch.rand(()) > 0.9999)


def surface(
    function: Any = loss, layer: nn.Module | None = None, head: float = 1.0, batches: int = 1
) -> Surface:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 7), layer or nn.Tanh(), nn.Linear(7, 3)).double()
    with torch.no_grad():
        for parameter in model[2].parameters():
            parameter.mul_(head)
    x, y = torch.randn(90, 5, dtype=torch.float64), torch.arange(90)
    return Surface(model, function, list(zip(x.chunk(batches), y.chunk(batches), strict=True)))


def decided(surface: Surface) -> tuple[int | None, int]:
    found = Graphs(surface)
    with surface.hold():
        found.several()
    return found._pieces, found._room


@pytest.fixture
def no_free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "FREE", 0)
    monkeypatch.setattr(graphs, "PIECE", 1)


def test_small_graphs_are_kept_whole() -> None:
    pieces, room = decided(surface())
    assert pieces == 1
    assert room > 100


@pytest.mark.usefixtures("no_free_memory")
def test_a_mean_is_cut_and_part_of_it_kept() -> None:
    pieces, room = decided(surface())
    assert pieces == math.ceil(90 / graphs.FEW)
    assert 1 <= room < pieces


NO_MEANS = {
    "each sample meets the others": lambda: surface(of_sums),
    "batch norm": lambda: surface(layer=nn.BatchNorm1d(7)),
    "dropout": lambda: surface(layer=nn.Dropout(0.5)),
    "random numbers": lambda: surface(lucky),
    "weights of classes": lambda: surface(weighted),
    "weights of classes, a head of zeros": lambda: surface(weighted, head=0.0),
    "padding": lambda: surface(padded),
    "padding in the third batch": lambda: surface(padded, batches=3),
    "pieces that fail": lambda: surface(failing),
    "a kink of the whole at the point": lambda: flooded(),
}


def flooded() -> Surface:
    """A loss kept near a level, on samples that are almost one: at the point its pieces are on both sides."""
    found = surface()
    ((x, y),) = found.data
    x = x[:1] + 1e-6 * x
    plain = Surface(found.model, loss, [(x, 0 * y)])
    level = plain.value() * (1 - 1e-9)
    return Surface(found.model, lambda m, batch: (loss(m, batch) - level).abs() + level, plain.data)


def failing(model: nn.Module, batch: Any) -> Tensor:
    if len(batch[0]) < 9:
        raise ValueError
    return loss(model, batch)


@pytest.mark.parametrize("whole", NO_MEANS.values(), ids=NO_MEANS)
def test_what_is_no_mean_is_not_cut(whole: Callable[[], Surface], monkeypatch: pytest.MonkeyPatch) -> None:
    found = whole()
    vector = torch.randn(found.dimension, dtype=torch.float64)
    expected = found.product(vector)
    monkeypatch.setattr(graphs, "FREE", 0)
    monkeypatch.setattr(graphs, "PIECE", 1)
    assert decided(found) == (1, 0)
    assert torch.equal(found.product(vector), expected)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("function", [loss, of_sums])
def test_products_are_the_same_whatever_is_kept(
    function: Any, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = surface(function)
    vectors = torch.randn(4, found.dimension, dtype=torch.float64)
    whole = [found.product(vector) for vector in vectors]
    monkeypatch.setattr(graphs, "FREE", 0)
    monkeypatch.setattr(graphs, "PIECE", 1)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with found.products() as multiply:
            for vector, expected in zip(vectors, whole, strict=True):
                torch.testing.assert_close(multiply(vector), expected, rtol=1e-12, atol=1e-14)
                assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_a_cut_batch_is_the_batch() -> None:
    batch = {"x": torch.arange(10), "y": (torch.arange(20).view(10, 2), torch.ones(10))}
    parts = list(cut(batch, 10, 3))
    assert [len(part["x"]) for part in parts] == [4, 4, 2]
    assert torch.equal(torch.cat([part["y"][0] for part in parts]), batch["y"][0])


@pytest.mark.usefixtures("no_free_memory")
def test_what_has_no_rows_is_not_cut() -> None:
    """A number beside the samples, or a tensor of another length, belongs to the whole batch."""
    whole = surface()
    x, y = next(iter(whole.data))
    for extra in (torch.tensor(2.0), torch.ones(4), "name"):
        other = Surface(whole.model, lambda model, batch: loss(model, batch[:2]), [(x, y, extra)])
        assert decided(other) == (1, 0)


def test_memory_is_counted_once_a_storage() -> None:
    """What a gradient needs of 90 x 7 numbers behind tanh; parameters and batch are not counted."""
    whole = surface()
    with whole.hold():
        forward, double = Graphs(whole)._measured(next(iter(whole.data)))
    behind_tanh, scores, labels = 90 * 7 * 8, 90 * 3 * 8, 90 * 8
    assert forward == pytest.approx(behind_tanh + scores + labels, rel=0.1)
    assert double > forward
