"""A schedule drawn with characters, for a terminal."""

from thalweg.errors import UserError
from thalweg.schedules.axes import label, levels, ticks
from thalweg.schedules.base import Schedule
from thalweg.schedules.sampling import sample

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # a braille cell: 4 rows of 2 dots


def draw(schedule: Schedule, steps: int, base: float, width: int, height: int) -> str:
    """Return the curve of ``base * schedule(step)``; see `Schedule.draw`."""
    if width < 30 or height < 3:
        raise UserError(f"a drawing needs 30 columns and 3 rows, not {width} and {height}")
    grid = (steps * i / (4 * width) for i in range(4 * width + 1))
    curve = [(step / steps, base * value) for step, value in sample(schedule, steps, grid)]
    values = [value for _, value in curve]
    marks = levels(min(values), max(values), max(2, min(5, height // 3 + 1)))
    margin = max(len(label(mark, marks)) for mark in marks)
    columns = width - margin - 2
    low, extent = marks[0], marks[-1] - marks[0]
    rows = _braille([(place, (value - low) / extent) for place, value in curve], columns, height)
    names = {round((height - 1) * (marks[-1] - mark) / extent): label(mark, marks) for mark in marks}
    lines = [
        f"{names.get(i, ''):>{margin}} {'┤' if i in names else '│'}{row.rstrip(chr(0x2800))}"
        for i, row in enumerate(rows)
    ]
    return "\n".join([*lines, *_step_axis(steps, columns, margin)])


def _braille(curve: list[tuple[float, float]], columns: int, height: int) -> list[str]:
    """Return rows of braille characters for (x, y) pairs, both from 0 to 1, joined vertically."""
    cells = [[0x2800] * columns for _ in range(height)]
    tallest = 4 * height - 1
    before = None
    for across, up in curve:
        x, y = round(across * (2 * columns - 1)), round(tallest * (1 - up))
        for dot in _between(before, y):
            cells[dot // 4][x // 2] |= _DOTS[dot % 4][x % 2]
        before = y
    return ["".join(map(chr, row)) for row in cells]


def _between(before: int | None, now: int) -> range:
    """Return the dots to set in a column so that the line has no gap to the column before it."""
    if before is None or abs(now - before) <= 1:
        return range(now, now + 1)
    return range(now, before) if now < before else range(before + 1, now + 1)


def _step_axis(steps: int, columns: int, margin: int) -> list[str]:
    marks = ticks(steps, max(2, min(6, columns // 12)), whole=True, reach=False)
    axis, names = ["─"] * columns, [" "] * (columns + 16)
    for mark in marks:
        place = min(columns - 1, round(mark / steps * (columns - 1)))
        axis[place] = "┬"
        name = label(mark, marks)
        start = max(0, min(place - len(name) // 2, columns - len(name)))
        names[start : start + len(name)] = name
    indent = " " * (margin + 1)
    return [f"{indent}└{''.join(axis)}", f"{indent} {''.join(names).rstrip()}"]
