"""What the playground shows first: a surface, a lesson or a whole state, and measured slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from thalweg.errors import UserError
from thalweg.playground.bundle import names

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
        slices: Sequence[str | Path | Mapping[str, Any]] = (),
        state: Mapping[str, Any] | None = None,
    ) -> Opening:
        """Check what a person asked for.

        Raises:
            UserError: a name is unknown, two beginnings are given, or a slice cannot be read.
        """
        given = [value for value in (surface, lesson, state) if value is not None]
        if len(given) > 1:
            raise UserError("give one of surface, lesson and state: each says how the page begins")
        measured = []
        if slices:
            from thalweg.playground.slices import read_slices

            measured = [found for source in slices for found in read_slices(source)]
        if lesson is not None:
            return cls({"lesson": _known("lesson", lesson, names().lessons)}, measured)
        if state is not None:
            return cls(dict(state), measured)
        if surface is None and measured:
            surface = MEASURED
        if surface == MEASURED and not measured:
            raise UserError("the surface 'slice' is a measured one: give its file too (--slice FILE.json)")
        if surface is not None:
            return cls({"surface": {"id": _known("surface", surface, names().surfaces)}}, measured)
        return cls({}, measured)


def _known(kind: str, name: str, known: Sequence[str]) -> str:
    if name in known:
        return name
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
    raise UserError(f"no {kind} called {name!r}; {hint}")
