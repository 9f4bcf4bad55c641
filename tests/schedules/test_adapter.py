"""The adapter inside torch's world: order, resuming, nesting, tensors, other hyperparameters."""

import copy
import io
import itertools
import pickle
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler

from thalweg import optim
from thalweg.errors import UserError
from thalweg.schedules import (
    ScheduleLR,
    constant,
    cosine,
    cosine_restarts,
    exponential,
    linear,
    one_cycle,
    warmup,
)


def parameter() -> torch.Tensor:
    return torch.zeros(1, requires_grad=True)


def sgd(**options: Any) -> torch.optim.SGD:
    return torch.optim.SGD([parameter()], **{"lr": 0.5, **options})


def drive(scheduler: lr_scheduler.LRScheduler, steps: int) -> list[float]:
    """Train without gradients and return the learning rate used at each step."""
    used = []
    for _ in range(steps):
        used.append(float(scheduler.optimizer.param_groups[0]["lr"]))
        scheduler.optimizer.step()
        scheduler.step()
    return used


def test_it_is_an_lr_scheduler_whose_value_is_base_times_schedule() -> None:
    schedule = warmup(3) >> cosine(7)
    scheduler = schedule.attach(sgd())
    assert isinstance(scheduler, lr_scheduler.LRScheduler)
    assert scheduler.get_last_lr() == [0.0]
    assert drive(scheduler, 15) == [0.5 * schedule(step) for step in range(15)]
    assert scheduler.get_last_lr() == scheduler.get_lr() == [0.5 * schedule(15)]


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adagrad, torch.optim.LBFGS, optim.AdamW])
def test_any_torch_optimizer_will_do(kind: type[torch.optim.Optimizer]) -> None:
    optimizer = kind([parameter()], lr=0.5)
    scheduler = linear(4).attach(optimizer)
    values = []
    for _ in range(5):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step(lambda: torch.zeros(()))
        scheduler.step()
    assert values == [0.5, 0.375, 0.25, 0.125, 0.0]


def test_each_group_keeps_its_own_base_and_a_late_group_joins() -> None:
    optimizer = torch.optim.SGD([{"params": [parameter()], "lr": 0.1}, {"params": [parameter()]}], lr=0.4)
    scheduler = linear(4).attach(optimizer)
    drive(scheduler, 1)
    optimizer.add_param_group({"params": [parameter()], "lr": 0.8})
    drive(scheduler, 1)
    assert [group["lr"] for group in optimizer.param_groups] == [0.05, 0.2, 0.4]


def test_a_tensor_is_filled_in_place() -> None:
    rate = torch.tensor(0.5)
    optimizer = torch.optim.Adam([parameter()], lr=rate, capturable=False, foreach=False)
    held = optimizer.param_groups[0]["lr"]
    scheduler = linear(4).attach(optimizer)
    drive(scheduler, 2)
    assert optimizer.param_groups[0]["lr"] is held
    assert float(held) == 0.25
    drive(scheduler, 1)
    assert float(held) == 0.125  # of the base, not of the value before


HYPERS = [
    ("momentum", lambda: sgd(momentum=0.8), lambda g: g["momentum"], 0.8),
    ("weight_decay", lambda: sgd(weight_decay=0.1), lambda g: g["weight_decay"], 0.1),
    ("beta1", lambda: torch.optim.AdamW([parameter()]), lambda g: g["betas"][0], 0.9),
    ("beta2", lambda: torch.optim.AdamW([parameter()]), lambda g: g["betas"][1], 0.999),
    ("eps", lambda: torch.optim.AdamW([parameter()]), lambda g: g["eps"], 1e-8),
]


@pytest.mark.parametrize(("hyper", "make", "read", "base"), HYPERS, ids=[row[0] for row in HYPERS])
def test_any_hyperparameter_can_be_driven_and_nothing_else_moves(hyper, make, read, base) -> None:
    optimizer = make()
    before = {k: v for k, v in optimizer.param_groups[0].items() if k != "params"}
    scheduler = linear(4, end=0.5).attach(optimizer, hyper)
    drive(scheduler, 2)
    group = optimizer.param_groups[0]
    assert read(group) == pytest.approx(0.75 * base, rel=1e-15)
    assert scheduler.get_last_lr() == [read(group)]
    key = "betas" if hyper.startswith("beta") else hyper
    assert {k: group[k] for k in before if k != key} == {k: v for k, v in before.items() if k != key}
    if key == "betas":
        assert isinstance(group["betas"], tuple)
        assert group["betas"][2 - int(hyper[-1])] == before["betas"][2 - int(hyper[-1])]


def test_several_hyperparameters_of_one_optimizer_can_be_driven() -> None:
    optimizer = sgd(momentum=0.8)
    rate, momentum = linear(4).attach(optimizer), linear(4, 0.5, 1.0).attach(optimizer, "momentum")
    both = lr_scheduler.ChainedScheduler([rate, momentum])
    optimizer.step()
    both.step()
    assert (optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["momentum"]) == (0.375, 0.5)


def test_rate_both_betas_and_decay_can_be_driven_at_once() -> None:
    optimizer = optim.AdamW([parameter()], lr=0.5, betas=(0.95, 0.99), weight_decay=0.1)
    schedules = {
        "lr": one_cycle(20),
        "beta1": one_cycle(20, 0.85 / 0.95, inverse=True),
        "beta2": linear(20, 0.9, 1.0),
        "weight_decay": warmup(5) >> cosine_restarts(5),
    }
    attached = [schedule.attach(optimizer, hyper) for hyper, schedule in schedules.items()]
    for step in range(20):
        group = optimizer.param_groups[0]
        assert group["lr"] == 0.5 * schedules["lr"](step)
        assert group["betas"] == (0.95 * schedules["beta1"](step), 0.99 * schedules["beta2"](step))
        assert group["weight_decay"] == 0.1 * schedules["weight_decay"](step)
        optimizer.step()
        for scheduler in attached:
            scheduler.step()
    with pytest.raises(
        UserError, match=r"beta1 of this AdamW is driven by one_cycle\(20, low=0.89.* already"
    ):
        cosine(9).attach(optimizer, "beta1")


def test_two_adapters_on_one_hyperparameter_are_refused() -> None:
    optimizer = sgd()
    first = cosine(9).attach(optimizer)
    with pytest.raises(
        UserError, match=r"lr of this SGD is driven by cosine\(9\) already; join the two with >>"
    ):
        linear(9).attach(optimizer)
    assert drive(first, 2) == [0.5, 0.5 * cosine(9)(1)]
    del first
    assert linear(4).attach(optimizer).get_last_lr() == [0.5]  # the first one is gone, and so is its trace


@pytest.mark.parametrize(
    ("other", "step"),
    [
        (lambda o: lr_scheduler.StepLR(o, 1), lambda s: s.step()),
        (lambda o: lr_scheduler.ReduceLROnPlateau(o, patience=0), lambda s: (s.step(1.0), s.step(1.0))),
    ],
    ids=["StepLR", "ReduceLROnPlateau"],
)
def test_a_scheduler_of_torch_on_the_same_hyperparameter_is_noticed(other, step) -> None:
    optimizer = sgd()
    ours = constant().attach(optimizer)
    theirs = other(optimizer)
    optimizer.step()
    ours.step()
    step(theirs)
    with pytest.raises(
        UserError, match=r"^lr of group 0 is 0.05, but constant\(\) had set it to 0.5: some"
    ) as e:
        ours.step()
    assert "\n" not in str(e.value)
    assert ours.last_epoch == 1
    assert optimizer.param_groups[0]["lr"] == 0.05


@pytest.mark.parametrize("cls", [torch.optim.SGD, optim.SGD])
def test_a_loaded_optimizer_may_stand_elsewhere_than_the_schedule(cls) -> None:
    optimizer = cls([parameter()], lr=0.5)
    scheduler = linear(4).attach(optimizer)
    earlier = copy.deepcopy(optimizer.state_dict())
    assert drive(scheduler, 2) == [0.5, 0.375]
    optimizer.load_state_dict(earlier)
    assert drive(scheduler, 2) == [0.5, 0.125]


REFUSED = [
    (
        lambda: cosine(9).attach(sgd(), "momentun"),
        "SGD has no number called 'momentun'; it has lr, momentum, d",
    ),
    (lambda: cosine(9).attach(sgd(), "beta1"), "SGD has no number called 'beta1'"),
    (lambda: cosine(9).attach(sgd(), "nesterov"), "SGD has no number called 'nesterov'"),
    (
        lambda: cosine(9).attach(torch.optim.Adam([parameter()]), "betas"),
        "Adam .* it has lr, eps, .*beta1, beta2",
    ),
    (
        lambda: cosine(9).attach(torch.optim.Adam([parameter()]), "momentum"),
        "Adam has no number called 'momentum'; it has lr, .*; its momentum is beta1",
    ),
    (
        lambda: cosine(9).attach(torch.optim.Adadelta([parameter()]), "momentum"),
        "Adadelta has no number called 'momentum'; it has lr, rho, eps, weight_decay$",
    ),
    (
        lambda: cosine(9).attach(sgd(), "momentum"),
        "momentum is 0 in every group, .* nothing; give the optimizer the highest momentum that is wanted",
    ),
    (lambda: cosine(9).attach(sgd(), last_step=-2), "last_step is -2; it must be a whole number, -1 or more"),
    (lambda: cosine(9).attach(sgd(), last_step=1.0), "last_step is 1.0; it must be a whole number"),
    (lambda: cosine(9).attach(object()), "drives a torch optimizer, not a object"),
    (
        lambda: constant(factor=1.3).attach(sgd(momentum=0.8), "momentum"),
        "drives momentum to 1.04; it must stay",
    ),
]


@pytest.mark.parametrize(("make", "message"), REFUSED)
def test_what_cannot_be_driven_is_refused(make, message: str) -> None:
    with pytest.raises(UserError, match=message):
        make()


def test_the_order_of_torch_holds() -> None:
    scheduler = cosine(9).attach(sgd())
    with pytest.warns(UserWarning, match="called before optimizer.step"):
        scheduler.step()


def test_a_step_can_be_named_without_a_warning() -> None:
    scheduler = linear(4).attach(sgd())
    scheduler.step(3)
    assert (scheduler.last_epoch, scheduler.get_last_lr()) == (3, [0.125])


@pytest.mark.parametrize("stop", [0, 1, 4, 9])
def test_a_run_that_is_cut_and_resumed_gets_the_same_values(stop: int) -> None:
    schedule = warmup(3) >> cosine(7)
    whole = drive(schedule.attach(sgd()), 14)
    first = schedule.attach(sgd())
    drive(first, stop)
    saved = io.BytesIO()
    torch.save({"optimizer": first.optimizer.state_dict(), "scheduler": first.state_dict()}, saved)
    for order in itertools.permutations(["optimizer", "scheduler"]):
        saved.seek(0)
        state = torch.load(saved, weights_only=True)
        resumed = schedule.attach(sgd())
        for name in order:
            (resumed.optimizer if name == "optimizer" else resumed).load_state_dict(state[name])
        assert drive(resumed, 14 - stop) == whole[stop:]


def test_a_resumed_run_may_skip_an_optimizer_step_without_a_warning() -> None:
    resumed = cosine(9).attach(sgd())
    resumed.load_state_dict({**resumed.state_dict(), "last_epoch": 5})
    resumed.step()  # as when a gradient scaler skips the first step after loading
    assert resumed.last_epoch == 6


@pytest.mark.parametrize("hyper", ["lr", "beta1", "beta2", "weight_decay"])
@pytest.mark.parametrize("kind", [torch.optim.AdamW, optim.AdamW])
def test_weights_after_resuming_are_those_of_the_uninterrupted_run(kind, hyper: str) -> None:
    def start():
        weight = torch.linspace(-1, 1, 8).requires_grad_()
        optimizer = kind([weight], lr=0.1)
        return weight, optimizer, (warmup(3, 0.1) >> cosine(7)).attach(optimizer, hyper)

    def train(weight, optimizer, scheduler, steps: int) -> None:
        for _ in range(steps):
            weight.grad = (weight.detach() - 0.3) ** 3
            optimizer.step()
            scheduler.step()

    whole, first, resumed = start(), start(), start()
    train(*whole, 9)
    train(*first, 4)
    resumed[0].data.copy_(first[0].data)
    resumed[1].load_state_dict(copy.deepcopy(first[1].state_dict()))
    resumed[2].load_state_dict(first[2].state_dict())
    train(*resumed, 5)
    assert torch.equal(resumed[0], whole[0])


def test_betas_given_as_tensors_are_filled_in_place() -> None:
    betas = (torch.tensor(0.9), torch.tensor(0.999))
    optimizer = torch.optim.AdamW(
        [parameter()], lr=torch.tensor(0.1), betas=betas, foreach=False, capturable=True
    )
    linear(4).attach(optimizer, "beta1").step(2)
    assert optimizer.param_groups[0]["betas"][0] is betas[0]
    assert [float(beta) for beta in betas] == pytest.approx([0.45, 0.999])


def test_last_step_goes_on_from_a_loaded_optimizer_and_from_a_fresh_one() -> None:
    schedule = warmup(3) >> cosine(7)
    whole = drive(schedule.attach(sgd()), 14)
    first = schedule.attach(sgd())
    drive(first, 5)
    loaded = sgd(lr=9.0)
    loaded.load_state_dict(first.optimizer.state_dict())
    assert drive(schedule.attach(loaded, last_step=4), 9) == whole[5:]
    assert drive(schedule.attach(sgd(), last_step=4), 9) == whole[5:]


def test_a_loaded_schedule_never_takes_the_place_of_the_new_one() -> None:
    saved = cosine(100).attach(sgd())
    drive(saved, 3)
    state = saved.state_dict()
    fresh = cosine(200).attach(sgd())
    with pytest.raises(
        UserError, match=r"had schedule cosine\(100\), this one has cosine\(200\).*last_step=2"
    ):
        fresh.load_state_dict(state)
    assert drive(fresh, 2) == [0.5, 0.5 * cosine(200)(1)]
    with pytest.raises(UserError, match=r"the saved run had bases \[0.5\], this one has \[0.1\]"):
        cosine(100).attach(sgd(lr=0.1)).load_state_dict(state)
    with pytest.raises(UserError, match="the saved run had hyper lr, this one has momentum"):
        cosine(100).attach(sgd(momentum=0.5), "momentum").load_state_dict(state)


@pytest.mark.parametrize("state", [{}, {"last_epoch": 3}, {"last_epoch": None, "schedule": "cosine(9)"}])
def test_the_state_of_another_scheduler_is_refused(state: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="not the state of a ScheduleLR; attach with last_step"):
        cosine(9).attach(sgd()).load_state_dict(state)


def test_chains_nest_as_deep_as_one_likes() -> None:
    inner = warmup(2) >> constant(2)
    outer = inner >> (cosine(3) >> (linear(2, 0.5) >> constant(factor=0.1)))
    expected = [0, 0.5, 1, 1, 1, 0.75, 0.25, 0.5, 0.25, 0.1, 0.1]
    assert drive(outer.attach(sgd(lr=1.0)), 11) == pytest.approx(expected, rel=1e-12)


def test_it_works_as_a_stage_of_torch_sequential_lr() -> None:
    optimizer = sgd()
    ours = linear(4, 0.2, 1.0).attach(optimizer)
    theirs = lr_scheduler.ExponentialLR(optimizer, 0.5)
    chain = lr_scheduler.SequentialLR(optimizer, [ours, theirs], milestones=[4])
    assert drive(chain, 7) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.25, 0.125])


def test_it_works_as_the_later_stage_of_torch_sequential_lr() -> None:
    optimizer = sgd()
    theirs = lr_scheduler.LinearLR(optimizer, 0.2, 1.0, 4)
    chain = lr_scheduler.SequentialLR(optimizer, [theirs, exponential(0.5).attach(optimizer)], milestones=[4])
    assert drive(chain, 7) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.25, 0.125])


def test_a_scheduler_that_overwrites_initial_lr_does_not_move_the_base() -> None:
    optimizer = sgd(momentum=0.9)
    scheduler = linear(4).attach(optimizer)
    lr_scheduler.OneCycleLR(optimizer, max_lr=9.0, total_steps=10)
    assert optimizer.param_groups[0]["initial_lr"] != 0.5
    scheduler.step(1)
    assert optimizer.param_groups[0]["lr"] == 0.375


def test_the_base_is_what_an_earlier_scheduler_started_from() -> None:
    optimizer = sgd()
    earlier = lr_scheduler.ExponentialLR(optimizer, 0.5)
    drive(earlier, 3)
    assert constant().attach(optimizer).get_last_lr() == [0.5]


def test_an_end_that_refuses_stops_the_training_loop() -> None:
    scheduler = linear(2, after="error").attach(sgd())
    assert drive(scheduler, 2) == [0.5, 0.25]
    scheduler.optimizer.step()
    with pytest.raises(UserError, match="step 3 is past the end"):
        scheduler.step()


def test_copies_and_pickles_go_their_own_way() -> None:
    scheduler = linear(4).attach(sgd())
    drive(scheduler, 1)
    for twin in (copy.deepcopy(scheduler), pickle.loads(pickle.dumps(scheduler))):
        assert isinstance(twin, ScheduleLR)
        twin.step()
        assert twin.get_last_lr() == [0.25]
    assert scheduler.get_last_lr() == [0.375]
