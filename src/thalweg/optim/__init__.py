"""The shelf of optimizers."""

from thalweg.optim.adadelta import Adadelta
from thalweg.optim.adagrad import Adagrad
from thalweg.optim.adam import Adam, AdamW
from thalweg.optim.adamax import Adamax
from thalweg.optim.full_batch import (
    BFGS,
    LBFGS,
    CoordinateDescent,
    GradientDescent,
    Newton,
    NewtonCG,
    RandomSearch,
)
from thalweg.optim.momentum import Momentum, Nesterov
from thalweg.optim.radam import RAdam
from thalweg.optim.rmsprop import RMSprop
from thalweg.optim.rprop import Rprop
from thalweg.optim.sgd import SGD

__all__ = [
    "BFGS",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "CoordinateDescent",
    "GradientDescent",
    "Momentum",
    "Nesterov",
    "Newton",
    "NewtonCG",
    "RAdam",
    "RMSprop",
    "RandomSearch",
    "Rprop",
]
