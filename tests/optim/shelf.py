"""Every exported optimizer with its variants, and a noisy bowl to run them on."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from thalweg import optim

Vector = np.ndarray
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
    "Adadelta": {
        "plain": {"lr": 0.5, "rho": 0.8, "eps": 0.01},
        "decay": {"lr": 1.5, "rho": 0.9, "eps": 1e-3, "weight_decay": 0.2},
        "maximize": {"lr": 0.5, "rho": 0.7, "eps": 0.01, "weight_decay": 0.1, "maximize": True},
    },
    "Adamax": {
        "plain": {"lr": 0.05, "betas": (0.8, 0.7), "eps": 0.01},
        "decay": {"lr": 0.05, "weight_decay": 0.2},
        "maximize": {"lr": 0.05, "betas": (0.7, 0.9), "weight_decay": 0.2, "maximize": True},
    },
    "RAdam": {
        "plain": {"lr": 0.05, "betas": (0.8, 0.9), "eps": 0.01},
        "never rectified": {"lr": 0.1, "betas": (0.7, 0.6)},
        "coupled": {"lr": 0.05, "betas": (0.7, 0.7), "weight_decay": 0.2},
        "decoupled": {"lr": 0.05, "betas": (0.8, 0.9), "weight_decay": 0.2, "decoupled_weight_decay": True},
        "maximize": {"lr": 0.05, "betas": (0.8, 0.95), "weight_decay": 0.2, "maximize": True},
    },
    "Rprop": {
        "plain": {"lr": 0.05},
        "narrow": {"lr": 0.05, "etas": (0.6, 1.5), "step_sizes": (0.02, 0.1)},
        "maximize": {"lr": 0.05, "etas": (0.4, 1.3), "maximize": True},
    },
    "NAdam": {
        "plain": {"lr": 0.05, "betas": (0.8, 0.9), "eps": 0.01},
        "coupled": {"lr": 0.05, "momentum_decay": 3.0, "weight_decay": 0.2},
        "decoupled": {"lr": 0.05, "betas": (0.6, 0.9), "weight_decay": 0.2, "decoupled_weight_decay": True},
        "maximize": {"lr": 0.05, "betas": (0.8, 0.9), "weight_decay": 0.2, "maximize": True},
    },
    "ASGD": {
        "plain": {"lr": 0.05},
        "averaging": {"lr": 0.1, "lambd": 0.3, "alpha": 0.6, "t0": 4.0, "weight_decay": 0.1},
        "maximize": {"lr": 0.1, "lambd": 0.2, "t0": 2.0, "weight_decay": 0.1, "maximize": True},
    },
    "Adafactor": {
        "plain": {"lr": 0.05},
        "all": {"lr": 0.3, "beta2_decay": -0.5, "eps": (0.3, 0.5), "d": 1.2, "weight_decay": 0.2},
        "maximize": {"lr": 0.1, "eps": (1e-3, 1.0), "weight_decay": 0.1, "maximize": True},
    },
    "LARS": {
        "plain": {"lr": 2.0, "momentum": 0.8, "weight_decay": 0.0, "trust_coefficient": 0.05},
        "decay": {"lr": 1.5, "momentum": 0.7, "weight_decay": 0.2, "trust_coefficient": 0.05},
        "not adapted": {"lr": 0.05, "momentum": 0.8, "weight_decay": 0.1, "adapt": False},
        "maximize": {"lr": 1.5, "weight_decay": 0.2, "trust_coefficient": 0.02, "maximize": True},
    },
    "LAMB": {
        "plain": {"lr": 0.05},
        "all": {"lr": 0.05, "betas": (0.8, 0.9), "eps": 0.01, "weight_decay": 0.2, "bounds": (1.0, 1.5)},
        "uncorrected": {"lr": 0.05, "betas": (0.8, 0.9), "bias_correction": False},
        "not adapted": {"lr": 0.05, "weight_decay": 0.2, "adapt": False},
        "maximize": {"lr": 0.05, "weight_decay": 0.2, "maximize": True},
    },
    "SGDHD": {
        "plain": {"lr": 0.05, "hypergrad_lr": 1e-4},
        "decay": {"lr": 0.05, "hypergrad_lr": 3e-4, "weight_decay": 0.1},
        "maximize": {"lr": 0.05, "hypergrad_lr": 1e-4, "weight_decay": 0.1, "maximize": True},
    },
    "AdamHD": {
        "plain": {"lr": 0.05, "betas": (0.8, 0.9), "eps": 0.0, "hypergrad_lr": 1e-3},
        "decay": {"lr": 0.05, "betas": (0.7, 0.6), "eps": 0.01, "hypergrad_lr": 1e-3, "weight_decay": 0.1},
        "maximize": {"lr": 0.05, "hypergrad_lr": 3e-4, "weight_decay": 0.1, "maximize": True},
    },
    "Learned": {
        "plain": {"lr": 1.0},
        "decay": {"lr": 2.0, "weight_decay": 0.02},
        "maximize": {"lr": 0.5, "weight_decay": 0.01, "maximize": True},
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
    "Adadelta": ["square_avg", "acc_delta"],
    "Adamax": ["exp_avg", "exp_inf"],
    "RAdam": ["exp_avg", "exp_avg_sq"],
    "Rprop": ["prev", "step_size"],
    "NAdam": ["exp_avg", "exp_avg_sq", "mu_product"],
    "ASGD": ["ax", "eta", "mu"],
    "Adafactor": ["row_var", "col_var", "variance"],
    "LARS": ["velocity"],
    "LAMB": ["exp_avg", "exp_avg_sq"],
    "SGDHD": ["prev_grad", "lr_shift"],
    "AdamHD": ["exp_avg", "exp_avg_sq", "lr_shift"],
    "Learned": ["exp_avg", "exp_avg_slow", "exp_avg_sq"],
}
TWINS = [name for name in VARIANTS if hasattr(torch.optim, name)]  # those that torch has

# How the tests of behaviour treat a class, where it is not by its rate alone: options with which it stands
# still, with which it reaches the floor of a bowl in 150 steps, and with which each step is tiny.
STILL: dict[str, dict[str, Any]] = {
    "Rprop": {"step_sizes": (0.0, 0.0)},
    "SGDHD": {"hypergrad_lr": 0.0},
    "AdamHD": {"hypergrad_lr": 0.0},
}
QUICK: dict[str, dict[str, Any]] = {"Adagrad": {"lr": 0.5}, "Adadelta": {"lr": 1.0}}
TINY: dict[str, dict[str, Any]] = {
    "Adagrad": {"lr": 2e-3},
    "Adadelta": {"lr": 1e-2},
    "Learned": {"lr": 1e-2},
    "Rprop": {"step_sizes": (0.0, 1e-4)},
    "LARS": {"lr": 5e-4},
}
# Their step in one element depends on the others: an infinity or a NaN spreads.
JOINT = {"Adafactor", "LARS", "LAMB", "SGDHD", "AdamHD", "Learned"}


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
