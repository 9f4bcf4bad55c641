"""Milliseconds a step: thalweg against torch's default, torch fused and torch.compile, on the CPU.

Contestants take turns, since a shared machine's speed drifts: a turn is a run of a few steps (one step of a
large model), timed as a whole. Printed are the median over the turns, the median of the ratios within a round
of turns, and how fast the bytes go that a step must move. A copy of as many bytes takes part: it says what
the memory allows. With --cold a turn is one step, and 64 MB are written before it, as a model's forward and
backward pass would: nothing is left in the caches.

    python benchmarks/step.py                     # all shapes, all algorithms
    python benchmarks/step.py --shapes small --no-compile --cold
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from thalweg import optim, transforms
from thalweg.engine import codegen
from thalweg.engine.optimizer import Optimizer

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

OPTIONS = {"SGD": {"momentum": 0.9}}  # beside lr; all others are at their defaults
CLOSURES = ("Nesterov",)  # evaluated elsewhere than at the parameters: a step is not its update alone
ALGORITHMS = [
    name for name in optim.__all__ if issubclass(getattr(optim, name), Optimizer) and name not in CLOSURES
]
LR = 1e-3
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


def contestants(name: str, shapes: Shapes, clip: bool, with_compile: bool) -> tuple[list[Contestant], int]:
    """Ours, a copy that moves as many bytes, and torch's where it has one."""
    options = {"lr": LR, **OPTIONS.get(name, {})}
    around = [transforms.clip_norm(MAX_NORM)] if clip else []
    ours = getattr(optim, name)(parameters(shapes), transforms=around, **options)
    ours.step()
    size = moved(ours)
    found = {"thalweg": ours.step, "copy": copier(size)}
    theirs = getattr(torch.optim, name, None)
    for label, extra in {"torch": {}, "torch fused": {"fused": True}}.items() if theirs else ():
        params = parameters(shapes)
        try:
            optimizer = theirs(params, **options, **extra)
        except (RuntimeError, TypeError):  # torch has no fused form of this one
            continue
        found[label] = clipped(optimizer, params) if clip else optimizer.step
    if with_compile and theirs:
        params = parameters(shapes)
        optimizer = theirs(params, **options)
        found["torch.compile"] = torch.compile(clipped(optimizer, params) if clip else optimizer.step)
    return [Contestant(label, step, []) for label, step in found.items()], size


def moved(optimizer: Optimizer) -> int:
    """Bytes that a step reads and writes: gradients once, parameters and states twice, and what sums read."""
    (group,) = optimizer.param_groups
    program, params = optimizer.program(group), group["params"]
    if not program.elementwise:  # states of shapes of their own
        tensors = [t for p in params for k, t in optimizer.state[p].items() if k != "step"]
        return 4 * (3 * sum(p.numel() for p in params) + 2 * sum(t.numel() for t in tensors))
    dtypes = ("float32",) * (2 + len(program.states))
    reads = sum(codegen.emit_reduction(program, i, dtypes).count("load float,") for i in program.reducing)
    return 4 * (3 + 2 * len(program.states) + reads) * sum(p.numel() for p in params)


def copier(size: int) -> Step:
    """Torch's own copy, of half as many bytes: each is read and written."""
    source, target = torch.zeros(size // 8), torch.zeros(size // 8)
    return lambda: target.copy_(source)


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


def report(title: str, size: int, entries: list[Contestant], first: list[float]) -> None:
    ours = entries[0].times
    for entry, begin in zip(entries, first, strict=True):
        median = statistics.median(entry.times)
        ratio = statistics.median(a / b for a, b in zip(ours, entry.times, strict=True))
        speed = size / median / 1e9
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
    parser.add_argument("--algorithms", nargs="*", default=ALGORITHMS, choices=ALGORITHMS)
    parser.add_argument("--rounds", type=int, help="rounds of turns (default: 15, 30, 60 by shapes)")
    parser.add_argument(
        "--no-compile", action="store_true", help="leave out torch.compile, which takes minutes"
    )
    parser.add_argument("--no-clip", action="store_true", help="leave out clipping by the global norm")
    parser.add_argument("--cold", action="store_true", help="empty the caches before each step")
    args = parser.parse_args()
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}")
    for name in args.shapes:
        shapes = SHAPES[name]()
        count = sum(torch.Size(s).numel() for s in shapes)
        print(f"{name}: {len(shapes)} tensors, {count:,} parameters")
        for algorithm in args.algorithms:
            for clip in (False,) if args.no_clip else (False, True):
                entries, size = contestants(algorithm, shapes, clip, not args.no_compile)
                first = race(entries, args.rounds or ROUNDS[name], RUN[name], args.cold)
                report(algorithm + " + clip" * clip, size, entries, first)
                del entries  # or two sets of models would be in memory at once


if __name__ == "__main__":
    main()
