"""The same small model under thalweg and under torch, for the tests of dropping in."""

import torch
from torch import nn

from tests.optim.kinds import RULED
from tests.optim.shelf import TWINS
from thalweg import optim

CLASSES = [getattr(optim, name) for name in RULED]
__all__ = ["CLASSES", "TWINS", "assert_same", "backward", "decayed", "model_of", "pair"]

MOMENTUM = {"SGD": {"momentum": 0.9}, "RMSprop": {"momentum": 0.9}}


def decayed(cls, rate):
    """A weight decay for those that have one."""
    return {"weight_decay": rate} if "weight_decay" in cls.intervals else {}


def model_of(dtype=torch.float64):
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2)).to(dtype)


def pair(name, **options):
    """The same model twice, under thalweg and torch, and one training step for both."""
    models = model_of(), model_of()
    options = {"lr": 0.05, **MOMENTUM.get(name, {}), **options}
    optimizers = (
        getattr(optim, name)(models[0].parameters(), **options),
        getattr(torch.optim, name)(models[1].parameters(), **options),
    )
    return models, optimizers


def backward(model, k=0, set_to_none=True):
    model.zero_grad(set_to_none=set_to_none)
    x = torch.randn(8, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(k))
    loss = model(x.to(model[0].weight.dtype)).square().mean()
    loss.backward()
    return loss


def assert_same(models):
    for p, q in zip(*(model.parameters() for model in models), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-12)
