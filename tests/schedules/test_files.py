"""A schedule in a file: the picture is well-formed and holds the curve; the table holds every step."""

import csv
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from thalweg.errors import UserError
from thalweg.schedules import Schedule, cosine, parse, step, warmup

SVG = "{http://www.w3.org/2000/svg}"


def curve(path: Path) -> list[tuple[float, float]]:
    line = ElementTree.parse(path).getroot().find(f"{SVG}polyline")
    return [tuple(map(float, point.split(","))) for point in line.get("points").split()]


def test_the_picture_holds_the_curve(tmp_path: Path) -> None:
    schedule = warmup(100) >> cosine(900)
    schedule.save(tmp_path / "curve.svg", base=4e-3)
    points = curve(tmp_path / "curve.svg")
    (left, floor), (right, _) = points[0], points[-1]
    top = min(y for _, y in points)
    for x, y in points:
        place = 1000 * (x - left) / (right - left)
        assert (floor - y) / (floor - top) == pytest.approx(schedule(place), abs=0.01)
    texts = [node.text for node in ElementTree.parse(tmp_path / "curve.svg").getroot().iter(f"{SVG}text")]
    assert texts[0] == "warmup(100) >> cosine(900)"
    assert {"0", "1e-3", "4e-3", "200", "1,000", "step"} <= set(texts)


@pytest.mark.parametrize("text", ["warmup(7) >> cosine(99993)", "cosine(50001) >> cosine(50001)"])
def test_the_peak_of_a_long_schedule_is_not_cut_off(text: str, tmp_path: Path) -> None:
    parse(text).save(tmp_path / "curve.svg")
    points = curve(tmp_path / "curve.svg")
    assert len(points) < 3000
    assert min(y for _, y in points) == 56.0  # the top of the plot
    joint = parse(text).parts[0].steps / parse(text).steps * (720 - 74 - 24) + 74
    assert any(abs(x - joint) < 0.1 and y == 56.0 for x, y in points)


@pytest.mark.parametrize(
    "text",
    ["cosine_restarts(7, cycles=2000)", "triangular(4999, 5001, cycles=9)", "warmup(9) >> triangular2(9999)"],
)
def test_every_peak_and_every_bottom_of_a_cycle_is_in_the_picture(text: str, tmp_path: Path) -> None:
    schedule = parse(text)
    schedule.save(tmp_path / "curve.svg", steps=14_000)
    points = curve(tmp_path / "curve.svg")
    turns = {turn for turn in schedule.turns(14_000) if 0 <= turn <= 14_000}
    drawn = {round((x - 74) / (720 - 74 - 24) * 14_000, -2) for x, _ in points}
    assert {round(turn, -2) for turn in turns} <= drawn
    assert min(y for _, y in points) == 56.0


def test_an_axis_that_does_not_start_at_zero_has_no_area_below_the_curve(tmp_path: Path) -> None:
    for text, areas in (("one_cycle(9, low=0.9, inverse=True)", 0), ("one_cycle(9)", 1)):
        parse(text).save(tmp_path / "curve.svg")
        root = ElementTree.parse(tmp_path / "curve.svg").getroot()
        assert len(root.findall(f"{SVG}polygon")) == areas


def test_the_table_holds_every_step(tmp_path: Path) -> None:
    schedule: Schedule = step(2, gamma=0.5)
    schedule.save(tmp_path / "curve.csv", steps=4, base=8.0)
    rows = list(csv.reader((tmp_path / "curve.csv").read_text().splitlines()))
    assert rows[0] == ["step", "factor", "value"]
    assert [tuple(map(float, row)) for row in rows[1:]] == [
        (0, 1, 8), (1, 1, 8), (2, 0.5, 4), (3, 0.5, 4), (4, 0.25, 2),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["curve.png", "curve", "curve.svgz"])
def test_another_ending_is_refused_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"cannot write {name}: give a name that ends in .svg or .csv"):
        cosine(9).save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_would_fill_the_disk_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match="a table of 1,000,000,000 steps is too long; draw 10,000,000 steps at"
    ):
        cosine(10**9).save(tmp_path / "curve.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_browser_draws_the_picture_light_and_dark(tmp_path: Path) -> None:
    assert shutil.which("chromium"), "this test needs chromium on the PATH; .ci/run installs it"
    cosine(900).save(tmp_path / "curve.svg")
    pictures = []
    for setting in ("1", "0"):  # the browser's numbers for light and dark
        out = tmp_path / f"{setting}.png"
        command = [
            "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            "--no-first-run", f"--user-data-dir={tmp_path / 'profile'}", "--window-size=720,360",
            f"--blink-settings=preferredColorScheme={setting}", f"--screenshot={out}",
            f"file://{tmp_path / 'curve.svg'}",
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, timeout=300)
        pictures.append(out.read_bytes())
    assert all(len(picture) > 5000 for picture in pictures)
    assert pictures[0] != pictures[1]
