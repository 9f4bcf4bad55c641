"""What goes wrong is said in a sentence, the page goes on, and the console stays silent."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.playground.person import drag, frames, link, losses, names, picture, rate, settle, stage, write
from tests.report.browsing import DESKTOP

Visit = Callable[..., Page]


def formula(page: Page) -> None:
    page.get_by_role("combobox", name="Surface").select_option("formula")


def field(page: Page) -> Locator:
    return page.get_by_role("textbox", name="f(x, y) =")


NOT_ALLOWED = (
    ("sin x", "sin"),
    ("x^2 +", "missing after"),
    ("x * (y + 1", "not closed"),
    ("alert(1)", "alert"),
    ("window.location", "“.”"),
    ("x = 2", "="),
    ("constructor.constructor('return 1')()", "“.”"),
    ("z^2", "z"),
    ("(" * 300 + "x", "too deeply"),
    ("x" * 500, "400"),
)


def test_a_formula_that_is_not_allowed(visit: Visit) -> None:
    page = visit(DESKTOP, "#racer=SGD(lr=0.01)&racer=Adam(lr=0.1)")
    formula(page)
    settle(page)
    before = picture(page)
    message = page.locator(".problem")
    for text, said in NOT_ALLOWED:
        field(page).fill(text)
        settle(page)
        expect(message).to_be_visible()
        assert len(message.inner_text()) > 15
        assert said in message.inner_text()
        assert field(page).get_attribute("aria-invalid") == "true"
        assert picture(page) == before, f"the last good surface stays, after {text}"
    field(page).fill("x^2 + 3*y^2")
    settle(page)
    expect(message).to_be_hidden()
    assert picture(page) != before


HOLED = (
    "log(x)",
    "1/x",
    "sqrt(x)",
    "x^0.5",
    "exp(exp(x*5))",
    "1e308*x*10",
    "0",
    "x/y",
    "tan(x)",
    "abs(x)+abs(y)",
)


def test_a_formula_with_holes_and_cliffs(visit: Visit) -> None:
    page = visit(DESKTOP, "#racer=SGD(lr=0.01)&racer=Adam(lr=0.1)&steps=100")
    formula(page)
    for text in HOLED:
        field(page).fill(text)
        settle(page)
        drag(page, -80, 10)
        drag(page, -120, 10)
        settle(page)
        expect(page.locator(".problem")).to_be_hidden()
        page.get_by_role("tab", name="3-D").click()
        settle(page)
        for chart in ("Effective rate", "Step", "Phase map"):
            page.get_by_role("tab", name=chart, exact=True).click()
            settle(page)
        page.get_by_role("tab", name="Contour").click()
        settle(page)
        assert stage(page).is_visible()
        drag(page, 200, -20)


def test_divergence_is_said_and_mended_with_a_click(visit: Visit) -> None:
    page = visit(DESKTOP, "#surface=quadratic(condition=50)&racer=SGD(lr=5)&racer=Adam(lr=0.1)&steps=200")
    settle(page)
    row = page.locator(".racers .racer").first
    expect(row.locator(".mishap")).to_contain_text("Diverged at step")
    assert row.locator(".loss").inner_text() == "out"
    row.get_by_role("button", name="Clip the gradient").click()
    settle(page)
    assert "clip_norm" in link(page)
    expect(row.locator(".mishap")).to_be_hidden()
    page.locator("header").get_by_role("button", name="Undo").click()
    row.get_by_role("button", name="Tune the rate").click()
    expect(row.locator(".mishap")).to_be_hidden()
    assert float(rate(page, "SGD").input_value()) < 5


def test_nan_is_said(visit: Visit) -> None:
    page = visit(DESKTOP, "#surface=formula&formula=sqrt(x)%2Bx&start=1,1&racer=SGD(lr=1)&steps=50")
    settle(page)
    expect(page.locator(".racers .racer .mishap")).to_contain_text("not a number")
    for view in ("3-D", "Contour"):
        page.get_by_role("tab", name=view).click()
        settle(page)


@pytest.mark.parametrize(
    "fragment",
    [
        "#surface=nowhere&racer=SGD(lr=0.1)",
        "#racer=Magic(lr=0.1)",
        "#racer=SGD(lr=-3)&racer=Adam(lr=NaN)",
        "#start=NaN,Infinity",
        "#steps=1e99&racer=SGD(lr=0.1)",
        "#racer=SGD(lr=0.1);nothing(3)",
        "#%E0%A4%A&&&===;;;",
        "#" + "racer=SGD(lr=0.1)&" * 400,
        "#lesson=none",
        "#stage=inside&chart=pie",
        "#surface=formula&formula=%3Cimg src=x onerror=alert(1)%3E",
        "#racer=SGD(lr=0.1);label=%3Cimg src=x onerror=alert(1)%3E",
        "#surface=slice",
        "#__proto__=1&constructor=2&racer=toString(lr=1)",
    ],
)
def test_a_broken_link_is_mended(visit: Visit, fragment: str) -> None:
    page = visit(DESKTOP, fragment)
    settle(page)
    assert names(page) or page.locator(".notes").is_visible()
    assert all(text.strip() for text in losses(page))
    assert page.locator("img").count() == 0
    racers = names(page)
    page.get_by_role("button", name="Play", exact=True).click()
    frames(page)
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    page.reload()
    page.wait_for_selector("[data-ready]")
    assert names(page) == racers


def test_what_was_mended_in_a_link_is_said_until_it_is_dismissed(visit: Visit) -> None:
    page = visit(DESKTOP, "#surface=nowhere&racer=SGD(lr=0.1)")
    notes = page.locator(".notes")
    expect(notes).to_contain_text("nowhere")
    notes.get_by_role("button", name="Dismiss").click()
    expect(notes).to_be_hidden()


def test_a_race_of_the_greatest_length_goes_on(visit: Visit) -> None:
    racers = "&".join(f"racer=Adam(lr=0.{k})" for k in range(10, 30))
    page = visit(DESKTOP, f"#{racers}&steps=10000")
    drag(page, 20, 20)
    settle(page)
    write(page.get_by_role("textbox", name="Number of steps"), "1e9")
    expect(page.get_by_role("textbox", name="Number of steps")).to_have_attribute("aria-invalid", "true")
    assert len(losses(page)) == 20
