"""The exported page: one file, whole or not at all, that nothing inside it can break out of."""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Page

from tests.playground.person import losses, settle
from tests.report.browsing import DESKTOP
from thalweg import cli, playground
from thalweg.errors import UserError
from thalweg.playground.bundle import bundle


class Scripts(HTMLParser):
    """The scripts of a page as a browser's parser finds them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[dict[str, str | None], str]] = []
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "script":
            self.found.append((dict(attrs), ""))

    def handle_data(self, data: str) -> None:
        if self.tags[-1] == "script" and self.found:
            attributes, text = self.found[-1]
            self.found[-1] = (attributes, text + data)

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(f"/{tag}")


def data(page: str) -> dict[str, object]:
    attributes, text = Scripts(page).found[0]
    assert attributes == {"type": "application/json"}
    return json.loads(text)


def test_the_page_holds_the_bundle_and_the_beginning(tmp_path: Path) -> None:
    path = playground.export(tmp_path / "page.html", surface="beale")
    page = path.read_text(encoding="utf-8")
    assert data(page) == {"state": {"surface": {"id": "beale"}}, "slices": []}
    assert [text for _, text in Scripts(page).found[1:]] == [bundle()]
    assert list(tmp_path.iterdir()) == [path]


def test_the_policy_lets_this_one_script_run(tmp_path: Path) -> None:
    page = playground.export(tmp_path / "page.html").read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    digest = b64encode(hashlib.sha256(bundle().encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def test_what_a_person_wrote_cannot_end_the_script(tmp_path: Path) -> None:
    formula = "</script><script>alert(1)</script><!--"
    state = {"surface": {"id": "formula", "formula": formula}}
    page = playground.export(tmp_path / "page.html", state=state).read_text(encoding="utf-8")
    assert len(Scripts(page).found) == 2
    assert data(page)["state"] == state


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), object()], ids=["nan", "infinity", "an object"]
)
def test_a_state_that_is_no_json_is_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(UserError, match="the state cannot be written as JSON: "):
        playground.export(tmp_path / "page.html", state={"start": [value, 0]})
    assert list(tmp_path.iterdir()) == []


def test_slices_of_a_model(tmp_path: Path) -> None:
    from thalweg.landscape import function, plane

    measured = plane(function(lambda x, y: x**2 + y**2, (0.0, 0.0)), torch.eye(2), points=3)
    file = tmp_path / "measured.json"
    file.write_text(json.dumps({"task": "bowl", "plane": measured.to_dict()}))
    page = playground.export(tmp_path / "page.html", slices=[file, measured]).read_text(encoding="utf-8")
    held = data(page)
    assert held["state"] == {"surface": {"id": "slice"}}
    assert [one["title"] for one in held["slices"]] == ["bowl: a random plane", ""]
    assert held["slices"][0]["losses"] == held["slices"][1]["losses"]


def test_the_page_shows_what_was_measured_where_it_was_measured(
    tmp_path: Path, visit: Callable[..., Page]
) -> None:
    from thalweg.landscape import function, plane

    uneven = function(lambda x, y: 2 + x**2 + x * y / 3 + torch.exp(y), (0.5, 0.0))
    measured = plane(uneven, torch.eye(2), span=((-1.0, 2.0), (-2.0, 1.0)), points=7)
    path = playground.export(tmp_path / "page.html", slices=[measured])
    page = visit(DESKTOP, path=path, fragment="#surface=slice&racer=SGD(lr=0)&steps=1")
    for i, j in [(0, 0), (6, 0), (0, 6), (6, 6), (1, 4), (4, 1), (3, 3)]:
        start = f"{measured.x[i]:.12g},{measured.y[j]:.12g}"
        page.evaluate(f"location.hash = '#surface=slice&racer=SGD(lr=0)&steps=1&start={start}'")
        settle(page)
        assert [float(shown) for shown in losses(page)] == [
            pytest.approx(float(measured.losses[j, i]), rel=0.005)
        ]


def test_the_menu_shows_the_whole_name_of_a_slice(tmp_path: Path, visit: Callable[..., Page]) -> None:
    plane = {"x": [0, 1], "y": [0, 1], "losses": [[1, 2], [3, 4]]}
    page = visit(DESKTOP, path=playground.export(tmp_path / "page.html", slices=[plane, plane]))
    menu = page.get_by_role("combobox", name="Surface")
    cut = "(menu) => -menu.offsetWidth + ((menu.style.maxWidth = 'none'), menu.offsetWidth)"
    assert menu.evaluate(cut) == 0


def test_a_lesson(tmp_path: Path) -> None:
    from thalweg.playground.bundle import names

    lesson = names().lessons[0]
    page = playground.export(tmp_path / "page.html", lesson=lesson).read_text(encoding="utf-8")
    assert data(page)["state"] == {"lesson": lesson}


def test_an_old_page_stays_when_the_new_one_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "page.html"
    out.write_text("old")

    def full_disk(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(UserError, match=r"cannot write .*page\.html: No space left on device"):
        playground.export(out)
    assert out.read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["play", "--surface", "rosenbrock", "--export", "page.html"]) == 0
    assert capsys.readouterr().out == "Playground   page.html\n"
    assert data(Path("page.html").read_text(encoding="utf-8"))["state"] == {"surface": {"id": "rosenbrock"}}
