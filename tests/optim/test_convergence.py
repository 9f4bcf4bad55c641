"""Every algorithm goes all the way: on a quadratic, along Rosenbrock's valley and on images.

The thresholds are such that standing still fails all three, going uphill too, and on Rosenbrock's function so
does falling into the valley (where f is about 4) without following it.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.optim.kinds import RULED
from tests.optim.shelf import make
from thalweg.tasks.data import fashion_mnist
from thalweg.transforms import clip_norm

QUADRATIC, VALLEY, IMAGES = 1e-3, 0.5, 0.75  # the rest of the start's value; the value; the accuracy

# For each algorithm its options on the three.
Options = dict[str, Any]
PURE = {"weight_decay": 0.0}
OPTIONS: dict[str, tuple[Options, Options, Options]] = {
    "SGD": ({"lr": 0.3}, {"lr": 2e-3}, {"lr": 0.03}),
    "Momentum": ({"lr": 0.1}, {"lr": 1e-3}, {"lr": 0.01}),
    "Nesterov": ({"lr": 0.1}, {"lr": 1e-3}, {"lr": 0.01}),
    "Adagrad": ({"lr": 0.5}, {"lr": 1.0}, {"lr": 0.01}),
    "RMSprop": ({"lr": 0.03}, {"lr": 0.01}, {"lr": 1e-3}),
    "Adam": ({"lr": 0.05}, {"lr": 0.1}, {"lr": 3e-3}),
    "AdamW": ({"lr": 0.05}, {"lr": 0.1}, {"lr": 3e-3}),
    "Adadelta": ({"lr": 3.0}, {"lr": 0.3}, {"lr": 1.0}),
    "Adamax": ({"lr": 0.1}, {"lr": 0.1}, {"lr": 1e-2}),
    "RAdam": ({"lr": 0.1}, {"lr": 0.02, "transforms": [clip_norm(1.0)]}, {"lr": 3e-3}),
    "Rprop": ({}, {}, {"lr": 1e-3}),
    "NAdam": ({"lr": 0.05}, {"lr": 0.03}, {"lr": 3e-3}),
    "ASGD": ({"lr": 0.3}, {"lr": 2e-3}, {"lr": 0.03}),
    "Adafactor": ({"lr": 0.1}, {"lr": 0.1}, {"lr": 0.1}),
    "LARS": ({"lr": 10.0, **PURE}, PURE, {"lr": 10.0}),
    # Where the valley passes the origin, a step as long as p would come to rest: hence the bound.
    "LAMB": ({"lr": 0.03, **PURE}, {"lr": 0.01, "bounds": (1.0, 2.0), **PURE}, {"lr": 0.01}),
    "SGDHD": (
        {"lr": 0.01, "hypergrad_lr": 1e-2},
        {"lr": 5e-4, "hypergrad_lr": 1e-7},
        {"lr": 3e-3, "hypergrad_lr": 1e-4},
    ),
    "AdamHD": (
        {"lr": 1e-3, "hypergrad_lr": 1e-4},
        {"lr": 1e-3, "hypergrad_lr": 1e-5},
        {"lr": 1e-4, "hypergrad_lr": 1e-6},
    ),
    "Learned": ({}, {}, {}),
}
FULL_BATCH = {"Rprop"}  # they cannot take the noise of mini-batches
NAMES = pytest.mark.parametrize("name", OPTIONS)


def test_every_algorithm_is_in_the_table() -> None:
    assert set(OPTIONS) == set(RULED)


def on_a_quadratic(name: str, options: Options) -> float:
    """What is left of f(p) = 1/2 sum(h p^2), of condition 20, after 300 steps."""
    h = torch.logspace(-1, 0.3, 12)
    p = nn.Parameter(torch.linspace(-1.9, 2.1, 12))
    optimizer = make(name, [p], options)
    start = (h * p.detach() ** 2).sum().item()
    for _ in range(300):
        optimizer.step(lambda: setattr(p, "grad", h * p.detach()))
    return (h * p.detach() ** 2).sum().item() / start


def on_rosenbrock(name: str, options: Options) -> float:
    """f(x, y) = (1 - x)^2 + 100 (y - x^2)^2 after 2,000 steps from (-1.2, 1), where it is 24.2."""
    p = nn.Parameter(torch.tensor([-1.2, 1.0], dtype=torch.float64))
    optimizer = make(name, [p], options)

    def closure() -> None:
        x, y = p.tolist()
        p.grad = p.new_tensor([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)])

    for _ in range(2000):
        optimizer.step(closure)
    x, y = p.tolist()
    return float((1 - x) ** 2 + 100 * (y - x * x) ** 2)


@cache
def images() -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    train, valid, _ = fashion_mnist()
    return (train[0][:2000], train[1][:2000]), (valid[0][:1000], valid[1][:1000])


def on_images(name: str, options: Options) -> float:
    """The accuracy of softmax regression on 1,000 unseen images after 200 steps on 2,000."""
    (x, y), (unseen, labels) = images()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    optimizer = make(name, model.parameters(), options)
    size = 1000 if name in FULL_BATCH else 100
    for k in range(200):
        rows = slice(0, size) if name in FULL_BATCH else slice(k * size % 2000, k * size % 2000 + size)

        def closure(rows: slice = rows) -> Tensor:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
            loss.backward()
            return loss

        optimizer.step(closure)
    with torch.no_grad():
        return (model(unseen).argmax(1) == labels).float().mean().item()


@NAMES
def test_it_reaches_the_bottom_of_a_quadratic(name: str) -> None:
    assert on_a_quadratic(name, OPTIONS[name][0]) < QUADRATIC


@NAMES
def test_it_follows_the_valley_of_rosenbrock(name: str) -> None:
    assert on_rosenbrock(name, OPTIONS[name][1]) < VALLEY


@NAMES
def test_it_learns_to_tell_clothes(name: str) -> None:
    assert on_images(name, OPTIONS[name][2]) > IMAGES


@pytest.mark.parametrize("options", [{"lr": 0.0}, {"lr": 1e-3, "maximize": True}, {"lr": 1e-6}], ids=str)
def test_what_stands_still_or_climbs_fails(options: Options) -> None:
    run: list[Callable[[str, Options], float]] = [on_a_quadratic, on_rosenbrock, on_images]
    quadratic, valley, accuracy = (f("RMSprop", options) for f in run)
    assert quadratic > 0.9
    assert valley > 4
    assert accuracy < 0.5
