"""The page of the playground: one document that needs nothing but itself, served and exported alike."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path

from thalweg.files import save
from thalweg.playground.bundle import bundle
from thalweg.playground.opening import Opening, Source


def policy() -> str:
    """What the document may do: run this one script, and show what it draws. Nothing may be fetched."""
    digest = b64encode(hashlib.sha256(bundle().encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def document(opening: Opening) -> str:
    """A complete document that opens in a given state.

    Args:
        opening: what the page shows first, and the measured slices it offers.
    """
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy()}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><title>thalweg playground</title>'
        '<meta name="description" content="Optimizers race on a loss surface from a point you drag.">'
        '<link rel="icon" href="data:,"></head><body><main data-thalweg-play>'
        f'<script type="application/json">{island(opening.state, opening.slices)}</script>'
        "<noscript>The playground runs in the browser and needs JavaScript.</noscript></main>"
        f'<script type="module">{bundle()}</script></body></html>\n'
    )


def island(state: Mapping[str, object], slices: Sequence[Mapping[str, object]]) -> str:
    """The data of the page as JSON that cannot end its script element."""
    text = json.dumps({"state": state, "slices": slices}, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def export(
    path: str | Path,
    *,
    surface: str | None = None,
    lesson: str | None = None,
    slices: Sequence[Source] = (),
    state: Mapping[str, object] | None = None,
) -> Path:
    """Write the playground as one HTML file that works offline, from a disk or any server.

    The file appears whole or not at all.

    Args:
        path: the file to make or replace.
        surface: the surface to begin with, such as ``"rosenbrock"``.
        lesson: the lesson to begin with, such as ``"momentum"``.
        slices: slices of your models: files of ``thalweg landscape --json``, what is in them, a survey or a
            plane of `thalweg.landscape`.
        state: a whole state, as `Playground.state` gives it.

    Returns:
        The path of the page.

    Raises:
        UserError: a name is unknown, a slice cannot be read, or the file cannot be written.
    """
    return save(document(Opening.of(surface, lesson, slices, state)), Path(path))
