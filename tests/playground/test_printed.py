"""What is printed from Python is what is kept, and the printer says no where it cannot keep its word."""

import inspect
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.playground import python_samples
from tests.playground.node import node
from thalweg import optim, schedules, transforms
from thalweg.engine.javascript import literal
from thalweg.errors import UserError
from thalweg.playground.printed import files
from thalweg.playground.printed_library import Library

ENGINE = Path(__file__).parents[2] / "web" / "src" / "engine"
PAIRS = [
    (7.0, 3.0),
    (-7.0, 3.0),
    (7.5, -2.0),
    (-0.5, -0.25),
    (6.0, 3.0),
    (0.1, 7.0),
    (0.7, 0.1),
    (1e-5, 1e6),
    (1e-4, 1e16),
]


def test_what_is_kept_is_what_is_printed() -> None:
    printed = files()
    assert len(printed) == 2
    for path, text in printed.items():
        assert path.read_text(encoding="utf-8") == text, "run: python -m thalweg.playground.printed"


def library(tmp_path: Path, expression: str) -> Any:
    script = tmp_path / "asked.mjs"
    source = (ENGINE.parent / "generated" / "library.js").as_uri()
    script.write_text(
        f'import {{ optimizers, schedules, transforms }} from "{source}";\n'
        f"console.log(JSON.stringify({expression}));\n"
    )
    return node(script)[0]


def test_the_whole_shelf_is_there(tmp_path: Path) -> None:
    """All but the methods that evaluate the loss themselves, and the one that works on whole tensors."""
    found = set(library(tmp_path, "Object.keys(optimizers)"))
    own = {n for n in optim.__all__ if issubclass(getattr(optim, n), optim.SGD.__base__)}
    full_batch = {n for n in own if getattr(optim, n).__module__.startswith("thalweg.optim.full_batch")}
    assert found == own - full_batch - {"Adafactor"}
    assert set(library(tmp_path, "Object.keys(transforms)")) == set(transforms.__all__)
    shapes = set(library(tmp_path, "Object.keys(schedules)"))
    assert shapes == {
        n
        for n in schedules.__all__
        if isinstance(k := getattr(schedules, n), type)
        and issubclass(k, schedules.Schedule)
        and n not in ("Schedule", "Chain")
    }


def test_options_are_those_of_the_signature(tmp_path: Path) -> None:
    options = {o["name"]: o for o in library(tmp_path, "optimizers.Momentum.options")}
    assert list(options) == ["lr", "momentum", "convention", "weight_decay", "maximize"]
    assert options["momentum"]["interval"] == "[0, 1)"
    assert options["momentum"]["default"] == 0.9
    assert options["convention"]["choices"] == ["sum", "average", "velocity"]
    assert options["maximize"]["kind"] == "boolean"
    (betas,) = (o for o in library(tmp_path, "optimizers.AdamW.options") if o["name"] == "betas")
    assert betas["members"] == ["beta1", "beta2"]
    (norm,) = library(tmp_path, "transforms.clip_norm.arguments")
    assert (norm["interval"], norm["required"]) == ("(0, inf)", True)
    kinds = {
        a["name"]: (a["kind"], a["interval"]) for a in library(tmp_path, "schedules.one_cycle.arguments")
    }
    assert kinds["steps"] == ("integer", "[1, inf)")
    assert kinds["end"] == ("number", "[0, 1]")
    assert kinds["curve"] == ("choice", None)


def test_sentences_of_the_docstrings(tmp_path: Path) -> None:
    assert library(tmp_path, "optimizers.AdamW.doc").startswith("Adam with decoupled weight decay")
    assert "1711.05101" in library(tmp_path, "optimizers.AdamW.source")
    bare = library(
        tmp_path, "Object.values(optimizers).filter((o) => !o.doc || !o.source).map((o) => o.name)"
    )
    assert bare == ["Learned"]  # it was trained here


# -- the printer of ordinary Python -------------------------------------------------------------------------


def attempted(function: Callable[..., Any], pair: tuple[float, float]) -> Any:
    try:
        return function(*pair)
    except UserError as error:
        return f"UserError: {error}"


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """What the printed samples return for each pair of numbers."""
    made = Library()
    names = [made.name(python_samples, function.__name__) for function in python_samples.GOOD]
    made.finish()
    script = tmp_path_factory.mktemp("samples") / "samples.mjs"
    lines = [f'import {{ {", ".join(sorted(made.runtimes))} }} from "{(ENGINE / "python.js").as_uri()}";']
    lines += made.sources
    lines.append(
        f"for (const f of [{', '.join(names)}]) console.log(JSON.stringify({literal(PAIRS)}.map((pair) => {{"
    )
    lines.append("  try { return f(...pair); } catch (error) { return `UserError: ${error.message}`; }")
    lines.append("})));")
    script.write_text("\n".join(lines), encoding="utf-8")
    return dict(zip(names, node(script), strict=True))


def same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, list | tuple):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, float | int) and not isinstance(ours, bool):
        return math.isclose(ours, theirs, rel_tol=1e-14)
    if isinstance(ours, str):  # JavaScript does not tell 3.0 from 3
        return re.sub(r"\.0\b", "", ours) == theirs
    return bool(ours == theirs)


@pytest.mark.parametrize("function", python_samples.GOOD, ids=lambda f: f.__name__)
def test_printed_functions_return_what_python_does(
    function: Callable[..., Any], printed: dict[str, list[Any]]
) -> None:
    for pair, theirs in zip(PAIRS, printed[function.__name__], strict=True):
        ours = attempted(function, pair)
        assert same(ours, theirs), (pair, ours, theirs)


@pytest.mark.parametrize("function", python_samples.BAD, ids=lambda f: f.__name__)
def test_what_cannot_be_printed_is_refused_with_its_place(function: Callable[..., Any]) -> None:
    made = Library()
    made.name(python_samples, function.__name__)
    with pytest.raises(UserError) as caught:
        made.finish()
    found = re.match(r"(.*python_samples\.py), line (\d+): ", str(caught.value))
    assert found, str(caught.value)
    first = inspect.getsourcelines(function)[1]
    assert 0 < int(found[2]) - first <= 3


def test_two_things_of_one_name_are_refused() -> None:
    made = Library()
    made.name(transforms.clip, "square")
    made._owners["square"] = object()
    with pytest.raises(UserError, match="another 'square' already"):
        made.name(transforms.clip, "square")
