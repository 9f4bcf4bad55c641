"""The shape of the package: which way imports point, sizes, exports, docstrings, what a bare import costs."""

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import thalweg
from thalweg.engine.optimizer import Optimizer
from thalweg.engine.plan import Transform
from thalweg.schedules import Schedule

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "thalweg"
FILES = sorted(SOURCE.rglob("*.py"))

# From the ground up: a package imports from its own layer's packages only where the table says so, and
# from every layer below.
LAYERS = [
    {"errors"},
    {"files"},
    {"engine"},
    {"transforms", "optim"},
    {"schedules", "regularize"},
    {"tasks"},
    {"landscape"},
    {"race"},
    {"report"},
    {"playground"},
    {"cli"},
]
WITHIN = {
    ("optim", "transforms"),  # an optimizer's own decay is a transform
    ("regularize", "schedules"),  # a schedule drives the rate of dropout
}
UPWARD = {
    "race/api.py": {"report"},  # a race ends by writing its page; imported inside the function
}
HEAVY = ["torch", "numpy", "numba", "llvmlite", "scipy", "rich", "typer", "pydantic", "sqlite3", "matplotlib"]


def layer(package: str) -> int:
    found = [height for height, names in enumerate(LAYERS) if package in names]
    assert found, f"thalweg.{package} has no place in LAYERS: say what it may import"
    return found[0]


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the full names that a file imports from thalweg, at the top or inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: write imports in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def packages_of(path: Path) -> set[str]:
    names = [name.split(".") for name in imported(ast.parse(path.read_text()))]
    return {
        parts[1] for parts in names if parts[0] == "thalweg" and len(parts) > 1 and parts[1] != "__version__"
    }


def parts_of_thalweg() -> list[str]:
    found = pkgutil.walk_packages(thalweg.__path__, "thalweg.")
    return [module.name for module in found if module.ispkg]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_one_way(path: Path) -> None:
    relative = path.relative_to(SOURCE)
    if relative == Path("__init__.py"):
        return  # gathers the public names of every layer
    home = relative.parts[0].removesuffix(".py")
    for package in packages_of(path) - {home} - UPWARD.get(str(relative), set()):
        below = layer(package) < layer(home)
        assert below or (home, package) in WITHIN, (
            f"{relative} imports thalweg.{package}, which is not below it"
        )


@pytest.mark.parametrize("name", sorted(path for path in UPWARD))
def test_an_exception_to_the_direction_is_still_needed(name: str) -> None:
    assert UPWARD[name] <= packages_of(SOURCE / name)


def test_no_file_is_too_long() -> None:
    own = [p for folder in ("src", "tests", "tools", "benchmarks") for p in (ROOT / folder).rglob("*.py")]
    web = [path for folder in ("src", "test") for path in (ROOT / "web" / folder).rglob("*.*js")]
    own += [path for path in web if path.parent.name != "generated"]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in own}
    assert {name: length for name, length in lengths.items() if length > 450} == {}


def test_every_package_has_its_exports_and_each_is_documented() -> None:
    for name in ["thalweg", *parts_of_thalweg()]:
        module = importlib.import_module(name)
        assert (module.__doc__ or "").strip(), f"{name} has no docstring"
        exports = getattr(module, "__all__", [])
        assert sorted(set(exports)) == sorted(exports), f"{name}.__all__ names something twice"
        for export in exports:
            value = getattr(module, export)
            if inspect.isclass(value) or inspect.isroutine(value) or inspect.ismodule(value):
                assert (value.__doc__ or "").strip(), f"{name}.{export} has no docstring"


@pytest.mark.parametrize("name", ["optim", "schedules", "regularize", "transforms", "tasks", "report"])
def test_what_a_package_shows_is_what_it_exports(name: str) -> None:
    module = importlib.import_module(f"thalweg.{name}")
    public = {
        key
        for key, value in vars(module).items()
        if not key.startswith("_")
        and not inspect.ismodule(value)
        and getattr(value, "__module__", "") != "typing"
    }
    missing = public - set(module.__all__)
    assert not missing, f"thalweg.{name}.__all__ lacks {sorted(missing)}"


def of_kind(value: object, kind: type) -> bool:
    """Tell whether something is a class of a kind, or a function that makes one."""
    if inspect.isclass(value):
        return issubclass(value, kind)
    return inspect.isfunction(value) and inspect.signature(value, eval_str=True).return_annotation is kind


@pytest.mark.parametrize(
    ("name", "kind"), [("optim", Optimizer), ("schedules", Schedule), ("transforms", Transform)]
)
def test_all_that_is_on_the_shelf_is_exported(name: str, kind: type) -> None:
    package = importlib.import_module(f"thalweg.{name}")
    for path in sorted((SOURCE / name).glob("[!_]*.py")):
        module = importlib.import_module(f"thalweg.{name}.{path.stem}")
        for key, value in vars(module).items():
            own = getattr(value, "__module__", "") == module.__name__
            if own and not key.startswith("_") and of_kind(value, kind):
                assert key in package.__all__, f"add {key!r} of {path.name} to thalweg.{name}.__all__"
    assert sum(of_kind(getattr(package, key), kind) for key in package.__all__) >= 7


def loaded_by(statement: str) -> set[str]:
    program = f"{statement}\nimport sys\nprint(*[name for name in {HEAVY} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(result.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("import thalweg", set()),
        ("from thalweg import optim, regularize, schedules, transforms", {"torch", "numpy"}),
        ("import thalweg.cli; thalweg.cli.run(['--help'])", {"typer", "pydantic"}),
    ],
)
def test_an_import_loads_no_more_than_it_needs(statement: str, allowed: set[str]) -> None:
    assert loaded_by(statement) <= allowed


def test_the_repository_names_no_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    found = []
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if (
            path.suffix in {".png", ".gz", ".npz", ".xz"}
            or name == "tests/test_structure.py"
            or not path.exists()
        ):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [
            f"{name}: {word}" for word in ("/home/", "/Users/", "/root/", "/work/", "/opt/") if word in text
        ]
    assert found == []
