"""What the playground shows first: a surface, a lesson or a whole state, and measured slices."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from thalweg.errors import UserError
from thalweg.playground.bundle import names

if TYPE_CHECKING:
    from thalweg.landscape import Plane
    from thalweg.landscape.survey import Survey

Source: TypeAlias = "str | Path | Mapping[str, Any] | Plane | Survey"
"""What slices are read from: a file, what is in it, or what was measured in this process."""

MEASURED = "slice"
"""The surface of the measured slices."""


@dataclass(frozen=True)
class Opening:
    """The data of a page.

    Args:
        state: a part of the front end's state, which fills in the rest.
        slices: measured planes, as the front end takes them.
    """

    state: dict[str, Any]
    slices: list[dict[str, Any]]

    @classmethod
    def of(
        cls,
        surface: str | None = None,
        lesson: str | None = None,
        slices: Sequence[Source] = (),
        state: Mapping[str, Any] | None = None,
    ) -> Opening:
        """Check what a person asked for.

        Raises:
            UserError: a name is unknown, two beginnings are given, or a slice cannot be read.
        """
        given = [value for value in (surface, lesson, state) if value is not None]
        if len(given) > 1:
            raise UserError("give one of surface, lesson and state: each says how the page begins")
        planes = measured(slices)
        if lesson is not None:
            return cls({"lesson": _known("lesson", lesson, names().lessons)}, planes)
        if state is not None:
            return cls(plain(state), planes)
        if surface is None and planes:
            surface = MEASURED
        if surface == MEASURED and not planes:
            raise UserError("the surface 'slice' is a measured one: give its file too (--slice FILE.json)")
        if surface is not None:
            return cls({"surface": {"id": _known("surface", surface, names().surfaces)}}, planes)
        return cls({}, planes)


def measured(slices: Sequence[Source]) -> list[dict[str, Any]]:
    """Every plane that is in them, as the page takes them.

    Raises:
        UserError: they are no list, or one cannot be read.
    """
    if not isinstance(slices, list | tuple):
        raise UserError("slices are a list: slices=['slice.json']")
    if not slices:
        return []
    from thalweg.playground.slices import read_slices

    return [found for source in slices for found in read_slices(source)]


def plain(state: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a state, as the page will read it.

    Raises:
        UserError: it cannot be written as JSON.
    """
    try:
        copy: dict[str, Any] = json.loads(json.dumps(dict(state), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise UserError(f"the state cannot be written as JSON: {error}") from None
    return copy


def _known(kind: str, name: str, known: Sequence[str]) -> str:
    if name in known:
        return name
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
    raise UserError(f"no {kind} called {name!r}; {hint}")
