"""The drawing for a terminal: its size, its numbers, and the curve read back from the dots."""

import itertools

import pytest

from thalweg.errors import UserError
from thalweg.schedules import Schedule, constant, cosine, linear, parse, warmup
from thalweg.schedules.axes import label, levels, ticks


def heights(drawing: str) -> list[float]:
    """Read the curve back: for each dot column the mean height of its dots, 0 to 1."""
    rows = [line.split("┤")[-1].split("│")[-1] for line in drawing.splitlines()[:-2]]
    dots: dict[int, list[int]] = {}
    for y, row in enumerate(rows):
        for x, cell in enumerate(row):
            for bit, (down, right) in enumerate(
                [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (3, 0), (3, 1)]
            ):
                if (ord(cell) - 0x2800) >> bit & 1:
                    dots.setdefault(2 * x + right, []).append(4 * y + down)
    return [1 - sum(dots[x]) / len(dots[x]) / (4 * len(rows) - 1) for x in range(len(dots))]


@pytest.mark.parametrize(
    "schedule",
    [
        cosine(900),
        linear(10),
        warmup(50) >> linear(50),
        constant(5),
        parse("one_cycle(1000)"),
        parse("triangular(200, low=0, cycles=2)"),
        parse("wsd(100, 700, 200)"),
    ],
    ids=str,
)
@pytest.mark.parametrize("width", [40, 100])
def test_the_dots_lie_on_the_curve(schedule: Schedule, width: int) -> None:
    drawn = heights(schedule.draw(width=width, height=20))
    assert len(drawn) > 1.5 * width
    steps = [schedule.steps * i / (len(drawn) - 1) for i in range(len(drawn))]
    assert drawn == pytest.approx([schedule(s) for s in steps], abs=0.05)


@pytest.mark.parametrize(("width", "height"), [(30, 3), (72, 12), (200, 40)])
def test_the_drawing_keeps_to_its_size(width: int, height: int) -> None:
    lines = cosine(123456).draw(base=0.00321, width=width, height=height).splitlines()
    assert len(lines) == height + 2
    assert max(map(len, lines)) <= width


def test_the_axes_carry_numbers() -> None:
    drawing = (warmup(100) >> cosine(900)).draw(base=1e-3)
    lines = drawing.splitlines()
    assert [line.split()[0] for line in lines if "┤" in line] == ["1e-3", "7.5e-4", "5e-4", "2.5e-4", "0"]
    assert lines[-1].split() == ["0", "250", "500", "750", "1,000"]


@pytest.mark.parametrize("text", ["step(50, gamma=0.01)", "constant(50, 0.01) >> constant(50)"])
def test_a_jump_has_no_gap(text: str) -> None:
    drawing = parse(text).draw(steps=100, width=40, height=10)
    crossed = [line for line in drawing.splitlines()[1:9] if any("\u2801" <= c <= "\u28ff" for c in line)]
    assert len(crossed) == 8


def test_more_steps_than_the_schedule_has_show_what_follows() -> None:
    assert cosine(10).draw(steps=20).splitlines()[-1].split()[-1] == "20"
    with pytest.raises(UserError, match="past the end"):
        cosine(10, after="error").draw(steps=20)


def test_a_schedule_that_is_zero_throughout_can_be_drawn() -> None:
    assert "┤" in constant(9, 0).draw()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 29}, "needs 30 columns and 3 rows, not 29 and 12"),
        ({"height": 2}, "needs 30 columns and 3 rows, not 72 and 2"),
        ({"steps": 0}, "steps to draw is 0; it must be a whole number, 1 or more"),
        ({"base": 0.0}, "the base value is 0; it must be a number above 0"),
        ({"base": float("nan")}, "the base value is nan"),
    ],
)
def test_an_impossible_drawing_is_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(UserError, match=message):
        cosine(9).draw(**options)


@pytest.mark.parametrize(
    "text", ["cosine_restarts(3, cycles=97)", "triangular(1, cycles=200)", "cosine(3, after='repeat')"]
)
def test_no_peak_is_lost_between_two_columns(text: str) -> None:
    rows = [line.split("┤")[-1] for line in parse(text).draw(steps=291, width=40, height=8).splitlines()]
    assert rows[0].count("\u2800") == 0
    assert len(rows[0]) == 35


def test_values_close_together_are_drawn_from_below_the_lowest() -> None:
    drawing = parse("one_cycle(100, low=0.895, inverse=True)").draw(base=0.95, height=20)
    names = [line.split()[0] for line in drawing.splitlines() if "┤" in line]
    assert names == ["0.95", "0.925", "0.9", "0.875", "0.85"]
    drawn = heights(drawing)
    assert min(drawn) < 0.02
    assert max(drawn) == 1
    zero = parse("one_cycle(100, low=0.5, inverse=True)").draw()
    assert [line.split()[0] for line in zero.splitlines() if "┤" in line][-1] == "0"


@pytest.mark.parametrize(("low", "top"), [(0.85, 0.95), (0.0009, 0.001), (51, 100), (0.99, 1), (7.3, 7.9)])
@pytest.mark.parametrize("count", [2, 3, 5])
def test_levels_are_even_round_and_cover(low: float, top: float, count: int) -> None:
    marks = levels(low, top, count)
    assert marks[0] <= low * (1 + 1e-9)
    assert marks[-1] >= top * (1 - 1e-9)
    assert 0 < marks[0] < low + 1e-9
    assert len(marks) <= count + 2
    assert [float(label(mark, marks).replace(",", "")) for mark in marks] == pytest.approx(marks)


@pytest.mark.parametrize(
    "text",
    [
        "cosine(1)",
        "step(1)",
        "multistep([1])",
        "exponential(0.5)",
        "inverse_sqrt()",
        "cosine_restarts(1)",
        "triangular(1)",
        "triangular2(1, cycles=1)",
        "exp_range(1, gamma=1)",
        "one_cycle(1)",
        "wsd(0, 0, 1)",
    ],
)
def test_the_smallest_schedules_can_be_drawn(text: str) -> None:
    assert parse(text).draw().count("\n") == 13


@pytest.mark.parametrize("top", [7e-9, 3e-4, 0.011, 0.3, 1, 6.02, 999, 1e5, 3.7e8])
@pytest.mark.parametrize("count", [2, 3, 5, 8])
def test_ticks_are_even_round_and_cover(top: float, count: int) -> None:
    marks = ticks(top, count)
    assert marks[0] == 0
    assert marks[-2] < top <= marks[-1] * (1 + 1e-9)
    assert len(marks) <= count + 1
    gaps = [b - a for a, b in itertools.pairwise(marks)]
    assert gaps == pytest.approx([gaps[0]] * len(gaps))
    assert len({label(mark, marks) for mark in marks}) == len(marks)
    assert [float(label(mark, marks).replace(",", "")) for mark in marks] == pytest.approx(marks)
