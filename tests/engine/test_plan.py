"""Programs: which stages run, in which order, on what."""

import pytest

from thalweg import transforms
from thalweg.engine.plan import Totals, Transform, ascend, compose, descend, keep
from thalweg.engine.rule import formula, rule
from thalweg.errors import UserError
from thalweg.optim.adam import adam
from thalweg.optim.momentum import velocity
from thalweg.transforms.decay import COUPLED, DECOUPLED


@rule(states={"m": "average"})
def averaged(p, x, m):
    m = (m + x) / 2
    return m, m


@formula
def counted(p, g):
    return g


def test_the_order_is_gradient_algorithm_step_descent_parameter() -> None:
    clip, prox = transforms.clip_value(1.0), transforms.l1_prox(0.1)
    program = compose(adam, (DECOUPLED, prox, clip, COUPLED), maximize=True)
    rules = [stage.rule for stage in program.stages]
    assert rules == [ascend, clip.rule, COUPLED.rule, adam, DECOUPLED.rule, descend, prox.rule]
    assert program.states == ("exp_avg", "exp_avg_sq")
    assert [s.inputs for s in program.stages[-2:]] == [("p", "g"), ("p",)]
    assert [s.outputs for s in program.stages[3:]] == [
        ("g", "exp_avg", "exp_avg_sq"),
        ("g",),
        ("p",),
        ("p",),
    ]


def test_a_rule_that_moves_keeps_what_it_returns() -> None:
    assert [s.rule for s in compose(velocity).stages] == [velocity, keep]
    with pytest.raises(UserError, match="velocity moves the parameter itself"):
        compose(velocity, (DECOUPLED,))


def test_equal_programs_are_one_object() -> None:
    assert compose(adam, (COUPLED,)) is compose(adam, (COUPLED,))
    assert compose(adam, (COUPLED,)) is not compose(adam, (DECOUPLED,))


def test_two_states_of_one_name_are_refused() -> None:
    pair = (Transform(averaged, on="grad"), Transform(averaged, on="step"))
    with pytest.raises(UserError, match="two transforms keep their state under 'average'"):
        compose(adam, pair)


def test_constants_are_those_of_the_stages_before_then_of_the_reduction() -> None:
    guard = transforms.guard()
    program = compose(adam, (transforms.clip_value(3.0), guard))
    assert program.reducing == (1,)
    assert program.constants({}, {}, 1) == [-3.0, 3.0, 0.0, 1.0]  # guard's formula: where(finite, 0, 1)
    values = {"t": 1, "beta1": 0.5, "beta2": 0.5, "eps": 0.0, "lr": 0.25}
    constants = program.constants(values, {1: {"total": 0.0}}, None)
    assert constants[:2] == [-3.0, 3.0]
    assert constants[-1] == 0.25


def test_options_of_a_transform_hide_those_of_the_group() -> None:
    program = compose(adam, (transforms.coupled_decay(0.5),))
    scalars = program.scalars(program.stages[0], {"weight_decay": 9.0}, {})
    assert scalars == {"weight_decay": 0.5}


def test_totals_name_what_is_not_finite() -> None:
    totals = Totals(float("nan"), {"a": 1.0, "b": float("inf"), "c": float("nan")})
    assert totals.not_finite() == ["b", "c"]


def test_a_transform_prints_as_a_call() -> None:
    assert repr(transforms.clip_norm(2.0)) == "clipped_norm(max_norm=2)"
