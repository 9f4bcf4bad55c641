"""Warm-up with large batches.

"When using especially large initial learning rates or large batch sizes ... high initial learning rates can
sometimes make the loss explode right at the beginning"; "if you increase the batch size by N, you should also
scale the initial learning rate by N, often in conjunction with a warmup" (first document).
"""

import figure
import numpy as np
import torch
from training import batches, fashion, fit, measure, mlp

from thalweg import optim
from thalweg.schedules import Schedule, ScheduleLR, constant, warmup

SMALL, LARGE, BASE = 64, 1024, 0.03125
SCALED = BASE * LARGE / SMALL
RATES = (0.1, 0.2, 0.3, 0.4, SCALED)
SEEDS = range(5)


def train(rate: float, size: int, schedule: Schedule, seed: int, steps: int) -> tuple[list[float], float]:
    """Train a network of three hidden layers with momentum 0.9: the losses and the test accuracy."""
    data, test = fashion()
    torch.manual_seed(seed)
    model = mlp(196, 64, 64, 64, 10)
    optimizer = optim.SGD(model.parameters(), lr=rate, momentum=0.9)
    scheduler = ScheduleLR(optimizer, schedule)
    losses = fit(model, optimizer, batches(data, size, seed), steps, scheduler.step)
    return losses, measure(model, test)[1]


def example(quick: bool) -> figure.Finding:
    """Train with a small batch, then with a large one at scaled rates, with and without warm-up."""
    steps, rates = (6, (0.1, SCALED)) if quick else (165, RATES)
    ramp = warmup(steps // 3).then(constant())
    kinds = {"warm-up": (ramp, figure.BLUE), "no warm-up": (constant(), figure.ORANGE)}
    ratio = LARGE // SMALL
    small = [train(BASE, SMALL, constant(), seed, 3 if quick else steps * ratio) for seed in SEEDS]
    runs = {
        kind: {rate: [train(rate, LARGE, schedule, seed, steps) for seed in SEEDS] for rate in rates}
        for kind, (schedule, _) in kinds.items()
    }
    ends = {
        kind: np.array([[accuracy for _, accuracy in some] for some in of_rate.values()]).T
        for kind, of_rate in runs.items()
    }
    with_it, without = (np.median(ends[kind][:, rates.index(SCALED)]) for kind in kinds)
    title = (
        f"Batch and learning rate times {ratio}: {with_it:.0%} right with warm-up, {without:.0%} without "
        f"({np.median([accuracy for _, accuracy in small]):.0%} with the small batch)"
    )
    subtitle = (
        f"Three hidden layers on Fashion-MNIST, SGD with momentum 0.9, batch {LARGE}. "
        "Median and range of five seeds."
    )
    plot, (left, right) = figure.frame(title, subtitle, (1.25, 1), height=4.1)
    epochs = np.arange(steps) * LARGE / 12_000
    for kind, (_, colour) in kinds.items():
        losses = np.array([losses for losses, _ in runs[kind][SCALED]])
        figure.band(left, epochs, np.minimum(np.nan_to_num(losses, nan=99), 99), colour)
        figure.band(right, rates, ends[kind], colour, marker="o", markersize=4)
    if not quick:
        thin = figure.smooth([losses for losses, _ in small], ratio)
        figure.band(left, epochs, thin, figure.BASE, linewidth=1.4)
    figure.label(left, 9, 4.5, "no warm-up", figure.ORANGE)
    figure.label(left, 9.5, 0.85, "warm-up", figure.BLUE)
    figure.label(left, 3.5, 0.25, f"batch {SMALL}, rate {SCALED:g}/{ratio}", figure.SOFT, weight="normal")
    figure.label(right, 0.5, 0.9, "warm-up", figure.BLUE, ha="right")
    figure.label(right, 0.36, 0.2, "no warm-up", figure.ORANGE, ha="right")
    left.set(title=f"Training loss, rate {SCALED:g}", xlabel="epoch", yscale="log", ylim=(0.2, 15))
    left.set(yticks=(0.3, 1, 3, 10), yticklabels=("0.3", "1", "3", "10"))
    right.set(title="Test accuracy", xlabel="learning rate", ylim=(0, 1), xticks=rates)
    right.yaxis.set_major_formatter("{x:.0%}")
    limit = min(
        (rate for i, rate in enumerate(rates) if ends["no warm-up"][:, i].min() < 0.7), default=np.inf
    )
    see = (
        f"From batch {SMALL} at rate {BASE:g} to batch {LARGE} at rate {SCALED:g}: without warm-up the loss "
        f"jumps in the first epochs and the network ends at {without:.1%}; with {steps // 3} steps of linear "
        f"warm-up it ends at {with_it:.1%}. Without it a seed fails from rate {limit:g} on. At rate "
        f"{rates[0]:g} warm-up changes nothing that matters ({np.median(ends['warm-up'][:, 0]):.1%} against "
        f"{np.median(ends['no warm-up'][:, 0]):.1%}), and with {ratio} times fewer steps the large batch "
        "does not quite reach the small one."
    )
    return figure.Finding(title, see, plot)


if __name__ == "__main__":
    figure.run(__file__, example)
