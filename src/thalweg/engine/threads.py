"""Running one native function on several threads at once.

torch's own OpenMP pool is used where it can be found (GNU OpenMP, Linux): its threads are awake already,
and a second pool would fight it for the cores. Elsewhere a small pool of Python threads does; native code
runs without the interpreter lock.
"""

import ctypes
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Protocol

import torch

__all__ = ["Function", "Team", "launch"]

Team = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class Function(Protocol):
    """A native function that takes one pointer and divides the work itself."""

    @property
    def address(self) -> int:
        """Where it lies."""
        ...

    @property
    def call(self) -> Any:
        """It, as Python calls it."""
        ...


class _Process:
    """Whether this process is a fork: an OpenMP pool does not survive one."""

    forked = False


def _after_fork() -> None:
    _Process.forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@cache
def _openmp() -> Any:
    """GOMP_parallel of the OpenMP library that torch has loaded, or None."""
    try:
        function = ctypes.CDLL(None).GOMP_parallel
    except (AttributeError, OSError, TypeError):
        return None
    function.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)
    function.restype = None
    return function


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads - 1, thread_name_prefix="thalweg")


def launch(function: Function, job: int, parallel: bool) -> None:
    """Call a native ``function(job)`` on as many threads as torch uses, and wait for all of them.

    Args:
        function: what runs.
        job: its pointer.
        parallel: False to run on this thread alone, for work too small to share.
    """
    threads = torch.get_num_threads() if parallel and not _Process.forked else 1
    if threads == 1:
        function.call(job)
        return
    openmp = _openmp()
    if openmp is not None:
        openmp(function.address, job, threads, 0)
    else:
        others = [_pool(threads).submit(function.call, job) for _ in range(threads - 1)]
        function.call(job)
        for other in others:
            other.result()
