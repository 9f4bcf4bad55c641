"""Meta-train the network of `thalweg.optim.Learned`.

    python -m tools.train_learned        # about 5 minutes of an idle core; writes the package's weights

Its weights are those that make small problems (`tools.learned_tasks`) go down fastest. A problem is trained
for 40 to 300 steps by the rule itself, run by the `reference` engine; what is minimized is the mean logarithm
of its loss. Gradients through so many steps are chaotic (Metz et al. 2019, arXiv 1810.10180), so the weights
are moved by evolution strategies: antithetic pairs of perturbed weights train copies of a problem on the same
batches, all at once, over its whole length, and the differences of their losses make a gradient for Adam.

Then one unit, which the strategies left asleep, is given a task by hand: to slow down tensors of small
elements, which are those with many inputs. How much, is chosen on problems as wide as the built-in tasks.

The best weights so far are written whenever they are found, so that Ctrl-C loses nothing. Equal seeds give
equal weights.
"""

import argparse
import json
import math
import time
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Generator, Tensor

from thalweg.engine.plan import Program, Transform, compose
from thalweg.engine.reference import update
from thalweg.optim import learned
from thalweg.optim.sgd import gradient
from tools.learned_tasks import KINDS, Problem, problem

FILE = Path(learned.__file__).with_suffix(".json")
NAMES = tuple(n for n in learned.network.scalars if n != "t" and n not in learned.network.sums)
BETAS = ("beta1", "beta2", "beta3")
PROGRAM: Program = compose(gradient, (Transform(learned.network, on="step"),))
HORIZON = 300  # where the cosine would end by which the rate falls
STRENGTHS = (0.2, 0.3, 0.4, 0.5, 0.6)
EVERY = 50  # updates between two looks at the held-out problems
HELD_OUT = 1_000_000  # seeds of the problems that choose among weights


def initial(generator: Generator) -> Tensor:
    """Adam with lr 0.0033 to begin with, and hidden units that do not matter yet.

    A vector of weights holds the logarithm of 1 - β to base 10 in place of β.
    """
    start = dict.fromkeys(NAMES, 0.0)
    start |= {"beta1": -1, "beta2": -2, "beta3": -2.3, "rate0": 0.87}
    for name in NAMES:
        if name.rstrip("1234") in ("fast", "slow", "turn", "odd", "size", "agree", "early", "late", "bias"):
            start[name] = 0.5 * torch.randn((), generator=generator).item()
    return torch.tensor([start[name] for name in NAMES], dtype=torch.float64)


def named(vectors: Tensor) -> dict[str, Tensor]:
    """The rule's scalars from vectors of weights (copies, weights): each (copies, 1)."""
    columns = dict(zip(NAMES, vectors.split(1, dim=1), strict=True))
    return columns | {name: 1 - 10 ** columns[name].clamp(-4, -0.05) for name in BETAS}


def unroll(task: Problem, vectors: Tensor, steps: int, seed: int) -> Tensor:
    """Train a copy of a problem with each vector of weights; the losses, (steps, copies)."""
    scalars: dict[str, Tensor | float] = {k: v.float() for k, v in named(vectors).items()}
    rows = task.row().repeat(len(vectors), 1)
    tensors = {"p": rows} | {key: torch.zeros_like(rows) for key in PROGRAM.states}
    sizes = [p.numel() for p in task.start]
    generator, losses = Generator().manual_seed(seed), []
    for t in range(1, steps + 1):
        leaf = tensors["p"].requires_grad_()
        loss = task.losses(leaf, task.draw(generator))
        (tensors["g"],) = torch.autograd.grad(loss.sum(), leaf)
        losses.append(loss.detach())
        with torch.no_grad():
            tensors = moved(tensors, sizes, {**scalars, "lr": 1.0, "t": t})
    return torch.stack(losses)


def moved(
    tensors: dict[str, Tensor], sizes: list[int], values: Mapping[str, Tensor | float]
) -> dict[str, Tensor]:
    """One step of all tensors, each with its own sums."""
    done = []
    for tensor in zip(*(tensors[key].split(sizes, dim=1) for key in tensors), strict=True):
        sums = {1: summed(dict(zip(tensors, tensor, strict=True)))}
        pieces = zip(*(x.split(4096, dim=1) for x in tensor), strict=True)  # what the cache can hold
        done += [update(PROGRAM, dict(zip(tensors, piece, strict=True)), values, sums) for piece in pieces]
    return {key: torch.cat([new[key] for new in done], dim=1) for key in tensors}


def summed(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The sums over a tensor that the network's rule waits for, of each copy."""
    stage = PROGRAM.stages[1]
    return {
        name: formula(*(tensors[key] for key in stage.reads(formula)))[0].sum(dim=1, keepdim=True)
        for name, formula in stage.rule.sums.items()
    }


def meta_loss(losses: Tensor) -> Tensor:
    """How far a run came down, for each copy: the mean log of loss over initial loss.

    The last quarter counts most; a loss that exploded counts as ten times the initial one.
    """
    ratio = (losses / losses[0]).nan_to_num(10, 10, 10).clamp(1e-3, 10).log().double()
    return (ratio.mean(dim=0) + 3 * ratio[-len(ratio) // 4 :].mean(dim=0)) / 4


def estimate(vector: Tensor, task: Problem, steps: int, seed: int, sigma: float) -> Tensor:
    """A gradient of the meta-loss by antithetic evolution strategies, of similar size for every problem."""
    pairs = min(8, max(2, 200_000 // task.row().numel()))  # a large problem costs no more than a small one
    noise = torch.randn(pairs, len(vector), generator=Generator().manual_seed(seed), dtype=torch.float64)
    vectors = torch.cat([vector + sigma * noise, vector - sigma * noise])
    up, down = meta_loss(unroll(task, vectors, steps, seed)).chunk(2)
    difference = up - down
    difference = difference / (difference.square().mean().sqrt() + 0.02)
    return (difference[:, None] * noise).mean(dim=0)


def held_out(vector: Tensor, count: int = 12, steps: int = 300) -> float:
    """The mean meta-loss on problems that are never trained on."""
    total = 0.0
    for i in range(count):
        task = problem(i % len(KINDS), HELD_OUT + i)
        total += meta_loss(unroll(task, vector[None], steps, HELD_OUT + i)).item()
    return total / count


def write(vector: Tensor, path: Path) -> None:
    """The rule's scalars by name, rounded to six digits."""
    values: Mapping[str, float] = {k: float(f"{v.item():.6g}") for k, v in named(vector[None]).items()}
    path.write_text(json.dumps(values, indent=1) + "\n")


def read(path: Path) -> Tensor:
    """The vector of weights that a file holds."""
    values = json.loads(path.read_text())
    values |= {name: math.log10(1 - values[name]) for name in BETAS}
    return torch.tensor([values[name] for name in NAMES], dtype=torch.float64)


def train(updates: int, seed: int, path: Path, sigma: float = 0.05, lr: float = 0.03) -> None:
    """Meta-train; `path` holds the best weights at any time."""
    generator = Generator().manual_seed(seed)
    vector = initial(generator).requires_grad_()
    optimizer = torch.optim.Adam([vector], betas=(0.9, 0.99))
    best, begin = math.inf, time.monotonic()
    for i in range(updates + 1):
        if i % EVERY == 0 or i == updates:
            score = held_out(vector.detach())
            if score < best:
                best = score
                write(vector.detach(), path)
            print(f"{i:6} updates  held out {score:.4f}  {time.monotonic() - begin:6.0f} s", flush=True)
        vector.grad = gradient_of_two(vector.detach(), generator, sigma)
        optimizer.param_groups[0]["lr"] = lr * (1 + math.cos(math.pi * i / HORIZON)) / 2
        optimizer.step()
    calibrate(path)


def slowed(vector: Tensor, strength: float) -> Tensor:
    """Unit 4 as max(0.8 - size, 0), which lowers the rate: `size` is 0.3 with 784 inputs, 0.8 with 9."""
    values = dict(zip(NAMES, vector.tolist(), strict=True))
    values |= {name: 0.0 for name in NAMES if name.endswith("4")}
    values |= {"size4": -1.0, "bias4": 0.8, "rate4": -strength}
    return torch.tensor([values[name] for name in NAMES], dtype=torch.float64)


def calibrate(path: Path) -> None:
    """Give unit 4 its task, with the strength that is best on wide problems."""
    candidates = torch.stack([slowed(read(path), strength) for strength in STRENGTHS])
    total = torch.zeros(len(candidates), dtype=torch.float64)
    for i in (1, 2, 3, 4, 5, 8, 11):  # a problem of each kind but the quadratic, and two more
        task = problem(i % len(KINDS), HELD_OUT + i, large=True)
        total += meta_loss(unroll(task, candidates, 250, HELD_OUT + i)) / 7
    print("  ".join(f"strength {s}: {score:.4f}" for s, score in zip(STRENGTHS, total.tolist(), strict=True)))
    write(candidates[total.argmin()], path)


def gradient_of_two(vector: Tensor, generator: Generator, sigma: float) -> Tensor:
    """The mean gradient of two random problems of different kinds."""
    steps = round(40 * (300 / 40) ** torch.rand((), generator=generator).item())
    kinds = torch.randperm(len(KINDS), generator=generator)[:2].tolist()
    seeds = torch.randint(HELD_OUT, (len(kinds),), generator=generator).tolist()
    tasks = [problem(kind, seed) for kind, seed in zip(kinds, seeds, strict=True)]
    found = [estimate(vector, task, steps, seed, sigma) for task, seed in zip(tasks, seeds, strict=True)]
    return torch.stack(found).mean(dim=0)


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--updates", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=FILE)
    args = parser.parse_args()
    torch.set_num_threads(1)
    try:
        train(args.updates, args.seed, args.out)
    except KeyboardInterrupt:
        print(f"stopped; the best weights are in {args.out}")


if __name__ == "__main__":
    main()
