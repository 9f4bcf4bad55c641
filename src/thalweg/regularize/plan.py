"""A plan of parameter groups: what an optimizer takes, and its table."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from torch import nn
from torch.optim import Optimizer

from thalweg.errors import UserError
from thalweg.regularize.kinds import Member, members
from thalweg.regularize.table import notes, shown, table

__all__ = ["GroupPlan", "explain"]


class GroupPlan:
    """Parameter groups as an optimizer takes them; made by `groups`.

    Every optimizer that is given it gets dictionaries of its own, so that one plan can serve several. A group
    holds its parameters with their names (checkpoints are then matched by name), its options, and a name of
    its own, which logging tools show.

    Args:
        found: every parameter with its kind and its options, in the order of the model.

    Attributes:
        members: the same.

    Raises:
        UserError: no parameter requires a gradient.
    """

    def __init__(self, found: Sequence[Member]) -> None:
        self.members = tuple(found)
        self._groups = _grouped([member for member in found if member.tensor.requires_grad])
        if not self._groups:
            raise UserError("no parameter requires a gradient, so there is nothing to optimize")

    @property
    def params(self) -> list[dict[str, Any]]:
        """The groups as new dictionaries, for what wants a list."""
        return [
            {
                "params": [(member.name, member.tensor) for member in group],
                **group[0].options,
                "name": " ".join(f"{key}={shown(value)}" for key, value in group[0].options.items()),
            }
            for group in self._groups
        ]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.params)

    def __len__(self) -> int:
        return len(self._groups)

    def explain(self, each: bool = False) -> str:
        """The groups as a table, with a warning where a norm, a bias or a vector decays.

        Args:
            each: a line for each parameter instead of each group.
        """
        grouped = [member for group in self._groups for member in group]
        return "\n".join([table(self._groups, each), *notes(self.members, grouped)])

    def __repr__(self) -> str:
        return self.explain()


def explain(model: nn.Module, optimizer: Optimizer, each: bool = False) -> str:
    """The parameter groups of any optimizer as a table, with what should be noticed.

    It warns where a norm, a bias or a vector decays, where a parameter that requires a gradient is in no
    group, where groups ask for a weight decay that the optimizer has not, and where it holds a tensor that
    the model does not: its steps move nothing then.

    Args:
        model: the model that is trained.
        optimizer: any torch optimizer.
        each: a line for each parameter instead of each group.

    Raises:
        UserError: the optimizer has none of the model's parameters.

    >>> model = nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2))
    >>> from thalweg import optim
    >>> print(explain(model, optim.AdamW(model.parameters())))
    group  tensors  elements  weight_decay     lr  kinds               parameters
        0        4        12          0.01  0.001  weight, bias, norm  0.weight, 0.bias, 1.weight, 1 more
    warning: of kind norm, but decays: 1.weight, 1.bias
    warning: of kind bias, but decays: 0.bias
    """
    if not isinstance(optimizer, Optimizer):
        raise UserError(f"explain: it reads a torch optimizer, not a {type(optimizer).__name__}")
    found = {id(member.tensor): member for member in members(model)}
    keys = _telling(optimizer)
    groups: list[list[Member]] = []
    strangers = 0
    for group in optimizer.param_groups:
        own = [found[id(p)] for p in group["params"] if id(p) in found]
        strangers += len(group["params"]) - len(own)
        options = {key: group[key] for key in keys if key in group}
        if own:
            groups.append([replace(member, options=options) for member in own])
    if not groups:
        raise UserError(f"this {type(optimizer).__name__} holds no parameter of this {type(model).__name__}")
    lines = [table(groups, each), *notes(found.values(), [m for group in groups for m in group])]
    wanted = any(group.get("weight_decay") for group in optimizer.param_groups)
    if wanted and "weight_decay" not in optimizer.defaults:
        lines.append(f"warning: {type(optimizer).__name__} has no weight_decay, so nothing decays")
    if strangers:
        lines.append(f"warning: in the optimizer, but not in the model: {strangers} of its tensors")
    return "\n".join(lines)


def _grouped(found: Sequence[Member]) -> list[list[Member]]:
    """The parameters with equal options, in the order of the model."""
    groups: list[list[Member]] = []
    for member in found:
        same = next((group for group in groups if group[0].options == member.options), None)
        if same is None:
            groups.append([member])
        else:
            same.append(member)
    return groups


def _telling(optimizer: Optimizer) -> list[str]:
    """The options worth a column: the decay, the learning rate, and what differs between groups."""
    groups = optimizer.param_groups
    keys = [key for key in ("weight_decay", "lr") if key in optimizer.defaults]
    hidden = ("params", "param_names", "name", "weight_decay", *keys)
    others = [key for key in groups[0] if key not in hidden and not key.startswith("initial_")]
    return keys + [key for key in others if len({str(group.get(key)) for group in groups}) > 1]
