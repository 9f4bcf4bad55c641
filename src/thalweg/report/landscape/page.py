"""The page of a survey: the first screen, and the sections below it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from thalweg.files import save
from thalweg.report.document import asset, contents, document
from thalweg.report.landscape.first import hero
from thalweg.report.landscape.repeat import repeat
from thalweg.report.landscape.sections import SECTIONS
from thalweg.report.landscape.words import headline

if TYPE_CHECKING:
    from thalweg.landscape.survey import Survey

ASSETS: Final = "thalweg.report.landscape"


def render(survey: Survey) -> str:
    """The report of a survey of a loss surface as one HTML document.

    Args:
        survey: what was measured; each of its parts may be None.

    Returns:
        A complete document that needs nothing but itself.
    """
    body = "".join(draw(survey) for _, _, draw in SECTIONS) + repeat(survey)
    links = contents([*((anchor, name) for anchor, name, _ in SECTIONS), ("repeat", "Repeat")], body)
    scripts = [asset(ASSETS, "plane.js"), asset(ASSETS, "view.js")]
    main = f"{hero(survey)}{links}{body}"
    style = asset(ASSETS, "style.css")
    return document("landscape", survey.task, headline(survey), main, style=style, scripts=scripts)


def write(survey: Survey, path: str | Path) -> Path:
    """Write the report of a survey.

    The file appears whole or not at all: it is written beside its place and then moved there.

    Args:
        survey: what was measured.
        path: the HTML file to make or replace.

    Returns:
        The path of the report.

    Raises:
        UserError: the file cannot be written.
    """
    return save(render(survey), Path(path))
