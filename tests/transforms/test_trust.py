"""The trust ratio: each tensor by itself, in every engine, around any algorithm that takes a step."""

import math

import pytest
import torch
from torch import nn

from thalweg import optim, transforms

ENGINES = pytest.mark.parametrize("engine", ["reference", "fused", "compiled"])


def pair(dtype: torch.dtype = torch.float64) -> list[nn.Parameter]:
    params = [nn.Parameter(torch.tensor(x, dtype=dtype)) for x in ([[3.0, 4.0]], [0.6, 0.0, 0.8])]
    params[0].grad = torch.tensor([[0.0, 100.0]], dtype=dtype)
    params[1].grad = torch.tensor([1e-3, 0.0, 0.0], dtype=dtype)
    return params


@ENGINES
@pytest.mark.parametrize(
    ("bounds", "lengths"),
    [((0.0, math.inf), (5.0, 1.0)), ((2.0, 4.0), (4.0, 2.0)), ((0.0, 0.5), (0.5, 0.5))],
)
def test_each_tensor_moves_by_its_own_length(bounds, lengths, engine) -> None:
    params = pair()
    optim.SGD(params, lr=0.1, transforms=[transforms.trust_ratio(bounds)], engine=engine).step()
    a, b = lengths
    expected = [[3.0, 4.0 - 0.1 * a]], [0.6 - 0.1 * b, 0.0, 0.8]
    for p, values in zip(params, expected, strict=True):
        torch.testing.assert_close(p.detach(), torch.tensor(values, dtype=torch.float64))


@ENGINES
def test_the_scale_of_the_gradient_has_no_effect(engine) -> None:
    found = []
    for scale in (1.0, 1e-6, 1e6):
        params = pair()
        optimizer = optim.SGD(
            params, lr=0.1, momentum=0.5, transforms=[transforms.trust_ratio()], engine=engine
        )
        for _ in range(3):
            for p, q in zip(params, pair(), strict=True):
                p.grad = scale * (q.grad + q.detach())
            optimizer.step()
        found.append([p.detach() for p in params])
    for other in found[1:]:
        torch.testing.assert_close(found[0], other, rtol=1e-12, atol=0)


def test_it_sees_the_gradient_after_the_clip_and_the_step_after_momentum() -> None:
    params = pair()
    layers = [transforms.clip_value(1.0), transforms.trust_ratio()]
    optimizer = optim.SGD(params, lr=0.1, momentum=0.9, transforms=layers)
    optimizer.step()
    torch.testing.assert_close(params[0].detach(), torch.tensor([[3.0, 3.5]], dtype=torch.float64))
    params[0].grad = torch.tensor(
        [[-2.0, 0.0]], dtype=torch.float64
    )  # clipped to -1; momentum adds 0.9 of (0, 1)
    length, step = math.hypot(3.0, 3.5), torch.tensor([[-1.0, 0.9]], dtype=torch.float64)
    optimizer.step()
    moved = torch.tensor([[3.0, 3.5]], dtype=torch.float64) - 0.1 * length * step / step.norm()
    torch.testing.assert_close(params[0].detach(), moved)


def test_the_plan_names_it_and_the_pass_that_it_costs() -> None:
    text = optim.LAMB(pair(), bounds=(0.0, 10.0)).explain()
    assert "decoupled(weight_decay=0.01) -> trusted(bound1=0, bound2=10) -> descend" in text
    assert text.endswith("reads the gradients once more for trusted")


def test_what_cannot_be_is_refused() -> None:
    for bounds, place in (((-1.0, 2.0), "0"), ((0.0, math.nan), "1"), ((0.0, 0.0), "1")):
        with pytest.raises(
            ValueError, match=rf"trust_ratio: bounds\[{place}\] must be a number in [\[(]0, inf"
        ):
            transforms.trust_ratio(bounds)
    with pytest.raises(ValueError, match="trust_ratio: bounds must be a pair of numbers, got 10"):
        transforms.trust_ratio(10)  # type: ignore[arg-type]
    with pytest.raises(
        ValueError, match="lars moves the parameter itself: it takes no transform of the step"
    ):
        optim.LARS(pair(), transforms=[transforms.trust_ratio()])
