"""Loading a state: exact or refused."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from thalweg.engine.batch import COMPENSATION
from thalweg.errors import UserError

if TYPE_CHECKING:
    from thalweg.engine.optimizer import Optimizer

__all__ = ["loading"]


@contextmanager
def loading(optimizer: "Optimizer") -> Iterator[None]:
    """Give torch's `load_state_dict` a checked state, and undo its casts afterwards."""
    adapted: dict[str, Any] = {}

    def before(_: Any, state_dict: dict[str, Any]) -> dict[str, Any]:
        adapted.update(_by_name(optimizer, state_dict))
        return adapted

    handle = optimizer.register_load_state_dict_pre_hook(before)
    try:
        yield
    finally:
        handle.remove()
    _restore(optimizer, adapted)


def _by_name(optimizer: "Optimizer", state_dict: Mapping[str, Any]) -> dict[str, Any]:
    """The state dict with each group's parameters in this optimizer's order."""
    groups = [dict(group) for group in state_dict["param_groups"]]
    if len(groups) != len(optimizer.param_groups):
        raise UserError(
            f"the checkpoint has {len(groups)} parameter groups, the optimizer {len(optimizer.param_groups)}"
        )
    for number, (saved, own) in enumerate(zip(groups, optimizer.param_groups, strict=True)):
        if len(saved["params"]) != len(own["params"]):
            sizes = f"{len(saved['params'])} parameters, the optimizer's {len(own['params'])}"
            raise UserError(f"group {number} of the checkpoint has {sizes}")
        if "param_names" in saved and "param_names" in own:
            _reorder(number, saved, own["param_names"])
    state = {key: _without_none(value) for key, value in state_dict["state"].items()}
    adapted = {**state_dict, "state": state, "param_groups": groups}
    _check(optimizer, adapted)
    return adapted


def _reorder(number: int, saved: dict[str, Any], names: list[str]) -> None:
    places = dict(zip(saved["param_names"], saved["params"], strict=True))
    missing = [name for name in names if name not in places]
    if missing:
        extra = [name for name in places if name not in names]
        raise UserError(
            f"group {number} of the checkpoint has no parameter {missing[0]!r}; it has {extra[:3]}"
        )
    saved["params"] = [places[name] for name in names]
    saved["param_names"] = list(names)


def _without_none(state: Any) -> Any:
    return {k: v for k, v in state.items() if v is not None} if isinstance(state, dict) else state


def _pairs(
    optimizer: "Optimizer", state_dict: Mapping[str, Any]
) -> Iterator[tuple[str, Tensor, Any, dict[str, Any]]]:
    """(name, parameter, saved group, saved state) for each parameter that has a saved state."""
    index = 0
    for saved, own in zip(state_dict["param_groups"], optimizer.param_groups, strict=True):
        for number, p in zip(saved["params"], own["params"], strict=True):
            if number in state_dict["state"]:
                yield optimizer.name_of(index), p, saved, state_dict["state"][number]
            index += 1


def _check(optimizer: "Optimizer", state_dict: Mapping[str, Any]) -> None:
    """Refuse states of another shape or kind before anything is changed."""
    owner = type(optimizer).__name__
    for name, p, saved, state in _pairs(optimizer, state_dict):
        expected = optimizer.states_of({**optimizer.defaults, **saved}, p)
        buffers = set(expected) - {"step", COMPENSATION}
        found = set(state) - {"step", COMPENSATION}
        if state and buffers != found:
            raise UserError(
                f"the checkpoint's state of {name} is {sorted(found)}; {owner} keeps {sorted(buffers)}"
            )
        for key in found:
            _check_tensor(name, key, state[key], expected[key])


def _check_tensor(name: str, key: str, saved: Any, expected: Tensor) -> None:
    if not isinstance(saved, Tensor) or saved.shape != expected.shape:
        shape = tuple(getattr(saved, "shape", ()))
        raise UserError(f"the checkpoint's {key} of {name} has shape {shape}, not {tuple(expected.shape)}")
    if torch.promote_types(saved.dtype, expected.dtype) != expected.dtype:
        raise UserError(
            f"the checkpoint's {key} of {name} is {saved.dtype}; as {expected.dtype} it would lose digits"
        )


def _restore(optimizer: "Optimizer", state_dict: Mapping[str, Any]) -> None:
    """Replace the states that torch cast by copies of what was saved, laid out as the parameter is."""
    for _, p, saved, state in _pairs(optimizer, state_dict):
        if not state:
            continue
        fresh = optimizer.states_of({**optimizer.defaults, **saved}, p)
        for key, value in fresh.items():
            if isinstance(state.get(key), Tensor | int | float):
                value.copy_(torch.as_tensor(state[key]))
            elif key == "step":  # torch's SGD counts no steps; a state means that the first one is past
                value.fill_(1.0)
        optimizer.state[p] = fresh
