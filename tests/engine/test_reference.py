"""The reference engine: pure updates, differentiable, any dtype."""

import numpy as np
import torch

from tests.engine.probe import batch_of
from thalweg import transforms
from thalweg.engine import fused, reference
from thalweg.engine.plan import compose
from thalweg.optim.adam import adam
from thalweg.transforms.decay import COUPLED

VALUES = {"lr": 0.1, "t": 1, "beta1": 0.9, "beta2": 0.99, "eps": 1e-8, "weight_decay": 0.1}


def tensors(**more: torch.Tensor) -> dict[str, torch.Tensor]:
    p = torch.linspace(-1, 1, 5, dtype=torch.float64)
    return {"p": p, "g": p + 2, "exp_avg": torch.zeros_like(p), "exp_avg_sq": torch.zeros_like(p), **more}


def test_update_is_pure_and_returns_the_step() -> None:
    given = tensors()
    before = {k: v.clone() for k, v in given.items()}
    new = reference.update(compose(adam), given, VALUES, {})
    assert all(torch.equal(given[k], before[k]) for k in given)
    torch.testing.assert_close(new["p"], given["p"] - 0.1 * new["g"], rtol=1e-15, atol=0)
    torch.testing.assert_close(new["g"], torch.ones(5, dtype=torch.float64), rtol=1e-7, atol=0)


def test_two_unrolled_steps_have_the_gradient_of_finite_differences() -> None:
    """Meta-learning: the end point as a function of the start and of the gradients' scale."""
    program = compose(adam, (COUPLED,))

    def unrolled(start: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        env = tensors(p=start)
        for t in (1, 2):
            env["g"] = scale * torch.sin(3 * env["p"]) + 0.5
            env = reference.update(program, env, {**VALUES, "t": t}, {})
        return env["p"]

    start = torch.linspace(-1, 1, 5, dtype=torch.float64, requires_grad=True)
    scale = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(unrolled, (start, scale), atol=1e-6)


def test_sums_are_in_double_whatever_the_gradients() -> None:
    program = compose(adam, (transforms.clip_norm(1.0),))
    g = [torch.full((1000,), 1e25), torch.ones(7), torch.ones(())]
    zeros = [[torch.zeros_like(x) for x in g] for _ in range(3)]
    batch = batch_of(program, zeros[0], g, zeros[1], zeros[2], **VALUES)
    np.testing.assert_allclose(reference.total(batch, 0, {})["total"], [1e53, 7, 1], rtol=1e-6)


def test_each_reduction_sees_the_transforms_before_it_and_their_totals() -> None:
    program = compose(adam, (transforms.clip_norm(1.0), transforms.clip_norm(0.5)))
    g = torch.tensor([3.0, 4.0])
    batch = batch_of(program, [torch.zeros(2)], [g], [torch.zeros(2)], [torch.zeros(2)], **VALUES)
    for engine in (reference, fused):
        (first,) = engine.total(batch, 0, {})["total"]
        (second,) = engine.total(batch, 1, {0: [{"total": first}]})["total"]
        assert first == 25
        assert abs(second - 1) < 1e-6
