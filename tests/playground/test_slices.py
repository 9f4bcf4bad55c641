"""Slices for the playground, from what `thalweg landscape` measures."""

import json
import math
from pathlib import Path

import pytest
import torch

from thalweg.cli.landscape import _finish as print_survey
from thalweg.errors import UserError
from thalweg.landscape import Plane, function, plane
from thalweg.landscape.survey import survey
from thalweg.playground.slices import read_slices


def bowl(path: bool = False) -> Plane:
    surface = function(lambda x, y: x**2 + y**2 / 3, (0.0, 0.0))
    way = [torch.tensor([-3.0, 1.0]), torch.tensor([0.5, 0.25])] if path else None
    return plane(surface, torch.eye(2), points=5, path=way)


def written(path: Path, value: object) -> Path:
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def test_a_plane_is_read_as_it_is_and_rounded() -> None:
    (found,) = read_slices(bowl(path=True))
    assert found["x"] == found["y"] == [-1.0, -0.5, 0.0, 0.5, 1.0]
    assert found["losses"][0] == [1.33333, 0.583333, 0.333333, 0.583333, 1.33333]
    assert found["path"] == [[-3.0, 1.0, 9.33333], [0.5, 0.25, 0.270833]]
    assert (found["center"], found["labels"]) == (0.0, ["direction 1", "direction 2"])
    assert read_slices(json.loads(json.dumps(bowl(path=True).to_dict()))) == [found]
    assert read_slices(found) == [found]


def test_a_loss_that_is_missing_or_not_finite_is_none() -> None:
    measured = bowl()
    measured.losses[1, 2], measured.losses[4, 4] = math.inf, math.nan
    (found,) = read_slices(measured)
    assert [(j, row.index(None)) for j, row in enumerate(found["losses"]) if None in row] == [(1, 2), (4, 4)]
    json.dumps(found, allow_nan=False)


def test_a_survey_gives_the_plane_of_the_path_first(tmp_path: Path) -> None:
    survey = {"task": "mine", "plane": bowl().to_dict(), "path": bowl(path=True).to_dict(), "skipped": {}}
    first, second = read_slices(written(tmp_path / "slice.json", survey))
    assert first["title"] == "mine: the plane of the training's path"
    assert first["path"] is not None
    assert second["title"] == "mine: a random plane"
    assert second["path"] is None


@pytest.mark.usefixtures("timeless")
def test_the_json_of_the_command_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measured = survey(function(lambda x, y: x**2 + y**2 / 3 + 1, (0.5, 0.5)), 60.0, task="mine")
    assert measured.plane is not None
    print_survey(measured, None, as_json=True)
    (found,) = read_slices(written(tmp_path / "slice.json", capsys.readouterr().out))
    assert found["title"] == "mine: a random plane"
    assert found["losses"][0] == pytest.approx(measured.plane.losses[0].tolist(), rel=1e-5)
    assert read_slices(measured) == [found]


def test_words_are_one_line_with_room_in_the_page() -> None:
    plane = {"x": [0, 1], "y": [0, 1], "losses": [[1, 2], [3, 4]]}
    words = {"title": "my\nmodel\x00 " + "t" * 200, "labels": ["a\tb", "é🙂" * 40]}
    (found,) = read_slices({**plane, **words})
    assert found["title"] == "my model " + "t" * 90 + "…"
    assert found["labels"] == ["a b", "é🙂" * 29 + "é…"]
    assert read_slices(found) == [found]


BROKEN = {
    "nothing": ("", "is not JSON"),
    "words": ("a slice", "is not JSON"),
    "deep": ("[" * 100_000, "is not JSON"),
    "page": ("<!doctype html>\n<title>A report</title>", "this is a page"),
    "list": ([1, 2], "holds no slice"),
    "race": ({"task": "mine", "plane": None}, "holds no slice"),
    "skipped": ({"plane": None, "skipped": {"plane": "no time was left"}}, "it was not measured: no time"),
    "no losses": ({"plane": {"x": [0, 1], "y": [0, 1]}}, "a part is missing"),
    "a word": ({"plane": {"x": [0, 1], "y": [0, 1], "losses": [[1, "a"], [1, 2]]}}, "a part is missing"),
    "falling": ({"x": [1, 0], "y": [0, 1], "losses": [[1, 2], [3, 4]]}, "a part is missing"),
    "at one place": ({"x": [1, 1], "y": [0, 1], "losses": [[1, 2], [3, 4]]}, "a part is missing"),
    "uneven": ({"x": [0, 1, 3], "y": [0, 1], "losses": [[1, 2, 3], [3, 4, 5]]}, "a part is missing"),
    "infinite": ('{"x": [0, Infinity], "y": [0, 1], "losses": [[1, 2], [3, 4]]}', "a part is missing"),
    "short": ({"x": [0, 1, 2], "y": [0, 1], "losses": [[1, 2], [3, 4]]}, "not one loss for each"),
    "holes": ({"x": [0, 1], "y": [0, 1], "losses": [[1, None], [3, 4]]}, "no four neighbouring"),
    "path": ({"x": [0, 1], "y": [0, 1], "losses": [[1, 2], [3, 4]], "path": [[1]]}, "a part is missing"),
}


@pytest.mark.parametrize(("content", "words"), BROKEN.values(), ids=BROKEN)
def test_a_wrong_file_is_named_in_one_line(tmp_path: Path, content: object, words: str) -> None:
    path = written(tmp_path / "wrong.json", content)
    with pytest.raises(UserError, match=words) as error:
        read_slices(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_may_be_encoded_as_any_shell_does(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "slice.json"
    plane = {"x": [0, 1], "y": [0, 1], "losses": [[1, 2], [3, 4]], "title": "größer"}
    path.write_text(json.dumps(plane, ensure_ascii=False), encoding=encoding)
    assert read_slices(path)[0]["title"] == "größer"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"there is no such file; make one with: thalweg landscape TASK --json"
    ):
        read_slices(tmp_path / "none.json")
    with pytest.raises(UserError, match=r"cannot be read \(Is a directory\)"):
        read_slices(tmp_path)
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(UserError, match="is not JSON"):
        read_slices(str(tmp_path / "picture.png"))
