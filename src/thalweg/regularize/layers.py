"""The depth of each parameter, for layer-wise decay of the learning rate."""

from collections.abc import Iterable
from difflib import get_close_matches
from fnmatch import fnmatchcase

from torch import nn

from thalweg.errors import UserError
from thalweg.regularize.kinds import Member, plain

__all__ = ["depths"]


def depths(model: nn.Module, found: list[Member], layers: str | Iterable[str]) -> dict[str, int]:
    """The depth of each parameter by its first name.

    A parameter in the i-th module that `layers` matches, counted from 1, has depth i. One outside of all has
    the depth of the layer that was registered last before it, hence 0 before the first; after the last of
    them it has one more.

    Raises:
        UserError: a pattern matches no module.
    """
    blocks = _blocks(model, [layers] if isinstance(layers, str) else list(layers))
    places = {name: place for place, name in enumerate(blocks, 1)}
    inside = {m.name: _block(m.name, places) for m in found}
    last = max((i for i, m in enumerate(found) if inside[m.name]), default=-1)
    out, depth = {}, 0
    for i, member in enumerate(found):
        own = inside[member.name]
        depth = own or (len(blocks) + 1 if i > last else depth)
        out[member.name] = depth
    return out


def _blocks(model: nn.Module, patterns: list[str]) -> list[str]:
    """The names of the matched modules in the order of the patterns, then of the model; none in another."""
    names = list(filter(None, dict.fromkeys(plain(name) for name, _ in model.named_modules())))
    blocks: list[str] = []
    for pattern in patterns:
        if not isinstance(pattern, str):
            raise UserError(f'groups: layers holds names such as "blocks.*", not {pattern!r}')
        before = len(blocks)
        for name in names:
            if fnmatchcase(name, pattern) and not any(f"{name}.".startswith(f"{b}.") for b in blocks):
                blocks.append(name)
        if len(blocks) == before:
            close = get_close_matches(pattern.replace("*", ""), names, n=3, cutoff=0.4) or names[:3]
            raise UserError(f"groups: no module matches layers={pattern!r}; near names: {', '.join(close)}")
    return blocks


def _block(name: str, places: dict[str, int]) -> int:
    """The place of the block that holds a parameter, or 0."""
    parts = name.split(".")
    return next((places[p] for i in range(len(parts)) if (p := ".".join(parts[:i])) in places), 0)
