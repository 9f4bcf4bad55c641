"""Tasks are found by name or path, and a file that is no task says so in one line."""

import sys
import textwrap

import pytest
import torch

from thalweg import tasks
from thalweg.errors import UserError


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that writes a task file beside which the test runs, and gives its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def write(text, name="task.py"):
        (tmp_path / name).write_text(textwrap.dedent(text))
        return name

    return write


HEAD = "import torch\nfrom thalweg.tasks import Task\n"
GOOD = (
    HEAD
    + """
rows = (torch.zeros(4, 1),)
def make():
    return Task("mine", lambda: torch.nn.Linear(1, 1), rows, rows, rows, loss, loss)
def loss(model, batch):
    return model(batch[0]).mean()
"""
)


def test_names():
    assert tasks.names() == [
        "fashion-cnn",
        "fashion-linear",
        "fashion-mlp",
        "fashion-svm",
        "kjv-gru",
        "kjv-transformer",
    ]


def test_template_runs_as_it_is(write):
    task = tasks.load(write(tasks.template(), "mine.py"))
    assert task.name == "my-task"
    assert tasks.check(task).parameters == 784 * 64 + 64 + 64 * 10 + 10


@pytest.mark.parametrize("last", ["task = make()", "task = make", "def task():\n    return make()"])
def test_file(write, last):
    path = write(GOOD + last)
    task = tasks.load(path)
    assert task.name == "mine"
    assert task.source.endswith("/task.py")
    assert task.file_hash != tasks.load(write(GOOD + last + "\n", "other.py")).file_hash


def test_file_may_import_its_neighbours(write):
    write(GOOD, "neighbour_of_a_task.py")
    assert tasks.load(write("from neighbour_of_a_task import make\ntask = make()")).name == "mine"


def test_classes_of_a_file_can_be_pickled_by_loader_workers(write):
    task = tasks.load(write(GOOD + "class Own: pass\ntask = make()\n"))
    assert sys.modules[task.loss.__module__].Own.__module__ == task.loss.__module__


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fashion-mpl", r"no task called 'fashion-mpl'; did you mean 'fashion-mlp'\? \(thalweg tasks\)"),
        ("fashion_cnn", "did you mean 'fashion-cnn'"),
        ("Kjv-GRU", "did you mean 'kjv-gru'"),
        ("zzz", "no task called 'zzz'; give one of fashion-cnn, .*, or the path of a .py file"),
        ("absent.py", r"there is no file 'absent.py'; thalweg tasks new absent.py writes one"),
        ("folder", "'folder' is a folder; give a built-in task or the path of a .py file"),
        ("notes.txt", "'notes.txt' is no Python file"),
        ("tsk.py", r"there is no file 'tsk.py'; did you mean 'task.py'\?"),
        ("nowhere/task.py", "there is no file 'nowhere/task.py'"),
    ],
)
def test_not_found(write, tmp_path, name, message):
    (tmp_path / "folder").mkdir()
    write("", "notes.txt")
    if name == "tsk.py":
        write("")
    with pytest.raises(UserError, match=message) as caught:
        tasks.load(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\ndef f(:\n", r"^task\.py, line 2: invalid syntax"),
        (
            "x = 1\n\nimport no_such_module_here\n",
            r"^task\.py, line 3: there is no module 'no_such_module_here'; ",
        ),
        ("x = 1\ny = x / 0\n", r"^task\.py, line 2: ZeroDivisionError: division by zero$"),
        ("import torch\nx = torch.ones(2) @ torch.ones(3)\n", r"^task\.py, line 2: inconsistent tensor size"),
        ("x = 1\nraise SystemExit(3)\n", r"^task\.py, line 2: the file ended the program \(exit 3\)"),
        ("x = 1\n", r"^task\.py: defines no task; write task = Task\(\.\.\.\)"),
        ("task = 3\n", r"^task\.py: task is of type int; it must be a Task"),
        ("def task():\n    return None\n", r"^task\.py: task is of type NoneType; it must be a Task"),
        ("def task():\n    return {}['x']\n", r"^task\.py, line 2: KeyError: 'x'"),
        (
            GOOD + "import dataclasses\ntask = dataclasses.replace(make(),\n  batch_size=0)\n",
            r"^task\.py, line 10: batch_size is 0; it must be a whole number of at least 1$",
        ),
        (
            "from thalweg.tasks import Task\ntask = Task(name='x')\n",
            r"^task\.py, line 2: TypeError: .*missing",
        ),
    ],
)
def test_file_that_defines_no_task(write, text, message):
    with pytest.raises(UserError, match=message) as caught:
        tasks.load(write(text))
    assert "\n" not in str(caught.value)


def test_error_in_an_imported_neighbour_names_that_file(write):
    write("x = 1\nx.missing\n", "broken_neighbour.py")
    with pytest.raises(UserError, match=r"^broken_neighbour\.py, line 2: AttributeError: 'int' object"):
        tasks.load(write("import broken_neighbour\n"))


def test_file_in_another_encoding(write, tmp_path):
    (tmp_path / "latin.py").write_bytes("name = 'Zoë'\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"^latin\.py"):
        tasks.load("latin.py")


def test_ctrl_c_while_loading_is_not_swallowed(write):
    with pytest.raises(KeyboardInterrupt):
        tasks.load(write("raise KeyboardInterrupt\n"))


def test_loading_twice_gives_equal_data(write):
    first, second = (tasks.load(write(GOOD + "task = make()\n")) for _ in range(2))
    assert first.hash == second.hash
    assert torch.equal(first.train[0], second.train[0])
