"""Find the training recipe for a PyTorch model, and prove it.

>>> import thalweg
>>> thalweg.schedules.warmup(100)(50)
0.5
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thalweg import landscape, optim, playground, regularize, schedules, tasks, transforms
    from thalweg.race.advice import advise
    from thalweg.race.api import race
    from thalweg.race.train import train
    from thalweg.tasks import Task

__version__ = "0.1.0"

__all__ = [
    "Task",
    "__version__",
    "advise",
    "landscape",
    "optim",
    "playground",
    "race",
    "regularize",
    "schedules",
    "tasks",
    "train",
    "transforms",
]

_HOMES = {"Task": "thalweg.tasks", "advise": "thalweg.race.advice", "train": "thalweg.race.train"}


def __getattr__(name: str) -> Any:
    """Import a part when it is first used, so that ``thalweg --help`` need not wait for torch."""
    if name not in __all__:
        raise AttributeError(f"module 'thalweg' has no attribute {name!r}")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    return import_module(f"thalweg.{name}")


def __dir__() -> list[str]:
    return __all__
