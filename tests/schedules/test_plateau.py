"""Reduce on plateau: torch's twin, beside a schedule, resuming, and its metric."""

import copy
import io
import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim.lr_scheduler import ReduceLROnPlateau

from tests.schedules.twins import RATE, optimizer
from thalweg.errors import UserError
from thalweg.schedules import ReduceOnPlateau, constant, cosine_restarts, warmup


def rate(driven: torch.optim.Optimizer) -> float:
    return driven.param_groups[0]["lr"]


@pytest.mark.parametrize("cooldown", [0, 1, 4])
@pytest.mark.parametrize("patience", [0, 1, 2, 5])
def test_a_long_plateau_is_cut_as_often_as_in_torch(patience: int, cooldown: int) -> None:
    ours, theirs = optimizer(), optimizer()
    options = {"patience": patience, "cooldown": cooldown, "factor": 0.5}
    plateau, torchs = ReduceOnPlateau(ours, **options), ReduceLROnPlateau(theirs, eps=0, **options)
    for _ in range(40):
        for scheduler in (plateau, torchs):
            scheduler.step(1.0)
        assert rate(ours) == rate(theirs)
    assert plateau.cuts == 1 + (38 - patience) // (patience + 1 + cooldown)


@settings(deadline=None)
@given(
    metrics=st.lists(st.one_of(st.floats(0, 4), st.integers(0, 4), st.just(math.nan)), max_size=60),
    mode=st.sampled_from(["min", "max"]),
    factor=st.floats(0.1, 0.9),
    patience=st.integers(0, 3),
    threshold=st.sampled_from([0.0, 1e-4, 0.3, 0.9]),
    threshold_mode=st.sampled_from(["rel", "abs"]),
    cooldown=st.integers(0, 3),
    floor=st.sampled_from([0.0, 0.01, 0.3]),
)
def test_it_cuts_where_torch_cuts(metrics: list[float], floor: float, **options: Any) -> None:
    ours, theirs = optimizer(), optimizer()
    plateau = ReduceOnPlateau(ours, floor=floor, **options)
    torchs = ReduceLROnPlateau(theirs, min_lr=floor * RATE, eps=0, **options)
    for metric in metrics:
        plateau.step(metric)
        torchs.step(metric)
        assert rate(ours) == pytest.approx(rate(theirs), rel=1e-12)
        assert plateau.get_last_lr() == [rate(ours)]


def test_the_defaults_are_those_of_torch() -> None:
    ours, theirs = ReduceOnPlateau(optimizer()), ReduceLROnPlateau(optimizer())
    for name in ("mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "best"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert isinstance(ours, ReduceLROnPlateau)  # trainers look for it to know that it wants a metric


def test_a_relative_threshold_holds_for_negative_metrics() -> None:
    plateau = ReduceOnPlateau(optimizer(), threshold=0.1)
    torchs = ReduceLROnPlateau(optimizer(), threshold=0.1)
    for scheduler in (plateau, torchs):
        scheduler.step(-10.0)
        scheduler.step(-9.5)  # worse
    assert (plateau.best, torchs.best) == (-10.0, -9.5)
    plateau.step(-10.9)
    assert plateau.best == -10.0
    plateau.step(-11.1)
    assert plateau.best == -11.1


def test_an_infinite_metric_is_no_improvement() -> None:
    plateau = ReduceOnPlateau(optimizer(), patience=0, factor=0.5)
    for metric in (math.inf, -math.inf, math.nan):
        plateau.step(metric)
    assert (plateau.best, plateau.cuts) == (math.inf, 3)
    plateau.step(7.0)
    assert plateau.best == 7.0


def test_small_cuts_are_made_too() -> None:
    ours, theirs = optimizer(), optimizer()
    for driven in (ours, theirs):
        driven.param_groups[0]["lr"] = 1e-8
    plateau, torchs = ReduceOnPlateau(ours, patience=0), ReduceLROnPlateau(theirs, patience=0)
    for metric in (1.0, 1.0):
        plateau.step(metric)
        torchs.step(metric)
    assert rate(theirs) == 1e-8  # torch's eps
    assert rate(ours) == pytest.approx(1e-9)


def test_at_the_floor_the_cuts_are_no_longer_counted() -> None:
    plateau = ReduceOnPlateau(optimizer(), factor=0.5, patience=0, floor=0.25)
    for _ in range(6):
        plateau.step(1.0)
    assert (plateau.cuts, plateau.get_last_lr()) == (2, [RATE / 4])


def test_beside_a_schedule_both_counts_decide_in_any_order() -> None:
    schedule, driven = warmup(4) >> cosine_restarts(6, 2), optimizer()
    scheduler = schedule.attach(driven)
    plateau = ReduceOnPlateau(scheduler, factor=0.5, patience=0, floor=0.2)
    for step in range(40):
        cuts = 0 if step == 0 else (step - 1) // 5
        assert rate(driven) == RATE * schedule(step) * max(0.5**cuts, 0.2)
        if step % 5 == 0:
            plateau.step(1.0)
            assert rate(driven) == RATE * schedule(step) * max(0.5 ** (step // 5), 0.2)
        driven.step()
        scheduler.step()
    assert plateau.cuts == 3  # where the floor is reached


def test_any_hyperparameter_that_a_schedule_drives_can_be_cut() -> None:
    driven = optimizer()
    plateau = ReduceOnPlateau(constant().attach(driven, "momentum"), factor=0.5, patience=0)
    for _ in range(2):
        plateau.step(1.0)
    assert (driven.param_groups[0]["momentum"], rate(driven)) == (0.45, RATE)


def test_each_group_is_cut_from_its_own_base_and_a_late_group_joins() -> None:
    driven = optimizer()
    plateau = ReduceOnPlateau(driven, factor=0.5, patience=0)
    for _ in range(2):
        plateau.step(1.0)
    driven.add_param_group({"params": [torch.zeros(1, requires_grad=True)], "lr": 0.1})
    plateau.step(1.0)
    assert [group["lr"] for group in driven.param_groups] == [RATE / 4, 0.025]


METRICS = [3.0, 2.0, 2.0, 2.5, 2.0, 1.0, 1.0, 1.2, 1.1, 1.0, 1.0, 1.3, 0.9, 0.9, 0.9, 0.9]


def start() -> dict[str, Any]:
    driven = optimizer()
    scheduler = (warmup(3) >> cosine_restarts(5)).attach(driven)
    plateau = ReduceOnPlateau(scheduler, factor=0.3, patience=1, cooldown=1)
    return {"optimizer": driven, "scheduler": scheduler, "plateau": plateau}


def train(parts: dict[str, Any], metrics: list[float]) -> list[float]:
    used = []
    for metric in metrics:
        used.append(rate(parts["optimizer"]))
        parts["optimizer"].step()
        parts["scheduler"].step()
        parts["plateau"].step(metric)
    return used


@pytest.mark.parametrize("stop", range(0, len(METRICS), 3))
def test_a_run_that_is_cut_and_resumed_gets_the_same_values(stop: int) -> None:
    whole, first = train(start(), METRICS), start()
    assert len({value / (warmup(3) >> cosine_restarts(5))(i) for i, value in enumerate(whole) if value}) > 3
    train(first, METRICS[:stop])
    saved = io.BytesIO()
    torch.save({name: part.state_dict() for name, part in first.items()}, saved)
    for order in itertools.permutations(first):
        saved.seek(0)
        state = torch.load(saved, weights_only=True)
        resumed = start()
        for name in order:
            resumed[name].load_state_dict(state[name])
        assert train(resumed, METRICS[stop:]) == whole[stop:]
    fresh = start()
    for name in ("scheduler", "plateau"):
        fresh[name].load_state_dict(first[name].state_dict())
    assert train(fresh, METRICS[stop:]) == whole[stop:]


def test_copies_go_their_own_way() -> None:
    parts = start()
    train(parts, METRICS[:4])
    twin = copy.deepcopy(parts)
    assert train(twin, METRICS[4:]) == train(start(), METRICS)[4:]
    assert parts["plateau"].last_epoch == 4


def test_a_state_of_other_options_is_refused_and_nothing_changes() -> None:
    saved = ReduceOnPlateau(optimizer(), patience=0)
    for _ in range(3):
        saved.step(1.0)
    fresh = ReduceOnPlateau(optimizer(), patience=5)
    with pytest.raises(UserError, match=r"the saved run had options .*'patience': 0.*, this one has .* 5"):
        fresh.load_state_dict(saved.state_dict())
    assert (fresh.cuts, rate(fresh.optimizer)) == (0, RATE)
    other = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    with pytest.raises(UserError, match=r"the saved run had bases \[0.5\], this one has \[0.1\]"):
        ReduceOnPlateau(other, patience=0).load_state_dict(saved.state_dict())
    with pytest.raises(UserError, match="this is not the state of a ReduceOnPlateau"):
        fresh.load_state_dict(ReduceLROnPlateau(optimizer()).state_dict())


def metric_of(metric: object) -> Callable[[], object]:
    return lambda: ReduceOnPlateau(optimizer()).step(metric)


def two_on_one() -> object:
    scheduler = constant().attach(optimizer())
    return ReduceOnPlateau(scheduler), ReduceOnPlateau(scheduler)


def beside_a_hidden_schedule() -> object:
    driven = optimizer()
    scheduler = warmup(5).attach(driven)
    return scheduler, ReduceOnPlateau(driven)


def two_on_one_optimizer() -> object:
    driven = optimizer()
    return ReduceOnPlateau(driven), ReduceOnPlateau(driven)


def a_schedule_after_it() -> object:
    driven = optimizer()
    return ReduceOnPlateau(driven), warmup(5).attach(driven)


BAD: list[tuple[Callable[[], object], str]] = [
    (lambda: ReduceOnPlateau(optimizer()).step(), r"step\(\) needs the metric that it watches: call step\(v"),
    (metric_of(None), r"ReduceOnPlateau.step\(\) needs the metric that it watches"),
    (metric_of(torch.zeros(3)), r"step\(\) takes one number, not tensor\(\[0., 0., 0.\]\); average the metr"),
    (metric_of("0.3"), r"step\(\) takes one number, not '0.3'"),
    (metric_of([1.0]), r"step\(\) takes one number, not \[1.0\]"),
    (two_on_one, "a ReduceOnPlateau cuts lr already; use that one, or delete it first"),
    (two_on_one_optimizer, "lr of this SGD is cut by a ReduceOnPlateau already"),
    (a_schedule_after_it, "lr of this SGD is cut by a ReduceOnPlateau already; .* attach the schedule fir"),
    (beside_a_hidden_schedule, r"lr of this SGD is driven by warmup\(5\) already; .*ReduceOnPlateau\(schedu"),
    (lambda: ReduceOnPlateau(warmup(5)), "drives an optimizer, or what schedule.attach.* returns, not a war"),
    (lambda: ReduceOnPlateau(optimizer(), "lower"), "ReduceOnPlateau: mode is 'lower'; it must be one of 'm"),
    (lambda: ReduceOnPlateau(optimizer(), factor=1), "factor is 1; it must be a number, more than 0 and bel"),
    (lambda: ReduceOnPlateau(optimizer(), factor=0.0), "factor is 0.0; it must be a number, more than 0"),
    (lambda: ReduceOnPlateau(optimizer(), factor="0.1"), "factor is '0.1'; it must be a number"),
    (lambda: ReduceOnPlateau(optimizer(), patience=-1), "patience is -1; it must be a whole number, 0 or mo"),
    (lambda: ReduceOnPlateau(optimizer(), patience=1.5), "patience is 1.5; it must be a whole number, 0 or"),
    (lambda: ReduceOnPlateau(optimizer(), cooldown=True), "cooldown is True; it must be a whole number"),
    (lambda: ReduceOnPlateau(optimizer(), threshold=-1), "threshold is -1; it must be a number, 0 or more"),
    (lambda: ReduceOnPlateau(optimizer(), threshold=math.nan), "threshold is nan; it must be a number"),
    (lambda: ReduceOnPlateau(optimizer(), threshold_mode="r"), "threshold_mode is 'r'; it must be one of 'r"),
    (lambda: ReduceOnPlateau(optimizer(), floor=2), "floor is 2; it must be a number, 0 or more and at most"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), BAD)
def test_a_wrong_use_is_refused_in_one_line(make: Callable[[], object], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_metric_may_be_a_tensor_of_one_element() -> None:
    plateau = ReduceOnPlateau(optimizer())
    plateau.step(torch.tensor(2.5, requires_grad=True))
    assert plateau.best == 2.5


def test_when_one_is_gone_another_may_take_its_place_and_starts_anew() -> None:
    driven = optimizer()
    plateau = ReduceOnPlateau(driven)
    del plateau
    assert ReduceOnPlateau(driven).cuts == 0
    scheduler = constant().attach(driven)
    for _ in range(2):
        plateau = ReduceOnPlateau(scheduler, factor=0.5, patience=0)
        assert rate(driven) == RATE
        plateau.step(1.0)
        plateau.step(1.0)
        assert rate(driven) == RATE / 2
        del plateau
