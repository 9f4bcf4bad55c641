"""The max-norm constraint: against norms written out by hand for each kind of layer."""

import math
import re
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from tests.regularize.models import Tied, Transformer
from thalweg import optim
from thalweg.errors import UserError
from thalweg.regularize import max_norm


def filters(layer: nn.Module) -> list[Tensor]:
    """The incoming weights of each unit, as indices of the weight by hand."""
    weight = layer.weight.detach()
    if isinstance(layer, nn.ConvTranspose1d | nn.ConvTranspose2d):
        per_group_in = layer.in_channels // layer.groups
        per_group_out = layer.out_channels // layer.groups
        return [
            weight[g * per_group_in : (g + 1) * per_group_in, o].flatten()
            for g in range(layer.groups)
            for o in range(per_group_out)
        ]
    return [weight[unit].flatten() for unit in range(len(weight))]


LAYERS = [
    nn.Linear(5, 4),
    nn.Conv1d(4, 6, 3, groups=2),
    nn.Conv2d(3, 4, 3),
    nn.ConvTranspose2d(4, 6, 3, groups=2),
    nn.ConvTranspose1d(3, 5, 2),
    nn.Bilinear(2, 3, 4),
    nn.Embedding(7, 3),
    nn.EmbeddingBag(7, 3),
]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: str(layer))
def test_long_units_are_scaled_to_the_limit_and_short_ones_left_alone(layer: nn.Module) -> None:
    torch.manual_seed(0)
    layer = layer.double()
    nn.init.normal_(layer.weight)
    before = [unit.clone() for unit in filters(layer)]
    limit = sorted(unit.norm().item() for unit in before)[len(before) // 2]  # half of them are too long
    bias = layer.bias.clone() if getattr(layer, "bias", None) is not None else None
    max_norm(layer, limit)
    assert sum(unit.norm() > limit for unit in before) >= 1
    for old, new in zip(before, filters(layer), strict=True):
        if old.norm() > limit:
            torch.testing.assert_close(new, old * (limit / old.norm()), rtol=1e-14, atol=0)
        else:
            assert torch.equal(new, old)
    assert bias is None or torch.equal(layer.bias, bias)


def test_a_unit_of_a_transposed_convolution_is_what_one_output_channel_sees() -> None:
    """Scaling one unit scales one channel of the output and no other."""
    torch.manual_seed(0)
    layer = nn.ConvTranspose2d(4, 6, 3, groups=2, bias=False).double()
    x = torch.randn(1, 4, 5, 5, dtype=torch.float64)
    before = layer(x)
    norms = torch.stack([unit.norm() for unit in filters(layer)])
    limit = norms.topk(2).values.mean().item()  # one unit is too long
    longest = int(norms.argmax())
    max_norm(layer, limit)
    factor = torch.ones(6, dtype=torch.float64)
    factor[longest] = limit / norms[longest]
    torch.testing.assert_close(layer(x), before * factor.view(1, -1, 1, 1), rtol=1e-12, atol=1e-13)


def test_it_is_the_projection_that_torch_s_renorm_approximates() -> None:
    layer = nn.Linear(5, 4)
    expected = torch.renorm(layer.weight.detach(), 2, 0, 0.3)
    max_norm(layer, 0.3)
    torch.testing.assert_close(layer.weight.detach(), expected, rtol=1e-5, atol=0)


def test_it_is_idempotent_and_holds_in_every_precision() -> None:
    for dtype, rtol in [
        (torch.float64, 1e-15),
        (torch.float32, 1e-6),
        (torch.bfloat16, 4e-3),
        (torch.float16, 5e-4),
    ]:
        layer = nn.Linear(300, 20).to(dtype)
        nn.init.normal_(layer.weight, std=30)  # the squares overflow in float16
        max_norm(layer, 1.0)
        norms = layer.weight.detach().double().norm(dim=1)
        assert norms.max() <= 1 + rtol
        assert norms.min() >= 1 - rtol
        assert layer.weight.dtype == dtype
        kept = layer.weight.detach().clone()
        max_norm(layer, 1.0 + rtol)
        assert torch.equal(layer.weight, kept)


def test_attention_and_recurrent_matrices_are_limited_by_rows_and_nothing_else_is() -> None:
    torch.manual_seed(0)
    model = nn.ModuleDict({"vit": Transformer(), "lstm": nn.LSTM(3, 4), "cell": nn.GRUCell(3, 4)})
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    max_norm(model, 0.25)
    for name, p in model.named_parameters():
        matrix = (
            p.ndim >= 2
            and "bias" not in name
            and "norm" not in name
            and name not in ("vit.token", "vit.places")
        )
        if matrix:
            assert p.detach().flatten(1).norm(dim=1).max() <= 0.25 + 1e-6, name
        else:
            assert torch.equal(p, before[name]), name


def test_frozen_weights_are_left_alone_and_shared_ones_limited() -> None:
    model = Tied()
    nn.init.normal_(model.embed.weight)
    max_norm(model, 0.5)
    assert model.out.weight.norm(dim=1).max() <= 0.5 + 1e-6
    frozen = nn.Linear(3, 3).requires_grad_(False)
    kept = frozen.weight.clone()
    max_norm(nn.Sequential(frozen, nn.Linear(3, 3)), 0.01)
    assert torch.equal(frozen.weight, kept)


@pytest.mark.parametrize("make", [optim.SGD, optim.AdamW, torch.optim.SGD])
def test_as_a_hook_it_holds_after_every_step(make: Any) -> None:
    """The trajectory is that of projected gradient descent, written out."""
    torch.manual_seed(0)
    layer = nn.Linear(4, 3).double()
    twin = nn.Linear(4, 3).double()
    twin.load_state_dict(layer.state_dict())
    optimizer, plain = make(layer.parameters(), lr=0.5), make(twin.parameters(), lr=0.5)
    optimizer.register_step_post_hook(lambda *_: max_norm(layer, 0.6))
    for _ in range(8):
        x = torch.randn(10, 4, dtype=torch.float64)
        for model, stepper in ((layer, optimizer), (twin, plain)):
            stepper.zero_grad()
            (model(x) - 9 * x[:, :3]).square().mean().backward()
            stepper.step()
        with torch.no_grad():
            for row in twin.weight:
                row *= min(1.0, 0.6 / math.sqrt(sum(w * w for w in row.tolist())))
        torch.testing.assert_close(layer.weight, twin.weight, rtol=1e-12, atol=1e-14)
    assert layer.weight.norm(dim=1).tolist() == pytest.approx([0.6] * 3, rel=1e-12)


def test_a_bfloat16_weight_stays_limited_beside_the_optimizer_s_low_bits() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(16, 4).bfloat16()
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    optimizer.register_step_post_hook(lambda *_: max_norm(layer, 0.5))
    for _ in range(50):
        optimizer.zero_grad()
        (layer(torch.ones(1, 16).bfloat16()) - 9).square().sum().backward()
        optimizer.step()
        assert layer.weight.detach().float().norm(dim=1).max() <= 0.5 * (1 + 4e-3)


def test_a_zero_row_and_an_empty_layer_are_fine() -> None:
    layer = nn.Linear(3, 2)
    nn.init.zeros_(layer.weight)
    max_norm(layer, 1.0)
    assert not layer.weight.any()
    empty = nn.Embedding(0, 3)
    max_norm(empty, 1.0)


@pytest.mark.parametrize(
    ("model", "limit", "message"),
    [
        (nn.Linear(1, 1), 0.0, "max_norm: limit must be a number in (0, inf), got 0.0"),
        (nn.Linear(1, 1), math.inf, "max_norm: limit must be a number in (0, inf), got inf"),
        (nn.LayerNorm(3), 1.0, "max_norm: LayerNorm has no linear, convolution or embedding layer"),
        (
            nn.Sequential(weight_norm(nn.Linear(2, 2))),
            1.0,
            "max_norm: 0 is parametrized, so its weight cannot be set",
        ),
        ([nn.Linear(1, 1)], 1.0, "max_norm: it limits a model's layers, not a list"),
    ],
)
def test_nonsense_is_refused(model: Any, limit: float, message: str) -> None:
    with pytest.raises(UserError, match=re.escape(message)):
        max_norm(model, limit)
