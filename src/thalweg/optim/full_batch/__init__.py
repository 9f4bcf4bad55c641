"""Methods that evaluate the loss themselves, through a closure, and see all parameters as one vector."""

from thalweg.optim.full_batch.base import FullBatch
from thalweg.optim.full_batch.bfgs import BFGS
from thalweg.optim.full_batch.coordinate_descent import CoordinateDescent
from thalweg.optim.full_batch.gradient_descent import GradientDescent
from thalweg.optim.full_batch.lbfgs import LBFGS
from thalweg.optim.full_batch.newton import Newton
from thalweg.optim.full_batch.newton_cg import NewtonCG
from thalweg.optim.full_batch.random_search import RandomSearch

__all__ = [
    "BFGS",
    "LBFGS",
    "CoordinateDescent",
    "FullBatch",
    "GradientDescent",
    "Newton",
    "NewtonCG",
    "RandomSearch",
]
