"""Loading the state of a full-batch method: exact or refused."""

import copy
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from thalweg.engine.checkpoint import Loading, report
from thalweg.errors import UserError

if TYPE_CHECKING:
    from thalweg.optim.full_batch.base import FullBatch

__all__ = ["fitted", "load"]

COUNTS = {"func_evals": "number", "n_iter": "number"}


def load(
    optimizer: "FullBatch", state_dict: dict[str, Any], restore: Callable[[dict[str, Any]], None]
) -> None:
    """Check a state dict, restore a copy of it, and name every option that this replaced."""
    if not {"state", "param_groups"} <= state_dict.keys():
        raise UserError(f"this is no optimizer's state_dict: it holds {sorted(map(str, state_dict))[:5]}")
    copied = {**state_dict, **copy.deepcopy({k: state_dict[k] for k in ("state", "param_groups")})}
    copied["param_groups"] = [_group(optimizer, copied["param_groups"])]
    copied["state"] = _state(optimizer, copied)
    optimizer._adapt(copied["param_groups"][0], copied["state"].values())
    plan = Loading(chosen=[dict(optimizer.param_groups[0])])
    restore(copied)
    report(cast(Any, optimizer), plan)


def _group(optimizer: "FullBatch", saved: list[dict[str, Any]]) -> dict[str, Any]:
    owner, own = type(optimizer).__name__, optimizer.param_groups[0]
    if len(saved) != 1:
        raise UserError(f"the checkpoint has {len(saved)} parameter groups; {owner} has one")
    missing = [name for name in optimizer.defaults if name not in saved[0]]
    if missing:
        raise UserError(f"the checkpoint has no option {missing[0]}: it is not of {owner}")
    if len(saved[0]["params"]) != len(own["params"]):
        sizes = f"{len(saved[0]['params'])} parameters, the optimizer {len(own['params'])}"
        raise UserError(f"the checkpoint has {sizes}")
    theirs, ours = saved[0].get("param_names"), own.get("param_names")
    if theirs and ours and theirs != ours:
        raise UserError(
            f"the checkpoint's parameters are {theirs[:3]}..., the optimizer's {ours[:3]}...: "
            "give them in the order in which they were saved"
        )
    return {k: saved[0][k] for k in saved[0] if k != "param_names" or "param_names" in own}


def _state(optimizer: "FullBatch", saved: Mapping[str, Any]) -> dict[Any, Any]:
    """The saved state, checked; keys that this method does not remember are of another one."""
    owner, params = type(optimizer).__name__, optimizer.param_groups[0]["params"]
    first = saved["param_groups"][0]["params"][0]
    kinds = {**COUNTS, **optimizer.remembers}
    for key, slot in saved["state"].items():
        foreign = [name for name in slot if name not in kinds]
        if key != first or foreign:
            what = f"a state {foreign[0]!r}" if foreign else "a state for each parameter"
            raise UserError(
                f"the checkpoint has {what}, which {owner} does not keep: it is of another method"
            )
        for name, value in slot.items():
            _check_value(owner, name, value, kinds[name], params)
    return dict(saved["state"])


def _check_value(owner: str, name: str, value: Any, kind: str, params: list[Tensor]) -> None:
    shape = _shape(kind, params)
    for item in value if isinstance(value, list | tuple) else [value]:
        if item is None:
            continue
        if not isinstance(item, Tensor) and (shape or not isinstance(item, int | float)):
            raise UserError(f"the checkpoint's {name} is of type {type(item).__name__}: it is not of {owner}")
        if isinstance(item, Tensor) and tuple(item.shape) != shape:
            raise UserError(f"the checkpoint's {name} has shape {tuple(item.shape)}, not {shape}")
        if isinstance(item, Tensor) and torch.promote_types(item.dtype, params[0].dtype) != params[0].dtype:
            raise UserError(
                f"the checkpoint's {name} is {item.dtype}; as {params[0].dtype} it would lose digits"
            )


def fitted(
    owner: str, state: Mapping[str, Any], kinds: Mapping[str, str], params: list[Tensor]
) -> dict[str, Any]:
    """The state in the precision and place of the parameters, which may have been cast or moved since.

    Raises:
        UserError: the parameters hold more or fewer numbers than before.
    """
    return {k: _fitted(owner, k, v, kinds[k], params) if k in kinds else v for k, v in state.items()}


def _fitted(owner: str, name: str, value: Any, kind: str, params: list[Tensor]) -> Any:
    if isinstance(value, list):
        return [_fitted(owner, name, item, kind, params) for item in value]
    if not isinstance(value, Tensor):
        return value
    if tuple(value.shape) != (wanted := _shape(kind, params)):
        raise UserError(
            f"{owner}: its {name} has shape {tuple(value.shape)}, not {wanted}; after a change of the "
            "parameters' size, forget its state: optimizer.state.clear()"
        )
    return value.to(device=params[0].device, dtype=params[0].dtype)


def _shape(kind: str, params: list[Tensor]) -> tuple[int, ...]:
    n = sum(p.numel() for p in params)
    return {"vector": (n,), "vectors": (n,), "matrix": (n, n)}.get(kind, ())
