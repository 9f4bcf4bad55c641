"""Schedules: pure functions of the step that drive a hyperparameter, and can be composed and drawn.

>>> from thalweg import schedules
>>> schedule = schedules.warmup(100).then(schedules.cosine(900))
>>> schedule == schedules.parse("warmup(100) >> cosine(900)")
True
"""

from thalweg.schedules.adapter import ScheduleLR
from thalweg.schedules.base import Chain, Schedule
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
from thalweg.schedules.text import parse

__all__ = [
    "Chain",
    "Schedule",
    "ScheduleLR",
    "constant",
    "cosine",
    "exponential",
    "inverse_sqrt",
    "linear",
    "multistep",
    "parse",
    "polynomial",
    "step",
    "warmup",
]
