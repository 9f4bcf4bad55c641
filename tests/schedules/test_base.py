"""Composition, the policy past the end, and equality by text."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg import schedules
from thalweg.errors import UserError
from thalweg.schedules import Schedule, constant, cosine, linear, parse, step, warmup

PARTS = st.one_of(
    st.builds(warmup, st.integers(1, 50), st.floats(0, 1)),
    st.builds(cosine, st.integers(1, 50), st.floats(0, 1), after=st.sampled_from(["hold", "error"])),
    st.builds(linear, st.integers(1, 50), st.floats(0, 9), st.floats(0, 9)),
    st.builds(constant, st.integers(1, 50), st.floats(0, 9)),
    st.builds(schedules.polynomial, st.integers(1, 50), st.floats(0.1, 5)),
    st.builds(step, st.integers(1, 9), st.floats(0.01, 2), st.integers(1, 50)),
    st.builds(schedules.exponential, st.floats(0.01, 1), st.integers(1, 50)),
    st.builds(schedules.inverse_sqrt, st.integers(1, 99), st.integers(1, 50)),
    st.builds(
        schedules.cosine_restarts, st.integers(1, 9), st.integers(1, 3), st.floats(0, 1), st.integers(1, 4)
    ),
    *(
        st.builds(
            shape,
            st.integers(1, 9),
            st.none() | st.integers(1, 9),
            st.floats(0, 1),
            st.integers(1, 4),
            inverse=st.booleans(),
            **options,
        )
        for shape, options in (
            (schedules.triangular, {}),
            (schedules.triangular2, {}),
            (schedules.exp_range, {"gamma": st.floats(0.1, 1)}),
        )
    ),
    st.builds(
        schedules.one_cycle,
        st.integers(1, 50),
        st.floats(0, 1),
        st.none() | st.floats(0, 1),
        st.floats(0, 0.5),
        curve=st.sampled_from(["cosine", "linear"]),
        three_phase=st.booleans(),
        inverse=st.booleans(),
    ),
    st.builds(
        schedules.wsd,
        st.integers(0, 20),
        st.integers(0, 20),
        st.integers(1, 20),
        st.floats(0, 1),
        curve=st.sampled_from(["linear", "cosine", "1-sqrt"]),
    ),
    st.builds(
        schedules.multistep,
        st.lists(st.integers(1, 50), min_size=1, unique=True).map(sorted),
        steps=st.just(9),
    ),
)


@given(PARTS, PARTS, PARTS)
def test_grouping_does_not_matter_and_the_text_is_the_schedule(a: Schedule, b: Schedule, c: Schedule) -> None:
    left, right = (a >> b) >> c, a.then(b.then(c))
    assert left == right
    assert hash(left) == hash(right)
    assert parse(str(left)) == left
    assert pickle.loads(pickle.dumps(left)) == left
    assert left.steps == a.steps + b.steps + c.steps


@given(PARTS, PARTS)
def test_each_part_counts_from_its_own_zero(a: Schedule, b: Schedule) -> None:
    both = a >> b
    assert [both(s) for s in range(a.steps)] == [a(s) for s in range(a.steps)]
    assert [both(a.steps + s) for s in range(b.steps + 1)] == [b(s) for s in range(b.steps + 1)]


def test_past_the_end_it_holds_repeats_or_refuses() -> None:
    assert [linear(4)(s) for s in (3, 4, 5, 99)] == [0.25, 0, 0, 0]
    assert [linear(4, after="repeat")(s) for s in (3, 4, 5, 99)] == [0.25, 1, 0.75, 0.25]
    strict = linear(4, after="error")
    assert strict(4) == 0
    with pytest.raises(
        UserError, match=r"step 5 is past the end of linear\(4, after='error'\), which takes 4"
    ):
        strict(5)


def test_the_last_part_decides_what_happens_past_the_end() -> None:
    chain = warmup(10) >> linear(4, after="repeat")
    assert [chain(10 + s) for s in (3, 4, 5)] == [0.25, 1, 0.75]
    assert (chain.after, chain.steps) == ("repeat", 14)
    strict = warmup(10) >> linear(4, after="error")
    with pytest.raises(UserError, match="step 5 is past the end"):
        strict(15)
    assert (warmup(10) >> constant()).steps is None


def test_nothing_follows_what_has_no_end() -> None:
    for endless in (constant(), step(30), cosine(10, after="repeat")):
        with pytest.raises(UserError, match="has no end, so nothing can follow it"):
            endless >> cosine(10)


def test_only_a_schedule_can_follow() -> None:
    with pytest.raises(UserError, match="can only be followed by a schedule, not by 5"):
        warmup(10).then(5)
    with pytest.raises(TypeError):
        warmup(10) >> 5


def test_numbers_of_other_kinds_become_plain_ones() -> None:
    schedule = cosine(np.int64(900), end=np.float32(0.5))
    assert str(schedule) == "cosine(900, end=0.5)"
    assert schedule(np.int64(900)) == 0.5


def test_a_schedule_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        cosine(900).steps = 5


def test_the_span_shows_the_shape() -> None:
    assert cosine(900).span() == 900
    assert cosine(900, after="repeat").span() == 2700
    assert schedules.cosine_restarts(100, 2).span() == 1500
    assert schedules.triangular(100, 50).span() == 600
    assert schedules.triangular(100, 50, cycles=2, after="repeat").span() == 900
    assert (warmup(100) >> step(30)).span() == 220
    assert schedules.exponential(0.99)(schedules.exponential(0.99).span()) == pytest.approx(0.01, rel=0.01)
    assert all(
        shape.span() >= 10 for shape in (constant(), schedules.exponential(1), schedules.inverse_sqrt())
    )


TURNS = {
    "cosine_restarts(10, multiplier=2)": {0, 9, 10, 29, 30, 69, 70},
    "cosine_restarts(10)": {0, 9, 10, 19, 20, 29, 30, 39, 40, 49, 50, 59, 60, 69, 70, 79, 80},
    "triangular(30, down=10)": {0, 30, 40, 70, 80},
    "cosine(30, after='repeat')": {0, 29, 30, 59, 60},
    "triangular(10, down=20, cycles=1, after='repeat')": {0, 10, 29, 30, 40, 59, 60, 70},
    "one_cycle(60, rise=0.5)": {0, 29, 59},
    "one_cycle(60, rise=0.4, three_phase=True)": {0, 23, 46, 59},
    "wsd(10, 20, 30)": {10, 30},
    "warmup(20) >> wsd(0, 10, 30) >> triangular(3, down=9)": {0, 19, 20, 30, 59, 60, 63, 72, 75},
    "cosine(900)": set(),
}


@pytest.mark.parametrize("text", TURNS)
def test_the_turns_are_where_the_curve_turns_or_jumps(text: str) -> None:
    assert {turn for turn in parse(text).turns(80) if 0 <= turn <= 80} == TURNS[text]
