"""The table of a plan: its columns, and what should be noticed."""

from collections.abc import Iterable, Sequence
from typing import Any

from torch import Tensor

from thalweg.regularize.kinds import SPARED, Member

__all__ = ["notes", "shown", "table"]

_NAMES = 3  # parameters that a line of the table names


def table(groups: Sequence[Sequence[Member]], each: bool) -> str:
    """A line for each group, or for each parameter."""
    options = list(dict.fromkeys(key for group in groups for key in group[0].options))
    if each:
        head = ["group", "shape", "elements", *options, "kind", "parameter"]
        rows = [_row_of_parameter(i, member, options) for i, group in enumerate(groups) for member in group]
    else:
        head = ["group", "tensors", "elements", *options, "kinds", "parameters"]
        rows = [_row_of_group(i, group, options) for i, group in enumerate(groups)]
    return _aligned([head, *rows])


def notes(members: Iterable[Member], grouped: Iterable[Member]) -> list[str]:
    """Lines about what is shared, what is frozen and left out, and what decays and should not."""
    grouped = list(grouped)
    own = {id(member.tensor) for member in grouped}
    lines = [f"shared: {member.name} is also {', '.join(member.tied)}" for member in grouped if member.tied]
    left = [member for member in members if id(member.tensor) not in own]
    frozen = [member for member in left if not member.tensor.requires_grad]
    missing = [member for member in left if member.tensor.requires_grad]
    if frozen:
        lines.append(f"frozen, in no group: {_some(frozen)}")
    if missing:
        lines.append(f"warning: requires a gradient, but is in no group: {_some(missing)}")
    for kind in SPARED:
        decayed = [m for m in grouped if m.kind == kind and m.options.get("weight_decay", 0) != 0]
        if decayed:
            lines.append(f"warning: of kind {kind}, but decays: {_some(decayed)}")
    return lines


def shown(value: Any) -> str:
    """A value as a person writes it."""
    if isinstance(value, Tensor) and value.numel() == 1:
        value = value.item()
    return f"{value:.6g}" if isinstance(value, float | int) and not isinstance(value, bool) else str(value)


def _row_of_group(number: int, group: Sequence[Member], options: list[str]) -> list[str]:
    elements = sum(member.tensor.numel() for member in group)
    kinds = ", ".join(dict.fromkeys(member.kind for member in group))
    return [str(number), str(len(group)), f"{elements:,}", *_values(group[0], options), kinds, _some(group)]


def _row_of_parameter(number: int, member: Member, options: list[str]) -> list[str]:
    size = [str(tuple(member.tensor.shape)), f"{member.tensor.numel():,}"]
    return [str(number), *size, *_values(member, options), member.kind, member.name]


def _values(member: Member, options: list[str]) -> list[str]:
    return [shown(member.options[key]) if key in member.options else "-" for key in options]


def _some(members: Sequence[Member]) -> str:
    named = ", ".join(member.name for member in members[:_NAMES])
    rest = len(members) - _NAMES
    return f"{named}, {rest} more" if rest > 0 else named


def _aligned(rows: list[list[str]]) -> str:
    """Columns side by side: the last two flush left, the others flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.ljust(width) if i >= len(row) - 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)
