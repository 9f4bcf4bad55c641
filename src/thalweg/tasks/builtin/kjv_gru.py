"""A recurrent network that reads the King James Bible character by character."""

import math

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from thalweg.tasks import Task
from thalweg.tasks.data import KJV_SYMBOLS, kjv


class Reader(nn.Module):
    """One GRU (Cho et al. 2014, 1406.1078) between an embedding and a linear layer: 88,585 parameters."""

    def __init__(self, width: int = 128) -> None:
        super().__init__()
        self.embedding = nn.Embedding(KJV_SYMBOLS, 64)
        self.gru = nn.GRU(64, width, batch_first=True)
        self.scores = nn.Linear(width, KJV_SYMBOLS)

    def forward(self, characters: Tensor) -> Tensor:
        """Return the scores of every next character, (n, length, 73), for characters (n, length)."""
        states, _ = self.gru(self.embedding(characters))
        scores: Tensor = self.scores(states)
        return scores


def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Cross-entropy of the next character."""
    characters, following = batch
    scores: Tensor = model(characters)
    return cross_entropy(scores.flatten(0, 1), following.flatten())


def bits(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Bits needed for each character: the cross-entropy to base 2."""
    return loss(model, batch) / math.log(2)


train, valid, test = kjv(length=64)

task = Task(
    name="kjv-gru",
    description="GRU of 128 units on the King James Bible, by character",
    model=Reader,
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
