"""Flat and sharp minima against the batch size.

"Flat minima tend to generalize better than sharp minima. SGD with small batches tends to find flatter minima,
which may explain why small-batch training generalizes better" (fourth document).
"""

import figure
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from training import Data, batches, fashion, fit, measure, mlp

from thalweg import optim

SIZES = (8, 32, 128, 512)
SEEDS = range(5)
RATE, TARGET, EVERY = 0.1, 0.2, 20


def descend(data: Data, size: int, seed: int, limit: int) -> nn.Module:
    """Train with plain SGD until the loss on all training data is at most `TARGET`."""
    torch.manual_seed(seed)
    model = mlp(196, 32, 32, 10)
    optimizer = optim.SGD(model.parameters(), lr=RATE)
    order = batches(data, size, seed)
    for _ in range(limit // EVERY):
        fit(model, optimizer, order, EVERY)
        if measure(model, data)[0] <= TARGET:
            break
    return model


def sharpness(model: nn.Module, data: Data, rounds: int = 30) -> tuple[float, list[Tensor]]:
    """The largest eigenvalue of the Hessian and its eigenvector, by power iteration."""
    weights = list(model.parameters())
    gradient = torch.autograd.grad(cross_entropy(model(data[0]), data[1]), weights, create_graph=True)
    generator = torch.Generator().manual_seed(0)
    vector = [torch.randn(w.shape, generator=generator) for w in weights]
    for _ in range(rounds):
        length = torch.cat([v.flatten() for v in vector]).norm()
        vector = [v / length for v in vector]
        product = torch.autograd.grad(gradient, weights, vector, retain_graph=True)
        value = sum((p * v).sum().item() for p, v in zip(product, vector, strict=True))
        vector, unit = list(product), vector
    return value, unit


@torch.no_grad()
def slice_along(model: nn.Module, data: Data, direction: list[Tensor], distances: Tensor) -> list[float]:
    """The loss on a line through the weights."""
    losses, home = [], [w.clone() for w in model.parameters()]
    for distance in distances.tolist():
        for w, start, d in zip(model.parameters(), home, direction, strict=True):
            w.copy_(start + distance * d)
        losses.append(measure(model, data)[0])
    for w, start in zip(model.parameters(), home, strict=True):
        w.copy_(start)
    return losses


def example(quick: bool) -> figure.Finding:
    """Train with each batch size to one loss; draw the minimum, its curvature and the accuracy."""
    train, test = fashion(2_000)
    distances = torch.linspace(-1, 1, 5 if quick else 41)
    sharp, right, cuts = (np.zeros((len(SEEDS), len(SIZES), *more)) for more in ((), (), (len(distances),)))
    for i, seed in enumerate(SEEDS):
        for j, size in enumerate(SIZES):
            model = descend(train, size, seed, EVERY if quick else 6_000)
            sharp[i, j], direction = sharpness(model, train, 2 if quick else 20)
            right[i, j] = measure(model, test)[1]
            cuts[i, j] = slice_along(model, train, direction, distances)
    curvature, accuracy = np.median(sharp, axis=0), np.median(right, axis=0)
    gain = (right[:, 0] - right[:, -1]).mean()
    spread = (right[:, 0] - right[:, -1]).std(ddof=1) / len(SEEDS) ** 0.5
    title = (
        f"Batch {SIZES[-1]} ends in a minimum {curvature[-1] / curvature[0]:.1f} times as sharp as batch "
        f"{SIZES[0]}, at {accuracy[-1]:.1%} against {accuracy[0]:.1%} test accuracy"
    )
    subtitle = (
        f"Two hidden layers, 2,000 images of Fashion-MNIST, SGD at rate {RATE:g} until the training loss is "
        f"{TARGET:g}. Five seeds."
    )
    plot, (cut, middle, last) = figure.frame(title, subtitle, (1.3, 1, 1), height=4.0, gap=0.42)
    colours = figure.shades(figure.BLUE, len(SIZES))
    for j, size in enumerate(SIZES):
        if j in (0, len(SIZES) - 1):
            line = figure.band(cut, distances, cuts[:, j], colours[j])
            figure.label(cut, 1.06, line[-1], f"batch {size}", weight="normal")
        for axes, values in ((middle, sharp), (last, right)):
            axes.plot([j] * len(SEEDS), values[:, j], "o", color=colours[j], markersize=5, alpha=0.8)
    for axes, values in ((middle, curvature), (last, accuracy)):
        axes.plot(values, color=figure.SOFT, linewidth=1, zorder=1)
        axes.set(
            xticks=range(len(SIZES)), xticklabels=SIZES, xlabel="batch size", xlim=(-0.4, len(SIZES) - 0.6)
        )
    middle.axhline(2 / RATE, color=figure.INK, linewidth=1.2, linestyle="--")
    figure.label(middle, -0.3, 2 / RATE * 1.06, "2 / rate", weight="normal")
    cut.set(
        title="Loss across the minimum", xlabel="distance, steepest way", ylim=(0, None), xlim=(-1.1, 2.1)
    )
    cut.set(xticks=(-1, 0, 1))
    middle.set(title="Largest curvature", ylim=(0, None))
    last.set(title="Test accuracy", ylim=(0.7, 0.9), yticks=(0.7, 0.75, 0.8, 0.85, 0.9))
    last.yaxis.set_major_formatter("{x:.0%}")
    verdict = "seen" if gain > 2 * spread else "not seen"
    see = (
        "At the same training loss the largest eigenvalue of the Hessian is "
        f"{', '.join(f'{x:.1f}' for x in curvature)} for batches of {', '.join(map(str, SIZES))}: small "
        f"batches do find flatter minima, and large ones go up to about 2 / rate = {2 / RATE:g}, beyond "
        f"which descent would not be stable. That flatter minima generalize better is {verdict} here: batch "
        f"{SIZES[0]} is {gain:+.1%} ± {spread:.1%} (standard error) more accurate on the test set than batch "
        f"{SIZES[-1]}."
    )
    return figure.Finding(title, see, plot)


if __name__ == "__main__":
    figure.run(__file__, example)
