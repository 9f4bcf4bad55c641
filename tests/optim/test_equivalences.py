"""Degenerate cases are equivalences: one algorithm with a part switched off is another."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from tests.optim.shelf import Bowl, feed, join, parameters
from thalweg import optim, transforms
from thalweg.errors import UserError

STEPS = 40
Make = Callable[[Any], Any]


def path(make: Make) -> np.ndarray:
    """The parameters after each of `STEPS` steps on the bowl."""
    bowl = Bowl(STEPS, seed=4)
    params = parameters(bowl.start)
    optimizer, rows = make(params), []
    for t in range(1, STEPS + 1):
        optimizer.step(feed(params, bowl, t))
        rows.append(join(params))
    return np.array(rows)


def doubled(p: Any) -> Any:
    return optim.SGD(p, lr=0.1, momentum=0.5, transforms=[transforms.coupled_decay(0.6)])


def late(optimizer: Any) -> Any:
    """The optimizer as after 2000 steps without a gradient: every bias correction is 1."""
    for p in optimizer.param_groups[0]["params"]:
        optimizer.state[p] = optimizer.states_of(optimizer.param_groups[0], p)
        optimizer.state[p]["step"].fill_(2000.0)
    return optimizer


PAIRS: dict[str, tuple[Make, Make]] = {
    "heavy ball without momentum is SGD": (
        lambda p: optim.Momentum(p, lr=0.1, momentum=0),
        lambda p: optim.SGD(p, lr=0.1),
    ),
    "look-ahead without momentum is SGD": (
        lambda p: optim.Nesterov(p, lr=0.1, momentum=0),
        lambda p: optim.SGD(p, lr=0.1),
    ),
    "Momentum's sum is SGD's momentum": (
        lambda p: optim.Momentum(p, lr=0.1, momentum=0.7),
        lambda p: optim.SGD(p, lr=0.1, momentum=0.7),
    ),
    "the velocity convention walks the path of the sum": (
        lambda p: optim.Momentum(p, lr=0.1, momentum=0.7, convention="velocity"),
        lambda p: optim.Momentum(p, lr=0.1, momentum=0.7, convention="sum"),
    ),
    "the average convention does at lr / (1 - momentum)": (
        lambda p: optim.Momentum(p, lr=0.1 / 0.3, momentum=0.7, convention="average"),
        lambda p: optim.Momentum(p, lr=0.1, momentum=0.7, convention="sum"),
    ),
    "AdamW without decay is Adam": (
        lambda p: optim.AdamW(p, lr=0.1, weight_decay=0),
        lambda p: optim.Adam(p, lr=0.1),
    ),
    "Adam with decoupled decay is AdamW": (
        lambda p: optim.Adam(p, lr=0.1, weight_decay=0.3, decoupled_weight_decay=True),
        lambda p: optim.AdamW(p, lr=0.1, weight_decay=0.3),
    ),
    "decoupled decay around Adam is AdamW": (
        lambda p: optim.Adam(p, lr=0.1, transforms=[transforms.decoupled_decay(0.3)]),
        lambda p: optim.AdamW(p, lr=0.1, weight_decay=0.3),
    ),
    "coupled decay around Adam is Adam's own": (
        lambda p: optim.Adam(p, lr=0.1, transforms=[transforms.coupled_decay(0.3)]),
        lambda p: optim.Adam(p, lr=0.1, weight_decay=0.3),
    ),
    "for plain SGD coupled and decoupled decay are one": (
        lambda p: optim.SGD(p, lr=0.1, transforms=[transforms.decoupled_decay(0.3)]),
        lambda p: optim.SGD(p, lr=0.1, weight_decay=0.3),
    ),
    "an elastic net without L1 is coupled decay of twice its strength": (
        lambda p: optim.SGD(p, lr=0.1, momentum=0.5, transforms=[transforms.elastic_net_penalty(0, 0.3)]),
        doubled,
    ),
    "an elastic net without L2 is the lasso": (
        lambda p: optim.SGD(p, lr=0.1, transforms=[transforms.elastic_net_penalty(0.3, 0)]),
        lambda p: optim.SGD(p, lr=0.1, transforms=[transforms.l1_penalty(0.3)]),
    ),
    "a proximal step of strength 0 does nothing": (
        lambda p: optim.Adam(p, lr=0.1, transforms=[transforms.elastic_net_prox(0, 0)]),
        lambda p: optim.Adam(p, lr=0.1),
    ),
    "a clip beyond every gradient does nothing": (
        lambda p: optim.Adam(p, lr=0.1, transforms=[transforms.clip_value(1e9), transforms.clip_norm(1e9)]),
        lambda p: optim.Adam(p, lr=0.1),
    ),
    "RMSprop is Adam without momentum and bias correction": (
        lambda p: optim.RMSprop(p, lr=0.1, alpha=0.0, eps=0.1),
        lambda p: optim.Adam(p, lr=0.1, betas=(0.0, 0.0), eps=0.1),
    ),
    "Adagrad from a huge sum is SGD": (
        lambda p: optim.Adagrad(p, lr=0.1 * 1e10, initial_accumulator_value=1e20),
        lambda p: optim.SGD(p, lr=0.1),
    ),
    "Adadelta that forgets nothing and has seen nothing is SGD": (
        lambda p: optim.Adadelta(p, lr=0.1, rho=1.0),
        lambda p: optim.SGD(p, lr=0.1),
    ),
    "Adamax without memory moves as Adam without memory: by the sign": (
        lambda p: optim.Adamax(p, lr=0.1, betas=(0.0, 0.0), eps=0.1),
        lambda p: optim.Adam(p, lr=0.1, betas=(0.0, 0.0), eps=0.1),
    ),
    "RAdam whose v never averages 5 gradients, without momentum, is SGD": (
        lambda p: optim.RAdam(p, lr=0.1, betas=(0.0, 0.6)),
        lambda p: optim.SGD(p, lr=0.1),
    ),
    "RAdam after many steps is Adam": (
        lambda p: late(optim.RAdam(p, lr=0.1, betas=(0.8, 0.9), eps=0.1)),
        lambda p: late(optim.Adam(p, lr=0.1, betas=(0.8, 0.9), eps=0.1)),
    ),
    "RAdam's decoupled decay is the transform's": (
        lambda p: optim.RAdam(p, lr=0.1, weight_decay=0.3, decoupled_weight_decay=True),
        lambda p: optim.RAdam(p, lr=0.1, transforms=[transforms.decoupled_decay(0.3)]),
    ),
    "NAdam without momentum is Adam without momentum": (
        lambda p: optim.NAdam(p, lr=0.1, betas=(0.0, 0.9), eps=0.1),
        lambda p: optim.Adam(p, lr=0.1, betas=(0.0, 0.9), eps=0.1),
    ),
    "ASGD that neither decays nor averages is SGD": (
        lambda p: optim.ASGD(p, lr=0.1, lambd=0.0),
        lambda p: optim.SGD(p, lr=0.1),
    ),
    "ASGD at a constant rate is SGD with decay": (
        lambda p: optim.ASGD(p, lr=0.1, lambd=0.3, alpha=0.0),
        lambda p: optim.SGD(p, lr=0.1, weight_decay=0.3),
    ),
    "LARS without its local rates is momentum": (
        lambda p: optim.LARS(p, lr=0.1, momentum=0.7, weight_decay=0.3, adapt=False),
        lambda p: optim.SGD(p, lr=0.1, momentum=0.7, weight_decay=0.3),
    ),
    "LARS without momentum and decay is SGD with a trust ratio": (
        lambda p: optim.LARS(p, lr=5.0, momentum=0.0, weight_decay=0.0, trust_coefficient=0.02),
        lambda p: optim.SGD(p, lr=0.1, transforms=[transforms.trust_ratio()]),
    ),
    "LAMB without its ratio is AdamW": (
        lambda p: optim.LAMB(p, lr=0.1, eps=0.1, weight_decay=0.3, adapt=False),
        lambda p: optim.AdamW(p, lr=0.1, eps=0.1, weight_decay=0.3),
    ),
    "LAMB is AdamW with a trust ratio": (
        lambda p: optim.LAMB(p, lr=0.1, eps=0.1, weight_decay=0.3),
        lambda p: optim.AdamW(p, lr=0.1, eps=0.1, weight_decay=0.3, transforms=[transforms.trust_ratio()]),
    ),
    "LAMB's bias corrections end": (
        lambda p: late(optim.LAMB(p, lr=0.1, betas=(0.8, 0.9), eps=0.1)),
        lambda p: late(optim.LAMB(p, lr=0.1, betas=(0.8, 0.9), eps=0.1, bias_correction=False)),
    ),
    "SGDHD that learns no rate is SGD": (
        lambda p: optim.SGDHD(p, lr=0.1, hypergrad_lr=0.0),
        lambda p: optim.SGD(p, lr=0.1),
    ),
    "AdamHD that learns no rate is Adam": (
        lambda p: optim.AdamHD(p, lr=0.1, hypergrad_lr=0.0, weight_decay=0.3),
        lambda p: optim.Adam(p, lr=0.1, weight_decay=0.3),
    ),
    "AdamHD without momentum, at a huge eps, is SGDHD": (
        lambda p: optim.AdamHD(p, lr=1e19, betas=(0.0, 0.0), eps=1e20, hypergrad_lr=1e36),
        lambda p: optim.SGDHD(p, lr=0.1, hypergrad_lr=1e-4),
    ),
    "maximizing f is minimizing -f": (
        lambda p: optim.AdamW(p, lr=0.1, maximize=True),
        lambda p: Negated(p),
    ),
}


class Negated(optim.AdamW):
    """AdamW at lr 0.1 on the negative of every gradient."""

    def __init__(self, params: Any) -> None:
        super().__init__(params, lr=0.1)

    def step(self, closure: Any = None) -> Any:
        closure()
        for p in self.param_groups[0]["params"]:
            p.grad = -p.grad
        return super().step()


@pytest.mark.parametrize(("one", "other"), PAIRS.values(), ids=PAIRS)
def test_equivalence(one: Make, other: Make) -> None:
    np.testing.assert_allclose(path(one), path(other), rtol=1e-11, atol=1e-12)


def test_the_conventions_of_momentum_part_when_the_rate_changes() -> None:
    """ "velocity" keeps the old rate in what it has accumulated; "sum" rescales at once."""

    def run(convention: str) -> float:
        p = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
        optimizer = optim.Momentum([p], lr=0.1, momentum=0.5, convention=convention)
        for lr in (0.1, 0.01):
            optimizer.param_groups[0]["lr"] = lr
            p.grad = torch.ones(1, dtype=torch.float64)
            optimizer.step()
        return p.item()

    assert run("sum") == pytest.approx(-0.1 - 0.01 * 1.5)
    assert run("velocity") == pytest.approx(-0.1 - 0.05 - 0.01)


def test_the_look_ahead_points_are_the_iterates_of_sgd_nesterov() -> None:
    """Seen from the points where the gradient is taken, the two forms are one method."""
    bowl = Bowl(STEPS, seed=5)
    mine, twin = parameters(bowl.start), parameters(bowl.start)
    ahead = optim.Nesterov(mine, lr=0.05, momentum=0.8)
    torch_form = torch.optim.SGD(twin, lr=0.05, momentum=0.8, nesterov=True)
    seen, iterates = [], []
    for t in range(1, STEPS + 1):

        def closure(t: int = t) -> float:
            seen.append(join(mine))
            return feed(mine, bowl, t)()

        iterates.append(join(twin))
        ahead.step(closure)
        feed(twin, bowl, t)()
        torch_form.step()
    np.testing.assert_allclose(seen, iterates, rtol=1e-11, atol=1e-12)


def test_rprop_grows_its_steps_downhill_and_halves_them_past_the_minimum() -> None:
    p = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer, seen = optim.Rprop([p], lr=0.1), []
    for g in (-3.0, -0.2, -7.0, 0.5, 0.5, 0.5):
        p.grad = torch.tensor([g], dtype=torch.float64)
        before = p.item()
        optimizer.step()
        seen.append(p.item() - before)
    np.testing.assert_allclose(seen, [0.1, 0.12, 0.144, 0.0, -0.072, -0.0864], rtol=1e-12, atol=1e-15)


def test_the_look_ahead_puts_the_very_same_parameters_back() -> None:
    p = torch.nn.Parameter(torch.randn(100, generator=torch.Generator().manual_seed(0)))
    optimizer = optim.Nesterov([p], lr=0.1)
    seen = []

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        seen.append(p.detach().clone())
        loss = (p**2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    home = p.detach().clone()
    optimizer.param_groups[0]["lr"] = 0.0
    optimizer.state[p]["velocity"].mul_(0)
    optimizer.step(closure)
    assert torch.equal(p, home)
    assert torch.equal(seen[1], home)


def test_a_closure_that_fails_leaves_the_parameters_where_they_were() -> None:
    p = torch.nn.Parameter(torch.ones(3))
    optimizer = optim.Nesterov([p], lr=0.1)

    def closure() -> float:
        p.grad = torch.ones(3)
        return 0.0

    optimizer.step(closure)
    before = p.detach().clone()
    with pytest.raises(ZeroDivisionError):
        optimizer.step(lambda: 1 / 0)
    assert torch.equal(p, before)
    with pytest.raises(ValueError, match="needs a closure"):
        optimizer.step()


def test_the_look_ahead_of_a_parameter_that_has_grown_is_refused() -> None:
    p = torch.nn.Parameter(torch.ones(3))
    optimizer = optim.Nesterov([p], lr=0.1)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = (p**2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    p.data, p.grad = torch.ones(4), None
    with pytest.raises(UserError, match=r"has shape \(3,\), not \(4,\); after a change of size, delete its"):
        optimizer.step(closure)
    assert torch.equal(p, torch.ones(4))
