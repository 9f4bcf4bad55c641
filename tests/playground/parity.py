"""Races of the shelf's optimizers, run by the reference engine and handed to the printed JavaScript.

Both compute the gradient by the same arithmetic on lists of floats, so that what differs is the engine's.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from tests.optim.network import drawn
from tests.optim.shelf import VARIANTS
from thalweg import optim, schedules, transforms
from thalweg.optim.learned import WEIGHTS

Vector = list[float]
Gradient = Callable[[Vector, int], Vector]
SIZE, STEPS = 7, 200
ELEMENTWISE = [name for name in VARIANTS if name != "Adafactor"]


@cache
def data() -> dict[str, Any]:
    """A start, curvatures, and the noise of each step; of the recorded gradients some are extreme."""
    rng = np.random.default_rng(5)
    recorded = rng.normal(size=(STEPS, SIZE))
    recorded[:, 0] = 0.0
    recorded[:, 1] *= 1e-200
    recorded[:, 2] *= 1e9
    recorded[100:110, 3] = 0.0
    recorded[:, 4] *= np.where(rng.random(STEPS) < 0.1, 1e6, 1e-3)
    recorded[:, 5] = 0.63  # whose variance rounds to less than 0
    recorded[10:15] = 0.0
    start = rng.normal(size=SIZE)
    start[0] = 0.0
    loud = np.where(rng.random((STEPS, 1)) < 0.5, 1.5, 0.05)
    return {
        "start": start.tolist(),
        "curvature": rng.uniform(0.3, 3, SIZE).tolist(),
        "noise": (rng.normal(size=(STEPS, SIZE)) * loud).tolist(),
        "recorded": recorded.tolist(),
        "networks": [drawn(1, 0.6), drawn(2, 1.4)],
    }


def bowl(p: Vector, t: int) -> Vector:
    noise, curvature = data()["noise"][t], data()["curvature"]
    return [h * x + n for h, x, n in zip(curvature, p, noise, strict=True)]


def hill(p: Vector, t: int) -> Vector:
    """The bowl upside down, for those who climb."""
    noise, curvature = data()["noise"][t], data()["curvature"]
    return [n - h * x for h, x, n in zip(curvature, p, noise, strict=True)]


def recorded(p: Vector, t: int) -> Vector:
    return list(data()["recorded"][t])


def rosenbrock(p: Vector, t: int) -> Vector:
    """That of the chained function."""
    g = [0.0] * len(p)
    for i in range(len(p) - 1):
        d = p[i + 1] - p[i] * p[i]
        g[i] += -400 * p[i] * d - 2 * (1 - p[i])
        g[i + 1] += 200 * d
    return g


def broken(p: Vector, t: int) -> Vector:
    """A bowl, with a NaN and later an infinity."""
    g = bowl(p, t)
    if t == 5:
        g[2] = float("nan")
    if t == 9:
        g[1] = float("inf")
    return g


GRADIENTS: dict[str, Gradient] = {f.__name__: f for f in (bowl, hill, recorded, rosenbrock, broken)}


@dataclass(frozen=True)
class Case:
    """One run: what is optimized, how, and from where."""

    name: str
    optimizer: str
    options: dict[str, Any] = field(default_factory=dict)
    gradient: str = "bowl"
    transforms: tuple[tuple[str, dict[str, Any]], ...] = ()
    warmup: int = 0
    schedule: tuple[str, dict[str, Any]] | None = None
    network: int | None = None  # a learned optimizer has the weights of this one

    def plain(self) -> dict[str, Any]:
        """As the printed engine reads it."""
        wraps = [{"name": name, "options": options} for name, options in self.transforms]
        shape = self.schedule and {"name": self.schedule[0], "options": self.schedule[1]}
        kept = {"name": self.name, "optimizer": self.optimizer, "options": self.options}
        return {
            **kept,
            "gradient": self.gradient,
            "transforms": wraps,
            "warmup": self.warmup,
            "schedule": shape,
            "network": self.network,
        }


def run(case: Case) -> dict[str, Any]:
    """Take a case's steps with the reference engine: each step's outcome, parameters and states."""
    weights = {} if case.network is None else data()["networks"][case.network]
    with patch.dict(WEIGHTS, weights):  # type: ignore[arg-type]
        return _run(case)


def _run(case: Case) -> dict[str, Any]:
    p = torch.nn.Parameter(torch.tensor(data()["start"], dtype=torch.float64))
    wraps = [getattr(transforms, name)(**options) for name, options in case.transforms]
    optimizer = getattr(optim, case.optimizer)([p], **case.options, transforms=wraps, engine="reference")
    factor = _factor(case)
    base = optimizer.param_groups[0]["lr"]
    outcomes, path, states = [], [], []
    for t in range(STEPS):
        optimizer.param_groups[0]["lr"] = base * factor(t)
        outcomes.append(_step(optimizer, p, GRADIENTS[case.gradient], t))
        path.append(p.tolist())
        states.append({key: value.double().flatten().tolist() for key, value in optimizer.state[p].items()})
        if outcomes[-1] == "not finite":
            break
    return {"outcomes": outcomes, "path": path, "states": states}


def _factor(case: Case) -> Callable[[float], float]:
    rise = schedules.warmup(case.warmup) if case.warmup else None
    if case.schedule is None:
        return rise or (lambda step: 1.0)
    shape = getattr(schedules, case.schedule[0])(**case.schedule[1])
    return rise >> shape if rise else shape


def _step(optimizer: torch.optim.Optimizer, p: torch.nn.Parameter, gradient: Gradient, t: int) -> str:
    def closure() -> float:
        p.grad = torch.tensor(gradient(p.tolist(), t), dtype=torch.float64)
        return 0.0

    before = float(optimizer.state[p].get("step", 0))
    try:
        optimizer.step(closure)
    except FloatingPointError:
        return "not finite"
    if float(optimizer.state[p].get("step", 0)) == before:
        return "skipped"
    return "ok" if bool(torch.isfinite(p).all()) else "not finite"


EXTREME = {"LARS": ["plain"], "RMSprop": ["both"]}  # where the gradient is zero, or the same


MORE: dict[str, dict[str, dict[str, Any]]] = {
    "AdamW": {"damped": {"lr": 0.05, "eps": 0.1}},
    "Nesterov": {"maximize": {"lr": 0.05, "momentum": 0.8, "weight_decay": 0.1, "maximize": True}},
}
"""Variants that the shelf's own tests have no need of."""


def variants(name: str) -> dict[str, dict[str, Any]]:
    """Every variant of an optimizer, and its defaults."""
    return {"by default": {}, **VARIANTS[name], **MORE.get(name, {})}


def _shelf() -> list[Case]:
    """Every variant on the bowl, and the defaults where gradients are extreme or the ground is curved."""
    out = []
    for name in ELEMENTWISE:
        for variant, options in variants(name).items():
            out.append(
                Case(f"{name} {variant}", name, options, "hill" if options.get("maximize") else "bowl")
            )
        out.append(Case(f"{name}, extreme gradients", name, gradient="recorded"))
        extreme = [(variant, VARIANTS[name][variant]) for variant in EXTREME.get(name, ())]
        out += [Case(f"{name} {v}, extreme gradients", name, options, "recorded") for v, options in extreme]
        slow = {"lr": 1e-2 if name in ("LARS", "Learned", "Adadelta") else 3e-5}
        out.append(Case(f"{name} on Rosenbrock", name, slow, gradient="rosenbrock"))
    return out


ALONE: list[tuple[str, dict[str, Any]]] = [
    ("clip_norm", {"max_norm": 1.0}),
    ("clip_value", {"limit": 0.5}),
    ("coupled_decay", {"weight_decay": 0.3}),
    ("decoupled_decay", {"weight_decay": 0.3}),
    ("elastic_net_penalty", {"l1": 0.2, "l2": 0.1}),
    ("elastic_net_prox", {"l1": 0.2, "l2": 0.1}),
    ("guard", {"policy": "raise"}),
    ("guard", {"policy": "skip"}),
    ("guard", {}),
    ("l1_penalty", {"l1": 0.3}),
    ("l1_prox", {"l1": 0.3}),
    ("trust_ratio", {}),
    ("trust_ratio", {"bounds": (0.5, 2.0)}),
]
TOGETHER = [
    (
        ("guard", {"policy": "skip"}),
        ("clip_norm", {"max_norm": 1.0}),
        ("coupled_decay", {"weight_decay": 0.1}),
    ),
    (("coupled_decay", {"weight_decay": 0.4}), ("clip_norm", {"max_norm": 1.0}), ("l1_prox", {"l1": 0.1})),
    (("clip_norm", {"max_norm": 1.0}), ("coupled_decay", {"weight_decay": 0.4}), ("l1_penalty", {"l1": 0.1})),
    (("trust_ratio", {}), ("decoupled_decay", {"weight_decay": 0.1}), ("clip_value", {"limit": 0.3})),
    (
        ("decoupled_decay", {"weight_decay": 0.1}),
        ("trust_ratio", {}),
        ("elastic_net_prox", {"l1": 0.01, "l2": 1.0}),
    ),
]


def _wrapped() -> list[Case]:
    """Transforms alone and together, around algorithms with and without transforms of their own."""
    algorithms: list[tuple[str, dict[str, Any]]] = [
        ("SGD", {"lr": 0.1}),
        ("AdamW", {"lr": 0.1, "weight_decay": 0.1}),
        ("RMSprop", {"lr": 0.01, "momentum": 0.8, "weight_decay": 0.1, "maximize": True}),
    ]
    out = []
    for name, options in algorithms:
        ground = "hill" if options.get("maximize") else "bowl"
        out += [
            Case(f"{wrap}{own} around {name}, {gradient}", name, options, gradient, ((wrap, own),))
            for wrap, own in ALONE
            for gradient in (ground, "recorded", "broken")
        ]
        combined = enumerate(TOGETHER)
        out += [Case(f"combination {i} around {name}", name, options, ground, wraps) for i, wraps in combined]
    grad = TOGETHER[1]
    out += [Case(f"combination around {n}", n, VARIANTS[n]["plain"], "bowl", grad) for n in MOVERS]
    return out


MOVERS = ["Rprop", "ASGD", "SGDHD", "AdamHD", "LARS", "Nesterov"]


def _scheduled() -> list[Case]:
    """A rate that changes, from 0 on: it sets the first states of some."""
    shapes = [("cosine", {"steps": 150}), ("one_cycle", {"steps": 180}), ("step", {"size": 40, "gamma": 0.5})]
    return [
        Case(
            f"{name} with {shape[0]}", name, VARIANTS[name].get("plain", {}), "bowl", (), 10 * (i % 2), shape
        )
        for name in ELEMENTWISE
        for i, shape in enumerate(shapes)
    ]


def cases() -> list[Case]:
    """All of them."""
    networks = [Case(f"Learned, network {i}", "Learned", {"weight_decay": 0.01}, network=i) for i in range(2)]
    return [*_shelf(), *networks, *_wrapped(), *_scheduled()]
