"""Who decays, and at what rate: parameter groups by kind, module type, name and shape."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from torch import nn

from thalweg.engine.options import check_value
from thalweg.errors import UserError
from thalweg.regularize.kinds import DECAYS, Member, members, plain
from thalweg.regularize.layers import depths
from thalweg.regularize.plan import GroupPlan

__all__ = ["Pattern", "groups"]

Pattern = str | type[nn.Module] | Callable[[Member], bool]
Rules = Mapping[Pattern, Mapping[str, Any]]

_INTERVALS = {"lr": "[0, inf)", "lr_scale": "[0, inf)", "weight_decay": "[0, inf)"}
_OPTIONS = (*_INTERVALS, "betas", "momentum", "eps", "amsgrad", "nesterov", "dampening", "alpha", "maximize")


def groups(
    model: nn.Module,
    weight_decay: float,
    *,
    lr: float | None = None,
    rules: Rules | None = None,
    layers: str | Iterable[str] | None = None,
    layer_decay: float = 1.0,
) -> GroupPlan:
    r"""Parameter groups of a model: weights and embeddings decay; norms, biases and vectors do not.

    What a parameter is follows from the module that holds it and from its shape, not from its name alone: a
    norm is one of torch's, or a class whose name ends in "Norm"; a vector has fewer than two dimensions, or
    is held by a module of the user's and has at most one dimension longer than 1 (a class token, a layer
    scale). See `Member.kind`. Shared parameters are in one group, once. Parameters that require no gradient
    are in none.

    Rules say otherwise. Each is a pattern with the options of the parameters that it matches::

        rules={
            nn.Embedding: {"weight_decay": 0.0},                   # a type: in such a module
            "head": {"lr_scale": 10.0},                            # a name, of modules or parameters
            "blocks.*.attn.*": {"betas": (0.9, 0.95)},             # with wildcards, where * is any text
            lambda m: m.tensor.ndim == 4: {"weight_decay": 0.01},  # a function of a `Member`
        }

    Where several match a parameter, the later ones override the earlier ones, option by option.

    With layer-wise decay of the learning rate, a parameter in layer d of D has

    .. math:: η_d = η \, ξ^{D - d}

    where ξ is `layer_decay` and d counts the modules that `layers` matches, from 1; what is registered in
    the model before the first of them (patch and position embeddings) has d = 0, and what comes after the
    last (the head) has D. Source: Bao et al. 2022 (BEiT), arXiv 2106.08254; first in Clark et al. 2020
    (ELECTRA), arXiv 2003.10555, whose released code has one power of ξ more below the head.

    Args:
        model: the model.
        weight_decay: λ of what decays; the optimizer's other groups get 0.
        lr: η, the learning rate; by default the optimizer's own. Layer-wise decay and `lr_scale` need it.
        rules: patterns and options; `lr_scale` multiplies the learning rate, all others are the optimizer's.
        layers: a name with wildcards that matches the blocks, such as "blocks.*", or several.
        layer_decay: ξ, in (0, 1].

    Returns:
        The groups, to be given to an optimizer as they are: ``optim.AdamW(plan, lr=3e-4)``.

    Raises:
        UserError: an option is out of its range, or a pattern matches nothing.

    >>> from torch import nn
    >>> from thalweg import optim, regularize
    >>> model = nn.Sequential(nn.Embedding(10, 4), nn.LayerNorm((3, 4)), nn.Flatten(), nn.Linear(12, 2))
    >>> plan = regularize.groups(model, weight_decay=0.1, rules={nn.Embedding: {"weight_decay": 0.0}})
    >>> print(plan.explain())
    group  tensors  elements  weight_decay  kinds                  parameters
        0        4        66             0  embedding, norm, bias  0.weight, 1.weight, 1.bias, 1 more
        1        1        24           0.1  weight                 3.weight
    >>> optimizer = optim.AdamW(plan, lr=3e-4)
    """
    check_value("groups", "weight_decay", weight_decay, "[0, inf)")
    check_value("groups", "layer_decay", layer_decay, "(0, 1]")
    if lr is not None:
        check_value("groups", "lr", lr, "[0, inf)")
    if layers is None and layer_decay != 1:
        raise UserError('groups: layer_decay needs layers, the names of its layers, such as "blocks.*"')
    found = members(model)
    if layers is not None:
        by_name = depths(model, found, layers)
        found = [replace(member, depth=by_name[member.name]) for member in found]
    chosen = _chosen(model, found, rules or {})
    deepest = max(member.depth or 0 for member in found)
    planned = []
    for member, own in zip(found, chosen, strict=True):
        scale = 1.0 if member.depth is None else layer_decay ** (deepest - member.depth)
        decay = weight_decay if member.kind in DECAYS else 0.0
        planned.append(replace(member, options={"weight_decay": decay, **_with_rate(own, lr, scale)}))
    return GroupPlan(planned)


def _with_rate(own: dict[str, Any], lr: float | None, scale: float) -> dict[str, Any]:
    """The options of a parameter's rules with its learning rate, where it is not the optimizer's own."""
    own = dict(own)
    if "lr" in own:
        lr, scale = own["lr"], 1.0
    scale *= own.pop("lr_scale", 1.0)
    if lr is None and scale != 1:
        raise UserError("groups: layer_decay and lr_scale multiply lr; give it, as groups(..., lr=1e-3)")
    return own if lr is None else {**own, "lr": lr * scale}


# -- rules --------------------------------------------------------------------------------------------------


def _chosen(model: nn.Module, found: list[Member], rules: Rules) -> list[dict[str, Any]]:
    """What the rules say about each parameter."""
    if not isinstance(rules, Mapping):
        raise UserError('groups: rules is a dict such as {"head": {"weight_decay": 0.0}}')
    chosen: list[dict[str, Any]] = [{} for _ in found]
    for pattern, options in rules.items():
        _check(pattern, options)
        matched = [own for own, member in zip(chosen, found, strict=True) if _matches(pattern, member)]
        if not matched:
            raise UserError(f"groups: no parameter matches {_text(pattern)}; {_near(model, found, pattern)}")
        for own in matched:
            own.update(options)
    return chosen


def _matches(pattern: Pattern, member: Member) -> bool:
    if isinstance(pattern, str):
        both = (pattern, f"{pattern}.*")  # the parameter itself, or what is in a module of this name
        return any(fnmatchcase(name, glob) for name in member.names for glob in both)
    if isinstance(pattern, type):
        return any(isinstance(module, pattern) for module in member.inside)
    return bool(pattern(member))


def _check(pattern: Any, options: Any) -> None:
    if isinstance(pattern, type) and not issubclass(pattern, nn.Module):
        raise UserError(f"groups: a rule's type is a kind of module, not {pattern.__name__}")
    if not callable(pattern) and not isinstance(pattern, str):
        raise UserError(f"groups: a rule's pattern is a name, a module type or a function, not {pattern!r}")
    if not isinstance(options, Mapping) or not options or not all(isinstance(key, str) for key in options):
        raise UserError(
            f'groups: the rule for {_text(pattern)} gives options such as {{"weight_decay": 0.0}}'
        )
    for name, value in options.items():
        close = get_close_matches(name, _OPTIONS, n=1, cutoff=0.8)
        if name in ("params", "param_names", "name") or (close and name not in _OPTIONS):
            hint = f"; {close[0]!r} is" if close else ""
            raise UserError(f"groups: {name!r} is no option of a parameter group{hint}")
        if name in _INTERVALS:
            check_value(f"groups: the rule for {_text(pattern)}", name, value, _INTERVALS[name])


def _text(pattern: Pattern) -> str:
    return repr(pattern) if isinstance(pattern, str) else getattr(pattern, "__name__", repr(pattern))


def _near(model: nn.Module, found: list[Member], pattern: Pattern) -> str:
    """What a pattern may have meant."""
    if isinstance(pattern, str):
        known = [name for member in found for name in member.names]
        known += [plain(name) for name, _ in model.named_modules() if name]
        close = get_close_matches(pattern.replace("*", ""), known, n=3, cutoff=0.4) or known[:3]
        return f"near names: {', '.join(close)}"
    if isinstance(pattern, type):
        owners = dict.fromkeys(type(member.owner).__name__ for member in found)
        return f"parameters are in {', '.join(owners)}"
    return f"the function was asked about {len(found)} parameters"
