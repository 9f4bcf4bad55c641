"""Where a good recipe sits on the edge of its search space: a better one may lie outside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from thalweg.race.priors import prior
from thalweg.race.recipe import Recipe, number
from thalweg.race.runs import Outcome
from thalweg.race.sampling import on_edge, values_of
from thalweg.race.space import Range


@dataclass(frozen=True)
class Edge:
    """A searched value in the outer 5 % of its space, or beyond it.

    Attributes:
        optimizer: Whose space.
        hyper: The searched number, such as ``"lr"``.
        value: Where the recipe sits.
        side: ``"low"`` or ``"high"``.
        low: The lower end of the space.
        high: The upper end of the space.
        widened: How far the race went beyond that side; None when it did not.
    """

    optimizer: str
    hyper: str
    value: float
    side: str
    low: float
    high: float
    widened: float | None

    def sentence(self) -> str:
        """Return the edge in words."""
        where = "upper" if self.side == "high" else "lower"
        went = "and the search did not go beyond"
        if self.widened is not None:
            went = f"and the search went on to {number(self.widened)}"
        space = f"{number(self.low)} to {number(self.high)}"
        place = f"is at the {where} edge of its space ({space})"
        return f"{self.optimizer}: {self.hyper} {number(self.value)} {place}, {went}."


def edges_of(recipes: Sequence[Recipe], outcomes: Iterable[Outcome]) -> tuple[Edge, ...]:
    """Return the edges on which the given recipes sit."""
    tried = [outcome.recipe for outcome in outcomes if outcome.status == "ok"]
    edges = []
    for recipe in recipes:
        mine = [values_of(other) for other in tried if other.optimizer == recipe.optimizer]
        for name, value in values_of(recipe).items():
            space = prior(recipe.optimizer).space[name]
            side = on_edge(prior(recipe.optimizer), name, value)
            if side is None or not isinstance(space, Range) or not isinstance(value, float):
                continue
            seen = [v for values in mine if isinstance(v := values[name], float) and v > 0]
            furthest = max(seen) if side == "high" else min(seen)
            beyond = furthest > space.high if side == "high" else furthest < space.low
            edges.append(
                Edge(recipe.optimizer, name, value, side, space.low, space.high, furthest if beyond else None)
            )
    return tuple(edges)
