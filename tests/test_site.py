"""The site: its Python runs, each public name has its place and formula, and nothing is left to warn of."""

import importlib
import inspect
import os
import pkgutil
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import thalweg
from thalweg.playground.bundle import bundle

ROOT = Path(__file__).parents[1]
PAGES = sorted(path for path in (ROOT / "docs").rglob("*.md") if "decisions" not in path.parts)
FENCE = re.compile(r'^```python(?: title="(?P<file>[\w.]+)")?\n(?P<code>.*?)^```', re.MULTILINE | re.DOTALL)
WITH_CODE = [path for path in PAGES if FENCE.search(path.read_text())]
INTERNAL = {"cli", "engine"}  # the engine's page is written by hand: it shows what a new rule needs


# What stands at the top under a name of its own, and its home.
TOP = {
    "Task": "thalweg.tasks.Task",
    "advise": "thalweg.race.advice.advise",
    "race": "thalweg.race.api.race",
    "train": "thalweg.race.train.train",
}


def public_names() -> set[str]:
    """Every name that a package exports, and those of the top, by their homes."""
    names = set(TOP.values())
    for package in pkgutil.iter_modules(thalweg.__path__):
        if package.ispkg and package.name not in INTERNAL:
            module = importlib.import_module(f"thalweg.{package.name}")
            names |= {f"{module.__name__}.{name}" for name in getattr(module, "__all__", [])}
    return names


def written() -> list[str]:
    """The names that the pages of the reference show."""
    pages = (ROOT / "docs" / "reference").glob("*.md")
    return [n for page in pages for n in re.findall(r"^::: (\S+)", page.read_text(), flags=re.MULTILINE)]


def script(page: Path) -> str:
    """The page's code as one program, each line on the line where the page has it."""
    text = page.read_text()
    lines = [""] * (text.count("\n") + 1)
    for block in FENCE.finditer(text):
        if block["file"] is None:
            first = text.count("\n", 0, block.start("code"))
            for number, line in enumerate(block["code"].splitlines()):
                lines[first + number] = line
    return "\n".join(lines)


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.stem)
def test_the_python_of_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for block in FENCE.finditer(page.read_text()):
        if block["file"] is not None:
            Path(block["file"]).write_text(block["code"])
    program = tmp_path / f"{page.stem.replace('-', '_')}.py"  # a file, since rules are read from their source
    program.write_text(script(page))
    runpy.run_path(str(program))


def test_every_public_name_has_its_place_in_the_reference() -> None:
    assert len(set(written())) == len(written()), "a name stands twice"
    for name in sorted(public_names() - set(written())):
        pytest.fail(f"add '::: {name}' to docs/reference/{name.split('.')[1]}.md")


def test_what_stands_at_the_top_is_known() -> None:
    parts = {name for name in thalweg.__all__ if inspect.ismodule(getattr(thalweg, name))} - {"race"}
    assert set(thalweg.__all__) == {*parts, *TOP, "__version__"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-3000:]
    assert result.stderr == ""
    return folder


def test_the_site_shows_every_public_name(site: Path) -> None:
    pages = "".join(page.read_text() for page in (site / "reference").glob("*.html"))
    assert [name for name in sorted(public_names()) if f'id="{name}"' not in pages] == []


def test_every_optimizer_transform_and_schedule_shows_its_formula(site: Path) -> None:
    for package in (thalweg.optim, thalweg.transforms):
        page = (site / "reference" / f"{package.__name__.rpartition('.')[2]}.html").read_text()
        found = re.findall(rf'id="{package.__name__}\.(\w+)"(.*?)(?=<h[23] |$)', page, re.DOTALL)
        without = {name for name, body in found if not re.search(r"<math|←", body)} - {"guard"}
        assert {name for name, _ in found} == set(package.__all__)
        assert without == set(), "give the docstring a '.. math::' block or one line with an arrow"
    for name in thalweg.schedules.__all__:
        value = getattr(thalweg.schedules, name)
        if inspect.isclass(value) and value.__module__.endswith((".shapes", ".cycles", ".phases")):
            assert "``" in (value.__doc__ or ""), f"schedules.{name} has no formula in its docstring"


def test_no_markup_of_another_language_is_left(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = re.sub(r"<(pre|code|script|style)\b.*?</\1>", "", page.read_text(), flags=re.DOTALL)
        assert not re.search(r"\.\. \w+::|:math:|:class:|&gt;&gt;&gt; |====", text), page.relative_to(site)


def test_every_example_is_shown_with_its_figure(site: Path) -> None:
    examples = sorted(path.stem for path in (ROOT / "examples").glob("[0-9]*.py"))
    page = (site / "examples.html").read_text()
    assert re.findall(r'src="images/examples/(\w+).svg"', page) == examples, "make examples"
    assert page.count("<strong>In the documents.</strong>") == len(examples)


def test_the_site_needs_no_network(site: Path) -> None:
    for page in site.rglob("*.html"):
        loaded = re.findall(
            r'<(?:script|img|link|iframe)[^>]*(?:src|href)="(https?:[^"]+)"', page.read_text()
        )
        assert loaded == [], page.relative_to(site)
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?https?:|@import", sheet.read_text()), sheet.relative_to(site)


def test_the_playground_is_on_the_site(site: Path) -> None:
    assert bundle() in (site / "playground.html").read_text(encoding="utf-8")
    assert 'href="../playground.html"' in (site / "guides" / "playground.html").read_text(encoding="utf-8")
