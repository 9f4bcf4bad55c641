"""L2 inside Adam against AdamW.

With L2 in Adam "weights with large gradients experience less regularization. Weights with small gradients are
penalized more heavily"; AdamW's decay is "independent of the gradient dynamics" (second document, 4.13), and
"AdamW gives better generalization than Adam with L2" (third).
"""

from typing import Any

import figure
import numpy as np
import torch
from torch import Tensor, nn
from training import batches, fashion, fit, measure, mlp

from thalweg import optim
from thalweg.schedules import ScheduleLR, cosine

SEEDS = range(3)
L2, DECOUPLED = 0.003, 1.0
"""The best strengths of the sweep; they also shrink the first layer by the same amount over all."""

SWEEPS = {
    optim.Adam: (0.0001, 0.0003, 0.001, L2, 0.01, 0.03),
    optim.AdamW: (0.03, 0.1, 0.3, DECOUPLED, 3.0, 10.0),
}


def train(method: Any, strength: float, seed: int, steps: int) -> tuple[nn.Module, Any, tuple[float, float]]:
    """Train with a cosine schedule: the network, its optimizer, the test loss and accuracy."""
    train, test = fashion(2_000)
    torch.manual_seed(seed)
    model = mlp(196, 128, 128, 10)
    optimizer = method(model.parameters(), lr=0.004, weight_decay=strength)
    scheduler = ScheduleLR(optimizer, cosine(steps))
    fit(model, optimizer, batches(train, 64, seed), steps, scheduler.step)
    return model, optimizer, measure(model, test)


def first_layer(run: tuple[nn.Module, Any, Any]) -> tuple[Tensor, Tensor]:
    """The weights of the first layer, and the size √v of each one's gradient."""
    weight = next(run[0].parameters())
    return weight.detach().flatten(), run[1].state[weight]["exp_avg_sq"].sqrt().flatten()


def left_over(free: Any, decayed: Any) -> list[float]:
    """By tenths of the weights, from small gradients to large: their RMS with decay over that without."""
    weights, gradients = first_layer(free)
    shrunk, _ = first_layer(decayed)
    tenths = gradients.argsort().chunk(10)
    return [(shrunk[tenth].norm() / weights[tenth].norm()).item() for tenth in tenths]


def example(quick: bool) -> figure.Finding:
    """Sweep the strength of both; draw what is left of the weights, and the test loss."""
    steps = 20 if quick else 800
    free = [train(optim.Adam, 0.0, seed, steps) for seed in SEEDS]
    runs = {
        method: {s: [train(method, s, seed, steps) for seed in SEEDS] for s in strengths}
        for method, strengths in SWEEPS.items()
    }
    chosen = {optim.Adam: runs[optim.Adam][L2], optim.AdamW: runs[optim.AdamW][DECOUPLED]}
    left_of = {
        method: np.array([left_over(a, b) for a, b in zip(free, some, strict=True)])
        for method, some in chosen.items()
    }
    ends = {m: np.array([[run[2] for run in some] for some in by.values()]) for m, by in runs.items()}
    losses = {method: np.median(end[:, :, 0], axis=1) for method, end in ends.items()}
    rights = {method: np.median(end[:, :, 1], axis=1).max() for method, end in ends.items()}
    base = float(np.median([run[2][0] for run in free]))
    a, w = (np.median(left_of[method], axis=0) for method in SWEEPS)
    title = (
        f"L2 in Adam leaves {a[0]:.0%} of the weights with the smallest gradients and {a[-1]:.0%} of those "
        f"with the largest; AdamW {w[0]:.0%} and {w[-1]:.0%}"
    )
    subtitle = (
        f"Two hidden layers on 2,000 images of Fashion-MNIST, {steps} steps at rate 0.004. "
        "Median and range of three seeds."
    )
    plot, (left, right) = figure.frame(title, subtitle, (1.1, 1), height=4.1)
    for method, colour in ((optim.Adam, figure.ORANGE), (optim.AdamW, figure.BLUE)):
        figure.band(left, range(1, 11), left_of[method], colour, marker="o", markersize=4)
        figure.band(right, SWEEPS[method], ends[method][:, :, 0].T, colour, marker="o", markersize=4)
    figure.label(left, 1.6, 0.27, "L2 in Adam", figure.ORANGE)
    figure.label(left, 1.0, 0.7, "AdamW", figure.BLUE)
    left.set(title="Size of weights, over that without decay", ylim=(0, 1), xticks=(1, 10))
    left.set(xticklabels=("smallest", "largest"), xlabel="tenth of the weights, by size of gradient")
    left.yaxis.set_major_formatter("{x:.0%}")
    right.axhline(base, color=figure.SOFT, linewidth=1, linestyle=":")
    figure.label(right, 1e-4, base * 1.02, "no decay", figure.SOFT, weight="normal")
    right.set(title="Test loss", xscale="log", xlabel="strength λ")
    see = (
        f"Both strengths shrink the first layer alike over all ({np.mean(left_of[optim.Adam]):.0%} and "
        f"{np.mean(left_of[optim.AdamW]):.0%} left), but L2 is divided by √v with the rest of the gradient: "
        "from the tenth with the smallest gradients to that with the largest, L2 leaves "
        f"{', '.join(f'{x:.2f}' for x in a)}; AdamW {', '.join(f'{x:.2f}' for x in w)}. At its best strength "
        f"L2 reaches a test loss of {losses[optim.Adam].min():.3f} and {rights[optim.Adam]:.1%}, AdamW "
        f"{losses[optim.AdamW].min():.3f} and {rights[optim.AdamW]:.1%} (no decay {base:.3f}): the gain over "
        "none is large, that of AdamW over L2 small here."
    )
    return figure.Finding(title, see, plot)


if __name__ == "__main__":
    figure.run(__file__, example)
