import importlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser

from tests.report.browsing import chromium

# Started in the background of a script, a process ignores Ctrl-C, and so do its children: the tests of
# interrupts would wait for ever. Here it means what it means in a terminal.
signal.signal(signal.SIGINT, signal.default_int_handler)

# What is printed is that of a usual terminal, whatever the developer's environment says of theirs.
os.environ["TERM"] = "xterm"
for setting in ("COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
    os.environ.pop(setting, None)

# Examples are the same in every run, and a busy machine may take its time over them.
settings.register_profile(
    "steady", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")

TINY = """
import torch
from torch import nn

from thalweg.tasks import Task

generator = torch.Generator().manual_seed(7)


def split(count):
    x = torch.randn(count, 12, generator=generator)
    noise = 0.5 * torch.randn(count, generator=generator)
    return x, ((x @ torch.linspace(-1, 1, 12) + noise) > 0).long()


def loss(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def accuracy(model, batch):
    return (model(batch[0]).argmax(1) == batch[1]).float().mean()


task = Task(
    name="tiny",
    model=lambda: nn.Linear(12, 2),
    train=split(200),
    valid=split(200),
    test=split(200),
    loss=loss,
    metric=accuracy,
    batch_size=20,
    epochs=4,
)
"""


@pytest.fixture(scope="session")
def tiny_text() -> str:
    """A task file that trains in milliseconds: a linear model of 26 parameters on 200 samples."""
    return TINY


@pytest.fixture
def tiny(tmp_path: Path, tiny_text: str) -> Path:
    """The path of such a file."""
    path = tmp_path / "tiny.py"
    path.write_text(tiny_text)
    return path


@pytest.fixture
def timeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """In surveys no time passes: however busy the machine is, all that they measure fits a budget."""
    for name in ("cli.landscape", "landscape.limit", "landscape.menu", "landscape.survey"):
        monkeypatch.setattr(importlib.import_module(f"thalweg.{name}"), "perf_counter", lambda: 0.0)


@pytest.fixture
def double() -> Iterator[None]:
    """Within the test torch's default is float64, in which it then keeps numbers such as mu_product."""
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The one browser of all tests: Playwright drives no second one beside it."""
    yield from chromium()
