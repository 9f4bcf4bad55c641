"""The vocabulary of rules: what is outside is refused with file and line."""

# ruff: noqa: RET504 - rules are written as assignments, then a return

import inspect
import pickle
import re

import pytest

from thalweg.engine.ops import isfinite, maximum, where
from thalweg.engine.rule import Rule, formula, rule
from thalweg.errors import UserError
from thalweg.optim.adam import adam


def loop(p, g):
    for _ in range(3):
        g = g * 2
    return g


def branch(p, g):
    if g > 0:
        g = -g
    return g


def chosen(p, g, *, a):
    return g if a > 0 else p


def attribute(p, g):
    return g.sqrt()


def item(p, g):
    return g[0]


def unknown_function(p, g):
    return exp(g)  # noqa: F821


def unknown_name(p, g):
    return g * scale  # noqa: F821


def used_too_early(p, g):
    x = y * 2  # noqa: F821
    y = g
    return x * y


def arity(p, g):
    return maximum(g)


def keyword(p, g):
    return maximum(a=g, b=p)


def boolean(p, g):
    return g * True


def text(p, g):
    return g * "2"


def arithmetic_on_a_condition(p, g):
    return (g > 0) * g


def returned_condition(p, g):
    keep = isfinite(g)
    return keep


def number_as_a_condition(p, g):
    return where(g, p, 0)


def chained(p, g):
    return where(0 < g < 1, g, p)


def logic(p, g):
    return where(g > 0 and p > 0, g, p)


def remainder(p, g):
    return g % 2


def augmented(p, g):
    g += p
    return g


def two_targets(p, g):
    a = b = g
    return a + b


def unpacked(p, g):
    a, b = g, p
    return a + b


def nothing(p, g):
    g = g + p


def bare(p, g):
    return


def hidden_function(p, g):
    sign = g * 2
    return sign


def underscore(p, g):
    _0 = g * 2
    return _0


REFUSED = {
    loop: (1, "only assignments to a name"),
    branch: (1, "only assignments to a name"),
    chosen: (1, "'g if a > 0 else p' is outside the vocabulary"),
    attribute: (1, "'g.sqrt()' is outside the vocabulary"),
    item: (1, "'g[0]' is outside the vocabulary"),
    unknown_function: (1, "no function 'exp'; there are absolute, isfinite"),
    unknown_name: (1, "'scale' is neither an argument nor assigned before"),
    used_too_early: (1, "'y' is neither an argument nor assigned before"),
    arity: (1, "maximum takes 2 arguments, not 1"),
    keyword: (1, "is outside the vocabulary"),
    boolean: (1, "the constant True is not a number"),
    text: (1, "the constant '2' is not a number"),
    arithmetic_on_a_condition: (1, "the condition 'g > 0' is no number"),
    returned_condition: (2, "the condition 'keep' is no number"),
    number_as_a_condition: (1, "the first argument of where is a condition"),
    chained: (1, "'0 < g < 1' is outside the vocabulary"),
    logic: (1, "'g > 0 and p > 0' is outside the vocabulary"),
    remainder: (1, "'g % 2' is outside the vocabulary"),
    augmented: (1, "only assignments to a name"),
    two_targets: (1, "only assignments to a name"),
    unpacked: (1, "only assignments to a plain name"),
    nothing: (0, "the last line returns the step and the new states"),
    bare: (0, "the last line returns the step and the new states"),
    hidden_function: (1, "the name 'sign' is taken by the vocabulary"),
    underscore: (1, "the name '_0' is taken by the vocabulary"),
}


@pytest.mark.parametrize("function", REFUSED, ids=lambda f: f.__name__)
def test_outside_the_vocabulary_is_refused_at_its_line(function) -> None:
    offset, message = REFUSED[function]
    line = inspect.getsourcelines(function)[1] + offset
    where_and_what = f"{__file__}, line {line}: rule {function.__name__!r}: "
    with pytest.raises(UserError, match=re.escape(where_and_what) + ".*" + re.escape(message)) as error:
        formula(function)
    assert "\n" not in str(error.value)


def default(p, g=1):
    return g


def keyword_default(p, g, *, a=0):
    return g * a


def star(p, *g):
    return p


def not_p_first(g, p):
    return g


def power(p, g):
    x = g**2
    return x


def power_of_an_element(p, g, *, a):
    return a**g


def scalar_twice(p, g, *, a):
    b = a * 2
    b = b * 2
    return g * b


def element_then_scalar(p, g, *, a):
    g = a * 2
    return g * p


def scalar_argument_again(p, g, *, a):
    a = a * 2
    return g * a


SHAPES = {
    default: "without defaults",
    keyword_default: "without defaults",
    star: "without defaults",
    not_p_first: "the first argument is p",
    power: "'g ** 2': powers are for scalars",
    power_of_an_element: "'a ** g': powers are for scalars",
    scalar_twice: "'b' is assigned a scalar, but has a value already",
    element_then_scalar: "'g' is assigned a scalar, but has a value already",
    scalar_argument_again: "'a' is assigned a scalar, but has a value already",
}


@pytest.mark.parametrize("function", SHAPES, ids=lambda f: f.__name__)
def test_wrong_shapes_are_refused_at_the_definition(function) -> None:
    line = inspect.getsourcelines(function)[1]
    start = f"{__file__}, line {line}: rule {function.__name__!r}: "
    with pytest.raises(UserError, match=re.escape(start) + ".*" + re.escape(SHAPES[function])):
        formula(function)


def test_the_number_of_values_is_one_and_the_states() -> None:
    def two_for_one(p, g, m):
        return g, m, m

    def none_for_one(p, g, m):
        return g

    with pytest.raises(UserError, match="1 value and 1 states, not 3 values"):
        rule(states={"m": "m"})(two_for_one)
    with pytest.raises(UserError, match="1 value and 1 states, not 1 values"):
        rule(states={"m": "m"})(none_for_one)
    with pytest.raises(UserError, match=r"states= must name exactly the arguments after g: \('m',\)"):
        rule(states={"v": "m"})(none_for_one)


def test_a_lambda_is_refused() -> None:
    with pytest.raises(UserError, match="written with def"):
        formula(lambda p, g: g)


def test_a_rule_knows_its_signature_and_runs_as_written() -> None:
    assert adam.tensors == ("p", "g", "m", "v")
    assert adam.scalars == ("t", "beta1", "beta2", "eps")
    assert adam.states == {"m": "exp_avg", "v": "exp_avg_sq"}
    step, m, v = adam(0.0, 2.0, 0.0, 0.0, t=1, beta1=0.5, beta2=0.75, eps=0.0)
    assert (step, m, v) == (1.0, 1.0, 1.0)
    assert isinstance(formula(squared)(0.0, 3.0), tuple)


def squared(p, g):
    """A docstring is no statement."""
    return g * g


def test_rules_pickle_by_name() -> None:
    assert pickle.loads(pickle.dumps(adam)) is adam
    lost = Rule("x", test_rules_pickle_by_name, (), (), {}, False, {}, "all", (), ())
    with pytest.raises(UserError, match="no longer a rule"):
        pickle.loads(pickle.dumps(lost))
