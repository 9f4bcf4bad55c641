"""The page: the head, the first screen, the sections, and the two assets, in one string."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from thalweg.report import parts, repeat, text
from thalweg.report.charts.svg import escape, shorten
from thalweg.report.first import hero
from thalweg.report.model import Race, Row, race_from
from thalweg.report.palette import css

# Nothing may be fetched: the page is the whole report.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
VALLEY = (
    '<svg class="logo" viewBox="0 0 24 16" aria-hidden="true"><path d="M1 2C6 2 7 13 12 13S18 5 23 5"/></svg>'
)


def render(runs: Sequence[Row], meta: Mapping[str, Any], verdict: object) -> str:
    """The report of a race as one HTML document.

    Args:
        runs: rows of the ledger's table ``runs`` as dictionaries; ``recipe`` and ``curve`` parsed or JSON.
        meta: the ledger's table ``meta``; ``plan``, ``facts``, ``versions`` and ``machine`` parsed or JSON.
            ``remaining_runs``, when above zero, marks the race as unfinished.
        verdict: a `thalweg.race.verdict.Verdict`, the same as a mapping, or None.

    Returns:
        A complete document that needs nothing but itself.
    """
    race = race_from(runs, meta, verdict)
    body = "".join(draw(race) for _, _, draw in parts.SECTIONS)
    return (
        f'<!doctype html><html lang="en"><head>{_head(race)}</head><body>'
        f'<a class="skip" href="#verdict">To the verdict</a>{_top(race)}<main>{hero(race)}{_notes(race)}'
        f"{_contents(body)}{body}{repeat.repeat(race)}</main>{_foot()}"
        f'<div id="tip" role="status" hidden></div>'
        f"<script>{asset('script.js')}</script></body></html>\n"
    )


def asset(name: str) -> str:
    """A style sheet or script of this package."""
    return files("thalweg.report").joinpath(name).read_text(encoding="utf-8")


def _head(race: Race) -> str:
    return (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(race.task)}: race report</title>"
        f'<meta name="description" content="{escape(text.verdict(race))}">'
        '<link rel="icon" href="data:,">'
        f"<style>{css()}{asset('style.css')}</style>"
    )


def _top(race: Race) -> str:
    return (
        f'<header>{VALLEY}<span class="brand">thalweg race</span>'
        f'<span class="task">{escape(shorten(race.task, 60))}</span>'
        '<button type="button" id="theme" aria-label="Switch between light and dark" hidden>'
        '<span aria-hidden="true">◐</span></button></header>'
    )


def _notes(race: Race) -> str:
    """What else the verdict says a reader must know."""
    notes = [str(note) for note in race.verdict.get("notes") or ()]
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f'<ul class="notes">{items}</ul>' if items else ""


def _contents(body: str) -> str:
    """Links to the sections that are there."""
    shown = [(anchor, name) for anchor, name, _ in parts.SECTIONS if f'<section id="{anchor}"' in body]
    links = "".join(
        f'<a href="#{anchor}">{escape(name)}</a>' for anchor, name in [*shown, ("repeat", "Repeat")]
    )
    return f'<nav aria-label="Sections">{links}</nav>'


def _foot() -> str:
    return (
        "<footer>Made by thalweg. This file is the whole report: it loads nothing and sends nothing.</footer>"
    )
