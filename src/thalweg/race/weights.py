"""Weights from a checkpoint of torch or of safetensors, into a task's model."""

import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from thalweg.errors import UserError

_MODEL = ("model", "model_state_dict", "state_dict")
_OPTIMIZER = ("optimizer", "optimizer_state_dict")
_PREFIXES = ("module.", "_orig_mod.")  # what DistributedDataParallel and torch.compile put before each name
_BEGINNINGS = (b"PK", b"\x80\x02")  # of what torch saves: a zip file, formerly a pickle
_SAFE = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8,
    "BOOL": torch.bool,
}  # fmt: skip


def read(path: Path) -> tuple[dict[str, Tensor], Mapping[str, Any] | None]:
    """Return the model's state dict in a file, and the optimizer's where there is one.

    The file is a ``state_dict``, a dictionary that has one under "model", "model_state_dict" or
    "state_dict" (and perhaps one under "optimizer" or "optimizer_state_dict"), or a safetensors file. Only
    tensors and plain values are read; nothing in the file is run.

    Raises:
        UserError: there is no such file, or it holds something else.
    """
    content = _safetensors(path) if path.suffix == ".safetensors" else _loaded(path)
    weights = next((content[key] for key in _MODEL if isinstance(content.get(key), Mapping)), content)
    optimizer = next((content[key] for key in _OPTIMIZER if isinstance(content.get(key), Mapping)), None)
    wrong = [str(key) for key, value in weights.items() if not isinstance(value, Tensor)]
    if wrong or not weights:
        raise UserError(
            f"{path} holds no state_dict ({_some(wrong) or 'it is empty'}); save model.state_dict(), "
            'or {"model": model.state_dict(), "optimizer": optimizer.state_dict()}'
        )
    return _without_prefix(dict(weights)), optimizer


def _loaded(path: Path) -> Mapping[str, Any]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise UserError(f"cannot read the checkpoint {path}: {error.strerror}") from error
    except pickle.UnpicklingError as error:
        with path.open("rb") as file:  # its beginning alone: checkpoints are large
            beginning = file.read(2)
        if beginning not in _BEGINNINGS:
            raise UserError(f"{path} is no checkpoint that torch can read") from error
        raise UserError(
            f"{path} holds more than tensors, and nothing else is read from it; save model.state_dict()"
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError, AttributeError) as error:
        raise UserError(f"{path} is no checkpoint that torch can read, or it is damaged") from error
    if not isinstance(content, Mapping):
        raise UserError(f"{path} holds a {type(content).__name__}, no state_dict; save model.state_dict()")
    return content


def _safetensors(path: Path) -> Mapping[str, Any]:
    """Read the format itself: eight bytes of length, a header in JSON, then the numbers."""
    try:
        data = bytearray(path.read_bytes())
    except OSError as error:
        raise UserError(f"cannot read the checkpoint {path}: {error.strerror}") from error
    try:
        start = 8 + int.from_bytes(data[:8], "little")
        header = json.loads(data[8:start])
        header.pop("__metadata__", None)
        return {name: _tensor(data, start, entry) for name, entry in header.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise UserError(f"{path} is no safetensors file, or it is damaged") from error


def _tensor(data: bytearray, start: int, entry: Mapping[str, Any]) -> Tensor:
    dtype, shape = _SAFE[entry["dtype"]], entry["shape"]
    begin, end = entry["data_offsets"]
    count = (end - begin) // dtype.itemsize
    if not count:
        return torch.empty(shape, dtype=dtype)
    own = data[start + begin : start + end]  # a copy, aligned for every dtype
    return torch.frombuffer(own, dtype=dtype, count=count).view(shape)


def _without_prefix(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    for prefix in _PREFIXES:
        if all(name.startswith(prefix) for name in weights):
            weights = {name.removeprefix(prefix): value for name, value in weights.items()}
    return weights


def fill(model: nn.Module, weights: Mapping[str, Tensor], path: Path, task: str) -> None:
    """Put weights into a model.

    Raises:
        UserError: names or shapes are not the model's; the message names them.
    """
    own = {name: value for name, value in model.state_dict().items() if isinstance(value, Tensor)}
    missing = [f"'{name}'" for name in own if name not in weights]
    unknown = [f"'{name}'" for name in weights if name not in own]
    shapes = [
        f"'{name}' is {tuple(weights[name].shape)}, not {tuple(value.shape)}"
        for name, value in own.items()
        if name in weights and weights[name].shape != value.shape
    ]
    parts = [("it lacks {}", missing), ("it has {}, not in the model", unknown), ("{}", shapes)]
    wrong = [text.format(_some(names)) for text, names in parts if names]
    if wrong:
        raise UserError(f"the checkpoint {path} does not fit {task}: {'; '.join(wrong)}")
    model.load_state_dict(dict(weights), strict=False)  # extra state is no tensor, and is left alone


def _some(names: list[str], most: int = 3) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
