"""Optimizers race on a loss surface, from a point you drag: in the browser, in a notebook, in one file.

The rules that run in the page are this library's, printed as JavaScript from the same functions.

>>> from thalweg import playground
>>> playground.Playground(surface="rosenbrock").state
{'surface': {'id': 'rosenbrock'}}
"""

from typing import TYPE_CHECKING, Any

from thalweg.errors import UserError
from thalweg.playground.page import export
from thalweg.playground.server import serve

if TYPE_CHECKING:
    from thalweg.playground.widget import Playground

__all__ = ["Playground", "export", "serve"]


def __getattr__(name: str) -> Any:
    """Import the widget when it is first used, since it alone needs more than the standard library."""
    if name != "Playground":
        raise AttributeError(f"module 'thalweg.playground' has no attribute {name!r}")
    try:
        from thalweg.playground.widget import Playground
    except ModuleNotFoundError as error:
        if error.name not in ("anywidget", "traitlets"):
            raise
        raise UserError("the widget needs anywidget; run: pip install 'thalweg[notebook]'") from None
    return Playground
