"""Who has chosen larger text in the browser gets it, with nothing cut off and nothing covered."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.playground.person import drag, handle, middle, open_settings, settle
from tests.playground.test_browser_reach import FOUR, ROOT, looks
from tests.report.browsing import DESKTOP, PHONE

Visit = Callable[..., Page]
ROOM = {"width": 1280, "height": 720}  # what a projector shows

# Texts that do not fit into their element, those that leave the screen, and those that lie on one another.
CRAMPED = f"""(width) => {{
    const seen = [...{ROOT}.querySelectorAll('*')].filter((one) => one.clientWidth > 1
        && one.checkVisibility({{ visibilityProperty: true }}) && !one.closest('svg, option, .unseen'));
    const written = (one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const named = (one) => `${{one.tagName}}.${{one.className}}: ${{one.ariaLabel ?? one.textContent}}`;
    const clipped = (one) => one.scrollWidth > one.clientWidth + 1 && (one.matches('input[type=text]')
        || (written(one) && /hidden|clip/.test(getComputedStyle(one).overflowX)));
    const own = (one) => one.matches('input:not([type=range]), select, button') || written(one);
    const boxes = seen.filter((one) => own(one) && !one.closest('.view, .scroll')).map((one) =>
        [one, one.getBoundingClientRect()]);
    const covers = ([a, p], [b, q]) => !a.contains(b) && !b.contains(a)
        && Math.min(p.right, q.right) - Math.max(p.left, q.left) > 2
        && Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > 3;
    const pairs = boxes.flatMap((a, i) => boxes.slice(i + 1).map((b) => [a, b]));
    return [
        ...seen.filter(clipped).map((one) => `cut ${{named(one)}}`),
        ...boxes.filter(([, {{ left, right }}]) => left < -1 || right > width + 1).map(([one]) =>
            `outside ${{named(one)}}`),
        ...pairs.filter(([a, b]) => covers(a, b)).map(([a, b]) => `${{named(a[0])}} on ${{named(b[0])}}`),
    ];
}}"""


def enlarge(page: Page, size: int) -> None:
    """Choose a size of text in the browser; 16 pixels are usual."""
    page.evaluate("(size) => { document.documentElement.style.fontSize = `${size}px`; }", size)
    settle(page)


def size_of(page: Page, selector: str) -> str:
    return page.locator(selector).first.evaluate("(one) => getComputedStyle(one).fontSize")


@pytest.mark.parametrize("root", [16, 20, 32])
@pytest.mark.parametrize("size", [DESKTOP, ROOM, PHONE], ids=["desktop", "projector", "phone"])
def test_large_text_has_room(visit: Visit, size: dict[str, int], root: int) -> None:
    options = {"has_touch": True, "is_mobile": True} if size is PHONE else {}
    page = visit(size, f"{FOUR}&lesson=warmup", **options)
    enlarge(page, root)
    open_settings(page, "AdamW")
    for _ in looks(page):
        assert page.evaluate(CRAMPED, size["width"]) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


@pytest.mark.parametrize(("root", "expected"), [(16, "14px"), (20, "17.5px"), (32, "28px"), (10, "14px")])
def test_text_has_the_size_that_was_chosen(visit: Visit, root: int, expected: str) -> None:
    """Or the usual one, in a host page that makes its own text small."""
    page = visit(DESKTOP, FOUR)
    enlarge(page, root)
    assert size_of(page, ".racer .name") == expected


def test_what_is_written_on_the_pictures_grows_as_well(visit: Visit) -> None:
    page = visit(DESKTOP, FOUR)
    before = handle(page).bounding_box()
    enlarge(page, 20)
    after = handle(page).bounding_box()
    assert after["width"] == pytest.approx(1.25 * before["width"])
    assert size_of(page, ".hint") == "16.25px"


@pytest.mark.parametrize("stage", ["contour", "surface"])
def test_with_large_text_the_start_stays_under_the_pointer(visit: Visit, stage: str) -> None:
    page = visit(DESKTOP, f"{FOUR}&stage={stage}&surface=quadratic(condition=2)&start=1,1")
    enlarge(page, 20)
    x, y = middle(handle(page))
    drag(page, -40, 30)
    settle(page)
    assert middle(handle(page)) == pytest.approx((x - 40, y + 30), abs=1.5)
