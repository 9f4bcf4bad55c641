"""Adds what golden.json lacks: ``python -m tests.optim.make_golden``.

The file freezes what every algorithm computes, so that no number moves between versions unnoticed. Lines that
it has are kept as they are; to change one on purpose, delete it first."""

import json
from pathlib import Path

import numpy as np

from tests.optim.shelf import MATRIX, VARIANTS, Bowl, feed, join, make, parameters

FILE = Path(__file__).with_name("golden.json")
STEPS = 25


def trajectory(name: str, variant: str, engine: str) -> list[float]:
    """Two parameters after 1, 5 and 25 steps, and the norm of all of them."""
    bowl = Bowl(STEPS, seed=6)
    params = parameters(bowl.start)
    optimizer = make(name, params, VARIANTS[name][variant], engine=engine)
    out: list[float] = []
    for t in range(1, STEPS + 1):
        optimizer.step(feed(params, bowl, t))
        if t in (1, 5, STEPS):
            p = join(params)
            out += [float(p[0]), float(p[-1]), float(np.linalg.norm(p))]
    return out


def main() -> None:
    """Write the file."""
    frozen = json.loads(FILE.read_text())
    golden = {
        f"{name}-{variant}": frozen.get(f"{name}-{variant}") or trajectory(name, variant, "reference")
        for name, variant in MATRIX
    }
    lines = [f"{json.dumps(key)}: {json.dumps(values)}" for key, values in golden.items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
