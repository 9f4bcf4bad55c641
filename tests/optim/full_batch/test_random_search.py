"""Random search: what is drawn, what is kept, and how badly it does."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.optim.full_batch.problems import Closure, Quadratic, parts, rosenbrock, run, state_of, values
from thalweg import optim


def candidates_of(optimizer, steps=1):
    """The points at which the loss is evaluated, and a loss that never improves."""
    seen = []

    def closure():
        seen.append(values(optimizer.param_groups[0]["params"]))
        return float(len(seen))

    for _ in range(steps):
        optimizer.step(closure)
    return np.array(seen)


@pytest.mark.parametrize(("local", "center"), [(True, 5.0), (False, 0.0)])
def test_candidates_are_normal_around_their_center(local, center):
    p = nn.Parameter(torch.full((400,), 5.0, dtype=torch.float64))
    seen = candidates_of(optim.RandomSearch([p], lr=0.3, candidates=20, local=local))
    drawn = seen[1:] - center
    assert (seen[0] == 5).all()
    assert drawn.mean() == pytest.approx(0, abs=4 * 0.3 / np.sqrt(8000))
    assert drawn.std() == pytest.approx(0.3, rel=4 / np.sqrt(16000))
    assert abs(np.mean((drawn / 0.3) ** 4) - 3) < 0.4  # a normal's fourth moment
    assert (p == 5).all()  # none was better


def test_the_best_candidate_is_kept_and_the_next_are_around_it():
    loss = Quadratic()
    optimizer = optim.RandomSearch(parts(loss.start), lr=0.1, candidates=6)
    seen = []
    closure = Closure(optimizer, loss)

    def watched():
        out = closure()
        seen.append((out.item(), values(optimizer.param_groups[0]["params"])))
        return out

    for _ in range(5):
        seen.clear()
        optimizer.step(watched)
        assert len(seen) == 7
        best = min(seen, key=lambda pair: pair[0])[1]
        assert np.array_equal(values(optimizer.param_groups[0]["params"]), best)


def test_seeds_and_steps_draw_other_numbers_and_the_same_again():
    def draw(seed):
        return candidates_of(optim.RandomSearch([nn.Parameter(torch.zeros(3))], candidates=2, seed=seed), 3)

    rows = {tuple(row) for seed in range(4) for row in draw(seed)[[1, 2, 4, 5, 7, 8]]}
    assert len(rows) == 24
    assert np.array_equal(draw(2), draw(2))


def test_torch_s_own_random_numbers_are_left_alone():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    run(optim.RandomSearch(parts(Quadratic().start)), Quadratic(), 2)
    assert torch.equal(torch.rand(2), expected)


def test_no_gradient_is_needed_and_none_made():
    p = nn.Parameter(torch.ones(4))
    optimizer = optim.RandomSearch([p], lr=0.5)
    with torch.no_grad():
        losses = [optimizer.step(lambda: (p.detach() ** 2).sum()).item() for _ in range(30)]
    assert losses[-1] < 0.2 * losses[0]
    assert p.grad is None
    assert state_of(optimizer)["func_evals"] == 30 * 11


def test_a_candidate_that_is_not_finite_is_never_kept():
    p = nn.Parameter(torch.tensor([1.0]))
    optimizer = optim.RandomSearch([p], lr=3.0, candidates=50)
    for bad in (float("nan"), float("-inf")):
        optimizer.step(lambda bad=bad: torch.where(p[0] > 0, p[0] ** 2, bad))
        assert 0 < p.item() <= 1


def test_it_does_far_worse_than_the_gradient_as_the_document_says():
    loss = Quadratic(30, 10, seed=1)
    found = []
    for cls, options in (
        (optim.RandomSearch, {"candidates": 1, "lr": 0.3}),
        (optim.GradientDescent, {"lr": 0.15}),
    ):
        params = parts(loss.start, [(30,)])
        optimizer = cls(params, **options)
        run(optimizer, loss, 30)
        found.append(loss(params[0]).item())
    assert found[1] < 0.01 * found[0]


def test_it_reaches_the_end_of_the_valley_by_many_evaluations():
    optimizer = optim.RandomSearch(parts([-1.2, 1.0], [(2,)]), lr=0.2, seed=3)
    np.testing.assert_allclose(run(optimizer, rosenbrock, 100), [1, 1], atol=0.05)
    assert state_of(optimizer)["func_evals"] == 1100
