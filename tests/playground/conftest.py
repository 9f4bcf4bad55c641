"""A browser, the exported page, and visits to it that end without a word on the console or a request."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.playground.person import REST
from thalweg import playground

# Chromium without a GPU says of itself that it is slow.
OF_THE_BROWSER = "GPU stall due to ReadPixels"


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return playground.export(tmp_path_factory.mktemp("playground") / "page.html")


@pytest.fixture
def visit(browser: Browser, exported: Path) -> Iterator[Callable[..., Page]]:
    """Opens the exported page, from the disk, at a fragment; each visit is a fresh person's."""
    contexts, said, asked = [], [], set()

    def open_page(size: dict[str, int], fragment: str = "", path: Path = exported, **options: object) -> Page:
        context = browser.new_context(viewport=size, **options)  # type: ignore[arg-type]
        contexts.append(context)
        context.add_init_script(path=REST)
        context.on("request", lambda request: asked.add(request.url.partition("#")[0]))
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(path.as_uri() + fragment)
        page.wait_for_selector("[data-ready]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [text for text in said if OF_THE_BROWSER not in text] == []
    assert {url.partition(":")[0] for url in asked} <= {"file", "data", "blob"}
    assert len([url for url in asked if url.startswith("file:")]) <= 1 + len(contexts)


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints a figure that was measured, whether or not the test passes."""

    def printed(text: str) -> None:
        with capsys.disabled():
            print(f"\n{text} ", end="")

    return printed
