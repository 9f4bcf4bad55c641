"""Seconds before the first update: what importing thalweg and a first step cost, in fresh processes.

python benchmarks/start.py
"""

import statistics
import subprocess
import sys

PROGRAM = """
import time
import torch
start = time.perf_counter()
import thalweg
from thalweg import optim, schedules, transforms
imported = time.perf_counter()
p = torch.nn.Parameter(torch.zeros(1000))
p.grad = torch.ones(1000)
def first(make):
    optimizer = make([p])
    begin = time.perf_counter()
    optimizer.step()
    return time.perf_counter() - begin
rest = [first(make) for make in (optim.AdamW, optim.RMSprop, optim.SGD)]
print(imported - start, *rest)
"""
NAMES = (
    "import thalweg and its parts, over torch",
    "first step (AdamW)",
    "a new rule (RMSprop)",
    "a third (SGD)",
)


def main() -> None:
    runs = []
    for _ in range(7):
        out = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
        runs.append([float(x) for x in out.stdout.split()])
    for name, values in zip(NAMES, zip(*runs, strict=True), strict=True):
        low, high = min(values), max(values)
        print(f"{name:42} {statistics.median(values):.3f} s  ({low:.3f} to {high:.3f})")


if __name__ == "__main__":
    main()
