"""What a person does with the race: drag, set, add, hide, scrub, play, tune, choose."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.playground.person import (
    drag,
    handle,
    link,
    losses,
    middle,
    names,
    open_settings,
    picture,
    rate,
    settle,
    stage,
    write,
)
from tests.report.browsing import DESKTOP, PHONE
from thalweg.playground.bundle import names as known

Visit = Callable[..., Page]
FOUR = "#racer=SGD(lr=0.001)&racer=Momentum(lr=0.0005)&racer=RMSprop(lr=0.01)&racer=AdamW(lr=0.1)&steps=200"


def test_all_trails_follow_while_the_start_is_dragged(visit: Visit) -> None:
    page = visit(DESKTOP, FOUR)
    settle(page)
    x, y = middle(handle(page))
    page.mouse.move(x, y)
    page.mouse.down()
    seen_losses, seen_pictures = [losses(page)], [picture(page)]
    for _ in range(3):
        x, y = x + 40, y + 25
        page.mouse.move(x, y)
        settle(page)
        seen_losses.append(losses(page))
        seen_pictures.append(picture(page))
    page.mouse.up()
    for racer in zip(*seen_losses, strict=True):
        assert len(set(racer)) > 1, "a racer stayed where it was"
    assert len(set(seen_pictures)) == 4
    assert "start=" in link(page)


def test_a_finger_drags_the_start_too(visit: Visit) -> None:
    page = visit(PHONE, FOUR, has_touch=True, is_mobile=True)
    settle(page)
    before, start = losses(page), handle(page).get_attribute("aria-valuetext")
    x, y = middle(handle(page))
    finger = page.context.new_cdp_session(page)
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 5):
        point = {"x": x + 12 * step, "y": y + 10 * step}
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    settle(page)
    assert handle(page).get_attribute("aria-valuetext") != start
    assert all(a != b for a, b in zip(before, losses(page), strict=True))
    assert page.evaluate("scrollY") == 0, "the page scrolled instead"


def test_a_click_on_the_ground_brings_the_start_there(visit: Visit) -> None:
    page = visit(DESKTOP, FOUR)
    box = stage(page).bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.8)
    settle(page)
    x, y = middle(handle(page))
    assert abs(x - box["x"] - box["width"] * 0.8) < 3
    assert abs(y - box["y"] - box["height"] * 0.8) < 3


def test_one_racer_s_rate_moves_that_racer_alone(visit: Visit) -> None:
    page = visit(DESKTOP, FOUR)
    before, ground = losses(page), picture(page)
    write(rate(page, "RMSprop"), "0.05")
    settle(page)
    assert [a == b for a, b in zip(before, losses(page), strict=True)] == [True, True, False, True]
    assert picture(page) != ground
    assert "RMSprop(lr=0.05)" in link(page)


def test_a_rate_that_is_none_is_refused_in_its_field(visit: Visit) -> None:
    page = visit(DESKTOP, FOUR)
    before = losses(page)
    write(rate(page, "RMSprop"), "fast")
    expect(rate(page, "RMSprop")).to_have_attribute("aria-invalid", "true")
    assert losses(page) == before
    rate(page, "RMSprop").press("Escape")
    assert rate(page, "RMSprop").input_value() == "0.01"


def test_racers_come_and_go(visit: Visit) -> None:
    page = visit(DESKTOP, FOUR)
    assert names(page) == ["SGD", "Momentum", "RMSprop", "AdamW"]
    page.get_by_role("button", name="Add racer").click()
    assert len(names(page)) == 5
    new = names(page)[-1]
    assert link(page).count("racer=") == 5
    page.get_by_role("button", name="Duplicate").click()
    assert len(names(page)) == 6
    assert len(set(names(page))) == 6
    page.get_by_role("button", name=f"Remove {new}", exact=True).click()
    page.get_by_role("button", name="Remove SGD", exact=True).click()
    assert names(page)[:3] == ["Momentum", "RMSprop", "AdamW"]
    page.locator("header").get_by_role("button", name="Undo").click()
    assert names(page)[0] == "SGD"


def test_who_is_hidden_leaves_the_picture_and_not_the_list(visit: Visit) -> None:
    page = visit(DESKTOP, FOUR)
    settle(page)
    before = picture(page)
    page.get_by_role("button", name="Hide AdamW", exact=True).click()
    settle(page)
    assert names(page)[-1] == "AdamW"
    assert picture(page) != before
    assert "hidden" in link(page)
    page.get_by_role("button", name="Show AdamW", exact=True).click()
    settle(page)
    assert picture(page) == before


def test_the_last_racer_can_go_and_another_come(visit: Visit) -> None:
    page = visit(DESKTOP, "#racer=SGD(lr=0.001)")
    page.get_by_role("button", name="Remove SGD", exact=True).click()
    expect(page.get_by_text("No one is racing")).to_be_visible()
    settle(page)
    page.get_by_role("button", name="Add racer").click()
    assert len(names(page)) == 1


def test_to_scrub_is_to_go_back_in_time(visit: Visit) -> None:
    page = visit(DESKTOP, FOUR)
    settle(page)
    end, last = picture(page), losses(page)
    scrub = page.get_by_role("slider", name="Step", exact=True)
    scrub.focus()
    scrub.press("Home")
    settle(page)
    assert len(set(losses(page))) == 1, "all begin at one point"
    assert picture(page) != end
    assert "at=0" in link(page)
    box = scrub.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert 90 <= int(page.locator(".transport output").text_content()) <= 110
    scrub.press("End")
    settle(page)
    assert (picture(page), losses(page)) == (end, last)


def test_play_runs_and_pause_holds(visit: Visit) -> None:
    page = visit(DESKTOP, f"{FOUR}&speed=0.25")
    at = page.locator(".transport output")
    page.get_by_role("button", name="Play", exact=True).click()
    expect(at).not_to_have_text("200")
    first = int(at.text_content())
    expect(at).not_to_have_text(str(first))
    page.get_by_role("button", name="Pause", exact=True).click()
    settle(page)
    held, ground = at.text_content(), picture(page)
    assert 0 < int(held) < 200
    settle(page)
    assert (at.text_content(), picture(page)) == (held, ground)
    page.get_by_role("button", name="Step forward").click()
    expect(at).to_have_text(str(int(held) + 1))
    page.get_by_role("button", name="Step back").click()
    expect(at).to_have_text(held)


def test_a_race_plays_to_its_end(visit: Visit) -> None:
    page = visit(DESKTOP, f"{FOUR}&at=0&speed=4")
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.locator(".transport output")).to_have_text("200")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_tuning_gives_each_racer_its_rate_and_can_be_undone(visit: Visit) -> None:
    page = visit(DESKTOP, "#racer=SGD(lr=1e-7)&racer=Adam(lr=1e-7)&steps=60")
    before = [rate(page, name).input_value() for name in names(page)]
    page.get_by_role("button", name="Tune each learning rate").click()
    expect(page.locator(".tuned")).to_contain_text("Each racer has its best rate")
    tuned = [rate(page, name).input_value() for name in names(page)]
    assert all(float(new) > 100 * float(old) for new, old in zip(tuned, before, strict=True))
    page.locator(".tuned").get_by_role("button", name="Undo").click()
    assert [rate(page, name).input_value() for name in names(page)] == before


def test_undo_leaves_the_playhead_and_the_race_alone(visit: Visit) -> None:
    page = visit(DESKTOP, f"{FOUR}&at=30&speed=0.25")
    at = page.locator(".transport output")
    drag(page, 40, 30)
    moved = link(page)
    page.get_by_role("button", name="Undo").click()
    expect(at).to_have_text("30")
    assert "start" in moved
    assert link(page) != moved
    drag(page, 40, 30)
    page.get_by_role("button", name="Play", exact=True).click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    assert 30 <= int(at.text_content()) < 200


def test_no_more_racers_than_a_link_can_hold(visit: Visit) -> None:
    page = visit(DESKTOP, "#" + "&".join(["racer=SGD"] * 19) + "&steps=9")
    inside = open_settings(page, names(page)[0])
    inside.get_by_role("button", name="Duplicate").click()
    assert len(names(page)) == 20
    inside = open_settings(page, names(page)[0])
    expect(inside.get_by_role("button", name="Duplicate")).to_be_disabled()
    expect(page.get_by_role("button", name="Add racer")).to_be_disabled()


def test_hidden_racers_are_not_tuned(visit: Visit) -> None:
    page = visit(DESKTOP, "#racer=SGD&steps=9")
    tune = page.get_by_role("button", name="Tune each learning rate")
    expect(tune).to_be_enabled()
    page.get_by_role("button", name="Hide SGD").click()
    expect(tune).to_be_disabled()


def test_a_lesson_shows_its_race_and_its_words(visit: Visit) -> None:
    page = visit(DESKTOP, "#surface=saddle&racer=SGD(lr=0.01)")
    card = page.get_by_role("region", name="Lesson")
    seen = {picture(page)}
    for lesson in known().lessons:
        page.get_by_role("combobox", name="Lesson").select_option(lesson)
        assert f"lesson={lesson}" in link(page)
        assert len(card.locator("p").first.text_content()) > 80, lesson
        assert card.get_by_role("link").get_attribute("href").startswith("https://"), lesson
        assert page.locator(".notes").is_hidden(), lesson
        seen.add(picture(page))
        page.get_by_role("button", name="Play", exact=True).click()
        expect(page.locator(".transport output")).not_to_have_text("0")
    assert len(seen) == 1 + len(known().lessons)


def test_every_surface_is_drawn_and_raced_on(visit: Visit) -> None:
    page = visit(DESKTOP, FOUR)
    choice = page.get_by_role("combobox", name="Surface")
    seen = set()
    offered = choice.locator("option").evaluate_all("(all) => all.map((one) => one.value)")
    assert set(offered) == set(known().surfaces) - {"slice"}
    for surface in offered:
        choice.select_option(surface)
        settle(page)
        seen.add(picture(page))
        assert all(text.strip() for text in losses(page))
    assert len(seen) == len(offered)


def test_every_algorithm_can_race(visit: Visit) -> None:
    page = visit(DESKTOP, "#surface=quadratic&racer=SGD(lr=0.001)&steps=30")
    settings = open_settings(page, "SGD")
    choice = settings.get_by_role("combobox", name="Algorithm")
    offered = choice.locator("option").evaluate_all("(all) => all.map((one) => one.value)")
    assert len(offered) > 15
    for algorithm in offered:
        page.locator(".settings").get_by_role("combobox", name="Algorithm").select_option(algorithm)
        expect(page.locator(".racers .racer .mishap")).to_be_hidden()
        assert algorithm in link(page)


def test_every_schedule_can_be_chosen(visit: Visit) -> None:
    page = visit(DESKTOP, "#surface=quadratic&racer=SGD(lr=0.001)&steps=60&chart=schedule")
    open_settings(page, "SGD")
    choice = page.locator(".settings").get_by_role("combobox", name="Schedule", exact=True)
    offered = choice.locator("option").evaluate_all("(all) => all.map((one) => one.value)")
    assert len(offered) > 10
    seen = set()
    for schedule in offered:
        page.locator(".settings").get_by_role("combobox", name="Schedule", exact=True).select_option(schedule)
        settle(page)
        seen.add(picture(page, ".charts canvas"))
        expect(page.locator(".racers .racer .mishap")).to_be_hidden()
    assert len(seen) > len(offered) - 3


def said(page: Page) -> str:
    """What the address says of the racer."""
    return link(page).partition("&racer=")[2]


def test_each_clip_and_penalty_can_be_switched_on_and_off(visit: Visit) -> None:
    page = visit(DESKTOP, "#surface=quadratic&racer=SGD(lr=0.001)&steps=60")
    open_settings(page, "SGD")
    settle(page)
    plain, address = losses(page), said(page)
    boxes = page.locator(".settings input[type=checkbox][data-field^=transform]")
    assert boxes.count() >= 8
    for box in boxes.all():
        box.check()
        assert said(page) != address
        expect(page.locator(".racers .racer .mishap")).to_be_hidden()
        box.uncheck()
        assert (losses(page), said(page)) == (plain, address)


def test_a_penalty_draws_its_contours(visit: Visit) -> None:
    page = visit(DESKTOP, "#surface=linear&racer=SGD(lr=0.01)")
    settle(page)
    before = picture(page)
    page.goto(f"{page.url.partition('#')[0]}#surface=linear&racer=SGD(lr=0.01);l1_penalty(0.5)")
    settle(page)
    assert picture(page) != before


def test_each_chart_is_drawn_and_named(visit: Visit) -> None:
    page = visit(DESKTOP, FOUR)
    seen = set()
    for chart in ("Loss", "Effective rate", "Schedule", "Phase map", "Step"):
        tab = page.get_by_role("tab", name=chart, exact=True)
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")
        panel = page.get_by_role("tabpanel", name=chart, exact=True)
        expect(panel).to_be_visible()
        settle(page)
        if chart == "Step":
            expect(panel).to_contain_text("Step 200 of SGD")
            continue
        canvas = panel.locator("canvas").locator("visible=true").first
        assert len(canvas.get_attribute("aria-label") or "") > 20, chart
        seen.add(picture(page, ".charts canvas"))
    assert len(seen) == 4


def test_to_point_at_a_curve_is_to_point_at_its_step_everywhere(visit: Visit) -> None:
    page = visit(DESKTOP, FOUR)
    settle(page)
    before = picture(page)
    box = page.locator(".charts canvas").locator("visible=true").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.5)
    settle(page)
    assert picture(page) != before


def test_the_inspector_explains_a_step(visit: Visit) -> None:
    page = visit(DESKTOP, "#surface=quadratic&racer=AdamW(lr=0.1);clip_norm(1)&steps=50&at=3")
    page.get_by_role("tab", name="Step", exact=True).click()
    settle(page)
    panel = page.get_by_role("tabpanel", name="Step", exact=True)
    told = panel.inner_text()
    for part in ("gradient", "clip", "η"):
        assert part in told.lower()
    page.get_by_role("button", name="Step forward").click()
    settle(page)
    assert panel.inner_text() != told


def test_settings_say_where_an_algorithm_is_from(visit: Visit) -> None:
    page = visit(DESKTOP, "#racer=AdamW(lr=0.1)")
    settings = open_settings(page, "AdamW")
    paper = settings.get_by_role("link", name="arXiv 1711.05101")
    expect(paper).to_have_attribute("href", "https://arxiv.org/abs/1711.05101")
    settings.get_by_role("combobox", name="Schedule").select_option("cosine")
    expect(settings.get_by_role("link", name="arXiv 1608.03983")).to_be_visible()
    trust = settings.get_by_role("link", name="arXiv 1904.00962")
    expect(trust).to_be_hidden()
    settings.get_by_role("checkbox", name="Trust ratio").check()
    expect(trust).to_be_visible()
