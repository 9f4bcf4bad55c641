"""AdaGrad's stall.

In AdaGrad "the learning rate eventually shrinks to near zero and training stalls. RMSProp fixes this by using
an exponential moving average" (third document). "We might be going down a steep slope, then reaching a
plateau, and then a steep portion again", and by then the updates are so small that they "make our
optimization efforts ineffective" (second, 4.10.3).
"""

from collections.abc import Callable
from typing import Any

import figure
import numpy as np
import torch
from matplotlib.ticker import NullLocator
from training import batches, fashion, fit, mlp

from thalweg import optim

SEEDS = range(3)
TASKS, LENGTH, EVERY = 10, 400, 50
METHODS: dict[str, tuple[Callable[..., Any], str, str]] = {  # how to make it, its sum of squares, colour
    "AdaGrad": (lambda parameters: optim.Adagrad(parameters, lr=0.01), "sum", figure.ORANGE),
    "RMSprop": (lambda parameters: optim.RMSprop(parameters, lr=0.001), "square_avg", figure.BLUE),
}


def train(method: str, seed: int, renamed: bool, length: int) -> tuple[list[float], list[float]]:
    """Train through ten tasks of `length` steps: the losses, and the median effective rate η / √G.

    Each task is to name the same clothes, by other numbers if `renamed`: the loss is steep again.
    """
    (images, labels), _ = fashion()
    torch.manual_seed(seed)
    model = mlp(196, 64, 64, 10)
    make, squares, _ = METHODS[method]
    optimizer = make(model.parameters())
    names = torch.Generator().manual_seed(seed)
    losses: list[float] = []
    rates: list[float] = []

    def look() -> None:
        sums = torch.cat([optimizer.state[p][squares].flatten() for p in model.parameters()])
        rates.append(optimizer.param_groups[0]["lr"] / sums.median().sqrt().item())

    for task in range(TASKS):
        numbers = torch.randperm(10, generator=names) if renamed else torch.arange(10)
        order = batches((images, numbers[labels]), 64, seed=100 * seed + task)
        losses += fit(model, optimizer, order, length, look, EVERY)
    return losses, rates


def example(quick: bool) -> figure.Finding:
    """Train both on tasks that change and on one that does not; draw effective rates and losses."""
    length = EVERY if quick else LENGTH
    runs = {method: [train(method, seed, True, length) for seed in SEEDS] for method in METHODS}
    steady = {method: [train(method, seed, False, length)[0] for seed in SEEDS[:2]] for method in METHODS}
    losses = {method: np.array([losses for losses, _ in some]) for method, some in runs.items()}
    tasks = {method: np.median(figure.smooth(some, length), axis=0) for method, some in losses.items()}
    ends = {method: np.median(figure.smooth(some, length)[:, -1]) for method, some in steady.items()}
    rates = {method: np.median([rates for _, rates in some], axis=0) for method, some in runs.items()}
    fall = {method: some[0] / some[-1] for method, some in rates.items()}
    title = (
        f"AdaGrad's rate falls {fall['AdaGrad']:.0f}-fold: its mean loss in a task goes from "
        f"{tasks['AdaGrad'][0]:.2f} to {tasks['AdaGrad'][-1]:.2f}, RMSprop's from {tasks['RMSprop'][0]:.2f} "
        f"to {tasks['RMSprop'][-1]:.2f}"
    )
    subtitle = (
        f"Two hidden layers on Fashion-MNIST, the ten classes renamed every {length} steps. "
        "Median and range of three seeds."
    )
    plot, (left, right) = figure.frame(title, subtitle, (1, 1.6), height=4.0)
    at = np.arange(EVERY, TASKS * length + 1, EVERY)
    for method, (_, _, colour) in METHODS.items():
        figure.band(left, at, [rates for _, rates in runs[method]], colour)
        figure.band(right, at, figure.smooth(losses[method], EVERY), colour, linewidth=1.6)
    left.loglog(at, rates["AdaGrad"][0] * np.sqrt(EVERY / at), ":", color=figure.SOFT, linewidth=1.4)
    left.yaxis.set_minor_locator(NullLocator())
    left.set(title="Median effective rate, η / √G", xlabel="step", ylim=(0.015, 0.5), xlim=(40, at[-1] * 1.1))
    left.set(yticks=(0.02, 0.05, 0.1, 0.2, 0.4), yticklabels=("0.02", "0.05", "0.1", "0.2", "0.4"))
    figure.label(left, at[0] * 1.1, 0.04, "AdaGrad", figure.ORANGE)
    figure.label(left, at[-1], 0.27, "RMSprop", figure.BLUE, ha="right")
    figure.label(left, at[-1], 0.088, "1 / √step", figure.SOFT, weight="normal", ha="right")
    right.set(title="Training loss", xlabel="task", xlim=(0, at[-1]), ylim=(0, None))
    right.set(xticks=length * np.arange(TASKS), xticklabels=range(1, TASKS + 1))
    see = (
        "Both begin alike. At every renaming the gradients are steep again; AdaGrad keeps them all in its "
        f"sum G, and its effective rate ends {fall['AdaGrad']:.0f} times lower than it began (RMSprop's "
        f"{fall['RMSprop']:.1f} times). From the first task to the last, AdaGrad's mean loss goes from "
        f"{tasks['AdaGrad'][0]:.2f} to {tasks['AdaGrad'][-1]:.2f}, RMSprop's from {tasks['RMSprop'][0]:.2f} "
        f"to {tasks['RMSprop'][-1]:.2f}. It is slow, not stuck: where nothing is renamed, the same "
        f"{TASKS * length:,} steps take AdaGrad to {ends['AdaGrad']:.2f} and RMSprop to "
        f"{ends['RMSprop']:.2f}."
    )
    return figure.Finding(title, see, plot)


if __name__ == "__main__":
    figure.run(__file__, example)
