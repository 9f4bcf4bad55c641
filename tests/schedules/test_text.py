"""Reading a schedule from text: what is accepted, and one clear line for what is not."""

import pytest

from thalweg import schedules
from thalweg.errors import UserError
from thalweg.schedules import cosine, parse, warmup

GOOD = {
    "cosine(900)": cosine(900),
    "  warmup(100)  >>  cosine(900) ": warmup(100) >> cosine(900),
    "warmup(100)>>(cosine(9) >> cosine(steps=9, end=1e-1))": warmup(100) >> cosine(9) >> cosine(9, end=0.1),
    "multistep([30, 60], gamma=0.2)": schedules.multistep([30, 60], 0.2),
    "multistep((30, 60))": schedules.multistep([30, 60]),
    "linear(9, after='repeat')": schedules.linear(9, after="repeat"),
    "constant(steps=None)": schedules.constant(),
    "constant()": schedules.constant(),
    "warmup(100) >>\n  cosine(900)": warmup(100) >> cosine(900),
}


@pytest.mark.parametrize("text", GOOD)
def test_a_text_becomes_the_schedule(text: str) -> None:
    assert parse(text) == GOOD[text]


BAD = {
    "": r"write a schedule, such as 'warmup\(100\) >> cosine\(900\)'; there are constant, cosine",
    "  ": "write a schedule, such as",
    "plateau(10)": "a plateau follows a metric and not the step: use thalweg.schedules.ReduceOn",
    "warmup(9) >> reduce_on_plateau()": "a plateau follows a metric",
    "cosine(9) >>": r"invalid syntax \(position 13 of",
    "cosine(9)\n cosine(8)": r"invalid syntax \(position 11 of",
    "cosine(900": r"cannot read the schedule: .* \(position 7 of 'cosine\(900'\)",
    "cosine(900))": "cannot read the schedule",
    "warmup(100) > cosine(900)": r"expected a schedule such as cosine\(900\) \(position 1",
    "warmup(100) >> cosin(900)": r"no schedule called 'cosin'; did you mean 'cosine'\? \(position 16 of",
    "warmup(100) >> zigzag(9)": "no schedule called 'zigzag'; there are constant, cosine, cosine_r",
    "cosine": r"cosine needs its options in parentheses: cosine\(steps, end=0.0, after='hold'\)",
    "cosin": "no schedule called 'cosin'; did you mean 'cosine'",
    "exp_range(5)": r"missing a required argument: 'gamma'; it is exp_range\(up, gamma=..., down=None, low=",
    "cosine()": r"missing a required argument: 'steps'; it is cosine\(steps, end=0.0, after='hold'\)",
    "cosine(9, ende=1)": r"got an unexpected keyword argument 'ende'; it is cosine\(steps",
    "cosine(9, 1, 2, 3)": "too many positional arguments",
    "cosine(**{'steps': 9})": r"write the options out: cosine\(steps",
    "cosine(n)": r"expected a number \(position 8",
    "cosine(30 * 30)": r"expected a number \(position 8",
    "cosine(-5)": "cosine: steps is -5; it must be a whole number, 1 or more",
    "cosine(900) >> 5": r"expected a schedule such as cosine\(900\) \(position 16",
    "constant() >> cosine(9)": "has no end, so nothing can follow it",
    "__import__('os').system('true')": "expected a schedule",
    "Schedule()": "no schedule called 'Schedule'",
    "ScheduleLR(1)": "no schedule called 'ScheduleLR'",
    "cosine(9)\0": "cannot read the schedule",
    "(" * 3000 + "cosine(9)" + ")" * 3000: "cannot read the schedule",
    "cosine(9) >> " * 900 + "cosine(9)": "characters; 10000 at most",
}


@pytest.mark.parametrize("text", BAD, ids=lambda text: text[:40])
def test_what_is_no_schedule_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(UserError, match=BAD[text]) as caught:
        parse(text)
    assert "\n" not in str(caught.value)


def test_a_long_chain_within_the_limit_is_read() -> None:
    assert parse(" >> ".join(["cosine(9)"] * 700)).steps == 6300
