"""Recipes from a search space: an even first cover of it, then points near a good one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

from thalweg.race.priors import prior
from thalweg.race.recipe import Recipe
from thalweg.race.space import Choice, Option, Prior, Range, Value

WARMUP = 0.05
_BEYOND = 10.0
"""How far, as a factor, refinement may take a learning rate out of its space."""


@lru_cache(maxsize=256)
def halton(dimensions: int, count: int, seed: int) -> tuple[tuple[float, ...], ...]:
    """Return ``count`` scrambled Halton points in the unit cube, the same for the same seed."""
    from scipy.stats import qmc

    points = qmc.Halton(dimensions, scramble=True, rng=seed).random(count)
    return tuple(tuple(map(float, point)) for point in points)


def trials(optimizer: str, count: int, seed: int, advised: Recipe | None = None) -> list[Recipe]:
    """Return the first ``count`` recipes to try: the textbook default, advice if any, then an even cover."""
    known = prior(optimizer)
    points = halton(len(known.space), max(count - 1, 1), seed)
    spaces = known.space.items()
    drawn = [{name: s.at(u) for (name, s), u in zip(spaces, point, strict=True)} for point in points]
    first = [Recipe.default(optimizer)]
    if advised is not None and advised.optimizer == optimizer and advised not in first:
        first.append(advised)
    return [*first, *(recipe_of(optimizer, values) for values in drawn)][:count]


def near(recipe: Recipe, count: int, width: float, seed: int) -> list[Recipe]:
    """Return ``count`` recipes around one: each number within ``width`` decades of it, evenly.

    The learning rate may leave its space by up to a decade: so a best point on the edge widens it.
    """
    space = prior(recipe.optimizer).space
    values = values_of(recipe)
    moved = []
    for point in halton(len(space), count, seed):
        pairs = zip(space.items(), point, strict=True)
        moved.append({name: _nudge(name, s, values[name], (2 * u - 1) * width, u) for (name, s), u in pairs})
    return [recipe_of(recipe.optimizer, point) for point in moved]


def _nudge(name: str, space: Range | Choice, value: Value, decades: float, u: float) -> Value:
    if isinstance(space, Choice):
        return space.at(u)
    centre = value if isinstance(value, float) and value > 0 else space.at(0.5)
    beyond = _BEYOND if name == "lr" else 1.0
    moved = min(max(centre * 10**decades, space.low / beyond), space.high * beyond)
    return float(f"{moved:.3g}")


def recipe_of(optimizer: str, values: Mapping[str, Value]) -> Recipe:
    """Return the recipe that the values of a point in its space make."""
    known = prior(optimizer)
    options: dict[str, Option] = {**known.fixed, **known.defaults}
    for name, value in values.items():
        _put(options, name, value)
    lr, clip = values["lr"], values.get("clip")
    assert isinstance(lr, float)
    schedule = (WARMUP, "cosine") if known.scheduled else (0.0, "constant")
    return Recipe(optimizer, lr, options, *schedule, clip if isinstance(clip, float) else None)


def _put(options: dict[str, Option], name: str, value: Value) -> None:
    """Write one searched value under the constructor's name for it."""
    if name in ("lr", "clip"):
        return
    betas = options.get("betas")
    if name == "1-beta1" and isinstance(betas, tuple) and isinstance(value, float):
        options["betas"] = (_one_minus(value), *betas[1:])
    elif name.startswith("1-") and isinstance(value, float):
        options[name.removeprefix("1-")] = _one_minus(value)
    else:
        options[name] = value


def values_of(recipe: Recipe) -> dict[str, Value]:
    """Return the point of a recipe in its optimizer's space: the inverse of ``recipe_of``."""
    known = prior(recipe.optimizer)
    options = {**known.defaults, **recipe.options}
    values: dict[str, Value] = {}
    for name, space in known.space.items():
        if name in ("lr", "clip"):
            values[name] = getattr(recipe, name)
        elif name == "1-beta1":
            values[name] = _one_minus(_float(options["betas"]))
        elif name.startswith("1-"):
            values[name] = _one_minus(_float(options[name.removeprefix("1-")]))
        elif isinstance(space, Choice):
            chosen = options.get(name)
            values[name] = None if isinstance(chosen, tuple) else chosen
        else:
            values[name] = _float(options.get(name, 0.0))
    return values


def _float(option: Option) -> float:
    first = option[0] if isinstance(option, tuple) else option
    assert first is not None
    return float(first)


def _one_minus(value: float) -> float:
    return float(f"{1 - value:.4g}")


def on_edge(known: Prior, name: str, value: Value) -> str | None:
    """Return ``"low"`` or ``"high"`` when a value sits in the outer 5 % of its range, or beyond it."""
    space = known.space[name]
    if isinstance(space, Choice) or not isinstance(value, float) or value <= 0:
        return None
    place = math.log(value / space.low) / math.log(space.high / space.low)
    return "low" if place < 0.05 else "high" if place > 0.95 else None
