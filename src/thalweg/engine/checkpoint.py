"""Loading a state: exact or refused, and what it replaces is said."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from thalweg.engine.batch import LOW_BITS
from thalweg.engine.distributed import is_sharded
from thalweg.engine.lowbits import carried, unpacked
from thalweg.errors import CheckpointWarning, UserError

if TYPE_CHECKING:
    from thalweg.engine.optimizer import Optimizer

__all__ = ["HOW", "detached_counts", "loading", "portable", "report"]

HOW = {
    "foreach",
    "fused",
    "capturable",
    "differentiable",
}  # how torch computes; nothing that is trained with


@dataclass
class Loading:
    """A state dict on its way into an optimizer.

    Attributes:
        groups: the saved groups, in the optimizer's order and with every option that it has.
        states: the saved state of each parameter that has one.
        chosen: the optimizer's groups as they were before.
    """

    groups: list[dict[str, Any]] = field(default_factory=list)
    states: dict[Tensor, tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=dict)
    chosen: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def loading(optimizer: "Optimizer") -> Iterator[Loading]:
    """Let torch's `load_state_dict` restore the groups alone, checked before; the states follow uncast."""
    plan = Loading(chosen=[dict(group) for group in optimizer.param_groups])

    def before(_: Any, state_dict: dict[str, Any]) -> dict[str, Any]:
        _read(optimizer, state_dict, plan)
        others = {k: v for k, v in state_dict["state"].items() if not isinstance(v, dict)}
        return {**state_dict, "state": others, "param_groups": plan.groups}

    def after(_: Any) -> None:
        for p, (group, state) in plan.states.items():
            optimizer.state[p] = _restored(optimizer, group, p, state)

    hooks = (
        optimizer.register_load_state_dict_pre_hook(before),
        optimizer.register_load_state_dict_post_hook(after, prepend=True),
    )
    try:
        yield plan
    finally:
        for hook in hooks:
            hook.remove()


def report(optimizer: "Optimizer", plan: Loading) -> None:
    """One warning that names every option that the load replaced; silent when there is none."""
    pairs = enumerate(zip(plan.chosen, optimizer.param_groups, strict=True))
    replaced = [note for number, (own, loaded) in pairs for note in _replaced(optimizer, number, loaded, own)]
    if replaced:
        warnings.warn(
            f"the checkpoint replaced {', '.join(replaced)}; set again after loading what is meant to be new",
            CheckpointWarning,
            stacklevel=3,
        )


def detached_counts(state: Mapping[Any, Any]) -> dict[Any, Any]:
    """The state with numbers of their own: those in use are views of one array, saved once for each."""
    return {
        key: {k: v.clone() if isinstance(v, Tensor) and _is_number(v) else v for k, v in slot.items()}
        if isinstance(slot, dict)
        else slot
        for key, slot in state.items()
    }


def _is_number(state: Tensor) -> bool:
    return state.dim() == 0 and state._is_view()


def portable(state: Mapping[Any, Any]) -> dict[Any, Any]:
    """The state as a state_dict gives it: with counts of its own, and low bits that collectives can carry."""
    return {
        key: {**slot, LOW_BITS: carried(slot[LOW_BITS])}
        if isinstance(slot, dict) and isinstance(slot.get(LOW_BITS), Tensor)
        else slot
        for key, slot in detached_counts(state).items()
    }


# -- reading ------------------------------------------------------------------------------------------------


def _read(optimizer: "Optimizer", state_dict: Mapping[str, Any], plan: Loading) -> None:
    """Check a state dict, whole, before anything is changed."""
    if not {"state", "param_groups"} <= state_dict.keys():
        raise UserError(f"this is no optimizer's state_dict: it holds {sorted(map(str, state_dict))[:5]}")
    saved, own = state_dict["param_groups"], optimizer.param_groups
    if len(saved) != len(own):
        raise UserError(f"the checkpoint has {len(saved)} parameter groups, the optimizer {len(own)}")
    index = 0
    for number, group in enumerate(own):
        plan.groups.append(_group(optimizer, number, dict(saved[number]), group))
        for key, p in zip(plan.groups[-1]["params"], group["params"], strict=True):
            state = {k: v for k, v in state_dict["state"].get(key, {}).items() if v is not None}
            if isinstance(state.get(LOW_BITS), Tensor):
                state[LOW_BITS] = unpacked(state[LOW_BITS])
            if state:
                _check(optimizer, optimizer.name_of(index), plan.groups[-1], p, state)
                plan.states[p] = plan.groups[-1], state
            index += 1


def _group(
    optimizer: "Optimizer", number: int, saved: dict[str, Any], own: Mapping[str, Any]
) -> dict[str, Any]:
    """A saved group in the order of the optimizer's, with the options that it lacks."""
    owner = type(optimizer).__name__
    missing = [name for name in optimizer.intervals if name not in saved]
    if missing:
        raise UserError(f"group {number} of the checkpoint has no {missing[0]}: it is not of {owner}")
    if len(saved["params"]) != len(own["params"]):
        sizes = f"{len(saved['params'])} parameters, the optimizer's {len(own['params'])}"
        raise UserError(f"group {number} of the checkpoint has {sizes}")
    if "param_names" in saved and "param_names" in own:
        _reorder(number, saved, own["param_names"])
    return {**optimizer.defaults, **saved}


def _reorder(number: int, saved: dict[str, Any], names: list[str]) -> None:
    """Put the saved parameters in the order of `names`."""
    if saved["param_names"] == names:
        return
    places = dict(zip(saved["param_names"], saved["params"], strict=True))
    missing = [name for name in names if name not in places]
    if missing or len(set(names)) < len(names):
        extra = [name for name in places if name not in names]
        name = missing[0] if missing else next(name for name in names if names.count(name) > 1)
        raise UserError(
            f"group {number} of the checkpoint has no parameter {name!r} of its own; it has {extra[:3]}"
        )
    saved["params"] = [places[name] for name in names]
    saved["param_names"] = list(names)


def _check(
    optimizer: "Optimizer", name: str, group: Mapping[str, Any], p: Tensor, state: Mapping[str, Any]
) -> None:
    """Refuse a state of another shape or kind."""
    expected = {k: v for k, v in optimizer.states_of(group, p).items() if k != "step"}
    if LOW_BITS not in state:  # saved by torch, or with a float32 model
        expected.pop(LOW_BITS, None)
    missing = [key for key in expected if key not in state]
    if "step" not in state and not optimizer.uncounted:
        missing.append("step")
    if missing:
        raise UserError(
            f"the checkpoint's state of {name} has no {missing[0]}, which {type(optimizer).__name__} keeps; "
            f"it has {sorted(state)}"
        )
    for key, value in expected.items():
        _check_tensor(name, key, state[key], value)


def _check_tensor(name: str, key: str, saved: Any, expected: Tensor) -> None:
    if not isinstance(saved, Tensor) or saved.shape != expected.shape:
        shape = tuple(getattr(saved, "shape", ()))
        raise UserError(f"the checkpoint's {key} of {name} has shape {shape}, not {tuple(expected.shape)}")
    if is_sharded(saved) != is_sharded(expected):
        raise UserError(
            f"the checkpoint's {key} of {name} is not sharded as the parameter is; load it with "
            "torch.distributed.checkpoint.state_dict.set_optimizer_state_dict"
        )
    if torch.promote_types(saved.dtype, expected.dtype) != expected.dtype:
        raise UserError(
            f"the checkpoint's {key} of {name} is {saved.dtype}; as {expected.dtype} it would lose digits"
        )


def _restored(optimizer: "Optimizer", group: Mapping[str, Any], p: Tensor, state: Mapping[str, Any]) -> Any:
    """A copy of what was saved, in the precision of this optimizer's states and laid out as p is.

    What the group's present options do not use (the momentum of a run whose momentum is 0 for now) is kept.
    """
    fresh = optimizer.states_of(group, p)
    for key, value in state.items():
        if key not in fresh and key != LOW_BITS:
            fresh[key] = value.clone() if isinstance(value, Tensor) else value
        elif key == "step":
            fresh[key].fill_(float(value))
        elif key == LOW_BITS and key in fresh:  # a DTensor may have to be redistributed
            carried(fresh[key]).copy_(carried(value))
        elif key in fresh:
            fresh[key].copy_(value)
    if "step" not in state:  # torch's SGD counts no steps; a state means that the first one is past
        fresh["step"].fill_(1.0)
    return fresh


# -- what a load replaces -----------------------------------------------------------------------------------


def _replaced(
    optimizer: "Optimizer", number: int, saved: Mapping[str, Any], own: Mapping[str, Any]
) -> list[str]:
    """The options that the person chose otherwise than the checkpoint; schedules' changes are not choices."""
    where = f" in group {number}" if len(optimizer.param_groups) > 1 else ""
    return [
        f"{key} {_text(mine)} by {_text(theirs)}{where}"
        for key in optimizer.defaults
        if key not in HOW
        and not _cycled(key, saved, own)
        and (mine := _chosen(key, own)) != (theirs := _chosen(key, saved))
    ]


def _cycled(key: str, *groups: Mapping[str, Any]) -> bool:
    """True if torch's cyclic schedulers drive the option: they leave no trace of what was chosen."""
    lr = key == "lr" and any("max_lr" in group for group in groups)
    return lr or (key in ("momentum", "betas") and any("max_momentum" in group for group in groups))


def _chosen(key: str, group: Mapping[str, Any]) -> Any:
    """An option as it was before a schedule changed it."""
    value = group.get(f"initial_{key}", group[key])
    if isinstance(value, tuple | list):
        return tuple(_number(group.get(f"initial_beta{i}", x)) for i, x in enumerate(value, 1))
    return _number(value)


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, Tensor) and value.numel() == 1 else value


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
