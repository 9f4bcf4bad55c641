"""The page of a survey in a real browser: silent, offline, legible; the map is read, the surface turned."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page

from tests.report.browsing import DESKTOP, OVERHANGING, OVERLAPPING, PHONE, ground, visits
from tests.report.landscape import surveys
from tests.report.landscape.test_page import interrupted, nothing_known, odd
from thalweg.landscape.survey import Survey
from thalweg.report.landscape import write

LONG = "a_very_long_name_" * 20


def crowded() -> Survey:
    """Long names, many layers."""
    full = surveys.full()
    return surveys.full(
        task=LONG,
        point=LONG,
        plane=surveys.plane(labels=(LONG, LONG)),
        noise=surveys.noise(60),
        sharpness=replace(full.sharpness, optimizer="AVeryLongOptimizerName"),
    )


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("landscape")
    cases = {
        "full": surveys.full(),
        "interrupted": interrupted(),
        "odd": odd(),
        "nothing known": nothing_known(),
        "crowded": crowded(),
    }
    return {name: write(survey, folder / f"{name}.html") for name, survey in cases.items()}


@pytest.fixture
def visit(browser: Browser, reports: dict[str, Path]) -> Iterator[Callable[..., Page]]:
    yield from visits(browser, reports["full"], reports.values())


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("name", ["full", "interrupted", "odd", "nothing known", "crowded"])
def test_everything_fits(
    visit: Callable[..., Page], reports: dict[str, Path], size: dict[str, int], name: str
) -> None:
    page = visit(size, reports[name])
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert page.evaluate(OVERHANGING) == []
    assert page.evaluate(OVERLAPPING) == []


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_first_screen_has_the_picture_and_every_verdict(
    visit: Callable[..., Page], size: dict[str, int]
) -> None:
    page = visit(size)
    for part in (page.locator("h1"), page.locator(".picture svg"), *page.locator(".tiles div").all()):
        box = part.bounding_box()
        assert box is not None
        assert box["height"] > 20
        assert box["y"] + box["height"] <= size["height"], part.text_content()


def over(page: Page, x: float, y: float) -> None:
    """Put the pointer on a place of the map of the surface."""
    chart = page.locator("#surface .map >> visible=true")
    chart.scroll_into_view_if_needed()
    spot = chart.evaluate(
        """(chart, [x, y]) => {
            const [left, top, side] = chart.dataset.box.split(' ').map(Number);
            const at = new DOMPoint(left + (x + 1) / 2 * side, top + (1 - y) / 2 * side);
            const p = at.matrixTransform(chart.getScreenCTM());
            return [p.x, p.y];
        }""",
        [x, y],
    )
    page.mouse.move(*spot)


def said(page: Page) -> str:
    return page.locator("#tip").text_content() or ""


def reading(x: float, y: float) -> str:
    """What a hover says there, from the formula of the surface."""
    loss = float(f"{float(surveys.height(x, y)):.5g}")
    return f"x {x:g}, y {y:g}: loss {loss:g}".replace("-", "\u2212")


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_hover_on_the_map_gives_the_measured_value(visit: Callable[..., Page], size: dict[str, int]) -> None:
    page = visit(size)
    for x, y in ((0.0, 0.0), (-1.0, -1.0), (0.35, 0.8), (0.8, -0.35), (1.0, 1.0)):
        over(page, x * 0.99, y * 0.99)
        assert said(page) == reading(x, y)
    page.mouse.move(3, 3)
    assert page.locator("#tip").is_hidden()


def test_arrow_keys_walk_over_the_map(visit: Callable[..., Page]) -> None:
    page = visit(DESKTOP)
    page.locator("#surface .map >> visible=true").focus()
    for key, x, y in (
        ("ArrowRight", 0.0, 0.0),
        ("ArrowRight", 0.05, 0.0),
        ("ArrowUp", 0.05, 0.05),
        ("ArrowLeft", 0.0, 0.05),
        ("ArrowDown", 0.0, 0.0),
    ):
        page.keyboard.press(key)
        assert said(page) == reading(x, y)
    page.keyboard.press("Escape")
    assert page.locator("#tip").is_hidden()


def test_a_touch_on_the_map_gives_the_value(visit: Callable[..., Page]) -> None:
    page = visit(PHONE, has_touch=True)
    chart = page.locator("#surface .map >> visible=true")
    chart.scroll_into_view_if_needed()
    left, top, side = map(float, (chart.get_attribute("data-box") or "").split())
    box = chart.bounding_box()
    assert box is not None
    scale = box["width"] / 340
    page.touchscreen.tap(box["x"] + scale * (left + 0.75 * side), box["y"] + scale * (top + 0.25 * side))
    assert said(page) == reading(0.5, 0.5)


def test_points_without_a_loss_say_why(visit: Callable[..., Page], reports: dict[str, Path]) -> None:
    page = visit(DESKTOP, reports["interrupted"])
    over(page, 0.2, 0.6)
    assert said(page) == "x 0.2, y 0.6: not measured"
    over(page, -0.99, -0.99)
    assert said(page) == "x \u22121, y \u22121: loss not finite"


def test_a_hover_on_the_path_gives_the_snapshots_own_loss(visit: Callable[..., Page]) -> None:
    page = visit(DESKTOP)
    path = surveys.plane(path=True).path
    assert path is not None
    x, y, loss = path[0].tolist()
    chart = page.locator("#path .map >> visible=true")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    left, top, side = map(float, (chart.get_attribute("data-box") or "").split())
    page.mouse.move(box["x"] + left + (x + 1) / 2 * side, box["y"] + top + (1 - y) / 2 * side)
    assert said(page).startswith("snapshot 1 of 40, x 0.9, y 0.67318: its loss ")
    assert float(said(page).split()[-1]) == pytest.approx(loss, rel=1e-4)


def picture(canvas: Locator) -> str:
    """The pixels of the canvas, after the next frame."""
    return str(
        canvas.evaluate(
            "canvas => new Promise(done => requestAnimationFrame(() => requestAnimationFrame("
            "() => done(canvas.toDataURL()))))"
        )
    )


def pixels(canvas: Locator) -> list[list[int]]:
    """The canvas in a size of 40 x 40, row by row: red, green, blue, opacity."""
    picture(canvas)
    flat = canvas.evaluate(
        """canvas => {
            const copy = new OffscreenCanvas(40, 40).getContext('2d');
            copy.drawImage(canvas, 0, 0, 40, 40);
            return [...copy.getImageData(0, 0, 40, 40).data];
        }"""
    )
    return [flat[k : k + 4] for k in range(0, len(flat), 4)]


def corner(canvas: Locator) -> str:
    """The colour at the top left."""
    red, green, blue, _ = pixels(canvas)[0]
    return f"rgb({red}, {green}, {blue})"


def test_the_surface_turns_tilts_grows_and_comes_back(visit: Callable[..., Page]) -> None:
    page = visit(DESKTOP)
    canvas = page.locator("#surface canvas")
    canvas.scroll_into_view_if_needed()
    first = picture(canvas)
    assert len(set(map(tuple, pixels(canvas)))) > 300
    seen = {first}
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 150, box["y"] + 150)
    page.mouse.down()
    for across, down in ((230, 150), (230, 190)):
        page.mouse.move(box["x"] + across, box["y"] + down, steps=4)
        seen.add(picture(canvas))
    page.mouse.up()
    for key in ("ArrowLeft", "ArrowUp", "+"):
        canvas.press(key)
        seen.add(picture(canvas))
    for name, value in (("yaw", "100"), ("tilt", "80"), ("height", "20")):
        page.locator(f"#surface input[name={name}]").fill(value)
        seen.add(picture(canvas))
    assert len(seen) == 9
    page.locator("#surface .reset").click()
    assert picture(canvas) == first


def test_the_wheel_zooms_only_after_a_click(visit: Callable[..., Page]) -> None:
    page = visit(DESKTOP)
    canvas = page.locator("#surface canvas")
    canvas.scroll_into_view_if_needed()
    before, top = picture(canvas), page.evaluate("scrollY")
    canvas.hover()
    page.mouse.wheel(0, 60)
    page.wait_for_function("(top) => scrollY > top", arg=top)
    assert picture(canvas) == before
    canvas.click()
    top = page.evaluate("scrollY")
    page.evaluate(
        "() => { window.turned = new Promise((done) => addEventListener('wheel', done, { once: true })); }"
    )
    page.mouse.wheel(0, -60)
    page.evaluate("turned.then(() => null)")
    assert picture(canvas) != before
    assert page.evaluate("scrollY") == top


def test_the_scale_changes_map_and_surface_and_no_other_figure(visit: Callable[..., Page]) -> None:
    page = visit(DESKTOP)
    shown = "document.querySelector('#{} .map .on-{}').checkVisibility()"
    canvas, other = page.locator("#surface canvas"), page.locator("#path canvas")
    before, beside = picture(canvas), picture(other)
    assert page.evaluate(shown.format("surface", "log"))
    page.locator("#surface .switch button[value=linear]").click()
    assert page.evaluate(shown.format("surface", "linear"))
    assert not page.evaluate(shown.format("surface", "log"))
    assert page.evaluate(shown.format("path", "log"))
    assert page.locator("#surface .switch button[aria-pressed=true]").text_content() == "Linear"
    assert picture(canvas) != before
    assert picture(other) == beside


def test_a_hover_on_the_surface_gives_a_value_of_the_plane(visit: Callable[..., Page]) -> None:
    page = visit(DESKTOP)
    canvas = page.locator("#surface canvas")
    canvas.scroll_into_view_if_needed()
    page.locator("#surface input[name=tilt]").fill("90")
    page.locator("#surface input[name=yaw]").fill("0")
    picture(canvas)
    box = canvas.bounding_box()
    assert box is not None
    size = min((box["width"] - 68) / 1.42, (box["height"] - 36) / 1.42)
    x, y = 0.5, 0.25  # seen from above the surface is a map
    middle = box["x"] + box["width"] / 2 + 12, box["y"] + box["height"] / 2
    page.mouse.move(middle[0] + size * x / 2, middle[1] - size * y / 2)
    assert said(page) == reading(x, y)
    page.mouse.move(box["x"] + 4, box["y"] + 4)
    assert page.locator("#tip").is_hidden()


def test_the_surface_follows_the_theme(visit: Callable[..., Page]) -> None:
    page = visit(DESKTOP, color_scheme="light")
    canvas = page.locator("#surface canvas")
    light = corner(canvas)
    assert light == ground(page)
    page.locator("#theme").click()
    assert corner(canvas) == ground(page) != light


def test_the_surface_is_saved_as_a_picture(visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit(DESKTOP, accept_downloads=True)
    picture(page.locator("#surface canvas"))
    with page.expect_download() as waiting:
        page.locator("#surface .save").click()
    assert waiting.value.suggested_filename == "surface.png"
    waiting.value.save_as(tmp_path / "surface.png")
    assert (tmp_path / "surface.png").read_bytes()[1:4] == b"PNG"


def test_the_page_can_be_read_without_scripts(visit: Callable[..., Page]) -> None:
    page = visit(PHONE, java_script_enabled=False)
    assert page.locator("h1").is_visible()
    assert page.locator("#surface .map >> visible=true").is_visible()
    assert page.locator("#surface .view").is_hidden()
    assert page.locator("#surface .switch").is_hidden()
    page.locator("#surface summary").click()
    assert page.locator("#surface table").first.is_visible()


def test_paper_has_both_views_and_no_controls(visit: Callable[..., Page]) -> None:
    page = visit(DESKTOP, color_scheme="dark")
    page.emulate_media(media="print")
    assert ground(page) == "rgb(255, 255, 255)"
    assert page.locator("#surface .controls").is_hidden()
    canvas = page.locator("#surface canvas")
    assert canvas.is_visible()
    assert corner(canvas) == "rgb(255, 255, 255)"
