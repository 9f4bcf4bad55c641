"""What a person does on the page and sees there, in a few words."""

from pathlib import Path

from playwright.sync_api import Locator, Page

STAGE = "canvas.ground"
LOSSES = ".racers .racer .loss"

# Given to each context, it lets the page say when it is at rest.
REST = Path(__file__).parent / "rest.js"


def frames(page: Page) -> None:
    """Let two frames pass: what the hand did is drawn, also while the race plays."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def settle(page: Page) -> None:
    """Wait until all that was asked for has been drawn, finely too; a race that plays never comes to rest."""
    page.evaluate("atRest(180)")


def stage(page: Page) -> Locator:
    """The canvas of the race, from above or in perspective."""
    return page.locator(STAGE).locator("visible=true").first


def picture(page: Page, selector: str = STAGE) -> str:
    """The pixels of a canvas, once they no longer change."""
    settle(page)
    canvas = page.locator(selector).locator("visible=true").first
    return canvas.evaluate("(canvas) => canvas.toDataURL()")


def losses(page: Page) -> list[str]:
    """What each racer's line says of its loss."""
    return page.locator(LOSSES).all_text_contents()


def link(page: Page) -> str:
    """The address, from "#" on, which is written when nothing has changed for 200 ms."""
    page.evaluate("atRest(1000)")
    return page.evaluate("location.hash")


def handle(page: Page) -> Locator:
    """The start that is dragged."""
    return page.get_by_role("slider", name="Start; arrow keys move it")


def middle(place: Locator) -> tuple[float, float]:
    """The middle of an element on the page."""
    box = place.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, dx: float, dy: float, moves: int = 5) -> None:
    """Drag the start and let go of it."""
    x, y = middle(handle(page))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=moves)
    page.mouse.up()


def rate(page: Page, name: str) -> Locator:
    """The field for a racer's learning rate."""
    return page.get_by_role("textbox", name=f"Learning rate of {name}, number", exact=True)


def write(field: Locator, text: str) -> None:
    """Type into a field and leave it."""
    field.fill(text)
    field.press("Enter")


def names(page: Page) -> list[str]:
    """The racers in their order."""
    return page.locator(".racers .racer .name").all_text_contents()


def open_settings(page: Page, name: str) -> Locator:
    """Open the settings of a racer; on a phone the racers are one part of the page."""
    part = page.get_by_role("tab", name="Racers", exact=True)
    if part.is_visible():
        part.click()
    page.get_by_role("button", name=f"{name}, settings", exact=True).first.click()
    return page.locator(".racers .racer.open .settings")
