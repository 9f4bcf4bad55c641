"""Random search against gradient descent on a linear classifier.

Random search, "generating many random weight matrices, evaluating the loss for each, and keeping track of the
best", is a "bad idea!": 1,000 tries reach 15.5 % on CIFAR-10. Following the slope
"is remarkably effective"
(second document, 4.5.3 and 4.5.4).
"""

from collections.abc import Callable
from typing import Any

import figure
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from training import Data, fashion, measure, mlp

from thalweg import optim

BUDGET = 1_000
"""Forward passes over the data; a gradient costs three, since backward takes about as long as two forward."""

SEEDS = range(3)
Method = tuple[Callable[[nn.Module, int], Any], int, str]
METHODS: dict[str, Method] = {  # how to make it, forward passes in a step, colour; scales and rate were tuned
    "random search": (
        lambda model, seed: optim.RandomSearch(
            model.parameters(), lr=0.01, candidates=9, local=False, seed=seed
        ),
        10,
        figure.ORANGE,
    ),
    "around the best so far": (
        lambda model, seed: optim.RandomSearch(model.parameters(), lr=0.005, candidates=9, seed=seed),
        10,
        figure.PLUM,
    ),
    "gradient descent": (
        lambda model, seed: optim.GradientDescent(model.parameters(), lr=0.05),
        3,
        figure.BLUE,
    ),
}


def search(method: Method, data: Data, test: Data, seed: int, budget: int) -> tuple[list[float], list[float]]:
    """Train softmax regression from weights near zero: the loss and the test accuracy after each step."""
    make, cost, _ = method
    torch.manual_seed(seed)
    model = mlp(784, 10)
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(0.01)
    optimizer = make(model, seed)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = cross_entropy(model(data[0]), data[1])
        if loss.requires_grad:
            loss.backward()
        return loss

    losses, rights = [], []
    for _ in range(budget // cost):
        losses.append(optimizer.step(closure).item())
        rights.append(measure(model, test)[1])
    return losses, rights


def example(quick: bool) -> figure.Finding:
    """Give each method the same number of passes; draw loss and accuracy against them."""
    data, test = fashion(1_000, pool=1)
    budget = 60 if quick else BUDGET
    runs = {
        name: np.array([search(method, data, test, seed, budget) for seed in SEEDS])
        for name, method in METHODS.items()
    }
    rights = {name: float(np.median(run[:, 1, -1])) for name, run in runs.items()}
    losses = {name: float(np.median(run[:, 0, -1])) for name, run in runs.items()}
    slope = np.median(runs["gradient descent"][:, 0], axis=0)
    passes = {name: 3 * (1 + int((slope < loss).argmax())) for name, loss in losses.items()}
    title = (
        f"{budget:,} passes over the data: random search gets {rights['random search']:.0%} right, "
        f"gradient descent {rights['gradient descent']:.0%}"
    )
    subtitle = (
        "Softmax regression, 7,850 weights, 1,000 images of Fashion-MNIST. Median and range of three seeds."
    )
    plot, (left, right) = figure.frame(title, subtitle, (1, 1), height=4.1)
    for name, (_, cost, colour) in METHODS.items():
        at = cost * np.arange(1, budget // cost + 1)
        figure.band(left, at, runs[name][:, 0], colour)
        figure.band(right, at, runs[name][:, 1], colour)
    figure.label(right, 30, 0.86, "gradient descent", figure.BLUE)
    figure.label(right, 900, 0.4, "random, around\nthe best so far", figure.PLUM, ha="right")
    figure.label(right, 900, 0.07, "random search", figure.ORANGE, ha="right")
    for axes, text in ((left, "Training loss"), (right, "Test accuracy")):
        axes.set(title=text, xscale="log", xlabel="passes over the data", xlim=(3, budget))
    left.set(ylim=(0, 2.5))
    right.set(ylim=(0, 1))
    right.yaxis.set_major_formatter("{x:.0%}")
    see = (
        f"Drawing all weights afresh takes the loss from 2.303 to {losses['random search']:.3f} and the test "
        f"accuracy to {rights['random search']:.1%}; gradient descent is below that loss after "
        f"{passes['random search']} passes. Searching around the best so far is much better, "
        f"{rights['around the best so far']:.1%}, but still takes {budget:,} passes for what gradient "
        f"descent has after {passes['around the best so far']}. Gradient descent ends at a loss of "
        f"{losses['gradient descent']:.3f} and {rights['gradient descent']:.1%}: with 7,850 weights almost "
        "no direction is the right one."
    )
    return figure.Finding(title, see, plot)


if __name__ == "__main__":
    figure.run(__file__, example)
