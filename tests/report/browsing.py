"""What the tests of a page in a real browser share."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 800}

# How long what is sure to come may take on a busy machine, in milliseconds.
PATIENCE = 60_000

# Texts that leave their chart, and texts that lie on one another.
OVERHANGING = """[...document.querySelectorAll('.chart text')].filter(t => {
    const own = t.getBoundingClientRect(), all = t.ownerSVGElement.getBoundingClientRect();
    return own.width && (own.left < all.left - 2 || own.right > all.right + 2);
}).map(t => t.textContent)"""
OVERLAPPING = """[...document.querySelectorAll('.chart')].flatMap(chart => {
    const texts = [...chart.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
    return texts.flatMap(([a, p], i) => texts.slice(i + 1).filter(([, q]) => p.width && q.width &&
        Math.min(p.right, q.right) - Math.max(p.left, q.left) > 1 &&
        Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > 5).map(([b]) => `${a} | ${b}`));
})"""


def chromium() -> Iterator[Browser]:
    """A browser for a fixture."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert found, (
        "these tests look at the report in Chromium, and there is none: install the package chromium"
    )
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


def visits(browser: Browser, usual: Path, pages: Iterable[Path]) -> Iterator[Callable[..., Page]]:
    """Opens pages; at the end there was no word on the console and no request but for these files."""
    contexts, said, asked = [], [], []

    def open_page(size: dict[str, int], path: Path = usual, **options: object) -> Page:
        context = browser.new_context(viewport=size, **options)  # type: ignore[arg-type]
        contexts.append(context)
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert {url for url in asked if not url.startswith("data:")} <= {path.as_uri() for path in pages}


def ground(page: Page) -> str:
    """The colour of the page."""
    return page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
