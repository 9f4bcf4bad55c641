"""The sums that stages wait for: read-only passes over all batches of a step, before anything is written."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from thalweg.engine.distributed import summed
from thalweg.engine.plan import Stage, Sums, Totals

if TYPE_CHECKING:
    from thalweg.engine.layout import Layout, Member

__all__ = ["taken"]

Found = dict[int, Sequence[Mapping[str, float]]]
Turn = list[tuple[int, int]]  # a member's place, and the stage of its program
Columns = dict[str, list[float]]  # a sum's name -> its value for each tensor
Passes = Sequence[tuple["Member", Columns]]


def taken(layout: "Layout") -> list[Sums] | None:
    """For each member the sums of its stages, or None if a transform asks to skip the step.

    A stage that stands in several members' programs (a norm over everything) is summed over all of them. Each
    waits for the stages before it, since these change what it sums.
    """
    found: list[Found] = [{} for _ in layout.members]
    waiting = [list(member.batch.program.reducing) for member in layout.members]
    while any(waiting):
        turn = _turn(layout, waiting)
        for member, _ in turn:
            waiting[member].pop(0)
        if _skipped(layout, turn, found):
            return None
    return list(found)


def _stage(layout: "Layout", member: int, stage: int) -> Stage:
    return layout.members[member].batch.program.stages[stage]


def _turn(layout: "Layout", waiting: Sequence[Sequence[int]]) -> Turn:
    """The next stage, wherever it stands: one that is not behind another in any program."""
    fronts = [(i, stages[0]) for i, stages in enumerate(waiting) if stages]
    for first in fronts:
        identity = _stage(layout, *first).identity
        behind = (_stage(layout, i, s).identity for i, stages in enumerate(waiting) for s in stages[1:])
        if identity not in behind:
            return [front for front in fronts if _stage(layout, *front).identity is identity]
    return fronts[:1]


def _skipped(layout: "Layout", turn: Turn, found: Sequence[Found]) -> bool:
    """Take the sums of one stage into `found`; True if its transform asks to skip the step."""
    stage = _stage(layout, *turn[0])
    passes = [(layout.members[i], _pass(layout.members[i], place, found[i])) for i, place in turn]
    for (i, place), (member, columns) in zip(turn, passes, strict=True):
        if stage.rule.over == "tensor":
            rows = zip(*columns.values(), strict=True)
            found[i][place] = [dict(zip(columns, values, strict=True)) for values in rows]
        elif stage.rule.over == "group":
            found[i][place] = [_over(passes, group) for group in member.row_groups]
        else:
            found[i][place] = [_over(passes, None)] * len(member.batch.values)
    return _refused(layout, stage, passes)


def _pass(member: "Member", stage: int, found: Found) -> Columns:
    columns = member.engine.total(member.batch, stage, found)
    if member.reach is None:
        return columns
    return {name: summed(column, member.reach) for name, column in columns.items()}


def _over(passes: Passes, group: int | None) -> dict[str, float]:
    """The sums over the parameters of one group, or of all."""
    out = dict.fromkeys(passes[0][1], 0.0)
    for member, columns in passes:
        for name, column in columns.items():
            own = column if group is None else np.asarray(column)[member.groups == group]
            out[name] += float(sum(own))
    return out


def _refused(layout: "Layout", stage: Stage, passes: Passes) -> bool:
    """Tell the transform its sum, if it wants to know."""
    if stage.transform is None or stage.transform.check is None:
        return False
    by_name: dict[str, float] = {}
    for member, columns in passes:
        by_name.update(zip(layout.names(member), columns["total"], strict=True))
    return stage.transform.check(Totals(sum(by_name.values()), by_name))
