"""Every built-in task runs, learns and measures what it says."""

from itertools import islice

import pytest
import torch
from torch import nn

from thalweg import tasks

PARAMETERS = {
    "fashion-linear": 784 * 10 + 10,
    "fashion-svm": 784 * 10 + 10,
    "fashion-mlp": 269_322,
    "fashion-cnn": 9 * (16 + 16 * 32 + 32 * 64) + 2 * (16 + 32 + 64) + 64 * 16 * 10 + 10,
    "kjv-gru": 73 * 64 + 3 * 128 * (64 + 128 + 2) + 129 * 73,
    "kjv-transformer": 73 * 64 + 64 * 64 + 2 * (4 * 64 + 64 * 192 + 192 + 64 * 64 + 64 + 8 * 64 * 64 + 320)
    + 128 + 65 * 73,
}  # fmt: skip


@pytest.mark.parametrize("name", tasks.names())
def test_passes_the_preflight_and_learns(name):
    task = tasks.load(name)
    facts = tasks.check(task)
    assert (facts.name, facts.parameters) == (name, PARAMETERS[name])
    torch.manual_seed(0)
    model = task.model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001 if name == "fashion-svm" else 0.02)
    (batch,) = islice(task.train_batches(0), 1)
    losses = []
    for _ in range(3):
        loss = task.loss(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > losses[1] > losses[2]


@pytest.mark.parametrize("name", tasks.names())
def test_same_seed_same_model(name):
    task = tasks.load(name)
    weights = []
    for _ in range(2):
        torch.manual_seed(3)
        weights.append(nn.utils.parameters_to_vector(task.model().parameters()))
    assert torch.equal(*weights)


@pytest.mark.parametrize("name", ["kjv-gru", "kjv-transformer"])
def test_readers_do_not_look_ahead(name):
    task = tasks.load(name)
    model = task.model().eval()
    text = task.valid[0][:2].clone()
    with torch.no_grad():
        before = model(text)
        text[:, 40:] = 0
        after = model(text)
    torch.testing.assert_close(after[:, :40], before[:, :40])
    assert not torch.allclose(after[:, 41:], before[:, 41:])


class Fixed(nn.Module):
    """Returns given scores."""

    def __init__(self, scores):
        super().__init__()
        self.scores = scores

    def forward(self, x):
        return self.scores


def test_hinge_by_hand():
    task = tasks.load("fashion-svm")
    scores = torch.zeros(2, 10)
    scores[0, 3], scores[0, 5] = 2.0, 1.5  # class 3: 5 violates by 0.5, the others by nothing
    scores[1, 0] = -1.0  # class 0: nine others violate by 2
    loss = task.loss(Fixed(scores), (torch.zeros(2, 1), torch.tensor([3, 0])))
    assert float(loss) == pytest.approx((0.5 + 9 * 2) / 2)


def test_hinge_is_torch_s_multi_margin_loss():
    task = tasks.load("fashion-svm")
    scores, labels = torch.randn(50, 10, generator=torch.Generator().manual_seed(0)), torch.arange(50) % 10
    ours = task.loss(Fixed(scores), (scores, labels))
    assert float(ours) == pytest.approx(10 * float(nn.functional.multi_margin_loss(scores, labels)), rel=1e-6)


def test_accuracy_by_hand():
    scores = torch.eye(10)[[0, 1, 2, 3]]
    for name in ("fashion-linear", "fashion-svm", "fashion-mlp", "fashion-cnn"):
        metric = tasks.load(name).metric(Fixed(scores), (scores, torch.tensor([0, 1, 2, 9])))
        assert float(metric) == 0.75


def test_bits_of_a_uniform_guess():
    scores = torch.zeros(3, 5, 73)
    for name in ("kjv-gru", "kjv-transformer"):
        task = tasks.load(name)
        bits = task.metric(Fixed(scores), (scores, torch.zeros(3, 5, dtype=torch.int64)))
        assert float(bits) == pytest.approx(6.18982, abs=1e-5)  # log2(73)
        assert not task.higher_is_better
