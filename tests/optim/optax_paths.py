"""Prints the paths of optax's optimizers on the bowl, as JSON: ``python -m tests.optim.optax_paths``.

A process of its own, and imports within functions, since jax starts threads and other tests fork.
"""

import json
from typing import Any

import numpy as np

from tests.optim.shelf import SHAPES, SIZES, Bowl

STEPS = 60


def optimizers() -> dict[str, Any]:
    """The transformations, by the names of the tests."""
    import optax

    return {
        "lars": optax.lars(2.0, momentum=0.8, weight_decay=0.0, trust_coefficient=0.03),
        "trust ratio of a decayed gradient": optax.lars(
            0.1, momentum=0.0, weight_decay=0.3, trust_coefficient=1.0
        ),
        "lamb": optax.lamb(0.05, b1=0.8, b2=0.9, eps=0.01, weight_decay=0.2),
        "lamb without decay": optax.lamb(0.05),
    }


def path(optimizer: Any) -> list[list[float]]:
    """All parameters after each step."""
    import jax

    ends = np.cumsum(SIZES)[:-1]

    def tensors(vector):
        return [part.reshape(s) for part, s in zip(jax.numpy.split(vector, ends), SHAPES, strict=True)]

    @jax.jit
    def step(p, g, state):
        updates, state = optimizer.update(tensors(g), state, tensors(p))
        return p + jax.numpy.concatenate([u.ravel() for u in updates]), state

    bowl = Bowl(STEPS, seed=7)
    p, state, out = bowl.start, optimizer.init(tensors(bowl.start)), []
    for t in range(1, STEPS + 1):
        p, state = step(p, bowl.gradient(np.asarray(p), t), state)
        out.append(p.tolist())
    return out


def main() -> None:
    """Print every path."""
    import jax

    jax.config.update("jax_enable_x64", True)
    print(json.dumps({name: path(optimizer) for name, optimizer in optimizers().items()}))


if __name__ == "__main__":
    main()
