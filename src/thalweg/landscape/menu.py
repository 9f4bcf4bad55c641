"""What each measurement of a survey costs, in sizes from coarse to fine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from time import perf_counter
from typing import TYPE_CHECKING, Any

import torch

from thalweg.landscape.budget import Option
from thalweg.landscape.condition import condition
from thalweg.landscape.data import Batches
from thalweg.landscape.density import density
from thalweg.landscape.eigen import eigenpairs
from thalweg.landscape.flatness import flatness
from thalweg.landscape.gradcheck import gradcheck
from thalweg.landscape.lr_range import lr_range
from thalweg.landscape.noise import NoiseScale, noise_scale
from thalweg.landscape.saddle import saddle
from thalweg.landscape.sharpness import sharpness
from thalweg.landscape.slices import plane
from thalweg.landscape.surface import Surface
from thalweg.landscape.trace import trace
from thalweg.landscape.trajectory import trajectory_plane

if TYPE_CHECKING:
    from thalweg.landscape.trajectory import Trajectory

__all__ = ["MENUS", "Costs", "Given", "contrast", "measure_costs"]

Optimizer = torch.optim.Optimizer
_DIFFERENCES = 6  # evaluations of the loss that one derivative takes, its noise and kinks included
_POINT = 1.3  # times the loss that a point of a slice costs: it is also computed where it lies
_CONTRAST = 15  # products with the Hessian for the largest curvature where the training began
_NO_ENDS = "it is judged by the ends of the spectrum, and these were not measured"


@dataclass(frozen=True)
class Costs:
    """Seconds of one evaluation.

    Attributes:
        value: of the loss.
        gradient: of loss and gradient.
        product: of a product with the Hessian.
        exact: of the loss in float64 on the data of the gradient check.
        batch: of the gradient of one batch as the training takes it.
    """

    value: float
    gradient: float
    product: float
    exact: float
    batch: float


@dataclass
class Given:
    """What a survey is made of; `found` and `skipped` fill while it runs."""

    surface: Surface
    optimizer: Optimizer | None
    start: tuple[Surface, Optimizer] | None
    batches: Surface | None
    trajectory: Trajectory | None
    seed: int
    costs: Costs = field(init=False)
    found: dict[str, Any] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


def measure_costs(given: Given) -> Costs:
    """Time each kind of evaluation."""
    surface, exact = given.surface, _first(given.surface).in_float64()
    vector = torch.ones(surface.dimension, dtype=surface.dtype, device=surface.device)
    with surface.products() as product:
        value, gradient = _timed(surface.value), _timed(surface.gradient)
        multiplied = _timed(partial(product, vector))
    batch = _first(given.batches or (given.start[0] if given.start else surface))
    return Costs(value, gradient, multiplied, _timed(exact.value), _timed(batch.gradient))


def _first(surface: Surface, many: int = 1) -> Surface:
    """The surface of the first batches."""
    with surface.hold():  # a loader that shuffles is to be as before
        data = Batches([batch for _, batch in islice(surface.batches(), many)])
    return Surface(surface.model, surface.terms, data, seed=surface.seed)


def _timed(call: Callable[[], Any]) -> float:
    """The faster of two calls, after one that warms up."""
    call()
    return min(_once(call), _once(call))


def _once(call: Callable[[], Any]) -> float:
    began = perf_counter()
    call()
    return perf_counter() - began


Menu = list[Option] | str


def _gradient(given: Given) -> Menu:
    surface = _first(given.surface)  # one batch shows a wrong gradient as well as many
    least = len(given.surface.names)  # one coordinate of every parameter is always checked
    return [
        Option(
            _DIFFERENCES * (max(coordinates, least) + directions) * given.costs.exact,
            partial(gradcheck, surface, coordinates, directions, seed=given.seed),
        )
        for coordinates, directions in ((8, 2), (32, 4), (64, 8))
    ]


def _curvature(given: Given) -> Menu:
    return [
        Option(
            given.costs.product * products,
            partial(eigenpairs, given.surface, k, "both", max_products=products, seed=given.seed),
        )
        for k, products in _within(given, (1, 25), (5, 50), (5, 100), (5, 200))
    ]


def _within(given: Given, *sizes: tuple[int, int]) -> list[tuple[int, int]]:
    """The sizes (eigenvalues, products), ended by all eigenvalues that are wanted once all are seen."""
    n = given.surface.dimension
    most = min(sizes[-1][0], n)
    return [(min(k, n), products) for k, products in sizes if products < n] + (
        [(most, n)] if n <= sizes[-1][1] else []
    )


def _saddle(given: Given) -> Menu:
    if "curvature" in given.skipped:
        return _NO_ENDS
    return [
        Option(
            2 * given.costs.gradient + 8 * given.costs.value,
            lambda: saddle(given.surface, pairs=given.found["curvature"], seed=given.seed),
        )
    ]


def _sharpness(given: Given) -> Menu:
    if given.optimizer is None:
        return "it is judged against the learning rate of the optimizer at this point, and none is known"
    most = min(given.surface.dimension, 200)
    return [
        Option(
            products * given.costs.product,
            partial(sharpness, given.surface, given.optimizer, max_products=products, seed=given.seed),
        )
        for products in (min(12, most), min(30, most), min(60, most), most)
    ]


def _noise(given: Given) -> Menu:
    surface, gradient = given.surface, given.costs.gradient
    if given.batches is None:
        return [Option(2 * gradient, partial(noise_scale, surface, 64, seed=given.seed))]
    return [
        Option(2 * many * given.costs.batch, partial(_noise_of, given.batches, many, given.seed))
        for many in (8, 16, 32, 64, 128)
    ]


def _noise_of(surface: Surface, many: int, seed: int) -> NoiseScale:
    """The noise scale from the first batches; each is read twice."""
    few = _first(surface, many)
    return noise_scale(few, min(sum(1 for _ in few.data), 16), seed)


def _lr(given: Given) -> Menu:
    surface, optimizer = given.start or (given.surface, given.optimizer)
    if optimizer is None:
        return "it trains, and there is no optimizer"
    return [
        Option(
            repeats * steps * given.costs.batch,
            partial(lr_range, surface, optimizer, steps=steps, repeats=repeats, seed=given.seed),
        )
        for repeats, steps in ((1, 40), (3, 40), (3, 100))
    ]


def _flat(given: Given) -> Menu:
    return [
        Option(
            11 * directions * given.costs.value,
            partial(flatness, given.surface, directions=directions, seed=given.seed),
        )
        for directions in (3, 5, 10)
    ]


def _condition(given: Given) -> Menu:
    if "curvature" in given.skipped:
        return _NO_ENDS
    return [Option(0.0, lambda: condition(given.surface, pairs=given.found["curvature"]))]


def _trace(given: Given) -> Menu:
    return [
        Option(products * given.costs.product, partial(trace, given.surface, products, seed=given.seed))
        for products in (9, 18, 30, 60)
    ]


def _spectrum(given: Given) -> Menu:
    return [
        Option(
            probes * steps * given.costs.product,
            partial(density, given.surface, probes, steps, seed=given.seed),
        )
        for probes, steps in ((1, 16), (2, 24), (4, 32), (8, 48))
    ]


_GRIDS = (11, 21, 31, 41)


def _plane(given: Given) -> Menu:
    return [
        Option(
            _POINT * points**2 * given.costs.value,
            partial(plane, given.surface, points=points, seed=given.seed),
        )
        for points in _GRIDS
    ]


def _path(given: Given) -> Menu:
    if given.trajectory is None:
        return "no training was watched that led to this point"
    snapshots = len(given.trajectory)
    return [
        Option(
            _POINT * (points**2 + snapshots) * given.costs.value,
            partial(trajectory_plane, given.surface, given.trajectory, points=points),
        )
        for points in _GRIDS
    ]


def contrast(given: Given, seconds: float, facts: dict[str, Any]) -> None:
    """Add the loss where the training began, on the same data, and the largest curvature if there is time."""
    if given.start is None or given.costs.value > seconds:
        return
    model = given.start[0].model
    surface = Surface(model, given.surface.terms, given.surface.data, seed=given.seed)
    with surface.hold():
        model.train(given.surface.model.training)
        facts["start_loss"] = surface.value()
        if _CONTRAST * given.costs.product > seconds:
            return
        pairs = eigenpairs(surface, 1, "largest", max_products=_CONTRAST, seed=given.seed)
        if pairs.converged:
            facts["start_largest"] = float(pairs.values[0])


MENUS: Mapping[str, Callable[[Given], Menu]] = {
    "gradient": _gradient,
    "curvature": _curvature,
    "saddle": _saddle,
    "sharpness": _sharpness,
    "noise": _noise,
    "lr": _lr,
    "flat": _flat,
    "path": _path,
    "plane": _plane,
    "condition": _condition,
    "trace": _trace,
    "spectrum": _spectrum,
}
"""For each measurement, in the order in which they are made, its sizes or why there are none.

What comes last is what is left out where the machine turns out slower than planned: never the pictures."""
