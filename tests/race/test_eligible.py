import pytest

from thalweg.errors import UserError
from thalweg.race.eligible import field, free_memory, obstacle, too_slow
from thalweg.race.priors import PRIORS

MLP = 269_322
PLENTY = 8e9


def test_a_matrix_that_does_not_fit_is_told_with_its_size():
    said = obstacle("bfgs", MLP, 940, PLENTY)
    assert said == "its inverse Hessian would take 290 GB, and there is room for 8 GB"
    assert obstacle("bfgs", 1000, 940, PLENTY) == ""
    assert obstacle("bfgs", 1000, 940, 3e6).startswith("its inverse Hessian would take 4 MB")


def test_state_that_does_not_fit_is_told_too():
    assert obstacle("adamw", MLP, 940, 2e6) == "its state would take 2.15 MB, and there is room for 2 MB"
    assert obstacle("sgd", MLP, 940, 1.0) == ""


def test_a_class_s_own_limit_is_told():
    assert (
        obstacle("newton", 5001, 10**9, 1e12) == "it takes at most 5,000 parameters, and the model has 5,001"
    )


def test_a_step_longer_than_a_tenth_of_a_run_is_told():
    said = obstacle("coordinate_descent", 100, 1999, PLENTY)
    assert said == "a step takes 200 gradient evaluations or more, and a full run has 1,999"
    assert obstacle("coordinate_descent", 100, 2000, PLENTY) == ""


def test_all_is_everyone_who_can_run():
    names, reasons = field("all", MLP, 940, PLENTY)
    assert set(names) | set(reasons) == set(PRIORS)
    assert set(reasons) == {"bfgs", "newton", "coordinate_descent"}
    assert field(["all"], MLP, 940, PLENTY) == (names, reasons)
    assert field(["sgd", "adamw"], MLP, 940, PLENTY) == (("sgd", "adamw"), {})


def test_who_was_asked_for_by_name_and_cannot_run_is_an_error():
    with pytest.raises(UserError, match="bfgs cannot race here: its inverse Hessian would take 290 GB"):
        field(["adamw", "bfgs"], MLP, 940, PLENTY)
    with pytest.raises(UserError, match="no optimizer called"):
        field(["adamv"], MLP, 940, PLENTY)


def test_slow_ones_are_named():
    assert too_slow({"adamw": 1.0, "sgd": 7.9, "learned": 12.3}) == {
        "learned": "a step takes 12 times AdamW's"
    }


def test_memory_is_shared_by_the_workers():
    assert free_memory("cpu", 1) > 1e7
    assert free_memory("cpu", 4) < free_memory("cpu", 1)
