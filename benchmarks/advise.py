"""What is the advisor's recipe worth? Train it and torch's defaults on paired seeds for the same steps.

    python benchmarks/advise.py --steps 400 --seeds 6

Within a pair both start from the same initialization and see the same batches; the test data judge. Torch's
defaults are trained with torch.optim itself, at a constant rate, as they come; SGD's 1e-3 moves too little in
so few steps, so it gets the usual 1e-2, with and without momentum. Prints a table for docs/advisor.md.
"""

import argparse
from collections.abc import Callable
from functools import partial

import torch

from thalweg.race.advice import advise
from thalweg.race.recipe import Recipe
from thalweg.race.run import run, seed_all
from thalweg.race.statistics import t_interval
from thalweg.tasks import Task, load, names

DEFAULTS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "AdamW 1e-3": partial(torch.optim.AdamW, lr=1e-3),
    "SGD 1e-2, momentum 0.9": partial(torch.optim.SGD, lr=1e-2, momentum=0.9),
    "SGD 1e-2": partial(torch.optim.SGD, lr=1e-2),
}


def by_torch(make: Callable[..., torch.optim.Optimizer], task: Task, seed: int, steps: int) -> float:
    seed_all(seed)
    model = task.model().train()
    optimizer = make(model.parameters())
    batches = task.train_batches(seed, "cpu")
    for _ in range(steps):
        optimizer.zero_grad()
        task.loss(model, next(batches)).backward()
        optimizer.step()
    return task.evaluate(model, "test", "cpu")[1]


def by_recipe(recipe: Recipe, task: Task, seed: int, steps: int) -> float:
    result = run(task, recipe, seed, steps, evals=1, test=True)
    if result.test_metric is None:
        raise SystemExit(f"{task.name}: the advised recipe {result.status} at seed {seed}: {result.reason}")
    return result.test_metric


def measured(task: Task, seeds: range, steps: int) -> list[str]:
    """A row a contender: mean, and how much better the advised recipe is, with its 95 % interval."""
    advised = advise(task, "cpu").recipe
    print(f"{task.name}: {advised.describe()}", flush=True)
    ours = [by_recipe(advised, task, seed, steps) for seed in seeds]
    sign = 1 if task.higher_is_better else -1
    scale, digits = (100, 1) if task.metric_name == "accuracy" else (1, 3)
    name = f"{task.name}, {task.metric_name}{' in %' if scale == 100 else ''}"
    rows = [f"| {name} | advised: {advised.describe()} | {scale * mean(ours):.{digits}f} | |"]
    for label, make in DEFAULTS.items():
        theirs = [by_torch(make, task, seed, steps) for seed in seeds]
        gain = t_interval([scale * sign * (a - b) for a, b in zip(ours, theirs, strict=True)])
        ends = f"{gain.low:+.{digits}f} to {gain.high:+.{digits}f}"
        rows.append(f"| | {label} | {scale * mean(theirs):.{digits}f} | {gain.mean:+.{digits}f} ({ends}) |")
        print(rows[-1], flush=True)
    return rows


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", default=names(), help="built-in names or task files")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--first-seed", type=int, default=7_000_000)
    args = parser.parse_args()
    torch.set_num_threads(1)
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    rows = [row for name in args.tasks for row in measured(load(name), seeds, args.steps)]
    print(f"\n{args.steps} steps, {args.seeds} paired seeds, torch {torch.__version__}\n")
    print("| task | trained with | mean | the advised recipe is better by (95 % interval) |")
    print("|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
