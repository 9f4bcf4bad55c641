"""Averages of weights, and the statistics of batch norm: against sums written out in float64."""

import copy
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_avg_fn, get_swa_avg_fn, update_bn

from thalweg import optim
from thalweg.errors import UserError
from thalweg.regularize import ema, reestimate_batch_norm


def walk(model: nn.Module, averaged: AveragedModel, steps: int) -> list[Tensor]:
    """Average a random walk of the weights; return the walk."""
    torch.manual_seed(0)
    path = []
    for _ in range(steps):
        with torch.no_grad():
            for p in model.parameters():
                p += torch.randn_like(p)
        averaged.update_parameters(model)
        path.append(next(model.parameters()).detach().double().clone())
    return path


# -- the exponential moving average -------------------------------------------------------------------------


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.9, 0.999])
def test_it_is_the_weighted_sum_of_the_path(decay: float) -> None:
    model = nn.Linear(3, 2).double()
    averaged = AveragedModel(model, avg_fn=ema(decay))
    path = walk(model, averaged, 40)
    expected = path[0]
    for n, weights in enumerate(path[1:], 1):
        beta = min(decay, (1 + n) / (10 + n))
        expected = beta * expected + (1 - beta) * weights
    torch.testing.assert_close(averaged.module.weight.detach(), expected, rtol=1e-13, atol=1e-14)


def test_without_the_warm_up_it_is_torch_s() -> None:
    model = nn.Linear(3, 2).double()
    ours = AveragedModel(model, avg_fn=ema(0.99, warmup=False))
    torchs = AveragedModel(model, avg_fn=get_ema_avg_fn(0.99))
    walk(copy.deepcopy(model), ours, 30)
    walk(model, torchs, 30)
    torch.testing.assert_close(ours.module.weight, torchs.module.weight, rtol=1e-13, atol=1e-14)


def test_the_warm_up_forgets_the_first_weights() -> None:
    """After n = 100 equal weights of 1 that began at 0, 0.999 ** 100 of torch's average is still the 0."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    averaged = {fn: AveragedModel(model, avg_fn=fn) for fn in (ema(0.999), get_ema_avg_fn(0.999))}
    for step in range(101):
        nn.init.constant_(model.weight, float(step > 0))
        for average in averaged.values():
            average.update_parameters(model)
    ours, torchs = (average.module.weight.item() for average in averaged.values())
    assert torchs == pytest.approx(1 - 0.999**100, rel=1e-4)
    product = math.prod(min(0.999, (1 + n) / (10 + n)) for n in range(1, 101))
    assert product < 1e-7
    assert ours == pytest.approx(1 - product, rel=1e-6)


def test_the_last_digits_of_a_decay_near_one_are_kept_in_float32() -> None:
    """1 - 0.99999 taken in float32 is off by 1.4e-3."""
    current = torch.ones(())
    assert ema(0.99999)(torch.zeros(()), current, 10**9).item() == pytest.approx(1e-5, rel=1e-6)


@pytest.mark.parametrize(
    ("average", "expected"),
    [(ema(0.999, warmup=False), 2 - 0.999**300), (get_swa_avg_fn(), 2 - 1 / 301)],
)
def test_bfloat16_weights_are_averaged_in_a_float32_copy(average: Any, expected: float) -> None:
    model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1)).bfloat16()
    nn.init.ones_(model[0].weight)
    averaged = AveragedModel(copy.deepcopy(model).float(), avg_fn=average)
    averaged.update_parameters(model)
    nn.init.constant_(model[0].weight, 2.0)
    for _ in range(300):
        averaged.update_parameters(model)
    assert averaged.module[0].weight.item() == pytest.approx(expected, rel=1e-5)
    assert averaged.module[1].running_mean.dtype == torch.float32


def test_an_average_that_would_stand_still_is_refused() -> None:
    model = nn.Linear(1, 1).bfloat16()
    averaged = AveragedModel(model, avg_fn=ema(0.999))
    averaged.update_parameters(model)
    with pytest.raises(
        UserError, match=r"an average in torch\.bfloat16 stands still; make it of a float32 copy"
    ):
        averaged.update_parameters(model)


def test_counts_and_masks_are_copied_and_complex_weights_averaged() -> None:
    model = nn.Sequential(nn.BatchNorm1d(2))
    model.register_buffer("mask", torch.tensor([True, False]))
    model.register_parameter("phase", nn.Parameter(torch.tensor([1j, 2.0])))
    averaged = AveragedModel(model, avg_fn=ema(0.5, warmup=False), use_buffers=True)
    for _ in range(4):
        model(torch.randn(5, 2))
        averaged.update_parameters(model)
    assert averaged.module[0].num_batches_tracked == 4
    assert torch.equal(averaged.module.mask, model.mask)
    with torch.no_grad():
        model.phase += 2j
    averaged.update_parameters(model)
    torch.testing.assert_close(averaged.module.phase.detach(), torch.tensor([2j, 2 + 1j]))


def test_a_resumed_average_is_that_of_the_uninterrupted_run() -> None:
    model = nn.Linear(3, 2)
    through = AveragedModel(model, avg_fn=ema(0.9))
    again = AveragedModel(nn.Linear(3, 2), avg_fn=ema(0.9))
    walk(model, through, 5)
    again.load_state_dict(through.state_dict())
    other = copy.deepcopy(model)
    walk(model, through, 5)
    walk(other, again, 5)
    assert torch.equal(again.module.weight, through.module.weight)


@pytest.mark.parametrize("decay", [1.0, -0.1, math.nan, "0.9"])
def test_the_decay_is_checked(decay: Any) -> None:
    with pytest.raises(UserError, match=r"ema: decay must be a number in \[0, 1\), got"):
        ema(decay)


# -- the statistics of batch norm ---------------------------------------------------------------------------


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3)
        self.norm = nn.BatchNorm2d(3, momentum=0.3)
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(3 * 16, 4)
        self.last = nn.BatchNorm1d(4, affine=False)
        self.unused = nn.BatchNorm1d(7)

    def forward(self, x: Tensor) -> Tensor:
        x = self.drop(self.norm(self.conv(x)).relu())
        return self.last(self.fc(x.flatten(1)))


@pytest.fixture
def net() -> nn.Module:
    torch.manual_seed(0)
    return Net().double().train()


def data(*sizes: int) -> list[Tensor]:
    torch.manual_seed(1)
    return [torch.randn(n, 2, 6, 6, dtype=torch.float64) + 3 * i for i, n in enumerate(sizes)]


def test_the_statistics_are_those_of_all_values_together(net: Net) -> None:
    batches = data(7, 2, 30)
    reestimate_batch_norm(net, batches)
    values = net.conv(torch.cat(batches)).detach().transpose(0, 1).flatten(1)
    torch.testing.assert_close(net.norm.running_mean, values.mean(1), rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(net.norm.running_var, values.var(1), rtol=1e-12, atol=1e-14)
    assert net.norm.num_batches_tracked == 3


def test_a_deeper_norm_sees_what_training_without_dropout_gives_it(net: Net) -> None:
    batches = data(8, 5)
    reestimate_batch_norm(net, batches)
    inputs = []
    for x in batches:  # normalized by each batch's own statistics, as in training
        z = net.conv(x)
        mean, var = z.mean((0, 2, 3), keepdim=True), z.var((0, 2, 3), correction=0, keepdim=True)
        z = (z - mean) / (var + net.norm.eps).sqrt()
        z = z * net.norm.weight.view(-1, 1, 1) + net.norm.bias.view(-1, 1, 1)
        inputs.append(net.fc(z.relu().flatten(1)))
    values = torch.cat(inputs).detach()
    torch.testing.assert_close(net.last.running_mean, values.mean(0), rtol=1e-11, atol=1e-13)
    torch.testing.assert_close(net.last.running_var, values.var(0), rtol=1e-11, atol=1e-13)


def test_with_equal_batches_of_one_distribution_the_mean_is_torch_s(net: Net) -> None:
    net.drop.p = 0.0
    twin = copy.deepcopy(net)
    batches = data(9, 9)
    reestimate_batch_norm(net, batches)
    update_bn(batches, twin)
    torch.testing.assert_close(net.norm.running_mean, twin.norm.running_mean)
    torch.testing.assert_close(net.last.running_mean, twin.last.running_mean)
    assert (net.norm.running_var > twin.norm.running_var).all()  # torch leaves out how the means differ


def test_modes_momenta_weights_and_norms_that_are_not_reached_are_left_alone(net: Net) -> None:
    net.drop.eval()
    net.unused.running_mean += 5
    kept = copy.deepcopy(net)
    reestimate_batch_norm(net, data(4, 4))
    assert [m.training for m in net.modules()] == [m.training for m in kept.modules()]
    assert (net.norm.momentum, net.last.momentum) == (0.3, 0.1)
    for name, p in net.named_parameters():
        assert torch.equal(p, dict(kept.named_parameters())[name])
        assert p.grad is None
    for name, buffer in net.unused.named_buffers():
        assert torch.equal(buffer, dict(kept.unused.named_buffers())[name])
    assert not net.norm._forward_hooks
    assert net.norm(torch.randn(2, 3, 2, 2, dtype=torch.float64)).requires_grad


def test_after_an_error_all_is_as_it_was(net: Net) -> None:
    kept = copy.deepcopy(net)
    batches = [*data(4), {"x": data(4)[0]}]
    with pytest.raises(UserError, match="a batch is a dict; say how the model runs on it with forward"):
        reestimate_batch_norm(net, batches)
    with pytest.raises(UserError, match="there are no batches"):
        reestimate_batch_norm(net, iter([]))
    for (name, buffer), other in zip(net.named_buffers(), kept.buffers(), strict=True):
        assert torch.equal(buffer, other), name
    assert net.norm.momentum == 0.3
    assert all(m.training for m in net.modules())


def test_batches_are_tensors_pairs_or_what_forward_takes() -> None:
    batches = data(4, 6)
    results = []
    for given, forward in [
        (batches, None),
        ([(x, torch.zeros(len(x))) for x in batches], None),
        ([[x] for x in batches], None),
        ([{"image": x} for x in batches], lambda model, batch: model(batch["image"])),
    ]:
        torch.manual_seed(0)
        net = Net().double().eval()
        reestimate_batch_norm(net, given, forward)
        assert not net.training
        results.append(net.last.running_var)
    assert all(torch.equal(result, results[0]) for result in results)


def test_an_empty_batch_counts_for_nothing() -> None:
    norm = nn.BatchNorm1d(2)
    x = torch.randn(8, 2)
    reestimate_batch_norm(norm, [x[:0], x[:5], x[:0], x[5:]])
    torch.testing.assert_close(norm.running_var, x.var(0))
    assert norm.num_batches_tracked == 2


def test_it_takes_a_model() -> None:
    with pytest.raises(UserError, match="it takes a model, not a list"):
        reestimate_batch_norm([], [])  # type: ignore[arg-type]


def test_a_norm_that_is_used_twice_sees_both() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm1d(2)

        def forward(self, x: Tensor) -> Tensor:
            return self.norm(x[:, :2]) + self.norm(x[:, 2:])

    model, x = Twice(), torch.randn(50, 4)
    reestimate_batch_norm(model, [x[:20], x[20:]])
    torch.testing.assert_close(model.norm.running_var, torch.cat([x[:, :2], x[:, 2:]]).var(0))


def test_statistics_that_were_not_finite_are_healed() -> None:
    norm = nn.BatchNorm1d(2)
    norm.running_mean.fill_(math.nan)
    reestimate_batch_norm(norm, [torch.randn(5, 2)])
    assert norm.running_mean.isfinite().all()


def test_the_default_dtype_is_kept_and_models_without_statistics_pass() -> None:
    norm = nn.BatchNorm1d(2, momentum=None)
    x = torch.randn(50, 2)
    reestimate_batch_norm(norm, [x[:20], x[20:]])
    assert norm.momentum is None
    torch.testing.assert_close(norm.running_var, x.var(0))
    reestimate_batch_norm(nn.BatchNorm1d(2, track_running_stats=False), [x])
    reestimate_batch_norm(nn.Linear(2, 2), [])


def test_an_averaged_model_gets_statistics_of_its_own_weights() -> None:
    """SWA as its paper has it: average, then one pass; the averaged net then centres its outputs."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8))
    optimizer = optim.SGD(net.parameters(), lr=0.5, momentum=0.9)
    averaged = AveragedModel(net)
    x = torch.randn(64, 4)
    for _ in range(20):
        optimizer.zero_grad()
        (net(x) - torch.arange(8.0)).square().mean().backward()
        optimizer.step()
        averaged.update_parameters(net)
    reestimate_batch_norm(averaged, x.split(16))
    pre = averaged.module[0](x).detach()
    torch.testing.assert_close(averaged.module[1].running_mean, pre.mean(0), rtol=1e-5, atol=1e-6)
    assert not torch.allclose(net[1].running_mean, pre.mean(0), rtol=1e-2)
    out = averaged.eval()(x)
    torch.testing.assert_close(out.mean(0), averaged.module[1].bias, rtol=1e-4, atol=1e-5)
