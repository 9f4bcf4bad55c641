"""The playground in a notebook: Jupyter, VS Code, Colab, and marimo through ``mo.ui.anywidget``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import traitlets

from thalweg.playground.bundle import bundle
from thalweg.playground.opening import Opening, Source, measured, plain


class Playground(anywidget.AnyWidget):
    """The playground as a widget: what is dragged and set in the page is read in Python, and the reverse.

    Needs the extra ``notebook``: ``pip install 'thalweg[notebook]'``.

    Args:
        surface: the surface to begin with, such as ``"rosenbrock"``.
        lesson: the lesson to begin with, such as ``"momentum"``.
        slices: slices of your models: files of ``thalweg landscape --json``, what is in them, a survey or a
            plane of `thalweg.landscape`.
        state: a whole state, as another widget's `state` gives it.

    Raises:
        UserError: a name is unknown or a slice cannot be read.

    Attributes:
        state: the state of the page, a dictionary: surface, start, racers, steps. To set it sets the page;
            what is left out has its default.
        slices: the measured planes that the page offers. To set them takes what the argument takes, and a
            page that shows one shows the new one.
    """

    _esm = bundle()
    state: traitlets.Dict[str, Any] = traitlets.Dict().tag(sync=True)
    slices: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)

    def __init__(
        self,
        *,
        surface: str | None = None,
        lesson: str | None = None,
        slices: Sequence[Source] = (),
        state: Mapping[str, Any] | None = None,
    ) -> None:
        opening = Opening.of(surface, lesson, slices, state)
        super().__init__(state=opening.state, slices=opening.slices)

    @traitlets.validate("state")
    def _plain(self, proposal: dict[str, Any]) -> dict[str, Any]:
        return plain(proposal["value"])

    @traitlets.validate("slices")
    def _measured(self, proposal: dict[str, Any]) -> list[dict[str, Any]]:
        return measured(proposal["value"])

    def __repr__(self) -> str:
        """What a saved notebook shows where the page cannot run."""
        return "<thalweg.playground.Playground: run this cell to see it>"
