"""Products by differences: ReLU keeps its branches, errors are known, nothing counts that was not checked."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint

from tests.landscape.models import ZOO
from tests.landscape.test_restored import photograph, prepared
from thalweg.landscape import Eigenpairs, Interrupted, Surface, eigenpairs, graphs, secants
from thalweg.landscape.products import Hessian
from thalweg.landscape.secants import Branches, RefutedError, Secants, Thrifty


@pytest.fixture
def _no_free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small graphs are kept otherwise, and products with them cost no more than a difference."""
    monkeypatch.setattr(graphs, "FREE", 0)
    monkeypatch.setattr(graphs, "PIECE", 2**14)


def surface(*layers: nn.Module, dtype: torch.dtype = torch.float32) -> Surface:
    torch.manual_seed(0)
    found = [
        nn.Conv2d(1, 4, 3), *(layers or [nn.ReLU()]), nn.Flatten(), nn.LazyLinear(20), nn.ReLU(inplace=True),
        nn.Linear(20, 3),
    ]  # fmt: skip
    model, x = nn.Sequential(*found).to(dtype), torch.randn(90, 1, 8, 8, dtype=dtype)
    model(x)
    for layer in model:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_normal_(layer.weight, 2.0)
    return Surface(
        model, lambda model, batch: cross_entropy(model(batch[0]), batch[1]), (x, torch.arange(90) % 3)
    )


def true_residuals(surface: Surface, found: Eigenpairs) -> Tensor:
    """|H v - λ v| of each pair, by exact products in float64."""
    exact = surface.in_float64()
    pairs = zip(found.values, found.vectors.T, strict=True)
    return torch.stack([(exact.product(v / v.norm()) - value * v / v.norm()).norm() for value, v in pairs])


RELUS: dict[str, Callable[[Tensor], Tensor]] = {
    "functional": functional.relu,
    "in place": lambda x: functional.relu(x + 0, inplace=True),
    "in place by position": lambda x: functional.relu(x + 0, True),
    "torch": lambda x: torch.relu_(x + 0),
    "method": lambda x: x.relu(),
    "method in place": lambda x: (x + 0).relu_(),
    "by name": lambda x: torch.relu(input=x),
    "module": lambda x: nn.ReLU()(x),
}


@pytest.mark.parametrize("relu", RELUS.values(), ids=RELUS)
def test_relu_keeps_its_branches(relu: Callable[[Tensor], Tensor]) -> None:
    branches = Branches()
    with branches:
        first = relu(torch.tensor([1.0, -1.0, 2.0]))
        other = relu(torch.tensor([-3.0]))
    assert torch.equal(torch.cat([first, other]), torch.tensor([1.0, 0.0, 2.0, 0.0]))
    x = torch.tensor([-5.0, 7.0, 2.0], requires_grad=True)
    for _ in range(2):
        with branches:
            again = relu(x)
            other = relu(torch.tensor([4.0]))
        assert torch.equal(again, torch.tensor([-5.0, 0.0, 2.0]))
        assert torch.equal(other, torch.zeros(1))
        (slope,) = torch.autograd.grad(again.sum(), x)
        assert torch.equal(slope, torch.tensor([1.0, 0.0, 1.0]))
    assert torch.equal(relu(x), torch.tensor([0.0, 7.0, 2.0]))
    assert branches.size == 4


@pytest.mark.parametrize(
    "relu", [functional.relu_, lambda x: functional.relu(x, True), nn.ReLU(inplace=True), Tensor.relu_]
)
def test_in_place_is_in_place(relu: Callable[[Tensor], Tensor]) -> None:
    branches = Branches()
    for numbers in ([1.0, -1.0], [-2.0, 3.0]):
        x = torch.tensor(numbers)
        with branches:
            relu(x)
    assert torch.equal(x, torch.tensor([-2.0, 0.0]))


def test_a_model_that_takes_another_way_is_left_alone() -> None:
    branches = Branches()
    with branches:
        functional.relu(torch.ones(3))
    with branches:
        assert torch.equal(functional.relu(torch.tensor([-1.0, 1.0])), torch.tensor([0.0, 1.0]))
        assert torch.equal(functional.relu(torch.tensor([-1.0])), torch.zeros(1))


@pytest.mark.usefixtures("_no_free_memory")
@pytest.mark.parametrize(("dtype", "expected"), [(torch.float32, 3e-3), (torch.float64, 1e-6)])
def test_products_agree_with_exact_ones_to_the_error_that_was_found(
    dtype: torch.dtype, expected: float
) -> None:
    whole = surface(dtype=dtype)
    truth = whole.in_float64()
    vectors = nn.functional.normalize(torch.stack([whole.gradient()[1], torch.randn(whole.dimension)]))
    with whole.hold():
        quick = Secants(Hessian(whole))
        product, error = quick.fit(vectors[0])
        assert error < expected * float(product.norm())
        for vector in vectors:
            off = quick(vector).double() - truth.product(vector.double())
            assert float(off.norm()) < 1.5 * error


@pytest.mark.usefixtures("_no_free_memory")
def test_differences_that_follow_no_law_are_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = surface()
    with whole.hold():
        quick = Secants(Hessian(whole))
        monkeypatch.setattr(quick, "_difference", lambda vector, step: torch.randn_like(vector))
        with pytest.raises(RefutedError):
            quick.fit(whole.gradient()[1])


@pytest.mark.usefixtures("_no_free_memory")
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("which", ["magnitude", "largest", "smallest", "both"])
def test_pairs_by_secants_are_those_of_exact_products(
    which: Any, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, before = surface(), torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        found = eigenpairs(whole, 3, which, tolerance=0.02)
        monkeypatch.setattr(graphs, "FREE", 2**25)
        exact = eigenpairs(whole, 3, which, tolerance=0.02)
    finally:
        torch.set_num_threads(before)
    assert found.converged
    assert found.differences > 4
    assert exact.differences == 0
    assert found.products == 1 + found.differences + len(found.values)
    torch.testing.assert_close(found.values, exact.values, rtol=3e-3, atol=0)
    torch.testing.assert_close(found.residuals, true_residuals(whole, found), rtol=0.02, atol=1e-5)
    assert f"{found.differences} of them differences" in found.describe()
    assert found.to_dict()["differences"] == found.differences


@pytest.mark.usefixtures("_no_free_memory")
def test_what_is_not_symmetric_is_refuted_before_it_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    def fit(self: Secants, vector: Tensor) -> tuple[Tensor, float]:
        self.step = 3.0
        return self(vector), 0.0

    whole = surface()
    with monkeypatch.context() as patch:
        patch.setattr(graphs, "FREE", 2**25)
        exact = eigenpairs(whole, 3)
    monkeypatch.setattr(secants, "FINE", 1e12)
    monkeypatch.setattr(Secants, "fit", fit)
    found = eigenpairs(whole, 3)
    assert found.differences > 2
    assert found.products == 1 + found.differences + exact.products
    torch.testing.assert_close(found.values, exact.values, rtol=1e-5, atol=0)


@pytest.mark.usefixtures("_no_free_memory")
def test_an_eigenvector_that_differences_do_not_see_is_found() -> None:
    """Weights so small that a step changes no output: its softmax is rounded to the same numbers."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(9, 20),
        nn.Tanh(),
        nn.Linear(20, 20),
        nn.Tanh(),
        nn.Linear(20, 20),
        nn.Tanh(),
        nn.Linear(20, 3),
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1e-3)
    whole = Surface(
        model,
        lambda model, batch: cross_entropy(model(batch[0]), batch[1]),
        (torch.randn(90, 9), torch.arange(90) % 3),
    )
    for seed in range(5):
        found = eigenpairs(whole, 2, seed=seed)
        torch.testing.assert_close(found.values, torch.full((2,), 1 / 3).double(), rtol=1e-3, atol=0)


@pytest.mark.usefixtures("_no_free_memory")
def test_weights_of_fewer_bits_are_multiplied_exactly() -> None:
    """A step would round back to the point, and all differences be zero."""
    whole = surface()
    x, labels = next(iter(whole.data))
    half = Surface(whole.model.bfloat16(), whole.terms["loss"], (x.bfloat16(), labels))
    with half.hold():
        thrifty, vector = Thrifty(Hessian(half), 0.9), torch.ones(half.dimension) / half.dimension**0.5
        for _ in range(2):
            thrifty(vector)
        assert thrifty.differences == 0


def on_the_edge(activation: nn.Module) -> Surface:
    """All units stand so close to their kinks that half of them cross it in any step."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(9, 40, bias=False), activation, nn.Linear(40, 3))
    nn.init.normal_(model[0].weight, 0.0, 1e-7)
    return Surface(
        model,
        lambda model, batch: cross_entropy(model(batch[0]), batch[1]),
        (torch.randn(90, 9), torch.arange(90) % 3),
    )


@pytest.mark.usefixtures("_no_free_memory")
def test_relu_is_smooth_and_other_kinks_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, other = eigenpairs(on_the_edge(nn.ReLU()), 3), eigenpairs(on_the_edge(nn.LeakyReLU(1e-9)), 3)
    assert kept.differences > 4
    assert other.differences == 0
    monkeypatch.setattr(secants, "RELU", set())
    plain = eigenpairs(on_the_edge(nn.ReLU()), 3)
    assert plain.differences == 0
    for found in (kept, other):
        torch.testing.assert_close(found.values, plain.values, rtol=1e-3, atol=0)


@pytest.mark.usefixtures("_no_free_memory")
@pytest.mark.parametrize("error", [0.0, 1e9])
def test_what_a_check_refutes_is_computed_anew(error: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Products with another symmetric matrix, which claim to be fine or are known to be hopeless."""

    def other(self: Secants, vector: Tensor) -> Tensor:
        start = torch.randn(len(vector), generator=torch.Generator().manual_seed(0))
        wrong = 3 * torch.linspace(-1, 1, len(vector)) * vector
        return multiply(self, vector) + wrong - (start @ wrong) / (start @ start) * start

    def fit(self: Secants, vector: Tensor) -> tuple[Tensor, float]:
        return self(vector), error

    whole, multiply = surface(), Secants.__call__
    with monkeypatch.context() as patch:
        patch.setattr(graphs, "FREE", 2**25)
        exact = eigenpairs(whole, 3)
    monkeypatch.setattr(secants, "FINE", 1e12)
    monkeypatch.setattr(Secants, "__call__", other)
    monkeypatch.setattr(Secants, "fit", fit)
    found = eigenpairs(whole, 3)
    assert found.converged
    assert found.differences > 2
    checked = 0 if error else 3
    assert found.products == 1 + found.differences + checked + exact.products
    torch.testing.assert_close(found.values, exact.values, rtol=1e-5, atol=0)


@pytest.mark.usefixtures("_no_free_memory")
def test_an_error_that_is_known_leaves_less_to_the_method(monkeypatch: pytest.MonkeyPatch) -> None:
    def steps(error: float) -> int:
        monkeypatch.setattr(Secants, "fit", lambda self, vector: (fit(self, vector)[0], error))
        return eigenpairs(whole, 3).differences

    monkeypatch.setattr(secants, "FINE", 1.0)
    whole, fit = surface(), Secants.fit
    third = float(eigenpairs(whole, 3).values[2])
    assert steps(0.006 * third) > steps(0.0)


@pytest.mark.usefixtures("_no_free_memory")
@pytest.mark.parametrize("missing", [0, 1])
def test_the_branches_stay_in_the_memory_that_is_allowed(missing: int) -> None:
    whole = surface()
    v = torch.ones(whole.dimension) / whole.dimension**0.5
    with whole.hold():
        exact = Hessian(whole)
        exact.graphs.several()
        exact.graphs.allowance = 90 * (4 * 36 + 20) - missing  # bytes, one for each output of a ReLU
        thrifty = Thrifty(exact, 0.9)
        first = thrifty(v)
        thrifty(functional.normalize(first - (v @ first) * v, dim=0))
        assert thrifty.differences == 1 - missing


@pytest.mark.usefixtures("_no_free_memory")
def test_graphs_that_are_needed_once_are_not_kept() -> None:
    whole = surface()
    with whole.hold():
        exact = Hessian(whole)
        exact.several(list(torch.eye(whole.dimension)[:2]))
        assert exact.graphs._room > 0
        assert not exact.graphs._kept
        exact(torch.ones(whole.dimension))
        assert exact.graphs._kept


def test_what_is_kept_anyway_needs_no_differences() -> None:
    assert eigenpairs(surface(), 3).differences == 0


@pytest.mark.usefixtures("_no_free_memory")
def test_several_products_are_those_of_one_after_the_other() -> None:
    whole = surface(dtype=torch.float64)
    vectors = list(torch.randn(3, whole.dimension, dtype=torch.float64))
    with whole.hold():
        together = Hessian(whole).several(vectors)
    for vector, product in zip(vectors, together, strict=True):
        torch.testing.assert_close(product, whole.product(vector), rtol=1e-12, atol=1e-14)


class Odd(nn.Module):
    """A ReLU in a way that other programs take: recomputed for the gradient, or mapped over the samples."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way = way

    def forward(self, x: Tensor) -> Tensor:
        if self.way == "checkpoint":
            return checkpoint(functional.relu, x, use_reentrant=False)
        return torch.vmap(functional.relu)(x)


@pytest.mark.usefixtures("_no_free_memory")
@pytest.mark.parametrize("way", ["checkpoint", "vmap"])
def test_odd_ways_lead_to_exact_products(way: str) -> None:
    odd, plain = eigenpairs(surface(Odd(way)), 3), eigenpairs(surface(nn.ReLU()), 3)
    assert odd.converged
    torch.testing.assert_close(odd.values, plain.values, rtol=1e-3, atol=0)


@pytest.mark.usefixtures("_no_free_memory")
def test_stopped_it_checks_what_had_converged() -> None:
    whole, count = surface(), [0]

    def loss(model: nn.Module, batch: Any) -> Tensor:
        count[0] += 1
        if count[0] == stop:
            raise KeyboardInterrupt
        return cross_entropy(model(batch[0]), batch[1])

    slow = Surface(whole.model, loss, whole.data)
    stop = 0
    found = eigenpairs(slow, 3)
    assert found.differences > 4
    calls, stop = count[0], round(0.8 * count[0])
    count[0] = 0
    before = copy.deepcopy(whole.model.state_dict())
    with pytest.raises(Interrupted) as caught:
        eigenpairs(slow, 3)
    assert count[0] < 1.5 * calls
    partial = caught.value.partial
    assert partial.differences > 2
    assert partial.residuals.le(0.01 * partial.values.abs()).all()
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, before[name])


@pytest.mark.usefixtures("_no_free_memory")
@pytest.mark.parametrize("kind", ZOO)
def test_every_model_is_given_back(kind: str) -> None:
    torch.manual_seed(0)
    animal = ZOO[kind]()
    optimizer = prepared(animal)
    before = photograph(animal, optimizer)
    eigenpairs(Surface(animal.model, animal.loss, animal.data), 1, tolerance=0.5, max_products=12)
    assert photograph(animal, optimizer) == before
