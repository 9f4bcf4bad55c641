"""The printed schedules give the factors of Python's, at every step and past the end."""

import re
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

from tests.playground.node import module, node
from thalweg import schedules
from thalweg.errors import UserError
from thalweg.schedules import Schedule

SCRIPT = Path(__file__).with_name("parity.mjs")
STEPS = [*range(301), 400, 799, 800, 801, 1000, 0.5, 10.25, 99.9]
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "constant": [
        {},
        {"factor": 0.3},
        {"steps": 40},
        {"steps": 40, "after": "repeat"},
        {"steps": 9, "after": "error"},
    ],
    "step": [{"size": 30}, {"size": 7, "gamma": 0.5}, {"size": 10, "steps": 45, "after": "repeat"}],
    "multistep": [
        {"milestones": [50, 120]},
        {"milestones": [1, 2, 3], "gamma": 0.7},
        {"milestones": [10], "gamma": 3.0, "steps": 50, "after": "repeat"},
    ],
    "exponential": [{"gamma": 0.97}, {"gamma": 1.0}, {"gamma": 0.5, "steps": 20, "after": "repeat"}],
    "linear": [{"steps": 100}, {"steps": 77, "start": 0.3, "end": 2.0}, {"steps": 40, "after": "repeat"}],
    "warmup": [{"steps": 30}, {"steps": 1}, {"steps": 30, "start": 0.2, "after": "repeat"}],
    "polynomial": [
        {"steps": 100, "power": 0.9},
        {"steps": 200, "power": 3.0, "end": 0.1},
        {"steps": 50, "power": 2.0, "after": "repeat"},
    ],
    "cosine": [{"steps": 100}, {"steps": 250, "end": 0.2}, {"steps": 60, "after": "error"}],
    "inverse_sqrt": [{}, {"scale": 25}, {"scale": 10, "steps": 100}],
    "cosine_restarts": [
        {"period": 30},
        {"period": 10, "multiplier": 2},
        {"period": 5, "multiplier": 3, "end": 0.1, "cycles": 4},
        {"period": 20, "cycles": 3, "after": "repeat"},
    ],
    "triangular": [{"up": 20}, {"up": 10, "down": 35, "low": 0.1}, {"up": 8, "cycles": 3, "inverse": True}],
    "triangular2": [{"up": 20}, {"up": 7, "down": 3, "low": 0.0, "inverse": True}, {"up": 9, "cycles": 4}],
    "exp_range": [
        {"up": 20, "gamma": 0.99},
        {"up": 6, "gamma": 0.9, "cycles": 4},
        {"up": 5, "down": 11, "gamma": 0.9, "low": 0.5, "inverse": True},
    ],
    "one_cycle": [
        {"steps": 200},
        {"steps": 90, "low": 0.2, "end": 0.0, "rise": 0.4, "curve": "linear"},
        {"steps": 120, "three_phase": True, "rise": 0.45, "curve": "linear"},
        {"steps": 150, "inverse": True, "low": 0.8, "after": "repeat"},
        {"steps": 1, "rise": 0.0},
    ],
    "wsd": [
        {"warmup": 20, "stable": 100, "decay": 60},
        {"warmup": 0, "stable": 0, "decay": 90, "curve": "cosine", "end": 0.1},
        {"warmup": 10, "stable": 50, "decay": 40, "curve": "1-sqrt", "after": "repeat"},
    ],
}
CHAINS = [
    [("warmup", {"steps": 20}), ("cosine", {"steps": 200})],
    [("constant", {"steps": 10, "factor": 0.5}), ("step", {"size": 25})],
    [("warmup", {"steps": 10}), ("constant", {"steps": 70}), ("linear", {"steps": 20, "after": "repeat"})],
    [
        ("wsd", {"warmup": 5, "stable": 5, "decay": 5}),
        ("cosine_restarts", {"period": 9, "cycles": 2, "after": "error"}),
    ],
]
# Where a formula has powers or cosines, the last digits are those of the machine's mathematical library.
ROUNDED = {"step", "multistep", "exponential", "polynomial", "exp_range", "cosine", "cosine_restarts"}
ALONE = [(name, options) for name, all_ in VARIANTS.items() for options in all_]
ENDS = [
    (name, {**options, "after": after})
    for name, options in ALONE
    for after in ("hold", "repeat", "error")
    if getattr(schedules, name)(**options).steps is not None
]
SHAPES = [*([part] for part in ALONE), *CHAINS, *([part] for part in ENDS if part not in ALONE)]
SHAPES += [[("warmup", {"steps": 7}), part] for part in ALONE]  # as the page joins them


def made(parts: list[tuple[str, dict[str, Any]]]) -> Schedule:
    return reduce(lambda a, b: a >> b, (getattr(schedules, name)(**options) for name, options in parts))


def at(schedule: Schedule, step: float) -> float | str:
    try:
        return schedule(step)
    except UserError as error:
        return re.sub(r"\.0\b", "", str(error))  # JavaScript does not tell 3.0 from 3


def is_rounded(name: str, options: dict[str, Any]) -> bool:
    curve = options.get("curve", "cosine" if name == "one_cycle" else "linear")
    return name in ROUNDED or curve == "cosine"


def is_exact(parts: list[tuple[str, dict[str, Any]]]) -> bool:
    return not any(is_rounded(*part) for part in parts)


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    plain = [
        {"parts": [{"name": name, "options": options} for name, options in parts], "steps": STEPS}
        for parts in SHAPES
    ]
    path = tmp_path_factory.mktemp("schedules") / "shapes.mjs"
    return node(SCRIPT, module(path, data={}, cases=[], shapes=plain, mutants=None))


def test_every_schedule_is_here() -> None:
    own = {
        n
        for n in schedules.__all__
        if isinstance(k := getattr(schedules, n), type) and issubclass(k, Schedule)
    }
    assert own - {"Schedule", "Chain"} == set(VARIANTS)


@pytest.mark.parametrize(
    "place", range(len(SHAPES)), ids=lambda i: " >> ".join(repr(made([p])) for p in SHAPES[i])
)
def test_the_same_factors(place: int, printed: list[Any]) -> None:
    schedule, theirs = made(SHAPES[place]), printed[place]
    ours = [at(schedule, step) for step in STEPS]
    if is_exact(SHAPES[place]):
        assert theirs["at"] == ours
    else:
        assert theirs["at"] == [
            x if isinstance(x, str) else pytest.approx(x, rel=1e-12, abs=1e-15) for x in ours
        ]
    assert theirs["steps"] == schedule.steps
    assert theirs["span"] == schedule.span()
    assert schedules.parse(theirs["text"]) == schedule


def test_some_are_compared_to_the_last_digit() -> None:
    assert 15 < sum(map(is_exact, SHAPES)) < len(SHAPES)
