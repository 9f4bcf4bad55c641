"""Schedules: pure functions of the step that drive a hyperparameter, and can be composed and drawn.

>>> from thalweg import schedules
>>> schedule = schedules.warmup(100).then(schedules.cosine(900))
>>> schedule == schedules.parse("warmup(100) >> cosine(900)")
True
"""

from thalweg.schedules.adapter import ScheduleLR
from thalweg.schedules.base import Chain, Schedule
from thalweg.schedules.cycles import cosine_restarts, exp_range, triangular, triangular2
from thalweg.schedules.phases import one_cycle, wsd
from thalweg.schedules.plateau import ReduceOnPlateau
from thalweg.schedules.scaling import adam_scaling, linear_scaling, sqrt_scaling
from thalweg.schedules.shapes import (
    constant,
    cosine,
    exponential,
    inverse_sqrt,
    linear,
    multistep,
    polynomial,
    step,
    warmup,
)
from thalweg.schedules.snapshots import SnapshotEnsemble
from thalweg.schedules.text import parse

__all__ = [
    "Chain",
    "ReduceOnPlateau",
    "Schedule",
    "ScheduleLR",
    "SnapshotEnsemble",
    "adam_scaling",
    "constant",
    "cosine",
    "cosine_restarts",
    "exp_range",
    "exponential",
    "inverse_sqrt",
    "linear",
    "linear_scaling",
    "multistep",
    "one_cycle",
    "parse",
    "polynomial",
    "sqrt_scaling",
    "step",
    "triangular",
    "triangular2",
    "warmup",
    "wsd",
]
