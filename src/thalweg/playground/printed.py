"""Writes the parts of the page that are printed from Python: `python -m thalweg.playground.printed`.

`library.js` holds every rule, optimizer, transform and schedule; `palette.js` the colours.
"""

from pathlib import Path
from typing import Any, Final

from thalweg import optim, schedules, transforms
from thalweg.engine.javascript import literal
from thalweg.engine.optimizer import Optimizer
from thalweg.engine.plan import ascend, descend, keep
from thalweg.errors import UserError
from thalweg.playground.printed_functions import indented
from thalweg.playground.printed_library import Library
from thalweg.playground.printed_schedules import schedule_lines
from thalweg.playground.printed_shelf import instance_of, optimizer_lines, transform_lines
from thalweg.report import palette
from thalweg.report.landscape.colours import ramp

__all__ = ["files", "main"]

FOLDER: Final = Path(__file__).parents[3] / "web" / "src" / "generated"
_HEAD: Final = "// Printed from Python by `python -m thalweg.playground.printed`; do not edit.\n\n"
EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "clip_norm": {"max_norm": 1.0},
    "clip_value": {"limit": 1.0},
    "coupled_decay": {"weight_decay": 0.01},
    "decoupled_decay": {"weight_decay": 0.01},
    "elastic_net_penalty": {"l1": 0.1, "l2": 0.05},
    "elastic_net_prox": {"l1": 0.1, "l2": 0.05},
    "guard": {"policy": "skip"},
    "l1_penalty": {"l1": 0.1},
    "l1_prox": {"l1": 0.1},
    "trust_ratio": {},
}
"""What a transform has that is switched on in the page."""
EXAMPLE_STEPS: Final = 200
SCHEDULES: Final[dict[str, dict[str, Any]]] = {
    "constant": {},
    "step": {"size": 50},
    "multistep": {"milestones": [50, 100, 150]},
    "exponential": {"gamma": 0.98},
    "linear": {"steps": 200},
    "warmup": {"steps": 20},
    "polynomial": {"steps": 200, "power": 2.0},
    "cosine": {"steps": 200},
    "inverse_sqrt": {"scale": 10},
    "cosine_restarts": {"period": 50},
    "triangular": {"up": 25},
    "triangular2": {"up": 25},
    "exp_range": {"up": 25, "gamma": 0.99},
    "one_cycle": {"steps": 200},
    "wsd": {"warmup": 20, "stable": 120, "decay": 60},
}
"""The same of schedules, for a race of so many steps."""


def _optimizers() -> list[tuple[type[Optimizer], Optimizer]]:
    """The shelf's optimizers that treat each element by itself."""
    kinds = [getattr(optim, name) for name in sorted(optim.__all__, key=str.lower)]
    made = [(kind, instance_of(kind)) for kind in kinds if issubclass(kind, Optimizer)]
    return [(kind, own) for kind, own in made if own.program(own.param_groups[0]).elementwise]


def _table(name: str, entries: dict[str, list[str]]) -> str:
    lines: list[str] = []
    for key, entry in entries.items():
        lines += [f"{key}: {{", *indented(entry), "},"]
    return "\n".join([f"export const {name} = {{", *indented(lines), "};"])


def library_source() -> str:
    """The whole of `library.js`."""
    library = Library()
    for rule in (ascend, descend, keep):
        library.rule(rule)
    optimizers = {k.__name__: optimizer_lines(library, k, own) for k, own in _optimizers()}
    factories = {name: getattr(transforms, name) for name in transforms.__all__}
    wraps = {name: transform_lines(library, f, EXAMPLES[name]) for name, f in factories.items()}
    shapes = {n: schedule_lines(library, getattr(schedules, n), example) for n, example in SCHEDULES.items()}
    library.finish()
    tables = [_table("optimizers", optimizers), _table("transforms", wraps), _table("schedules", shapes)]
    rules = f"export const rules = {{ {', '.join(sorted(library.rules))} }};"
    runtime = f'import {{ {", ".join(sorted(library.runtimes))} }} from "../engine/python.js";'
    steps = f"export const exampleSteps = {EXAMPLE_STEPS};"
    return _HEAD + "\n\n".join([runtime, *library.sources, rules, *tables, steps]) + "\n"


def palette_source() -> str:
    """The whole of `palette.js`: the report's colours in both themes, and those of a height."""
    colours = {"LIGHT": palette.LIGHT, "LIGHT_HUES": palette.LIGHT_HUES}
    colours |= {"DARK": palette.DARK, "DARK_HUES": palette.DARK_HUES, "RAMP": ramp()}
    return (
        _HEAD
        + "\n".join(f"export const {name} = {literal(value)};" for name, value in colours.items())
        + "\n"
    )


def files() -> dict[Path, str]:
    """What is printed, by the file that it is kept in."""
    return {FOLDER / "library.js": library_source(), FOLDER / "palette.js": palette_source()}


def main() -> None:
    """Write the files.

    Raises:
        UserError: the package is installed without the sources of the page.
    """
    if not FOLDER.parent.is_dir():
        raise UserError(f"there is no {FOLDER.parent}; run this in a checkout of the repository")
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
