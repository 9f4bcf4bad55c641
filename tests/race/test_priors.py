import inspect
import math

import pytest
import torch
from torch import nn

from thalweg import optim
from thalweg.errors import UserError
from thalweg.race.priors import ALL, PRIORS, check_optimizers, prior
from thalweg.race.recipe import Recipe
from thalweg.race.sampling import trials
from thalweg.race.space import Choice, Prior, Range
from thalweg.race.training import state_bytes

KEYS = pytest.mark.parametrize("key", PRIORS)
SMALL = (12, 7)


def test_the_race_knows_every_optimizer_that_is_exported():
    missing = set(optim.__all__) - {known.cls for known in PRIORS.values()}
    assert not missing, f"thalweg/race/priors.py has no line for {', '.join(sorted(missing))}"
    assert list(PRIORS) == [known.key for known in PRIORS.values()]


@KEYS
def test_defaults_are_those_of_the_class_and_of_torch(key):
    known = PRIORS[key]
    signature = inspect.signature(getattr(optim, known.cls)).parameters
    for name in {**known.fixed, **known.defaults}:
        assert name in signature
    for name, value in known.defaults.items():
        if name != "momentum":  # torch's default is none; 0.9 is what makes it momentum
            assert signature[name].default == value
    if known.cls != "SGD":
        assert signature["lr"].default == known.default_lr
    if twin := getattr(torch.optim, known.cls, None):
        theirs = inspect.signature(twin).parameters
        assert all(theirs[name].default == signature[name].default for name in known.defaults)


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


def trained(recipe: Recipe, steps: int = 3) -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    model = nn.Linear(*SMALL)
    x, y = torch.randn(20, SMALL[0]), torch.randn(20, SMALL[1])
    optimizer, scheduler = recipe.build(model.parameters(), 40)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = (model(x) - y).square().mean()
        loss.backward()
        return loss

    for _ in range(steps):
        optimizer.step(closure)
        scheduler.step()
    return model, optimizer


@KEYS
def test_the_memory_that_is_told_is_that_of_the_state(key):
    model, optimizer = trained(Recipe.default(key))
    parameters = sum(p.numel() for p in model.parameters())
    counters = 24 * len(list(model.parameters()))
    told = PRIORS[key].memory(parameters)
    assert state_bytes(optimizer) <= told + counters
    if not PRIORS[key].at_most:
        assert state_bytes(optimizer) >= told


@KEYS
def test_every_trial_makes_a_step(key):
    for recipe in trials(key, 6, seed=2):
        before, _ = trained(recipe, 0)
        after, _ = trained(recipe, 3)
        assert not torch.equal(before.weight, after.weight)


def test_a_matrix_of_a_model_is_counted():
    newton = Prior("n", "N", 1.0, {}, {}, "", state=4, matrix="its Hessian", square=4, evaluations=(1, 2))
    assert newton.memory(1000) == 4 * 1000 + 4 * 1000**2
    assert newton.least_evaluations(1000) == 2001
    assert newton.state_text == "4 B + 4 B x parameters"


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


@pytest.mark.parametrize("names", [[], ["adamw", "adamw"], ["adamw", "nope"], ["adamw", ALL]])
def test_a_senseless_list_of_optimizers_is_refused(names):
    with pytest.raises(UserError):
        check_optimizers(names)
