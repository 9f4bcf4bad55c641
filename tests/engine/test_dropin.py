"""The optimizers stand where torch's stand: schedulers, wrappers, scalers, checkpoint and hook machinery."""

import copy

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

from tests.engine.twins import CLASSES, TWINS, assert_same, backward, decayed, model_of, pair
from tests.optim.shelf import STILL
from thalweg import optim, transforms

# -- schedulers ----------------------------------------------------------------------------------------------

SCHEDULERS = {
    "one cycle": lambda o: lr_scheduler.OneCycleLR(o, 0.2, total_steps=30),
    "cyclic": lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.2, step_size_up=3, cycle_momentum=True),
    "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, 10),
    "warm restarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 3),
    "lambda": lambda o: lr_scheduler.LambdaLR(o, lambda k: 1 / (1 + k)),
    "multiplicative": lambda o: lr_scheduler.MultiplicativeLR(o, lambda k: 0.9),
    "sequence": lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.LinearLR(o, 0.1, total_iters=3), lr_scheduler.ExponentialLR(o, 0.9)], [3]
    ),
    "chain": lambda o: lr_scheduler.ChainedScheduler(
        [lr_scheduler.ConstantLR(o, 0.5, 4), lr_scheduler.StepLR(o, 2)]
    ),
    "swa": lambda o: torch.optim.swa_utils.SWALR(o, swa_lr=0.01, anneal_epochs=4),
}


@pytest.mark.parametrize("schedule", SCHEDULERS)
@pytest.mark.parametrize("name", ["SGD", "RMSprop", "AdamW"])
def test_torchs_schedulers_drive_it(schedule, name):
    models, optimizers = pair(name)
    schedulers = [SCHEDULERS[schedule](o) for o in optimizers]
    for k in range(8):
        for model, optimizer, scheduler in zip(models, optimizers, schedulers, strict=True):
            backward(model, k)
            optimizer.step()
            scheduler.step()
    assert_same(models)
    mine, theirs = (o.param_groups[0] for o in optimizers)
    assert {k: v for k, v in mine.items() if k != "params"} == {
        k: v for k, v in theirs.items() if k != "params"
    }
    assert mine["lr"] != 0.05


def test_reduce_on_plateau():
    (model, _), (optimizer, _) = pair("SGD")
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0)
    for _ in range(3):
        backward(model)
        optimizer.step()
        scheduler.step(1.0)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.05 / 100)


@pytest.mark.parametrize("name", TWINS)
def test_a_tensor_lr_filled_in_place_is_read_at_each_step(name):
    rates = torch.tensor(0.1), torch.tensor(0.1)
    models = model_of(), model_of()
    optimizers = (
        getattr(optim, name)(models[0].parameters(), lr=rates[0]),
        getattr(torch.optim, name)(models[1].parameters(), lr=rates[1]),
    )
    for k in range(4):
        for model, optimizer, rate in zip(models, optimizers, rates, strict=True):
            rate.fill_(0.1 / (1 + k))
            backward(model, k)
            optimizer.step()
    for p, q in zip(*(model.parameters() for model in models), strict=True):
        torch.testing.assert_close(
            p, q, rtol=1e-6, atol=1e-8
        )  # torch's own lr is rounded to float32 here too
    assert optimizers[0].param_groups[0]["lr"] is rates[0]


def test_options_written_by_hand_count_from_the_next_step():
    models, optimizers = pair("AdamW", weight_decay=0.1)
    for k in range(4):
        for model, optimizer in zip(models, optimizers, strict=True):
            backward(model, k)
            group = optimizer.param_groups[0]
            group["lr"], group["betas"] = 0.1 / (1 + k), (0.9 - 0.1 * k, 0.99)
            group["weight_decay"], group["eps"] = 0.1 * k, 10.0**-k
            optimizer.step()
    assert_same(models)


@pytest.mark.parametrize("name", TWINS)
def test_the_options_are_in_defaults_and_in_every_group(name):
    mine, twin = (getattr(library, name)(model_of().parameters()) for library in (optim, torch.optim))
    for options in (mine.defaults, *mine.param_groups):
        assert twin.defaults.items() <= options.items()


# -- closures, hooks, gradients ------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", CLASSES)
def test_a_closure_is_called_once_with_gradients_on_and_before_they_are_read(cls):
    model, calls = model_of(), []
    optimizer = cls(model.parameters(), lr=0.05)
    start = copy.deepcopy(model.state_dict())

    def closure():
        calls.append(torch.is_grad_enabled())
        loss = backward(model)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)  # as Lightning does, within the closure
        return loss

    with torch.no_grad():
        loss = optimizer.step(closure)
        assert not torch.is_grad_enabled()
    assert calls == [True]
    assert loss.requires_grad
    assert not torch.equal(start["0.weight"], model[0].weight)


def test_the_result_does_not_depend_on_passing_a_closure():
    (a, b), (with_closure, _) = pair("AdamW")
    without = optim.AdamW(b.parameters(), lr=0.05)
    with_closure.step(lambda: backward(a))
    backward(b)
    assert without.step() is None
    assert_same((a, b))


def test_hooks_run_once_around_the_step():
    (model, _), (optimizer, _) = pair("AdamW")
    seen = []
    optimizer.register_step_pre_hook(
        lambda o, args, kwargs: seen.append(("pre", model[0].weight[0, 0].item()))
    )
    optimizer.register_step_post_hook(
        lambda o, args, kwargs: seen.append(("post", model[0].weight[0, 0].item()))
    )
    backward(model)
    before = model[0].weight[0, 0].item()
    optimizer.step()
    assert seen == [("pre", before), ("post", model[0].weight[0, 0].item())]
    assert seen[0][1] != seen[1][1]


def test_a_pre_hook_may_pass_the_closure():
    (model, _), (optimizer, _) = pair("SGD")
    optimizer.register_step_pre_hook(lambda o, args, kwargs: ((o, lambda: backward(model)), {}))
    assert optimizer.step() is not None


def test_stepping_within_backward():
    # "optimizer in backward": one optimizer a parameter, stepped by the hook that sees its gradient
    models = model_of(), model_of()
    optimizers = {p: optim.AdamW([p], lr=0.05) for p in models[0].parameters()}

    def update(p):
        optimizers[p].step()
        optimizers[p].zero_grad()

    for p in models[0].parameters():
        p.register_post_accumulate_grad_hook(update)
    other = optim.AdamW(models[1].parameters(), lr=0.05)
    for k in range(3):
        backward(models[0], k)
        backward(models[1], k)
        other.step()
    assert_same(models)


@pytest.mark.parametrize("set_to_none", [True, False])
def test_zero_grad_both_ways(set_to_none):
    models, optimizers = pair("AdamW")
    for k in range(3):
        for model, optimizer in zip(models, optimizers, strict=True):
            optimizer.zero_grad(set_to_none=set_to_none)
            backward(model, k, set_to_none=set_to_none)
            optimizer.step()
    assert_same(models)
    optimizers[0].zero_grad(set_to_none=set_to_none)
    grads = [p.grad for p in models[0].parameters()]
    assert all(g is None for g in grads) if set_to_none else all(bool((g == 0).all()) for g in grads)


@pytest.mark.parametrize("cls", CLASSES)
def test_gradients_are_neither_changed_nor_cleared_nor_replaced(cls):
    model = model_of()
    wrapped = [transforms.clip_value(0.1), transforms.clip_norm(0.01), transforms.l1_penalty(0.1)]
    optimizer = cls(model.parameters(), lr=0.05, maximize=True, transforms=wrapped, **decayed(cls, 0.1))
    backward(model)
    grads = [p.grad for p in model.parameters()]
    kept = [g.clone() for g in grads]
    for _ in range(2):
        optimizer.step(lambda: None)
    for p, g, k in zip(model.parameters(), grads, kept, strict=True):
        assert p.grad is g
        assert torch.equal(g, k)


def test_autograd_notices_that_a_graph_needs_the_values_from_before_the_step():
    (model, _), (optimizer, _) = pair("AdamW")
    loss = model(torch.ones(3, 4, dtype=torch.float64)).square().mean()
    loss.backward(retain_graph=True)
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_the_default_dtype_and_device_do_not_reach_the_step_counts():
    (model, _), (optimizer, _) = pair("AdamW")
    backward(model)
    torch.set_default_dtype(torch.float64)
    try:
        with torch.device("meta"):
            optimizer.step()
    finally:
        torch.set_default_dtype(torch.float32)
    step = optimizer.state[model[0].weight]["step"]
    assert (step.dtype, step.device.type, step.item(), step.shape) == (torch.float32, "cpu", 1.0, ())


def test_a_training_step_may_be_compiled_as_a_whole():
    models, optimizers = pair("AdamW")

    @torch.compile(backend="eager")
    def compiled(scale):
        for p in models[0].parameters():
            p.grad.mul_(scale)
        optimizers[0].step()

    for k in range(3):
        backward(models[0], k)
        compiled(1.0)
        backward(models[1], k)
        optimizers[1].step()
    assert_same(models)


def test_adagrads_sums_may_be_shared_between_processes():
    (model, _), (optimizer, _) = pair("Adagrad")
    optimizer.share_memory()
    backward(model)
    optimizer.step()
    assert all(
        state["sum"].is_shared() and bool((state["sum"] > 0).any()) for state in optimizer.state.values()
    )


def test_a_group_may_be_empty():
    p = nn.Parameter(torch.ones(3))
    optimizer = optim.SGD([{"params": []}, {"params": [p], "lr": 0.5}], lr=0.1)
    p.grad = torch.ones(3)
    optimizer.step()
    assert torch.equal(p, torch.full((3,), 0.5))
    optimizer.load_state_dict(optimizer.state_dict())
    assert "0 tensors" in repr(optimizer)


def test_a_shared_parameter_is_stepped_once():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)
            self.b.weight = self.a.weight

    model = Tied()
    start = model.a.weight.detach().clone()
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    assert len(optimizer.param_groups[0]["params"]) == 1
    model.a.weight.grad = torch.ones(3, 3)
    optimizer.step()
    torch.testing.assert_close(model.b.weight.detach(), start - 1)


@pytest.mark.parametrize("cls", CLASSES)
def test_lr_zero_leaves_parameters_alone_whatever_the_decay(cls):
    model = model_of(torch.float32)
    start = copy.deepcopy(model.state_dict())
    wrapped = [
        transforms.clip_norm(1.0),
        transforms.elastic_net_prox(0.1, 0.2),
        transforms.decoupled_decay(0.3),
    ]
    plain = cls(model.parameters())
    if plain.algorithm(plain.param_groups[0])[0].moves:
        wrapped = wrapped[:2]
    options = {**decayed(cls, 0.5), **STILL.get(cls.__name__, {})}
    optimizer = cls(model.parameters(), lr=0.0, transforms=wrapped, **options)
    for p in model.parameters():
        p.grad = torch.zeros_like(p)
    optimizer.step(lambda: None)
    backward(model)
    optimizer.step(lambda: None)
    for key, value in model.state_dict().items():
        assert torch.equal(value, start[key]), key


def test_two_identical_groups_are_one_group():
    (a, b), _ = pair("AdamW")
    one = optim.AdamW(a.parameters(), lr=0.05)
    first, *rest = b.parameters()
    two = optim.AdamW([{"params": [first]}, {"params": rest}], lr=0.05)
    for k in range(3):
        backward(a, k)
        backward(b, k)
        one.step()
        two.step()
    assert_same((a, b))
