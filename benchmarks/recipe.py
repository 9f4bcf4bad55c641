"""Is a race's recipe worth it? Retrain it and torch's default AdamW on fresh seeds, and compare.

    thalweg race fashion-mlp --budget 3m --out runs/mlp
    python benchmarks/recipe.py runs/mlp/recipe.json

Both train for the same number of steps, within a pair from the same initialization and order of data, and
are judged by the test data. The seeds have not been used by the race. The baseline is torch.optim.AdamW
itself, at lr 1e-3, constant.
"""

import argparse
import statistics

import torch
from torch import nn

from thalweg.race.recipe import Recipe
from thalweg.race.run import run, seed_all
from thalweg.race.saved import SavedRecipe
from thalweg.race.statistics import sign_flip_p, t_interval
from thalweg.tasks import Task, load


def torch_default(task: Task, seed: int, steps: int) -> float:
    """Test metric after training with torch's own AdamW at its defaults."""
    seed_all(seed)
    model: nn.Module = task.model().train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    batches = task.train_batches(seed, "cpu")
    for _ in range(steps):
        optimizer.zero_grad()
        task.loss(model, next(batches)).backward()
        optimizer.step()
    return task.evaluate(model, "test", "cpu")[1]


def with_recipe(task: Task, recipe: Recipe, seed: int, steps: int, threads: int) -> float:
    result = run(task, recipe, seed, steps, threads=threads, evals=1, test=True)
    if result.test_metric is None:
        raise SystemExit(f"the recipe {result.status} at seed {seed}: {result.reason}")
    return result.test_metric


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", help="recipe.json of a race")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--first-seed", type=int, default=9_000_000)
    args = parser.parse_args()
    saved = SavedRecipe.read(args.recipe)
    task = load(saved.task["source"])
    torch.set_num_threads(saved.proof.threads)
    print(f"{task.name}, {saved.steps} steps, {saved.recipe.describe()}")
    print(f"{'seed':>9} {'recipe':>9} {'default':>9} {'difference':>11}")
    ours, theirs = [], []
    for seed in range(args.first_seed, args.first_seed + args.seeds):
        ours.append(with_recipe(task, saved.recipe, seed, saved.steps, saved.proof.threads))
        theirs.append(torch_default(task, seed, saved.steps))
        print(f"{seed:9} {ours[-1]:9.4f} {theirs[-1]:9.4f} {ours[-1] - theirs[-1]:+11.4f}", flush=True)
    differences = [a - b for a, b in zip(ours, theirs, strict=True)]
    interval = t_interval(differences)
    for name, values in (("recipe", ours), ("default", theirs), ("difference", differences)):
        print(f"{name}: mean {statistics.mean(values):.4f}, SD {statistics.stdev(values):.4f}")
    print(
        f"paired 95 % interval {interval.low:+.4f} to {interval.high:+.4f}, p {sign_flip_p(differences):.4f}"
    )


if __name__ == "__main__":
    main()
