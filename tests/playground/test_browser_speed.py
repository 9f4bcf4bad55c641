"""Times as a person meets them, measured in software rendering and printed; nothing is asserted of a time."""

from collections.abc import Callable
from statistics import median

from playwright.sync_api import Page

from tests.playground.person import frames, handle, losses, middle, settle
from tests.report.browsing import DESKTOP

Visit = Callable[..., Page]
Say = Callable[[str], None]
NAMES = "SGD Momentum Nesterov RMSprop Adam AdamW Adagrad NAdam Adadelta RAdam"
TEN = "#" + "&".join(f"racer={name}(lr=0.001)" for name in NAMES.split()) + "&steps=1000"

FRAMES = """(seconds) => new Promise((done) => {
    const at = [];
    const note = (now) => {
        at.push(now);
        if (now - at[0] < 1000 * seconds) requestAnimationFrame(note);
        else done(at.slice(1).map((now, i) => now - at[i]));
    };
    requestAnimationFrame(note);
})"""


def measures(page: Page, name: str) -> list[float]:
    return page.evaluate(f"performance.getEntriesByName('{name}').map((one) => one.duration)")


def told(name: str, times: list[float], limit: str) -> str:
    ordered = sorted(times)
    late = ordered[int(0.95 * (len(ordered) - 1))]
    return f"{name}: median {median(ordered):.1f} ms, 95 % {late:.1f} ms, n {len(ordered)}; wanted: {limit}"


def test_from_the_drag_to_the_picture(visit: Visit, say: Say) -> None:
    page = visit(DESKTOP, TEN)
    settle(page)
    x, y = middle(handle(page))
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate("performance.clearMeasures()")
    for k in range(40):
        page.mouse.move(x + 3 * k, y + 2 * (k % 7))
        frames(page)
    page.mouse.up()
    settle(page)
    times = measures(page, "thalweg:drag")
    assert len(times) >= 30
    say(told("drag, ten racers of 1,000 steps, event to drawn", times, "50 ms"))


def played(visit: Visit, say: Say, view: str) -> list[float]:
    page = visit(DESKTOP, f"{TEN}&at=0&stage={view}")
    settle(page)
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_timeout(300)
    page.evaluate("performance.clearMeasures()")
    between = page.evaluate(FRAMES, 3)
    drawn = measures(page, "thalweg:frame")
    assert len(drawn) > 1
    assert len(set(losses(page))) > 1
    say(told(f"playing {view}, script of a frame", drawn, "within the frame"))
    return between


def test_frames_a_second_from_above(visit: Visit, say: Say) -> None:
    between = played(visit, say, "contour")
    say(f"contour: {1000 * len(between) / sum(between):.0f} frames a second; wanted: 60")


def test_frames_a_second_in_three_dimensions(visit: Visit, say: Say) -> None:
    between = played(visit, say, "surface")
    say(f"3-D: {1000 * len(between) / sum(between):.0f} frames a second; wanted: 30")


def test_from_the_address_to_a_page_that_can_be_used(visit: Visit, say: Say) -> None:
    ready = []
    for _ in range(5):
        page = visit(DESKTOP)
        ready.append(page.evaluate("performance.now()"))  # a little later, when the test has noticed
    say(told("opening, navigation to ready", ready, "1,000 ms"))
