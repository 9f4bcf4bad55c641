"""The shelf of optimizers."""

from thalweg.optim.adagrad import Adagrad
from thalweg.optim.adam import Adam, AdamW
from thalweg.optim.momentum import Momentum, Nesterov
from thalweg.optim.rmsprop import RMSprop
from thalweg.optim.sgd import SGD

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Momentum", "Nesterov", "RMSprop"]
