"""A schedule written to a file: a picture (SVG) or a table (CSV)."""

import csv
import math
from pathlib import Path

from thalweg.errors import UserError
from thalweg.schedules.axes import label, levels, ticks
from thalweg.schedules.base import Schedule
from thalweg.schedules.sampling import sample

_MOST_ROWS = 10_000_000  # half a gigabyte
_WIDTH, _HEIGHT = 720, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 24, 56, 52
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
_STYLE = f"""
  .page {{ fill: #ffffff }}
  .grid {{ stroke: #e3e6ea; stroke-width: 1 }}
  .axis {{ stroke: #8b949e; stroke-width: 1 }}
  .area {{ fill: #1f6feb; opacity: 0.10 }}
  .curve {{ fill: none; stroke: #1f6feb; stroke-width: 2.5; stroke-linejoin: round; stroke-linecap: round }}
  text {{ font: 13px {_FONT}; fill: #57606a; font-variant-numeric: tabular-nums }}
  .title {{ font-size: 15px; font-weight: 600; fill: #1f2328 }}
  @media (prefers-color-scheme: dark) {{
    .page {{ fill: #0d1117 }}
    .grid {{ stroke: #21262d }}
    .axis {{ stroke: #6e7681 }}
    .area {{ fill: #58a6ff; opacity: 0.14 }}
    .curve {{ stroke: #58a6ff }}
    text {{ fill: #9198a1 }}
    .title {{ fill: #f0f6fc }}
  }}
"""


def save(schedule: Schedule, path: Path, steps: int, base: float) -> None:
    """Write ``base * schedule(step)`` to a file; see `Schedule.save`."""
    if path.suffix.lower() == ".svg":
        path.write_text(svg(schedule, steps, base), encoding="utf-8")
    elif path.suffix.lower() == ".csv":
        _write_table(schedule, path, steps, base)
    else:
        raise UserError(f"cannot write {path.name}: give a name that ends in .svg or .csv")


def svg(schedule: Schedule, steps: int, base: float) -> str:
    """Return the picture as SVG text that follows the reader's light or dark setting."""
    curve = _points(schedule, steps, base)
    marks = levels(min(value for _, value in curve), max(value for _, value in curve), 5)
    across = ticks(steps, 6, whole=True, reach=False)
    line = " ".join(f"{_x(step, steps):.1f},{_y(value, marks):.1f}" for step, value in curve)
    right, floor = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<title>{_escape(str(schedule))}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="page" width="{_WIDTH}" height="{_HEIGHT}"/>',
        f'<text class="title" x="{_LEFT}" y="30">{_escape(_shorten(str(schedule)))}</text>',
        *(_level(mark, marks) for mark in marks),
        *(_mark(mark, across, steps) for mark in across),
        *([] if marks[0] else [f'<polygon class="area" points="{_LEFT},{floor} {line} {right},{floor}"/>']),
        f'<polyline class="curve" points="{line}"/>',
        f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 10}" text-anchor="middle">step</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _write_table(schedule: Schedule, path: Path, steps: int, base: float) -> None:
    if steps > _MOST_ROWS:
        raise UserError(f"a table of {steps:,} steps is too long; draw {_MOST_ROWS:,} steps at most")
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["step", "factor", "value"])
        table.writerows([s, schedule(s), base * schedule(s)] for s in range(steps + 1))


def _points(schedule: Schedule, steps: int, base: float) -> list[tuple[float, float]]:
    """Return (step, value) pairs: every step of a short schedule, else two a pixel of a long one."""
    stride = max(1, math.ceil(steps / (2 * _WIDTH)))
    return [(step, base * value) for step, value in sample(schedule, steps, range(0, steps + 1, stride))]


def _x(step: float, steps: int) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * step / steps


def _y(value: float, marks: list[float]) -> float:
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (marks[-1] - value) / (marks[-1] - marks[0])


def _level(mark: float, marks: list[float]) -> str:
    y, kind = _y(mark, marks), "axis" if mark == marks[0] else "grid"
    return (
        f'<line class="{kind}" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{_LEFT - 10}" y="{y + 4.5:.1f}" text-anchor="end">{label(mark, marks)}</text>'
    )


def _mark(mark: float, across: list[float], steps: int) -> str:
    x, floor = _x(mark, steps), _HEIGHT - _BOTTOM
    return (
        f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{floor:.1f}" y2="{floor + 5:.1f}"/>'
        f'<text x="{x:.1f}" y="{floor + 21:.1f}" text-anchor="middle">{label(mark, across)}</text>'
    )


def _shorten(text: str, most: int = 76) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
