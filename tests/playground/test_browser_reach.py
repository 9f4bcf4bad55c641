"""Everyone can use it: by keys alone, on a phone, with a screen reader, in both themes, without motion."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.playground.person import handle, link, losses, names, open_settings, picture, settle, stage
from tests.report.browsing import DESKTOP, PHONE

Visit = Callable[..., Page]
FOUR = "#racer=SGD(lr=0.001)&racer=Momentum(lr=0.0005)&racer=RMSprop(lr=0.01)&racer=AdamW(lr=0.1)&steps=200"

# The shadow root of the page, where everything is.
ROOT = "document.querySelector('[data-thalweg-play] > div').shadowRoot"

# Every control that can be seen, with the name that is read aloud.
KINDS = "a[href], button, input, select, textarea, canvas, [tabindex], [role]"
CONTROLS = f"""[...{ROOT}.querySelectorAll('{KINDS}')]
    .filter((one) => one.checkVisibility({{ visibilityProperty: true }}))
    .filter((one) => !one.closest('[aria-hidden=true]'))
    .filter((one) => !/^(presentation|none|tabpanel|status|group|list)$/.test(one.getAttribute('role') ?? ''))
    .map((one) => {{
        const by = (one.getAttribute('aria-labelledby') ?? '').split(' ').filter(Boolean);
        const named = by.map((id) => {ROOT}.getElementById(id)?.textContent).join(' ');
        const label = one.labels?.[0]?.innerText;
        const text = one.tagName === 'SELECT' ? '' : one.innerText;
        const name = (one.getAttribute('aria-label') || named || label || text || one.title || '').trim();
        const box = one.getBoundingClientRect();
        return {{ tag: one.tagName, type: one.type ?? '', name, width: box.width, height: box.height,
            html: one.outerHTML.slice(0, 120) }};
    }})"""

# Texts with too little contrast against the nearest opaque ground: WCAG 2, AA.
FAINT = f"""(() => {{
    const parse = (text) => {{
        const canvas = document.createElement('canvas'), ink = canvas.getContext('2d');
        ink.fillStyle = text;
        ink.fillRect(0, 0, 1, 1);
        const data = ink.getImageData(0, 0, 1, 1).data;
        return [...data].slice(0, 3).map((v) => v / 255).concat(data[3] / 255);
    }};
    const linear = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
    const up = (one) => one.parentElement ?? one.getRootNode().host ?? null;
    const groundOf = (one) => {{
        const layers = [];
        for (let at = one; at; at = up(at)) {{
            const colour = parse(getComputedStyle(at).backgroundColor);
            if (colour[3] > 0) layers.push(colour);
            if (colour[3] === 1) break;
        }}
        return layers.reverse().reduce((below, top) => over(top, below), [1, 1, 1, 1]);
    }};
    const texts = [...{ROOT}.querySelectorAll('*')].filter((one) =>
        one.checkVisibility({{ visibilityProperty: true, opacityProperty: true }})
        && !one.closest('[disabled], .unseen') && (one.matches('input, select') ||
        [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())));
    return texts.flatMap((one) => {{
        const style = getComputedStyle(one), ground = groundOf(one);
        if (one.type === 'range' || one.type === 'checkbox') return [];
        const colour = over(parse(style.color), ground);
        const [low, high] = [luminance(colour), luminance(ground)].sort((a, b) => a - b);
        const size = parseFloat(style.fontSize);
        const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
        const ratio = (high + 0.05) / (low + 0.05);
        const text = (one.value ?? one.textContent).trim().slice(0, 30);
        return ratio < (large ? 3 : 4.5) ? [`${{ratio.toFixed(2)}} ${{one.className}}: ${{text}}`] : [];
    }});
}})()"""

WIDER = f"""[...{ROOT}.querySelectorAll('*')].filter((one) => one.checkVisibility()
    && one.getBoundingClientRect().right > innerWidth + 0.5 && !one.closest('svg, .scroll, pre, .unseen')
    && ![...function* (at) {{ for (; at; at = at.parentElement) yield at; }}(one.parentElement)]
        .some((at) => /auto|scroll|hidden|clip/.test(getComputedStyle(at).overflowX)))
    .map((one) => one.outerHTML.slice(0, 100))"""


PRESSED = ("BUTTON", "INPUT", "SELECT")
CHARTS = ("Loss", "Effective rate", "Schedule", "Phase map", "Step")


def controls(page: Page) -> list[dict[str, Any]]:
    return page.evaluate(CONTROLS)


def everywhere(page: Page) -> list[str]:
    """The parts of the page, of which a phone shows one at a time."""
    parts = []
    for section in ("Racers", "Charts", "Lesson"):
        tab = page.get_by_role("tab", name=section, exact=True)
        if tab.is_visible():
            parts.append(section)
    return parts or [""]


def visit_part(page: Page, part: str) -> None:
    if part:
        page.get_by_role("tab", name=part, exact=True).click()
    settle(page)


def looks(page: Page) -> Iterator[None]:
    """Show all there is on the page, one part after the other, with each chart where the charts are."""
    for part in everywhere(page):
        visit_part(page, part)
        tabs = [page.get_by_role("tab", name=chart, exact=True) for chart in CHARTS]
        offered = [tab for tab in tabs if tab.is_visible()]
        if not offered:
            yield
        for tab in offered:
            tab.click()
            settle(page)
            yield


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_control_has_a_name(visit: Visit, size: dict[str, int]) -> None:
    page = visit(size, FOUR)
    open_settings(page, "AdamW")
    for _ in looks(page):
        found = controls(page)
        assert len(found) > 10
        assert [one["html"] for one in found if not one["name"]] == []


def test_no_two_controls_of_the_racers_are_called_the_same(visit: Visit) -> None:
    page = visit(DESKTOP, FOUR)
    seen = [(one["name"], one["tag"]) for one in controls(page) if one["tag"] in PRESSED]
    assert sorted({name for name in seen if seen.count(name) > 1}) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_text_can_be_read(visit: Visit, size: dict[str, int], scheme: str) -> None:
    page = visit(size, f"{FOUR}&lesson=ravine", color_scheme=scheme)
    open_settings(page, "AdamW")
    for _ in looks(page):
        assert page.evaluate(FAINT) == []


@pytest.mark.parametrize(
    "size", [PHONE, {"width": 320, "height": 640}, {"width": 768, "height": 1024}, DESKTOP]
)
def test_nothing_is_wider_than_the_screen(visit: Visit, size: dict[str, int]) -> None:
    page = visit(size, FOUR)
    open_settings(page, "AdamW")
    for _ in looks(page):
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert page.evaluate(WIDER) == []


def test_fingers_find_what_they_aim_at(visit: Visit) -> None:
    page = visit(PHONE, FOUR, has_touch=True, is_mobile=True)
    settle(page)
    found = [
        one
        for one in controls(page)
        if one["tag"] in ("BUTTON", "SELECT", "INPUT") and one["type"] != "range"
    ]
    small = [
        f"{one['name']} {one['width']:.0f}x{one['height']:.0f}"
        for one in found
        if one["height"] < 40 or one["width"] < 32
    ]
    assert small == []


def test_the_first_screen_has_all_that_matters(visit: Visit) -> None:
    page = visit(DESKTOP, FOUR)
    settle(page)
    assert page.evaluate("document.documentElement.scrollHeight") <= DESKTOP["height"]
    for what in (
        stage(page),
        page.get_by_role("button", name="Play", exact=True),
        page.get_by_role("button", name="Tune each learning rate"),
        page.get_by_role("tab", name="Loss", exact=True),
        page.get_by_role("region", name="Lesson"),
    ):
        box = what.bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= DESKTOP["height"]


def test_on_a_phone_the_stage_and_the_play_button_come_first(visit: Visit) -> None:
    page = visit(PHONE, FOUR)
    settle(page)
    play = page.get_by_role("button", name="Play", exact=True).bounding_box()
    assert play["y"] + play["height"] <= PHONE["height"]
    assert stage(page).bounding_box()["height"] >= 220


def focused(page: Page) -> str:
    return page.evaluate(
        f"(() => {{ const at = {ROOT}.activeElement; return at ? (at.getAttribute('aria-label') "
        "|| at.textContent || at.tagName).trim() : ''; })()"
    )


def tab_to(page: Page, name: str, most: int = 80) -> None:
    for _ in range(most):
        page.keyboard.press("Tab")
        if focused(page).startswith(name):
            return
    pytest.fail(f"the Tab key does not lead to {name!r}")


def test_everything_by_keys_alone(visit: Visit) -> None:
    page = visit(DESKTOP, f"{FOUR}&speed=0.25")
    settle(page)
    before = picture(page)
    tab_to(page, "Start; arrow keys move it")
    start = handle(page).get_attribute("aria-valuetext")
    old = losses(page)
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    settle(page)
    assert handle(page).get_attribute("aria-valuetext") != start
    assert all(a != b for a, b in zip(old, losses(page), strict=True))
    assert picture(page) != before
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    tab_to(page, "Learning rate of RMSprop")
    rate = link(page)
    page.keyboard.press("ArrowRight")
    assert link(page) != rate
    tab_to(page, "Hide RMSprop")
    page.keyboard.press("Enter")
    assert "hidden" in link(page)
    tab_to(page, "Add racer")
    page.keyboard.press("Enter")
    assert len(names(page)) == 5
    page.keyboard.press("Control+z")
    assert len(names(page)) == 4
    tab_to(page, "Loss")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Effective rate", exact=True)).to_have_attribute(
        "aria-selected", "true"
    )
    page.keyboard.press("ArrowLeft")


def test_the_focus_is_always_seen(visit: Visit) -> None:
    page = visit(DESKTOP, FOUR)
    settle(page)
    unseen, first = [], None
    for _ in range(60):
        page.keyboard.press("Tab")
        found = page.evaluate(
            f"""(() => {{ const at = {ROOT}.activeElement; if (!at) return null;
            const style = getComputedStyle(at);
            const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
            return [at.outerHTML.slice(0, 90), ring || style.boxShadow !== 'none'
                || (at.type === 'range' && style.appearance === 'none')]; }})()"""
        )
        if found is None or found[0] == first:
            break
        first = first or found[0]
        if not found[1]:
            unseen.append(found[0])
    assert unseen == []


def test_keys_anywhere(visit: Visit) -> None:
    page = visit(DESKTOP, FOUR)
    settle(page)
    at = page.locator(".transport output")
    page.keyboard.press("Home")
    expect(at).to_have_text("0")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(at).to_have_text("11")
    page.keyboard.press("End")
    expect(at).to_have_text("200")
    page.keyboard.press("v")
    expect(page.get_by_role("tab", name="3-D")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("v")
    page.keyboard.press("n")
    assert "lesson=" in link(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_what_happens_is_said(visit: Visit) -> None:
    page = visit(DESKTOP, FOUR)
    live = page.locator("[aria-live=polite]")
    page.get_by_role("button", name="Remove SGD", exact=True).click()
    expect(live.first).to_contain_text("SGD removed")
    assert "reaches a loss of" in (stage(page).get_attribute("aria-label") or "")
    assert "loss" in (handle(page).get_attribute("aria-valuetext") or "")


def ground(page: Page) -> str:
    return page.evaluate(f"getComputedStyle({ROOT}.querySelector('[data-ready]')).backgroundColor")


def test_the_theme_follows_the_system_until_it_is_chosen(visit: Visit) -> None:
    light, dark = visit(DESKTOP, FOUR, color_scheme="light"), visit(DESKTOP, FOUR, color_scheme="dark")
    settle(dark)
    assert ground(light) != ground(dark)
    assert picture(light) != picture(dark)
    night = ground(dark)
    light.emulate_media(color_scheme="dark")
    settle(light)  # the change is told with the next frame
    assert ground(light) == night
    light.get_by_role("button", name="Theme: as the system").click()
    assert "theme=light" in link(light)
    assert ground(light) != night


def test_without_motion_nothing_glides(visit: Visit) -> None:
    page = visit(DESKTOP, f"{FOUR}&at=0&speed=4", reduced_motion="reduce")
    at = page.locator(".transport output")
    at.evaluate(
        """(at) => {
            window.seen = [];
            const note = new MutationObserver(() => seen.push(at.textContent));
            note.observe(at, { childList: true, subtree: true });
        }"""
    )
    page.get_by_role("button", name="Play", exact=True).click()
    expect(at).to_have_text("200")
    assert page.evaluate("seen") == [str(step) for step in range(20, 201, 20)], "ten stills, not a film"
    moving = page.evaluate(
        f"""[...{ROOT}.querySelectorAll('*')].flatMap((one) => one.getAnimations()).filter((one) =>
            one.effect.getTiming().duration > 1).length"""
    )
    assert moving == 0


def test_a_lesson_on_a_phone_begins_with_its_text(visit: Visit) -> None:
    page = visit(PHONE, "#lesson=warmup")
    text = page.locator(".card .text")
    expect(text).to_be_visible()
    page.get_by_role("tab", name="Racers", exact=True).click()
    expect(text).to_be_hidden()
    page.get_by_role("button", name="Hide large rate").click()
    expect(text).to_be_hidden()
    page.get_by_role("combobox", name="Lesson").select_option(label="5. Stuck at a saddle")
    expect(text).to_contain_text("ridge")
    free = visit(PHONE, FOUR)
    expect(free.locator(".racers")).to_be_visible()


def test_in_forced_colours_what_is_pressed_and_selected_is_framed(visit: Visit) -> None:
    page = visit(DESKTOP, FOUR, forced_colors="active")
    settle(page)
    button = page.get_by_role("button", name="log")
    edge = "(one) => getComputedStyle(one).borderTopWidth"
    assert button.evaluate(edge) == "2px"
    button.click()
    assert button.evaluate(edge) == "1px"
    lines = page.locator(".racer > .line").evaluate_all(
        "(all) => all.map((one) => parseFloat(getComputedStyle(one).borderLeftWidth))"
    )
    assert lines == [3, 0, 0, 0]


def test_zoomed_in_twice_it_still_works(visit: Visit) -> None:
    page = visit({"width": 640, "height": 400}, f"{FOUR}&speed=0.25", device_scale_factor=2)
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
    page.get_by_role("button", name="Play", exact=True).scroll_into_view_if_needed()
    page.get_by_role("button", name="Play", exact=True).click()
    page.get_by_role("button", name="Pause", exact=True).click()


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_no_button_is_cut_off(visit: Visit, width: int) -> None:
    page = visit({"width": width, "height": 740}, "#lesson=warmup", has_touch=width < 940)
    cut = page.locator("button:visible").evaluate_all(
        "(all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent)"
    )
    assert cut == []
