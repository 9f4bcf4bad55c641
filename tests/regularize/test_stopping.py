"""Early stopping: when it stops, what it brings back, and how it resumes."""

import copy
import math
from itertools import chain
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from thalweg import optim
from thalweg.errors import UserError
from thalweg.regularize import EarlyStopping


class Scaled(nn.Module):
    """A model with every kind of state: parameters, statistics, counts, buffers that are not saved."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 4)
        self.norm = nn.BatchNorm1d(4)
        self.factor = nn.Parameter(torch.ones(4, dtype=torch.bfloat16))
        self.register_buffer("hidden", torch.zeros(2), persistent=False)
        self.register_buffer("mask", torch.tensor([True, False]))

    def forward(self, x: Tensor) -> Tensor:
        self.hidden += 1
        return self.norm(self.fc(x)) * self.factor.float()


def tensors(model: nn.Module) -> list[Tensor]:
    return [t.detach().clone() for t in chain(model.parameters(), model.buffers())]


def same(first: list[Tensor], second: list[Tensor]) -> bool:
    return all(torch.equal(a, b) and a.dtype == b.dtype for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(
    ("values", "options", "stops", "best"),
    [
        ([3, 2, 1, 0.5], {"patience": 1}, None, 3),
        ([1, 2, 3, 0], {"patience": 2}, 2, 0),
        ([1, 1, 1], {"patience": 2}, 2, 0),  # no better is no progress
        ([1, 2, 0.9, 2, 3], {"patience": 2}, 4, 2),  # progress starts the count again
        ([0.1, 0.5, 0.4, 0.3], {"patience": 2, "mode": "max"}, 3, 1),
        ([1, 0.95, 0.92, 0.7], {"patience": 2, "min_delta": 0.1}, 2, 2),  # small leads: kept, but no progress
        ([1, 0.95, 0.89, 0.95], {"patience": 2, "min_delta": 0.1}, None, 2),  # small steps add up to progress
        ([1, 0.9], {"patience": 1, "min_delta": 0.25}, 1, 1),
        ([0, 0.25, 0.5], {"patience": 1, "min_delta": 0.25, "mode": "max"}, 1, 1),  # more than min_delta
        ([math.nan, 2, math.nan, math.nan], {"patience": 2}, 3, 1),
        ([math.inf, -math.inf, 5, 4], {"patience": 3}, None, 3),
    ],
)
def test_when_it_stops_and_which_is_the_best(
    values: list[float], options: dict[str, Any], stops: int | None, best: int
) -> None:
    model = nn.Linear(1, 1)
    stopping = EarlyStopping(model, **options)
    stopped = None
    for number, value in enumerate(values):
        nn.init.constant_(model.weight, number)
        if stopping(value):
            stopped = number
            break
    assert stopped == stops
    assert (stopping.best, stopping.best_evaluation) == (values[best], best)
    stopping.restore()
    assert model.weight.item() == best


def test_the_best_weights_come_back_bit_for_bit_with_every_buffer() -> None:
    torch.manual_seed(0)
    model = Scaled()
    optimizer = optim.AdamW(model.parameters(), lr=0.1)
    stopping = EarlyStopping(model, patience=3)
    kept: list[Tensor] = []
    for loss in (3.0, 1.0, 2.0, 2.0, 2.0):
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.randn(8, 3)).square().sum().backward()
            optimizer.step()
        if loss == 1.0:
            kept = tensors(model)
        stopped = stopping(loss)
    assert stopped
    assert not same(tensors(model), kept)
    identities = [id(p) for p in model.parameters()]
    stopping.restore()
    assert same(tensors(model), kept)
    assert [id(p) for p in model.parameters()] == identities  # the optimizer still holds them
    assert all(p.requires_grad for p in model.parameters())
    stopping.restore()
    assert same(tensors(model), kept)


def test_what_is_kept_does_not_follow_the_model() -> None:
    model = nn.Linear(1, 1)
    stopping = EarlyStopping(model, patience=5)
    stopping(1.0)
    kept = model.weight.detach().clone()
    state = stopping.state_dict()
    with torch.no_grad():
        model.weight += 1
    stopping(0.5)
    assert torch.equal(state["weights"]["weight"], kept)


def test_a_resumed_run_stops_and_restores_as_the_uninterrupted_one(tmp_path: Any) -> None:
    values = [5.0, 3.0, 3.5, 3.2, 2.9, 4.0, 4.0, 4.0, 4.0]

    def run(cut: int | None) -> tuple[int, list[Tensor]]:
        torch.manual_seed(0)
        model = Scaled()
        stopping = EarlyStopping(model, patience=3, min_delta=0.05)
        for number, value in enumerate(values):
            if number == cut:
                torch.save([stopping.state_dict(), model.state_dict(), model.hidden], tmp_path / "state.pt")
                state, weights, hidden = torch.load(tmp_path / "state.pt")
                model = Scaled()
                model.load_state_dict(weights)
                model.hidden.copy_(hidden)
                stopping = EarlyStopping(model, patience=3, min_delta=0.05)
                stopping.load_state_dict(state)
            with torch.no_grad():
                model.fc.weight += 0.1
                model(torch.ones(2, 3))
            if stopping(value):
                break
        stopping.restore()
        return number, tensors(model)

    through = run(None)
    assert through[0] == 7
    for cut in (0, 1, 3, 5, 7):
        number, weights = run(cut)
        assert number == through[0]
        assert same(weights, through[1])


def test_the_metric_may_be_a_tensor_of_one_element() -> None:
    stopping = EarlyStopping(nn.Linear(1, 1), patience=1)
    assert not stopping(torch.tensor(2.0, requires_grad=True))
    assert not stopping(torch.tensor([1]))
    assert stopping.best == 1.0


def test_a_model_under_another_wrapper_is_kept_whole() -> None:
    model = torch.optim.swa_utils.AveragedModel(Scaled())
    stopping = EarlyStopping(model, patience=1)
    stopping(1.0)
    kept = tensors(model)
    model.update_parameters(Scaled())
    stopping.restore()
    assert same(tensors(model), kept)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: EarlyStopping(m, 0), "EarlyStopping: patience must be a whole number, 1 or more, got 0"),
        (lambda m: EarlyStopping(m, 2.5), "patience must be a whole number"),
        (
            lambda m: EarlyStopping(m, 1, min_delta=-1.0),
            r"min_delta must be a number in \[0, inf\), got -1.0",
        ),
        (lambda m: EarlyStopping(m, 1, mode="low"), "mode must be 'min' or 'max', got 'low'"),
        (lambda m: EarlyStopping(5, 1), "it keeps the weights of a model, not of a int"),
        (lambda m: EarlyStopping(m, 1)(None), "the metric is one number, got None"),
        (lambda m: EarlyStopping(m, 1)("0.5"), "the metric is one number"),
        (lambda m: EarlyStopping(m, 1)(True), "the metric is one number"),
        (lambda m: EarlyStopping(m, 1)(torch.ones(2)), "the metric is one number"),
        (lambda m: EarlyStopping(m, 1).restore(), "there is nothing to restore before a finite value"),
    ],
)
def test_nonsense_is_refused(call: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        call(nn.Linear(1, 1))


def test_a_state_that_does_not_fit_is_refused_and_nothing_is_changed() -> None:
    stopping = EarlyStopping(nn.Linear(2, 1), patience=1)
    stopping(1.0)
    before = copy.deepcopy(stopping.state_dict())

    def other(model: nn.Module, **options: Any) -> dict[str, Any]:
        made = EarlyStopping(model, patience=1, **options)
        made(0.5)
        return made.state_dict()

    for state, message in [
        (other(nn.Linear(2, 1), mode="max"), "the saved run had mode 'max', not 'min'"),
        (
            other(nn.Linear(3, 1)),
            r"weight was kept as torch.float32 of shape \(1, 3\); the model's is another",
        ),
        (other(nn.Linear(2, 1).double()), "was kept as torch.float64 of shape"),
        (other(nn.Linear(2, 1, bias=False)), "bias is only in one of the model and the kept weights"),
        ({"mode": "min"}, "this is not its state: best is missing"),
    ]:
        with pytest.raises(UserError, match=message):
            stopping.load_state_dict(state)
    after = stopping.state_dict()
    assert same(list(after.pop("weights").values()), list(before.pop("weights").values()))
    assert after == before


def test_a_model_that_changed_its_shape_is_not_restored() -> None:
    model = nn.Sequential(nn.Linear(2, 1))
    stopping = EarlyStopping(model, patience=1)
    stopping(1.0)
    model[0] = nn.Linear(3, 1)
    with pytest.raises(UserError, match=r"0.weight was kept as"):
        stopping.restore()
