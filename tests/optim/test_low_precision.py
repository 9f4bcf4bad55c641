"""A low-precision run is the float32 run of the same gradients, bit for bit in its weights."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.optim.shelf import IDS, JOINT, MATRIX, VARIANTS, make
from thalweg import optim, transforms
from thalweg.engine.lowbits import join

RATES = (None, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7)  # None: the variant's own
SPECIAL = [0.0, -0.0, 1.0, -1.0, 1e-39, -1e-39, 2e-38, 3.3e38, -3.3e38, torch.inf, -torch.inf, torch.nan]
# Where a rate of 1e-6 does not mean steps of that order, what does.
GENTLE = {
    "Adadelta": {"lr": 1e-4},
    "Rprop": {"step_sizes": (0.0, 1e-6)},
    "LARS": {"lr": 1e-3},
    "Learned": {"lr": 1e-4},
}
ENGINES = pytest.mark.parametrize("engine", ["reference", "fused"])


def twins(dtype: torch.dtype, values: Tensor, name: str, options: dict[str, Any], **more: Any) -> Any:
    """The same weights at every rate, in low precision and in float32: parameters and optimizer of each."""
    for kind in (dtype, torch.float32):
        params = [nn.Parameter(values.to(dtype).to(kind)) for _ in RATES]
        groups = [
            {"params": [p], **({} if lr is None else {"lr": lr})} for p, lr in zip(params, RATES, strict=True)
        ]
        yield params, make(name, groups, options, **more)


def train(pairs: Any, dtype: torch.dtype, steps: int) -> None:
    """Steps with the same gradients, which are of low precision in both runs."""
    generator = torch.Generator().manual_seed(1)
    for _ in range(steps):
        g = torch.randn(len(pairs[0][0][0]), generator=generator).to(dtype)
        for params, optimizer in pairs:

            def closure(params=params, g=g) -> None:
                for p in params:
                    p.grad = g.to(p.dtype)

            optimizer.step(closure)


def weights(params: list[nn.Parameter], optimizer: Any) -> Tensor:
    return torch.stack([join(p.detach(), optimizer.state[p]["low_bits"]) for p in params])


def assert_same_bits(low: Tensor, full: Tensor) -> None:
    assert torch.equal(low.isnan(), full.isnan())
    number = ~full.isnan()
    assert torch.equal(low[number].view(torch.int32), full[number].view(torch.int32))


@pytest.mark.parametrize(("name", "variant"), MATRIX, ids=IDS)
@ENGINES
def test_a_bfloat16_run_is_the_float32_run(name, variant, engine) -> None:
    """At all rates, of either sign, at zero, among subnormals, near the largest number and beyond."""
    special = [x for x in SPECIAL if abs(x) < 1e38] if name in JOINT else SPECIAL
    values = torch.cat([torch.tensor(special), torch.randn(90, generator=torch.Generator().manual_seed(0))])
    pairs = list(twins(torch.bfloat16, values, name, VARIANTS[name][variant], engine=engine))
    train(pairs, torch.bfloat16, 80)
    (low, optimizer), (full, other) = pairs
    assert_same_bits(weights(low, optimizer), torch.stack([p.detach() for p in full]))
    for p, q in zip(low, full, strict=True):
        states = {k: v for k, v in optimizer.state[p].items() if k != "low_bits"}
        assert states.keys() == other.state[q].keys()
        for key, value in states.items():
            assert_same_bits(value, other.state[q][key])


@ENGINES
def test_a_bfloat16_run_with_transforms_is_the_float32_run(engine) -> None:
    layers = [transforms.clip_norm(20.0), transforms.clip_value(0.8), transforms.elastic_net_prox(0.1, 0.1)]
    values = torch.randn(100, generator=torch.Generator().manual_seed(0))
    pairs = list(twins(torch.bfloat16, values, "AdamW", {"lr": 1e-2}, engine=engine, transforms=layers))
    train(pairs, torch.bfloat16, 80)
    (low, optimizer), (full, _) = pairs
    assert_same_bits(weights(low, optimizer), torch.stack([p.detach() for p in full]))
    assert 0 < int((full[0] == 0).sum()) < 100


@pytest.mark.parametrize(("name", "variant"), MATRIX, ids=IDS)
@ENGINES
def test_a_float16_run_is_the_float32_run_but_for_weights_near_zero(name, variant, engine) -> None:
    values = torch.randn(100, generator=torch.Generator().manual_seed(0)) + 20  # none comes near zero
    near = torch.randn(100, generator=torch.Generator().manual_seed(0)) * 1e-5
    pairs = list(
        twins(torch.float16, torch.cat([values, near]), name, VARIANTS[name][variant], engine=engine)
    )
    train(pairs, torch.float16, 50)
    (low, optimizer), (full, _) = pairs
    found, expected = weights(low, optimizer), torch.stack([p.detach() for p in full])
    assert_same_bits(found[:, :100], expected[:, :100])
    # Each of 50 steps loses up to 2^-41 there, and those that climb or adapt make more of what was lost.
    torch.testing.assert_close(found[:, 100:], expected[:, 100:], rtol=2e-6, atol=400 * 2.0**-41)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", VARIANTS)
def test_a_weight_of_one_moves_at_a_rate_of_1e_minus_6_as_in_float32(name, dtype) -> None:
    """Each step is less than a hundredth of the last place of either format at 1."""
    found = []
    for kind in (dtype, torch.float32):
        p = nn.Parameter(torch.ones(20, dtype=kind))
        optimizer = getattr(optim, name)([p], **{"lr": 1e-6, **GENTLE.get(name, {})})
        for _ in range(300):
            optimizer.step(lambda p=p: setattr(p, "grad", torch.full_like(p, 0.5)))
        found.append(p.detach() if kind == torch.float32 else weights([p], optimizer)[0])
    assert torch.equal(*found)
    assert (found[1] < 1 - 1e-5).all()
