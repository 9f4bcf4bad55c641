"""Weights from files: what fits is loaded, everything else is one line that names what is wrong."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from thalweg.errors import UserError
from thalweg.race import weights


def model() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def file(tmp_path: Path, content: object, name: str = "c.pt") -> Path:
    torch.save(content, tmp_path / name)
    return tmp_path / name


def as_safetensors(path: Path, tensors: dict[str, torch.Tensor]) -> Path:
    """The format, written out from its description."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    names, data = {torch.float32: "F32", torch.int64: "I64", torch.bfloat16: "BF16"}, b""
    for name, tensor in tensors.items():
        raw = bytes(tensor.contiguous().reshape(-1).view(torch.uint8).tolist())
        place = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape), "data_offsets": place}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


@pytest.mark.parametrize(
    "shape",
    [
        lambda state: state,
        lambda state: {"model": state, "optimizer": {"state": {}, "param_groups": []}},
        lambda state: {"model_state_dict": state, "epoch": 3},
        lambda state: {"state_dict": {f"module.{name}": value for name, value in state.items()}},
        lambda state: {f"_orig_mod.{name}": value for name, value in state.items()},
    ],
    ids=["bare", "with an optimizer", "lightning's name", "data parallel", "compiled"],
)
def test_the_usual_forms(tmp_path: Path, shape) -> None:
    trained, new = model(), model()
    path = file(tmp_path, shape(trained.state_dict()))
    found, optimizer = weights.read(path)
    weights.fill(new, found, path, "toy")
    assert all(torch.equal(new.state_dict()[name], value) for name, value in trained.state_dict().items())
    assert (optimizer is not None) == ("optimizer" in torch.load(path))


def test_safetensors(tmp_path: Path) -> None:
    state = {**model().state_dict(), "half": torch.randn(2, 2).bfloat16(), "none": torch.empty(0, 3)}
    found, optimizer = weights.read(as_safetensors(tmp_path / "m.safetensors", state))
    assert optimizer is None
    assert list(found) == list(state)
    assert all(
        torch.equal(found[name], value) and found[name].dtype == value.dtype for name, value in state.items()
    )


class Other:
    """Not a tensor."""


def bad_files(tmp_path: Path) -> dict[str, tuple[Path, str]]:
    (tmp_path / "text.pt").write_text("hello")
    (tmp_path / "empty.pt").write_bytes(b"")
    (tmp_path / "short.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{")
    (tmp_path / "cut.safetensors").write_bytes(
        as_safetensors(tmp_path / "whole.safetensors", {"w": torch.ones(5)}).read_bytes()[:-4]
    )
    whole = file(tmp_path, model().state_dict(), "whole.pt").read_bytes()
    (tmp_path / "cut.pt").write_bytes(whole[: len(whole) // 2])
    return {
        "missing": (tmp_path / "no.pt", "cannot read the checkpoint .*no.pt: No such file"),
        "folder": (tmp_path, "cannot read the checkpoint .*: Is a directory"),
        "text": (tmp_path / "text.pt", "text.pt is no checkpoint that torch can read"),
        "empty": (tmp_path / "empty.pt", "empty.pt is no checkpoint that torch can read, or it is damaged"),
        "cut": (tmp_path / "cut.pt", "cut.pt is no checkpoint that torch can read, or it is damaged"),
        "a model": (file(tmp_path, model(), "m.pt"), "m.pt holds more than tensors"),
        "an object": (file(tmp_path, {"w": Other()}, "o.pt"), "o.pt holds more than tensors"),
        "a tensor": (file(tmp_path, torch.ones(2), "t.pt"), "t.pt holds a Tensor, no state_dict"),
        "no weights": (file(tmp_path, {}, "n.pt"), "n.pt holds no state_dict .it is empty"),
        "numbers": (file(tmp_path, {"epoch": 3, "loss": 1.0}, "e.pt"), "holds no state_dict .epoch, loss"),
        "no header": (tmp_path / "short.safetensors", "is no safetensors file, or it is damaged"),
        "cut tensors": (tmp_path / "cut.safetensors", "is no safetensors file, or it is damaged"),
    }


def test_other_files_are_refused_in_a_line(tmp_path: Path) -> None:
    for path, words in bad_files(tmp_path).values():
        with pytest.raises(UserError, match=words) as refused:
            weights.read(path)
        assert "\n" not in str(refused.value)


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    state = model().state_dict()
    state["0.weight"] = torch.ones(4, 7)
    state["9.extra"] = state.pop("2.bias")
    with pytest.raises(UserError) as refused:
        weights.fill(model(), state, Path("c.pt"), "toy")
    assert str(refused.value) == (
        "the checkpoint c.pt does not fit toy: it lacks '2.bias'; it has '9.extra', not in the model; "
        "'0.weight' is (4, 7), not (4, 3)"
    )
    with pytest.raises(UserError, match=r"it lacks '0.weight', '0.bias', '1.weight' and 6 more"):
        weights.fill(model(), {}, Path("c.pt"), "toy")
