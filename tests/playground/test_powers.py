"""Powers of a scalar in the page: those with whole exponents are rounded once, as Python's are."""

from fractions import Fraction
from pathlib import Path

import pytest

from tests.playground.node import node
from thalweg.engine.javascript import literal

PYTHON = (Path(__file__).parents[2] / "web" / "src" / "engine" / "python.js").as_uri()
BASES = [0.9, 0.999, 0.99, 0.5, 0.7, 0.123456789, 0.9999999, *(0.81 + 0.0017 * i for i in range(100))]
EXPONENTS = [0, 1, 2, 3, 10, 200, 7, 199, 150, 338]
PAIRS = [(base, t) for t in EXPONENTS for base in BASES]
LONG = [(0.999, 10_000), (0.9999, 7_777)]
OTHER = [
    (0.96, 0.004),
    (0.9, 10_001),
    (2.0, 0.5),
    (1.5, 20),
    (0.0, 0),
    (0.0, 3),
    (-0.5, 3),
    (0.5, -2),
    (1.0, 7),
]


@pytest.fixture
def powers(tmp_path: Path) -> list[float]:
    script = tmp_path / "powers.mjs"
    pairs = literal([*PAIRS, *LONG, *OTHER])
    script.write_text(
        f'import {{ power }} from "{PYTHON}";\nfor (const [a, b] of {pairs}) console.log(power(a, b));\n'
    )
    return [float(value) for value in node(script)]


def test_whole_powers_are_exact_but_for_one_rounding(powers: list[float]) -> None:
    exact = [float(Fraction(base) ** t) for base, t in [*PAIRS, *LONG]]
    assert powers[: len(exact)] == exact


def test_other_powers_are_those_of_the_language(powers: list[float]) -> None:
    assert powers[-len(OTHER) :] == pytest.approx([a**b for a, b in OTHER], rel=1e-15)
