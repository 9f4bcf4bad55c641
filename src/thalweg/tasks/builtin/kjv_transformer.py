"""A small causal transformer on the King James Bible, character by character."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, scaled_dot_product_attention

from thalweg.tasks import Task
from thalweg.tasks.data import KJV_SYMBOLS, kjv

LENGTH = 64


class Block(nn.Module):
    """Causal self-attention, then a two-layer network, each behind a layer norm and added to its input."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention_in, self.attention_out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.network = nn.Sequential(nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """Return the transformed states, (n, length, width)."""
        q, k, v = self.attention_in(self.norm1(x)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        attended = scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.attention_out(attended.transpose(1, 2).flatten(2))
        out: Tensor = x + self.network(self.norm2(x))
        return out


class Transformer(nn.Module):
    """Two blocks of width 64 with four heads (Vaswani et al. 2017, 1706.03762): 113,609 parameters."""

    def __init__(self, width: int = 64, heads: int = 4, depth: int = 2) -> None:
        super().__init__()
        self.embedding = nn.Embedding(KJV_SYMBOLS, width)
        self.position = nn.Parameter(0.02 * torch.randn(LENGTH, width))
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(depth)))
        self.scores = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, KJV_SYMBOLS))

    def forward(self, characters: Tensor) -> Tensor:
        """Return the scores of every next character, (n, length, 73), for characters (n, length)."""
        x = self.embedding(characters) + self.position
        scores: Tensor = self.scores(self.blocks(x))
        return scores


def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Cross-entropy of the next character."""
    characters, following = batch
    scores: Tensor = model(characters)
    return cross_entropy(scores.flatten(0, 1), following.flatten())


def bits(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Bits needed for each character: the cross-entropy to base 2."""
    return loss(model, batch) / math.log(2)


train, valid, test = kjv(LENGTH)

task = Task(
    name="kjv-transformer",
    description="two transformer blocks on the King James Bible, by character",
    model=Transformer,
    train=train,
    valid=valid,
    test=test,
    loss=loss,
    metric=bits,
    batch_size=16,
    eval_batch_size=256,
    metric_name="bits per character",
    higher_is_better=False,
    epochs=0.5,
)
