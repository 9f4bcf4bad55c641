"""Takes the pictures of the playground in its guide and in the README: ``python -m tools.screenshots``.

Each picture is a link into the page and a size; Chromium draws it, and its colours are reduced to a palette,
so that a picture is about 100 KB.
"""

import io
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from thalweg import playground

FOLDER = Path(__file__).parents[1] / "docs" / "images" / "playground"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
DESKTOP = {"width": 1280, "height": 800}
TALL = {"width": 1280, "height": 900}  # for the whole of a formula
PICTURES = {
    "contour": ("lesson=race", DESKTOP, "light"),
    "surface": ("lesson=race&stage=surface", DESKTOP, "dark"),
    "step": ("lesson=adam&chart=step&at=12", TALL, "light"),
    "phase": ("lesson=momentum&chart=phase&box=-5.3,1.3,-2.2,2.2", DESKTOP, "dark"),
}


def take(browser: Browser, page: Path, name: str) -> None:
    """Write one picture."""
    fragment, size, scheme = PICTURES[name]
    context = browser.new_context(viewport=size, color_scheme=scheme, device_scale_factor=1.5)
    shown = context.new_page()
    shown.goto(f"{page.as_uri()}#{fragment}")
    shown.wait_for_selector("[data-ready]")
    shown.wait_for_timeout(1000)
    picture = Image.open(io.BytesIO(shown.screenshot())).convert("RGB")
    path = FOLDER / f"{name}.png"
    picture.quantize(256, kmeans=3, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size / 1024:.0f} KB")
    context.close()


def main() -> None:
    """Take those that are named, or all."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found:
        sys.exit("pictures are taken in Chromium, and there is none: install the package chromium")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = playground.export(Path(folder) / "page.html")
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        for name in sys.argv[1:] or PICTURES:
            take(browser, page, name)
        browser.close()


if __name__ == "__main__":
    main()
