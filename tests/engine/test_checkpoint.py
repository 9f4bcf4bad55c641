"""Resuming: bit-equal to the run that was never interrupted, or refused before anything is changed."""

import copy
import io
import pickle
import warnings

import pytest
import torch
from torch import nn

from thalweg import optim, schedules, transforms
from thalweg.errors import CheckpointWarning, UserError

VARIANTS = {
    "sgd": ("SGD", {"weight_decay": 0.2}),
    "sgd dampened": ("SGD", {"momentum": 0.9, "dampening": 0.3}),
    "sgd nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}),
    "momentum sum": ("Momentum", {"convention": "sum"}),
    "momentum average": ("Momentum", {"convention": "average"}),
    "momentum velocity": ("Momentum", {"convention": "velocity"}),
    "nesterov": ("Nesterov", {}),
    "adagrad": ("Adagrad", {"lr_decay": 0.1, "initial_accumulator_value": 0.5}),
    "rmsprop": ("RMSprop", {}),
    "rmsprop all": ("RMSprop", {"centered": True, "momentum": 0.5, "weight_decay": 0.2}),
    "adam": ("Adam", {}),
    "adam amsgrad": ("Adam", {"amsgrad": True, "maximize": True}),
    "adamw": ("AdamW", {"weight_decay": 0.2}),
}
CASES = [(variant, dtype) for dtype in (torch.float32, torch.bfloat16) for variant in VARIANTS]
CASES += [("adamw", torch.float16), ("adamw", torch.float64), ("rmsprop all", torch.float16)]
WRAPS = [transforms.guard("skip"), transforms.clip_norm(0.5), transforms.l1_prox(1e-3)]


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Training:
    """A small model, an optimizer with transforms and a schedule; what a training script holds."""

    def __init__(self, variant="adamw", dtype=torch.float32, named=True, **options):
        torch.manual_seed(1)
        self.model = nn.Sequential(nn.Conv2d(2, 4, 3), nn.Flatten(), nn.Linear(16, 3)).to(dtype)
        self.model[0].to(memory_format=torch.channels_last)
        name, chosen = VARIANTS[variant]
        params = self.model.named_parameters() if named else self.model.parameters()
        self.optimizer = getattr(optim, name)(
            params, **{"lr": 0.05, "transforms": WRAPS, **chosen, **options}
        )
        self.scheduler = (schedules.warmup(3) >> schedules.cosine(9)).attach(self.optimizer)

    def steps(self, first, last):
        for k in range(first, last):
            generator = torch.Generator().manual_seed(k)
            dtype = self.model[0].weight.dtype
            x = torch.randn(5, 2, 4, 4, generator=generator).to(dtype)

            def closure(x=x):
                self.optimizer.zero_grad()
                loss = self.model(x).square().mean()
                loss.backward()
                return loss

            self.optimizer.step(closure)
            self.scheduler.step()
        return self

    def save(self):
        parts = (self.model, self.optimizer, self.scheduler)
        return through_a_file([part.state_dict() for part in parts])

    def load(self, saved):
        for part, state in zip((self.model, self.optimizer, self.scheduler), saved, strict=True):
            part.load_state_dict(state)
        return self

    def tensors(self):
        state = self.optimizer.state_dict()["state"]
        named = {f"{i} {k}": v for i, slot in state.items() for k, v in slot.items()}
        return {**self.model.state_dict(), **named}


def through_a_file(what):
    file = io.BytesIO()
    torch.save(what, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def assert_bit_equal(a, b):
    ours, theirs = a.tensors(), b.tensors()
    assert ours.keys() == theirs.keys()
    for key, value in ours.items():
        assert value.dtype == theirs[key].dtype, key
        assert torch.equal(bits(value), bits(theirs[key])), key


def bits(tensor):
    """The low bits of a parameter are no numbers in a state_dict: many are NaN."""
    return tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor


# -- exact ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("variant", "dtype"), CASES, ids=str)
def test_resume_is_bit_equal(variant, dtype):
    whole = Training(variant, dtype)
    start = whole.tensors()["0.weight"].clone()
    for saved_at in (0, 1, 5):
        whole = Training(variant, dtype).steps(0, saved_at)
        part = Training(variant, dtype).load(whole.save())
        whole.steps(saved_at, 8)
        part.steps(saved_at, 8)
        assert_bit_equal(whole, part)
    assert not torch.equal(start, whole.tensors()["0.weight"])


def test_low_precision_parameters_keep_float32_states_and_their_rounding_error():
    run = Training("adamw", torch.bfloat16).steps(0, 4)
    part = Training("adamw", torch.bfloat16).load(run.save())
    state = part.optimizer.state[part.model[2].weight]
    assert state["exp_avg"].dtype == torch.float32
    assert state["low_bits"].dtype == torch.int16
    assert bool((state["exp_avg"] != state["exp_avg"].bfloat16()).any())
    assert bool((state["low_bits"] != 0).any())


def test_resume_after_momentum_was_turned_off_keeps_what_it_had_gathered():
    def switched(training, momentum):
        training.optimizer.param_groups[0]["momentum"] = momentum
        return training

    whole = switched(Training("sgd nesterov").steps(0, 3), 0.0).steps(3, 5)
    with pytest.warns(CheckpointWarning, match=r"momentum 0\.9 by 0"):
        part = Training("sgd nesterov").load(whole.save())
    switched(whole, 0.9).steps(5, 8)
    switched(part, 0.9).steps(5, 8)
    assert_bit_equal(whole, part)


@pytest.mark.parametrize(
    "how", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"]
)
def test_a_copy_of_model_and_optimizer_goes_on_by_itself(how):
    whole = Training("rmsprop all", torch.bfloat16).steps(0, 3)
    part = how(whole)
    assert part.optimizer.param_groups[0]["params"][0] is part.model[0].weight
    whole.steps(3, 6)
    part.steps(3, 6)
    assert_bit_equal(whole, part)


def test_a_pickled_optimizer_is_no_larger_than_what_it_holds():
    params = [nn.Parameter(torch.zeros(1)) for _ in range(1000)]
    ours, theirs = optim.AdamW(params), torch.optim.AdamW(params)
    for p in params:
        p.grad = torch.ones(1)
    ours.step()
    theirs.step()
    assert len(pickle.dumps(ours)) < 1.1 * len(pickle.dumps(theirs))
    assert len(pickle.dumps(ours.state_dict())) < 1.1 * len(pickle.dumps(theirs.state_dict()))


def test_the_state_dict_holds_tensors_and_plain_values_only_and_shares_no_memory():
    state = Training().steps(0, 2).optimizer.state_dict()
    tensors = [v for slot in state["state"].values() for v in slot.values()]
    assert all(type(v) is torch.Tensor for v in tensors)
    assert len({v.untyped_storage().data_ptr() for v in tensors}) == len(tensors)
    plain = (int, float, bool, str, tuple, list, type(None))
    assert all(isinstance(v, plain) for group in state["param_groups"] for v in group.values())


def test_loading_copies_so_that_two_optimizers_do_not_share_states():
    run = Training().steps(0, 2)
    state = run.optimizer.state_dict()
    a, b = Training(), Training()
    a.optimizer.load_state_dict(state)
    b.optimizer.load_state_dict(state)
    before = copy.deepcopy(state)
    a.steps(0, 1)
    for i, slot in before["state"].items():
        for key, value in slot.items():
            assert torch.equal(state["state"][i][key], value)
            assert torch.equal(b.optimizer.state_dict()["state"][i][key], value)


def test_loading_before_and_between_steps_drops_what_was_cached():
    run = Training().steps(0, 3)
    saved = run.save()
    part = Training().steps(0, 1).load(saved)
    part.optimizer.load_state_dict(part.optimizer.state_dict())
    run.steps(3, 6)
    part.steps(3, 6)
    assert_bit_equal(run, part)


def test_training_goes_on_with_the_models_own_parameters():
    part = Training().load(Training().steps(0, 2).save())
    before = part.model[2].weight.detach().clone()
    part.steps(2, 3)
    assert not torch.equal(part.model[2].weight, before)
    assert part.optimizer.param_groups[0]["params"][0] is part.model[0].weight


def test_an_entry_of_the_state_that_belongs_to_no_parameter_is_kept():
    run = Training()
    run.optimizer.state["samples"] = 7
    part = Training()
    part.optimizer.load_state_dict(through_a_file(run.optimizer.state_dict()))
    assert part.steps(0, 2).optimizer.state["samples"] == 7


def test_a_hook_may_make_something_else_of_the_state_dict():
    optimizer = Training().steps(0, 1).optimizer
    optimizer.register_state_dict_post_hook(lambda o, state: {"lr": state["param_groups"][0]["lr"]})
    assert optimizer.state_dict().keys() == {"lr"}


def test_the_users_hooks_see_the_restored_state():
    part, seen = Training(dtype=torch.bfloat16), []
    part.optimizer.register_load_state_dict_pre_hook(lambda o, state: seen.append(sorted(state)))
    part.optimizer.register_load_state_dict_post_hook(
        lambda o: seen.append(o.state[part.model[2].weight]["exp_avg"].dtype)
    )
    part.optimizer.load_state_dict(Training(dtype=torch.bfloat16).steps(0, 1).optimizer.state_dict())
    assert seen == [["param_groups", "state"], torch.float32]


# -- names ---------------------------------------------------------------------------------------------------


def twins(order=("a", "b"), names=True):
    params = {"a": nn.Parameter(torch.ones(3)), "b": nn.Parameter(torch.ones(3))}
    chosen = [(name, params[name]) if names else params[name] for name in order]
    return params, optim.Adam(chosen, lr=0.1)


def stepped():
    params, optimizer = twins()
    params["a"].grad, params["b"].grad = torch.full((3,), 1.0), torch.full((3,), -5.0)
    optimizer.step()
    return params, optimizer


def test_named_parameters_in_another_order_are_matched_by_name():
    source, saved = stepped()
    target, optimizer = twins(("b", "a"))
    optimizer.load_state_dict(saved.state_dict())
    for name in "ab":
        assert torch.equal(optimizer.state[target[name]]["exp_avg"], saved.state[source[name]]["exp_avg"])
    assert optimizer.param_groups[0]["param_names"] == ["b", "a"]
    assert optimizer.state_dict()["param_groups"][0]["params"] == [0, 1]


def test_other_names_are_refused():
    _, saved = stepped()
    params = [("a", nn.Parameter(torch.ones(3))), ("c", nn.Parameter(torch.ones(3)))]
    optimizer = optim.Adam(params, lr=0.1)
    with pytest.raises(UserError, match=r"no parameter 'c' of its own; it has \['b'\]"):
        optimizer.load_state_dict(saved.state_dict())
    assert not optimizer.state


def test_names_that_occur_twice_cannot_be_matched_in_another_order():
    params = [nn.Parameter(torch.ones(3)) for _ in range(3)]
    saved = optim.Adam(list(zip("aab", params, strict=True)), lr=0.1).state_dict()
    optim.Adam(list(zip("aab", params, strict=True)), lr=0.1).load_state_dict(saved)
    with pytest.raises(UserError, match="no parameter 'a' of its own"):
        optim.Adam(list(zip("aba", params, strict=True)), lr=0.1).load_state_dict(saved)


def test_without_names_on_one_side_the_order_counts():
    source, saved = stepped()
    target, optimizer = twins(names=False)
    optimizer.load_state_dict(saved.state_dict())
    assert torch.equal(optimizer.state[target["a"]]["exp_avg"], saved.state[source["a"]]["exp_avg"])


# -- refused -------------------------------------------------------------------------------------------------


def edited(change):
    _, optimizer = stepped()
    state = copy.deepcopy(optimizer.state_dict())
    change(state)
    return state


REFUSED = {
    r"this is no optimizer's state_dict: it holds \['epoch'\]": lambda s: (s.clear(), s.update(epoch=1)),
    "the checkpoint has 2 parameter groups, the optimizer 1": lambda s: s["param_groups"].append(
        s["param_groups"][0]
    ),
    "group 0 of the checkpoint has 1 parameters, the optimizer's 2": lambda s: s["param_groups"][0][
        "params"
    ].pop(),
    "group 0 of the checkpoint has no betas: it is not of Adam": lambda s: s["param_groups"][0].pop("betas"),
    "the checkpoint's state of a has no exp_avg_sq, which Adam keeps": lambda s: s["state"][0].pop(
        "exp_avg_sq"
    ),
    "the checkpoint's state of b has no step, which Adam keeps": lambda s: s["state"][1].pop("step"),
    r"exp_avg of b has shape \(1,\), not \(3,\)": lambda s: s["state"][1].update(exp_avg=torch.ones(1)),
    r"exp_avg of b has shape \(\), not \(3,\)": lambda s: s["state"][1].update(exp_avg=2.0),
    r"exp_avg of a is torch.float64; as torch.float32 it would lose digits": lambda s: s["state"][0].update(
        exp_avg=torch.ones(3, dtype=torch.float64)
    ),
    r"exp_avg of a is torch.complex64": lambda s: s["state"][0].update(
        exp_avg=torch.ones(3, dtype=torch.complex64)
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_a_state_that_does_not_fit_is_refused_and_nothing_changes(message):
    params, optimizer = stepped()
    before = copy.deepcopy(optimizer.state_dict())
    with pytest.raises(UserError, match=message):
        optimizer.load_state_dict(edited(REFUSED[message]))
    after = optimizer.state_dict()
    assert after["param_groups"] == before["param_groups"]
    for i, slot in before["state"].items():
        for key, value in slot.items():
            assert torch.equal(after["state"][i][key], value)
    params["a"].grad, params["b"].grad = torch.ones(3), torch.ones(3)
    optimizer.step()
    assert optimizer.state[params["a"]]["step"] == 2


@pytest.mark.parametrize(("saver", "loader"), [("AdamW", "SGD"), ("SGD", "RMSprop"), ("RMSprop", "Adagrad")])
def test_a_checkpoint_of_another_algorithm_is_refused(saver, loader):
    p = nn.Parameter(torch.ones(3))
    p.grad = torch.ones(3)
    source = getattr(optim, saver)([p])
    source.step()
    with pytest.raises(UserError, match=f"it is not of {loader}"):
        getattr(optim, loader)([p]).load_state_dict(source.state_dict())


# -- what a load replaces ------------------------------------------------------------------------------------


def test_a_freshly_chosen_option_that_the_checkpoint_replaces_is_named():
    p = nn.Parameter(torch.ones(3))
    saved = optim.AdamW([p], lr=1e-3).state_dict()
    fresh = optim.AdamW([p], lr=3e-4, weight_decay=0.3, betas=(0.9, 0.95))
    with pytest.warns(CheckpointWarning) as caught:
        fresh.load_state_dict(saved)
    (warning,) = caught
    assert str(warning.message) == (
        "the checkpoint replaced lr 0.0003 by 0.001, betas (0.9, 0.95) by (0.9, 0.999), "
        "weight_decay 0.3 by 0.01; set again after loading what is meant to be new"
    )
    assert warning.filename == __file__
    assert fresh.param_groups[0]["lr"] == 1e-3


def test_with_several_groups_the_group_is_named():
    def build(lr):
        groups = [{"params": [nn.Parameter(torch.ones(3))], "lr": x} for x in (0.1, lr)]
        return optim.SGD(groups)

    with pytest.warns(CheckpointWarning, match=r"replaced lr 0\.3 by 0\.2 in group 1; set"):
        build(0.3).load_state_dict(build(0.2).state_dict())


def test_when_the_warning_is_an_error_the_load_is_complete_all_the_same():
    _, saved = stepped()
    params, optimizer = twins()
    optimizer.param_groups[0]["lr"] = 0.7
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(CheckpointWarning):
            optimizer.load_state_dict(saved.state_dict())
    assert optimizer.param_groups[0]["lr"] == 0.1
    assert optimizer.state[params["a"]]["step"] == 1


SCHEDULERS = {
    "cosine": lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 10),
    "one cycle": lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.5, total_steps=20),
    "cyclic": lambda o: torch.optim.lr_scheduler.CyclicLR(o, 0.01, 0.5, step_size_up=4, cycle_momentum=True),
    "momentum": lambda o: schedules.linear(10).attach(o, hyper="momentum"),
    "weight decay": lambda o: schedules.linear(10).attach(o, hyper="weight_decay"),
}


@pytest.mark.parametrize("name", SCHEDULERS)
def test_what_a_schedule_changed_is_no_replacement(name):
    def build():
        p = nn.Parameter(torch.ones(3))
        p.grad = torch.ones(3)
        optimizer = optim.SGD([p], lr=0.1, momentum=0.8, weight_decay=0.1)
        return optimizer, SCHEDULERS[name](optimizer)

    source, scheduler = build()
    for _ in range(6):
        source.step()
        scheduler.step()
    target, _ = build()
    before = [dict(g) for g in target.param_groups]
    target.load_state_dict(source.state_dict())
    assert before != target.param_groups


@pytest.mark.parametrize("hyper", ["beta1", "beta2", "lr"])
def test_scheduled_betas_are_no_replacement_but_other_ones_are(hyper):
    def build(betas):
        optimizer = optim.Adam([nn.Parameter(torch.ones(3))], lr=0.1, betas=betas)
        return optimizer, schedules.cosine(10).attach(optimizer, hyper=hyper)

    source, scheduler = build((0.9, 0.99))
    source.step()
    scheduler.step()
    build((0.9, 0.99))[0].load_state_dict(source.state_dict())
    with pytest.warns(CheckpointWarning, match=r"betas \(0\.8, 0\.99\) by \(0\.9, 0\.99\)"):
        build((0.8, 0.99))[0].load_state_dict(source.state_dict())


def test_a_tensor_and_a_number_of_the_same_value_are_the_same_choice():
    p = nn.Parameter(torch.ones(3))
    saved = optim.AdamW([p], lr=torch.tensor(0.5)).state_dict()
    optim.AdamW([p], lr=0.5, foreach=True).load_state_dict(saved)
