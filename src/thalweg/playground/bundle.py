"""The front end, one ES module that `make web` builds from `web/src`, and what its first lines say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from thalweg.errors import UserError

FILE = "static/playground.js"


@dataclass(frozen=True)
class Names:
    """What there is to choose from in the front end."""

    surfaces: list[str]
    lessons: list[str]


@cache
def bundle() -> str:
    """The module's text.

    Raises:
        UserError: the sources were installed without it.
    """
    try:
        return files("thalweg.playground").joinpath(FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError("the playground's front end is not built; run: make web") from None


@cache
def names() -> Names:
    """The surfaces and lessons of the front end, which stand in its second line."""
    second = bundle().split("\n", 2)[1]
    return Names(**json.loads(second.removeprefix("/*").removesuffix("*/")))
