import copy

import pytest
import torch

from thalweg import transforms
from thalweg.engine.ops import sqrt
from thalweg.engine.optimizer import Optimizer
from thalweg.engine.plan import Transform
from thalweg.engine.rule import formula, rule
from thalweg.engine.tensor_rule import tensor_rule
from thalweg.errors import UserError

ENGINES = ("reference", "fused")


@formula
def p_squared(p, g):
    return p * p


@formula
def g_squared(p, g):
    return g * g


@formula
def scaled_by_time(p, g, last, *, t):
    return g * last * t


@rule(sums={"p2": p_squared, "g2": g_squared}, over="tensor")
def ratio(p, g, *, p2, g2):
    """The gradient at the length of its parameter."""
    return g * (sqrt(p2) / sqrt(g2))


@rule(sums={"p2": p_squared}, over="all")
def shared(p, g, *, p2):
    return g / p2


@rule(states={"last": "last", "shift": "shift"}, sums={"h": scaled_by_time}, over="group")
def adapted(p, g, last, *, rate, shift, h, t):
    """A rate that moves along the product of two gradients that follow each other."""
    moved = shift + rate * h
    return g * (1 + moved), g, moved


@tensor_rule(shapes=lambda shape: {"rows": (*shape[:-1], 1)} if len(shape) > 1 else {"every": tuple(shape)})
def by_row(p, g, state, *, decay):
    (key,) = state
    square = (g * g).mean(-1, keepdim=True) if key == "rows" else g * g
    new = decay * state[key] + (1 - decay) * square
    return g / new.sqrt(), {key: new}


@rule()
def plain(p, g):
    return g


class Made(Optimizer):
    """An optimizer of one rule; a group may bring another."""

    own = None

    def __init__(self, params, transforms=(), engine=None):
        super().__init__(params, {"lr": 0.1, "rate": 0.5, "decay": 0.9}, transforms, engine)

    def algorithm(self, group):
        return group.get("own", self.own), ()


class Ratio(Made):
    own = ratio


class Shared(Made):
    own = shared


class Adapted(Made):
    own = adapted


class ByRow(Made):
    own = by_row


class Plain(Made):
    own = plain


def parameters(*shapes, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    params = [torch.nn.Parameter(torch.randn(s, generator=generator, dtype=dtype)) for s in shapes]
    for p in params:
        p.grad = torch.randn(p.shape, generator=generator, dtype=dtype)
    return params


@pytest.mark.parametrize("engine", ENGINES)
def test_each_tensor_has_its_own_sums(engine):
    params = parameters((3, 4), (70001,), (), (2,))
    expected = [p.detach() - 0.1 * p.grad * p.detach().norm() / p.grad.norm() for p in params]
    Ratio(params, engine=engine).step()
    for p, right in zip(params, expected, strict=True):
        torch.testing.assert_close(p.detach(), right, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_sum_over_all_spans_groups_and_dtypes(engine):
    params = [*parameters((3,), (5,)), *parameters((4,), dtype=torch.float32)]
    whole = sum(float((p.detach().double() ** 2).sum()) for p in params)
    expected = [p.detach() - 0.1 * p.grad / whole for p in params]
    groups = [{"params": params[:1]}, {"params": params[1:], "lr": 0.1}]
    Shared(groups, engine=engine).step()
    for p, right in zip(params, expected, strict=True):
        torch.testing.assert_close(
            p.detach(), right, rtol=1e-6 if p.dtype == torch.float32 else 1e-13, atol=0
        )


@pytest.mark.parametrize("engine", ENGINES)
def test_a_sum_over_a_group_and_a_number_that_is_kept(engine):
    params = parameters((3,), (2, 2), (4,))
    groups = [{"params": params[:2], "rate": 0.5}, {"params": params[2:], "rate": 0.25}]
    optimizer = Adapted(groups, engine=engine)
    shift, last = [0.0, 0.0], [torch.zeros_like(p) for p in params]
    for t in (1, 2, 3):
        for i, p in enumerate(params):
            p.grad = torch.sin(p.detach() + t + i)
        for group, rate, own in ((0, 0.5, (0, 1)), (1, 0.25, (2,))):
            shift[group] += rate * t * sum(float((params[i].grad * last[i]).sum()) for i in own)
        place = (0, 0, 1)
        expected = [p.detach() - 0.1 * p.grad * (1 + shift[k]) for p, k in zip(params, place, strict=True)]
        last = [p.grad for p in params]
        optimizer.step()
        for p, k, right in zip(params, place, expected, strict=True):
            torch.testing.assert_close(p.detach(), right, rtol=1e-12, atol=0)
            assert optimizer.state[p]["shift"].item() == pytest.approx(shift[k], rel=1e-12)
            assert optimizer.state[p]["shift"].dtype == torch.float64


@pytest.mark.parametrize("engine", ENGINES)
def test_numbers_are_saved_by_themselves_and_resumed_bit_for_bit(engine, tmp_path):
    params = parameters((3,), (2, 2))
    optimizer = Adapted(params, engine=engine)
    for _ in range(3):
        optimizer.step()
    saved = optimizer.state_dict()
    assert saved["state"][0]["shift"].untyped_storage().nbytes() == 8
    torch.save(saved, tmp_path / "o.pt")
    twins = [torch.nn.Parameter(p.detach().clone()) for p in params]
    other = Adapted(twins, engine=engine)
    other.load_state_dict(torch.load(tmp_path / "o.pt"))
    third = copy.deepcopy(optimizer)
    for _ in range(2):
        for p, q, r in zip(params, twins, third.param_groups[0]["params"], strict=True):
            q.grad, r.grad = p.grad.clone(), p.grad.clone()
        optimizer.step(), other.step(), third.step()
    for p, q, r in zip(params, twins, third.param_groups[0]["params"], strict=True):
        assert torch.equal(p, q)
        assert torch.equal(p, r)
        assert optimizer.state[p]["shift"] == other.state[q]["shift"] != 0


def test_a_number_that_is_replaced_is_noticed():
    (p,) = parameters((3,))
    optimizer = Adapted([p])
    optimizer.step()
    optimizer.state[p]["shift"] = torch.tensor(2.0, dtype=torch.float64)
    optimizer.state[p]["last"].zero_()
    before = p.detach().clone()
    optimizer.step()
    torch.testing.assert_close(p.detach(), before - 0.3 * p.grad, rtol=1e-13, atol=0)


@pytest.mark.parametrize("engine", ENGINES)
def test_sums_of_a_later_stage_see_the_earlier_ones(engine):
    params = parameters((3, 4), (6,))
    norm = float(torch.cat([p.grad.flatten() for p in params]).norm())
    halved = Transform(ratio, on="grad")
    expected = [
        p.detach() - 0.1 * (p.grad / norm) * p.detach().norm() / (p.grad / norm).norm() for p in params
    ]
    Plain(params, [transforms.clip_norm(1.0), halved], engine=engine).step()
    for p, right in zip(params, expected, strict=True):
        torch.testing.assert_close(p.detach(), right, rtol=1e-12, atol=0)


def test_a_group_without_the_stage_takes_no_part_in_it():
    params = parameters((3,), (4,))
    groups = [{"params": params[:1], "own": ratio}, {"params": params[1:], "own": plain}]
    one, two = (p.detach().clone() for p in params)
    Plain(groups, [transforms.clip_norm(1e9)]).step()
    torch.testing.assert_close(
        params[0].detach(), one - 0.1 * params[0].grad * one.norm() / params[0].grad.norm()
    )
    torch.testing.assert_close(params[1].detach(), two - 0.1 * params[1].grad)


def test_a_rule_for_whole_tensors_has_states_of_their_own_shapes(tmp_path):
    params = parameters((3, 4), (5,))
    expected = []
    for p in params:
        square = p.grad**2 if p.dim() == 1 else (p.grad**2).mean(-1, keepdim=True)
        expected.append(p.detach() - 0.1 * p.grad / (0.1 * square).sqrt())
    optimizer = ByRow(params)
    optimizer.step()
    for p, right in zip(params, expected, strict=True):
        torch.testing.assert_close(p.detach(), right, rtol=1e-13, atol=0)
    assert optimizer.state[params[0]]["rows"].shape == (3, 1)
    assert set(optimizer.state[params[1]]) == {"step", "every"}
    assert "reference" in optimizer.explain()
    other = ByRow(parameters((3, 4), (5,)))
    other.load_state_dict(optimizer.state_dict())
    assert torch.equal(
        other.state[other.param_groups[0]["params"][0]]["rows"], optimizer.state[params[0]]["rows"]
    )
    wrong = optimizer.state_dict()
    wrong["state"][0]["rows"] = torch.zeros(3, 4, dtype=torch.float64)
    with pytest.raises(UserError, match=r"rows of .* has shape \(3, 4\), not \(3, 1\)"):
        other.load_state_dict(wrong)


def test_what_sums_and_numbers_may_not_be():
    with pytest.raises(UserError, match="each is a scalar argument"):

        @rule(sums={"n": p_squared})
        def without(p, g):
            return g

    with pytest.raises(UserError, match="depends on elements"):

        @rule(states={"n": "n"})
        def mixed(p, g, *, n):
            return g, n * g

    with pytest.raises(UserError, match="scalars that are kept"):

        @rule(states={"k": "k"})
        def unknown(p, g, *, n):
            return g, n


@rule(sums={"s2": g_squared})
def unit(p, g, *, s2):
    """The step at length 1, over everything."""
    return g / sqrt(s2)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_sum_over_all_waits_for_the_group_that_is_behind(engine):
    params = parameters((3,), (4,))
    groups = [{"params": params[:1], "own": plain}, {"params": params[1:], "own": ratio}]
    steps = [params[0].grad, params[1].grad * params[1].detach().norm() / params[1].grad.norm()]
    length = torch.cat(steps).norm()
    expected = [p.detach() - 0.1 * s / length for p, s in zip(params, steps, strict=True)]
    Plain(groups, [Transform(unit, on="step")], engine=engine).step()
    for p, right in zip(params, expected, strict=True):
        torch.testing.assert_close(p.detach(), right, rtol=1e-12, atol=0)
