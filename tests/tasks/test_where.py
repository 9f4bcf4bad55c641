"""The place of a user's line, for every kind of thing that can be called."""

import functools
import json

import pytest
import torch
from torch import nn

from thalweg.tasks import where


def one_return(x):
    print(x)
    return x  # here: one_return


def two_returns(x):  # here: two_returns
    if x:
        return 1
    return 2


class Model(nn.Module):
    def __init__(self):  # here: Model
        super().__init__()
        if torch is None:
            return

    def forward(self, x):
        return x  # here: forward


class Called:
    def __call__(self, x):
        return x  # here: Called

    def method(self, x):
        return x  # here: method


CASES = {
    "one_return": one_return,
    "two_returns": two_returns,
    "Model": Model,
    "forward": Model(),
    "Called": Called(),
    "method": Called().method,
    "partial": (functools.partial(lambda x, y: x, y=1)),  # here: partial
}


@pytest.mark.parametrize("name", CASES)
def test_place_of_a_return(name):
    with open(__file__) as file:
        lines = [i for i, line in enumerate(file, 1) if line.rstrip().endswith(f"# here: {name}")]
    assert where.of_return(CASES[name]) == f"{where.shown(__file__)}, line {lines[0]}"


@pytest.mark.parametrize("function", [len, json.loads, nn.Linear, nn.Linear(1, 1), torch.mean, 3])
def test_what_is_not_the_users_has_no_place(function):
    assert where.of_return(function) == ""


def test_error_is_placed_at_the_last_of_the_users_lines():
    with pytest.raises(ValueError, match="Expecting") as caught:
        json.loads("{")
    assert where.of_error(caught.value).startswith(f"{where.shown(__file__)}, line ")
    assert where.of_error(ValueError("never raised")) == ""


def test_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert where.shown(tmp_path / "folder" / "task.py") == "folder/task.py"
    assert where.shown("/elsewhere/task.py") == "/elsewhere/task.py"
    assert where.place("task.py", None) == "task.py"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (RuntimeError("shapes differ.\nmore"), "shapes differ"),
        (KeyError("x"), "KeyError: 'x'"),
        (ValueError(), "ValueError"),
        (RuntimeError(), "RuntimeError"),
    ],
)
def test_message(error, text):
    assert where.message(error) == text
