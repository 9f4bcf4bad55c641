"""What wraps an optimizer: Lightning, Accelerate, gradient scalers, averaging, distributed checkpoints."""

import copy
import pickle
from functools import wraps

import pytest
import torch
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_optimizer_state_dict,
    get_state_dict,
    set_optimizer_state_dict,
    set_state_dict,
)
from torch.optim import lr_scheduler

from tests.engine.twins import CLASSES, assert_same, backward, decayed, model_of, pair

# -- wrappers ------------------------------------------------------------------------------------------------


def lightning_like(optimizer):
    """What Lightning and Fabric do: a copy of the attributes under a class made up on the spot."""

    class Wrapper:
        def __init__(self, wrapped):
            self.__dict__ = {k: v for k, v in wrapped.__dict__.items() if k not in ("step", "__del__")}
            self.__class__ = type("Lightning" + type(wrapped).__name__, (Wrapper, type(wrapped)), {})
            self._optimizer = wrapped

        def step(self, closure=None):
            return self._optimizer.step(closure=closure)

    return Wrapper(optimizer)


@pytest.mark.parametrize("cls", CLASSES)
def test_a_faked_class(cls):
    (a, b), _ = pair("AdamW")
    inner, plain = cls(a.parameters(), lr=0.05), cls(b.parameters(), lr=0.05)
    wrapped = lightning_like(inner)
    assert isinstance(wrapped, torch.optim.Optimizer)
    assert isinstance(wrapped, cls)
    for k in range(2):
        wrapped.step(lambda k=k: backward(a, k))
        plain.step(lambda k=k: backward(b, k))
    wrapped.add_param_group({"params": [nn.Parameter(torch.ones(2))]})
    inner.load_state_dict(wrapped.state_dict())
    for k in range(2):
        wrapped.step(lambda k=k: backward(a, k))
        plain.step(lambda k=k: backward(b, k))
    assert_same((a, b))
    assert len(inner.param_groups) == 2


def accelerate_like(optimizer, device):
    """What Accelerate's prepare does: the state is moved by loading it, before the first step too."""
    state = optimizer.state_dict()
    moved = {
        i: {k: v.to(device) if isinstance(v, torch.Tensor) else v for k, v in slot.items()}
        for i, slot in state["state"].items()
    }
    optimizer.load_state_dict({**state, "state": moved})
    return optimizer


@pytest.mark.parametrize("cls", CLASSES)
def test_loading_its_own_state_changes_nothing_before_or_after_steps(cls):
    (a, b), _ = pair("AdamW")
    moved, plain = cls(a.parameters(), lr=0.05), cls(b.parameters(), lr=0.05)
    for k in range(4):
        accelerate_like(moved, "cpu")
        moved.step(lambda k=k: backward(a, k))
        plain.step(lambda k=k: backward(b, k))
    for p, q in zip(a.parameters(), b.parameters(), strict=True):
        assert torch.equal(p, q)


def test_a_step_that_was_patched_on_the_instance():
    # Accelerate counts calls by replacing `step` of the instance; schedulers of torch ask for __func__
    (model, _), (optimizer, _) = pair("SGD")
    calls = []
    original = optimizer.step

    @wraps(original.__func__)
    def counted(self, *args, **kwargs):
        calls.append(1)
        return original(*args, **kwargs)

    optimizer.step = counted.__get__(optimizer)
    scheduler = lr_scheduler.StepLR(optimizer, 1)
    backward(model)
    optimizer.step()
    scheduler.step()
    assert calls == [1]
    assert pickle.loads(pickle.dumps(optimizer)).param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]


def test_group_dicts_may_be_replaced():
    models, optimizers = pair("AdamW")
    for k in range(3):
        for model, optimizer in zip(models, optimizers, strict=True):
            optimizer.param_groups = [{**g, "lr": 0.05 * (k + 1)} for g in optimizer.param_groups]
            backward(model, k)
            optimizer.step()
    assert_same(models)


def test_gradient_scaler():
    (model, other), (optimizer, plain) = pair("AdamW")
    assert not hasattr(optimizer, "_step_supports_amp_scaling")
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    for k in range(4):
        loss = backward(model, k)
        model.zero_grad()
        loss = model(torch.randn(8, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(k)))
        scaler.scale(loss.square().mean()).backward()
        if k == 2:
            model[0].weight.grad[0, 0] = float("inf")
        scaler.step(optimizer)
        scaler.update()
        if k != 2:
            backward(other, k)
            plain.step()
    assert_same((model, other))
    assert scaler.get_scale() == 4.0
    assert optimizer.state[model[0].weight]["step"] == 3


def test_swa_and_ema_models_go_beside_it():
    (model, _), (optimizer, _) = pair("SGD")
    average = torch.optim.swa_utils.AveragedModel(model)
    for k in range(3):
        backward(model, k)
        optimizer.step()
        average.update_parameters(model)
    assert not torch.equal(average.module[0].weight, model[0].weight)


# -- torch.distributed.checkpoint ----------------------------------------------------------------------------


@pytest.mark.parametrize("cls", CLASSES)
def test_the_distributed_checkpoint_saves_a_fresh_optimizer_and_moves_nothing(cls):
    model = model_of()
    start = copy.deepcopy(model.state_dict())
    optimizer = cls(model.parameters(), lr=0.05, **decayed(cls, 0.5))
    state = get_optimizer_state_dict(model, optimizer)
    assert optimizer.param_groups[0]["lr"] == 0.05
    assert state["param_groups"][0]["params"] == [name for name, _ in model.named_parameters()]
    for key, value in model.state_dict().items():
        assert torch.equal(value, start[key])
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("flat", [False, True])
def test_the_distributed_checkpoint_resumes_exactly(cls, flat):
    def build():
        model = model_of(torch.bfloat16)
        return model, cls(model.parameters(), lr=0.05, **decayed(cls, 0.1))

    options = StateDictOptions(flatten_optimizer_state_dict=flat)
    whole, optimizer = build()
    for k in range(3):
        optimizer.step(lambda k=k: backward(whole, k))
    saved = copy.deepcopy(get_state_dict(whole, optimizer, options=options))
    part, other = build()
    weights, state = saved
    set_state_dict(part, other, model_state_dict=weights, optim_state_dict=state, options=options)
    for k in range(3, 6):
        optimizer.step(lambda k=k: backward(whole, k))
        other.step(lambda k=k: backward(part, k))
    for p, q in zip(whole.parameters(), part.parameters(), strict=True):
        assert torch.equal(p, q)


def test_the_distributed_checkpoint_takes_torchs_state():
    models, (mine, theirs) = pair("AdamW")
    for k in range(3):
        backward(models[1], k)
        theirs.step()
    models[0].load_state_dict(models[1].state_dict())
    set_optimizer_state_dict(models[0], mine, get_optimizer_state_dict(models[1], theirs))
    for k in range(3):
        for model, optimizer in zip(models, (mine, theirs), strict=True):
            backward(model, k)
            optimizer.step()
    assert_same(models)
