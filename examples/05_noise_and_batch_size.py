"""SGD's noise falls with the square root of the batch size.

"The mini-batch gradient is an unbiased estimator of the true gradient" whose "noise from sampling introduces
variance" (fourth document); "larger batches tend to produce smoother gradients; smaller batches bring more
exploration" (fifth, 2.5); the path "might dance around the minimum without settling perfectly" (first).
"""

from collections.abc import Iterator
from itertools import islice, repeat

import figure
import numpy as np
import torch
from matplotlib.ticker import NullLocator
from torch import nn
from torch.nn.functional import cross_entropy
from training import Data, fashion, fit, measure, mlp

from thalweg import optim

SIZES = (1, 4, 16, 64, 256)
SEEDS = range(5)
DECAY, EVERY = 0.1, 20


def gradient(model: nn.Module, data: Data) -> torch.Tensor:
    """The gradient of the mean loss, all parameters in one vector."""
    loss = cross_entropy(model(data[0]), data[1])
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))])


def draws(data: Data, size: int, seed: int) -> Iterator[Data]:
    """Yield batches without end, drawn with replacement as the theory has it."""
    chosen = torch.Generator().manual_seed(seed)
    while True:
        rows = torch.randint(len(data[0]), (size,), generator=chosen)
        yield data[0][rows], data[1][rows]


def noise(model: nn.Module, data: Data, size: int, count: int) -> tuple[float, float]:
    """The root mean square distance of a batch's gradient to the true one, and of the mean of all draws."""
    true = gradient(model, data)
    errors = torch.stack([gradient(model, batch) - true for batch in islice(draws(data, size, 0), count)])
    norm = true.norm()
    return (errors.square().sum(dim=1).mean().sqrt() / norm).item(), (errors.mean(dim=0).norm() / norm).item()


def objective(model: nn.Module, data: Data) -> float:
    """The loss on all data with its penalty: convex, so that there is one minimum to reach."""
    penalty = sum(p.detach().square().sum().item() for p in model.parameters())
    return measure(model, data)[0] + DECAY / 2 * penalty


def descent(
    data: Data, order: Iterator[Data], steps: int, momentum: float = 0
) -> tuple[list[float], nn.Module]:
    """Train softmax regression on the batches of `order`; the objective on all data, every `EVERY` steps."""
    torch.manual_seed(0)
    model = mlp(49, 10)
    optimizer = optim.SGD(model.parameters(), lr=0.05, weight_decay=DECAY, momentum=momentum)
    values: list[float] = []
    fit(model, optimizer, order, steps, lambda: values.append(objective(model, data)), EVERY)
    return values, model


def example(quick: bool) -> figure.Finding:
    """Measure the noise of the gradient and train with each batch size; draw both."""
    data, _ = fashion(1_024, pool=4)
    steps, count = (60, 4) if quick else (2_000, 1_000)
    finish, _ = descent(data, repeat(data), 2 * steps, momentum=0.9)
    start = descent(data, repeat(data), EVERY)[1]
    spread, bias = zip(*(noise(start, data, size, count) for size in SIZES), strict=True)
    slope = np.polyfit(np.log(SIZES), np.log(spread), 1)[0]
    above = {
        size: np.array([descent(data, draws(data, size, seed), steps)[0] for seed in SEEDS]) - finish[-1]
        for size in SIZES
    }
    floors = [float(np.median(run[:, -len(run[0]) // 4 :])) for run in above.values()]
    title = (
        f"Four times the batch, {4**-slope:.1f} times less noise in the gradient, and SGD comes to rest "
        f"{(floors[0] / floors[-1]) ** (1 / (len(SIZES) - 1)):.1f} times lower above the minimum"
    )
    subtitle = (
        "Softmax regression with weight decay on Fashion-MNIST, rate 0.05. Median and range of five seeds."
    )
    plot, (left, right) = figure.frame(title, subtitle, (1, 1.5), height=4.0)
    left.loglog(SIZES, spread, "o", color=figure.BLUE, markersize=7)
    theory = spread[0] * np.sqrt(SIZES[0] / np.array(SIZES))
    left.loglog(SIZES, theory, ":", color=figure.SOFT, linewidth=1.4, zorder=1)
    left.yaxis.set_minor_locator(NullLocator())
    left.set(
        title="Noise over length of the gradient",
        xlabel="batch size",
        xticks=SIZES,
        yticks=(0.5, 1, 2, 5),
        yticklabels=("0.5", "1", "2", "5"),
    )
    left.set_xticklabels([str(size) for size in SIZES])
    figure.label(left, SIZES[2], theory[2] * 1.25, "1 / √batch", figure.SOFT, weight="normal")
    at = np.arange(EVERY, steps + 1, EVERY)
    for size, floor, colour in zip(SIZES, floors, figure.shades(figure.BLUE, len(SIZES)), strict=True):
        figure.band(right, at, above[size], colour, linewidth=1.6)
        figure.label(right, steps * 1.02, floor, f"batch {size}", weight="normal")
    right.set(title="Loss above its minimum", xlabel="step", yscale="log", xlim=(0, steps * 1.22))
    see = (
        f"A batch's gradient differs from the true one by {', '.join(f'{x:.2f}' for x in spread)} times its "
        f"length for batches of {', '.join(map(str, SIZES))}: a power of {slope:.3f} of the batch size, "
        f"theory says -1/2 (dotted). It is unbiased: the mean of {count:,} gradients of batch {SIZES[0]} "
        f"misses by {bias[0]:.3f}, chance by {spread[0] / count**0.5:.3f}. At a constant rate SGD dances "
        f"around the minimum, at {', '.join(f'{x:.2g}' for x in floors)} above it: smaller noise, or a "
        "smaller learning rate, is the way to come closer."
    )
    return figure.Finding(title, see, plot)


if __name__ == "__main__":
    figure.run(__file__, example)
