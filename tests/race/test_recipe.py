import json
import math
import pickle

import pytest
import torch

from thalweg import optim
from thalweg.errors import UserError
from thalweg.race.priors import PRIORS
from thalweg.race.recipe import BASELINE, DECAYS, Recipe, number
from thalweg.race.sampling import trials

KEYS = pytest.mark.parametrize("key", PRIORS)
FULL = Recipe("adamw", 3.1e-3, {"betas": (0.95, 0.999), "weight_decay": 0.11}, 0.05, "cosine", 1.0)


def small_model():
    torch.manual_seed(0)
    return torch.nn.Linear(3, 2)


def train(model, optimizer, scheduler, steps=4):
    x, y = torch.randn(8, 3, generator=torch.Generator().manual_seed(1)), torch.ones(8, 2)

    def closure():
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x), y)
        loss.backward()
        return loss

    for _ in range(steps):
        optimizer.step(closure)
        scheduler.step()
    return model.weight.detach().clone()


@KEYS
def test_json_pickle_and_back(key):
    for recipe in trials(key, 5, 0):
        assert Recipe.from_json(recipe.to_json()) == recipe
        assert Recipe.from_json(json.loads(recipe.to_json())) == recipe
        assert pickle.loads(pickle.dumps(recipe)) == recipe
        assert Recipe.from_json(recipe.to_json()).id == recipe.id


def test_the_id_is_of_the_value_and_not_of_how_it_was_written():
    other = Recipe("adamw", 3.1e-3, {"weight_decay": 0.11, "betas": [0.95, 0.999]}, 0.05, "cosine", 1)
    assert other.id == FULL.id
    assert hash(other) == hash(FULL)
    assert len({FULL.id, Recipe("adamw", 3.2e-3).id, Recipe("adam", 3.1e-3).id, BASELINE.id}) == 4


def test_ids_never_change():
    assert BASELINE.to_json() == (
        '{"clip":null,"decay":"constant","lr":0.001,"optimizer":"adamw",'
        '"options":{"betas":[0.9,0.999],"weight_decay":0.01},"warmup":0.0}'
    )
    assert BASELINE.id == "910fc3f07034"


def test_the_baseline_is_torch_s_adamw():
    torch_s = torch.optim.AdamW([torch.zeros(1)]).defaults
    assert BASELINE.lr == torch_s["lr"]
    assert all(torch_s[name] == value for name, value in BASELINE.options.items())
    assert (BASELINE.decay, BASELINE.warmup, BASELINE.clip) == ("constant", 0.0, None)


def test_descriptions():
    assert (
        FULL.describe() == "adamw lr 3.1e-3, warm-up 5 %, cosine, betas (0.95, 0.999), decay 0.11, clip 1.0"
    )
    assert BASELINE.describe() == "adamw lr 1e-3, constant, decay 0.01"
    assert Recipe.default("nesterov").describe() == "nesterov lr 0.01, constant"
    assert Recipe("sgd", 0.5, decay="linear").describe() == "sgd lr 0.5, linear"
    assert Recipe("rmsprop", 1e-3, {"alpha": 0.9987}).describe() == "rmsprop lr 1e-3, cosine, alpha 0.9987"


def test_numbers_as_people_write_them():
    assert [number(v) for v in (0.0, 3e-4, 0.00123, 0.05, 1.0, 12.0, 2e4)] == [
        "0",
        "3e-4",
        "1.2e-3",
        "0.05",
        "1",
        "12",
        "2e4",
    ]


@pytest.mark.parametrize("decay", DECAYS)
def test_the_schedule_warms_up_and_ends_as_told(decay):
    schedule = Recipe("adamw", 1e-3, warmup=0.1, decay=decay).schedule(200)
    end = 1.0 if decay == "constant" else 0.0
    middle = {"constant": 1.0, "linear": 0.5, "cosine": 0.5}[decay]
    assert [schedule(s) for s in (0, 10, 20, 110, 200)] == pytest.approx(
        [0.0, 0.5, 1.0, middle, end], abs=1e-9
    )


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_very_short_runs_have_a_schedule(steps):
    schedule = Recipe("adamw", 1e-3, warmup=0.05).schedule(steps)
    assert all(math.isfinite(schedule(s)) for s in range(steps))
    assert schedule(0) == 1.0


@KEYS
def test_a_built_recipe_trains_like_torch_s_optimizer(key):
    recipe = Recipe.default(key)
    ours = small_model()
    optimizer, scheduler = recipe.build(ours.parameters(), 4)
    twin = small_model()
    cls = getattr(torch.optim, PRIORS[key].cls, None) or getattr(optim, PRIORS[key].cls)
    reference = cls(twin.parameters(), lr=recipe.lr, **recipe.options)
    still = torch.optim.lr_scheduler.LambdaLR(reference, lambda step: 1.0)
    torch.testing.assert_close(train(ours, optimizer, scheduler), train(twin, reference, still))


@pytest.mark.parametrize(
    "recipe", [FULL, BASELINE, *(trials(key, 2, 0)[1] for key in PRIORS)], ids=lambda r: r.optimizer
)
def test_the_snippet_pastes_and_trains_the_same(recipe):
    model = small_model()
    names = {"model": model}
    exec(recipe.snippet(40), names)
    twin = small_model()
    ours = train(model, names["optimizer"], names["scheduler"], steps=6)
    assert torch.equal(ours, train(twin, *recipe.build(twin.parameters(), 40), steps=6))
    assert recipe.id in recipe.snippet(40)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"optimizer": "adamv"}, "did you mean 'adamw'"),
        ({"lr": 0.0}, "lr is 0.0"),
        ({"lr": math.nan}, "lr is nan"),
        ({"lr": "high"}, "lr is 'high'"),
        ({"warmup": 1.0}, "warmup is 1.0"),
        ({"decay": "cosin"}, "decay is 'cosin'"),
        ({"clip": 0.0}, "clip is 0.0"),
    ],
)
def test_nonsense_is_refused(change, said):
    with pytest.raises(UserError, match=said):
        Recipe(**{"optimizer": "adamw", "lr": 1e-3, **change})


@pytest.mark.parametrize("text", ["", "3", "[]", '{"lr": 1}', '{"optimizer": "adamw", "lr": 0.1, "fun": 1}'])
def test_another_text_is_no_recipe(text):
    with pytest.raises(UserError, match="not a recipe"):
        Recipe.from_json(text)
