"""The kinds of exported optimizers: those that run a rule, and those that evaluate the loss themselves."""

from thalweg import optim
from thalweg.engine.optimizer import Optimizer

RULED = [name for name in optim.__all__ if issubclass(getattr(optim, name), Optimizer)]
FULL_BATCH = [name for name in optim.__all__ if name not in RULED]
