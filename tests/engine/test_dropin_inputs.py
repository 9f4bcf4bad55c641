"""What a person may pass, what is refused and how it is said, and what the optimizer prints."""

import warnings

import pytest
import torch
from torch import nn
from torch.testing._internal.two_tensor import TwoTensor

from tests.optim.kinds import RULED
from thalweg import optim, transforms
from thalweg.errors import UserError

CLASSES = [getattr(optim, name) for name in RULED]


def parameter(*shape, dtype=torch.float32, grad=True):
    p = nn.Parameter(torch.ones(*shape, dtype=dtype))
    if grad:
        p.grad = torch.ones_like(p)
    return p


# -- parameters ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "build",
    [
        lambda m: m.parameters(),
        lambda m: [m.weight, m.bias],
        lambda m: tuple(m.parameters()),
        lambda m: (p for p in m.parameters()),
        lambda m: m.named_parameters(),
        lambda m: [{"params": m.parameters()}],
        lambda m: [{"params": m.named_parameters(), "lr": 0.1}],
        lambda m: [{"params": m.weight}, {"params": [m.bias], "lr": 0.1}],
        lambda m: dict(m.named_parameters()).values(),
    ],
)
def test_parameters_in_any_form(build):
    model = nn.Linear(3, 2)
    with torch.no_grad():
        model.weight.fill_(1.0), model.bias.fill_(1.0)
    optimizer = optim.SGD(build(model), lr=0.1)
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    torch.testing.assert_close(model.weight.detach(), torch.full((2, 3), 0.9))
    torch.testing.assert_close(model.bias.detach(), torch.full((2,), 0.9))


REFUSED = {
    "empty": (list, ValueError, "empty parameter list"),
    "a tensor": (lambda: torch.ones(3), TypeError, "an iterable of Tensors or dicts"),
    "no tensor": (lambda: [nn.Linear(2, 2)], TypeError, "can only optimize Tensors"),
    "no leaf": (lambda: [parameter(3) * 2], ValueError, "non-leaf"),
    "a set": (lambda: [{"params": {parameter(3)}}], TypeError, "ordered collections"),
    "half named": (lambda: [("a", parameter(3)), parameter(3)], ValueError, "Some param names are missing"),
    "complex": (lambda: [parameter(3, dtype=torch.complex64)], UserError, "complex64 cannot be optimized"),
    "integer": (lambda: [torch.ones(3, dtype=torch.int64)], UserError, "int64 cannot be optimized"),
    "in two groups": (
        lambda: [{"params": [P]}, {"params": [P]}],
        ValueError,
        "more than one parameter group",
    ),
}
P = parameter(3)


@pytest.mark.parametrize("case", REFUSED)
def test_parameters_that_cannot_be_optimized_are_refused(case):
    build, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        optim.AdamW(build())


def test_a_parameter_twice_in_a_group_is_refused():
    p, q = parameter(3), parameter(2)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # torch warns of it; two updates of one memory at once are no option here
        with pytest.raises(UserError, match=r"a parameter of shape \(3,\) appears twice in a group"):
            optim.AdamW([p, q, p])


def test_a_group_that_is_refused_leaves_the_optimizer_as_it_was():
    p = parameter(3)
    optimizer = optim.AdamW([p], lr=0.1)
    optimizer.step()
    with pytest.raises(UserError, match="complex64"):
        optimizer.add_param_group({"params": [parameter(3, dtype=torch.complex64)]})
    with pytest.raises(UserError, match=r"AdamW: lr must be a number in \[0, inf\), got -1"):
        optimizer.add_param_group({"params": [parameter(3)], "lr": -1})
    assert len(optimizer.param_groups) == 1
    optimizer.step()
    assert optimizer.state[p]["step"] == 2
    assert len(optimizer.state) == 1


def test_a_sparse_gradient_is_refused_by_name_and_nothing_moves():
    table = nn.Embedding(5, 3, sparse=True)
    other = parameter(2)
    optimizer = optim.SGD([("other", other), ("table", table.weight)], lr=0.1)
    before = table.weight.detach().clone()
    table(torch.tensor([1])).sum().backward()
    with pytest.raises(UserError, match="gradient of table is sparse; build the layer with sparse=False"):
        optimizer.step()
    assert torch.equal(table.weight, before)
    assert torch.equal(other, torch.ones(2))


@pytest.mark.parametrize("cls", CLASSES)
def test_a_sparse_parameter_is_refused(cls):
    table = nn.Parameter(torch.eye(3).to_sparse())
    with pytest.raises(
        UserError, match=r"of shape \(3, 3\) is sparse .* make it dense, as by p.to_dense\(\)"
    ):
        cls([table], lr=0.1)


@pytest.mark.parametrize("cls", CLASSES)
def test_meta_parameters_step_without_a_value(cls):
    p = nn.Parameter(torch.empty(3, 4, device="meta"))
    wrapped = [transforms.guard(), transforms.clip_norm(1.0)]
    optimizer = cls([p], lr=0.1, transforms=wrapped)
    for _ in range(2):
        p.grad = torch.empty_like(p)
        optimizer.step(lambda: None)
    buffers = [v for v in optimizer.state[p].values() if v.dim() > 0]
    assert all(v.device.type == "meta" for v in buffers)
    assert optimizer.state[p]["step"] == 2


def test_a_lazy_parameter_is_optimized_once_it_has_a_shape():
    model = nn.LazyLinear(2)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    model(torch.ones(1, 3)).sum().backward()
    before = model.weight.detach().clone()
    optimizer.step()
    torch.testing.assert_close(model.weight.detach(), before - 0.1)


def test_a_parameter_of_a_tensor_subclass_runs_on_torch_operations():
    p = nn.Parameter(TwoTensor(torch.ones(3), torch.zeros(3)))
    p.grad = TwoTensor(torch.ones(3), torch.full((3,), -2.0))
    optimizer = optim.SGD([p], lr=0.5, momentum=0.9)
    assert "reference" in optimizer.explain()
    optimizer.step()
    assert torch.equal(p.a, torch.full((3,), 0.5))
    assert torch.equal(p.b, torch.ones(3))


def test_zero_sized_and_0_d_parameters_with_a_clip():
    p, q, r = parameter(0, 3), parameter(()), parameter(2)
    optimizer = optim.SGD([p, q, r], lr=1.0, transforms=[transforms.guard(), transforms.clip_norm(1.0)])
    optimizer.step()
    assert p.shape == (0, 3)
    torch.testing.assert_close(q.detach(), torch.tensor(1 - 3**-0.5))
    torch.testing.assert_close(r.detach(), torch.full((2,), 1 - 3**-0.5))


def test_only_zero_sized_parameters():
    optimizer = optim.AdamW([parameter(0)], transforms=[transforms.clip_norm(1.0)])
    optimizer.step()
    assert optimizer.state[optimizer.param_groups[0]["params"][0]]["step"] == 1


# -- options -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("lr", [-1e-3, float("nan"), float("inf"), "fast", None, torch.ones(2)])
def test_a_learning_rate_that_is_no_number_in_its_range_is_refused(cls, lr):
    with pytest.raises(UserError, match=rf"{cls.__name__}: lr must be a number in \[0, inf\), got"):
        cls([parameter(3)], lr=lr)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda p: optim.Adam(p, betas=(1.0, 0.9)), r"betas\[0\] must be a number in \[0, 1\), got 1.0"),
        (lambda p: optim.Adam(p, betas=(0.9,)), "betas"),
        (lambda p: optim.Adam(p, betas=(0.9, 0.9, 0.9)), "betas"),
        (lambda p: optim.Adam(p, betas=0.9), "betas"),
        (lambda p: optim.SGD(p, momentum=1.0), r"momentum must be a number in \[0, 1\)"),
        (lambda p: optim.SGD(p, nesterov=True), "nesterov needs momentum"),
        (lambda p: optim.Momentum(p, convention="torch"), "convention must be one of"),
        (lambda p: optim.RMSprop(p, eps=-1), "eps must be a number"),
        (lambda p: optim.AdamW(p, engine="cuda"), "engine must be one of"),
        (lambda p: optim.AdamW(p, transforms=transforms.clip_norm(1.0)), "transforms is a list"),
        (lambda p: optim.AdamW(p, transforms=[1.0]), r"transforms holds 1\.0"),
        (lambda p: transforms.clip_norm(-1.0), r"max_norm must be a number in \(0, inf\), got -1"),
        (lambda p: transforms.clip_norm(0), "max_norm"),
        (lambda p: transforms.clip_value(float("nan")), "limit"),
    ],
)
def test_nonsense_is_refused_with_the_options_name(build, message):
    with pytest.raises(UserError, match=message):
        build([parameter(3)])


def test_an_unknown_option_is_a_type_error():
    with pytest.raises(TypeError, match="learning_rate"):
        optim.AdamW([parameter(3)], learning_rate=0.1)


# -- low precision and bad gradients -------------------------------------------------------------------------


def test_bfloat16_weights_move_although_each_update_is_below_half_an_ulp():
    p = nn.Parameter(torch.ones(64, dtype=torch.bfloat16))
    q = nn.Parameter(torch.ones(64, dtype=torch.bfloat16))
    ours, theirs = optim.AdamW([p], lr=1e-4, weight_decay=0), torch.optim.AdamW([q], lr=1e-4, weight_decay=0)
    for _ in range(1000):
        p.grad, q.grad = torch.ones_like(p), torch.ones_like(q)
        ours.step()
        theirs.step()
    assert bool((q == 1).all())  # what happens without care
    torch.testing.assert_close(p.float(), torch.full((64,), 0.9), rtol=0, atol=2**-8)  # the next bfloat16


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("wrap", [transforms.clip_norm(1.0), transforms.guard()], ids=["clip_norm", "guard"])
def test_one_bad_gradient_is_named_and_harms_nothing(bad, wrap):
    p, q = parameter(3), parameter(4)
    optimizer = optim.AdamW([("good", p), ("bad", q)], lr=0.1, transforms=[wrap])
    optimizer.step()
    weights = p.detach().clone(), q.detach().clone()
    state = {k: v.clone() for k, v in optimizer.state[p].items()}
    q.grad[2] = bad
    with pytest.raises(FloatingPointError, match=r"\bbad\b"):
        optimizer.step()
    assert torch.equal(p, weights[0])
    assert torch.equal(q, weights[1])
    assert all(torch.equal(v, optimizer.state[p][k]) for k, v in state.items())
    assert torch.equal(p.grad, torch.ones(3))
    q.grad[2] = 1.0
    optimizer.step()
    assert optimizer.state[q]["step"] == 2


def test_guard_can_skip():
    p = parameter(3)
    optimizer = optim.AdamW([p], lr=0.1, transforms=[transforms.guard("skip"), transforms.clip_norm(1.0)])
    p.grad[0] = float("nan")
    optimizer.step()
    assert torch.equal(p, torch.ones(3))
    p.grad[0] = 1.0
    optimizer.step()
    assert optimizer.state[p]["step"] == 1
    torch.testing.assert_close(p.detach(), torch.full((3,), 0.9 - 0.001))


# -- what it prints ------------------------------------------------------------------------------------------


def test_the_plan_shows_every_stage_in_order_so_that_clipping_twice_is_seen():
    wrapped = [transforms.clip_norm(2.0), transforms.clip_norm(1.0), transforms.l1_prox(0.01)]
    groups = [{"params": [parameter(3, 4)]}, {"params": [parameter(2)], "lr": 0.5, "weight_decay": 0}]
    optimizer = optim.SGD(groups, lr=0.1, momentum=0.9, weight_decay=0.2, transforms=wrapped)
    assert optimizer.explain().splitlines() == [
        "group 0 (1 tensor, 12 elements, fused): clipped_norm(max_norm=2) -> clipped_norm(max_norm=1) -> "
        "coupled(weight_decay=0.2) -> heavy_ball(momentum=0.9, dampening=0) -> descend(lr=0.1) -> "
        "shrunk(lr=0.1, l1=0.01, l2=0)",
        "group 1 (1 tensor, 2 elements, fused): clipped_norm(max_norm=2) -> clipped_norm(max_norm=1) -> "
        "coupled(weight_decay=0) -> heavy_ball(momentum=0.9, dampening=0) -> descend(lr=0.5) -> "
        "shrunk(lr=0.5, l1=0.01, l2=0)",
        "reads the gradients once more for clipped_norm, clipped_norm",
    ]


def test_repr_is_torchs_with_the_plan():
    p = parameter(3)
    ours, theirs = repr(optim.AdamW([p])), repr(torch.optim.AdamW([p]))
    assert ours.startswith(theirs[:-1])
    assert "descend(lr=0.001)" in ours


def test_the_same_transform_twice_is_refused():
    clip = transforms.clip_norm(1.0)
    with pytest.raises(UserError, match="the same transform twice"):
        optim.SGD([parameter(4)], transforms=[clip, clip])


def test_a_program_that_cannot_be_composed_is_refused_at_once():
    message = r"it takes no transform of the step, and decoupled\(weight_decay=0.1\) is one; leave it out, or"
    with pytest.raises(UserError, match=f"velocity moves the parameter itself: {message}"):
        optim.Nesterov([parameter(4)], transforms=[transforms.decoupled_decay(0.1)])


@pytest.mark.parametrize("cls", CLASSES)
def test_state_dict_prints(cls):
    p = parameter(3)
    optimizer = cls([p], lr=0.1)
    optimizer.step(lambda: None)
    assert "'step': tensor(1.)" in str(optimizer.state_dict())
    assert "lr: 0.1" in repr(optimizer)
