"""DTensor and FSDP2: engines on local shards, norms over the whole mesh. All processes are local."""

import copy
import os

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, Partial, Replicate, Shard, distribute_tensor
from torch.multiprocessing.spawn import spawn

from tests.optim.kinds import RULED
from thalweg import optim, transforms
from thalweg.errors import UserError

WRAPS = [transforms.guard(), transforms.clip_norm(0.1)]


@pytest.fixture
def mesh():
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    try:
        yield init_device_mesh("cpu", (1,))
    finally:
        dist.destroy_process_group()


def model_of():
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3, bias=False))


def train(model, optimizer, first, last):
    for k in range(first, last):
        x = torch.randn(4, 5, generator=torch.Generator().manual_seed(k)).to(model[0].weight.dtype)
        optimizer.zero_grad()
        model(x).square().sum().backward()
        optimizer.step()


def whole(tensor):
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def assert_same(sharded, plain, **tolerance):
    for p, q in zip(sharded.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(whole(p), q, **tolerance)


# -- one process ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n in RULED if n not in ("Nesterov", "Adafactor")])
def test_fsdp2_steps_as_the_plain_model_does(mesh, name):
    sharded, plain = model_of(), model_of()
    fully_shard(sharded, mesh=mesh)
    optimizers = [getattr(optim, name)(m.parameters(), lr=0.05, transforms=WRAPS) for m in (sharded, plain)]
    for model, optimizer in zip((sharded, plain), optimizers, strict=True):
        train(model, optimizer, 0, 4)
    assert_same(sharded, plain, rtol=0, atol=0)
    p = sharded[0].weight
    states = [v for v in optimizers[0].state[p].values() if v.dim() > 0]
    assert all(isinstance(v, DTensor) and v.placements == p.placements for v in states)
    assert "fused" in optimizers[0].explain()


def test_replicated_and_plain_parameters_count_once_in_a_norm(mesh):
    params = [
        nn.Parameter(distribute_tensor(torch.zeros(3, 4), mesh, [Replicate()])),
        nn.Parameter(distribute_tensor(torch.zeros(3, 4), mesh, [Shard(1)])),
        nn.Parameter(torch.zeros(12)),
    ]
    for p in params:
        p.grad = torch.ones_like(p)
    optim.SGD(params, lr=1.0, transforms=[transforms.clip_norm(3.0)]).step()
    for p in params:
        torch.testing.assert_close(whole(p.detach()).flatten(), torch.full((12,), -0.5))


def test_a_gradient_with_another_placement_is_redistributed(mesh):
    p = nn.Parameter(distribute_tensor(torch.zeros(3, 4), mesh, [Shard(0)]))
    p.grad = DTensor.from_local(torch.ones(3, 4), mesh, [Replicate()])
    optim.SGD([p], lr=1.0).step()
    assert torch.equal(whole(p.detach()), -torch.ones(3, 4))


def test_what_cannot_be_stepped_on_shards_is_refused(mesh):
    p = nn.Parameter(DTensor.from_local(torch.zeros(3), mesh, [Partial()]))
    p.grad = DTensor.from_local(torch.zeros(3), mesh, [Partial()])
    with pytest.raises(UserError, match=r"w is a DTensor with placements .*redistribute it first"):
        optim.SGD([("w", p)], lr=1.0).step()


def test_factors_of_a_sharded_matrix_are_refused(mesh):
    p = nn.Parameter(distribute_tensor(torch.zeros(4, 3), mesh, [Shard(0)]))
    p.grad = torch.ones_like(p)
    with pytest.raises(UserError, match="w is sharded, and Adafactor works on whole tensors; replicate it"):
        optim.Adafactor([("w", p)]).step()


def test_a_plain_state_for_a_sharded_parameter_is_refused(mesh):
    sharded, plain = model_of(), model_of()
    fully_shard(sharded, mesh=mesh)
    source = optim.AdamW(plain.parameters())
    train(plain, source, 0, 1)
    optimizer = optim.AdamW(sharded.parameters())
    with pytest.raises(
        UserError, match=r"is not sharded as the parameter is; load it with torch.distributed"
    ):
        optimizer.load_state_dict(source.state_dict())
    train(sharded, optimizer, 0, 1)
    p = sharded[0].weight
    optimizer.state[p]["exp_avg"] = torch.zeros(7, 5)
    with pytest.raises(UserError, match=r"the state exp_avg of .* is not sharded as the parameter is"):
        train(sharded, optimizer, 1, 2)


def test_a_shard_that_was_replaced_is_noticed(mesh):
    p = nn.Parameter(distribute_tensor(torch.zeros(3, 4), mesh, [Shard(0)]))
    optimizer = optim.SGD([p], lr=1.0)
    p.grad = torch.ones_like(p)
    optimizer.step()
    p._local_tensor = p._local_tensor * 3
    optimizer.step()
    assert torch.equal(whole(p.detach()), torch.full((3, 4), -4.0))


def test_a_state_with_another_placement_is_redistributed(mesh):
    p = nn.Parameter(distribute_tensor(torch.zeros(3, 4), mesh, [Shard(0)]))
    optimizer = optim.AdamW([p], lr=1.0)
    p.grad = torch.ones_like(p)
    optimizer.step()
    kept = whole(optimizer.state[p]["exp_avg"]).clone()
    optimizer.state[p]["exp_avg"] = distribute_tensor(kept.clone(), mesh, [Replicate()])
    optimizer.step()
    torch.testing.assert_close(whole(optimizer.state[p]["exp_avg"]), 0.9 * kept + 0.1)


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_distributed_checkpoint_resumes_bit_equal(mesh, full, dtype):
    def build():
        model = model_of().to(dtype)
        fully_shard(model, mesh=mesh)
        return model, optim.AdamW(model.parameters(), lr=0.05, transforms=WRAPS)

    options = StateDictOptions(full_state_dict=full)
    model, optimizer = build()
    train(model, optimizer, 0, 3)
    state = copy.deepcopy(get_optimizer_state_dict(model, optimizer, options=options))
    part, other = build()
    with torch.no_grad():
        for p, q in zip(part.parameters(), model.parameters(), strict=True):
            p.copy_(q)
    set_optimizer_state_dict(part, other, state, options=options)
    train(model, optimizer, 3, 6)
    train(part, other, 3, 6)
    for p, q in zip(part.parameters(), model.parameters(), strict=True):
        assert torch.equal(whole(p), whole(q))
        ours, theirs = other.state[p], optimizer.state[q]
        assert all(torch.equal(whole(ours[key]), whole(theirs[key])) for key in theirs)
    assert ("low_bits" in ours) == (dtype == torch.bfloat16)


# -- two processes -------------------------------------------------------------------------------------------


def _other_placement(mesh):
    """Each process takes its own rows of a gradient that both hold whole."""
    p = nn.Parameter(distribute_tensor(torch.zeros(4, 2), mesh, [Shard(0)]))
    p.grad = DTensor.from_local(torch.arange(8.0).view(4, 2), mesh, [Replicate()])
    optim.SGD([p], lr=1.0).step()
    assert torch.equal(whole(p.detach()), -torch.arange(8.0).view(4, 2))


def _replicated_counts_once(mesh):
    p = nn.Parameter(distribute_tensor(torch.zeros(4), mesh, [Replicate()]))
    q = nn.Parameter(distribute_tensor(torch.zeros(12), mesh, [Shard(0)]))
    p.grad, q.grad = torch.ones_like(p), torch.ones_like(q)
    optim.SGD([p, q], lr=1.0, transforms=[transforms.clip_norm(2.0)]).step()
    for x in (p, q):
        torch.testing.assert_close(whole(x.detach()), torch.full(x.shape, -0.5))


def _two(rank, path):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", store=dist.FileStore(path, 2), rank=rank, world_size=2)
    try:
        mesh = init_device_mesh("cpu", (2,))
        _other_placement(mesh)
        _replicated_counts_once(mesh)
        sharded, plain = model_of(), model_of()
        fully_shard(sharded, mesh=mesh)
        optimizers = [optim.AdamW(m.parameters(), lr=0.05, transforms=WRAPS) for m in (sharded, plain)]
        for model, optimizer in zip((sharded, plain), optimizers, strict=True):
            train(model, optimizer, 0, 4)
        assert sharded[2].weight.to_local().shape[0] in (1, 2)  # 3 rows on 2 processes: unequal shards
        assert_same(sharded, plain, rtol=1e-5, atol=1e-6)
        _one_bad_shard(rank, sharded, optimizers[0])
        dist.barrier()
    except BaseException:
        dist.destroy_process_group()
        raise
    os._exit(0)  # threads of gloo now and then abort a process that is taken apart on a busy machine


def _one_bad_shard(rank, model, optimizer):
    """A NaN on one process stops both, and neither moves."""
    weight = model[0].weight
    before = weight.to_local().clone()
    if rank == 1:
        weight.grad.to_local()[0, 0] = float("nan")
    with pytest.raises(FloatingPointError, match="parameter 0 of group 0"):
        optimizer.step()
    assert torch.equal(weight.to_local(), before)


def test_two_processes_clip_by_the_global_norm_and_stop_together(tmp_path):
    spawn(_two, (str(tmp_path / "store"),), nprocs=2)
