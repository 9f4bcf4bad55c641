"""Where the learned optimizer wins and loses: the built-in tasks, against Adam and SGD, on paired seeds.

    python -m benchmarks.learned                                   # the table of docs/learned.md
    python -m benchmarks.learned --steps 3000 --tasks kjv-gru      # far beyond the horizon of its training

Each contestant has a constant rate and one setting for all tasks, but for the tuned Adam: its rate is the
best of a grid, by the validation loss of a seed that is not among those compared. Within a seed all have the
same initialization and order of data. What is compared is the validation loss after the last step; intervals
are paired-t, 95 %.
"""

import argparse
import math
import statistics
from collections.abc import Callable, Sequence
from typing import Any

import torch

from thalweg import optim
from thalweg.race.run import seed_all
from thalweg.race.statistics import t_interval
from thalweg.tasks import Task, load
from thalweg.tasks.load import names

GRID = (1e-3, 3e-3, 1e-2, 3e-2)
TUNING_SEED = 77
FIRST_SEED = 100  # lower ones were looked at while the weights were made
Maker = Callable[[Any], torch.optim.Optimizer]
RIVALS: dict[str, Maker] = {
    "AdamW 1e-3": lambda params: optim.AdamW(params, lr=1e-3),
    "SGD 0.1, 0.9": lambda params: optim.SGD(params, lr=0.1, momentum=0.9),
}


def trained(task: Task, make: Maker, seed: int, steps: int) -> tuple[float, float]:
    """Validation loss and metric after training; an exploded run has an infinite loss."""
    seed_all(seed)
    model = task.model().train()
    optimizer, batches = make(model.parameters()), task.train_batches(seed)
    for _ in range(steps):
        optimizer.zero_grad()
        task.loss(model, next(batches)).backward()
        optimizer.step()
    loss, metric = task.evaluate(model, "valid")
    return (loss if math.isfinite(loss) else math.inf), metric


def adam(lr: float) -> Maker:
    return lambda params: optim.Adam(params, lr=lr)


def tuned(task: Task, steps: int) -> tuple[str, Maker]:
    """Adam at the rate of the grid that is best for the task."""
    best = min(GRID, key=lambda lr: trained(task, adam(lr), TUNING_SEED, steps)[0])
    return f"Adam tuned ({best:g})", adam(best)


def compare(task: Task, seeds: Sequence[int], steps: int) -> None:
    """Print a row for each contestant: loss, metric, and how much the learned one's loss is below."""
    rivals = {**RIVALS, **dict([tuned(task, steps)])}
    ours = [trained(task, lambda params: optim.Learned(params), seed, steps) for seed in seeds]
    row(task, steps, "Learned", ours, "")
    for name, make in rivals.items():
        theirs = [trained(task, make, seed, steps) for seed in seeds]
        interval = t_interval([a[0] - b[0] for a, b in zip(ours, theirs, strict=True)])
        verdict = "wins" if interval.high < 0 else "loses" if interval.low > 0 else "tie"
        row(task, steps, name, theirs, f"{interval.low:+.4f} to {interval.high:+.4f} | {verdict}")


def row(task: Task, steps: int, name: str, results: list[tuple[float, float]], rest: str) -> None:
    loss, metric = (statistics.mean(values) for values in zip(*results, strict=True))
    print(f"| {task.name} | {steps} | {name} | {loss:.4f} | {metric:.4f} | {rest or '|'} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="*", default=names(), choices=names())
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=5)
    args = parser.parse_args()
    print("| task | steps | optimizer | loss | metric | Learned's loss minus this one's | Learned |")
    print("|---|---|---|---|---|---|---|")
    for name in args.tasks:
        compare(load(name), range(FIRST_SEED, FIRST_SEED + args.seeds), args.steps)


if __name__ == "__main__":
    main()
