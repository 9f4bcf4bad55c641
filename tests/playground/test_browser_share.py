"""What is taken away: a link to the same picture, code, a picture, a film; and the page as it is served."""

import io
import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from tests.playground.person import REST, drag, link, losses, names, picture, rate, settle, stage, write
from tests.report.browsing import DESKTOP, PHONE
from thalweg import playground
from thalweg.playground.opening import Opening
from thalweg.playground.page import document
from thalweg.playground.server import Server

Visit = Callable[..., Page]
CHART = ".charts canvas"
THREE = (
    "#surface=himmelblau&racer=SGD(lr=0.01,momentum=0.9)&racer=Adam(lr=0.2);clip_norm(1)&racer=RMSprop(lr=0.05)"
    "&steps=90"
)


def share(page: Page, entry: str) -> None:
    page.get_by_role("button", name="Share").click()
    page.get_by_role("menuitem", name=entry).click()


def shown(page: Page) -> Image.Image:
    """What the eye sees of the stage, of whatever kind its canvas is."""
    canvas = stage(page)
    return Image.open(io.BytesIO(canvas.screenshot())).convert("RGB")


def test_a_shared_link_shows_the_same_picture(visit: Visit) -> None:
    first = visit(DESKTOP, THREE)
    settle(first)
    drag(first, 60, -35)
    write(rate(first, "RMSprop"), "0.031")
    first.get_by_role("button", name="Hide SGD", exact=True).click()
    scrub = first.get_by_role("slider", name="Step", exact=True)
    scrub.focus()
    for _ in range(20):
        scrub.press("ArrowLeft")
    address = link(first)
    first.mouse.move(5, 5)
    settle(first)
    second = visit(DESKTOP, address)
    settle(second)
    assert link(second) == address
    assert losses(second) == losses(first)
    assert picture(second) == picture(first)
    assert picture(second, CHART) == picture(first, CHART)


def test_the_state_survives_a_reload_and_the_back_button(visit: Visit) -> None:
    page = visit(DESKTOP, THREE)
    drag(page, 40, 40)
    address = link(page)
    page.reload()
    page.wait_for_selector("[data-ready]")
    assert link(page) == address
    page.get_by_role("combobox", name="Surface").select_option("saddle")
    assert "surface=saddle" in link(page)
    page.go_back()
    assert link(page) == address
    assert page.get_by_role("combobox", name="Surface").input_value() == "himmelblau"


def test_copy_link(visit: Visit) -> None:
    page = visit(DESKTOP, THREE, permissions=["clipboard-read", "clipboard-write"])
    share(page, "Copy link")
    expect(page.locator(".toast")).to_have_text("Link copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(page.url.partition("#")[0])
    again = visit(DESKTOP, f"#{copied.partition('#')[2]}")
    settle(again)
    assert picture(again) == picture(page)


def test_copy_as_pytorch_runs(visit: Visit, tmp_path: Path) -> None:
    page = visit(DESKTOP, THREE, permissions=["clipboard-read", "clipboard-write"])
    share(page, "Copy as PyTorch")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Copy code").click()
    expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
    code = page.evaluate("navigator.clipboard.readText()")
    assert "from thalweg import optim" in code
    exec(compile(code, "copied.py", "exec"), {"__name__": "copied"})
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def optimizers(code: Locator) -> list[str]:
    """Which optimizers a program makes."""
    return re.findall(r"optim\.(\w+)\(", code.text_content() or "")


def test_copy_as_pytorch_of_one_racer(visit: Visit) -> None:
    page = visit(DESKTOP, f"{THREE}&racer=SGD(lr=1e9)")
    share(page, "Copy as PyTorch")
    dialog = page.get_by_role("dialog")
    code, whose = dialog.locator("code"), dialog.get_by_role("combobox", name="Racers")
    assert optimizers(code) == ["SGD", "Adam", "RMSprop", "SGD"]
    expect(dialog).to_contain_text("but for racers that are out")
    whose.select_option(label="Adam alone")
    assert [f"optim.{name}(" in (code.text_content() or "") for name in names(page)[:3]] == [
        False,
        True,
        False,
    ]
    expect(dialog).not_to_contain_text("but for racers that are out")


def download(page: Page, entry: str, folder: Path) -> Path:
    with page.expect_download(timeout=120_000) as waited:
        share(page, entry)
    path = folder / waited.value.suggested_filename
    waited.value.save_as(path)
    return path


@pytest.mark.parametrize("view", ["contour", "surface"])
def test_a_picture_of_the_stage(visit: Visit, tmp_path: Path, view: str) -> None:
    page = visit(DESKTOP, f"{THREE}&stage={view}")
    settle(page)
    path = download(page, "Save PNG", tmp_path)
    assert path.suffix == ".png"
    with Image.open(path) as file:
        image = file.convert("RGB")
    canvas = stage(page).bounding_box()
    assert image.width >= canvas["width"]
    assert len(set(image.resize((160, 120), Image.Resampling.NEAREST).get_flattened_data())) > 60


def test_a_film_of_the_race(visit: Visit, tmp_path: Path) -> None:
    page = visit(DESKTOP, THREE)
    settle(page)
    before = picture(page)
    with Image.open(download(page, "Save GIF", tmp_path)) as film:
        assert film.format == "GIF"
        assert film.n_frames >= 10
        assert film.info["duration"] > 0
        frames = []
        for k in (0, film.n_frames // 2, film.n_frames - 1):
            film.seek(k)
            frames.append(film.convert("RGB").tobytes())
        assert len(set(frames)) == 3
    settle(page)
    assert picture(page) == before, "the film left the page at another step"


def test_a_film_can_be_stopped(visit: Visit) -> None:
    page = visit(DESKTOP, "#steps=2000")
    share(page, "Save GIF")
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Play", exact=True).click()
    page.get_by_role("button", name="Pause", exact=True).click()


def test_three_dimensions_and_back(visit: Visit) -> None:
    page = visit(DESKTOP, THREE)
    settle(page)
    flat = picture(page)
    page.get_by_role("tab", name="3-D").click()
    settle(page)
    assert "stage=surface" in link(page)
    deep = shown(page)
    assert len(set(deep.resize((160, 120), Image.Resampling.NEAREST).get_flattened_data())) > 60
    canvas = stage(page)
    turn(page, canvas)
    assert shown(page).tobytes() != deep.tobytes(), "to drag is to turn"
    page.get_by_role("tab", name="Contour").click()
    settle(page)
    page.mouse.move(5, 5)
    settle(page)
    assert picture(page) == flat


def turn(page: Page, canvas: Locator) -> None:
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.35, steps=4)
    page.mouse.up()
    settle(page)


def test_where_there_is_no_webgl_a_sentence_says_so(visit: Visit) -> None:
    page = visit(DESKTOP, THREE)
    page.evaluate(
        "() => { const real = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {"
        "  return /webgl/.test(kind) ? null : real.call(this, kind, ...rest); }; }"
    )
    page.get_by_role("tab", name="3-D").click()
    settle(page)
    assert "WebGL" in page.get_by_role("tabpanel", name="3-D").inner_text()
    page.get_by_role("tab", name="Contour").click()
    settle(page)
    assert stage(page).is_visible()


def test_the_served_page_asks_for_nothing_but_itself(browser: Browser) -> None:
    with Server(document(Opening.of(surface="beale")), 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        context = browser.new_context(viewport=DESKTOP)
        context.add_init_script(path=REST)
        page, asked, said = context.new_page(), [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(server.address)
        page.wait_for_selector("[data-ready]")
        settle(page)
        assert page.get_by_role("combobox", name="Surface").input_value() == "beale"
        drag(page, 30, 30)
        page.get_by_role("tab", name="3-D").click()
        settle(page)
        context.close()
        server.shutdown()
        thread.join()
    assert [url for url in asked if not url.startswith("data:")] == [server.address]
    assert said == []


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with a slice whose one corner was not measured."""
    axis = [-1 + 0.1 * k for k in range(21)]
    rows = [[x * x + 3 * y * y + 0.3 for x in axis] for y in axis]
    rows[20][20] = float("nan")
    plane = {"x": axis, "y": axis, "losses": rows, "center": 0.3, "labels": ["a", "b"], "path": None}
    path = tmp_path_factory.mktemp("slice") / "page.html"
    return playground.export(path, slices=[{"task": "mine", "plane": plane}])


def test_a_slice_of_one_s_own_model(visit: Visit, measured: Path) -> None:
    page = visit(DESKTOP, path=measured)
    assert page.get_by_role("combobox", name="Surface").input_value() == "slice"
    write(page.get_by_role("textbox", name="Number of steps"), "3")
    settle(page)
    before = losses(page)
    drag(page, 50, 20)
    settle(page)
    assert losses(page) != before
    assert names(page)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_start_outside_of_a_slice_is_said_kindly(
    visit: Visit, measured: Path, size: dict[str, int]
) -> None:
    page = visit(size, "#surface=slice&start=5,5&racer=SGD(lr=0.1)", path=measured)
    settle(page)
    assert "measured" in page.locator("[data-ready]").inner_text()
    page.get_by_role("combobox", name="Surface").select_option("saddle")
    settle(page)
    assert all(text.strip() for text in losses(page))
