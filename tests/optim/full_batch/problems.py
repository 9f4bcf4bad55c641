"""Losses with known minima, and every full-batch method with its variants."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from thalweg import optim

VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "GradientDescent": {"fixed": {"lr": 0.05}, "armijo": {"lr": 1.0, "line_search_fn": "armijo"}},
    "RandomSearch": {"local": {"lr": 0.2, "seed": 3}, "fresh": {"lr": 1.0, "local": False}},
    "CoordinateDescent": {
        "cyclic": {},
        "random": {"order": "random", "seed": 5},
        "plain": {"exact": False, "lr": 0.05},
        "lasso": {"l1": 0.3},
    },
    "Newton": {
        "trust region": {},
        "line search": {"globalization": "line_search"},
        "pure": {"globalization": None, "lr": 0.5},
    },
    "NewtonCG": {"trust region": {}, "line search": {"globalization": "line_search"}},
    "BFGS": {
        "wolfe": {},
        "damped": {"damped": True, "line_search_fn": None, "lr": 0.1, "max_iter": 3},
    },
    "LBFGS": {
        "fixed": {"lr": 0.2},
        "wolfe": {"line_search_fn": "strong_wolfe", "history_size": 4},
        "one": {"line_search_fn": "strong_wolfe", "max_iter": 1},
    },
}
MATRIX = [(name, variant) for name, variants in VARIANTS.items() for variant in variants]
IDS = [f"{name}-{variant}" for name, variant in MATRIX]
NAMES = pytest.mark.parametrize("name", VARIANTS)
EACH = pytest.mark.parametrize(("name", "variant"), MATRIX, ids=IDS)
TYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
LEAST_EVAL = {"CoordinateDescent": 3, "LBFGS": 1}  # of max_eval; 2 for the others that have it

SHAPES = [(3,), (2, 2), ()]


def class_of(name: str) -> Any:
    return getattr(optim, name)


def state_of(optimizer: Any) -> dict[str, Any]:
    return optimizer.state[optimizer.param_groups[0]["params"][0]]


def bits(optimizer: Any) -> bytes:
    return values(optimizer.param_groups[0]["params"]).tobytes()


def make(name: str, variant: str, params: Any, **more: Any) -> Any:
    return getattr(optim, name)(params, **{**VARIANTS[name][variant], **more})


def parts(x: Any, shapes: Sequence[tuple[int, ...]] = SHAPES, dtype: Any = torch.float64) -> list[Any]:
    """A vector as parameters of several shapes."""
    pieces = np.split(np.asarray(x), np.cumsum([int(np.prod(s)) for s in shapes])[:-1])
    return [
        torch.nn.Parameter(torch.tensor(v, dtype=dtype).reshape(s))
        for v, s in zip(pieces, shapes, strict=True)
    ]


def joined(params: Any) -> Tensor:
    return torch.cat([p.reshape(-1) for p in params])


def values(params: Any) -> np.ndarray:
    return joined(params).detach().double().numpy().copy()


@dataclass
class Closure:
    """The closure that every method takes, on a loss of one vector; it counts its calls."""

    optimizer: Any
    loss: Callable[[Tensor], Tensor]
    calls: int = 0

    def __call__(self) -> Tensor:
        self.calls += 1
        params = self.optimizer.param_groups[0]["params"]
        self.optimizer.zero_grad()
        loss = self.loss(joined(params))
        loss.backward()
        return loss


def run(optimizer: Any, loss: Callable[[Tensor], Tensor], steps: int) -> np.ndarray:
    """The parameters after some steps."""
    closure = Closure(optimizer, loss)
    for _ in range(steps):
        optimizer.step(closure)
    return values(optimizer.param_groups[0]["params"])


class Quadratic:
    """½ (x - b) · A (x - b), with A positive definite and given condition; its minimum is b."""

    def __init__(self, n: int = 8, condition: float = 20.0, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        basis = np.linalg.qr(rng.normal(size=(n, n)))[0]
        self.a = (basis * np.geomspace(1, condition, n)) @ basis.T
        self.b, self.start = rng.normal(size=n), rng.normal(size=n)
        self.A, self.B = torch.tensor(self.a), torch.tensor(self.b)

    def __call__(self, x: Tensor) -> Tensor:
        away = x - self.B.to(x)
        return away @ self.A.to(x) @ away / 2


def rosenbrock(x: Tensor) -> Tensor:
    """Rosenbrock's valley in n dimensions: minimum 0 at (1, ..., 1)."""
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def saddle(x: Tensor) -> Tensor:
    """x² - y² + y⁴: a saddle at 0, minima -¼ at (0, ±1/√2)."""
    return x[0] ** 2 - x[1] ** 2 + x[1] ** 4
