"""The widget: its traits in Python, and its front end as a notebook runs it, in a page of strict rules."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.playground.person import names, settle
from tests.report.browsing import DESKTOP
from thalweg import playground
from thalweg.errors import UserError
from thalweg.playground.bundle import bundle

NOTEBOOK = "https://notebook.test/"
POLICY = "default-src 'none'; script-src 'self' 'nonce-n'; style-src 'unsafe-inline'; img-src data: blob:"
# What anywidget gives a front end, reduced to what it promises: a Backbone model.
PAGE = """<!doctype html><meta charset="utf-8"><body><div id="a"></div><div id="b"></div>
<script type="module" nonce="n">
import widget from "https://notebook.test/playground.js";
class Model {
  constructor(data) { this.data = data; this.sent = []; this.listeners = []; this.changed = {}; }
  get(key) { return this.data[key]; }
  set(key, value) { this.data[key] = value; this.changed[key] = value; this.tell("change:" + key); }
  save_changes() { this.sent.push(JSON.parse(JSON.stringify(this.changed))); this.changed = {}; }
  on(names, fn) { for (const name of names.split(" ")) this.listeners.push([name, fn]); }
  off(name, fn) {
    this.listeners = this.listeners.filter(([n, f]) => !((!name || n === name) && (!fn || f === fn)));
  }
  tell(name) { for (const [n, fn] of [...this.listeners]) if (n === name) fn(); }
  // A message of the kernel: the values arrive, then their events.
  receive(data) { Object.assign(this.data, data); for (const key in data) this.tell("change:" + key); }
}
window.open_ = (id, state) => {
  const model = new Model({ state, slices: [] });
  const el = document.getElementById(id);
  const cleanup = widget.render({ model, el });
  return Promise.resolve(cleanup).then((cleanup) => { window[id + "_"] = { model, el, cleanup }; });
};
document.body.dataset.loaded = true;
</script>"""


@pytest.fixture
def notebook(browser: Browser) -> Iterator[Callable[[], Page]]:
    contexts, said = [], []

    def answer(route: Route) -> None:
        script = route.request.url.endswith(".js")
        route.fulfill(
            body=bundle() if script else PAGE,
            content_type="text/javascript; charset=utf-8" if script else "text/html; charset=utf-8",
            headers={"Content-Security-Policy": POLICY},
        )

    def open_page() -> Page:
        context = browser.new_context(viewport=DESKTOP)
        contexts.append(context)
        context.route("**/*", answer)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(NOTEBOOK)
        page.wait_for_selector("[data-loaded]", state="attached")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []


def show(page: Page, where: str, state: dict[str, Any]) -> None:
    page.evaluate("([id, state]) => open_(id, state)", [where, state])
    page.wait_for_selector(f"#{where} [data-ready], #{where}[data-ready]")


def sent(page: Page, where: str) -> list[dict[str, Any]]:
    return page.evaluate(f"{where}_.model.sent")


def test_what_is_set_in_the_page_arrives_in_python(notebook: Callable[[], Page]) -> None:
    page = notebook()
    show(page, "a", {"surface": {"id": "beale"}, "steps": 120})
    before = len(names(page))
    page.locator("#a").get_by_role("button", name="Add").first.click()
    settle(page)
    state = sent(page, "a")[-1]["state"]
    assert state["surface"]["id"] == "beale"
    assert state["steps"] == 120
    assert len(state["racers"]) == before + 1


def test_python_has_the_whole_state_at_once(notebook: Callable[[], Page]) -> None:
    page = notebook()
    show(page, "a", {"lesson": "momentum"})
    (first,) = sent(page, "a")
    assert first["state"]["lesson"] == "momentum"
    assert len(first["state"]["racers"]) == 2
    assert len(first["state"]["start"]) == 2


def test_keys_of_the_notebook_are_left_alone_and_ours_are_ours(notebook: Callable[[], Page]) -> None:
    page = notebook()
    show(page, "a", {"surface": {"id": "formula"}})
    page.evaluate("window.heard = 0; document.addEventListener('keydown', () => { window.heard += 1; })")
    page.locator("#a").get_by_role("textbox", name="f(x, y) =").fill("x^2 + y^2")
    page.keyboard.press("d")
    page.keyboard.press("Space")
    assert page.evaluate("window.heard") == 0
    assert page.locator("[data-lm-suppress-shortcuts]").count() == 1


def test_what_is_set_in_python_is_shown(notebook: Callable[[], Page]) -> None:
    page = notebook()
    show(page, "a", {"surface": {"id": "beale"}})
    before = len(sent(page, "a"))
    page.evaluate("""a_.model.receive({ state: { surface: { id: "saddle" }, racers: [
        { optimizer: "Adam", options: { lr: 0.2 } }] } })""")
    settle(page)
    assert page.locator("#a").get_by_role("combobox", name="Surface").input_value() == "saddle"
    assert names(page) == ["Adam"]
    assert len(sent(page, "a")) <= before + 1, "an echo without end"


def test_two_of_them_are_two(notebook: Callable[[], Page]) -> None:
    page = notebook()
    show(page, "a", {"surface": {"id": "beale"}})
    show(page, "b", {"surface": {"id": "himmelblau"}})
    before = page.locator("#a .racer .name").all_text_contents()
    page.locator("#b").get_by_role("button", name="Add").first.click()
    settle(page)
    assert len(sent(page, "a")) == 1
    assert sent(page, "b")[-1]["state"]["surface"]["id"] == "himmelblau"
    assert page.locator("#a .racer .name").all_text_contents() == before
    assert page.url == NOTEBOOK


def test_the_end_of_a_cell_leaves_nothing(notebook: Callable[[], Page]) -> None:
    page = notebook()
    show(page, "a", {})
    page.evaluate("a_.cleanup()")
    assert page.evaluate("a_.model.listeners.length") == 0
    frames = page.evaluate("""new Promise((done) => {
        let asked = 0;
        const real = window.requestAnimationFrame;
        window.requestAnimationFrame = (fn) => { asked += 1; return real(fn); };
        setTimeout(() => done(asked), 300);
    })""")
    assert frames == 0
    show(page, "a", {})


def test_the_traits() -> None:
    widget = playground.Playground(surface="beale")
    assert widget.state == {"surface": {"id": "beale"}}
    assert widget.slices == []
    synced = widget.get_state()
    assert synced["_esm"] == bundle()
    assert {"state", "slices"} <= set(synced)
    seen = []
    widget.observe(lambda change: seen.append(change["new"]), "state")
    widget.set_state({"state": {"steps": 10}})
    assert seen == [{"steps": 10}]
    assert playground.Playground(state=widget.state).state == {"steps": 10}
    widget.close()


def test_slices_reach_the_page() -> None:
    plane = {"x": [0, 1], "y": [0, 1], "losses": [[1, 2], [3, 4]]}
    widget = playground.Playground(slices=[plane])
    assert [one["losses"] for one in widget.slices] == [[[1.0, 2.0], [3.0, 4.0]]]
    assert widget.state == {"surface": {"id": "slice"}}


def test_mistakes_are_said_at_once() -> None:
    with pytest.raises(UserError, match="no surface called 'beal'; did you mean 'beale'"):
        playground.Playground(surface="beal")


def test_without_anywidget_a_line_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['anywidget'] = None\n"
        "from thalweg import playground\n"
        "from thalweg.errors import UserError\n"
        "try: playground.Playground\n"
        "except UserError as error: print(error)\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "the widget needs anywidget; run: pip install 'thalweg[notebook]'\n"
