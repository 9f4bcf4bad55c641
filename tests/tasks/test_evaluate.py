"""An evaluation is the plain mean over all samples, and leaves no trace."""

import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss
from torch.utils.data import DataLoader, TensorDataset

KINDS = {
    "tensors": lambda data: data,
    "dataset": lambda data: TensorSubset(*data),
    "loader": lambda data: DataLoader(TensorDataset(*data), batch_size=2, shuffle=True),
}


class TensorSubset(torch.utils.data.Subset):
    """No TensorDataset, so that it takes the path of a dataset."""

    def __init__(self, *tensors):
        super().__init__(TensorDataset(*tensors), range(len(tensors[0])))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_mean_over_all_samples_with_a_short_last_batch(make, fields, kind, split):
    task = make(**{split: KINDS[kind](fields[split])})
    model = nn.Linear(1, 1)
    inputs, targets = (tensor.double() for tensor in fields[split])
    errors = inputs * model.weight.double().item() + model.bias.double().item() - targets
    loss, metric = task.evaluate(model, split)
    assert loss == pytest.approx(float(errors.square().mean()), rel=1e-6)
    assert metric == pytest.approx(float(errors.abs().mean()), rel=1e-6)


def test_limit(make, fields):
    model = nn.Linear(1, 1)
    loss, _ = make().evaluate(model, "train", limit=4)
    inputs, targets = fields["train"]
    assert loss == pytest.approx(mse_loss(model(inputs[:4]), targets[:4]).item(), rel=1e-6)


def seed_all():
    torch.manual_seed(1)
    np.random.seed(1)
    random.seed(1)


class Noisy(nn.Module):
    """Counts its calls, and draws from the global generator in each."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(1, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1))
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        torch.rand(3), np.random.rand(), random.random()
        return self.inner(x)


def test_model_and_generators_are_left_as_they_were(make):
    model = Noisy()
    model.inner[1].eval()  # a frozen normalization stays frozen
    before = {name: value.clone() for name, value in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    seed_all()
    make().evaluate(model, "valid")
    after = torch.rand(1).item(), np.random.rand(), random.random()
    seed_all()
    assert after == (torch.rand(1).item(), np.random.rand(), random.random())
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert "forward" not in vars(model)


def test_modes_are_restored_after_an_error(make):
    def fails(model, batch):
        raise KeyboardInterrupt

    model = Noisy()
    with pytest.raises(KeyboardInterrupt):
        make(metric=fails).evaluate(model, "valid")
    assert all(module.training for module in model.modules())
    assert "forward" not in vars(model)


def test_loss_and_metric_share_one_forward_pass(make):
    model = Noisy()
    make(eval_batch_size=3).evaluate(model, "valid")
    assert model.calls == 3  # batches of 3, 3 and 1


def test_an_output_changed_in_place_is_computed_again(make):
    def spoiling(model, batch):
        return model(batch[0]).mul_(0).mean()

    model = nn.Linear(1, 1)
    _, clean = make().evaluate(model, "valid")
    assert make(loss=spoiling).evaluate(model, "valid") == (0, clean)


def test_an_input_changed_in_place_is_computed_again(make):
    def shifted(model, batch):
        difference = model(batch[0])
        batch[0].add_(1)
        difference = model(batch[0]) - difference
        batch[0].sub_(1)
        return difference.mean()

    model = nn.Linear(1, 1)
    assert make(metric=shifted).evaluate(model, "test")[1] == pytest.approx(model.weight.item(), abs=1e-4)


def test_the_same_input_with_an_option_is_computed_again(make):
    class Scaled(nn.Linear):
        def forward(self, x, scale=1.0):
            return super().forward(x) * scale

    task = make(
        loss=lambda model, batch: model(batch[0]).mean(),
        metric=lambda model, batch: model(batch[0], scale=3.0).mean(),
    )
    loss, metric = task.evaluate(Scaled(1, 1), "test")
    assert metric == pytest.approx(3 * loss)


def test_models_called_with_options_or_returning_tuples(make):
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1))

        def forward(self, x, scale=1.0):
            return x * self.weight * scale, None

    task = make(
        loss=lambda model, batch: mse_loss(model(batch[0], scale=2.0)[0], batch[1]),
        metric=lambda model, batch: mse_loss(model(batch[0], scale=3.0)[0], batch[1]),
    )
    inputs = torch.arange(200.0, 205.0)
    assert task.evaluate(Pair(), "test") == (0, pytest.approx(float(inputs.square().mean())))


def test_a_metric_may_be_a_plain_number(make):
    assert make(metric=lambda model, batch: len(batch[0])).evaluate(nn.Linear(1, 1), "valid")[1] == (
        (3 * 3 + 3 * 3 + 1 * 1) / 7
    )
