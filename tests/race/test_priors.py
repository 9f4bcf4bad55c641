import inspect
import math

import pytest
import torch

from thalweg.errors import UserError
from thalweg.race.priors import PRIORS, Choice, Range, check_optimizers, prior

KEYS = pytest.mark.parametrize("key", PRIORS)


@KEYS
def test_defaults_are_torch_s_own(key):
    known = PRIORS[key]
    signature = inspect.signature(getattr(torch.optim, known.cls)).parameters
    for name, value in known.defaults.items():
        if name != "momentum":  # torch's default is none; 0.9 is what makes it momentum
            assert signature[name].default == value
    if known.cls != "SGD":
        assert signature["lr"].default == known.default_lr


@KEYS
def test_spaces_search_the_learning_rate_first_and_little_else(key):
    known = PRIORS[key]
    assert next(iter(known.space)) == "lr"
    assert len(known.space) <= 4
    assert known.source


@KEYS
def test_a_learning_rate_space_holds_the_default_and_at_least_two_decades(key):
    space = PRIORS[key].space["lr"]
    assert space.low <= PRIORS[key].default_lr <= space.high
    assert math.log10(space.high / space.low) >= 2


def test_ranges_are_log_uniform_and_choices_equal():
    assert [Range(1e-3, 10.0).at(u) for u in (0.0, 0.25, 0.5, 1.0)] == [0.001, 0.01, 0.1, 10.0]
    assert [Choice(("a", "b")).at(u) for u in (0.0, 0.49, 0.5, 1.0)] == ["a", "a", "b", "b"]


def test_an_unknown_optimizer_is_told_with_the_nearest_name():
    message = "no optimizer called 'adamv'; did you mean 'adamw'? (thalweg race --list-optimizers)"
    with pytest.raises(UserError) as caught:
        prior("adamv")
    assert str(caught.value) == message
    for typed, meant in (
        ("AdamW", "adamw"),
        ("sdg", "sgd"),
        ("rmspop", "rmsprop"),
        ("heavyball", "heavy_ball"),
    ):
        with pytest.raises(UserError, match=f"did you mean '{meant}'"):
            prior(typed)
    with pytest.raises(UserError) as caught:
        prior("zzz")
    assert str(caught.value) == "no optimizer called 'zzz' (thalweg race --list-optimizers)"


@pytest.mark.parametrize("names", [[], ["adamw", "adamw"], ["adamw", "nope"]])
def test_a_senseless_list_of_optimizers_is_refused(names):
    with pytest.raises(UserError):
        check_optimizers(names)
