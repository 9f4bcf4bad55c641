"""Mixup and CutMix: their distributions, their targets, their random numbers."""

import math
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn

from thalweg.errors import UserError
from thalweg.regularize import CutMix, Mixup


def images(count: int = 6, size: tuple[int, int] = (5, 7)) -> Tensor:
    """Images of one colour each: sample i is filled with i."""
    return torch.arange(count, dtype=torch.float64).view(-1, 1, 1, 1).expand(-1, 3, *size).clone()


def shares(mixer: Any, draws: int) -> np.ndarray:
    """The share of the first sample in its own blend; of two samples with distinct partners."""
    x, y = images(2), torch.tensor([0, 1])
    found = []
    for _ in range(draws):
        _, target = mixer(x, y)
        found.append(float(target[0, 0]))
    return np.array(found)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 3.0])
def test_mixup_draws_its_share_from_the_beta_distribution(alpha: float) -> None:
    drawn = shares(Mixup(classes=2, alpha=alpha, seed=5), 4000)
    mixed = drawn[drawn < 1]  # half of the time the order leaves both samples in place
    assert abs(len(mixed) / 4000 - 0.5) < 5 * math.sqrt(0.25 / 4000)
    assert stats.kstest(mixed, stats.beta(alpha, alpha).cdf).pvalue > 0.001
    assert stats.kstest(mixed, stats.beta(alpha * 2, alpha * 2).cdf).pvalue < 1e-6  # the test can fail


def test_mixup_blends_inputs_and_targets_with_one_share() -> None:
    x, y = images(), torch.arange(6)
    kept = x.clone()
    mixed, target = Mixup(classes=6, alpha=1.0, seed=0)(x, y)
    assert torch.equal(x, kept)
    first = target.diagonal()  # where a sample is its own partner, 1
    share = first.min()
    for i in range(6):
        partner = next((j for j in range(6) if j != i and target[i, j] > 0), i)
        expected = share * i + (1 - share) * partner
        torch.testing.assert_close(mixed[i], expected.expand(3, 5, 7), rtol=1e-14, atol=1e-14)
        assert target[i].sum().item() == pytest.approx(1, abs=1e-15)
    assert sorted(target.argmax(0).tolist()) == list(range(6)) or share < 0.5


def test_per_sample_draws_a_share_for_each() -> None:
    target = Mixup(classes=500, alpha=1.0, seed=0, per_sample=True)(images(500, (1, 1)), torch.arange(500))[1]
    own = target.diagonal()
    mixed = own[own < 1].numpy()
    assert len(mixed) > 490
    assert stats.kstest(mixed, stats.uniform.cdf).pvalue > 0.001


@pytest.mark.parametrize("size", [(5, 7), (1, 9), (32, 32), (8, 3)])
def test_cutmix_s_share_is_the_area_of_what_is_left_exactly(size: tuple[int, int]) -> None:
    cutmix = CutMix(classes=6, seed=1)
    x, y = images(6, size), torch.arange(6)
    for _ in range(200):
        mixed, target = cutmix(x, y)
        for i in range(6):
            counts = [(mixed[i] == j).double().mean().item() for j in range(6)]
            assert counts == pytest.approx(target[i].tolist(), abs=1e-15)


def test_cutmix_cuts_one_box_at_the_same_place_of_every_channel_and_sample() -> None:
    x = torch.randn(4, 3, 9, 11)
    kept = x.clone()
    for seed in range(20):
        mixed, _ = CutMix(classes=4, seed=seed)(x, torch.arange(4))
        changed = (mixed != x).any(0)  # (channels, H, W)
        assert torch.equal(changed[0], changed[2])
        rows, columns = changed[0].any(1).nonzero().flatten(), changed[0].any(0).nonzero().flatten()
        if len(rows):
            box = changed[0][rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
            assert box.all()
            assert changed[0].sum() == box.numel()
    assert torch.equal(x, kept)


def test_cutmix_draws_the_boxes_of_the_paper() -> None:
    """Against boxes drawn from section 3.1 pixel by pixel: how often each pixel is cut, and the shares."""
    cutmix, x = CutMix(classes=2, seed=2), images(2)
    cuts = [(cutmix(x, torch.arange(2))[0] != x)[0, 0].numpy() for _ in range(6000)]
    cut = np.stack([each for each in cuts if each.any()])  # half of the orders change nothing
    generator = np.random.default_rng(11)
    boxes = []
    for _ in range(20_000):
        side = math.sqrt(1 - generator.uniform())
        inside = []
        for size in (5, 7):
            length, centre = round(size * side), generator.integers(size)
            first = centre - length // 2
            inside.append((first <= np.arange(size)) & (np.arange(size) < first + length))
        boxes.append(np.outer(*inside))
    expected = np.stack([box for box in boxes if box.any()])
    error = 5 * np.sqrt(0.25 / len(cut) + 0.25 / len(expected))
    assert np.abs(cut.mean(0) - expected.mean(0)).max() < error
    shares = [1 - each.mean((1, 2)) for each in (cut, expected)]
    assert abs(shares[0].mean() - shares[1].mean()) < 5 * shares[1].std() / math.sqrt(len(cut))
    assert abs(shares[0].std() - shares[1].std()) < 0.05 * shares[1].std()


@pytest.mark.parametrize("mixer", [Mixup(classes=3, alpha=1.0), CutMix(classes=3)])
def test_soft_targets_give_the_blend_of_the_two_losses(mixer: Any) -> None:
    """As the papers' code has it: share * loss(y) + (1 - share) * loss(partner's y)."""
    torch.manual_seed(0)
    x, y = images(8), torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])
    logits = torch.randn(8, 3, dtype=torch.float64)
    _, target = mixer(x, y)
    for smoothing in (0.0, 0.1):
        loss = nn.functional.cross_entropy(logits, target, label_smoothing=smoothing)
        single = torch.stack(
            [
                nn.functional.cross_entropy(
                    logits, torch.full((8,), c), reduction="none", label_smoothing=smoothing
                )
                for c in range(3)
            ],
            dim=1,
        )
        assert loss.item() == pytest.approx((target * single).sum(1).mean().item(), rel=1e-13)


@pytest.mark.parametrize("make", [Mixup, CutMix])
def test_floating_targets_are_blended_as_they_are(make: Any) -> None:
    x, y = images(), torch.randn(6, 2, 3, dtype=torch.float64)
    hard = make(classes=6, alpha=1.0, seed=4)(x, torch.arange(6))[1]
    soft = make(alpha=1.0, seed=4)(x, y)[1]
    torch.testing.assert_close(soft, torch.einsum("ij,jkl->ikl", hard, y), rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("make", [Mixup, CutMix])
def test_the_seed_decides_and_torch_s_own_numbers_are_left_alone(make: Any) -> None:
    x, y = images(), torch.arange(6)
    state = torch.get_rng_state()
    first, second = make(classes=6, seed=9), make(classes=6, seed=9)
    for _ in range(3):
        a, b = first(x, y), second(x, y)
        assert torch.equal(a[0], b[0])
        assert torch.equal(a[1], b[1])
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(make(classes=6, seed=10)(x, y)[0], make(classes=6, seed=9)(x, y)[0])


@pytest.mark.parametrize("make", [Mixup, CutMix])
def test_a_resumed_run_goes_on_with_the_same_numbers(make: Any, tmp_path: Any) -> None:
    x, y = images(), torch.arange(6)
    mixer = make(classes=6)
    mixer(x, y)
    torch.save(mixer.state_dict(), tmp_path / "state.pt")
    again = make(classes=6)
    again.load_state_dict(torch.load(tmp_path / "state.pt"))
    copied = pickle.loads(pickle.dumps(mixer))
    expected = mixer(x, y)[0]
    assert torch.equal(again(x, y)[0], expected)
    assert torch.equal(copied(x, y)[0], expected)
    for state in ({}, {"generator": 3}, {"generator": {"bit_generator": "MT19937"}}):
        with pytest.raises(UserError, match="this is not the state of its random numbers"):
            again.load_state_dict(state)


def test_p_is_the_share_of_blended_batches() -> None:
    x, y = images(), torch.arange(6)
    mixup = Mixup(classes=6, alpha=1.0, p=0.3)
    plain = sum(mixup(x, y)[0] is x for _ in range(2000))
    assert abs(plain / 2000 - 0.7) < 5 * math.sqrt(0.21 / 2000)
    target = Mixup(classes=6, p=0.0)(x, y)[1]
    assert torch.equal(target, torch.eye(6, dtype=torch.float64))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_dtype_and_device_are_kept(dtype: torch.dtype) -> None:
    x, y = images().to(dtype), torch.arange(6, dtype=torch.int32)
    for mixer in (Mixup(classes=6), CutMix(classes=6)):
        mixed, target = mixer(x, y)
        assert (mixed.dtype, target.dtype) == (dtype, dtype)
        mixed, target = mixer(x.to("meta"), torch.randn(6, 2).to("meta"))
        assert (mixed.device.type, target.device.type, target.dtype) == ("meta", "meta", torch.float32)


def test_cutmix_takes_bytes_and_volumes() -> None:
    x = torch.randint(0, 256, (4, 2, 3, 8, 8), dtype=torch.uint8)
    mixed, target = CutMix(classes=4)(x, torch.arange(4))
    assert mixed.dtype == torch.uint8
    assert target.dtype == torch.get_default_dtype()


def test_gradients_flow_to_the_inputs() -> None:
    x = images().requires_grad_()
    for make in (Mixup, CutMix):
        assert torch.autograd.gradcheck(
            lambda x, make=make: make(classes=6, seed=1)(x, torch.arange(6))[0], x[:, :1, :2, :2]
        )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Mixup(alpha=0.0), r"Mixup: alpha must be a number in \(0, inf\), got 0.0"),
        (lambda: CutMix(alpha=math.nan), "CutMix: alpha must be"),
        (lambda: Mixup(p=1.5), r"Mixup: p must be a number in \[0, 1\]"),
        (lambda: Mixup(classes=0), "Mixup: classes must be a whole number, 1 or more, got 0"),
        (lambda: Mixup(seed=-1), "Mixup: seed must be a whole number, 0 or more, got -1"),
        (lambda: Mixup()(images(), torch.arange(6)), "y holds class indices; give classes, their number"),
        (lambda: Mixup(classes=5)(images(), torch.arange(6)), "y holds class 5; classes=5 are 0 to 4"),
        (lambda: Mixup(classes=5)(images(), torch.arange(6) - 1), "y holds class -1; classes=5 are 0 to 4"),
        (lambda: Mixup(classes=6)(images(), torch.arange(5)), "a batch .* and its N targets, not"),
        (
            lambda: Mixup(classes=6)(images().long(), torch.arange(6)),
            "x is torch.int64; blends need floating",
        ),
        (lambda: Mixup(classes=6)(images(), torch.zeros(6, 2).long()), r"not torch.int64 of shape \(6, 2\)"),
        (lambda: Mixup(classes=6)(images(), torch.ones(6) > 0), "not torch.bool of shape"),
        (lambda: Mixup(classes=6)(images(), list(range(6))), "x and y are tensors, not Tensor and list"),
        (lambda: CutMix(classes=6)(torch.ones(6, 4), torch.arange(6)), r"not of shape \(6, 4\)"),
        (lambda: CutMix(classes=6)(torch.ones(6, 1, 0, 4), torch.arange(6)), "a batch of images"),
    ],
)
def test_nonsense_is_refused(call: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        call()
