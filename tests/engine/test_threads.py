"""Launching native code: on torch's own pool, on Python threads, or on one thread alone."""

import ctypes
import threading

import pytest
import torch

from tests.engine.test_fused import trained
from thalweg.engine import threads

TEAM = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


@pytest.fixture(autouse=True)
def restored():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


class Calls:
    """A function in native form that notes the threads that call it, and with what."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []
        self.lock = threading.Lock()
        self.call = TEAM(self.note)
        self.address = ctypes.cast(self.call, ctypes.c_void_p).value or 0

    def note(self, job: int) -> None:
        with self.lock:
            self.seen.append((threading.get_ident(), job))


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("openmp", [True, False])
def test_it_is_called_once_for_each_of_torch_s_threads(count, openmp, monkeypatch) -> None:
    if not openmp:
        monkeypatch.setattr(threads, "_openmp", lambda: None)
    torch.set_num_threads(count)
    calls = Calls()
    threads.launch(calls, 64, parallel=True)
    assert [job for _, job in calls.seen] == [64] * count
    assert threading.get_ident() in {ident for ident, _ in calls.seen}


def test_small_work_and_forked_processes_stay_on_this_thread(monkeypatch) -> None:
    torch.set_num_threads(3)
    calls = Calls()
    threads.launch(calls, 64, parallel=False)
    monkeypatch.setattr(threads._Process, "forked", True)
    threads.launch(calls, 64, parallel=True)
    assert calls.seen == [(threading.get_ident(), 64)] * 2


def test_python_threads_give_the_same_bits(monkeypatch) -> None:
    expected = trained(1)
    monkeypatch.setattr(threads, "_openmp", lambda: None)
    assert all(torch.equal(a, b) for a, b in zip(expected, trained(3), strict=True))
