"""Wrong uses get one line that says what is wrong, where, and what to do."""

import math
import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.utils.parametrizations import weight_norm
from torch.utils.data import DataLoader, TensorDataset

from tests.landscape.measurements import MEASUREMENTS, OF_THE_SURFACE, exported
from tests.landscape.models import classify, rows
from thalweg import landscape, optim
from thalweg.errors import UserError
from thalweg.landscape import Surface

ALL = {**OF_THE_SURFACE, **MEASUREMENTS}
WITHOUT_LOSS = {"filter_normalized", "samples"}
TWICE = {"condition", "density", "diagonal", "eigenpairs", "hessian", "saddle", "sharpness", "trace"}
"""Those that need a second derivative."""


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))


def refusal(act: Callable[[], Any]) -> str:
    """The message of the error that something raises: one line, of a reasonable length."""
    with pytest.raises(UserError) as caught:
        act()
    message = str(caught.value)
    assert "\n" not in message
    assert 30 < len(message) < 330, message
    return message


def refused(name: str, loss: Any, data: Any = None, model: nn.Module | None = None) -> str:
    model = network() if model is None else model
    optimizer = optim.SGD(model.parameters(), lr=0.1)

    def act() -> None:
        ALL[name](Surface(model, loss, rows() if data is None else data), optimizer)

    return refusal(act)


LOSSES: dict[str, tuple[Any, str]] = {
    "a vector": (
        lambda m, b: nn.functional.cross_entropy(m(b[0]), b[1], reduction="none"),
        r"loss\(model, batch\) returned a tensor of shape \(\d+,\); return its mean",
    ),
    "a matrix": (lambda m, b: m(b[0]), r"returned a tensor of shape \(\d+, 3\); return its mean"),
    "a float": (lambda m, b: m(b[0]).mean().item(), "returned a float; return a scalar tensor"),
    "None": (lambda m, b: None, "returned None; return a scalar tensor"),
    "complex": (lambda m, b: m(b[0]).mean() * 1j, "returned a complex number; return a real one"),
}


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("name", sorted(set(ALL) - WITHOUT_LOSS))
def test_a_loss_that_returns_something_else(name: str, kind: str) -> None:
    loss, pattern = LOSSES[kind]
    assert re.search(pattern, refused(name, loss))


@pytest.mark.parametrize("name", sorted(set(ALL) - WITHOUT_LOSS))
def test_a_loss_of_nan(name: str) -> None:
    message = refused(name, lambda m, b: m(b[0]).mean() * math.nan)
    assert "is nan" in message or "not finite" in message


GRADIENTS = sorted(
    set(ALL) - WITHOUT_LOSS - {"value", "in_float64", "line", "plane", "trajectory_plane", "flatness"}
)


@pytest.mark.parametrize("name", GRADIENTS)
def test_a_loss_that_depends_on_no_parameter(name: str) -> None:
    message = refused(name, lambda m, b: m(b[0]).mean().detach())
    assert "does not depend on any parameter" in message


@pytest.mark.parametrize("name", GRADIENTS)
def test_a_loss_of_another_model(name: str) -> None:
    other = network()
    message = refused(name, lambda m, b: classify(other, b))
    assert "does not depend on any parameter" in message or "the loss fails in float64" in message


class Once(torch.autograd.Function):
    """The identity, whose gradient cannot be differentiated."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient


@pytest.mark.parametrize("name", sorted(TWICE))
def test_a_model_without_second_derivatives(name: str) -> None:
    message = refused(name, lambda m, b: nn.functional.cross_entropy(Once.apply(m(b[0])), b[1]))
    assert "no second derivative" in message
    assert "difference" in message


def test_the_second_derivative_of_weight_norm() -> None:
    """torch takes the norm of v for a constant, so that the matrix is not even symmetric."""
    model = nn.Sequential(weight_norm(nn.Linear(4, 3)), nn.Tanh(), nn.Linear(3, 3))
    surface = Surface(model, classify, rows())
    with pytest.raises(UserError, match="weight_norm is wrong; use the product 'difference'"):
        surface.product(surface.point())
    assert landscape.eigenpairs(surface, 1, product="difference").converged


class Hidden(nn.Linear):
    """Returns its scores in an object of its own."""

    def forward(self, x: Tensor) -> Any:
        return SimpleNamespace(scores=super().forward(x))


def test_outputs_that_gauss_newton_does_not_see() -> None:
    surface = Surface(Hidden(4, 3), lambda m, b: nn.functional.cross_entropy(m(b[0]).scores, b[1]), rows())
    with pytest.raises(UserError, match="there was no tensor in it; return tensors"):
        surface.product(surface.point(), "gauss_newton")
    assert surface.product(surface.point()).any()


class Empty:
    """Data that can be iterated again and again, and never give anything."""

    def __iter__(self) -> Iterator[Any]:
        return iter(())


class UsedUp:
    """Data that give batches at the first pass only."""

    def __init__(self) -> None:
        self.batches = iter([rows()])

    def __iter__(self) -> Iterator[Any]:
        return self.batches


@pytest.mark.parametrize("name", sorted(set(ALL) - {"filter_normalized"}))
def test_data_without_a_batch(name: str) -> None:
    for data in ([], Empty(), DataLoader(TensorDataset(torch.zeros(3, 4)), 4, drop_last=True)):
        assert "the data gave no batch" in refused(name, classify, data)


@pytest.mark.parametrize("name", sorted(set(ALL) - {"filter_normalized", "samples", "per_batch"}))
def test_data_that_are_used_up(name: str) -> None:
    surface = Surface(network(), classify, UsedUp())
    surface.value()
    assert "exhausted" in refusal(lambda: ALL[name](surface, optim.SGD(surface.model.parameters(), lr=0.1)))


@pytest.mark.parametrize("name", sorted(set(ALL) - {"filter_normalized"}))
def test_batches_that_are_none(name: str) -> None:
    for data in ([3, 4], ["text"], [None], [(1, 2)]):
        assert "a batch holds no tensor" in refused(name, classify, data)


def test_every_measurement_is_tried() -> None:
    assert exported() <= set(ALL)


def frozen() -> nn.Module:
    return network().requires_grad_(False)


def complex_model() -> nn.Module:
    return nn.Linear(2, 2, dtype=torch.complex64)


def on_meta() -> nn.Module:
    return nn.Linear(2, 2, device="meta")


@pytest.mark.parametrize(
    ("model", "loss", "data", "message"),
    [
        (frozen, classify, rows, "no parameter of the model requires a gradient"),
        (nn.Tanh, classify, rows, "no parameter of the model requires a gradient"),
        (complex_model, classify, rows, "only real parameters can be measured"),
        (on_meta, classify, rows, "is on the meta device"),
        (lambda: nn.LazyLinear(2), classify, rows, "has no shape yet; run the model on one batch"),
        (lambda: "a model", classify, rows, "the model is a str; give a torch.nn.Module"),
        (lambda: nn.Linear, classify, rows, "the model is a type; give a torch.nn.Module"),
        (network, None, rows, "loss is None; give a function"),
        (network, {}, rows, "the mapping of losses is empty"),
        (network, {"data": 3}, rows, "data is an int; give a function"),
        (network, classify, lambda: (rows() for _ in range(2)), "exhausted after one pass"),
        (network, classify, lambda: iter([rows()]), "exhausted after one pass"),
        (network, classify, lambda: None, "the data are None; give one batch"),
        (network, classify, lambda: 7, "the data are an int; give one batch"),
        (network, classify, lambda: "file.pt", "the data are a str; give one batch"),
        (network, classify, lambda: list(rows()), "a list of tensors may be one batch or several"),
        (network, classify, lambda: TensorDataset(*rows()), "DataLoader"),
    ],
)
def test_what_is_no_surface(model: Any, loss: Any, data: Any, message: str) -> None:
    assert message in refusal(lambda: Surface(model(), loss, data()))


def test_seeds() -> None:
    for seed in (0.5, None, True):
        assert "seed" in refusal(lambda seed=seed: Surface(network(), classify, rows(), seed=seed))


def good() -> tuple[Surface, torch.optim.Optimizer]:
    model = network()
    return Surface(model, classify, rows()), optim.SGD(model.parameters(), lr=0.1)


VECTORS = [
    ("short", lambda n: torch.zeros(n - 1)),
    ("a matrix", lambda n: torch.zeros(n, 1)),
    ("a list", lambda n: [0.0] * n),
    ("nan", lambda n: torch.full((n,), math.nan)),
    ("infinite", lambda n: torch.full((n,), math.inf)),
    ("whole", lambda n: torch.zeros(n, dtype=torch.int64)),
    ("complex", lambda n: torch.zeros(n, dtype=torch.complex64)),
]

TAKERS: dict[str, Callable[[Surface, Any], Any]] = {
    "value": lambda s, v: s.value(v),
    "gradient": lambda s, v: s.gradient(v),
    "product": lambda s, v: s.product(v),
    "product at": lambda s, v: s.product(s.point(), at=v),
    "per_batch": lambda s, v: list(s.per_batch(v)),
    "line": lambda s, v: landscape.line(s, v, points=3),
    "line's start": lambda s, v: landscape.line(s, s.point(), points=3, start=v),
    "plane": lambda s, v: landscape.plane(s, [v, torch.ones(s.dimension)], points=3),
    "connect": lambda s, v: landscape.connect(s, s.point(), v, steps=1, points=3),
}


@pytest.mark.parametrize("kind", [kind for kind, _ in VECTORS])
@pytest.mark.parametrize("taker", TAKERS)
def test_vectors_that_are_none(taker: str, kind: str) -> None:
    surface, _ = good()
    vector = dict(VECTORS)[kind](surface.dimension)
    refusal(lambda: TAKERS[taker](surface, vector))


OPTIONS: list[tuple[str, Callable[[Surface, Any], Any]]] = [
    ("k", lambda s, o: landscape.eigenpairs(s, 0)),
    ("k", lambda s, o: landscape.eigenpairs(s, -1)),
    ("k", lambda s, o: landscape.eigenpairs(s, s.dimension + 1)),
    ("k", lambda s, o: landscape.eigenpairs(s, 1.5)),
    ("which", lambda s, o: landscape.eigenpairs(s, which="top")),
    ("tolerance", lambda s, o: landscape.eigenpairs(s, tolerance=0.0)),
    ("tolerance", lambda s, o: landscape.eigenpairs(s, tolerance=math.nan)),
    ("product", lambda s, o: landscape.eigenpairs(s, product="newton")),
    ("max_products", lambda s, o: landscape.eigenpairs(s, max_products=0)),
    ("probes", lambda s, o: landscape.density(s, probes=0)),
    ("steps", lambda s, o: landscape.density(s, steps=0)),
    ("product", lambda s, o: landscape.density(s, product="newton")),
    ("products", lambda s, o: landscape.trace(s, products=0)),
    ("products", lambda s, o: landscape.trace(s, products=2.5)),
    ("probes", lambda s, o: landscape.diagonal(s, probes=0)),
    ("l2", lambda s, o: landscape.condition(s, l2=(-1.0,))),
    ("l2", lambda s, o: landscape.condition(s, l2=(math.nan,))),
    ("l2", lambda s, o: landscape.condition(s, l2=("a",))),
    ("tolerance", lambda s, o: landscape.sharpness(s, o, tolerance=-1.0)),
    ("max_products", lambda s, o: landscape.sharpness(s, o, max_products=0)),
    ("Optimizer", lambda s, o: landscape.sharpness(s, None)),
    ("Optimizer", lambda s, o: landscape.sharpness(s, "sgd")),
    (
        "holds no parameter of this model",
        lambda s, o: landscape.sharpness(s, optim.SGD(network().parameters(), lr=1.0)),
    ),
    ("fraction", lambda s, o: landscape.saddle(s, fraction=-1.0)),
    ("gradient_tolerance", lambda s, o: landscape.saddle(s, gradient_tolerance=math.nan)),
    ("repeats", lambda s, o: landscape.noise_scale(s, repeats=0)),
    ("repeats", lambda s, o: landscape.noise_scale(s, repeats="many")),
    ("batches", lambda s, o: landscape.critical_batch(s, o, [])),
    ("a batch size must be", lambda s, o: landscape.critical_batch(s, o, [0, 2])),
    ("batches", lambda s, o: landscape.critical_batch(s, o, 4)),
    ("optimizer", lambda s, o: landscape.critical_batch(s, None, [1, 2])),
    ("tolerance", lambda s, o: landscape.critical_batch(s, o, [1, 2], tolerance=math.nan)),
    ("points", lambda s, o: landscape.line(s, s.point() + 1, points=0)),
    ("points", lambda s, o: landscape.line(s, s.point() + 1, points=1)),
    ("span", lambda s, o: landscape.line(s, s.point() + 1, span=(0.0, math.nan))),
    ("span", lambda s, o: landscape.line(s, s.point() + 1, span=(1.0, 0.0))),
    ("points", lambda s, o: landscape.plane(s, points=0)),
    ("points", lambda s, o: landscape.plane(s, points=2.5)),
    ("span", lambda s, o: landscape.plane(s, span=math.nan)),
    ("span", lambda s, o: landscape.plane(s, span=0.0)),
    ("span", lambda s, o: landscape.plane(s, span=-1.0)),
    ("span", lambda s, o: landscape.plane(s, span="wide")),
    ("direction", lambda s, o: landscape.plane(s, torch.zeros(2, s.dimension))),
    ("direction", lambda s, o: landscape.plane(s, torch.ones(3, s.dimension))),
    ("direction", lambda s, o: landscape.plane(s, torch.ones(2, s.dimension))),
    ("steps", lambda s, o: landscape.connect(s, None, s.point() + 1, steps=-1)),
    ("lr", lambda s, o: landscape.connect(s, None, s.point() + 1, lr=-1.0)),
    ("points", lambda s, o: landscape.connect(s, None, s.point() + 1, points=0)),
    ("radii", lambda s, o: landscape.flatness(s, radii=())),
    ("radii", lambda s, o: landscape.flatness(s, radii=(-0.1,))),
    ("radii", lambda s, o: landscape.flatness(s, radii=(math.nan,))),
    ("radii", lambda s, o: landscape.flatness(s, radii=0.1)),
    ("directions", lambda s, o: landscape.flatness(s, directions=0)),
    ("count", lambda s, o: landscape.filter_normalized(s, count=0)),
    ("every", lambda s, o: landscape.Trajectory(s.model, every=0)),
    ("model", lambda s, o: landscape.Trajectory(None)),
    ("margin", lambda s, o: landscape.trajectory_plane(s, landscape.Trajectory(s.model), margin=math.nan)),
    ("need 3 points", lambda s, o: landscape.trajectory_plane(s, landscape.Trajectory(s.model))),
    ("trajectory", lambda s, o: landscape.trajectory_plane(s, [s.point()])),
    ("budget", lambda s, o: landscape.survey(s, math.nan)),
    ("budget", lambda s, o: landscape.survey(s, 0)),
    ("loss", lambda s, o: s.term("other")),
    ("product", lambda s, o: s.product(s.point(), "newton")),
]


@pytest.mark.parametrize("index", range(len(OPTIONS)), ids=lambda i: f"{i}-{OPTIONS[i][0]}")
def test_options_out_of_their_range(index: int) -> None:
    word, act = OPTIONS[index]
    surface, optimizer = good()
    assert word in refusal(lambda: act(surface, optimizer))
