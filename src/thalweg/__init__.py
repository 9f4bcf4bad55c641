"""Find the training recipe for a PyTorch model, and prove it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thalweg import optim, schedules, transforms

__version__ = "0.1.0"

__all__ = ["__version__", "optim", "schedules", "transforms"]


def __getattr__(name: str) -> Any:
    """Import a part when it is first used, so that ``thalweg --help`` need not wait for torch."""
    if name in __all__:
        return import_module(f"thalweg.{name}")
    raise AttributeError(f"module 'thalweg' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
