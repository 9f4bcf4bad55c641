"""Parameter groups: who decays, at what rate, and what is refused."""

import copy
import re
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

from tests.regularize.models import RMSNorm, Tied, Transformer
from thalweg import optim, regularize
from thalweg.errors import UserError
from thalweg.regularize import groups

ZOO = nn.ModuleDict(
    {
        "linear": nn.Linear(3, 1),
        "conv": nn.Conv1d(1, 1, 5),
        "transposed": nn.ConvTranspose2d(2, 4, 3),
        "bilinear": nn.Bilinear(2, 3, 4),
        "lstm": nn.LSTM(3, 4, proj_size=2),
        "cell": nn.GRUCell(3, 4),
        "batch": nn.BatchNorm2d(3),
        "layer": nn.LayerNorm((2, 3)),
        "group": nn.GroupNorm(1, 4),
        "instance": nn.InstanceNorm1d(3, affine=True),
        "rms": nn.RMSNorm((2, 3)),
        "own": RMSNorm(3),
        "prelu": nn.PReLU(4),
        "embed": nn.Embedding(5, 2),
        "bag": nn.EmbeddingBag(5, 2),
        "attn": nn.MultiheadAttention(4, 2, add_bias_kv=True),
        "wn": weight_norm(nn.Linear(3, 2)),
        "sn": spectral_norm(nn.Linear(3, 2)),
    }
)
WEIGHTS = [
    *[f"{name}.weight" for name in ("linear", "conv", "transposed", "bilinear")],
    *["lstm.weight_ih_l0", "lstm.weight_hh_l0", "lstm.weight_hr_l0", "cell.weight_ih", "cell.weight_hh"],
    *["attn.in_proj_weight", "attn.out_proj.weight"],
    *["wn.parametrizations.weight.original0", "sn.parametrizations.weight.original"],
]
KINDS = {
    "weight": WEIGHTS,
    "norm": [
        f"{name}.{part}" for name in ("batch", "layer", "group", "instance") for part in ("weight", "bias")
    ]
    + ["rms.weight", "own.scale"],
    "vector": ["prelu.weight"],
    "embedding": ["embed.weight", "bag.weight"],
    "direction": ["wn.parametrizations.weight.original1"],
}


def kinds(model: nn.Module) -> dict[str, str]:
    return {member.name: member.kind for member in groups(model, 0.1).members}


def test_each_layer_s_parameters_are_what_they_are() -> None:
    found = kinds(ZOO)
    for kind, names in KINDS.items():
        assert [name for name, own in found.items() if own == kind] == sorted(names, key=list(found).index)
    biases = {name for name, kind in found.items() if kind == "bias"}
    assert biases == set(found) - {name for names in KINDS.values() for name in names}
    assert all("bias" in name for name in biases)
    assert {"attn.in_proj_bias", "attn.bias_k", "lstm.bias_hh_l0", "wn.bias"} <= biases


def test_bare_parameters_are_vectors_where_they_are_long_in_one_dimension_at_most() -> None:
    model = nn.Module()
    shapes = {
        "a": (),
        "b": (5,),
        "token": (1, 1, 5),
        "scale": (5, 1, 1),
        "places": (1, 4, 5),
        "matrix": (4, 5),
    }
    for name, shape in shapes.items():
        model.register_parameter(name, nn.Parameter(torch.zeros(shape)))
    expected = {"a": "vector", "b": "vector", "token": "vector", "scale": "vector"}
    assert kinds(model) == {**expected, "places": "weight", "matrix": "weight"}
    assert kinds(nn.ParameterList([torch.zeros(1, 5)])) == {"0": "vector"}


def test_a_norm_of_torch_s_stays_one_under_another_name() -> None:
    class Standardize(nn.LayerNorm):
        pass

    assert kinds(Standardize((2, 3))) == {"weight": "norm", "bias": "norm"}


def test_a_compiled_model_has_the_plan_of_the_model() -> None:
    model = Transformer()
    options: Any = {
        "lr": 1e-3,
        "layers": "blocks.*",
        "layer_decay": 0.5,
        "rules": {"blocks.1.attn": {"lr_scale": 2}},
    }
    expected = groups(model, 0.1, **options).explain(each=True)
    assert groups(torch.compile(model), 0.1, **options).explain(each=True) == expected
    model.blocks[0] = torch.compile(model.blocks[0])
    assert groups(model, 0.1, **options).explain(each=True) == expected


def decays(plan: regularize.GroupPlan) -> dict[str, float]:
    """What one AdamW step without gradients takes from each parameter, by its name."""
    optimizer = optim.AdamW(plan, lr=0.5)
    names = [name for group in optimizer.param_groups for name in group["param_names"]]
    params = [p for group in optimizer.param_groups for p in group["params"]]
    for p in params:
        p.data.fill_(1.0)
        p.grad = torch.zeros_like(p)
    optimizer.step()
    return {name: 1 - p.flatten()[0].item() for name, p in zip(names, params, strict=True)}


def test_a_step_shrinks_weights_and_embeddings_and_nothing_else() -> None:
    taken = decays(groups(copy.deepcopy(ZOO).double(), weight_decay=0.1))
    shrunk = [name for name, rate in taken.items() if rate != 0]
    assert sorted(shrunk) == sorted([*WEIGHTS, *KINDS["embedding"]])
    assert [taken[name] for name in shrunk] == pytest.approx([0.05] * len(shrunk), rel=1e-13)
    assert set(taken) == {name for name, _ in ZOO.named_parameters()}


def test_layers_have_the_rates_of_beit() -> None:
    """Its formula: lr * decay ** (blocks + 1 - layer), with the stem as layer 0 and the head as the last."""
    plan = groups(Transformer(), 0.0, lr=0.01, layers="blocks.*", layer_decay=0.6)
    for group in plan:
        for name, _ in group["params"]:
            block = re.match(r"blocks\.(\d)", name)
            last = name.startswith(("norm", "head"))
            layer = int(block[1]) + 1 if block else 4 if last else 0
            assert group["lr"] == pytest.approx(0.01 * 0.6 ** (4 - layer), rel=1e-14), name
    assert len(plan) == 5


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ("layer[12].*", [0, 1, 2, 3, 4, 5]),
        (["layer1", "layer2"], [0, 1, 1, 2, 2, 3]),
        (["layer2.*", "layer1.*"], [0, 3, 4, 1, 2, 5]),
        (["*"], [1, 2, 2, 3, 3, 4]),
    ],
)
def test_layers_count_the_outermost_matches_in_order(layers: Any, expected: list[int]) -> None:
    def stage() -> nn.Sequential:
        return nn.Sequential(*[nn.Sequential(nn.Linear(2, 2, bias=False)) for _ in range(2)])

    parts = {
        "stem": nn.Linear(2, 2, bias=False),
        "layer1": stage(),
        "layer2": stage(),
        "head": nn.Linear(2, 1, bias=False),
    }
    model = nn.Sequential()
    for name, part in parts.items():
        model.add_module(name, part)
    plan = groups(model, 0.1, lr=1.0, layers=layers, layer_decay=0.5)
    assert [member.depth for member in plan.members] == expected
    assert [member.options["lr"] for member in plan.members] == [0.5 ** (max(expected) - d) for d in expected]


def test_what_is_registered_between_layers_has_the_depth_before_it() -> None:
    model = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1), nn.Linear(1, 1))
    plan = groups(model, 0.1, layers=["0", "2"])
    assert [(m.name, m.depth) for m in plan.members] == [
        *[("0.weight", 1), ("0.bias", 1), ("1.weight", 1), ("1.bias", 1), ("2.weight", 2), ("2.bias", 2)]
    ]


def test_rules_by_type_name_wildcard_and_function_override_in_order() -> None:
    plan = groups(
        Transformer(),
        0.1,
        lr=1e-3,
        rules={
            nn.MultiheadAttention: {"weight_decay": 0.2},
            "blocks.1.*": {"weight_decay": 0.3, "betas": (0.9, 0.95)},
            "head": {"lr_scale": 10.0},
            "blocks.1.attn.in_proj_weight": {"weight_decay": 0.4},
            "blocks.2": {"lr": 0.5, "lr_scale": 0.5},
            lambda m: m.tensor.ndim == 4: {"weight_decay": 0.5},
        },
    )
    options = {member.name: member.options for member in plan.members}
    assert options["blocks.0.attn.in_proj_weight"] == {"weight_decay": 0.2, "lr": 1e-3}
    assert options["blocks.0.attn.out_proj.weight"]["weight_decay"] == 0.2
    assert options["blocks.0.mlp.0.weight"] == {"weight_decay": 0.1, "lr": 1e-3}
    assert options["blocks.1.mlp.0.weight"] == {"weight_decay": 0.3, "lr": 1e-3, "betas": (0.9, 0.95)}
    assert options["blocks.1.attn.in_proj_weight"]["weight_decay"] == 0.4
    assert options["blocks.2.mlp.0.bias"] == {"weight_decay": 0.0, "lr": 0.25}
    assert options["head.weight"] == {"weight_decay": 0.1, "lr": 1e-2}
    assert options["head.bias"] == {"weight_decay": 0.0, "lr": 1e-2}
    assert options["patch.weight"]["weight_decay"] == 0.5
    assert optim.AdamW(plan).param_groups[0]["betas"] == (0.9, 0.999)


def test_a_rule_s_rate_is_absolute_and_its_scale_multiplies_the_layer_s() -> None:
    rules = {"blocks.0": {"lr": 0.7}, "blocks.1": {"lr_scale": 3.0}}
    plan = groups(Transformer(), 0.1, lr=1.0, layers="blocks.*", layer_decay=0.5, rules=rules)
    rates = {member.name: member.options["lr"] for member in plan.members}
    assert [rates[f"blocks.{i}.gamma"] for i in range(3)] == [0.7, 0.75, 0.5]


def test_a_shared_parameter_is_in_one_group_once_and_counts_as_a_weight() -> None:
    model = Tied()
    plan = groups(model, 0.1, rules={"out": {"betas": (0.9, 0.98)}})
    assert [name for group in plan for name, _ in group["params"]] == [
        "embed.weight",
        "norm.weight",
        "norm.bias",
    ]
    first = plan.members[0]
    assert (first.kind, first.tied, first.options["betas"]) == ("weight", ("out.weight",), (0.9, 0.98))
    assert (
        groups(model, 0.1, rules={nn.Linear: {"weight_decay": 0.2}}).members[0].options["weight_decay"] == 0.2
    )
    optim.AdamW(plan)


def test_frozen_parameters_are_in_no_group_and_may_be_matched() -> None:
    model = Transformer()
    model.patch.requires_grad_(False)
    plan = groups(model, 0.1, rules={"patch": {"weight_decay": 0.0}})
    named = {name for group in plan for name, _ in group["params"]}
    assert named == {name for name, p in model.named_parameters() if p.requires_grad}
    assert "frozen, in no group: patch.weight, patch.bias" in plan.explain()


def trained(make: Any, plan: Any) -> list[torch.Tensor]:
    torch.manual_seed(0)
    model = Transformer().double()
    optimizer = make(plan(model))
    x = torch.randn(6, 1, 8, 8, dtype=torch.float64)
    for _ in range(5):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), torch.arange(6) % 3).backward()
        optimizer.step()
    return [p.detach() for p in model.parameters()]


def test_torch_s_optimizers_take_a_plan_and_train_the_same() -> None:
    def plan(model: nn.Module) -> regularize.GroupPlan:
        return groups(
            model, 0.5, lr=0.01, layers="blocks.*", layer_decay=0.5, rules={"head": {"betas": (0.8, 0.9)}}
        )

    def by_hand(model: nn.Module) -> list[dict[str, Any]]:
        params = list(model.parameters())
        return [{"params": [p], **m.options} for m, p in zip(plan(model).members, params, strict=True)]

    ours, torchs = trained(optim.AdamW, plan), trained(torch.optim.AdamW, lambda model: plan(model).params)
    for a, b, c in zip(ours, torchs, trained(torch.optim.AdamW, by_hand), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-14)
        torch.testing.assert_close(b, c, rtol=1e-12, atol=1e-14)


def test_one_plan_serves_several_optimizers_apart() -> None:
    plan = groups(Transformer(), 0.1, lr=1e-3)
    first, second = optim.AdamW(plan), optim.SGD(plan)
    first.param_groups[0]["lr"] = 5.0
    assert second.param_groups[0]["lr"] == plan.params[0]["lr"] == 1e-3
    assert len(plan) == len(first.param_groups) == 2
    assert [group["name"] for group in first.param_groups] == [
        "weight_decay=0 lr=0.001",
        "weight_decay=0.1 lr=0.001",
    ]


def test_a_checkpoint_of_a_plan_resumes_by_name() -> None:
    torch.manual_seed(0)
    model = Transformer()
    optimizer = optim.AdamW(groups(model, 0.1), lr=0.1)
    for p in model.parameters():
        p.grad = torch.randn_like(p)
    optimizer.step()
    again = optim.AdamW(groups(model, 0.1), lr=0.1)
    again.load_state_dict(optimizer.state_dict())
    for p in model.parameters():
        assert torch.equal(again.state[p]["exp_avg"], optimizer.state[p]["exp_avg"])


# -- the table ----------------------------------------------------------------------------------------------


def test_the_table_of_groups_and_of_parameters() -> None:
    model = Tied()
    model.norm.bias.requires_grad_(False)
    plan = groups(model, 0.1, lr=3e-4, rules={"norm": {"weight_decay": 0.01}})
    below = [
        "shared: embed.weight is also out.weight",
        "frozen, in no group: norm.bias",
        "warning: of kind norm, but decays: norm.weight",
    ]
    assert repr(plan).splitlines() == [
        "group  tensors  elements  weight_decay      lr  kinds   parameters",
        "    0        1        28           0.1  0.0003  weight  embed.weight",
        "    1        1         4          0.01  0.0003  norm    norm.weight",
        *below,
    ]
    assert plan.explain(each=True).splitlines() == [
        "group   shape  elements  weight_decay      lr  kind    parameter",
        "    0  (7, 4)        28           0.1  0.0003  weight  embed.weight",
        "    1    (4,)         4          0.01  0.0003  norm    norm.weight",
        *below,
    ]


def test_a_plan_without_rules_warns_of_nothing() -> None:
    assert "warning" not in groups(ZOO, 0.1).explain()


def test_any_optimizer_is_explained_and_its_mistakes_named() -> None:
    model = Transformer()
    params = list(model.parameters())
    stranger = nn.Parameter(torch.zeros(2))
    optimizer = torch.optim.AdamW([{"params": params[:-2], "eps": 1e-6}, {"params": [params[-1], stranger]}])
    text = regularize.explain(model, optimizer).splitlines()
    head = ["group", "tensors", "elements", "weight_decay", "lr", "eps", "kinds", "parameters"]
    assert text[0].split() == head
    size = [str(len(params) - 2), f"{sum(p.numel() for p in params[:-2]):,}"]
    assert text[1].split()[:6] == ["0", *size, "0.01", "0.001", "1e-06"]
    assert text[2].split() == ["1", "1", "3", "0.01", "0.001", "1e-08", "bias", "head.bias"]
    norms, biases = "blocks.0.norm.weight, blocks.0.norm.bias", "patch.bias, blocks.0.attn.in_proj_bias"
    assert text[3:] == [
        "warning: requires a gradient, but is in no group: head.weight",
        f"warning: of kind norm, but decays: {norms}, blocks.1.norm.weight, 5 more",
        f"warning: of kind bias, but decays: {biases}, blocks.0.attn.bias_k, 17 more",
        "warning: of kind vector, but decays: token, blocks.0.gamma, blocks.0.mlp.1.weight, 4 more",
        "warning: in the optimizer, but not in the model: 1 of its tensors",
    ]
    assert "warning" not in regularize.explain(model, optim.AdamW(groups(model, 0.1)))


def test_an_optimizer_without_decay_is_told() -> None:
    model = Transformer()
    text = regularize.explain(model, torch.optim.Rprop(groups(model, 0.1).params)).splitlines()
    assert text[0].split() == ["group", "tensors", "elements", "lr", "kinds", "parameters"]
    assert text[-1] == "warning: Rprop has no weight_decay, so nothing decays"


def test_an_optimizer_of_another_model_is_refused() -> None:
    with pytest.raises(UserError, match=r"^explain: it reads a torch optimizer, not a list$"):
        regularize.explain(Transformer(), [])  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"^this SGD holds no parameter of this Transformer$"):
        regularize.explain(Transformer(), optim.SGD(Transformer().parameters(), lr=0.1))


# -- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight_decay": -0.1}, r"groups: weight_decay must be a number in [0, inf), got -0.1"),
        ({"weight_decay": None}, r"groups: weight_decay must be a number in [0, inf), got None"),
        ({"lr": float("nan")}, r"groups: lr must be a number in [0, inf), got nan"),
        ({"layer_decay": 0.0}, r"groups: layer_decay must be a number in (0, 1], got 0.0"),
        ({"layer_decay": 0.5, "lr": 1.0}, "groups: layer_decay needs layers"),
        ({"layer_decay": 0.5, "layers": "blocks.*"}, "groups: layer_decay and lr_scale multiply lr; give it"),
        ({"layers": "block.*"}, "no module matches layers='block.*'; near names: blocks"),
        ({"layers": [3]}, "layers holds names"),
        ({"rules": {"haed": {"lr": 1.0}}}, "no parameter matches 'haed'; near names: head"),
        ({"rules": {"*.wieght": {"lr": 1.0}}}, "no parameter matches '*.wieght'; near names: "),
        (
            {"rules": {nn.Embedding: {"lr": 1.0}}},
            "no parameter matches Embedding; parameters are in Transformer",
        ),
        (
            {"rules": {lambda m: False: {"lr": 1.0}}},
            "no parameter matches <lambda>; the function was asked about",
        ),
        ({"rules": {"head": {"lr_scale": 2.0}}}, "groups: layer_decay and lr_scale multiply lr; give it"),
        ({"rules": {"head": {"lr": -1.0}}}, "the rule for 'head': lr must be a number in [0, inf), got -1.0"),
        (
            {"rules": {"head": {"wieght_decay": 0.0}}},
            "'wieght_decay' is no option of a parameter group; 'weight_decay' is",
        ),
        ({"rules": {"head": {"params": 0.0}}}, "'params' is no option of a parameter group"),
        ({"rules": {"head": {}}}, "the rule for 'head' gives options"),
        ({"rules": {"head": 0.1}}, "the rule for 'head' gives options"),
        ({"rules": {int: {"lr": 1.0}}}, "a rule's type is a kind of module, not int"),
        ({"rules": {3: {"lr": 1.0}}}, "a rule's pattern is a name, a module type or a function, not 3"),
        ({"rules": ["head"]}, "rules is a dict"),
    ],
)
def test_nonsense_is_refused_in_one_line(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=re.escape(message)) as caught:
        groups(Transformer(), **{"weight_decay": 0.1, **options})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (nn.ReLU(), "ReLU has no parameters to make groups of"),
        (nn.Linear(1, 1).requires_grad_(False), "no parameter requires a gradient"),
        (nn.LazyLinear(2), "weight has no shape yet; run the model on one batch"),
        (list(nn.Linear(1, 1).parameters()), "parameter groups are made of a model, not of a list"),
    ],
)
def test_models_without_anything_to_group_are_refused(model: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        groups(model, 0.1)


def test_an_option_of_another_library_s_optimizer_is_passed_on() -> None:
    plan = groups(Transformer(), 0.1, rules={"head": {"trust_ratio": False}})
    assert [group.get("trust_ratio") for group in plan] == [None, None, False, False]
