"""Interrupted steps, threads and forks: a step happens whole or not at all, and never hangs."""

import copy
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from tests.optim.kinds import RULED
from thalweg import optim, transforms
from thalweg.engine import fused
from thalweg.engine.plan import Transform
from thalweg.engine.rule import formula, rule

CLASSES = [getattr(optim, name) for name in RULED]
LARGE = fused.SHARED_FROM + fused.CHUNK // 2  # elements: enough to be shared between threads


def stepped(cls=optim.AdamW, size=5, **options):
    p = nn.Parameter(torch.ones(size))
    optimizer = cls([p, nn.Parameter(torch.ones(2))], lr=0.01, **options)
    for q in optimizer.param_groups[0]["params"]:
        q.grad = torch.ones_like(q)
    optimizer.step(lambda: None)
    return p, optimizer


def snapshot(optimizer):
    weights = [p.detach().clone() for p in optimizer.param_groups[0]["params"]]
    return weights, copy.deepcopy(optimizer.state_dict()["state"])


def assert_unchanged(optimizer, before):
    weights, state = snapshot(optimizer)
    assert all(map(torch.equal, weights, before[0]))
    assert state.keys() == before[1].keys()
    for i, slot in state.items():
        assert all(torch.equal(v, before[1][i][k]) for k, v in slot.items())


# -- interrupted ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("cls", CLASSES)
def test_an_exception_in_the_closure_changes_nothing(cls, error):
    p, optimizer = stepped(cls)
    before = snapshot(optimizer)

    def closure():
        p.grad = torch.full_like(p, 3.0)
        raise error

    with pytest.raises(error):
        optimizer.step(closure)
    assert_unchanged(optimizer, before)
    optimizer.step(lambda: None)
    assert optimizer.state[p]["step"] == 2


@formula
def value(p, g):
    return g


@rule(sums={"total": value})
def as_it_is(p, g, *, total):
    return g


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
@pytest.mark.parametrize("cls", CLASSES)
def test_an_exception_in_a_transforms_check_changes_nothing(cls, error):
    calls = []

    def check(totals):
        calls.append(totals.total)
        if len(calls) == 2:
            raise error
        return False

    watch = Transform(as_it_is, on="grad", check=check)
    p, optimizer = stepped(cls, transforms=[transforms.clip_norm(1.0), watch])
    before = snapshot(optimizer)
    with pytest.raises(error):
        optimizer.step(lambda: None)
    assert_unchanged(optimizer, before)
    optimizer.step(lambda: None)
    assert len(calls) == 3
    assert optimizer.state[p]["step"] == 2


def test_ctrl_c_lands_between_steps_never_inside_one():
    # The handler of a real signal raises wherever Python happens to be; what is saved then must be whole.
    program = """
        import os, signal, sys, threading, time, torch
        from torch import nn
        from thalweg import optim

        torch.set_num_threads(1)
        params = [nn.Parameter(torch.zeros(40, dtype=d)) for d in (torch.float32, torch.float64)]
        params += [nn.Parameter(torch.zeros(60)) for _ in range(60)]
        optimizer = optim.SGD(params, lr=1.0, momentum=0.5)
        for p in params:
            p.grad = torch.ones_like(p)
        optimizer.step()

        def interrupt():
            for k in range(40):
                stepping.wait()
                stepping.clear()
                time.sleep(0.001 + 0.0007 * (k % 5))
                os.kill(os.getpid(), signal.SIGINT)

        caught, stepping = [], threading.Event()
        thread = threading.Thread(target=interrupt, daemon=True)
        thread.start()
        while len(caught) < 40:
            try:
                stepping.set()
                while True:
                    optimizer.step()
            except KeyboardInterrupt:
                counts = {float(optimizer.state[p]["step"]) for p in params}
                values = {round(float(p.detach()[0]), 2) for p in params}
                assert len(counts) == 1 and len(values) == 1, (counts, values)
                count = counts.pop()
                buffers = {round(float(optimizer.state[p]["momentum_buffer"][0]), 4) for p in params}
                assert len(buffers) == 1, buffers
                expected = -2 * count + 2 * (1 - 0.5**count)
                assert abs(values.pop() - expected) < 0.02 + 1e-4 * count, (count, expected)
                caught.append(1)
        print("whole", len(caught))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout == "whole 40\n", done.stderr[-2000:]


# -- threads -------------------------------------------------------------------------------------------------


def train(seed, steps):
    generator = torch.Generator().manual_seed(seed)
    p = nn.Parameter(torch.randn(LARGE, generator=generator))
    optimizer = optim.AdamW([p], lr=0.01, transforms=[transforms.clip_norm(1.0)])
    for _ in range(steps):
        p.grad = torch.randn(LARGE, generator=generator)
        optimizer.step()
    return p.detach()


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_the_number_of_threads_may_change_between_steps_and_does_not_change_the_result(threads):
    results = []
    for counts in ([1, 1, 1, 1], [2, 1, 3, 2], [4, 4, 2, 1]):
        generator = torch.Generator().manual_seed(0)
        p = nn.Parameter(torch.randn(LARGE, generator=generator))
        optimizer = optim.AdamW([p], lr=0.01, transforms=[transforms.clip_norm(1.0)])
        for count in counts:
            threads(count)
            p.grad = torch.randn(LARGE, generator=generator)
            optimizer.step()
        results.append(p.detach())
    assert torch.equal(results[0], results[1])
    assert torch.equal(results[0], results[2])


def test_optimizers_in_many_threads_do_not_disturb_each_other():
    alone = [train(seed, steps=4) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda seed: train(seed, steps=4), range(4)))
    for a, b in zip(alone, together, strict=True):
        assert torch.equal(a, b)


def test_a_first_step_in_another_thread_than_the_optimizers():
    p, optimizer = nn.Parameter(torch.ones(LARGE)), None
    optimizer = optim.SGD([p], lr=1.0)
    p.grad = torch.ones(LARGE)
    worker = threading.Thread(target=optimizer.step)
    worker.start()
    worker.join()
    optimizer.step()
    assert bool((p == -1).all())


def test_two_optimizers_share_a_process_and_a_parameter():
    p = nn.Parameter(torch.zeros(3))
    first, second = optim.SGD([p], lr=1.0, momentum=0.5), optim.AdamW([p], lr=0.0)
    p.grad = torch.ones(3)
    for _ in range(2):
        first.step()
        second.step()
    torch.testing.assert_close(p.detach(), torch.full((3,), -2.5))
    assert first.state[p].keys() == {"step", "momentum_buffer"}
    assert second.state[p].keys() == {"step", "exp_avg", "exp_avg_sq"}


# -- forks ---------------------------------------------------------------------------------------------------


def _child(connection, p, optimizer):
    optimizer.step()
    connection.send(float(p.detach()[0]))


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_can_step(threads):
    threads(2)
    p = nn.Parameter(torch.zeros(LARGE))
    optimizer = optim.SGD([p], lr=1.0)
    p.grad = torch.ones(LARGE)
    optimizer.step()
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=_child, args=(theirs, p, optimizer))
    child.start()
    arrived = ours.poll(300)
    if not arrived:
        os.kill(child.pid, signal.SIGKILL)
    child.join()
    assert arrived, "the child hangs in its step"
    assert ours.recv() == -2.0
    assert float(p.detach()[0]) == -1.0
    optimizer.step()
    assert float(p.detach()[0]) == -2.0


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_model_in_shared_memory_is_trained_by_worker_processes(method):
    # Hogwild: parameters in shared memory, an optimizer in each process
    model = nn.Linear(3, 1, bias=False)
    with torch.no_grad():
        model.weight.zero_()
    model.share_memory()
    context = torch.multiprocessing.get_context(method)
    workers = [context.Process(target=_hogwild, args=(model,)) for _ in range(2)]
    for worker in workers[: 2 if method == "fork" else 1]:  # a spawned one imports torch anew
        worker.start()
        worker.join(300)
        assert worker.exitcode == 0
    torch.testing.assert_close(model.weight.detach(), torch.full((1, 3), -6.0 if method == "fork" else -3.0))


def _hogwild(model):
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    for _ in range(3):
        model.weight.grad = torch.ones(1, 3)
        optimizer.step()
