"""The preflight: every way in which a task cannot run gives one clear line, before a race."""

import linecache

import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss
from torch.utils.data import DataLoader, Dataset

from thalweg import tasks
from thalweg.errors import UserError

HERE = r"tests/tasks/test_check\.py, line \d+: "


def line_of(match):
    """Return the text of the line that a message names."""
    return linecache.getline(__file__, int(str(match).split("line ")[1].split(":")[0])).strip()


def test_facts(make):
    state = torch.get_rng_state()
    facts = tasks.check(make())
    assert (facts.name, facts.parameters, facts.train, facts.valid, facts.test) == ("doubling", 2, 23, 7, 5)
    assert (facts.batch_size, facts.steps_per_epoch, facts.full_steps) == (4, 5, 50)
    assert facts.batch == "float32 (4, 1), float32 (4, 1)"
    assert (facts.metric_name, facts.higher_is_better, facts.device) == ("absolute error", False, "cpu")
    assert facts.first_loss > 0
    assert torch.equal(torch.get_rng_state(), state)


def test_loader_and_dataset_pass(make, fields):
    data = list(zip(*fields["train"], strict=True))

    class Pairs(Dataset):
        def __len__(self):
            return len(data)

        def __getitem__(self, i):
            return data[i]

    assert tasks.check(make(train=Pairs())).batch_size == 4
    assert tasks.check(make(train=DataLoader(Pairs(), batch_size=6, shuffle=True))).batch_size == 6


# Each function below is wrong in one way; the test compares the line that the message names with the source.


def returns_vector(model, batch):
    errors = model(batch[0]) - batch[1]
    return errors.square()


def returns_none(model, batch):
    mse_loss(model(batch[0]), batch[1])


def returns_item(model, batch):
    return mse_loss(model(batch[0]), batch[1]).item()


def returns_detached(model, batch):
    return mse_loss(model(batch[0]), batch[1]).detach()


def returns_nan(model, batch):
    return mse_loss(model(batch[0]), batch[1]) * float("nan")


def returns_infinity(model, batch):
    return mse_loss(model(batch[0]), batch[1]) / 0


def gives_nan_gradient(model, batch):
    return (model(batch[0]) * 0).square().sum().sqrt()


def multiplies_wrong_shapes(model, batch):
    return (model(batch[0]) @ batch[1]).mean()


def unpacks_three(model, batch):
    inputs, targets, weights = batch
    return mse_loss(model(inputs), targets) * weights


def changes_in_place(model, batch):
    out = model(batch[0]).exp()
    loss = out.mean()
    out.add_(1)
    return loss


HIDDEN = []


def keeps_its_graph(model, batch):
    HIDDEN.append(model(batch[0]).square().mean())
    return sum(HIDDEN)


def returns_text(model, batch):
    return "0.5"


LOSSES = [
    (
        returns_vector,
        r"loss\(model, batch\) returned a tensor of shape \(4, 1\); return its mean",
        "return errors",
    ),
    (returns_none, r"loss\(model, batch\) returned None; return a tensor with one number", "mse_loss("),
    (returns_item, r"loss\(model, batch\) returned a float; return the loss as a tensor", "return mse_loss"),
    (
        returns_detached,
        r".*does not depend on the model's parameters .*leave out detach\(\)",
        "return mse_loss",
    ),
    (returns_nan, r"loss\(model, batch\) is nan at the first step; check it", "return mse_loss"),
    (returns_infinity, r"loss\(model, batch\) is inf at the first step; check it", "return mse_loss"),
    (gives_nan_gradient, r"the gradient of 'weight' has NaN or infinite values", "return (model"),
    (
        multiplies_wrong_shapes,
        r"loss\(model, batch\) failed: mat1 and mat2 shapes cannot be multiplied \(4x1 and 4x1\); "
        r"the batch is float32 \(4, 1\), float32 \(4, 1\)",
        "return (model(batch[0]) @ batch[1]).mean()",
    ),
    (
        unpacks_three,
        r"loss\(model, batch\) failed: ValueError: not enough values to unpack",
        "inputs, targets, weights",
    ),
    (
        changes_in_place,
        r"the backward pass of loss\(model, batch\) at the first step failed: .*inplace operation",
        "return loss",
    ),
]


@pytest.mark.parametrize(("loss", "message", "line"), LOSSES, ids=[case[0].__name__ for case in LOSSES])
def test_wrong_loss(make, loss, message, line):
    with pytest.raises(UserError, match=HERE + message) as caught:
        tasks.check(make(loss=loss))
    assert line_of(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


METRICS = [
    (returns_vector, r"metric\(model, batch\) returned a tensor of shape \(3, 1\); return its mean"),
    (returns_none, r"metric\(model, batch\) returned None"),
    (returns_text, r"metric\(model, batch\) returned a str; return a tensor with one number"),
    (returns_nan, r"metric\(model, batch\) is nan on train before training"),
    (unpacks_three, r"metric\(model, batch\) failed: ValueError: .*; the batch of train is float32 \(3, 1\)"),
]


@pytest.mark.parametrize(("metric", "message"), METRICS, ids=[case[0].__name__ for case in METRICS])
def test_wrong_metric(make, metric, message):
    with pytest.raises(UserError, match=HERE + message):
        tasks.check(make(metric=metric))


SHARED = nn.Linear(1, 1)


class BrokenModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(7, 1)

    def forward(self, x):
        return self.layer(x)


def raises():
    return nn.Linear("1", 1)


def not_finite():
    model = nn.Linear(1, 1)
    nn.init.constant_(model.bias, float("inf"))
    return model


MODELS = [
    (raises, r"model\(\) failed: TypeError: ", "return nn.Linear("),
    (lambda: 3, r"model\(\) returned an int; return a torch.nn.Module", "(lambda: 3"),
    (lambda: nn.ReLU(), r"model\(\) returned a module without a parameter to train", "(lambda: nn.ReLU()"),
    (lambda: nn.LazyLinear(1), r"model\(\) has lazy layers without a shape", "(lambda: nn.Lazy"),
    (lambda: SHARED, r"model\(\) returned the same module twice; make a new one", "(lambda: SHARED"),
    (not_finite, r"model\(\) has NaN or infinite values in 'bias' before training", "return model"),
    (
        BrokenModel,
        r"loss\(model, batch\) failed: mat1 and mat2 shapes cannot be multiplied \(4x1 and 7x1\)",
        "return self.layer(x)",
    ),
]


@pytest.mark.parametrize(("model", "message", "line"), MODELS)
def test_wrong_model(make, model, message, line):
    with pytest.raises(UserError, match=HERE + message) as caught:
        tasks.check(make(model=model))
    assert line_of(caught.value).startswith(line)


def test_wrong_dtype_says_what_the_batch_is(make, fields):
    doubles = tuple(tensor.double() for tensor in fields["train"])
    with pytest.raises(UserError, match=r"same dtype.*; the batch is float64 \(4, 1\), float64 \(4, 1\)"):
        tasks.check(make(train=doubles))


def test_nan_in_the_data(make, fields):
    inputs, targets = (tensor.clone() for tensor in fields["valid"])
    targets[4] = float("nan")
    targets[6] = float("inf")
    message = "valid: element 1 of the tuple has NaN or infinite values in 2 of 7 samples, first in sample 4"
    with pytest.raises(UserError, match=message):
        tasks.check(make(valid=(inputs, targets)))


def test_nan_in_a_batch_of_a_dataset(make):
    class Bad(Dataset):
        def __len__(self):
            return 8

        def __getitem__(self, i):
            return torch.full((1,), float("nan")), torch.zeros(1)

    with pytest.raises(UserError, match="is nan at the first step; the batch itself has NaN"):
        tasks.check(make(train=Bad()))


def test_dataset_that_raises(make):
    class Bad(Dataset):
        def __len__(self):
            return 8

        def __getitem__(self, i):
            return {}[i]

    with pytest.raises(UserError, match=HERE + "train failed: KeyError: ") as caught:
        tasks.check(make(train=Bad()))
    assert line_of(caught.value) == "return {}[i]"


def test_labels_out_of_range(make):
    rows = (torch.zeros(8, 1), torch.full((8,), 5))
    task = make(
        train=rows,
        valid=rows,
        test=rows,
        model=lambda: nn.Linear(1, 3),
        loss=lambda model, batch: nn.functional.cross_entropy(model(batch[0]), batch[1]),
    )
    with pytest.raises(
        UserError, match=HERE + r"loss\(model, batch\) failed: IndexError: Target 5 is out of bounds"
    ):
        tasks.check(task)


def test_each_split_is_tried(make, fields):
    wide = (torch.zeros(5, 2), torch.zeros(5, 1))
    for split in ("train", "valid", "test"):
        with pytest.raises(UserError, match=r"shapes cannot be multiplied .*; the batch"):
            tasks.check(make(**{split: wide}))


def test_model_is_tried_in_the_mode_of_its_use(make):
    modes = []

    def loss(model, batch):
        modes.append(model.training)
        return mse_loss(model(batch[0]), batch[1])

    tasks.check(make(loss=loss, model=lambda: nn.Linear(1, 1).eval()))
    assert modes == [True, True, False, False, False]  # two steps, then the three splits


def test_check_changes_nothing_of_the_users(make, fields):
    rows = [tensor.clone() for split in ("train", "valid", "test") for tensor in fields[split]]
    tasks.check(make())
    assert all(map(torch.equal, rows, [t for split in ("train", "valid", "test") for t in fields[split]]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gpu", "no device called 'gpu'; choose one of auto, cpu, cuda, cuda:N, mps"),
        ("", "no device called ''"),
        ("cuda", r"device 'cuda': no CUDA here \(.*\); use cpu"),
        ("cuda:3", r"device 'cuda:3': no CUDA here"),
        ("mps", "device 'mps': no MPS here; use cpu"),
        ("meta", "device 'meta' cannot be used: "),
    ],
)
def test_no_such_device(monkeypatch, text, message):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(UserError, match=message):
        tasks.device(text)
    assert tasks.device("auto") == tasks.device("cpu") == torch.device("cpu")


def test_cuda_number_out_of_range(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(UserError, match=r"device 'cuda:2': this machine has 2 CUDA device\(s\), from cuda:0"):
        tasks.device("cuda:2")
