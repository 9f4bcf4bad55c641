"""The race: recipes, priors, plan, ledger, workers, statistics, verdict.

The package is callable: ``thalweg.race(task, budget="3m")`` is `thalweg.race.api.race`.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thalweg.race.api import RaceResult


class _Race(ModuleType):
    """This module. It has the name that a caller expects of the function, so it is the function too."""

    def __call__(self, *args: Any, **options: Any) -> "RaceResult":
        """Find a training recipe for a task; see `thalweg.race.api.race`."""
        from thalweg.race.api import race

        return race(*args, **options)


sys.modules[__name__].__class__ = _Race
