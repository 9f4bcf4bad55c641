"""The comparisons that hold a formula in place: each runs an optimizer beside an independent computation.

They are run by `test_papers.py` on the engines, and by `test_mutants.py` on every mutant of every rule.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from tests.optim.network import drawn, learned
from tests.optim.papers import PAPERS
from tests.optim.shelf import MATRIX, STATES, VARIANTS, Bowl, feed, join, make, parameters
from thalweg import optim, transforms
from thalweg.engine.plan import Transform
from thalweg.optim.learned import network

STEPS = 12
Check = Callable[[str], None]


def against_paper(name: str, variant: str, engine: str) -> None:
    """Parameters and states follow the paper's, step by step."""
    bowl = Bowl(STEPS)
    params = parameters(bowl.start)
    optimizer = make(name, params, VARIANTS[name][variant], engine=engine)
    p, states, options = bowl.start, {}, optimizer.param_groups[0]
    for t in range(1, STEPS + 1):
        optimizer.step(feed(params, bowl, t))
        sign = -1 if options["maximize"] else 1
        p = PAPERS[name](options, p, lambda x, t=t, sign=sign: sign * bowl.gradient(x, t), states, t)
        close(join(params), p, t)
        kept = [optimizer.state[q] for q in params]
        assert {k for k in STATES[name] if any(k in state for state in kept)} == set(states)
        for key, expected in states.items():
            close(join([state[key] for state in kept if key in state]), expected, t)


def close(actual: np.ndarray, expected: np.ndarray, t: int) -> None:
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-13, err_msg=f"step {t}")


def wrapped(
    transform: Callable[[], Any], gradient: Any, step: Any, param: Any, engine: str, lr: float = 0.1
) -> None:
    """A transform on SGD with momentum: what it does to the gradient, the step and the parameter."""
    bowl = Bowl(STEPS)
    params = parameters(bowl.start)
    optimizer = optim.SGD(params, lr=lr, momentum=0.5, transforms=[transform()], engine=engine)
    p, v = bowl.start, np.zeros_like(bowl.start)
    for t in range(1, STEPS + 1):
        optimizer.step(feed(params, bowl, t))
        v = 0.5 * v + gradient(p, bowl.gradient(p, t))
        p = param(p - lr * step(p, v), lr)
        close(join(params), p, t)


def same(p: np.ndarray, x: Any) -> np.ndarray:
    return x


def left(p: np.ndarray, lr: float) -> np.ndarray:
    return p


def clips_by_norm(engine: str) -> None:
    """Long gradients are cut to the norm, short ones pass; the run sees both."""
    seen = set()

    def gradient(p: np.ndarray, g: np.ndarray) -> np.ndarray:
        norm = np.linalg.norm(g)
        seen.add(norm > 4)
        return 4 * g / norm if norm > 4 else g

    wrapped(lambda: transforms.clip_norm(4.0), gradient, same, left, engine)
    assert seen == {True, False}


def soft(p: np.ndarray, lr: float) -> np.ndarray:
    """The elastic net's proximal point, found per element by cases."""
    threshold = lr * 0.3
    moved = np.where(p > threshold, p - threshold, np.where(p < -threshold, p + threshold, 0.0))
    return moved / (1 + 2 * lr * 0.2)


def penalty_at_zero(engine: str) -> None:
    """The subgradient of |p| at zero is zero: only the loss moves such a weight."""
    p = torch.nn.Parameter(torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64))
    optimizer = optim.SGD([p], lr=0.1, transforms=[transforms.l1_penalty(0.3)], engine=engine)
    p.grad = torch.tensor([0.0, 0.2, 0.0], dtype=torch.float64)
    optimizer.step()
    close(join([p]), np.array([0, -0.02, 0.97]), 1)


def guard_skips(engine: str) -> None:
    """A step with an infinity or a NaN leaves no trace; the others are as without a guard."""
    bowl = Bowl(STEPS)
    runs = []
    for guarded in (True, False):
        params = parameters(bowl.start)
        layers = [transforms.guard("skip")] if guarded else []
        optimizer = optim.Adam(params, lr=0.1, transforms=layers, engine=engine)
        for t in range(1, STEPS + 1):
            feed(params, bowl, t)()
            if t in (3, 5):
                if not guarded:
                    continue
                params[1].grad[0, 0] = {3: np.nan, 5: np.inf}[t]
            optimizer.step()
        runs.append(join(params))
    close(runs[0], runs[1], STEPS)


def guard_counts(engine: str) -> None:
    """The error names the parameter and how many of its elements are affected."""
    params = parameters(Bowl(1).start)
    optimizer = optim.SGD(params, lr=0.1, transforms=[transforms.guard()], engine=engine)
    feed(params, Bowl(1), 1)()
    params[1].grad[0, :3] = torch.tensor([np.nan, -np.inf, np.inf])
    with pytest.raises(FloatingPointError, match=r"parameter 1 of group 0, shape \(2, 4\) \(3 elements\);"):
        optimizer.step()
    close(join(params), Bowl(1).start, 0)


def variance_of_a_constant(engine: str) -> None:
    """Rounding would make a centered RMSprop's variance of a constant gradient negative: never a NaN."""
    p = torch.nn.Parameter(torch.linspace(0.1, 3, 64))
    optimizer = optim.RMSprop([p], lr=1e-3, alpha=0.5, centered=True, eps=1.0, engine=engine)
    start = p.detach().clone()
    for t in range(1, 61):
        p.grad = start.clone()
        optimizer.step()
        assert torch.isfinite(p).all(), t


def agreement_of_faint_gradients(engine: str) -> None:
    """Rprop looks at signs: two gradients whose product underflows agree or disagree all the same."""
    p = torch.nn.Parameter(torch.zeros(2, dtype=torch.float64))
    optimizer = optim.Rprop([p], lr=0.1, engine=engine)
    for second in (1e-200, -1e-200):
        p.grad = torch.tensor([1e-200, second], dtype=torch.float64)
        optimizer.step()
    close(join([p]), np.array([-0.22, -0.1]), 2)


def another_network(engine: str) -> None:
    """The learned optimizer's rule, with weights by which every unit and both bounds of the rate are met."""
    for seed, rate in ((0, 0.2), (2, 1.4)):
        weights, bowl = drawn(seed, rate), Bowl(STEPS)
        layer = Transform(network, on="step", options=weights)
        params = parameters(bowl.start)
        optimizer = optim.SGD(params, lr=0.5, transforms=[layer], engine=engine)
        p, states, options = bowl.start, {}, {"lr": 0.5, "weight_decay": 0}
        for t in range(1, STEPS + 1):
            optimizer.step(feed(params, bowl, t))
            p = learned(options, p, lambda x, t=t, bowl=bowl: bowl.gradient(x, t), states, t, weights)
            close(join(params), p, t)


def no_length(make_one: Callable[..., Any], engine: str) -> None:
    """A tensor that is zero, or does not move, has no ratio of lengths: its step is left as it is."""
    zero, still = (torch.nn.Parameter(torch.tensor(x, dtype=torch.float64)) for x in ([0.0] * 3, [3.0, 4.0]))
    optimizer = make_one([zero, still], lr=0.1, engine=engine)
    zero.grad, still.grad = torch.tensor([1.0, 2.0, -2.0], dtype=torch.float64), torch.zeros_like(still)
    optimizer.step()
    close(join([zero, still]), np.array([-0.1, -0.2, 0.2, 3.0, 4.0]), 1)


CHECKS: dict[str, Check] = {
    f"{name}-{variant}": partial(against_paper, name, variant) for name, variant in MATRIX
}
CHECKS |= {
    "clip_value": partial(
        wrapped, lambda: transforms.clip_value(0.7), lambda p, g: np.clip(g, -0.7, 0.7), same, left
    ),
    "clip_norm": clips_by_norm,
    "coupled_decay": partial(
        wrapped, lambda: transforms.coupled_decay(0.3), lambda p, g: g + 0.3 * p, same, left
    ),
    "decoupled_decay": partial(
        wrapped, lambda: transforms.decoupled_decay(0.3), same, lambda p, v: v + 0.3 * p, left
    ),
    "l1_penalty": partial(
        wrapped, lambda: transforms.l1_penalty(0.3), lambda p, g: g + 0.3 * np.sign(p), same, left
    ),
    "elastic_net_penalty": partial(
        wrapped,
        lambda: transforms.elastic_net_penalty(0.3, 0.2),
        lambda p, g: g + 0.3 * np.sign(p) + 0.4 * p,
        same,
        left,
    ),
    "elastic_net_prox": partial(wrapped, lambda: transforms.elastic_net_prox(0.3, 0.2), same, same, soft),
    "another_network": another_network,
    "penalty_at_zero": penalty_at_zero,
    "guard_skips": guard_skips,
    "guard_counts": guard_counts,
    "variance_of_a_constant": variance_of_a_constant,
    "no_length_in_lars": partial(no_length, partial(optim.LARS, weight_decay=0.0)),
    "no_length_in_a_trust_ratio": partial(
        no_length, lambda params, **more: optim.SGD(params, transforms=[transforms.trust_ratio()], **more)
    ),
    "agreement_of_faint_gradients": agreement_of_faint_gradients,
}
