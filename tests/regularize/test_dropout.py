"""Dropout whose rate follows a schedule."""

import gc
import re
from typing import Any

import pytest
import torch
from torch import nn

from thalweg.errors import UserError
from thalweg.regularize import DropoutSchedule, DropPath
from thalweg.schedules import Schedule, constant, cosine, linear, polynomial, step


def network() -> nn.Module:
    return nn.ModuleDict(
        {
            "drop": nn.Dropout(0.5),
            "drop2d": nn.Dropout2d(0.25),
            "alpha": nn.AlphaDropout(0.1),
            "path": DropPath(0.2),
            "attn": nn.MultiheadAttention(4, 2, dropout=0.3),
            "lstm": nn.LSTM(2, 2, num_layers=2, dropout=0.4),
            "off": nn.Dropout(0.0),
            "linear": nn.Linear(2, 2),
        }
    )


BASES = {"drop": 0.5, "drop2d": 0.25, "alpha": 0.1, "path": 0.2, "attn": 0.3, "lstm": 0.4}


def held(model: nn.Module) -> dict[str, float]:
    return {name: getattr(m, "p", getattr(m, "dropout", None)) for name, m in model.items() if name in BASES}


@pytest.mark.parametrize(
    "schedule", [linear(6), cosine(6), step(2, 0.5), constant(2, factor=0) >> constant()]
)
def test_every_rate_is_its_base_times_the_schedule(schedule: Schedule) -> None:
    model = network()
    dropout = DropoutSchedule(model, schedule)
    for s in range(9):
        assert held(model) == dropout.rates() == {name: base * schedule(s) for name, base in BASES.items()}
        dropout.step()
    assert model["off"].p == 0.0


def test_early_and_late_dropout() -> None:
    """Liu et al. 2023: dropout in the first k steps only, or from step k on."""
    torch.manual_seed(0)
    x = torch.ones(1000)
    for schedule, dropped in [
        (constant(2) >> constant(factor=0), [True, True, False, False]),
        (constant(2, factor=0) >> constant(), [False, False, True, True]),
    ]:
        layer = nn.Dropout(0.5)
        dropout = DropoutSchedule(layer, schedule)
        seen = []
        for _ in range(4):
            seen.append(bool((layer(x) == 0).any()))
            dropout.step()
        assert seen == dropped


def test_the_share_of_zeros_is_the_rate_in_training_and_zero_in_evaluation() -> None:
    torch.manual_seed(0)
    layer = nn.Dropout(0.8)
    dropout = DropoutSchedule(layer, linear(4))
    dropout.step()  # 0.6
    share = (layer(torch.ones(40_000)) == 0).double().mean()
    assert abs(share - 0.6) < 5 * (0.6 * 0.4 / 40_000) ** 0.5
    assert layer.eval()(torch.ones(100)).all()
    dropout.step()
    assert not layer.training


def test_attention_and_recurrent_layers_use_the_driven_rate() -> None:
    model = network()
    DropoutSchedule(model, constant(factor=0))
    torch.manual_seed(0)
    x = torch.randn(3, 5, 4)
    first, second = (model["attn"](x, x, x)[0] for _ in range(2))
    assert torch.equal(first, second)
    a, b = (model["lstm"](x[..., :2])[0] for _ in range(2))
    assert torch.equal(a, b)


def test_a_resumed_run_has_the_rates_of_the_uninterrupted_one() -> None:
    schedule = linear(3) >> polynomial(5, power=2)
    through = DropoutSchedule(network(), schedule)
    seen = []
    for s in range(8):
        if s == 4:
            saved = through.state_dict()
        seen.append(through.rates())
        through.step()
    again, later = network(), network()
    resumed = DropoutSchedule(again, schedule)
    resumed.load_state_dict(saved)
    attached = DropoutSchedule(later, schedule, last_step=3)
    for s in range(4, 8):
        assert resumed.rates() == attached.rates() == seen[s]
        resumed.step()
        attached.step()


def test_a_state_of_another_run_is_refused_and_nothing_is_changed() -> None:
    dropout = DropoutSchedule(nn.Dropout(0.5), linear(4))
    dropout.step()
    for other in (DropoutSchedule(nn.Dropout(0.4), linear(4)), DropoutSchedule(nn.Dropout(0.5), linear(5))):
        with pytest.raises(UserError, match="build the same to resume it, or attach with last_step="):
            dropout.load_state_dict(other.state_dict())
    with pytest.raises(UserError, match="this is not the state of a DropoutSchedule"):
        dropout.load_state_dict({"last_epoch": 3})
    assert dropout.rates() == {"": 0.375}


def test_a_second_schedule_is_refused_until_the_first_is_gone() -> None:
    layer = nn.Dropout(0.5)
    first = DropoutSchedule(layer, constant(factor=0.5))
    with pytest.raises(UserError, match=r"driven by constant\(factor=0.5\) already"):
        DropoutSchedule(nn.Sequential(layer), linear(3))
    del first
    gc.collect()
    assert DropoutSchedule(layer, linear(3)).bases == {"": 0.25}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: DropoutSchedule(nn.Linear(1, 1), linear(3)), "Linear has no dropout above 0"),
        (lambda: DropoutSchedule([nn.Dropout()], linear(3)), "drives a model, not a list"),
        (lambda: DropoutSchedule(nn.Dropout(), 0.5), "one of thalweg.schedules, not 0.5"),
        (
            lambda: DropoutSchedule(nn.Dropout(), linear(3), last_step=-2),
            "DropoutSchedule: last_step must be a whole number, -1 or more, got -2",
        ),
        (lambda: DropoutSchedule(nn.Dropout(0.6), constant(factor=2)), "drives dropout of the model to 1.2"),
    ],
)
def test_nonsense_is_refused(call: Any, message: str) -> None:
    with pytest.raises(UserError, match=re.escape(message)):
        call()


def test_a_rate_above_one_is_refused_before_any_is_set() -> None:
    model = nn.ModuleDict({"a": nn.Dropout(0.3), "b": nn.Dropout(0.6)})
    dropout = DropoutSchedule(model, constant(1) >> constant(factor=2))
    with pytest.raises(UserError, match=r"drives dropout of b to 1\.2"):
        dropout.step()
    assert dropout.rates() == {"a": 0.3, "b": 0.6}
