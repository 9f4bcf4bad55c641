"""Batch and layer normalization allow higher learning rates.

"Batch normalization normalizes activations within each layer, which smooths the loss surface and allows
higher learning rates" (third document); layer normalization "does not depend on batch statistics" (fourth).
"""

from collections.abc import Callable

import figure
import numpy as np
import torch
from torch import nn
from training import batches, fashion, fit, mlp

from thalweg import optim

KINDS: dict[str, tuple[Callable[[int], list[nn.Module]], str]] = {
    "no normalization": (lambda width: [], figure.BLUE),
    "batch norm": (lambda width: [nn.BatchNorm1d(width)], figure.ORANGE),
    "layer norm": (lambda width: [nn.LayerNorm(width)], figure.GREEN),
}
RATES = np.geomspace(0.001, 10, 13)
SEEDS = range(3)
TRAINED = 1.0
"""A rate is usable if the loss ends below this with the median seed; guessing gives ln 10 = 2.3."""


def final(kind: str, rate: float, seed: int, steps: int) -> float:
    """Train a network of five hidden layers at a constant rate: the mean loss of the last 50 batches."""
    data, _ = fashion()
    torch.manual_seed(seed)
    model = mlp(196, 64, 64, 64, 64, 64, 10, between=KINDS[kind][0])
    optimizer = optim.SGD(model.parameters(), lr=rate)
    losses = fit(model, optimizer, batches(data, 64, seed), steps)
    return float(np.nan_to_num(np.mean(losses[-50:]), nan=np.inf))


def example(quick: bool) -> figure.Finding:
    """Sweep the rate for each network; draw the loss at the end."""
    steps, rates = (3, RATES[::6]) if quick else (300, RATES)
    plain, batch, layer = (
        np.array([[final(kind, rate, seed, steps) for rate in rates] for seed in SEEDS]) for kind in KINDS
    )
    usable = [rates[np.median(runs, axis=0) < (9 if quick else TRAINED)] for runs in (plain, batch, layer)]
    spans = [highest / lowest for lowest, *_, highest in usable]
    title = (
        f"Usable learning rates span a factor of {spans[0]:.0f} without normalization, {spans[1]:,.0f} with "
        f"batch norm, {spans[2]:,.0f} with layer norm"
    )
    subtitle = (
        f"Five hidden layers on Fashion-MNIST: loss after {steps} steps of plain SGD at a constant rate. "
        "Median and range of three seeds."
    )
    plot, (axes,) = figure.frame(title, subtitle, height=4.4)
    for (kind, (_, colour)), runs, rows, height in zip(
        KINDS.items(), (plain, batch, layer), usable, (0.17, 0.1, 0.03), strict=True
    ):
        figure.band(axes, rates, np.minimum(runs, 5), colour, marker="o", markersize=4)
        bar = axes.get_xaxis_transform()
        axes.plot(rows[[0, -1]], [height] * 2, color=colour, linewidth=5, transform=bar)
        figure.label(axes, rows[-1] * 1.2, height, kind, colour, transform=bar)
    axes.axhline(np.log(10), color=figure.SOFT, linewidth=1, linestyle=":")
    figure.label(axes, 0.00072, np.log(10) + 0.12, "guessing", figure.SOFT, weight="normal")
    axes.set(xscale="log", xlabel="learning rate", ylim=(-0.3, 3), xlim=(7e-4, 14))
    axes.set(yticks=(0.5, 1, 1.5, 2, 2.5, 3), title="Loss, and below it the usable rates")
    see = (
        f"The network without normalization learns (loss below {TRAINED:g}) at rates of {usable[0][0]:.2g} "
        f"to {usable[0][-1]:.2g}, with batch norm of {usable[1][0]:.2g} to {usable[1][-1]:.2g}, with layer "
        f"norm of {usable[2][0]:.2g} to {usable[2][-1]:.2g}. So batch norm does allow rates "
        f"{usable[1][-1] / usable[0][-1]:.1f} times higher; layer norm's highest is "
        f"{usable[2][-1] / usable[0][-1]:.1f} times the plain network's, and its gain is at low rates. The "
        "best losses are "
        f"{', '.join(f'{np.median(runs, axis=0).min():.2f}' for runs in (plain, batch, layer))}."
    )
    return figure.Finding(title, see, plot)


if __name__ == "__main__":
    figure.run(__file__, example)
