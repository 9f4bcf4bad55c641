"""Every exported optimizer with its variants, and independent transcriptions of their papers in numpy.

The transcriptions work on all parameters of a model as one vector, in float64. They know nothing of the
package: each is written from its source in plain statements.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from thalweg import optim

SHAPES = [(3,), (2, 4), (), (5, 1), (1, 1, 2)]
SIZES = [int(np.prod(shape)) for shape in SHAPES]

VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "SGD": {
        "plain": {"lr": 0.05},
        "momentum": {"lr": 0.05, "momentum": 0.8},
        "dampened": {"lr": 0.05, "momentum": 0.8, "dampening": 0.3, "weight_decay": 0.1},
        "nesterov": {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1},
        "maximize": {"lr": 0.05, "momentum": 0.8, "weight_decay": 0.1, "maximize": True},
    },
    "Momentum": {
        "sum": {"lr": 0.05, "momentum": 0.8, "convention": "sum", "weight_decay": 0.1},
        "average": {"lr": 0.2, "momentum": 0.8, "convention": "average"},
        "velocity": {"lr": 0.05, "momentum": 0.8, "convention": "velocity"},
        "maximize": {"lr": 0.05, "momentum": 0.8, "convention": "velocity", "maximize": True},
    },
    "Nesterov": {
        "plain": {"lr": 0.05, "momentum": 0.8},
        "decay": {"lr": 0.05, "momentum": 0.8, "weight_decay": 0.1},
    },
    "Adagrad": {
        "plain": {"lr": 0.1},
        "decaying": {"lr": 0.1, "lr_decay": 0.2, "weight_decay": 0.1, "eps": 0.01},
        "started": {"lr": 0.1, "initial_accumulator_value": 0.5, "maximize": True},
    },
    "RMSprop": {
        "plain": {"lr": 0.02, "alpha": 0.9, "eps": 0.01},
        "momentum": {"lr": 0.01, "alpha": 0.9, "momentum": 0.7, "weight_decay": 0.1},
        "centered": {"lr": 0.01, "alpha": 0.9, "centered": True, "eps": 0.01},
        "both": {"lr": 0.005, "alpha": 0.8, "centered": True, "momentum": 0.5, "maximize": True},
    },
    "Adam": {
        "plain": {"lr": 0.05, "eps": 0.01},
        "amsgrad": {"lr": 0.05, "betas": (0.7, 0.6), "amsgrad": True, "eps": 0.01},
        "coupled": {"lr": 0.05, "betas": (0.8, 0.9), "weight_decay": 0.2},
        "decoupled": {"lr": 0.05, "weight_decay": 0.2, "decoupled_weight_decay": True},
        "maximize": {"lr": 0.05, "betas": (0.8, 0.9), "weight_decay": 0.2, "maximize": True},
    },
    "AdamW": {
        "plain": {"lr": 0.05},
        "amsgrad": {"lr": 0.05, "betas": (0.7, 0.6), "amsgrad": True, "weight_decay": 0.2},
        "maximize": {"lr": 0.05, "weight_decay": 0.2, "maximize": True},
    },
}
MATRIX = [(name, variant) for name, variants in VARIANTS.items() for variant in variants]
IDS = [f"{name}-{variant}" for name, variant in MATRIX]
STATES = {
    "SGD": ["momentum_buffer"],
    "Momentum": ["velocity"],
    "Nesterov": ["velocity"],
    "Adagrad": ["sum"],
    "RMSprop": ["square_avg", "grad_avg", "momentum_buffer"],
    "Adam": ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"],
    "AdamW": ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"],
}

Vector = np.ndarray
Gradient = Callable[[Vector], Vector]
Paper = Callable[[dict[str, Any], Vector, Gradient, dict[str, Vector], int], Vector]


def sgd(o, p, grad, s, t):
    g = grad(p) + o["weight_decay"] * p
    if o["momentum"] == 0:
        return p - o["lr"] * g
    if t == 1:
        s["momentum_buffer"] = g
    else:
        s["momentum_buffer"] = o["momentum"] * s["momentum_buffer"] + (1 - o["dampening"]) * g
    if o["nesterov"]:
        return p - o["lr"] * (g + o["momentum"] * s["momentum_buffer"])
    return p - o["lr"] * s["momentum_buffer"]


def momentum(o, p, grad, s, t):
    mu, lr, g = o["momentum"], o["lr"], grad(p) + o["weight_decay"] * p
    old = s.get("velocity", np.zeros_like(p))
    if o["convention"] == "sum":
        s["velocity"] = mu * old + g
        return p - lr * s["velocity"]
    if o["convention"] == "average":
        s["velocity"] = mu * old + (1 - mu) * g
        return p - lr * s["velocity"]
    s["velocity"] = mu * old - lr * g
    return p + s["velocity"]


def look_ahead(o, p, grad, s, t):
    old = s.get("velocity", np.zeros_like(p))
    g = grad(p + o["momentum"] * old) + o["weight_decay"] * p
    s["velocity"] = o["momentum"] * old - o["lr"] * g
    return p + s["velocity"]


def adagrad(o, p, grad, s, t):
    g = grad(p) + o["weight_decay"] * p
    s["sum"] = s.get("sum", np.full_like(p, o["initial_accumulator_value"])) + g**2
    return p - o["lr"] / (1 + (t - 1) * o["lr_decay"]) * g / (np.sqrt(s["sum"]) + o["eps"])


def rmsprop(o, p, grad, s, t):
    g, a = grad(p) + o["weight_decay"] * p, o["alpha"]
    zero = np.zeros_like(p)
    s["square_avg"] = a * s.get("square_avg", zero) + (1 - a) * g**2
    variance = s["square_avg"]
    if o["centered"]:
        s["grad_avg"] = a * s.get("grad_avg", zero) + (1 - a) * g
        variance = np.maximum(variance - s["grad_avg"] ** 2, 0)
    scaled = g / (np.sqrt(variance) + o["eps"])
    if o["momentum"] > 0:
        scaled = s["momentum_buffer"] = o["momentum"] * s.get("momentum_buffer", zero) + scaled
    return p - o["lr"] * scaled


def adam(o, p, grad, s, t):
    (b1, b2), g, zero = o["betas"], grad(p), np.zeros_like(p)
    decoupled = o.get("decoupled_weight_decay", True)
    if not decoupled:
        g = g + o["weight_decay"] * p
    s["exp_avg"] = b1 * s.get("exp_avg", zero) + (1 - b1) * g
    s["exp_avg_sq"] = second = b2 * s.get("exp_avg_sq", zero) + (1 - b2) * g**2
    if o["amsgrad"]:
        s["max_exp_avg_sq"] = second = np.maximum(s.get("max_exp_avg_sq", zero), second)
    m_hat, v_hat = s["exp_avg"] / (1 - b1**t), second / (1 - b2**t)
    shrunk = p - o["lr"] * o["weight_decay"] * p if decoupled else p
    return shrunk - o["lr"] * m_hat / (np.sqrt(v_hat) + o["eps"])


PAPERS: dict[str, Paper] = {
    "SGD": sgd,
    "Momentum": momentum,
    "Nesterov": look_ahead,
    "Adagrad": adagrad,
    "RMSprop": rmsprop,
    "Adam": adam,
    "AdamW": adam,
}


class Bowl:
    """A noisy quadratic: the gradient at p in step t is ``h * p + noise[t]``, known as a vector.

    The noise is loud in some steps and faint in others, so that a clipping threshold between is crossed.
    """

    def __init__(self, steps: int, seed: int = 0, loud: float = 1.5) -> None:
        rng = np.random.default_rng(seed)
        size = sum(SIZES)
        self.start = rng.normal(size=size)
        self.h = rng.uniform(0.3, 3, size)
        self.noise = rng.normal(size=(steps + 1, size)) * np.where(
            rng.random((steps + 1, 1)) < 0.5, loud, 0.05
        )

    def gradient(self, p: Vector, t: int) -> Vector:
        return self.h * p + self.noise[t]


def split(vector: Vector, dtype: torch.dtype = torch.float64) -> list[torch.Tensor]:
    """The vector as tensors of `SHAPES`."""
    parts = np.split(vector, np.cumsum(SIZES)[:-1])
    return [torch.tensor(v, dtype=dtype).reshape(shape) for v, shape in zip(parts, SHAPES, strict=True)]


def join(tensors: list[torch.Tensor]) -> Vector:
    """The elements of tensors as one vector in float64."""
    return torch.cat([t.detach().to(torch.float64).flatten() for t in tensors]).numpy()


def parameters(vector: Vector, dtype: torch.dtype = torch.float64) -> list[torch.nn.Parameter]:
    return [torch.nn.Parameter(t) for t in split(vector, dtype)]


def feed(params: list[torch.nn.Parameter], bowl: Bowl, t: int) -> Callable[[], float]:
    """A closure that sets the gradients of the bowl at the parameters' present values."""

    def closure() -> float:
        for p, g in zip(params, split(bowl.gradient(join(params), t)), strict=True):
            p.grad = g.to(p.dtype)
        return 0.0

    return closure


def make(name: str, params: Any, variant: dict[str, Any], **more: Any) -> Any:
    """One of the shelf's optimizers."""
    return getattr(optim, name)(params, **{**variant, **more})
