"""The learned optimizer: its weights, its symmetries, and the script that trains it."""

import hashlib
import itertools
import json
import math
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor, nn

from tests.optim.network import SHIPPED as WEIGHTS
from thalweg import optim
from thalweg.optim import learned
from tools import train_learned
from tools.learned_tasks import KINDS, Problem, problem


def test_the_file_holds_a_number_for_each_weight_and_no_other() -> None:
    given = {"t", *learned.network.sums}
    own = [name for name in learned.network.scalars if name not in given]
    assert own == list(learned.WEIGHTS)
    assert len(WEIGHTS) == 54
    assert all(math.isfinite(value) for value in WEIGHTS.values())
    assert all(0 < WEIGHTS[f"beta{i}"] < 1 for i in (1, 2, 3))


def test_the_version_is_the_hash_of_the_weights() -> None:
    text = Path(learned.__file__).with_suffix(".json").read_text()
    assert json.loads(text) == WEIGHTS
    assert hashlib.sha256(json.dumps(WEIGHTS, sort_keys=True).encode()).hexdigest()[:8] == learned.VERSION


def test_a_checkpoint_of_another_network_is_refused() -> None:
    p = nn.Parameter(torch.ones(3))
    optimizer = optim.Learned([p])
    p.grad = torch.ones(3)
    optimizer.step()
    state = optimizer.state_dict()
    state["param_groups"][0]["network"] = "0123abcd"
    fresh = optim.Learned([nn.Parameter(torch.ones(3))])
    with pytest.raises(ValueError, match="belongs to the network 0123abcd, this version of thalweg has"):
        fresh.load_state_dict(state)


def test_the_plan_does_not_print_every_weight() -> None:
    plan = optim.Learned([nn.Parameter(torch.ones(3))]).explain()
    assert "gradient() -> network(beta1=" in plan
    assert ", ... 54 in all) -> decoupled(weight_decay=0) -> descend(lr=1)" in plan


def run(scale: float, sign: float, steps: int = 20) -> Tensor:
    """Where p arrives when the loss is multiplied by a scale, and all of it is mirrored."""
    start = torch.linspace(-1, 1.5, 12, dtype=torch.float64)
    p = nn.Parameter(sign * start)
    optimizer = optim.Learned([p])
    generator = Generator().manual_seed(0)
    for _ in range(steps):
        noise = torch.randn(12, generator=generator, dtype=torch.float64)
        p.grad = scale * (p.detach() + sign * noise)
        optimizer.step()
    assert (p.detach() - sign * start).abs().max() > 1e-3
    return p.detach()


@pytest.mark.parametrize("scale", [1e-2, 1e6, 2.0**40])
def test_the_scale_of_the_loss_does_not_matter(scale: float) -> None:
    torch.testing.assert_close(run(scale, 1.0), run(1.0, 1.0), rtol=0, atol=1e-5)


def test_a_mirrored_problem_has_the_mirrored_path() -> None:
    torch.testing.assert_close(run(1.0, -1.0), -run(1.0, 1.0), rtol=0, atol=0)


def vector() -> Tensor:
    """The shipped weights as the training script holds them."""
    exponents = {f"beta{i}": math.log10(1 - WEIGHTS[f"beta{i}"]) for i in (1, 2, 3)}
    return torch.tensor([{**WEIGHTS, **exponents}[name] for name in train_learned.NAMES], dtype=torch.float64)


@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_the_training_script_unrolls_the_optimizer_itself(kind: int) -> None:
    """The losses of an unrolled problem are those of a model that the fused engine trains."""
    task, steps = problem(kind, 5), 8
    unrolled = train_learned.unroll(task, vector().repeat(2, 1), steps, seed=1)
    params = [nn.Parameter(p / c) for p, c in zip(task.start, task.scales, strict=True)]
    optimizer, generator, losses = optim.Learned(params), Generator().manual_seed(1), []
    for _ in range(steps):
        rows = torch.cat([p.flatten() for p in params])[None]
        loss = task.losses(rows, task.draw(generator))[0]
        losses.append(loss.detach())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    torch.testing.assert_close(unrolled[:, 0], torch.stack(losses), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(unrolled[:, 1], torch.stack(losses), rtol=1e-4, atol=1e-5)
    assert len(set(unrolled[:, 0].tolist())) == steps


def bowl() -> Problem:
    """A quadratic without noise."""
    h = torch.logspace(-1, 0, 10)

    def loss(parts: list[Tensor], batch: tuple[Tensor, ...]) -> Tensor:
        return (h * parts[0] ** 2).sum(dim=1)

    return Problem("bowl", [torch.ones(10)], loss, lambda generator: (), [1.0])


def test_one_update_lowers_the_meta_loss() -> None:
    """From a rate that is too small, along the gradient that the evolution strategy estimates."""
    weights = train_learned.initial(Generator().manual_seed(0))
    gradient = train_learned.estimate(weights, bowl(), steps=30, seed=0, sigma=0.05)
    pair = torch.stack([weights, weights - 0.1 * gradient / gradient.norm()])
    before, after = train_learned.meta_loss(train_learned.unroll(bowl(), pair, 30, seed=0)).tolist()
    assert after < before - 0.02


def test_the_meta_loss_counts_the_end_most_and_an_explosion_as_ten() -> None:
    losses = torch.tensor([[2.0, 1.0], [2.0, 1.0], [2.0, math.nan], [2 / math.e, math.inf]])
    found = train_learned.meta_loss(losses)
    expected = [(-1 / 4 - 3) / 4, (math.log(10) / 2 + 3 * math.log(10)) / 4]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), rtol=1e-6, atol=0)


def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quadratics alone, and nothing held out."""
    monkeypatch.setattr(train_learned, "KINDS", KINDS[:1])
    monkeypatch.setattr(train_learned, "EVERY", 1)
    scores = itertools.count(0, -1)
    monkeypatch.setattr(train_learned, "held_out", lambda v: next(scores))


def test_equal_seeds_give_equal_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train_learned.train(2, seed, tmp_path / name)
    a, b, c = ((tmp_path / name).read_text() for name in "abc")
    assert a == b != c
    assert set(json.loads(a)) == set(WEIGHTS)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    train_learned.write(vector(), tmp_path / "w.json")
    assert json.loads((tmp_path / "w.json").read_text()) == WEIGHTS
    torch.testing.assert_close(train_learned.read(tmp_path / "w.json"), vector(), rtol=1e-12, atol=0)


def test_a_unit_slows_tensors_of_small_elements() -> None:
    """Whatever unit 4 did before, it now depends on the size alone; the others are as they were."""
    before = vector() + 1
    after = dict(zip(train_learned.NAMES, train_learned.slowed(before, 0.5).tolist(), strict=True))
    own = {name for name in after if name.endswith("4")}
    assert {name: after[name] for name in own if after[name]} == {"size4": -1, "bias4": 0.8, "rate4": -0.5}
    others = [after[name] for name in train_learned.NAMES if name not in own]
    assert others == [
        x for name, x in zip(train_learned.NAMES, before.tolist(), strict=True) if name not in own
    ]


def test_large_problems_are_larger() -> None:
    sizes = [[problem(2, seed, large).row().numel() for seed in range(20)] for large in (False, True)]
    assert sum(sizes[1]) > 2 * sum(sizes[0])


def test_what_is_interrupted_keeps_the_best_so_far(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    quick(monkeypatch)

    def interrupted(*_: object) -> Tensor:
        raise KeyboardInterrupt

    monkeypatch.setattr(train_learned, "estimate", interrupted)
    monkeypatch.setattr("sys.argv", ["train_learned", "--out", str(tmp_path / "w.json")])
    train_learned.main()
    assert f"the best weights are in {tmp_path / 'w.json'}" in capsys.readouterr().out
    assert set(json.loads((tmp_path / "w.json").read_text())) == set(WEIGHTS)
