"""The page in a real browser: silent, offline, within a phone's width, and its few buttons work."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.report.browsing import DESKTOP, OVERHANGING, OVERLAPPING, PHONE, ground, visits
from thalweg.race.priors import PRIORS
from thalweg.report import write

CROWD = tuple(PRIORS)[:18]


@pytest.fixture(scope="module")
def reports(
    full: Path, make_ledger: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    many = make_ledger(
        task="a_very_long_task_name_" * 20,
        metric_name="area under the curve " * 6,
        optimizers=("adamw", "adam", "nesterov", "heavy_ball", "rmsprop", "adagrad", "sgd"),
        finalists=7,
        heats=14,
        pairs=3,
    )
    crowd = make_ledger(
        optimizers=CROWD, finalists=4, heats=12, pairs=6, left_out={"bfgs": "its matrix " * 20}
    )
    folder = tmp_path_factory.mktemp("report")
    return {
        "usual": write(full, folder / "usual.html"),
        "many and long": write(many, folder / "many.html"),
        "a crowd": write(crowd, folder / "crowd.html"),
    }


@pytest.fixture
def visit(browser: Browser, reports: dict[str, Path]) -> Iterator[Callable[..., Page]]:
    yield from visits(browser, reports["usual"], reports.values())


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("name", ["usual", "many and long", "a crowd"])
def test_everything_fits(
    visit: Callable[..., Page], reports: dict[str, Path], size: dict[str, int], name: str
) -> None:
    page = visit(size, reports[name])
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert page.evaluate(OVERHANGING) == []
    assert page.evaluate(OVERLAPPING) == []


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_first_screen_answers_the_three_questions(
    visit: Callable[..., Page], size: dict[str, int]
) -> None:
    page = visit(size)
    for selector in ("h1", ".recipe dl", ".sure .chart >> visible=true", ".paste .copy"):
        box = page.locator(selector).first.bounding_box()
        assert box is not None, f"{selector} is not shown"
        assert box["y"] + box["height"] <= size["height"], f"{selector} is below the fold"


def test_the_theme_follows_the_system_until_the_button_is_pressed(visit: Callable[..., Page]) -> None:
    light, dark = visit(DESKTOP, color_scheme="light"), visit(DESKTOP, color_scheme="dark")
    colours = {ground(light), ground(dark)}
    assert len(colours) == 2
    before = ground(light)
    for page, other in ((light, ground(dark)), (dark, before)):
        own = ground(page)
        page.locator("#theme").click()
        assert ground(page) == other
        page.locator("#theme").click()
        assert ground(page) == own


def test_paper_is_light_even_from_a_dark_screen(visit: Callable[..., Page]) -> None:
    page = visit(DESKTOP, color_scheme="dark")
    page.emulate_media(media="print")
    assert ground(page) == "rgb(255, 255, 255)"
    assert page.locator("nav").is_hidden()


def test_the_copy_button_copies_the_code(visit: Callable[..., Page]) -> None:
    page = visit(DESKTOP, permissions=["clipboard-read", "clipboard-write"])
    button = page.locator(".paste .copy")
    button.click()
    page.wait_for_function("document.querySelector('.paste .copy').textContent === 'Copied'")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator(".paste code").text_content()
    assert "optimizer = optim.AdamW(" in copied


def test_hover_and_arrow_keys_show_exact_values(visit: Callable[..., Page]) -> None:
    page = visit(DESKTOP)
    tip = page.locator("#tip")
    chart = page.locator("#ranking .wide .chart")
    assert tip.is_hidden()
    chart.scroll_into_view_if_needed()
    marks = chart.evaluate("chart => JSON.parse(chart.dataset.marks)")
    x, y, text = marks[-1]
    spot = chart.evaluate(
        """(chart, [x, y]) => { const p = new DOMPoint(x, y).matrixTransform(chart.getScreenCTM());
        return [p.x, p.y]; }""",
        [x, y],
    )
    page.mouse.move(*spot)
    assert tip.text_content() == text
    assert "95 % interval" in text
    page.keyboard.press("Escape")
    assert tip.is_hidden()
    page.mouse.move(5, 5)
    assert tip.is_hidden()
    chart.focus()
    page.keyboard.press("ArrowRight")
    assert tip.text_content() == marks[0][2]
    page.keyboard.press("ArrowLeft")
    assert tip.text_content() == text
    page.keyboard.press("Escape")
    assert tip.is_hidden()


def test_the_page_can_be_read_without_scripts(visit: Callable[..., Page]) -> None:
    page = visit(PHONE, java_script_enabled=False)
    assert page.locator("h1").is_visible()
    assert page.locator(".copy").first.is_hidden()
    page.locator("#ranking summary").click()
    assert page.locator("#ranking table").first.is_visible()
