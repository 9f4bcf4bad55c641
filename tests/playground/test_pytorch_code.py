"""What "copy as PyTorch" gives runs, and ends where the page ends."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.playground.node import node
from thalweg import optim

SCRIPT = Path(__file__).with_name("pytorch.mjs")


@pytest.fixture(scope="module")
def races() -> list[dict[str, Any]]:
    return node(SCRIPT)


@pytest.fixture(scope="module")
def runs(races: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each race with the names that its program leaves behind."""
    return [(race, executed(race["code"])) for race in races if race["ends"] is not None]


def executed(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(code, "the copied code", "exec"), names)
    return names


def test_every_racer_ends_where_it_ends_in_the_page(
    runs: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    compared = 0
    for race, names in runs:
        assert len(names["ends"]) == len(race["ends"])
        for name, found, wanted in zip(names["ends"], names["ends"].values(), race["ends"], strict=True):
            if wanted is None:  # it left the picture, or rounding alone decides where it ends
                continue
            expected = torch.tensor(wanted, dtype=torch.float64)
            size = expected.abs().max().clamp(min=1)
            assert float((found - expected).abs().max() / size) <= 1e-9, (
                f"{name}: {found} and {wanted}\n{race['code']}"
            )
            compared += 1
    assert compared > 250


def test_noise_and_batches_are_drawn_as_in_the_page(
    runs: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    drawn = [race for race, _ in runs if race["drawn"]]
    assert len(drawn) > 15
    for race, _ in runs:
        assert ("random.Random" in race["code"]) == race["drawn"], "nothing is drawn in vain"
        assert ("the same up to rounding" in race["code"]) == race["drawn"]


def test_every_optimizer_was_among_them(runs: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    seen = {name for race, _ in runs for name in race["optimizers"]}
    assert len(seen) > 15
    assert all(hasattr(optim, name) for name in seen)


def test_it_says_where_everyone_ends(races: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    executed(races[0]["code"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(races[0]["ends"])
    assert all(" = (" in line and "loss" in line for line in lines)


def test_code_is_formatted_as_a_person_would(races: list[dict[str, Any]]) -> None:
    for race in races:
        code = race["code"]
        assert code.endswith("\n")
        assert not code.endswith("\n\n")
        assert "\n\n\n\n" not in code
        assert all(line == line.rstrip() for line in code.splitlines())
        assert all(len(line) <= 110 for line in code.splitlines() if "new_tensor" in line)


def test_a_slice_gives_the_racers_for_the_model_itself(races: list[dict[str, Any]]) -> None:
    (race,) = [race for race in races if race["ends"] is None]
    names = executed(race["code"])
    (racer,) = names["racers"].values()
    optimizer = racer["make"](torch.nn.Linear(2, 2).parameters())
    assert isinstance(optimizer, optim.AdamW)
    assert racer["schedule"].attach(optimizer).get_last_lr() == [0.0]
    assert "slice" in race["code"].splitlines()[0]
