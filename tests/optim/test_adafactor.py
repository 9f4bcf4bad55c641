"""Adafactor works on whole tensors, where no mutants of rules reach: its own mistakes, its own shapes."""

import inspect
import types

import pytest
import torch
from torch import nn

from tests.optim.checks import CHECKS, Check
from thalweg import optim
from thalweg.optim import adafactor

SHAPES = [(2, 3, 4), (3, 2, 2, 3), (4, 3), (1, 5), (6,), ()]
MISTAKES = [
    ("t**beta2_decay", "t**-0.8"),
    ("eps1 * eps1", "eps1"),
    ("clamp(min=eps1 * eps1)", "clamp(min=0)"),
    ("/ d).clamp(min=1)", "/ d).clamp(min=0)"),
    ("(_rms(update) / d)", "_rms(update)"),
    ("clamp(min=eps2)", "clamp(min=0)"),
    ("max(1, lr * t**0.5)", "1"),
    ("lr * t**0.5", "lr * t"),
    ('-1 if key == "row_var" else -2', '-2 if key == "row_var" else -1'),
    ("keepdim=True).clamp(min=eps1)", "keepdim=True)"),
    ("row.mean(dim=-2, keepdim=True)", "row.mean()"),
    ("/ row.mean(dim=-2, keepdim=True).clamp(min=eps1)", ""),
    ("if eps1 is None else eps1", "if eps1 is None else 0.1"),
    ("torch.finfo(p.dtype).eps", "0.5"),
    ("max(1, x.numel()) ** 0.5", "1"),
    ("len(shape) < 2", "len(shape) < 3"),
    ("return adafactor, (DECOUPLED,)", "return adafactor, ()"),
]


def beside_torch(engine: str) -> None:
    """Twenty steps on tensors of up to four dimensions; gradients of some rows are faint."""
    generator = torch.Generator().manual_seed(0)
    start = [torch.randn(s, generator=generator, dtype=torch.float64) for s in SHAPES]
    ours, theirs = ([nn.Parameter(x.clone()) for x in start] for _ in range(2))
    options = {"lr": 0.1, "eps": (1e-2, 0.1), "d": 1.1, "weight_decay": 0.1}
    mine, twin = optim.Adafactor(ours, **options, engine=engine), torch.optim.Adafactor(theirs, **options)
    for _ in range(20):
        for p, q in zip(ours, theirs, strict=True):
            p.grad = torch.randn(p.shape, generator=generator, dtype=torch.float64)
            p.grad.view(-1, *p.shape[1:])[:1] *= 1e-3
            q.grad = p.grad.clone()
        mine.step()
        twin.step()
        for p, q in zip(ours, theirs, strict=True):
            torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-13)
            for key, value in twin.state[q].items():
                torch.testing.assert_close(mine.state[p][key], value, rtol=1e-12, atol=1e-13)


OWN: list[Check] = [beside_torch, *(check for name, check in CHECKS.items() if name.startswith("Adafactor"))]


def test_each_matrix_of_a_higher_tensor_has_its_factors_as_in_torch() -> None:
    beside_torch("fused")


@pytest.mark.parametrize(("right", "wrong"), MISTAKES, ids=[f"{a} - {b}" for a, b in MISTAKES])
def test_a_mistake_is_noticed(right: str, wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = inspect.getsource(adafactor)
    assert right in text
    broken = types.ModuleType("broken")
    exec(text.replace(right, wrong), broken.__dict__)
    monkeypatch.setattr(optim, "Adafactor", broken.__dict__["Adafactor"])
    assert any(fails(check) for check in OWN)


def fails(check: Check) -> bool:
    try:
        check("reference")
    except (AssertionError, ArithmeticError, ValueError, RuntimeError):
        return True
    return False


def test_its_own_text_passes_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    same = types.ModuleType("same")
    exec(inspect.getsource(adafactor), same.__dict__)
    monkeypatch.setattr(optim, "Adafactor", same.__dict__["Adafactor"])
    assert not any(fails(check) for check in OWN)


def test_a_matrix_keeps_as_many_numbers_as_it_has_rows_and_columns() -> None:
    p = nn.Parameter(torch.ones(300, 200))
    optimizer = optim.Adafactor([p])
    p.grad = torch.ones_like(p)
    optimizer.step()
    assert sum(v.numel() for key, v in optimizer.state[p].items() if key != "step") == 500
