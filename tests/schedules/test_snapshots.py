"""Snapshot ensembles: when copies are taken, what they hold, and the mean of what they predict."""

import copy
import io
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from thalweg.errors import UserError
from thalweg.schedules import (
    Schedule,
    SnapshotEnsemble,
    cosine,
    cosine_restarts,
    parse,
)


def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.ReLU(), nn.Linear(8, 3))


def start(schedule: Schedule, net: nn.Module | None = None, last: int | None = None) -> SnapshotEnsemble:
    net = net or model()
    return SnapshotEnsemble(net, schedule.attach(torch.optim.SGD(net.parameters(), lr=0.1)), last)


def train(ensemble: SnapshotEnsemble, steps: int) -> dict[int, nn.Module]:
    """Train on noise that depends on the step alone; return a copy of the model after each step."""
    after = {}
    for _ in range(steps):
        step = ensemble.scheduler.last_epoch
        torch.manual_seed(step)
        inputs, labels = torch.randn(16, 4), torch.randint(3, (16,))
        ensemble.scheduler.optimizer.zero_grad()
        nn.functional.cross_entropy(ensemble.model(inputs), labels).backward()
        ensemble.scheduler.optimizer.step()
        ensemble.scheduler.step()
        ensemble.step()
        after[step + 1] = copy.deepcopy(ensemble.model)
    return after


WHEN: dict[str, list[int]] = {
    "cosine_restarts(10, cycles=3)": [10, 20, 30],
    "cosine_restarts(5, 2)": [5, 15, 35],
    "cosine(10, after='repeat')": [10, 20, 30, 40],
    "warmup(4) >> cosine_restarts(10, cycles=2)": [14, 24],
    "cosine(10) >> cosine(20)": [10, 30],
    "cosine(10) >> constant(5, 0.0) >> cosine(10)": [15, 25],
    "triangular(5, cycles=2)": [11, 20],
    "triangular(5, 3)": [9, 17, 25, 33, 41],
    "one_cycle(20)": [20],
    "wsd(5, 10, 5)": [20],
    "linear(12)": [12],
    "multistep([1], 0.1, steps=7) >> constant(4)": [7],
    "constant(5, 0.1) >> linear(10, 0.2, 1.0)": [],
    "constant(5)": [],
    "linear(12, 0.1, 1.0)": [],
    "warmup(5) >> constant()": [],
    "exponential(0.9)": [],
    "step(10)": [],
}


@pytest.mark.parametrize("text", WHEN)
def test_a_copy_is_taken_where_the_rate_has_fallen_and_rises_or_ends(text: str) -> None:
    ensemble = start(parse(text), nn.Linear(1, 1))
    for _ in range(42):
        ensemble.scheduler.optimizer.step()
        ensemble.scheduler.step()
        ensemble.step()
        ensemble.step()  # a second call in the same step takes no second copy
    assert ensemble.steps == WHEN[text]
    assert len(ensemble) == len(WHEN[text])


@pytest.mark.parametrize("last", [None, 1, 2])
def test_the_prediction_is_the_mean_of_the_copies_softmax(last: int | None) -> None:
    ensemble = start(cosine_restarts(4, cycles=3), last=last)
    after = train(ensemble, 12)
    kept = [4, 8, 12][-(last or 3) :]
    assert ensemble.steps == kept
    inputs = torch.randn(5, 4)
    with torch.no_grad():
        outputs = [after[step].eval()(inputs) for step in kept]
    expected = sum(output.softmax(-1) for output in outputs) / len(kept)
    assert torch.allclose(ensemble.predict(inputs), expected, atol=1e-7)
    assert torch.allclose(ensemble.predict(inputs).sum(-1), torch.ones(5))
    raw = ensemble.predict(inputs, activation=lambda y: y)
    assert torch.allclose(raw, sum(outputs) / len(kept), atol=1e-6)
    assert not torch.allclose(raw, outputs[0], atol=1e-3) or last == 1


def test_predicting_leaves_the_model_as_it_was() -> None:
    ensemble = start(cosine_restarts(4, cycles=3))
    train(ensemble, 9)
    ensemble.model[1].eval()  # a frozen norm among layers that train
    before = copy.deepcopy(ensemble.model.state_dict())
    first = ensemble.predict(torch.ones(5, 4))
    assert torch.equal(first, ensemble.predict(torch.ones(5, 4)))
    assert not first.requires_grad
    with pytest.raises(RuntimeError):
        ensemble.predict(torch.ones(5, 7))
    assert [part.training for part in ensemble.model] == [True, False, True, True, True]
    assert all(torch.equal(value, before[name]) for name, value in ensemble.model.state_dict().items())


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(3, 3), nn.Linear(3, 3)
        self.outer.weight = self.inner.weight

    def forward(self, inputs: Tensor, scale: float) -> Tensor:
        return self.outer(self.inner(inputs)) * scale


def test_weights_that_are_shared_stay_shared_in_the_copies() -> None:
    net = Tied()
    ensemble = start(cosine_restarts(2, cycles=1), net)
    for _ in range(2):
        ensemble.scheduler.optimizer.step()
        ensemble.scheduler.step()
    ensemble.step()
    twin = copy.deepcopy(net)
    nn.init.zeros_(net.inner.weight)
    inputs = torch.randn(5, 3)
    assert torch.equal(ensemble.predict(inputs, 2.0), twin(inputs, 2.0).softmax(-1))


@pytest.mark.parametrize("stop", [3, 4, 6, 9])
def test_a_run_that_is_cut_and_resumed_has_the_same_ensemble(stop: int) -> None:
    schedule = cosine_restarts(4, cycles=3)
    whole, first, resumed = start(schedule), start(schedule), start(schedule)
    train(whole, 12)
    train(first, stop)
    parts = {"model": lambda e: e.model, "optimizer": lambda e: e.scheduler.optimizer,
             "scheduler": lambda e: e.scheduler, "ensemble": lambda e: e}  # fmt: skip
    saved = io.BytesIO()
    torch.save({name: part(first).state_dict() for name, part in parts.items()}, saved)
    saved.seek(0)
    state = torch.load(saved, weights_only=True)
    for name, part in parts.items():
        part(resumed).load_state_dict(state[name])
    train(resumed, 12 - stop)
    assert resumed.steps == whole.steps == [4, 8, 12]
    inputs = torch.randn(5, 4)
    assert torch.equal(resumed.predict(inputs), whole.predict(inputs))


def test_an_ensemble_of_several_minima_is_better_than_its_members() -> None:
    torch.manual_seed(0)
    inputs = torch.rand(256, 1) * 6 - 3
    targets, clean = torch.sin(2 * inputs) + 0.3 * torch.randn(256, 1), torch.linspace(-3, 3, 200)[:, None]
    net = nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.03)
    ensemble = SnapshotEnsemble(net, cosine_restarts(100, cycles=5).attach(optimizer))
    errors = []
    for step in range(500):
        batch = torch.randint(256, (16,))
        optimizer.zero_grad()
        nn.functional.mse_loss(net(inputs[batch]), targets[batch]).backward()
        optimizer.step()
        ensemble.scheduler.step()
        ensemble.step()
        if step % 100 == 99:
            errors.append(nn.functional.mse_loss(net(clean), torch.sin(2 * clean)).item())
    mean = ensemble.predict(clean, activation=lambda y: y)
    assert nn.functional.mse_loss(mean, torch.sin(2 * clean)).item() < sum(errors) / 5


BAD: list[tuple[Callable[[], object], str]] = [
    (lambda: start(cosine(4)).predict(torch.ones(1, 4)), r"no snapshot yet: call step\(\) after each schedu"),
    (lambda: start(cosine(4), last=0), "SnapshotEnsemble: last is 0; it must be a whole number, 1 or more"),
    (lambda: SnapshotEnsemble(model(), cosine(4)), "needs what schedule.attach.* returns, not a cosine"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), BAD)
def test_a_wrong_use_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        make()


def test_snapshots_of_another_model_are_refused_and_nothing_changes() -> None:
    ensemble, other = start(cosine(4)), start(cosine(4), nn.Linear(4, 3))
    train(ensemble, 4)
    with pytest.raises(UserError, match="these snapshots are of another model"):
        other.load_state_dict(ensemble.state_dict())
    assert other.steps == []
    with pytest.raises(UserError, match="this is not the state of a SnapshotEnsemble"):
        other.load_state_dict(ensemble.model.state_dict())
