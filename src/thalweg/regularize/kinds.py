"""What each parameter of a model is: a weight, a bias, a part of a norm, an embedding, a vector."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.utils.parametrize import ParametrizationList

from thalweg.errors import UserError

__all__ = ["DECAYS", "SPARED", "Kind", "Member", "members", "plain"]

Kind = Literal["weight", "embedding", "norm", "bias", "vector", "direction"]
DECAYS: tuple[Kind, ...] = ("weight", "embedding")  # what decays, unless a rule says otherwise
SPARED: tuple[Kind, ...] = ("norm", "bias", "vector")  # what should not: it sets a scale or a place

_NORMS = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)
_NORM_NAME = re.compile(r"norm(_?\d+d?)?$", re.IGNORECASE)  # a class such as LlamaRMSNorm or LayerNorm2d
_SHELLS = ("torch.nn.modules.module", "torch.nn.modules.container")


@dataclass(frozen=True)
class Member:
    """A parameter of a model, and what is known about it.

    Attributes:
        name: its first name in `model.named_parameters()`, without what `torch.compile` adds to it.
        tied: its other names, where several modules share it.
        tensor: the parameter.
        owner: the module that uses it under its first name.
        inside: the modules from the model down to the owner, of every name.
        kind: "norm" (its owner normalizes), "bias", "embedding", "vector" (a scale, a token, a single
            number), "direction" (v of a weight norm, whose length changes nothing) or "weight".
        depth: its layer, counted from the input, where `groups` was given `layers`.
        options: those of its parameter group.
    """

    name: str
    tied: tuple[str, ...]
    tensor: Tensor
    owner: nn.Module
    inside: tuple[nn.Module, ...]
    kind: Kind
    depth: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """All its names."""
        return (self.name, *self.tied)


def members(model: nn.Module) -> list[Member]:
    """Every parameter of a model once, in the order of `named_parameters`.

    Raises:
        UserError: it is no module, has no parameters, or has one without a shape.
    """
    if not isinstance(model, nn.Module):
        raise UserError(f"parameter groups are made of a model, not of a {type(model).__name__}")
    names: dict[Tensor, list[str]] = {}
    for name, tensor in model.named_parameters(remove_duplicate=False):
        if isinstance(tensor, nn.parameter.UninitializedParameter):
            raise UserError(f"{name} has no shape yet; run the model on one batch before making groups")
        names.setdefault(tensor, []).append(name)
    if not names:
        raise UserError(f"{type(model).__name__} has no parameters to make groups of")
    return [_member(model, tensor, tuple(known)) for tensor, known in names.items()]


def plain(name: str) -> str:
    """A name as it is before `torch.compile` wraps a module, so that patterns and checkpoints fit both.

    >>> plain("_orig_mod.blocks.0._orig_mod.weight")
    'blocks.0.weight'
    """
    return ".".join(part for part in name.split(".") if part != "_orig_mod")


def _member(model: nn.Module, tensor: Tensor, names: tuple[str, ...]) -> Member:
    homes = [_home(model, name) for name in names]
    names = tuple(map(plain, names))
    kinds = [_kind(tensor, owner=inside[-1], attribute=attribute) for inside, attribute in homes]
    # An embedding that is the output layer too is a matrix that multiplies activations: a weight.
    kind: Kind = "weight" if "weight" in kinds else kinds[0]
    inside = tuple(dict.fromkeys(module for modules, _ in homes for module in modules))
    return Member(names[0], names[1:], tensor, homes[0][0][-1], inside, kind)


def _home(model: nn.Module, name: str) -> tuple[list[nn.Module], str]:
    """The modules from the model down to the one that uses a parameter, and the parameter's name there."""
    *path, attribute = name.split(".")
    inside = [model]
    for part in path:
        inside.append(inside[-1].get_submodule(part))
    if isinstance(inside[-1], ParametrizationList):
        # fc.parametrizations.weight.original1 is a part of fc.weight
        direction = attribute == "original1" and type(inside[-1][0]).__name__ == "_WeightNorm"
        return inside[:-2], "direction" if direction else path[-1]
    return inside, attribute


def _kind(tensor: Tensor, owner: nn.Module, attribute: str) -> Kind:
    if isinstance(owner, _NORMS) or _NORM_NAME.search(type(owner).__name__):
        return "norm"
    if attribute == "direction":
        return "direction"
    if "bias" in attribute:
        return "bias"
    if isinstance(owner, nn.Embedding | nn.EmbeddingBag):
        return "embedding"
    long = sum(size > 1 for size in tensor.shape)
    # A class token has shape (1, 1, width); a linear layer with one output has (1, width), and is a weight.
    return "vector" if tensor.ndim < 2 or (long < 2 and not _is_layer(owner)) else "weight"


def _is_layer(module: nn.Module) -> bool:
    """True for torch's own layers and classes made of them; not for containers and bare modules."""
    homes = (cls.__module__ for cls in type(module).__mro__)
    return any(home.startswith("torch.nn.") and home not in _SHELLS for home in homes)
