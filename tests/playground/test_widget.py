"""The widget: its traits in Python, and its front end as a notebook runs it, in a page of strict rules."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.playground.person import REST, link, losses, names, picture, settle
from tests.report.browsing import DESKTOP
from thalweg import playground
from thalweg.errors import UserError
from thalweg.playground.bundle import bundle
from thalweg.playground.opening import measured

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
window.open_ = (id, state, slices) => {
  const model = new Model({ state, slices });
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
        context.add_init_script(path=REST)
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


def show(page: Page, where: str, state: dict[str, Any], slices: Sequence[Any] = ()) -> None:
    page.evaluate("([id, state, slices]) => open_(id, state, slices)", [where, state, measured(slices)])
    page.wait_for_selector(f"#{where} [data-ready], #{where}[data-ready]")


def sent(page: Page, where: str) -> list[dict[str, Any]]:
    return page.evaluate(f"{where}_.model.sent")


def receive(page: Page, where: str, **data: object) -> None:
    """What Python sets, as one message."""
    page.evaluate(f"(data) => {where}_.model.receive(data)", data)
    settle(page)


def told(page: Page, where: str) -> dict[str, Any]:
    """The state as Python has it, once the page has nothing more to tell."""
    link(page)
    return page.evaluate(f"{where}_.model.get('state')")


def bowl(middle: float, half: float = 1.0) -> dict[str, Any]:
    """A measured bowl around (middle, middle), as a file holds it."""
    axis = [middle + half * i / 4 for i in range(-4, 5)]
    return {
        "x": axis,
        "y": axis,
        "losses": [[(x - middle) ** 2 + (y - middle) ** 2 for x in axis] for y in axis],
        "title": f"around {middle:g}",
    }


def surfaces(page: Page) -> list[str]:
    """What there is to choose from."""
    return page.get_by_role("combobox", name="Surface").locator("option").all_text_contents()


SLICE = {"id": "slice", "parameters": {}, "formula": ""}
RACERS = [{"optimizer": "SGD", "options": {"lr": 0.1}}]


def test_what_is_set_in_the_page_arrives_in_python(notebook: Callable[[], Page]) -> None:
    page = notebook()
    show(page, "a", {"surface": {"id": "beale"}, "steps": 120})
    before = len(names(page))
    page.locator("#a").get_by_role("button", name="Add").first.click()
    state = told(page, "a")
    assert sent(page, "a")[-1]["state"] == state
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
    link(page)
    assert page.locator("#a").get_by_role("combobox", name="Surface").input_value() == "saddle"
    assert names(page) == ["Adam"]
    assert len(sent(page, "a")) <= before + 1, "an echo without end"


def test_what_python_sets_last_is_shown(notebook: Callable[[], Page]) -> None:
    page = notebook()
    show(page, "a", {"surface": {"id": "beale"}})
    first = told(page, "a")
    page.evaluate(
        "(first) => { a_.model.receive({ state: { surface: { id: 'saddle' } } });"
        " a_.model.receive({ state: first }); }",
        first,
    )
    assert told(page, "a") == first
    assert page.get_by_role("combobox", name="Surface").input_value() == "beale"


def test_slices_that_python_sets_are_offered(notebook: Callable[[], Page]) -> None:
    page = notebook()
    show(page, "a", {"surface": {"id": "beale"}, "racers": RACERS})
    before = told(page, "a")
    assert "Slice of your model" not in surfaces(page)
    receive(page, "a", slices=measured([bowl(0)]))
    assert surfaces(page)[-1] == "Slice of your model"
    assert told(page, "a") == before, "what is shown stays"
    receive(page, "a", state={"surface": {"id": "slice"}, "start": [0.5, 0.5], "racers": RACERS})
    assert told(page, "a")["surface"] == SLICE
    assert losses(page) == ["0"]


def test_a_slice_measured_anew_is_drawn_and_the_start_stays(notebook: Callable[[], Page]) -> None:
    page = notebook()
    state = {"surface": {"id": "slice"}, "start": [0.5, 0.5], "racers": RACERS, "steps": 1}
    show(page, "a", state, [bowl(0)])
    seen, lost = picture(page), losses(page)
    receive(page, "a", slices=measured([bowl(0.25)]))
    assert picture(page) != seen
    assert losses(page) != lost
    assert told(page, "a")["start"] == [0.5, 0.5]


def test_a_start_that_the_new_slice_has_not_is_moved_onto_it(notebook: Callable[[], Page]) -> None:
    page = notebook()
    state = {"surface": {"id": "slice"}, "start": [0.5, 0.5], "racers": RACERS, "view": {"box": [0, 1, 0, 1]}}
    show(page, "a", state, [bowl(0)])
    receive(page, "a", slices=measured([bowl(9), bowl(10), bowl(11)]))
    now = told(page, "a")
    assert all(8 < coordinate < 10 for coordinate in now["start"])
    assert "box" not in now["view"]
    which = page.get_by_role("combobox", name="Which slice")
    assert which.locator("option").all_text_contents() == ["around 9", "around 10", "around 11"]
    which.select_option("around 11")
    receive(page, "a", slices=measured([bowl(20), bowl(21)]))
    assert which.locator("option:checked").all_text_contents() == ["around 21"]
    receive(page, "a", slices=measured([bowl(30)]))
    assert all(29 < coordinate < 31 for coordinate in told(page, "a")["start"])


@pytest.mark.parametrize("order", [("state", "slices"), ("slices", "state")], ids=" then ".join)
def test_slices_and_a_state_of_theirs_in_one_message(
    notebook: Callable[[], Page], order: tuple[str, str]
) -> None:
    page = notebook()
    show(page, "a", {"surface": {"id": "beale"}})
    news = {"state": {"surface": {"id": "slice"}, "start": [5.25, 5]}, "slices": measured([bowl(5)])}
    receive(page, "a", **{name: news[name] for name in order})
    now = told(page, "a")
    assert (now["surface"], now["start"]) == (SLICE, [5.25, 5])


def test_a_slice_that_is_taken_away_is_said(notebook: Callable[[], Page]) -> None:
    page = notebook()
    show(page, "a", {"surface": {"id": "slice"}}, [bowl(0)])
    receive(page, "a", slices=[])
    assert "Slice of your model" not in surfaces(page)
    assert page.locator(".notes li").all_text_contents() == [
        "The measured slice is not in this page; thalweg play --slice FILE.json puts one there. "
        "Another surface is shown."
    ]
    assert told(page, "a")["surface"]["id"] != "slice"


def test_a_click_beside_the_controls_gives_the_page_the_keys(notebook: Callable[[], Page]) -> None:
    page = notebook()
    show(page, "a", {"surface": {"id": "beale"}, "steps": 50})
    page.evaluate("window.heard = []; document.addEventListener('keydown', (e) => heard.push(e.key))")
    page.locator("#a .card").click(position={"x": 300, "y": 100})
    for key in ("d", "d", "ArrowLeft"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == []
    assert told(page, "a")["playhead"] == 49


def test_saving_is_left_to_the_notebook(notebook: Callable[[], Page]) -> None:
    page = notebook()
    show(page, "a", {"surface": {"id": "beale"}})
    # JupyterLab asks every element from the target up for this attribute before it takes a key.
    page.evaluate("""window.heard = []; document.addEventListener("keydown", (event) => {
        event.preventDefault();
        heard.push([event.key, event.target.closest("[data-lm-suppress-shortcuts]") === null]);
    })""")
    page.get_by_role("slider", name="Start; arrow keys move it").focus()
    for key in ("d", "Control+a", "Control+s", "Meta+s", "s", "d"):
        page.keyboard.press(key)
    taken = [key for key, free in page.evaluate("heard") if free]
    assert [key for key in taken if key not in ("Control", "Meta")] == ["s", "s"]
    settle(page)
    assert page.locator("[data-lm-suppress-shortcuts]").count() == 1


@pytest.mark.parametrize(
    ("mark", "theme"),
    [
        ("theme", "dark"),
        ("theme", "light"),
        ("jpThemeLight", "false"),
        ("vscodeThemeKind", "vscode-dark"),
        ("vscodeThemeKind", "vscode-light"),
    ],
)
def test_the_theme_is_the_notebooks(notebook: Callable[[], Page], mark: str, theme: str) -> None:
    page = notebook()
    page.emulate_media(color_scheme="dark" if "light" in theme else "light")
    page.evaluate("([mark, theme]) => { document.body.dataset[mark] = theme; }", [mark, theme])
    show(page, "a", {})
    wanted, other = ("light", "dark") if "light" in theme else ("dark", "light")
    shown = page.locator("#a .play")
    assert shown.get_attribute("data-theme") == wanted
    changed = {"false": "true"}.get(theme, theme.replace(wanted, other))
    page.evaluate("([mark, theme]) => { document.body.dataset[mark] = theme; }", [mark, changed])
    settle(page)
    assert shown.get_attribute("data-theme") == other


def test_two_of_them_are_two(notebook: Callable[[], Page]) -> None:
    page = notebook()
    show(page, "a", {"surface": {"id": "beale"}})
    show(page, "b", {"surface": {"id": "himmelblau"}})
    before = page.locator("#a .racer .name").all_text_contents()
    page.locator("#b").get_by_role("button", name="Add").first.click()
    link(page)
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


def test_slices_reach_the_page(tmp_path: Path) -> None:
    plane = {"x": [0, 1], "y": [0, 1], "losses": [[1, 2], [3, 4]]}
    widget = playground.Playground(slices=[plane])
    assert [one["losses"] for one in widget.slices] == [[[1.0, 2.0], [3.0, 4.0]]]
    assert widget.state == {"surface": {"id": "slice"}}
    file = tmp_path / "slice.json"
    file.write_text(json.dumps({**plane, "losses": [[5, 6], [7, 8]]}))
    widget.slices = [file, plane]
    assert [one["losses"][0] for one in widget.get_state()["slices"]] == [[5.0, 6.0], [1.0, 2.0]]
    widget.slices = widget.slices[1:]
    assert [one["losses"][0] for one in widget.slices] == [[1.0, 2.0]]
    widget.close()


def test_what_a_notebook_keeps_of_it_says_what_to_do() -> None:
    kept, _ = playground.Playground()._repr_mimebundle_()
    assert kept["text/plain"] == "<thalweg.playground.Playground: run this cell to see it>"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("state", {"start": [float("nan"), 0]}, "the state cannot be written as JSON"),
        ("slices", ["none.json"], "none.json: there is no such file"),
        ("slices", [5], "a slice is a file, what is in it, a survey or a plane, not 5"),
    ],
)
def test_what_cannot_be_shown_is_refused_and_the_page_stays(name: str, value: object, words: str) -> None:
    widget = playground.Playground(surface="beale")
    before = getattr(widget, name)
    with pytest.raises(UserError, match=words):
        setattr(widget, name, value)
    assert getattr(widget, name) == before
    widget.close()


@pytest.mark.parametrize("slices", ["slice.json", Path("slice.json"), bowl(0), 5])
def test_one_slice_is_a_list_of_one(slices: Any) -> None:
    with pytest.raises(UserError, match=r"^slices are a list: slices=\['slice.json'\]$"):
        playground.Playground(slices=slices)


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
