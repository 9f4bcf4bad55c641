"""A small task whose every number can be computed by hand."""

import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss

from thalweg.tasks import Task


@pytest.fixture(autouse=True)
def embedded_data(monkeypatch):
    """Test with the data of the package, whatever the developer's environment says."""
    monkeypatch.delenv("THALWEG_DATA", raising=False)


@pytest.fixture
def fields():
    """Fields of a valid task: 23, 7 and 5 rows; a row's number is its only input."""

    def split(start, count):
        rows = torch.arange(start, start + count, dtype=torch.float32)[:, None]
        return rows, 2 * rows

    return {
        "name": "doubling",
        "model": lambda: nn.Linear(1, 1),
        "train": split(0, 23),
        "valid": split(100, 7),
        "test": split(200, 5),
        "loss": lambda model, batch: mse_loss(model(batch[0]), batch[1]),
        "metric": lambda model, batch: (model(batch[0]) - batch[1]).abs().mean(),
        "batch_size": 4,
        "eval_batch_size": 3,
        "metric_name": "absolute error",
        "higher_is_better": False,
    }


@pytest.fixture
def make(fields):
    """Return a valid task, some fields of which are replaced."""

    def make(**changes):
        return Task(**{**fields, **changes})

    return make
