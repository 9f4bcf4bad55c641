"""Measured slices of a loss surface as the playground takes them."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thalweg.errors import UserError

if TYPE_CHECKING:
    from thalweg.landscape import Plane
    from thalweg.landscape.survey import Survey

__all__ = ["read_slices"]

_DIGITS = 6  # of a loss: enough for a picture and for a gradient, and a page stays small
_LABEL, _TITLE = 60, 100  # letters
_HOW = "make one with: thalweg landscape TASK --json > slice.json"
_TITLES = {"path": "the plane of the training's path", "plane": "a random plane"}


def read_slices(source: str | Path | Mapping[str, Any] | Plane | Survey) -> list[dict[str, Any]]:
    """Return the slices of a survey: the plane of the training's path, then the random one.

    Losses are rounded to 6 digits; where one was not measured or is not finite there is None.

    Args:
        source: the file that ``thalweg landscape TASK --json > slice.json`` gives, or what is in it, or the
            survey itself; or a plane alone, from `thalweg.landscape.plane`.

    Raises:
        UserError: the file cannot be read, is no JSON, or holds no slice.

    >>> import torch
    >>> from thalweg.landscape import function, plane
    >>> bowl = function(lambda x, y: x**2 + y**2 / 3, (0.0, 0.0))
    >>> read_slices(plane(bowl, torch.eye(2), points=3))[0]["losses"][0]
    [1.33333, 0.333333, 1.33333]
    """
    if isinstance(source, Mapping):
        return _slices(source, "slice")
    if isinstance(source, str | Path):
        return _slices(_parsed(Path(source)), str(source))
    if not hasattr(source, "to_dict"):
        raise UserError(f"a slice is a file, what is in it, a survey or a plane, not {source!r}")
    return _slices(source.to_dict(), "slice")


def _parsed(path: Path) -> Any:
    try:
        content = path.read_bytes()  # JSON says itself how it is encoded: PowerShell's > writes UTF-16
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file; {_HOW}") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); {_HOW}") from None
    if content.lstrip()[:1] == b"<":
        raise UserError(f"{path}: this is a page, such as the report; the playground takes JSON: {_HOW}")
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise UserError(f"{path}: is not JSON; {_HOW}") from None


def _slices(survey: Any, where: str) -> list[dict[str, Any]]:
    """The planes of a survey, or the one plane that was given."""
    if not isinstance(survey, Mapping):
        raise UserError(f"{where}: holds no slice; {_HOW}")
    if "losses" in survey:
        return [_checked(survey, str(survey.get("title") or ""), where)]
    task = f"{survey['task']}: " if isinstance(survey.get("task"), str) else ""
    found = [(survey.get(name), f"{task}{title}") for name, title in _TITLES.items()]
    planes = [_checked(plane, title, where) for plane, title in found if plane is not None]
    if not planes:
        raise UserError(f"{where}: holds no slice{_skipped(survey)}; {_HOW}")
    return planes


def _skipped(survey: Mapping[str, Any]) -> str:
    """Why a survey did not measure its slice, where it says so."""
    skipped = survey.get("skipped")
    why = skipped.get("plane") if isinstance(skipped, Mapping) else None
    return f", it was not measured: {why}" if why else ""


def _checked(plane: Any, title: str, where: str) -> dict[str, Any]:
    try:
        x, y = _axis(plane["x"]), _axis(plane["y"])
        losses = [[_rounded(loss) for loss in row] for row in plane["losses"]]
        path = None if plane.get("path") is None else _path(plane["path"])
        labels = [_line(label, _LABEL) for label in plane.get("labels") or ("x", "y")]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise UserError(
            f"{where}: its slice cannot be read, a part is missing or no number; {_HOW}"
        ) from None
    if len(labels) != 2 or len(losses) != len(y) or any(len(row) != len(x) for row in losses):
        raise UserError(f"{where}: its slice has not one loss for each x and y; {_HOW}")
    if not any(_whole_cell(losses, i, j) for j in range(len(y) - 1) for i in range(len(x) - 1)):
        raise UserError(f"{where}: its slice has no four neighbouring finite losses; measure it again")
    center = _rounded(plane.get("center"))
    return {
        "title": _line(title, _TITLE),
        "x": x,
        "y": y,
        "losses": losses,
        "center": center,
        "labels": labels,
        "path": path,
    }


def _line(text: object, most: int) -> str:
    """A person's words as one line that has room in the page."""
    line = " ".join("".join(" " if unicodedata.category(c) == "Cc" else c for c in str(text)).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _whole_cell(losses: list[list[float | None]], i: int, j: int) -> bool:
    return all(value is not None for row in losses[j : j + 2] for value in row[i : i + 2])


def _axis(values: Any) -> list[float]:
    """Positions, which rise evenly: the front end takes it for granted."""
    axis = [float(f"{value:.12g}") for value in values]
    steps = [after - before for before, after in pairwise(axis)]
    if not all(map(math.isfinite, axis)) or not steps:
        raise ValueError
    if min(steps) <= 0 or max(steps) - min(steps) > 1e-6 * max(steps):
        raise ValueError
    return axis


def _rounded(value: Any) -> float | None:
    """A loss; None where it was not measured or is not finite."""
    if value is None or not math.isfinite(number := float(value)):
        return None
    return float(f"{number:.{_DIGITS}g}")


def _path(points: Any) -> list[list[float | None]]:
    """Position and loss of each snapshot; the loss may be missing, a position may not."""
    rounded = [[_rounded(x), _rounded(y), _rounded(loss)] for x, y, loss in points]
    return [point for point in rounded if None not in point[:2]]
