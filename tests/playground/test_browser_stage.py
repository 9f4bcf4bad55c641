"""What a person does on the stage: looks closer, turns the surface, points at a trail, pinches."""

import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import CDPSession, Locator, Page, expect

from tests.playground.person import drag, frames, handle, link, middle, picture, settle, stage
from tests.playground.test_browser_share import download
from tests.report.browsing import DESKTOP, PHONE

Visit = Callable[..., Page]
TWO = "#surface=quadratic(condition=4)&start=-4,2&racer=SGD(lr=0.05)&racer=Adam(lr=0.3)&steps=60"


def box(page: Page) -> list[float]:
    """What part of the plane the address says is shown; empty where all is."""
    found = re.search(r"box=([^&]*)", link(page))
    return [float(v) for v in found[1].split(",")] if found else []


def readout(page: Page) -> Locator:
    return page.locator(".stage-readout").locator("visible=true")


def touch(finger: CDPSession, kind: str, *points: tuple[float, float]) -> None:
    finger.send(
        "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]}
    )


def test_plus_minus_and_zero(visit: Visit) -> None:
    page = visit(DESKTOP, TWO)
    settle(page)
    before = picture(page)
    assert box(page) == []
    stage(page).focus()
    page.keyboard.press("+")
    once = box(page)
    page.keyboard.press("+")
    twice = box(page)
    assert (twice[1] - twice[0]) * 1.5 == pytest.approx(once[1] - once[0], rel=1e-3)
    assert picture(page) != before
    page.keyboard.press("ArrowRight")
    moved = box(page)
    assert moved[0] > twice[0]
    assert moved[1] - moved[0] == pytest.approx(twice[1] - twice[0], rel=1e-3)
    page.keyboard.press("0")
    settle(page)
    assert box(page) == []
    assert picture(page) == before


def test_the_buttons_in_the_corner(visit: Visit) -> None:
    page = visit(DESKTOP, TWO)
    expect(page.get_by_role("button", name="Show all")).to_be_hidden()
    page.get_by_role("button", name="Zoom out").click()
    wide = box(page)
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Zoom in").click()
    assert box(page)[1] < wide[1]
    page.get_by_role("button", name="Show all").click()
    assert box(page) == []


def test_to_drag_the_ground_moves_what_is_shown_and_not_the_start(visit: Visit) -> None:
    page = visit(DESKTOP, TWO)
    settle(page)
    x, y = middle(handle(page))
    cx, cy = middle(stage(page))
    page.mouse.move(cx + 150, cy + 120)
    page.mouse.down()
    page.mouse.move(cx + 230, cy + 160, steps=6)
    page.mouse.up()
    settle(page)
    assert "start=-4,2&" in link(page)
    now = middle(handle(page))
    assert now == (pytest.approx(x + 80, abs=2), pytest.approx(y + 40, abs=2))


def click(page: Page, mouse: CDPSession, place: tuple[float, float], count: int, when: float) -> None:
    """One of several clicks as the hand made it, so many seconds from now; the page may be slower."""
    now = page.evaluate("performance.timeOrigin / 1000")
    x, y = place
    for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
        button = "none" if kind == "mouseMoved" else "left"
        event = {"type": kind, "x": x, "y": y, "button": button, "clickCount": count, "timestamp": now + when}
        mouse.send("Input.dispatchMouseEvent", event)


@pytest.mark.parametrize("drawn", [False, True], ids=["at once", "when the start is drawn under the pointer"])
def test_two_clicks_show_all_and_leave_the_start(visit: Visit, drawn: bool) -> None:
    page = visit(DESKTOP, TWO)
    page.get_by_role("button", name="Zoom out").click()
    x, y = middle(stage(page))
    mouse, place = page.context.new_cdp_session(page), (x + 150, y + 120)
    click(page, mouse, place, 1, 1.0)
    if drawn:
        settle(page)
    click(page, mouse, place, 2, 1.4)
    assert box(page) == []
    assert "start=-4,2&" in link(page)


def test_two_hasty_clicks_on_a_button_zoom_twice(visit: Visit) -> None:
    page = visit(DESKTOP, TWO)
    page.get_by_role("button", name="Zoom in").dblclick()
    left, right, _, _ = box(page)
    page.get_by_role("button", name="Zoom out").click()
    wider = box(page)
    assert wider[1] - wider[0] > right - left


def test_the_wheel_scrolls_the_page_until_the_stage_has_the_focus(visit: Visit) -> None:
    page = visit(DESKTOP, TWO)
    cx, cy = middle(stage(page))
    page.mouse.move(cx, cy)
    page.mouse.wheel(0, -200)
    assert box(page) == []
    stage(page).focus()
    page.mouse.wheel(0, -200)
    expect(page).to_have_url(re.compile("box="))


def test_to_point_at_a_trail_says_who_and_where_and_a_click_chooses_it(visit: Visit) -> None:
    page = visit(DESKTOP, TWO)
    settle(page)
    x, y = middle(handle(page))
    page.mouse.move(x, y - 60)
    expect(readout(page)).to_have_count(0)
    for racer in ("Adam", "SGD"):
        found = next(spot for spot in around(x, y) if points_at(page, racer, *spot))
        assert re.search(r"step \d+\n.*x .*, y .*, loss \d", readout(page).inner_text())
        page.mouse.click(*found)
        assert "start=-4,2&" in link(page), "the start stays"
        expect(page.locator(".racers .racer.selected .name")).to_have_text(racer)


def around(x: float, y: float) -> list[tuple[float, float]]:
    """Places in rings around another, nearest first, beyond the handle."""
    turns = [math.tau * k / 40 for k in range(40)]
    return [(x + r * math.cos(turn), y + r * math.sin(turn)) for r in (28, 40, 55, 75) for turn in turns]


def points_at(page: Page, racer: str, x: float, y: float) -> bool:
    page.mouse.move(x, y)
    frames(page)
    return readout(page).count() == 1 and readout(page).inner_text().startswith(f"{racer},")


def test_two_fingers_pinch_and_one_scrolls(visit: Visit) -> None:
    page = visit(PHONE, TWO, has_touch=True, is_mobile=True)
    settle(page)
    cx, cy = middle(stage(page))
    finger = page.context.new_cdp_session(page)
    touch(finger, "touchStart", (cx - 30, cy), (cx + 30, cy))
    for k in range(1, 6):
        touch(finger, "touchMove", (cx - 30 - 8 * k, cy), (cx + 30 + 8 * k, cy))
    touch(finger, "touchEnd")
    closer = box(page)
    assert closer
    assert page.evaluate("visualViewport.scale") == 1
    start = link(page)
    touch(finger, "touchStart", (cx + 60, cy + 60))
    for k in range(1, 13):
        touch(finger, "touchMove", (cx + 60, cy + 60 - 12 * k))
        frames(page)
    touch(finger, "touchEnd")
    page.evaluate("until(() => scrollY > 60)")
    assert link(page) == start


def swipe(page: Page, canvas: Locator, dx: float, dy: float) -> None:
    """Draw a finger over a canvas, from its middle."""
    x, y = middle(canvas)
    finger = page.context.new_cdp_session(page)
    touch(finger, "touchStart", (x, y))
    for k in range(1, 13):
        touch(finger, "touchMove", (x + dx * k / 12, y + dy * k / 12))
        frames(page)
    touch(finger, "touchEnd")


@pytest.mark.parametrize("chart", ["Loss", "Phase map"])
def test_a_finger_scrolls_over_a_chart_and_acts_where_it_rests_or_goes_sideways(
    visit: Visit, chart: str
) -> None:
    page = visit(PHONE, f"{TWO}&at=7", has_touch=True, is_mobile=True)
    page.get_by_role("tab", name="Charts", exact=True).click()
    page.get_by_role("tab", name=chart, exact=True).click()
    canvas = page.locator(".charts canvas").locator("visible=true")
    canvas.scroll_into_view_if_needed()
    page.evaluate("scrollBy(0, -80)")
    before, top = link(page), page.evaluate("scrollY")
    swipe(page, canvas, 0, -70)
    page.evaluate(f"until(() => scrollY > {top} + 30)")
    assert link(page) == before, "to scroll is to change nothing"
    swipe(page, canvas, 60, 0)
    sideways = link(page)
    assert sideways != before
    page.touchscreen.tap(*middle(canvas))
    assert link(page) not in (before, sideways)


def test_a_finger_scrolls_over_the_surface_and_turns_it_sideways(visit: Visit) -> None:
    page = visit(PHONE, f"{TWO}&stage=surface", has_touch=True, is_mobile=True)
    settle(page)
    before = link(page)
    swipe(page, stage(page), 0, -90)
    page.evaluate("until(() => scrollY > 30)")
    settle(page)
    assert link(page) == before, "to scroll is to change nothing"
    swipe(page, stage(page), 60, 0)
    settle(page)
    assert "camera" in link(page)


def test_the_surface_turns_by_drag_keys_and_finger(visit: Visit) -> None:
    page = visit(DESKTOP, TWO + "&stage=surface")
    settle(page)
    before = picture(page)
    cx, cy = middle(stage(page))
    page.mouse.move(cx + 60, cy + 150)
    page.mouse.down()
    page.mouse.move(cx + 160, cy + 150, steps=5)
    page.mouse.up()
    settle(page)
    assert "camera=" in link(page)
    assert "start=-4,2&" in link(page)
    assert picture(page) != before
    stage(page).focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("-")
    tilted = link(page)
    page.keyboard.press("0")
    settle(page)
    assert "camera=" not in link(page)
    assert picture(page) == before
    assert tilted != link(page)


def test_the_start_can_be_dragged_on_the_surface(visit: Visit) -> None:
    page = visit(DESKTOP, TWO + "&stage=surface")
    settle(page)
    x, y = middle(handle(page))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 20, steps=5)
    page.mouse.up()
    settle(page)
    now = middle(handle(page))
    assert now == (pytest.approx(x + 60, abs=3), pytest.approx(y + 20, abs=3))
    assert "start=-4,2&" not in link(page)


def test_a_start_beside_the_surface_can_be_fetched_back(visit: Visit) -> None:
    page = visit(DESKTOP, TWO.replace("-4,2", "40,1") + "&stage=surface")
    settle(page)
    canvas = stage(page).bounding_box()
    x, y = middle(handle(page))
    assert canvas["x"] < x < canvas["x"] + canvas["width"]
    assert canvas["y"] < y < canvas["y"] + canvas["height"]
    drag(page, -120, -10)
    settle(page)
    assert abs(float(link(page).partition("start=")[2].partition(",")[0])) <= 5


def test_the_hint_covers_no_name_and_goes_once_it_was_followed(visit: Visit) -> None:
    page = visit(DESKTOP, "#lesson=race")
    hint = page.locator(".hint")
    half = middle(stage(page))[1]
    assert middle(hint)[1] > half
    drag(page, 20, 5)
    expect(hint).to_be_hidden()
    warmup = visit(DESKTOP, "#lesson=warmup")  # the name of who left stands where the hint was
    settle(warmup)
    assert middle(warmup.locator(".hint"))[1] < half


def test_a_picture_that_the_graphics_card_lost_comes_back(visit: Visit) -> None:
    page = visit(DESKTOP, TWO + "&stage=surface")
    settle(page)
    before = picture(page)
    stage(page).evaluate(
        """async (canvas) => {
            const switched = canvas.getContext("webgl2").getExtension("WEBGL_lose_context");
            const told = (name) => new Promise((done) => canvas.addEventListener(name, done, { once: true }));
            const lost = told("webglcontextlost"), restored = told("webglcontextrestored");
            switched.loseContext();
            await lost;
            await new Promise((done) => setTimeout(done)); // it may come back once all have heard of it
            switched.restoreContext();
            await restored;
        }"""
    )
    settle(page)
    assert picture(page) == before


def test_a_film_repeats_and_holds_its_end(visit: Visit, tmp_path: Path) -> None:
    page = visit(DESKTOP, TWO)
    settle(page)
    path = download(page, "Save GIF", tmp_path)
    with Image.open(path) as film:
        assert film.info["loop"] == 0
        assert 24 <= film.n_frames <= 120
        assert film.width == 640
        pauses, ends = [], []
        for k in range(film.n_frames):
            film.seek(k)
            pauses.append(film.info["duration"])
            if k in (0, film.n_frames - 1):
                ends.append(film.convert("RGB").tobytes())
    same = sum(a == b for a, b in zip(*ends, strict=True)) / len(ends[0])
    assert 0.8 < same < 1, "the ground stays while the racers move"
    assert 3000 < sum(pauses) < 12_000
    assert pauses[-1] >= 10 * pauses[0]
    assert path.stat().st_size < 1_500_000
