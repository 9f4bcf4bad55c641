"""Rewrites golden.json. Run it on purpose only: ``python -m tests.optim.full_batch.make_golden``.

The file freezes what every method computes, so that no number moves between versions unnoticed.
"""

import json
from pathlib import Path

import numpy as np
import torch

from tests.optim.full_batch.problems import MATRIX, Closure, make, parts, state_of, values

FILE = Path(__file__).with_name("golden.json")
START = [0.3, -0.5, 0.8, 0.1, -0.2, 0.6, -0.4, 0.7]
STEPS = 3


def loss(x: torch.Tensor) -> torch.Tensor:
    """Convex and not quadratic, with coupled parameters and curvatures that differ."""
    scale = torch.arange(1.0, len(x) + 1, dtype=x.dtype)
    return (scale * torch.cosh(x - 0.3)).sum() + (x.sum() - 1) ** 2 / 4


def trajectory(name: str, variant: str) -> list[float]:
    """After each step two parameters, the norm of all, and the evaluations so far."""
    few = {"max_iter": 3} if name in ("BFGS", "LBFGS") and variant != "one" else {}
    optimizer = make(name, variant, parts(START), **few)
    closure = Closure(optimizer, loss)
    out: list[float] = []
    for _ in range(STEPS):
        optimizer.step(closure)
        x = values(optimizer.param_groups[0]["params"])
        out += [float(x[0]), float(x[-1]), float(np.linalg.norm(x)), state_of(optimizer)["func_evals"]]
    return out


def main() -> None:
    """Write the file."""
    golden = {f"{name}-{variant}": trajectory(name, variant) for name, variant in MATRIX}
    lines = [f"{json.dumps(key)}: {json.dumps(row)}" for key, row in golden.items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
