import dataclasses

import pytest
import torch
from torch import nn

from thalweg.errors import UserError
from thalweg.race.look import look
from thalweg.tasks import Task, load


@pytest.fixture
def task(tiny) -> Task:
    return load(tiny)


def with_model(task: Task, make, **changes) -> Task:
    return dataclasses.replace(task, model=make, source="", **changes)


def words(task: Task, sparse: bool = False, rows: int = 1000) -> Task:
    """A bag of 12 words out of ``rows``; a batch of 20 sees few of them."""

    class Bag(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(rows, 4, sparse=sparse)
            self.out = nn.Linear(4, 2)

        def forward(self, x):
            return self.out(self.table((x.abs() * 7).long().clamp(max=rows - 1)).mean(1))

    return with_model(task, Bag)


def test_sizes(task):
    seen = look(task)
    assert (seen.task, seen.parameters, seen.layers, seen.matrices) == ("tiny", 26, "1 Linear", 1)
    assert (seen.batch_size, seen.samples, seen.steps) == (20, 200, 40)
    assert seen.state_bytes == 8 * 26
    assert seen.free_bytes > 1e7
    assert (seen.recurrent, seen.attention, seen.convolutions, seen.embedding_share) == (False,) * 3 + (0,)


class Steps(nn.Module):
    """A recurrence written by hand."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times, self.cell, self.out = times, nn.Linear(12, 12), nn.Linear(12, 2)

    def forward(self, x):
        for _ in range(self.times):
            x = torch.tanh(self.cell(x))
        return self.out(x)


class Gru(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gru, self.out = nn.GRU(3, 5, batch_first=True), nn.Linear(5, 2)

    def forward(self, x):
        return self.out(self.gru(x.view(-1, 4, 3))[1][0])


class Attention(nn.Module):
    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.own, self.out = how, nn.MultiheadAttention(3, 1, batch_first=True), nn.Linear(12, 2)

    def forward(self, x):
        x = x.view(-1, 4, 3)
        if self.how == "module":
            x = self.own(x, x, x)[0]
        elif self.how == "function":
            x = nn.functional.scaled_dot_product_attention(x, x, x)
        elif self.how == "by hand":
            x = torch.softmax(x @ x.transpose(1, 2), dim=-1) @ x
        return self.out(x.flatten(1))


def test_recurrence_is_seen_in_torch_s_layers_and_by_hand(task):
    assert look(with_model(task, Gru)).recurrent
    assert look(with_model(task, lambda: Steps(9))).recurrent
    assert not look(with_model(task, lambda: Steps(2))).recurrent


@pytest.mark.parametrize("how", ["module", "function", "by hand", "not at all"])
def test_attention_is_seen_however_it_is_written(task, how):
    assert look(with_model(task, lambda: Attention(how))).attention == (how != "not at all")


def test_convolutions_are_seen(task):
    conv = nn.Sequential(nn.Unflatten(1, (1, 12)), nn.Conv1d(1, 2, 3), nn.Flatten(), nn.Linear(20, 2))
    assert look(with_model(task, lambda: conv)).convolutions


def test_rows_that_a_batch_does_not_touch_are_counted(task):
    seen = look(words(task))
    assert seen.embedding_share == pytest.approx(4000 / 4010)
    assert 0.97 < seen.untouched < 1
    assert look(words(task, rows=2)).untouched == 0
    assert seen.matrices == 1


def test_sparse_gradients_are_refused_by_name(task):
    with pytest.raises(UserError, match=r"the gradient of 'table.weight' is sparse.*sparse=False"):
        look(words(task, sparse=True))


def test_looking_changes_nothing(task):
    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    look(with_model(task, lambda: nn.Sequential(nn.Dropout(), nn.Linear(12, 2))))
    assert torch.equal(torch.rand(3), expected)
