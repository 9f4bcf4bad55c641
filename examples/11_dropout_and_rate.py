"""Dropout against the learning rate.

Dropout "adds noise to training, which can slow convergence. When using dropout, you may need a slightly
higher learning rate" (third document).
"""

import figure
import numpy as np
import torch
from matplotlib.ticker import NullLocator
from torch import nn
from training import batches, fashion, fit, measure

from thalweg import optim

SHARES = (0.0, 0.25, 0.5)
RATES = np.array([0.09, 0.125, 0.18, 0.25, 0.35, 0.5, 0.7])
SEEDS = range(3)
SLOW, EVERY, GOAL = 0, 20, 0.6  # the way is shown at the lowest rate, where it is smooth


def train(share: float, rate: float, seed: int, steps: int) -> list[float]:
    """Train with plain SGD: the loss on training data, without dropout, every `EVERY` steps."""
    data, _ = fashion()
    sample = (data[0][:1_000], data[1][:1_000])
    torch.manual_seed(seed)
    model = nn.Sequential(
        *(nn.Linear(196, 128), nn.ReLU(), nn.Dropout(share)),
        *(nn.Linear(128, 128), nn.ReLU(), nn.Dropout(share)),
        nn.Linear(128, 10),
    )
    optimizer = optim.SGD(model.parameters(), lr=rate)
    losses: list[float] = []
    order = batches(data, 64, seed)
    fit(model, optimizer, order, steps, lambda: losses.append(measure(model, sample)[0]), EVERY)
    return losses


def example(quick: bool) -> figure.Finding:
    """Sweep the rate for each share of dropout; draw the way at the lowest and the end at all."""
    steps, rates = (EVERY, RATES[::3]) if quick else (400, RATES)
    runs = {
        share: np.array([[train(share, rate, seed, steps) for rate in rates] for seed in SEEDS])
        for share in SHARES
    }
    ends = {share: np.median(np.nan_to_num(some[:, :, -1], nan=9), axis=0) for share, some in runs.items()}
    rate_of = {share: float(rates[end.argmin()]) for share, end in ends.items()}
    lines = {share: np.median(some[:, SLOW], axis=0) for share, some in runs.items()}
    arrived = {share: EVERY * (1 + int((line < GOAL).argmax())) for share, line in lines.items()}
    most, ratio = SHARES[-1], rate_of[SHARES[-1]] / rate_of[0]
    other = f"{'higher' if ratio > 1 else 'lower'} than the {rate_of[0]:.2g} without"
    title = (
        f"With {most:.0%} dropout the same rate takes {arrived[most] / arrived[0]:.1f} times the steps; "
        f"the best rate, {rate_of[most]:.2g}, is {'the same' if ratio == 1 else other}"
    )
    subtitle = (
        f"Two hidden layers on Fashion-MNIST, {steps} steps. Loss measured with dropout off; "
        "median and range of three seeds."
    )
    plot, (left, right) = figure.frame(title, subtitle, (1, 1.25), height=4.1)
    at = np.arange(EVERY, steps + 1, EVERY)
    for share, colour in zip(SHARES, figure.shades(figure.BLUE, len(SHARES)), strict=True):
        name = f"{share:.0%}" if share else "no dropout"
        figure.band(left, at, runs[share][:, SLOW], colour)
        figure.band(
            right, rates, np.nan_to_num(runs[share][:, :, -1], nan=9), colour, marker="o", markersize=3.5
        )
        figure.label(
            right, rates[-1] * 1.07, ends[share][-1] + (0.005 if share else -0.005), name, weight="normal"
        )
        right.plot(rate_of[share], ends[share].min(), "o", color=figure.ORANGE, markersize=8, zorder=4)
    figure.label(right, rate_of[0], ends[0].min() - 0.027, "best", figure.ORANGE, ha="center")
    left.axhline(GOAL, color=figure.INK, linewidth=1.2, linestyle="--", zorder=1)
    left.set(title=f"Loss at rate {rates[SLOW]:.2g}", xlabel="step", ylim=(0.45, 1.1), xlim=(0, steps))
    right.set(
        title="Loss at the end", xlabel="learning rate", ylim=(0.38, 0.7), xlim=(0.08, 1.6), xscale="log"
    )
    right.xaxis.set_minor_locator(NullLocator())
    right.set(xticks=rates[::2], xticklabels=[f"{rate:.2g}" for rate in rates[::2]])
    see = (
        f"At a rate of {rates[SLOW]:.2g} a loss of {GOAL} (dashed) is reached after {arrived[0]} steps "
        f"without dropout, {arrived[SHARES[1]]} with {SHARES[1]:.0%} and {arrived[most]} with {most:.0%}: "
        "dropout does slow convergence, and from there a higher rate does help. But it helps without "
        f"dropout as well: the best rates are {rate_of[0]:.2g}, {rate_of[SHARES[1]]:.2g} and "
        f"{rate_of[most]:.2g}, with losses of {', '.join(f'{end.min():.2f}' for end in ends.values())}. That "
        f"dropout wants a higher rate is {'seen' if ratio > 1 else 'not seen'} here: tune the rate with the "
        "dropout that you will use."
    )
    return figure.Finding(title, see, plot)


if __name__ == "__main__":
    figure.run(__file__, example)
