"""The last section: everything needed to repeat the race and to train with its recipe."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from thalweg.report import text
from thalweg.report.charts.svg import escape
from thalweg.report.first import code
from thalweg.report.model import Race, as_mapping
from thalweg.report.numbers import count, finite, plural
from thalweg.report.parts import section


def repeat(race: Race) -> str:
    """Commands, recipe, plan, versions, machine."""
    facts = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in listing(race)
    )
    blocks = [code("Commands", "\n".join(commands(race)))]
    if race.recipe:
        blocks.append(code("recipe.json", json.dumps(dict(race.recipe), indent=2)))
    return section(
        "repeat",
        "How to repeat",
        f"The race spent {text.effort(race)}",
        f'<dl class="facts">{facts}</dl>',
        f'<div class="blocks">{"".join(blocks)}</div>',
    )


def commands(race: Race) -> list[str]:
    """What to type: the race again, and a training with its recipe."""
    source = shlex.quote(str(race.meta.get("source") or race.task))
    plan = race.plan
    parts = [f"thalweg race {source}"]
    if race.full_steps:
        parts.append(f"--steps {race.full_steps}")
    if race.optimizers:
        parts.append(f"--optimizers {shlex.quote(','.join(race.optimizers))}")
    parts.append(f"--seed {plan.get('seed', 0)}")
    lines = [" ".join(parts)]
    if race.recipe:
        lines.append(f"thalweg train {source} --recipe recipe.json")
    return lines


def listing(race: Race) -> list[tuple[str, str]]:
    """Names and values of what fixes the race."""
    plan = race.plan
    found = [
        ("task", race.task),
        ("task source", str(race.meta.get("source") or "")),
        ("task sha256", str(plan.get("task_hash") or "")),
        ("plan", str(race.meta.get("plan_id") or plan.get("id") or "")),
        ("seed", str(plan.get("seed", ""))),
        ("seeds of the final", _seeds(race)),
        ("full run", f"{count(race.full_steps)} steps" if race.full_steps else ""),
        ("screening run", _steps(plan.get("screen_steps"))),
        ("purpose", str(plan.get("purpose") or "")),
        ("device", _device(plan)),
        ("model and data", _flat(race.facts)),
        ("versions", _flat(as_mapping(race.meta.get("versions")) or as_mapping(plan.get("versions")))),
        ("machine", _flat(as_mapping(race.meta.get("machine"))) or str(race.meta.get("machine") or "")),
        ("started", str(race.meta.get("created") or "")),
    ]
    return [(name, value) for name, value in found if value]


def _seeds(race: Race) -> str:
    seeds = sorted({run.seed for run in race.finals})
    if len(seeds) > 2 and seeds == list(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]} to {seeds[-1]}"
    return ", ".join(map(str, seeds))


def _steps(value: object) -> str:
    found = finite(value)
    return plural(round(found), "step") if found else ""


def _device(plan: Mapping[str, Any]) -> str:
    threads = finite(plan.get("threads"))
    device = str(plan.get("device") or "")
    return f"{device}, {plural(round(threads), 'thread')} a run" if device and threads else device


def _flat(values: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{str(key).replace('_', ' ')} {_shown(value)}"
        for key, value in values.items()
        if value not in (None, "")
    )


def _shown(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        return str(value)
    return count(value)
