"""The fused engine: sizes, threads, precision, subnormals; and every element exactly once."""

import os

import numpy as np
import pytest
import torch

from tests.engine.probe import batch_of, evaluate
from thalweg import optim, transforms
from thalweg.engine import fused
from thalweg.engine.plan import compose
from thalweg.engine.rule import rule
from thalweg.transforms.clip import clip_norm

SIZES = [0, 1, 15, 16, 17, 65535, 65536, 65537, 131073]
CORES = os.cpu_count() or 1


@rule(states={"s": "s"}, moves=True)
def stored(p, g, s):
    """Loads g into the state and stores the state into p, both without arithmetic."""
    return s, g


@rule(states={"s": "s"}, moves=True)
def halved(p, g, s):
    return p * 0.5, s * 0.5


@rule(states={"count": "count"}, moves=True)
def counted(p, g, count):
    return p + g, count + 1


@pytest.fixture
def threads():
    """Sets torch's number of threads for one test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
def test_every_element_is_updated_once_at_every_size(dtype: torch.dtype, threads) -> None:
    threads(2)
    state = torch.float64 if dtype == torch.float64 else torch.float32
    p = [torch.arange(n).remainder(100).to(dtype) for n in SIZES]
    g = [torch.full_like(q, i + 1) for i, q in enumerate(p)]
    counts = [torch.zeros(n, dtype=state) for n in SIZES]
    fused.step(batch_of(compose(counted), p, g, counts), {})
    for i, (q, count) in enumerate(zip(p, counts, strict=True)):
        assert (count == 1).all()
        assert torch.equal(q, (torch.arange(len(q)).remainder(100) + i + 1).to(dtype))


def test_nothing_around_the_arrays_is_touched() -> None:
    for n in (1, 15, 17, 100):
        whole = [torch.full((n + 64,), 7.0) for _ in range(3)]
        p, g, count = (w[32 : 32 + n] for w in whole)
        fused.step(batch_of(compose(counted), [p], [g], [count]), {})
        for w in whole:
            assert (w[:32] == 7).all()
            assert (w[32 + n :] == 7).all()
        assert (p == 14).all()
        assert (g == 7).all()


def test_the_chunk_table_covers_every_element_once() -> None:
    table = fused._chunks(SIZES)
    for i, size in enumerate(SIZES):
        rows = table[table[:, 0] == i]
        covered = [x for _, start, length, _ in rows.tolist() for x in (start, start + length)]
        assert covered == sorted(covered)
        assert sum(rows[:, 2]) == size
        assert (rows[:, 2] <= fused.CHUNK).all()
        assert (rows[:, 2] > 0).all()
    assert fused._chunks([]).shape == (0, 4)


def trained(count: int) -> list[torch.Tensor]:
    """Five clipped AdamW steps on several sizes; all parameters and the norms' effect."""
    torch.set_num_threads(count)
    generator = torch.Generator().manual_seed(0)
    params = [torch.nn.Parameter(torch.randn(n, generator=generator)) for n in (70001, 5, 200_000, 16)]
    optimizer = optim.AdamW(params, lr=0.1, transforms=[clip_norm(1.0)])
    for _ in range(5):
        for p in params:
            p.grad = torch.randn(p.shape, generator=generator)
        optimizer.step()
    return [p.detach() for p in params]


def test_results_do_not_depend_on_the_number_of_threads_nor_on_the_run(threads) -> None:
    one = trained(1)
    for count in (1, 2, 3, 5):
        assert all(torch.equal(a, b) for a, b in zip(one, trained(count), strict=True)), count


def test_sums_do_not_depend_on_the_number_of_threads(threads) -> None:
    program = compose(stored, (transforms.clip_norm(1.0),))
    g = [torch.randn(n, generator=torch.Generator().manual_seed(n)) for n in SIZES]
    sums = []
    for count in (1, 2, 3):
        threads(count)
        batch = batch_of(program, [x.clone() for x in g], g, [x.clone() for x in g])
        sums.append(fused.total(batch, 0, {})["total"])
    assert sums[0] == sums[1] == sums[2]
    exact = [float(x.double().square().sum()) for x in g]
    assert sums[0] == pytest.approx(exact, rel=1e-14)


def all_patterns(dtype: torch.dtype) -> torch.Tensor:
    return torch.arange(65536, dtype=torch.int32).to(torch.int16).view(dtype)


def awkward() -> torch.Tensor:
    """Float32 values: random bits, halfway cases of both half formats and their neighbours, extremes."""
    rng = np.random.default_rng(0)
    random = rng.integers(0, 2**32, 200_000, dtype=np.uint64).astype(np.uint32)
    top = rng.integers(0, 2**16, 20_000, dtype=np.uint64).astype(np.uint32) << 16
    halfway = np.concatenate([top + low for low in (0x7FFF, 0x8000, 0x8001)]).astype(np.uint32)
    fine = rng.integers(0x38000000, 0x47900000, 20_000, dtype=np.uint64).astype(np.uint32) & 0xFFFFE000
    half16 = np.concatenate([fine + low for low in (0x0FFF, 0x1000, 0x1001)]).astype(np.uint32)
    special = np.array(
        [0, -0.0, np.inf, -np.inf, np.nan, 65504, 65519.99, 65520, 3.4e38, -3.4e38], np.float32
    )
    bits = np.concatenate([random, halfway, half16]).view(np.float32)
    return torch.from_numpy(np.concatenate([bits, special]))


def without_subnormals(x: torch.Tensor) -> torch.Tensor:
    return x[~((x != 0) & (x.abs() < torch.finfo(torch.float32).tiny))]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_loads_are_exact_for_every_pattern(dtype: torch.dtype) -> None:
    g = all_patterns(dtype)
    _, s = evaluate(stored, "fused", torch.zeros_like(g), g, torch.zeros(65536))
    same_bits(s, g.to(torch.float32))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_stores_round_as_torch_does(dtype: torch.dtype) -> None:
    """But for a weight half-way between two bfloat16: see test_lowbits."""
    s = without_subnormals(awkward())
    if dtype == torch.bfloat16:
        s = s[s.view(torch.int32) & 0xFFFF != 0x8000]
    p, _ = evaluate(stored, "fused", torch.zeros(len(s), dtype=dtype), torch.zeros(len(s), dtype=dtype), s)
    same_bits(p, s.to(dtype))
    assert torch.isinf(p).any()
    assert torch.isnan(p).any()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_what_is_loaded_is_stored_again(dtype: torch.dtype) -> None:
    exact = without_subnormals(all_patterns(dtype).to(torch.float32))
    zeros = torch.zeros(len(exact), dtype=dtype)
    p, _ = evaluate(stored, "fused", zeros, zeros, exact)
    same_bits(p.to(torch.float32), exact)


def same_bits(mine: torch.Tensor, theirs: torch.Tensor) -> None:
    nan = torch.isnan(theirs)
    assert torch.equal(torch.isnan(mine), nan)
    kind = torch.int32 if mine.dtype == torch.float32 else torch.int16
    assert torch.equal(mine[~nan].view(kind), theirs[~nan].view(kind))


def test_subnormals_are_flushed_and_the_processor_is_left_as_it_was(threads) -> None:
    threads(min(2, CORES))
    n = 300_000  # shared among the threads
    tiny = torch.full((n,), 1e-38)
    before = [tiny * 0.5, torch.full((n,), 1e-310, dtype=torch.float64) * 1.0]
    p, s = evaluate(halved, "fused", tiny, tiny, torch.full((n,), 1.0))
    assert (p == 0).all()
    assert (s == 0.5).all()
    after = [tiny * 0.5, torch.full((n,), 1e-310, dtype=torch.float64) * 1.0]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert (after[0] != 0).all()
    assert 1e-310 * 1.0 != 0.0  # this thread's own arithmetic too


def test_a_reference_step_keeps_subnormals() -> None:
    p, _ = evaluate(halved, "reference", torch.full((4,), 1e-38), torch.zeros(4), torch.zeros(4))
    assert (p != 0).all()


@pytest.mark.parametrize("n", [3, 100])
def test_a_division_by_an_infinite_root_is_zero_as_in_torch(n: int) -> None:
    p, q = torch.ones(n), torch.ones(n)
    for cls, x in ((optim.Adadelta, p), (torch.optim.Adadelta, q)):
        optimizer = cls([x])
        for size in (1e20, 1.0, 1e20):  # its square is infinite in float32
            x.grad = torch.full((n,), size)
            optimizer.step()
    assert torch.equal(p, q)
    assert (p == 1).all()


def test_equal_kernels_are_compiled_once() -> None:
    program = compose(halved)
    kernels = [fused._kernel(program, None, ("float32",) * 3) for _ in range(2)]
    assert kernels[0] is kernels[1]


def test_it_says_what_it_supports() -> None:
    assert fused.supports(torch.zeros(1))
    assert fused.supports(torch.zeros(1, dtype=torch.bfloat16))
    assert not fused.supports(torch.zeros(1, device="meta"))
    assert not fused.supports(torch.zeros(1, dtype=torch.float8_e4m3fn))
