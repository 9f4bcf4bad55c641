"""The learned optimizer in numpy, its network as matrices; the file of weights is all that it shares."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import thalweg.optim
from tests.optim.shelf import SIZES, Vector

SHIPPED: dict[str, float] = json.loads((Path(thalweg.optim.__file__).parent / "learned.json").read_text())
FEATURES = ("fast", "slow", "turn", "odd", "size", "agree", "early", "late")
OUTPUTS = ("rate", "now", "past")
UNITS = (1, 2, 3, 4)


def drawn(seed: int, rate: float) -> dict[str, float]:
    """Another network, around a rate: in the shipped one a unit or a bound may be asleep on a bowl."""
    rng = np.random.default_rng(seed)
    weights = {name: float(rng.normal(0, 0.7)) for name in SHIPPED}
    weights |= {f"{output}{unit}": float(rng.normal(0, 0.5)) for output in OUTPUTS for unit in UNITS}
    return weights | {"beta1": 0.8, "beta2": 0.95, "beta3": 0.9, "rate0": rate, "now0": 0.3, "past0": 0.2}


def learned(
    o: Mapping[str, Any],
    p: Vector,
    grad: Any,
    s: dict[str, Vector],
    t: int,
    weights: Mapping[str, float] = SHIPPED,
) -> Vector:
    """One step."""
    first = np.array([[weights[f"{feature}{unit}"] for feature in FEATURES] for unit in UNITS])
    bias = np.array([[weights[f"bias{unit}"]] for unit in UNITS])
    second = np.array([[weights[f"{output}{unit}"] for unit in UNITS] for output in OUTPUTS])
    shift = np.array([[weights[f"{output}0"]] for output in OUTPUTS])
    b1, b2, b3 = (weights[f"beta{i}"] for i in (1, 2, 3))

    g, zero = grad(p), np.zeros_like(p)
    before = s.get("exp_avg", zero)
    s["exp_avg"] = b1 * before + (1 - b1) * g
    s["exp_avg_slow"] = b2 * s.get("exp_avg_slow", zero) + (1 - b2) * g
    s["exp_avg_sq"] = b3 * s.get("exp_avg_sq", zero) + (1 - b3) * g**2
    rms = np.sqrt(s["exp_avg_sq"] / (1 - b3**t)) + 1e-8
    x, y, z = g / rms, s["exp_avg"] / (1 - b1**t) / rms, s["exp_avg_slow"] / (1 - b2**t) / rms
    size, agree = np.empty_like(p), np.empty_like(p)
    for here in np.split(np.arange(len(p)), np.cumsum(SIZES)[:-1]):
        rho = np.sqrt(np.mean(p[here] ** 2))
        size[here] = rho / (rho + 0.05)
        norms = np.linalg.norm(g[here]) * np.linalg.norm(before[here])
        agree[here] = g[here] @ before[here] / norms if norms > 0 else 0
    f = np.stack([abs(y), abs(z), abs(y - z), abs(x - y), size, agree, zero + t**-0.5, zero + t / (t + 100)])
    rate, now, past = second @ np.clip(first @ f + bias, 0, None) + shift
    step = 0.01 * np.clip(rate, 0, 1.5) ** 8 * (y + now * x + past * z)
    return p - o["lr"] * (step + o["weight_decay"] * p)
