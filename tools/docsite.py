"""How the site is made from its sources, as hooks of mkdocs and an extension of griffe.

Formulas become MathML, which browsers draw by themselves: no script, no font, no network. Doctests become
code, names become links, and a fence `schedule` becomes the drawing of a schedule.
"""

import ast
import importlib
import re
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import griffe
from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url

import thalweg
from thalweg.schedules import parse
from thalweg.schedules.files import svg

PACKAGES = [name for name in thalweg.__all__ if hasattr(getattr(thalweg, name), "__path__")]


ROOT = Path(__file__).parents[1]
_SHIM = "https://unpkg.com/iframe-worker/shim"  # what the theme would load


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add the fences `math` and `schedule` to Markdown, and the decisions to the menu."""
    fences = [
        {"name": "math", "class": "math", "format": formula},
        {"name": "schedule", "class": "schedule", "format": drawing},
    ]
    pages = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("*.md"))
    config.nav[-1]["More"].append({"Decisions": [f"decisions/{page}" for page in pages]})
    config.mdx_configs.setdefault("pymdownx.superfences", {})["custom_fences"] = fences
    return config


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Add the examples to their page, and link the names of the package outside of code blocks."""
    if page.file.src_uri == "examples.md":
        figures = sorted((ROOT / "docs" / "images" / "examples").glob("*.svg"))
        markdown += "".join(example(figure, ROOT / "examples" / f"{figure.stem}.py") for figure in figures)
    parts = re.split(r"(^```.*?^```$)", markdown, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if part.startswith("```") else linked(part) for part in parts)


def on_post_page(output: str, page: Page, **_: Any) -> str:
    """Search from the disk with the script that lies beside the page, not with one of the network."""
    return output.replace(_SHIM, get_relative_url("assets/search.js", page.url))


def on_post_template(output_content: str, **_: Any) -> str:
    """The same for the page that a server shows where there is none."""
    return output_content.replace(_SHIM, "assets/search.js")


def on_post_build(config: MkDocsConfig, **_: Any) -> None:
    """Put the playground, one offline page, beside the site's own pages."""
    thalweg.playground.export(Path(config.site_dir) / "playground.html")


def example(figure: Path, code: Path) -> str:
    """An example as a section: its figure, what is to be seen, what the documents say, its code to unfold."""
    title, _, claim = (ast.get_docstring(ast.parse(code.read_text())) or "").partition("\n")
    name = code.relative_to(ROOT)
    found = re.search(r"<dc:description>(.*?)</dc:description>", figure.read_text(), flags=re.DOTALL)
    seen = " ".join(found[1].split()) if found else ""
    return (
        f"\n## {title.rstrip('.')}\n\n![{title}](images/examples/{figure.name}){{ .figure }}\n\n"
        f"{_indexed(seen)}\n\n**In the documents.** {_indexed(claim.strip())}\n\n"
        f'??? example "{name}"\n    ```python\n    --8<-- "{name}"\n    ```\n'
    )


def formula(source: str, *_: Any, **__: Any) -> str:
    """Draw a formula of LaTeX as a block of MathML."""
    body = source.strip()
    if "&" in body or r"\\" in body:
        body = rf"\begin{{align*}}{body}\end{{align*}}"
    return f'<div class="formula">{convert(body, display="block")}</div>'


def drawing(source: str, *_: Any, **__: Any) -> str:
    """Draw a schedule, in the colours of the page."""
    schedule = parse(source.strip())
    own = svg(schedule, schedule.span(), 1.0)
    picture = re.sub(r"<style>.*?</style>|<rect class=\"page\".*?/>", "", own, flags=re.DOTALL)
    return f'<figure class="schedule" aria-label="{escape(source.strip())}">{picture}</figure>'


@cache
def public() -> dict[str, str]:
    """The full name of every public name, for a link: ``optim.SGD`` and, where it is clear, ``SGD``."""
    found = {}
    for package in PACKAGES:
        for name in getattr(importlib.import_module(f"thalweg.{package}"), "__all__", []):
            full = f"thalweg.{package}.{name}"
            found[full] = found[f"{package}.{name}"] = full
            if re.search("[A-Z_0-9]", name):  # a plain word such as `step` may mean something else
                found[name] = full
    return found


def linked(text: str) -> str:
    """Make each public name in backquotes a link to its place in the reference."""

    def link(match: re.Match[str]) -> str:
        full = public().get(match[1])
        return f"[{match[0]}][{full}]" if full else match[0]

    return re.sub(r"(?<![`\[])`([\w.]+)(?:\([^`]*\))?`(?![`\]])", link, text)


class Docstrings(griffe.Extension):
    """Turns what docstrings borrow from reStructuredText into Markdown."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of an object."""
        if obj.docstring:
            obj.docstring.value = rewritten(obj.docstring.value)


def rewritten(text: str) -> str:
    r"""A docstring as Markdown.

    >>> rewritten("With the averages of `Adam`, g_t and a literal::")
    'With the averages of [`Adam`][thalweg.optim.Adam], g<sub>t</sub> and a literal:'
    """
    text = re.sub(r"^\.\. math::[ ]*(.*(?:\n(?:[ ]+.*|[ ]*(?=\n[ ])))*)", _fenced, text, flags=re.MULTILINE)
    text = re.sub(r":math:`([^`]+)`", lambda m: convert(" ".join(m[1].split()), display="inline"), text)
    text = re.sub(r"^>>>.*(?:\n.+)*", r"```pycon\n\g<0>\n```", text, flags=re.MULTILINE)
    text = re.sub(r"^(=+ [ =]+)\n((?:.+\n)+?)\1\n((?:.+\n)+?)\1$", _table, text, flags=re.MULTILINE)
    text = re.sub(r"::$", ":", text, flags=re.MULTILINE)
    parts = re.split(r"(^```.*?^```$|`[^`\n]+`)", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(linked(part) if part.startswith("`") else _indexed(part) for part in parts)


def _indexed(text: str) -> str:
    """Symbols as they are printed: an arrow for ``<-``, and indices, as in g_t or θ_{t-1}, below the line."""
    indexed = r"(?<![\w\\])(\w)_(?:\{([^}]+)\}|(\w+))"
    return re.sub(indexed, lambda m: f"{m[1]}<sub>{m[2] or m[3]}</sub>", text.replace(" <- ", " ← "))


def _fenced(match: re.Match[str]) -> str:
    return "```math\n" + re.sub(r"^\s+", "", match[1].strip(), flags=re.MULTILINE) + "\n```\n"


def _table(match: re.Match[str]) -> str:
    """A simple table, whose columns begin where the runs of ``=`` do, with bars between the cells."""
    starts = [run.start() for run in re.finditer("=+", match[1])]
    head, *rows = [
        [line[a:b].strip() for a, b in zip(starts, [*starts[1:], None], strict=True)]
        for line in (match[2] + match[3]).splitlines()
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *rows])
