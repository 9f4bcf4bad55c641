"""A task refuses what it cannot use, and knows its own size."""

import pickle
from itertools import islice

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from thalweg import tasks
from thalweg.errors import UserError


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "name is ''; it must be a short text"),
        ({"name": 3}, "name is 3; it must be a short text"),
        ({"metric_name": "a\nb"}, "metric_name is .*; it must be a short text"),
        ({"model": nn.Linear(1, 1)}, r"model is a model; give a function .* model=lambda: Linear\(...\)"),
        ({"model": None}, r"model is None; it must be a function model\(\)"),
        ({"loss": "mse"}, r"loss is 'mse'; it must be a function loss\(model, batch\)"),
        ({"metric": None}, r"metric is None; it must be a function metric\(model, batch\)"),
        ({"batch_size": 0}, "batch_size is 0; it must be a whole number of at least 1"),
        ({"batch_size": 2.0}, r"batch_size is 2\.0; it must be a whole number"),
        ({"batch_size": True}, "batch_size is True; it must be a whole number"),
        ({"eval_batch_size": -1}, "eval_batch_size is -1; it must be a whole number"),
        ({"epochs": 0}, "epochs is 0; it must be a number above 0"),
        ({"epochs": float("nan")}, "epochs is nan; it must be a number above 0"),
        ({"epochs": "ten"}, "epochs is 'ten'; it must be a number above 0"),
        ({"higher_is_better": "yes"}, "higher_is_better is 'yes'; it must be True or False"),
        ({"train": (torch.zeros(3), torch.zeros(4))}, "train: the tensors have 3 and 4 rows; they must be"),
        ({"test": (torch.zeros(0),)}, "test holds no samples"),
    ],
)
def test_wrong_field(make, changes, message):
    with pytest.raises(UserError, match=message):
        make(**changes)


def test_sizes(make):
    task = make(epochs=2.5)
    assert [task.size(split) for split in ("train", "valid", "test")] == [23, 7, 5]
    assert (task.steps_per_epoch, task.full_steps) == (5, 12)
    assert make(epochs=1e-9).full_steps == 1


def test_no_such_split(make):
    with pytest.raises(UserError, match="no split called 'dev'; choose one of train, valid, test"):
        make().size("dev")


def test_train_batches_follow_the_seed(make):
    first, again, other = (
        [batch[0].flatten().tolist() for batch in islice(make().train_batches(seed), 7)] for seed in (1, 1, 2)
    )
    assert first == again != other
    assert all(len(batch) == 4 for batch in first)


def test_eval_batches_of_a_training_loader_leave_its_order_alone(make, fields):
    task = make(train=DataLoader(TensorDataset(*fields["train"]), batch_size=4, shuffle=True))
    undisturbed = [batch[0].tolist() for batch in islice(task.train_batches(0), 6)]
    seen = []
    disturbed = []
    for batch in islice(task.train_batches(0), 6):
        disturbed.append(batch[0].tolist())
        seen = [rows for rows, _ in task.eval_batches("train")]
    assert disturbed == undisturbed
    assert torch.cat(seen).flatten().tolist() == list(range(23))


def test_hash_follows_file_and_data(make, fields):
    inputs, targets = fields["test"]
    assert make().hash == make(name="other").hash
    assert make().hash != make(file_hash="f").hash
    assert make().hash != make(test=(inputs, targets + 1)).hash


def test_repr_does_not_print_data(make):
    assert "tensor" not in repr(make())


def test_pickle_by_reference():
    task = tasks.load("fashion-linear")
    again = pickle.loads(pickle.dumps(task))
    assert (again.name, again.source, again.file_hash) == (task.name, task.source, task.file_hash)
    assert len(pickle.dumps(task)) < 500


def test_pickle_notices_a_changed_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(tasks.template())
    pickled = pickle.dumps(tasks.load(path))
    assert pickle.loads(pickled).name == "my-task"
    path.write_text(tasks.template() + "\n# edited\n")
    with pytest.raises(UserError, match=r"mine.py has changed since it was first loaded"):
        pickle.loads(pickled)
