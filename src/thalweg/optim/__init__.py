"""The shelf of optimizers."""

from thalweg.optim.adadelta import Adadelta
from thalweg.optim.adafactor import Adafactor
from thalweg.optim.adagrad import Adagrad
from thalweg.optim.adam import Adam, AdamW
from thalweg.optim.adamax import Adamax
from thalweg.optim.asgd import ASGD
from thalweg.optim.full_batch import (
    BFGS,
    LBFGS,
    CoordinateDescent,
    GradientDescent,
    Newton,
    NewtonCG,
    RandomSearch,
)
from thalweg.optim.hypergradient import SGDHD, AdamHD
from thalweg.optim.lamb import LAMB
from thalweg.optim.lars import LARS
from thalweg.optim.learned import Learned
from thalweg.optim.momentum import Momentum, Nesterov
from thalweg.optim.nadam import NAdam
from thalweg.optim.radam import RAdam
from thalweg.optim.rmsprop import RMSprop
from thalweg.optim.rprop import Rprop
from thalweg.optim.sgd import SGD

__all__ = [
    "ASGD",
    "BFGS",
    "LAMB",
    "LARS",
    "LBFGS",
    "SGD",
    "SGDHD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamHD",
    "AdamW",
    "Adamax",
    "CoordinateDescent",
    "GradientDescent",
    "Learned",
    "Momentum",
    "NAdam",
    "Nesterov",
    "Newton",
    "NewtonCG",
    "RAdam",
    "RMSprop",
    "RandomSearch",
    "Rprop",
]
