"""What the experiments share: Fashion-MNIST as rows of pixels, a training loop, two measures."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, cross_entropy

from thalweg.tasks.data import fashion_mnist

Data = tuple[Tensor, Tensor]


def fashion(train: int = 12_000, test: int = 2_000, pool: int = 2) -> tuple[Data, Data]:
    """Return the first training and test images as rows of pixels, averaged over squares of side `pool`."""
    whole, _, held_out = fashion_mnist()
    return _rows(*whole, train, pool), _rows(*held_out, test, pool)


def _rows(images: Tensor, labels: Tensor, count: int, pool: int) -> Data:
    return avg_pool2d(images[:count], pool).flatten(1), labels[:count]


def mlp(*widths: int, between: Callable[[int], list[nn.Module]] = lambda width: []) -> nn.Sequential:
    """Return linear layers with ReLU between them; `between(width)` gives modules to put before each ReLU."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths[:-1]):
        layers += [nn.Linear(inputs, outputs), *between(outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1]))


def batches(data: Data, size: int, seed: int) -> Iterator[Data]:
    """Yield batches without end, each pass over the data in a new order."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        order = torch.randperm(len(data[0]), generator=generator)
        for start in range(0, len(order) - size + 1, size):
            rows = order[start : start + size]
            yield data[0][rows], data[1][rows]


def fit(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    data: Iterator[Data],
    steps: int,
    look: Callable[[], object] = lambda: None,
    every: int = 1,
) -> list[float]:
    """Train with cross-entropy and return each batch's loss; `look` is called after every `every` steps."""
    losses = []
    model.train()
    for step, (images, labels) in zip(range(1, steps + 1), data, strict=False):
        loss = cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % every == 0:
            look()
        losses.append(loss.item())
    return losses


@torch.no_grad()
def measure(model: nn.Module, data: Data) -> tuple[float, float]:
    """Return the mean cross-entropy and the accuracy, with dropout off and batch statistics frozen."""
    model.eval()
    scores = model(data[0])
    loss, correct = cross_entropy(scores, data[1]), scores.argmax(dim=1) == data[1]
    model.train()
    return loss.item(), correct.double().mean().item()
