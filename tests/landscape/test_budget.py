"""How a time is shared between measurements, and that it ends them."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.landscape import limit as limits
from thalweg.landscape.budget import Option, choose
from thalweg.landscape.interrupted import Interrupted
from thalweg.landscape.limit import OutOfTime, limited
from thalweg.landscape.progress import progress


def menu(*seconds: float) -> list[Option]:
    return [Option(cost, int) for cost in seconds]


def costs(seconds: float, *menus: list[Option]) -> list[float | None]:
    return [option and option.seconds for option in choose(seconds, menus)]


def test_everything_is_had_coarsely_before_anything_is_fine() -> None:
    assert costs(3, menu(1, 3), menu(1, 3), menu(1, 3)) == [1, 1, 1]


def test_what_is_left_refines_the_first_ones_first() -> None:
    assert costs(5, menu(1, 3), menu(1, 3), menu(1, 3)) == [3, 1, 1]
    assert costs(9, menu(1, 2, 3), menu(1, 2, 9), menu(1, 2)) == [3, 2, 2]


def test_what_does_not_fit_leaves_its_place_to_what_does() -> None:
    assert costs(2, menu(9), menu(), menu(1)) == [None, None, 1]


def test_what_costs_nothing_fits_when_the_time_is_over() -> None:
    assert costs(-1, menu(0), menu(0.1)) == [0, None]


sizes = st.lists(st.floats(0, 10), max_size=4).map(sorted)


@given(st.floats(0, 30), st.lists(sizes, max_size=5))
def test_the_time_is_kept_and_nothing_that_fits_is_left_out(seconds: float, rows: list[list[float]]) -> None:
    menus = [menu(*row) for row in rows]
    chosen = costs(seconds, *menus)
    spent = sum(cost for cost in chosen if cost is not None)
    assert spent <= seconds + 1e-9
    for index, (row, cost) in enumerate(zip(rows, chosen, strict=True)):
        before = sum(r[0] for r, c in zip(rows[:index], chosen[:index], strict=True) if c is not None)
        if cost is None:
            assert not row or row[0] > seconds - before - 1e-9
        finer = [other for other in row if cost is not None and other > cost]
        assert not finer or finer[0] - cost > seconds - spent - 1e-9


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that goes on by a second whenever it is read."""
    monkeypatch.setattr(limits, "perf_counter", count().__next__)


def test_a_limit_stops_a_loop_that_shows_its_progress_and_says_so(ticking) -> None:
    done: list[int] = []

    def loop() -> None:
        with progress("for ever", 9) as advance:
            for turn in count():
                done.append(turn)
                advance()

    with limited(3) as limit, pytest.raises(OutOfTime):
        loop()
    assert limit.over
    assert done == [0, 1, 2, 3]
    with progress("after it", 1) as advance:
        advance()


def test_what_stops_is_a_ctrl_c_to_the_measurement(ticking) -> None:
    def measurement() -> None:
        try:
            with progress("a measurement", 1) as advance:
                advance()
        except KeyboardInterrupt as stop:
            raise Interrupted("half") from stop

    with limited(0) as limit, pytest.raises(Interrupted) as stopped:
        measurement()
    assert stopped.value.partial == "half"
    assert limit.over


def test_a_limit_that_was_kept_is_not_over() -> None:
    with limited(60) as limit, progress("a measurement", 1) as advance:
        advance()
    assert not limit.over
