"""What torch has is torch's: each trains with the optimizers here as it does with torch's own."""

import copy
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm
from torch.optim.swa_utils import AveragedModel

from thalweg import optim
from thalweg.regularize import CutMix, Mixup, groups


def classifier(*hidden: nn.Module) -> nn.Sequential:
    # No bias: before a norm its gradient is rounding noise, which Adam makes steps of.
    return nn.Sequential(nn.Conv2d(1, 4, 3, bias=False), *hidden, nn.Flatten(), nn.LazyLinear(3))


CASES: dict[str, Callable[[], nn.Module]] = {
    "dropout": lambda: classifier(nn.Dropout(0.3)),
    "dropout of channels": lambda: classifier(nn.Dropout2d(0.3)),
    "alpha dropout": lambda: classifier(nn.SELU(), nn.AlphaDropout(0.2)),
    "batch norm": lambda: classifier(nn.BatchNorm2d(4)),
    "layer norm": lambda: classifier(nn.LayerNorm((4, 6, 6))),
    "group norm": lambda: classifier(nn.GroupNorm(2, 4)),
    "instance norm": lambda: classifier(nn.InstanceNorm2d(4, affine=True, track_running_stats=True)),
    "RMS norm": lambda: classifier(nn.RMSNorm((4, 6, 6))),
    "local response norm": lambda: classifier(nn.LocalResponseNorm(2)),
    "weight norm": lambda: classifier(weight_norm(nn.Conv2d(4, 4, 3))),
    "spectral norm": lambda: classifier(spectral_norm(nn.Conv2d(4, 4, 3))),
    "fractional max-pooling": lambda: classifier(nn.FractionalMaxPool2d(2, output_ratio=0.7)),
}


def made(name: str) -> nn.Module:
    torch.manual_seed(0)
    model = CASES[name]().double()
    model(torch.zeros(2, 1, 8, 8, dtype=torch.float64))
    return model


def batches(count: int) -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(count, 6, 1, 8, 8, dtype=torch.float64, generator=generator)
    return [(each, torch.arange(6) % 3) for each in x]


def train(model: nn.Module, optimizer: Any, data: list[tuple[Tensor, Tensor]], seed: int = 2) -> None:
    torch.manual_seed(seed)
    for x, y in data:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()


@pytest.mark.parametrize("name", CASES)
def test_a_model_trains_as_with_torch_s_optimizer(name: str) -> None:
    """The same trajectory in float64, parameters and buffers, with a plan of who decays."""
    model = made(name)
    twin, before = copy.deepcopy(model), copy.deepcopy(model)
    train(model, optim.AdamW(groups(model, 0.1), lr=0.01), batches(6))
    train(twin, torch.optim.AdamW(groups(twin, 0.1).params, lr=0.01), batches(6))
    for (key, value), expected in zip(model.state_dict().items(), twin.state_dict().values(), strict=True):
        torch.testing.assert_close(value, expected, rtol=1e-9, atol=1e-12, msg=key)
    for p, old in zip(model.parameters(), before.parameters(), strict=True):
        assert not torch.equal(p, old)


@pytest.mark.parametrize("name", ["weight norm", "spectral norm", "batch norm", "instance norm"])
def test_a_resumed_run_is_the_uninterrupted_one_bit_for_bit(name: str, tmp_path: Any) -> None:
    """The vectors of spectral norm and the statistics of batch norm travel in the model's state."""
    model = made(name)
    optimizer = optim.AdamW(groups(model, 0.1), lr=0.01)
    train(model, optimizer, batches(8)[:3])
    torch.save([model.state_dict(), optimizer.state_dict()], tmp_path / "run.pt")
    again = made(name)
    resumed = optim.AdamW(groups(again, 0.1), lr=0.01)
    for part, state in zip((again, resumed), torch.load(tmp_path / "run.pt"), strict=True):
        part.load_state_dict(state)
    train(model, optimizer, batches(8)[3:])
    train(again, resumed, batches(8)[3:])
    for key, value in model.state_dict().items():
        assert torch.equal(value, again.state_dict()[key]), key


def test_weight_norm_keeps_direction_and_length_apart() -> None:
    model = made("weight norm")
    train(model, optim.AdamW(groups(model, 0.1), lr=0.01), batches(6))
    layer = model[1]
    length = layer.parametrizations.weight.original0.detach()
    torch.testing.assert_close(layer.weight.detach().flatten(1).norm(dim=1), length.abs().flatten())


def test_spectral_norm_holds_the_largest_singular_value_at_one() -> None:
    model = made("spectral norm")
    train(model, optim.AdamW(model.parameters(), lr=0.01), batches(60))
    raw = model[1].parametrizations.weight.original.detach().flatten(1)
    used = model.eval()[1].weight.detach().flatten(1)
    assert torch.linalg.matrix_norm(used, 2).item() == pytest.approx(1, rel=0.02)
    assert torch.linalg.matrix_norm(raw, 2).item() != pytest.approx(1, rel=0.02)


@pytest.mark.parametrize(
    ("layer", "over"),
    [
        (nn.BatchNorm2d(4), (0, 2, 3)),
        (nn.LayerNorm((4, 6, 6)), (1, 2, 3)),
        (nn.InstanceNorm2d(4), (2, 3)),
    ],
)
def test_norms_standardize_over_their_dimensions(layer: nn.Module, over: tuple[int, ...]) -> None:
    x = 5 + 3 * torch.randn(8, 4, 6, 6)
    y = layer(x)
    torch.testing.assert_close(y.mean(over), torch.zeros_like(y.mean(over)), atol=1e-5, rtol=0)
    variance = y.var(over, correction=0)
    torch.testing.assert_close(variance, torch.ones_like(variance), atol=1e-4, rtol=0)


def test_group_norm_is_layer_norm_within_groups() -> None:
    x = torch.randn(3, 4, 6, 6)
    expected = torch.cat([nn.functional.layer_norm(half, (2, 6, 6)) for half in x.split(2, 1)], 1)
    torch.testing.assert_close(nn.GroupNorm(2, 4)(x), expected)


def test_dropout_keeps_the_expectation_and_is_off_in_evaluation() -> None:
    torch.manual_seed(0)
    layer = nn.Dropout(0.3)
    values = layer(torch.ones(40_000, dtype=torch.float64))
    assert abs(values.mean() - 1) < 5 * math.sqrt(0.3 / 0.7 / 40_000)
    assert layer.eval()(values) is values


def test_fractional_pooling_draws_its_regions_from_the_seed_in_evaluation_too() -> None:
    """It has no modes: whoever wants one evaluation to equal the next fixes the seed."""
    pool = nn.FractionalMaxPool2d(2, output_ratio=0.7).eval()
    x = torch.randn(1, 1, 20, 20)
    assert pool(x).shape == (1, 1, 14, 14)
    torch.manual_seed(0)
    first, second = pool(x), pool(x)
    torch.manual_seed(0)
    assert torch.equal(pool(x), first)
    assert not torch.equal(first, second)
    assert set(first.flatten().tolist()) <= set(x.flatten().tolist())


@pytest.mark.parametrize("mixer", [None, Mixup(classes=3, alpha=0.5), CutMix(classes=3)])
def test_label_smoothing_is_torch_s_and_takes_mixed_targets(mixer: Any) -> None:
    """(1 - s) times the cross-entropy plus s times that of the uniform distribution, Szegedy et al. 2016."""
    torch.manual_seed(0)
    x, y = batches(1)[0]
    target = nn.functional.one_hot(y, 3).double() if mixer is None else mixer(x, y)[1]
    logits = torch.randn(6, 3, dtype=torch.float64)
    log_p = logits.log_softmax(1)
    expected = -(0.9 * target * log_p + 0.1 / 3 * log_p).sum(1).mean()
    loss = nn.functional.cross_entropy(logits, y if mixer is None else target, label_smoothing=0.1)
    torch.testing.assert_close(loss, expected, rtol=1e-13, atol=0)


@pytest.mark.parametrize("mixer", [Mixup(classes=3, alpha=0.5), CutMix(classes=3)])
def test_a_model_trains_on_mixed_batches(mixer: Any) -> None:
    model = made("batch norm")
    optimizer = optim.AdamW(groups(model, 0.1), lr=0.02)
    x, y = batches(1)[0]
    before = nn.functional.cross_entropy(model(x), y).item()
    train(model, optimizer, [mixer(x, y) for _ in range(60)])
    assert nn.functional.cross_entropy(model(x), y).item() < 0.5 * before


def test_swa_is_the_mean_of_the_weights_that_the_optimizer_passed() -> None:
    model = made("layer norm")
    optimizer, averaged = optim.SGD(model.parameters(), lr=0.1), AveragedModel(model)
    path = []
    for batch in batches(7):
        train(model, optimizer, [batch])
        averaged.update_parameters(model)
        path.append([p.detach().clone() for p in model.parameters()])
    for mean, passed in zip(averaged.module.parameters(), zip(*path, strict=True), strict=True):
        torch.testing.assert_close(mean.detach(), torch.stack(passed).mean(0), rtol=1e-12, atol=1e-14)


def test_an_embedding_with_torch_s_own_max_norm_trains_the_same() -> None:
    """It scales the rows that it reads, in the forward pass and in place."""
    trained = []
    for make in (optim.AdamW, torch.optim.AdamW):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Embedding(10, 4, max_norm=0.5), nn.Flatten(), nn.Linear(8, 3)).double()
        optimizer = make(model.parameters(), lr=0.1)
        for _ in range(6):
            optimizer.zero_grad()
            index = torch.randint(0, 10, (5, 2))
            nn.functional.cross_entropy(model(index), torch.arange(5) % 3).backward()
            optimizer.step()
        model(torch.arange(10).view(5, 2))
        assert model[0].weight.norm(dim=1).max() <= 0.5 + 1e-6
        trained.append(model[0].weight.detach())
    torch.testing.assert_close(*trained, rtol=1e-9, atol=1e-12)
