"""Twins of torch.optim: same constructor, same trajectory."""

import inspect

import pytest
import torch

from tests.optim.shelf import IDS, MATRIX, STATES, TWINS, VARIANTS, Bowl, feed, join, parameters
from thalweg import optim

STEPS = 100
OWN = {"transforms", "engine"}
PAIRS = [pytest.param(*pair, id=name) for pair, name in zip(MATRIX, IDS, strict=True) if pair[0] in TWINS]


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("engine", ["reference", "fused"])
@pytest.mark.parametrize(("name", "variant"), PAIRS)
def test_the_trajectory_is_that_of_torch(name: str, variant: str, engine: str) -> None:
    bowl, options = Bowl(STEPS, seed=1), VARIANTS[name][variant]
    ours, theirs = parameters(bowl.start), parameters(bowl.start)
    mine = getattr(optim, name)(ours, **options, engine=engine)
    twin = getattr(torch.optim, name)(theirs, **options)
    for t in range(1, STEPS + 1):
        feed(theirs, bowl, t)()  # the same gradients for both
        for p, q in zip(ours, theirs, strict=True):
            p.grad = q.grad.clone()
        mine.step()
        twin.step()
        for p, q in zip(ours, theirs, strict=True):
            torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-13)
            for key in STATES[name]:
                assert (mine.state[p].get(key) is None) == (twin.state[q].get(key) is None)
                if mine.state[p].get(key) is not None:
                    torch.testing.assert_close(mine.state[p][key], twin.state[q][key], rtol=1e-12, atol=1e-13)
    assert abs(join(ours) - bowl.start).max() > 0.1  # it went somewhere


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("name", TWINS)
def test_default_options_give_the_trajectory_of_torch(name: str) -> None:
    bowl = Bowl(STEPS, seed=2)
    ours, theirs = parameters(bowl.start), parameters(bowl.start)
    mine, twin = getattr(optim, name)(ours), getattr(torch.optim, name)(theirs)
    for t in range(1, STEPS + 1):
        feed(theirs, bowl, t)()
        for p, q in zip(ours, theirs, strict=True):
            p.grad = q.grad.clone()
        mine.step()
        twin.step()
    for p, q in zip(ours, theirs, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", TWINS)
def test_the_constructor_is_that_of_torch(name: str) -> None:
    mine = inspect.signature(getattr(optim, name)).parameters
    theirs = inspect.signature(getattr(torch.optim, name)).parameters
    assert [p for p in mine if p not in OWN] == list(theirs)
    for key, parameter in theirs.items():
        assert mine[key].kind == parameter.kind, key
        assert mine[key].default == parameter.default, key
    assert all(mine[key].kind == inspect.Parameter.KEYWORD_ONLY for key in OWN)


@pytest.mark.parametrize("name", TWINS)
def test_the_groups_hold_the_options_that_torch_puts_there(name: str) -> None:
    p = torch.nn.Parameter(torch.zeros(2))
    mine, theirs = (getattr(m, name)([p]).param_groups[0] for m in (optim, torch.optim))
    assert {k: v for k, v in mine.items() if k != "params"} == {
        k: v for k, v in theirs.items() if k != "params"
    }


def test_float32_follows_torch_closely() -> None:
    """In float32 the twins differ by rounding only: a few units in the last place of the step."""
    bowl = Bowl(30, seed=3)
    ours, theirs = parameters(bowl.start, torch.float32), parameters(bowl.start, torch.float32)
    mine, twin = optim.AdamW(ours, lr=0.01), torch.optim.AdamW(theirs, lr=0.01)
    for t in range(1, 31):
        feed(theirs, bowl, t)()
        for p, q in zip(ours, theirs, strict=True):
            p.grad = q.grad.clone()
        mine.step()
        twin.step()
    for p, q in zip(ours, theirs, strict=True):
        torch.testing.assert_close(p, q, rtol=2e-6, atol=2e-7)
