"""Checkpoints are interchangeable with torch.optim, both ways, for every class that torch has."""

import io

import pytest
import torch
from torch import nn

from thalweg import optim

VARIANTS = {
    "sgd": ("SGD", {"lr": 0.1}),
    "sgd decay": ("SGD", {"lr": 0.1, "weight_decay": 0.2}),
    "sgd momentum": ("SGD", {"lr": 0.1, "momentum": 0.9}),
    "sgd dampened": ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.2}),
    "sgd nesterov": ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "maximize": True}),
    "adagrad": ("Adagrad", {"lr": 0.1}),
    "adagrad all": (
        "Adagrad",
        {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.2, "initial_accumulator_value": 0.5, "eps": 1e-4},
    ),
    "rmsprop": ("RMSprop", {"lr": 0.1}),
    "rmsprop all": (
        "RMSprop",
        {"lr": 0.1, "alpha": 0.8, "centered": True, "momentum": 0.5, "weight_decay": 0.2, "eps": 1e-3},
    ),
    "rmsprop momentum": ("RMSprop", {"lr": 0.1, "momentum": 0.5}),
    "adam": ("Adam", {"lr": 0.1}),
    "adam all": (
        "Adam",
        {"lr": 0.1, "betas": (0.8, 0.9), "weight_decay": 0.2, "amsgrad": True, "maximize": True, "eps": 1e-3},
    ),
    "adam decoupled": ("Adam", {"lr": 0.1, "weight_decay": 0.2, "decoupled_weight_decay": True}),
    "adamw": ("AdamW", {"lr": 0.1}),
    "adamw all": ("AdamW", {"lr": 0.1, "betas": (0.5, 0.9), "weight_decay": 0.2, "amsgrad": True}),
    "adadelta": ("Adadelta", {"lr": 0.7}),
    "adadelta all": ("Adadelta", {"lr": 0.7, "rho": 0.8, "eps": 1e-3, "weight_decay": 0.2, "maximize": True}),
    "adamax": ("Adamax", {"lr": 0.1}),
    "adamax all": ("Adamax", {"lr": 0.1, "betas": (0.8, 0.9), "weight_decay": 0.2, "eps": 1e-3}),
    "radam": ("RAdam", {"lr": 0.1}),
    "radam all": ("RAdam", {"lr": 0.1, "betas": (0.8, 0.9), "weight_decay": 0.2, "eps": 1e-3}),
    "radam decoupled": ("RAdam", {"lr": 0.1, "weight_decay": 0.2, "decoupled_weight_decay": True}),
    "rprop": ("Rprop", {"lr": 0.1}),
    "rprop all": ("Rprop", {"lr": 0.1, "etas": (0.3, 1.4), "step_sizes": (0.05, 0.12), "maximize": True}),
    "nadam": ("NAdam", {"lr": 0.1}),
    "nadam all": ("NAdam", {"lr": 0.1, "betas": (0.8, 0.9), "weight_decay": 0.2, "momentum_decay": 1.0}),
    "nadam decoupled": ("NAdam", {"lr": 0.1, "weight_decay": 0.2, "decoupled_weight_decay": True}),
    "asgd": ("ASGD", {"lr": 0.1}),
    "asgd all": ("ASGD", {"lr": 0.1, "lambd": 0.3, "alpha": 0.6, "t0": 2.0, "weight_decay": 0.2}),
    "adafactor": ("Adafactor", {"lr": 0.1}),
    "adafactor all": (
        "Adafactor",
        {"lr": 0.7, "beta2_decay": -0.6, "eps": (0.2, 0.1), "d": 1.1, "weight_decay": 0.2, "maximize": True},
    ),
}
NUMBERS = {"mu_product", "eta", "mu"}  # torch keeps them in its default precision, thalweg in double
SHAPES = ((5, 4), (7,), ())
LIBRARIES = {"thalweg": optim, "torch": torch.optim}


class Run:
    """Three parameters under an optimizer of either library; the last gets no gradient before step 2."""

    def __init__(self, library, variant, dtype, named=False):
        name, options = VARIANTS[variant]
        generator = torch.Generator().manual_seed(1)
        self.params = [
            nn.Parameter(torch.randn(s, generator=generator, dtype=torch.float64).to(dtype)) for s in SHAPES
        ]
        params = list(zip("abc", self.params, strict=True)) if named else self.params
        self.optimizer = getattr(LIBRARIES[library], name)(params, **options)

    def steps(self, first, last):
        for k in range(first, last):
            for i, p in enumerate(self.params):
                generator = torch.Generator().manual_seed(10 * k + i)
                grad = torch.randn(p.shape, generator=generator, dtype=torch.float64).to(p.dtype)
                p.grad = None if i == 2 and k < 2 else grad
            self.optimizer.step()
        return self

    def checkpoint(self):
        file = io.BytesIO()
        torch.save((self.params, self.optimizer.state_dict()), file)
        file.seek(0)
        return torch.load(file, weights_only=True)

    def resume(self, checkpoint):
        params, state = checkpoint
        with torch.no_grad():
            for p, saved in zip(self.params, params, strict=True):
                p.copy_(saved)
        self.optimizer.load_state_dict(state)
        return self


def assert_same_path(a, b, dtype):
    """Equal to 1e-12 in float64; in float32 the two round differently at each of a few steps."""
    tolerance = 1e-12 if dtype == torch.float64 else 2e-6
    for p, q in zip(a.params, b.params, strict=True):
        torch.testing.assert_close(p, q, rtol=tolerance, atol=tolerance)


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("source", "target"), [("thalweg", "torch"), ("torch", "thalweg")])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_a_run_goes_on_in_the_other_library(source, target, variant, dtype):
    for saved_at in (0, 1, 4):
        run = Run(source, variant, dtype).steps(0, saved_at)
        other = Run(target, variant, dtype).resume(run.checkpoint())
        run.steps(saved_at, saved_at + 5)
        other.steps(saved_at, saved_at + 5)
        assert_same_path(run, other, dtype)


@pytest.mark.parametrize("variant", VARIANTS)
def test_there_and_back_is_bit_equal(variant):
    run = Run("thalweg", variant, torch.float32).steps(0, 3)
    through = Run("torch", variant, torch.float32).resume(run.checkpoint())
    back = Run("thalweg", variant, torch.float32).resume(through.checkpoint())
    run.steps(3, 6)
    back.steps(3, 6)
    for p, q in zip(run.params, back.params, strict=True):
        assert torch.equal(p, q)


@pytest.mark.parametrize("variant", VARIANTS)
def test_hyperparameters_arrive(variant):
    run = Run("torch", variant, torch.float32)
    name, _ = VARIANTS[variant]
    fresh = getattr(optim, name)([nn.Parameter(p.detach().clone()) for p in run.params])
    with pytest.warns(UserWarning, match="the checkpoint replaced lr"):
        fresh.load_state_dict(run.checkpoint()[1])
    for key, value in run.optimizer.param_groups[0].items():
        if key != "params":
            assert fresh.param_groups[0][key] == value, key


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_groups_of_both_libraries_have_the_same_options(variant):
    mine, other = Run("thalweg", variant, torch.float32), Run("torch", variant, torch.float32)
    assert mine.optimizer.state_dict()["param_groups"] == other.optimizer.state_dict()["param_groups"]
    assert mine.optimizer.defaults == other.optimizer.defaults


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_states_have_torchs_names_shapes_and_types(variant):
    mine = Run("thalweg", variant, torch.float32).steps(0, 3).optimizer.state_dict()["state"]
    other = Run("torch", variant, torch.float32).steps(0, 3).optimizer.state_dict()["state"]
    for i, theirs in other.items():
        for key, value in theirs.items():
            dtype = torch.float64 if key in NUMBERS else value.dtype
            assert (mine[i][key].shape, mine[i][key].dtype) == (value.shape, dtype)
        assert mine[i].keys() - theirs.keys() <= {"step"}


def test_a_momentum_buffer_of_none_is_an_absent_one():
    run = Run("torch", "sgd dampened", torch.float64)
    state = run.optimizer.state_dict()
    state["state"] = {i: {"momentum_buffer": None} for i in range(3)}
    other = Run("thalweg", "sgd dampened", torch.float64)
    other.optimizer.load_state_dict(state)
    assert_same_path(run.steps(2, 5), other.steps(2, 5), torch.float64)


def test_torchs_sgd_has_no_step_count_yet_dampening_goes_on():
    run = Run("torch", "sgd dampened", torch.float64).steps(0, 3)
    assert "step" not in run.optimizer.state[run.params[0]]
    other = Run("thalweg", "sgd dampened", torch.float64).resume(run.checkpoint())
    assert_same_path(run.steps(3, 4), other.steps(3, 4), torch.float64)


def test_a_checkpoint_of_an_older_torch_lacks_options_that_came_later():
    run = Run("torch", "adamw all", torch.float64).steps(0, 3)
    params, state = run.checkpoint()
    for key in ("maximize", "foreach", "capturable", "differentiable", "fused", "decoupled_weight_decay"):
        del state["param_groups"][0][key]
    for entry in state["state"].values():
        entry["step"] = int(entry["step"])  # a plain number before torch 1.12
    other = Run("thalweg", "adamw all", torch.float64).resume((params, state))
    assert_same_path(run.steps(3, 6), other.steps(3, 6), torch.float64)


def test_an_adam_checkpoint_makes_no_adam_of_adamw():
    run = Run("torch", "adam", torch.float64).steps(0, 3)
    mine, other = (Run(library, "adamw", torch.float64) for library in LIBRARIES)
    other.resume(run.checkpoint())
    with pytest.warns(UserWarning, match=r"weight_decay 0\.01 by 0"):
        mine.resume(run.checkpoint())
    for each in (mine, other):
        assert each.optimizer.param_groups[0]["decoupled_weight_decay"] is True
        each.optimizer.param_groups[0]["weight_decay"] = 0.5
    assert_same_path(mine.steps(3, 6), other.steps(3, 6), torch.float64)


def test_names_pass_between_the_libraries():
    run = Run("torch", "adam", torch.float64, named=True).steps(0, 3)
    other = Run("thalweg", "adam", torch.float64, named=True).resume(run.checkpoint())
    assert other.optimizer.param_groups[0]["param_names"] == ["a", "b", "c"]
    back = Run("torch", "adam", torch.float64, named=True).resume(other.checkpoint())
    for each in (run, other, back):
        each.steps(3, 6)
    assert_same_path(run, other, torch.float64)
    assert_same_path(run, back, torch.float64)
