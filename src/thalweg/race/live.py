"""The live view: one screen that says how a race stands; plain, rare lines where there is no terminal."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

from thalweg.race.plan import Plan
from thalweg.race.runs import RunSpec
from thalweg.race.standing import (
    Progress,
    Row,
    cells,
    figure,
    leader,
    leading,
    left_out,
    phase_text,
    standings,
    title,
)

OFTEN = 0.25  # seconds between two drawings
RARE = 30.0  # seconds between plain lines
AROUND = 6  # lines of the screen that are not optimizers


class View(Protocol):
    """What a race shows itself on."""

    def note(self, text: str) -> None:
        """Say what is going on before there is a plan."""

    def begin(self, meta: Mapping[str, Any], plan: Plan, began: float) -> None:
        """The plan is fixed; ``began`` is the start on the clock of ``time.perf_counter``."""

    def update(self, rows: Sequence[Row], due: Sequence[RunSpec], progress: Mapping[str, int]) -> None:
        """Finished runs (rows of the ledger), runs due in this phase, steps done of those under way."""

    def end(self) -> None:
        """The race has ended, one way or the other."""


class SilentView:
    """Shows nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""

    def begin(self, meta: Mapping[str, Any], plan: Plan, began: float) -> None:
        """Say nothing."""

    def update(self, rows: Sequence[Row], due: Sequence[RunSpec], progress: Mapping[str, int]) -> None:
        """Say nothing."""

    def end(self) -> None:
        """Say nothing."""


class PlainView:
    """A line at the start, at each phase, and every half minute."""

    def __init__(self) -> None:
        self._plan: Plan | None = None
        self._phase = ""
        self._last = 0.0

    def note(self, text: str) -> None:
        """Print it."""
        print(text, flush=True)

    def begin(self, meta: Mapping[str, Any], plan: Plan, began: float) -> None:
        """Print what is going to happen."""
        self._plan, self._progress = plan, Progress(plan, began)
        print(title(meta, plan))
        for line in (*plan.describe(), *left_out(meta)):
            print(f"  {line}", flush=True)

    def update(self, rows: Sequence[Row], due: Sequence[RunSpec], progress: Mapping[str, int]) -> None:
        """Print a line if one is due."""
        assert self._plan is not None
        self._progress.see(rows, progress)
        phase = phase_text(self._plan, due)
        if phase != self._phase or perf_counter() - self._last > RARE:
            self._phase, self._last = phase, perf_counter()
            first = leader(self._plan, standings(self._plan, rows, due))
            best = (
                [f"best {first.label} {figure(first.best['valid_metric'])}"] if first and first.best else []
            )
            print(
                " · ".join([f"{self._progress.percent} %", phase, *best, self._progress.text()]), flush=True
            )

    def end(self) -> None:
        """Nothing is left to take down."""


class LiveView:
    """One screen that is drawn over itself."""

    def __init__(self, ledger: str) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(highlight=False)
        self._live = Live(
            console=self._console, auto_refresh=False, transient=False, vertical_overflow="ellipsis"
        )
        self._ledger = ledger
        self._latest: tuple[Sequence[Row], Sequence[RunSpec]] | None = None
        self._drawn = 0.0

    def note(self, text: str) -> None:
        """Show it until there is a plan."""
        from rich.text import Text

        self._live.start()
        self._live.update(Text(f"thalweg race · {text} ..."), refresh=True)

    def begin(self, meta: Mapping[str, Any], plan: Plan, began: float) -> None:
        """Take the screen."""
        self._plan, self._progress = plan, Progress(plan, began)
        self._title = title(meta, plan)
        self._live.start()

    def update(self, rows: Sequence[Row], due: Sequence[RunSpec], progress: Mapping[str, int]) -> None:
        """Draw the state of things, a few times a second: drawing takes from the time for training."""
        self._progress.see(rows, progress)
        self._latest = (rows, due)
        if perf_counter() - self._drawn > OFTEN:
            self._draw()

    def _draw(self) -> None:
        assert self._latest is not None
        self._live.update(self._screen(*self._latest), refresh=True)
        self._drawn = perf_counter()

    def _screen(self, rows: Sequence[Row], due: Sequence[RunSpec]) -> Any:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2, 0, 0))
        for justify in ("left", "left", "right", "left", "left", "left", "left"):
            table.add_column(justify=justify, no_wrap=True, overflow="ellipsis")
        found = standings(self._plan, rows, due)
        first = leader(self._plan, found)
        shown = leading(self._plan, found, max(self._console.height - AROUND, 4))
        for standing in shown:
            style = "bold" if standing is first else "" if standing.total else "dim"
            name, *rest = cells(standing)
            table.add_row(*(Text(cell, style=style) for cell in (f"  {name}", *rest)))
        head = Text(f"{self._title} · {phase_text(self._plan, due)}", overflow="ellipsis", no_wrap=True)
        foot = Text(f"  {self._progress.text()} · ledger {self._ledger}", overflow="ellipsis", no_wrap=True)
        more = Text(f"  and {len(found) - len(shown)} more" if len(shown) < len(found) else "", style="dim")
        return Group(head, Text(), table, more, foot)

    def end(self) -> None:
        """Show how it ended, and give the screen back."""
        if self._latest is not None:
            self._draw()
        self._live.stop()


def view_for(quiet: bool, ledger: Path) -> View:
    """The view that fits where the output goes."""
    if quiet:
        return SilentView()
    return LiveView(str(ledger)) if sys.stdout.isatty() else PlainView()
