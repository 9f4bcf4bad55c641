"""The learning-rate range test: against 2 / λ, least squares by numpy, and a training at its suggestion."""

import json
import math
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from tests.landscape.models import ZOO
from thalweg import optim, transforms
from thalweg.errors import UserError
from thalweg.landscape import Interrupted, LrRange, Surface, function, lr_range
from thalweg.landscape.endless import endless
from thalweg.landscape.lr_range import _read
from thalweg.landscape.smoothing import local_quadratic
from thalweg.tasks.load import load


def test_the_smooth_curve_is_weighted_least_squares() -> None:
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(-3, 1, 40))
    y = np.sin(x) + 0.3 * rng.normal(size=40)
    values, slopes, _ = local_quadratic(x, y, 0.4)
    for i in (0, 7, 20, 39):
        weights = np.exp(-((x - x[i]) ** 2) / (2 * 0.4**2))
        fit = np.polynomial.Polynomial.fit(x - x[i], y, 2, w=np.sqrt(weights)).convert().coef
        assert values[i] == pytest.approx(fit[0], rel=1e-9)
        assert slopes[i] == pytest.approx(fit[1], rel=1e-9)
    drawn = np.stack([local_quadratic(x, rng.normal(size=40), 0.4)[0] for _ in range(400)])
    np.testing.assert_allclose(drawn.std(axis=0), local_quadratic(x, y, 0.4)[2], rtol=0.15)


def test_smoothing_neither_lags_nor_bends() -> None:
    """A quadratic comes back as it is, at the ends too; a kink stays where it is."""
    x = np.linspace(-6, 1, 50)
    y = 3 - 2 * x + 0.5 * x**2
    values, slopes, _ = local_quadratic(x, y, 0.3)
    np.testing.assert_allclose(values, y, atol=1e-9)
    np.testing.assert_allclose(slopes, -2 + x, atol=1e-8)
    values, _, _ = local_quadratic(x, np.abs(x + 2.5), 0.3)
    assert x[values.argmin()] == pytest.approx(-2.5, abs=0.08)


def bowl() -> Surface:
    """A quadratic with eigenvalues 2 and 100."""
    return function(lambda x, y: x**2 + 50 * y**2, (10.0, 1.0))


def noisy_bowl(largest: float) -> Surface:
    """L = ½ Σ λ_i w_i² + b·w with eigenvalues up to the largest; b of mean zero in each batch."""
    torch.manual_seed(0)
    eigenvalues = torch.logspace(-2, 0, 8) * largest
    model = nn.Linear(8, 1, bias=False)
    nn.init.constant_(model.weight, 3.0)
    noise = 0.02 * largest * torch.randn(60, 1, 8)

    def loss(model: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        return (eigenvalues * model.weight**2).sum() / 2 + model(batch[0]).mean()

    return Surface(model, loss, list(map(tuple, (noise - noise.mean(0))[:, None].unbind())))


@pytest.mark.parametrize("largest", [0.5, 80.0])
@pytest.mark.parametrize("make", [optim.SGD, torch.optim.SGD])
def test_divergence_on_a_quadratic_is_at_two_over_the_largest_eigenvalue(make: Any, largest: float) -> None:
    surface = noisy_bowl(largest)
    found = lr_range(surface, make(surface.model.parameters(), lr=1.0), 1e-4 / largest, 1e3 / largest)
    assert found.diverges_at is not None
    assert found.suggestion is not None
    assert 0.7 * 2 / largest < found.diverges_at < 2 * 2 / largest
    assert found.suggestion < 2 / largest
    assert found.lrs[-1] < 10 * found.diverges_at  # stopped there
    assert "on it rises" in found.describe()


def test_the_losses_are_those_of_steps_at_the_rates() -> None:
    """Written out: x ← x - η_k ∂L/∂x, the loss before each step."""
    surface = bowl()
    found = lr_range(surface, optim.SGD(surface.model.parameters(), lr=3.0), 1e-4, 1e-2, 30, 1)
    x, y = 10.0, 1.0
    for k, loss in enumerate(found.losses[0].tolist()):
        assert loss == pytest.approx(x**2 + 50 * y**2, rel=1e-12)
        rate = 1e-4 * 100 ** (k / 29)
        assert found.lrs[k].item() == pytest.approx(rate, rel=1e-12)
        x, y = x - rate * 2 * x, y - rate * 100 * y


def test_groups_keep_the_ratio_of_their_rates() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    groups = [{"params": model[0].parameters(), "lr": 0.01}, {"params": model[1].parameters(), "lr": 0.1}]
    optimizer = torch.optim.SGD(groups)
    seen = []
    optimizer.register_step_pre_hook(lambda opt, *_: seen.append([g["lr"] for g in opt.param_groups]))
    found = lr_range(
        Surface(model, lambda m, x: m(x).square().mean(), torch.randn(4, 2)), optimizer, 1e-5, 1e-3, 20, 1
    )
    rates = np.array(seen)
    np.testing.assert_allclose(rates[:, 1], found.lrs[: len(rates)])
    np.testing.assert_allclose(rates[:, 0], rates[:, 1] / 10)
    assert [g["lr"] for g in optimizer.param_groups] == [0.01, 0.1]


def test_a_training_at_the_suggestion_beats_one_far_below_and_one_beyond() -> None:
    task = load("fashion-mlp")
    torch.manual_seed(0)
    model = task.model()
    batches = list(islice(task.train_batches(0), 60))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    surface = Surface(model, task.loss, batches)
    found = lr_range(surface, optimizer, 1e-4, 10.0, 60, 2)
    assert found.suggestion is not None
    assert found.diverges_at is not None

    def train(rate: float) -> float:
        with surface.hold(optimizer):
            optimizer.param_groups[0]["lr"] = rate
            losses = []
            for batch in batches[:40]:
                optimizer.zero_grad()
                loss = task.loss(model, batch)
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
            return float(np.mean(losses[-5:]))

    at = train(found.suggestion)
    assert at < train(found.suggestion / 100) - 0.5
    beyond = train(4 * found.diverges_at)
    assert not beyond < at + 0.5
    assert found.low is not None
    assert found.low <= found.suggestion <= found.high < found.diverges_at
    noise = found.smoothed[0][:20].diff().std() / found.losses[0][:20].diff().std()
    assert noise < 0.3  # of batches, where nothing else happens


def test_repeats_differ_in_the_order_of_the_data_and_in_the_masks_and_are_repeatable() -> None:
    for name in ("loader", "global_loader", "frozen_statistics", "dropout"):
        animal = ZOO[name]()
        surface = Surface(animal.model, animal.loss, animal.data)
        optimizer = torch.optim.SGD(animal.model.parameters(), lr=0.1)
        found = lr_range(surface, optimizer, 1e-5, 1e-4, 12, 3)
        first, second, _ = found.losses
        assert (first - second).abs().max() > 1e-3, name
        again = lr_range(surface, optimizer, 1e-5, 1e-4, 12, 3)
        assert torch.equal(found.losses, again.losses), name
        later = lr_range(surface, optimizer, 1e-5, 1e-4, 12, 2, seed=1)
        assert torch.equal(found.losses[1:], later.losses), name


def test_batches_come_one_after_the_other_and_again() -> None:
    data = [torch.full((2, 1), float(i)) for i in range(3)]
    surface = Surface(nn.Linear(1, 1), lambda m, b: m(b[0]).mean(), [(batch,) for batch in data])
    with surface.hold():
        seen = [int(batch[0][0]) for batch in islice(endless(surface, 4), 9)]
    assert [sorted(seen[i : i + 3]) for i in (0, 3, 6)] == [[0, 1, 2]] * 3
    assert seen[:3] != seen[3:6] or seen[3:6] != seen[6:]
    loader = DataLoader(TensorDataset(torch.arange(5.0)[:, None]), 2)
    surface = Surface(nn.Linear(1, 1), lambda m, b: m(b[0]).mean(), loader)
    with surface.hold():
        sizes = [len(batch[0]) for batch in islice(endless(surface, 0), 7)]
    assert sizes == [2, 2, 1, 2, 2, 1, 2]


def test_a_sweep_that_ends_too_early_gives_no_rate_and_says_so() -> None:
    surface = bowl()
    optimizer = optim.SGD(surface.model.parameters(), lr=1.0)
    low = lr_range(surface, optimizer, 1e-12, 1e-10, 20)
    assert low.diverges_at is None
    assert "does not diverge up to 1e-10, the end of the sweep" in low.describe()
    falling = lr_range(surface, optimizer, 1e-6, 1e-3, 20)
    assert falling.describe().endswith("the end of the sweep; sweep further.")
    assert "alike" in falling.describe()
    high = lr_range(surface, optimizer, 1.0, 100.0, 20)
    assert high.suggestion is None
    assert high.describe().startswith("No learning rate ")

    def noise(model: nn.Module, _: Tensor) -> Tensor:
        return model().detach() * 0 + torch.randn(()) + 0 * sum(p.sum() for p in model.parameters())

    deaf = lr_range(Surface(surface.model, noise, torch.zeros(1)), optimizer)
    assert deaf.suggestion is None
    assert deaf.low is None
    assert deaf.diverges_at is None
    assert "lowers the loss beyond its noise" in deaf.describe()


def test_a_guard_that_refuses_a_gradient_ends_the_run() -> None:
    def cliff(x: Tensor) -> Tensor:
        return x.log()  # falls to minus infinity at 0, then NaN

    surface = function(cliff, (1.0,))
    optimizer = optim.SGD(surface.model.parameters(), lr=1.0, transforms=[transforms.guard()])
    found = lr_range(surface, optimizer, 1e-3, 10.0, 50, 1)
    assert 10 < len(found.lrs) < 50
    assert found.losses.isfinite().all()


@pytest.mark.parametrize(
    "make",
    [
        lambda p: optim.LBFGS(p, lr=1.0),
        lambda p: torch.optim.LBFGS(p, lr=1.0),
        lambda p: torch.optim.Adam(p, lr=torch.tensor(0.1)),
        lambda p: optim.AdamW(p),
    ],
    ids=["lbfgs", "torch-lbfgs", "tensor-lr", "adamw"],
)
def test_optimizers_with_closures_and_rates_that_are_tensors(make: Any) -> None:
    surface = bowl()
    optimizer = make(surface.model.parameters())
    rate = float(optimizer.param_groups[0]["lr"])
    found = lr_range(surface, optimizer, 1e-4, 1.0, 40, 1)
    assert found.suggestion is not None
    assert float(optimizer.param_groups[0]["lr"]) == rate
    assert surface.point().tolist() == [10.0, 1.0]
    assert not optimizer.state or all(not state for state in optimizer.state.values())


def test_a_scaler_scales_and_is_restored() -> None:
    animal = ZOO["mlp"]()
    surface = Surface(animal.model, animal.loss, animal.data)
    optimizer = torch.optim.SGD(animal.model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=64.0, growth_interval=3)
    scaler.scale(torch.zeros(()))
    before = scaler.state_dict()
    with_scaler = lr_range(surface, optimizer, 1e-3, 1e-1, 12, 1, scaler=scaler)
    without = lr_range(surface, optimizer, 1e-3, 1e-1, 12, 1)
    torch.testing.assert_close(with_scaler.losses, without.losses)
    assert scaler.state_dict() == before


def test_ctrl_c_keeps_the_losses_so_far() -> None:
    animal = ZOO["mlp"]()
    calls = 0

    def stops(model: nn.Module, batch: Any) -> Tensor:
        nonlocal calls
        calls += 1
        if calls == 50:
            raise KeyboardInterrupt
        return animal.loss(model, batch)

    optimizer = optim.AdamW(animal.model.parameters())
    with pytest.raises(Interrupted) as stopped:
        lr_range(Surface(animal.model, stops, animal.data), optimizer, 1e-5, 1e-2, 30)
    partial = stopped.value.partial
    assert isinstance(partial, LrRange)
    assert partial.losses.shape == (2, 30)
    assert partial.losses[0].isfinite().all()
    assert partial.losses[1].isfinite().sum() == 19
    assert json.loads(json.dumps(partial.to_dict()))["losses"][1][19:] == [None] * 11
    assert optimizer.param_groups[0]["lr"] == 1e-3


def test_a_stop_before_the_first_step_is_told() -> None:
    surface = bowl()

    def stops(model: nn.Module, batch: Any) -> Tensor:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted) as stopped:
        lr_range(Surface(surface.model, stops, torch.zeros(1)), optim.SGD(surface.model.parameters()))
    assert stopped.value.partial.describe() == "No learning rate was tried."


def test_nonsense_is_refused() -> None:
    surface = bowl()
    optimizer = optim.SGD(surface.model.parameters(), lr=0.1)
    for options, message in [
        ({"steps": 5}, "steps must be a whole number, 10 or more"),
        ({"repeats": 0}, "repeats must be a whole number, 1 or more"),
        ({"start": 0.0}, "start must be a number in"),
        ({"start": math.nan}, "start must be a number in"),
        ({"start": 1.0, "end": 0.1}, "end must be a number in"),
        ({"seed": -1}, "seed must be a whole number, 0 or more"),
    ]:
        with pytest.raises(UserError, match=f"lr_range: {message}"):
            lr_range(surface, optimizer, **options)
    other = nn.Linear(1, 1)
    with pytest.raises(UserError, match=r"SGD holds none of the model's parameters; make it of model\.param"):
        lr_range(surface, optim.SGD(other.parameters(), lr=0.1))
    with pytest.raises(UserError, match="the optimizer is a Linear"):
        lr_range(surface, other)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="every learning rate of SGD is 0"):
        lr_range(surface, optim.SGD(surface.model.parameters(), lr=0.0))
    optimizer.param_groups[0].pop("lr")
    with pytest.raises(UserError, match="SGD has no learning rate"):
        lr_range(surface, optimizer)


def test_a_run_that_left_without_a_fall_before_is_not_said_to_have_reached_the_end() -> None:
    surface = function(lambda x: x**2, (0.1,))  # beyond a rate of 1 every step is away from the minimum
    optimizer = optim.SGD(surface.model.parameters(), lr=1.0)
    found = lr_range(surface, optimizer, 1.5, 100.0, 30, repeats=2)
    assert len(found.lrs) < 30
    assert found.suggestion is None
    assert found.diverges_at is not None
    assert "end of the sweep" not in found.describe()


def test_a_sweep_that_was_stopped_did_not_reach_its_end() -> None:
    surface = function(lambda x: x**2, (0.1,))
    optimizer = optim.SGD(surface.model.parameters(), lr=1.0)
    passes = 0

    def loss(model: nn.Module, batch: Any) -> Tensor:
        nonlocal passes
        passes += 1
        if passes == 15:
            raise KeyboardInterrupt
        return surface.terms["loss"](model, batch)

    with pytest.raises(Interrupted) as stopped:
        lr_range(Surface(surface.model, loss, torch.zeros(1)), optimizer, 1e-9, 1e-6, 30)
    assert not stopped.value.partial.complete
    assert "where the sweep was stopped" in stopped.value.partial.describe()


def test_a_rise_at_the_start_is_chance_where_the_loss_falls_below_it_later() -> None:
    lrs = np.geomspace(1e-6, 1.0, 40)
    losses = 1.4 - 0.4 * np.exp(-2 * (np.log10(lrs) + 1.5) ** 2) + np.where(lrs > 0.2, 8 * lrs, 0.0)
    losses += 0.01 * np.random.default_rng(0).standard_normal(40)
    losses[:3] -= 0.15
    fall, rise = _read(lrs, losses, np.empty(40), left=True)
    assert fall is not None
    assert rise is not None
    assert 1e-3 < fall < 0.03
    assert 0.02 < rise < 0.3
