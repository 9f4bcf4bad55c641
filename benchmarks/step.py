"""Milliseconds a step: thalweg against torch's default, torch fused and torch.compile, on the CPU.

Contestants take turns, since a shared machine's speed drifts: a turn is a run of a few steps (one step of a
large model), timed as a whole. Printed are the median over the turns, the median of the ratios within a round
of turns, and the bytes that a step must move set against a measured copy. With --cold a turn is one step, and
64 MB are written before it, as a model's forward and backward pass would: nothing is left in the caches.

    python benchmarks/step.py                     # all shapes, all algorithms
    python benchmarks/step.py --shapes small --no-compile --cold
"""

import argparse
import functools
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from thalweg import optim, transforms

Shapes = list[tuple[int, ...]]
Step = Callable[[], None]


def gpt2_small() -> Shapes:
    """The 148 tensors of GPT-2 small, 124 million parameters."""
    d = 768
    block: Shapes = [
        (d,),
        (d,),
        (3 * d, d),
        (3 * d,),
        (d, d),
        (d,),
        (d,),
        (d,),
        (4 * d, d),
        (4 * d,),
        (d, 4 * d),
        (d,),
    ]
    return [(50257, d), (1024, d), *block * 12, (d,), (d,)]


def resnet50() -> Shapes:
    """The 161 tensors of ResNet-50, 25.6 million parameters."""
    shapes: Shapes = [(64, 3, 7, 7), (64,), (64,)]
    width = 64
    for stage, blocks in enumerate((3, 4, 6, 3)):
        inner = 64 * 2**stage
        for block in range(blocks):
            kernels = [(inner, width, 1, 1), (inner, inner, 3, 3), (4 * inner, inner, 1, 1)]
            if block == 0:
                kernels.append((4 * inner, width, 1, 1))
            for kernel in kernels:
                shapes += [kernel, (kernel[0],), (kernel[0],)]
            width = 4 * inner
    return [*shapes, (1000, 2048), (1000,)]


def small() -> Shapes:
    """300 tensors of 1,000 elements on average: the cost of a step that is not memory."""
    return [(n,) for n in range(500, 1500, 10)] * 3


SHAPES = {"gpt2": gpt2_small, "resnet50": resnet50, "small": small}
ROUNDS = {"gpt2": 15, "resnet50": 30, "small": 60}
RUN = {"gpt2": 1, "resnet50": 3, "small": 20}  # steps in a turn

# name -> (our class, torch's class, options, does torch have fused=True on the CPU, arrays read and written)
ALGORITHMS = {
    "AdamW": (optim.AdamW, torch.optim.AdamW, {"lr": 1e-3}, True, 7),
    "SGD momentum": (optim.SGD, torch.optim.SGD, {"lr": 1e-3, "momentum": 0.9}, True, 5),
    "Adagrad": (optim.Adagrad, torch.optim.Adagrad, {"lr": 1e-3}, True, 5),
    "RMSprop": (optim.RMSprop, torch.optim.RMSprop, {"lr": 1e-3}, False, 5),
}
MAX_NORM = 1.0


@dataclass
class Contestant:
    """One way to take a step, and the seconds that its steps took."""

    name: str
    step: Step
    times: list[float]


def parameters(shapes: Shapes) -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    params = [nn.Parameter(torch.randn(s, generator=generator)) for s in shapes]
    for p in params:
        p.grad = torch.randn(p.shape, generator=generator)
    return params


def clipped(optimizer: torch.optim.Optimizer, params: Sequence[Tensor]) -> Step:
    def step() -> None:
        torch.nn.utils.clip_grad_norm_(params, MAX_NORM)
        optimizer.step()

    return step


def contestants(algorithm: str, shapes: Shapes, clip: bool, with_compile: bool) -> list[Contestant]:
    ours, theirs, options, has_fused, _ = ALGORITHMS[algorithm]
    around = [transforms.clip_norm(MAX_NORM)] if clip else []
    found = {"thalweg": ours(parameters(shapes), transforms=around, **options).step}
    variants = {"torch": {}, "torch fused": {"fused": True}} if has_fused else {"torch": {}}
    for name, extra in variants.items():
        params = parameters(shapes)
        optimizer = theirs(params, **options, **extra)
        found[name] = clipped(optimizer, params) if clip else optimizer.step
    if with_compile:
        params = parameters(shapes)
        optimizer = theirs(params, **options)
        found["torch.compile"] = torch.compile(clipped(optimizer, params) if clip else optimizer.step)
    return [Contestant(name, step, []) for name, step in found.items()]


def race(entries: list[Contestant], rounds: int, steps: int, cold: bool) -> list[float]:
    """Run the contestants in turns; returns the seconds of each one's first step."""
    elsewhere = torch.zeros(16_000_000 if cold else 0)
    first = [timed(entry.step) for entry in entries]
    for entry in entries:
        entry.step()
    for number in range(rounds):
        start = number % len(entries)
        for entry in entries[start:] + entries[:start]:
            elsewhere.add_(1)
            entry.times.append(timed(entry.step, 1 if cold else steps))
    return first


def timed(step: Step, steps: int = 1) -> float:
    """Seconds a step of a run of steps."""
    start = time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - start) / steps


@functools.cache
def copy_bandwidth() -> float:
    """Bytes a second (read plus written) of torch's own copy of 400 MB."""
    source, target = torch.zeros(100_000_000), torch.zeros(100_000_000)
    best = min(timed(lambda: target.copy_(source)) for _ in range(7))
    return 8 * source.numel() / best


def report(title: str, moved: int, entries: list[Contestant], first: list[float]) -> None:
    ours = entries[0].times
    for entry, begin in zip(entries, first, strict=True):
        median = statistics.median(entry.times)
        ratio = statistics.median(a / b for a, b in zip(ours, entry.times, strict=True))
        speed = moved / median / 1e9
        low, high = (statistics.quantiles(entry.times, n=10)[i] * 1e3 for i in (0, -1))
        print(
            f"  {title:20} {entry.name:14} {median * 1e3:9.3f} ms"
            f"  ({low:.3f} to {high:.3f})  ours/theirs {ratio:5.2f}  {speed:6.1f} GB/s"
            f"  first step {begin:6.2f} s",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", nargs="*", default=list(SHAPES), choices=list(SHAPES))
    parser.add_argument("--algorithms", nargs="*", default=list(ALGORITHMS), choices=list(ALGORITHMS))
    parser.add_argument("--rounds", type=int, help="rounds of turns (default: 15, 30, 60 by shapes)")
    parser.add_argument(
        "--no-compile", action="store_true", help="leave out torch.compile, which takes minutes"
    )
    parser.add_argument("--cold", action="store_true", help="empty the caches before each step")
    args = parser.parse_args()
    bandwidth = copy_bandwidth() / 1e9
    print(f"{torch.get_num_threads()} threads, copy {bandwidth:.1f} GB/s, torch {torch.__version__}")
    for name in args.shapes:
        shapes = SHAPES[name]()
        count = sum(torch.Size(s).numel() for s in shapes)
        print(f"{name}: {len(shapes)} tensors, {count:,} parameters")
        for algorithm in args.algorithms:
            for clip in (False, True):
                entries = contestants(algorithm, shapes, clip, not args.no_compile)
                first = race(entries, args.rounds or ROUNDS[name], RUN[name], args.cold)
                moved = 4 * count * (ALGORITHMS[algorithm][4] + clip)
                report(algorithm + " + clip" * clip, moved, entries, first)


if __name__ == "__main__":
    main()
