"""From a ledger on disk to a report on disk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from thalweg.files import save
from thalweg.report.page import render

if TYPE_CHECKING:
    from thalweg.race.plan import Plan
    from thalweg.race.runs import Outcome


def write(ledger_path: str | Path, out_path: str | Path) -> Path:
    """Write the report of the race in a ledger.

    The file appears whole or not at all: it is written beside its place and then moved there.

    Args:
        ledger_path: ``race.sqlite``; the race may still be unfinished.
        out_path: the HTML file to make or replace.

    Returns:
        The path of the report.

    Raises:
        UserError: the ledger cannot be read, or the file cannot be written.
    """
    from thalweg.race.ledger import Ledger
    from thalweg.race.plan import Plan
    from thalweg.race.verdict import decide

    with Ledger.open(ledger_path) as ledger:
        meta, rows, outcomes = ledger.meta(), ledger.runs(), ledger.outcomes()
    verdict = None
    if meta.get("plan"):
        plan = Plan.from_json(json.dumps(meta["plan"]))
        verdict = decide(plan, outcomes)
        meta = {**meta, "plan_id": plan.id, "remaining_runs": _remaining(plan, outcomes)}
    return save(render(rows, meta, verdict), Path(out_path))


def _remaining(plan: Plan, outcomes: Sequence[Outcome]) -> int:
    """About how many runs are left; 0 only when the race is over."""
    from thalweg.race.plan import total_runs
    from thalweg.race.search import next_runs

    known = len(next_runs(plan, outcomes))
    return max(known, total_runs(plan) - len(outcomes)) if known else 0
