"""Small problems to meta-train on, each run in many copies at once: parameters have a leading dimension.

They are small versions of the built-in tasks on the same data, and quadratics. All parameters of a problem
are one row of a matrix with a row for each copy.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import torch
from torch import Generator, Tensor
from torch.nn import functional

from thalweg.tasks.data import KJV_SYMBOLS, fashion_mnist, kjv

Batch = tuple[Tensor, ...]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Problem:
    """What to train.

    Attributes:
        name: what it is.
        start: the initial tensors of one copy.
        loss: from tensors with a leading dimension of copies, and a batch, the loss of each copy.
        draw: a random batch.
        scales: a factor for each tensor: the optimizer sees the tensor divided by it.
    """

    name: str
    start: list[Tensor]
    loss: Callable[[list[Tensor], Batch], Tensor]
    draw: Callable[[Generator], Batch]
    scales: list[float]

    def row(self) -> Tensor:
        """The initial parameters as the optimizer sees them, (elements,)."""
        return torch.cat([(p / c).flatten() for p, c in zip(self.start, self.scales, strict=True)])

    def losses(self, rows: Tensor, batch: Batch) -> Tensor:
        """The loss of each copy, (copies,), for rows (copies, elements)."""
        parts = rows.split([p.numel() for p in self.start], dim=1)
        triples = zip(parts, self.start, self.scales, strict=True)
        return self.loss([c * x.reshape(len(rows), *p.shape) for x, p, c in triples], batch)


def uniform(generator: Generator, bound: float, *shape: int) -> Tensor:
    """Numbers between -bound and bound."""
    return (2 * torch.rand(shape, generator=generator) - 1) * bound


def whole(generator: Generator, low: int, high: int) -> int:
    """A whole number, log-uniform between two, both included."""
    return round(low * (high / low) ** torch.rand((), generator=generator).item())


def choice(generator: Generator, *options: int) -> int:
    """One of several numbers, each as likely."""
    return options[int(torch.randint(len(options), (), generator=generator))]


def scales(generator: Generator, count: int) -> list[float]:
    """Half of all problems are seen at other scales of their tensors, up to a factor of 3 either way."""
    spread = choice(generator, 0, 1) * math.log(3)
    return [math.exp(spread * (2 * torch.rand((), generator=generator).item() - 1)) for _ in range(count)]


def layer(generator: Generator, inputs: int, outputs: int) -> list[Tensor]:
    """Weight (inputs, outputs) and bias (1, outputs) of a linear layer, as torch initializes them."""
    bound = 1 / math.sqrt(inputs)
    return [uniform(generator, bound, inputs, outputs), uniform(generator, bound, 1, outputs)]


def cross_entropy(scores: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of each copy; scores (copies, samples, classes), labels (samples,)."""
    own = scores.log_softmax(dim=2).gather(2, labels[None, :, None].expand(len(scores), -1, 1))
    return -own.mean(dim=(1, 2))


@lru_cache(maxsize=4)
def images(side: int) -> tuple[Tensor, Tensor]:
    """Training images of Fashion-MNIST, averaged down to (n, 1, side, side), and their labels."""
    (pixels, labels), _, _ = fashion_mnist()
    return functional.adaptive_avg_pool2d(pixels, side), labels


def image_batches(side: int, size: int) -> Callable[[Generator], Batch]:
    """What draws `size` random images."""
    pixels, labels = images(side)

    def draw(generator: Generator) -> Batch:
        chosen = torch.randint(len(labels), (size,), generator=generator)
        return pixels[chosen], labels[chosen]

    return draw


def quadratic(generator: Generator, large: bool) -> Problem:
    """½ (x - a)ᵀ H (x - a) / n with a random rotation, condition 1 to 1e4, and a noisy a."""
    n, condition = whole(generator, 10, 60), 10 ** (4 * torch.rand((), generator=generator).item())
    basis, _ = torch.linalg.qr(torch.randn(n, n, generator=generator))
    root = basis * torch.logspace(0, -math.log10(condition) / 2, n)
    target = torch.randn(n, generator=generator)
    noise = 0.3 * torch.rand((), generator=generator).item()

    def loss(parts: list[Tensor], batch: Batch) -> Tensor:
        return 0.5 * ((parts[0] - target - batch[0]) @ root).square().mean(dim=1)

    def draw(generator: Generator) -> Batch:
        return (noise * torch.randn(n, generator=generator),)

    return Problem(f"quadratic {n}", [torch.zeros(n)], loss, draw, scales(generator, 1))


def perceptron(generator: Generator, depth: int, large: bool) -> Problem:
    """A network of `depth` hidden layers, ReLU or tanh; none at all is softmax regression."""
    side = choice(generator, 14, 28, 28, 28) if large else choice(generator, 7, 14, 28, 28)
    low, high = (24, 128) if large else (12, 64)
    widths = [side * side, *(whole(generator, low, high) for _ in range(depth)), 10]
    function = (torch.relu, torch.tanh)[choice(generator, 0, 1)]
    start = [p for inputs, outputs in pairwise(widths) for p in layer(generator, inputs, outputs)]

    def loss(parts: list[Tensor], batch: Batch) -> Tensor:
        x = batch[0].flatten(1)
        for i in range(0, len(parts), 2):
            x = torch.matmul(function(x) if i else x, parts[i]) + parts[i + 1]
        return cross_entropy(x, batch[1])

    draw = image_batches(side, whole(generator, 16, 128))
    return Problem(f"perceptron {widths}", start, loss, draw, scales(generator, len(start)))


def convolutional(generator: Generator, large: bool) -> Problem:
    """Two strided convolutions, each with batch normalization, then a linear layer, on 14x14 images."""
    inner, outer = whole(generator, 4, 12), whole(generator, 6, 24)
    start = []
    for inputs, outputs in ((1, inner), (inner, outer)):
        kernel = uniform(generator, 1 / math.sqrt(9 * inputs), outputs, inputs, 3, 3)
        start += [kernel, torch.ones(outputs), torch.zeros(outputs)]
    start += layer(generator, outer * 16, 10)

    def loss(parts: list[Tensor], batch: Batch) -> Tensor:
        copies = len(parts[0])
        x = batch[0].repeat(1, copies, 1, 1)  # the copies are groups of channels
        for kernel, gain, shift in (parts[:3], parts[3:6]):
            x = functional.conv2d(x, kernel.flatten(0, 1), stride=2, padding=1, groups=copies)
            x = functional.batch_norm(x, None, None, gain.flatten(), shift.flatten(), training=True).relu()
        x = x.unflatten(1, (copies, -1)).flatten(2).transpose(0, 1)
        return cross_entropy(torch.matmul(x, parts[6]) + parts[7], batch[1])

    draw = image_batches(14, whole(generator, 16, 32))
    return Problem(f"convolutional {inner} {outer}", start, loss, draw, scales(generator, len(start)))


def recurrent(generator: Generator, large: bool) -> Problem:
    """A gated recurrent unit that reads 12 characters."""
    size, width, batch_size = whole(generator, 8, 24), whole(generator, 12, 48), 8
    bound = 1 / math.sqrt(width)
    start = [torch.randn(KJV_SYMBOLS, size, generator=generator)]
    start += [uniform(generator, bound, inputs, 3 * width) for inputs in (size, width)]
    start += [uniform(generator, bound, 1, 3 * width) for _ in range(2)]
    start += layer(generator, width, KJV_SYMBOLS)
    texts, following = kjv(12)[0]

    def loss(parts: list[Tensor], batch: Batch) -> Tensor:
        embedding, inward, around, bias_in, bias_around, out, bias_out = parts
        marks = functional.one_hot(batch[0], KJV_SYMBOLS).to(embedding.dtype)
        x = torch.matmul(marks.flatten(0, 1), embedding).unflatten(1, batch[0].shape)
        ahead = torch.matmul(x, inward[:, None]) + bias_in[:, None]
        state = x.new_zeros(len(x), x.shape[1], width)
        states = []
        for i in range(x.shape[2]):
            r, z, n = ahead[:, :, i].chunk(3, dim=2)
            hr, hz, hn = torch.baddbmm(bias_around, state, around).chunk(3, dim=2)
            update = torch.sigmoid(z + hz)
            state = torch.lerp(torch.tanh(n + torch.sigmoid(r + hr) * hn), state, update)
            states.append(state)
        scores = torch.baddbmm(bias_out, torch.stack(states, dim=2).flatten(1, 2), out)
        return cross_entropy(scores, batch[1].flatten())

    def draw(generator: Generator) -> Batch:
        chosen = torch.randint(len(texts), (batch_size,), generator=generator)
        return texts[chosen], following[chosen]

    return Problem(f"recurrent {width}", start, loss, draw, scales(generator, len(start)))


KINDS: tuple[Callable[[Generator, bool], Problem], ...] = (
    quadratic,
    lambda generator, large: perceptron(generator, 0, large),
    lambda generator, large: perceptron(generator, 1, large),
    lambda generator, large: perceptron(generator, 2, large),
    convolutional,
    recurrent,
)


def problem(kind: int, seed: int, large: bool = False) -> Problem:
    """The problem of a kind (an index of `KINDS`) that a seed gives; `large` ones have wider perceptrons."""
    return KINDS[kind](Generator().manual_seed(seed), large)
