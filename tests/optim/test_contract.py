"""What every optimizer keeps to, whatever its formula: each variant in each engine and dtype."""

import inspect
import math
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.optim.kinds import RULED
from tests.optim.shelf import IDS, MATRIX, QUICK, STILL, TINY, VARIANTS, make
from thalweg import optim
from thalweg.engine.lowbits import join

DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]
FORMS = ((3, 5), (), (0, 4), (70,))
NAMES = pytest.mark.parametrize(("name", "variant"), MATRIX, ids=IDS)
FIRST = pytest.mark.parametrize("name", VARIANTS)
TYPES = pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: str(d).removeprefix("torch."))
ENGINES = pytest.mark.parametrize("engine", ["reference", "fused"])


def random(seed: int, dtype: torch.dtype, shapes: Any = FORMS) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(s, generator=generator, dtype=torch.float64).to(dtype) for s in shapes]


def leaves(tensors: list[Tensor]) -> list[torch.nn.Parameter]:
    return [torch.nn.Parameter(t.clone()) for t in tensors]


def step(optimizer: Any, params: list[Any], grads: list[Tensor | None]) -> None:
    """One step with given gradients, through a closure, which all optimizers take."""

    def closure() -> None:
        for p, g in zip(params, grads, strict=True):
            p.grad = None if g is None else g.clone()

    optimizer.step(closure)


def options_of(name: str) -> Any:
    """The parameters of a class's constructor, by name."""
    return inspect.signature(getattr(optim, name)).parameters


def decayed(name: str, rate: float) -> dict[str, float]:
    """A weight decay for those that have one."""
    return {"weight_decay": rate} if "weight_decay" in options_of(name) else {}


def exact(tensors: list[Tensor], optimizer: Any) -> list[Tensor]:
    """The weights in the precision in which they are kept."""
    low = [optimizer.state[p].get("low_bits") for p in tensors]
    return [p.detach() if k is None else join(p.detach(), k) for p, k in zip(tensors, low, strict=True)]


@NAMES
@TYPES
@ENGINES
def test_a_rate_of_zero_leaves_the_parameters_alone(name, variant, dtype, engine) -> None:
    params = leaves(random(0, dtype))
    before = [p.detach().clone() for p in params]
    more = {"lr": 0.0, **decayed(name, 0.5), **STILL.get(name, {})}
    optimizer = make(name, params, VARIANTS[name][variant], engine=engine, **more)
    for t in range(2):
        step(optimizer, params, random(t + 1, dtype))
    assert all(torch.equal(p, q) for p, q in zip(params, before, strict=True))


@NAMES
@TYPES
@ENGINES
def test_gradients_are_read_only_and_a_parameter_without_one_is_left_out(
    name, variant, dtype, engine
) -> None:
    params = leaves(random(0, dtype))
    optimizer = make(name, params, VARIANTS[name][variant], engine=engine)
    started = (
        {k: v.clone() for k, v in optimizer.state[params[3]].items()} if params[3] in optimizer.state else {}
    )
    before = params[3].detach().clone()
    for t in range(3):
        grads = [g.clone() for g in random(t + 1, dtype)[:3]]
        held = [g.clone() for g in grads]

        def closure(grads=grads) -> None:
            for p, g in zip(params, grads, strict=False):
                p.grad = g

        optimizer.step(closure)
        for p, g, h in zip(params, grads, held, strict=False):
            assert p.grad is g
            assert torch.equal(g, h)
            assert optimizer.state[p]["step"] == t + 1
            assert optimizer.state[p]["step"].shape == ()
    assert torch.equal(params[3], before)
    assert params[3].grad is None
    now = optimizer.state.get(params[3], {})
    assert now.keys() == started.keys()
    assert all(torch.equal(now[k], v) for k, v in started.items())


@NAMES
@TYPES
def test_engines_agree_with_the_reference(name, variant, dtype) -> None:
    found = []
    for engine in ("reference", "fused"):
        params = leaves(random(0, dtype))
        optimizer = make(name, params, VARIANTS[name][variant], engine=engine)
        for t in range(6):
            step(optimizer, params, random(t + 1, dtype))
        found.append(exact(params, optimizer))
    rtol, atol = (1e-12, 1e-14) if dtype == torch.float64 else (3e-6, 3e-7)
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=rtol, atol=atol)


@FIRST
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_compiled_engine_agrees_with_the_reference(name, dtype) -> None:
    """The main variant of each algorithm: every program costs the compiler a second or two."""
    options, shapes = next(iter(VARIANTS[name].values())), [(3, 5), (70,)]
    found = []
    for engine in ("reference", "compiled"):
        params = leaves(random(0, dtype, shapes))
        optimizer = make(name, params, options, engine=engine)
        for t in range(4):
            optimizer.param_groups[0]["lr"] = options["lr"] / (t + 1)  # a schedule compiles nothing anew
            step(optimizer, params, random(t + 1, dtype, shapes))
        found.append(exact(params, optimizer))
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=3e-6, atol=3e-6)


@NAMES
@TYPES
@ENGINES
def test_it_goes_down_a_quadratic(name, variant, dtype, engine) -> None:
    options = VARIANTS[name][variant]
    sign = -1 if options.get("maximize") else 1
    params = leaves(random(0, dtype, [(6,)]))
    h = torch.linspace(0.5, 2, 6, dtype=dtype)
    optimizer = make(name, params, options, engine=engine, **QUICK.get(name, {}))

    def closure() -> None:
        params[0].grad = sign * h * params[0].detach()

    start = (h * params[0] ** 2).sum().item()
    for _ in range(150):
        optimizer.step(closure)
    assert (h * params[0] ** 2).sum().item() < 0.15 * start


@pytest.mark.parametrize("name", [n for n in VARIANTS if "maximize" in options_of(n)])
@TYPES
@ENGINES
def test_maximize_mirrors_minimize_of_the_negative(name, dtype, engine) -> None:
    options = {**next(iter(VARIANTS[name].values())), **decayed(name, 0.1)}
    ups, downs = leaves(random(0, dtype)), leaves(random(0, dtype))
    up = make(name, ups, options, maximize=True, engine=engine)
    down = make(name, downs, options, maximize=False, engine=engine)
    for t in range(4):
        grads = random(t + 1, dtype)
        step(up, ups, grads)
        step(down, downs, [-g for g in grads])
    for p, q in zip(ups, downs, strict=True):  # a kernel may fuse the minus into its neighbour: an ulp
        torch.testing.assert_close(p, q, rtol=2 * torch.finfo(dtype).eps, atol=torch.finfo(dtype).eps)


@NAMES
@ENGINES
def test_groups_are_as_optimizers_of_their_own(name, variant, engine) -> None:
    options = VARIANTS[name][variant]
    together, apart = leaves(random(0, torch.float32)), leaves(random(0, torch.float32))
    other = {"lr": 0.003, **decayed(name, 0.3)}
    groups = [{"params": together[:2]}, {"params": together[2:], **other}]
    one = make(name, groups, options, engine=engine)
    two = [
        make(name, apart[:2], options, engine=engine),
        make(name, apart[2:], {**options, **other}, engine=engine),
    ]
    for t in range(4):
        grads = random(t + 1, torch.float32)
        step(one, together, grads)
        step(two[0], apart[:2], grads[:2])
        step(two[1], apart[2:], grads[2:])
    assert all(torch.equal(p, q) for p, q in zip(together, apart, strict=True))


def arranged(kind: str, values: Tensor) -> torch.nn.Parameter:
    """The same 4-d values, laid out in another way."""
    if kind == "channels last":
        return torch.nn.Parameter(values.clone(memory_format=torch.channels_last))
    if kind == "transposed":
        return torch.nn.Parameter(values.transpose(0, 3).contiguous().transpose(0, 3))
    if kind == "with gaps":
        return torch.nn.Parameter(torch.empty(*values.shape[:3], 2 * values.shape[3])[..., ::2].copy_(values))
    if kind == "within shared storage":
        whole = torch.empty(values.numel() + 20)
        return torch.nn.Parameter(whole[10:-10].view(values.shape).copy_(values))
    return torch.nn.Parameter(values.clone())


@NAMES
@pytest.mark.parametrize("kind", ["channels last", "transposed", "with gaps", "within shared storage"])
def test_the_layout_in_memory_changes_nothing(name, variant, kind) -> None:
    values = random(0, torch.float32, [(2, 3, 4, 5)])[0]
    params = [arranged("contiguous", values), arranged(kind, values)]
    for p in params:
        optimizer = make(name, [p], VARIANTS[name][variant])
        for t in range(3):  # a gradient that is contiguous, then one laid out as p, then a broadcast one
            g = random(t + 1, torch.float32, [(2, 3, 4, 5)])[0]
            g = [g, torch.empty_like(p).copy_(g), g[:, :, :1].expand(2, 3, 4, 5)][t]

            def closure(p=p, g=g) -> None:
                p.grad = g

            optimizer.step(closure)
    torch.testing.assert_close(params[0], params[1], rtol=2e-6, atol=1e-7)


def test_two_parameters_in_one_storage_do_not_disturb_each_other() -> None:
    whole = torch.arange(40.0)
    params = [torch.nn.Parameter(whole[:17]), torch.nn.Parameter(whole[17:])]
    alone = leaves([p.detach() for p in params])
    grads = random(1, torch.float32, [(17,), (23,)])
    for group in (params, alone):
        step(optim.AdamW(group, lr=0.1), group, grads)
    assert all(torch.equal(p, q) for p, q in zip(params, alone, strict=True))
    assert torch.equal(whole[:17], params[0])


def test_a_gradient_may_be_the_parameter_s_own_memory() -> None:
    p = torch.nn.Parameter(torch.ones(100))
    p.grad = p.data
    optim.SGD([p], lr=0.25).step()
    assert (p == 0.75).all()


@FIRST
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_small_steps_are_not_lost_in_low_precision(name, dtype) -> None:
    """A thousand steps far below half a unit in the last place add up as in float32."""
    options = {**next(iter(VARIANTS[name].values())), "lr": 1e-4, **TINY.get(name, {})}
    found = []
    for kind in (dtype, torch.float32):
        p = torch.nn.Parameter(torch.ones(20, dtype=kind))
        optimizer = make(name, [p], options)
        for t in range(1000):

            def closure(p=p, t=t) -> None:
                p.grad = torch.full_like(p, 0.5 if t % 2 else 1.5)

            optimizer.step(closure)
        found += exact([p], optimizer)
    low, full = found
    assert (full < 0.95).all()
    assert torch.equal(low, full)


def test_torch_loses_them() -> None:
    p = torch.nn.Parameter(torch.ones(20, dtype=torch.bfloat16))
    twin = torch.optim.AdamW([p], lr=1e-4)
    for _ in range(50):
        p.grad = torch.ones_like(p)
        twin.step()
    assert (p == 1).all()


NONSENSE = {
    "lr": [-1e-3, math.nan, math.inf, "1e-3"],
    "momentum": [-0.1, 1.0, math.nan],
    "dampening": [-0.1, 1.1, math.nan],
    "weight_decay": [-1e-4, math.nan, math.inf],
    "betas": [(-0.1, 0.999), (0.9, 1.0), (1.0, 0.999), (math.nan, 0.999)],
    "eps": [-1e-8, math.nan],
    "alpha": [-0.1, 1.0, math.nan],
    "lr_decay": [-0.1, math.nan],
    "initial_accumulator_value": [-1.0, math.nan],
    "rho": [-0.1, 1.1, math.nan],
    "etas": [(0.0, 1.2), (1.0, 1.2), (0.5, 1.0), (0.5, math.inf), (math.nan, 1.2)],
    "step_sizes": [(-1e-6, 50), (1e-6, math.inf), (math.nan, 50)],
    "momentum_decay": [-1e-3, math.nan, math.inf],
    "lambd": [-1e-3, math.nan],
    "ASGD alpha": [-0.1, math.nan, math.inf],
    "t0": [-1.0, math.nan],
    "beta2_decay": [0.1, math.nan],
    "Adafactor eps": [(-1e-8, 1e-3), (None, -1e-3), (None, None), (None, math.nan), ("1e-8", 1e-3)],
    "d": [0.9, math.nan, math.inf],
    "trust_coefficient": [0.0, -1e-3, math.inf, math.nan],
    "bounds": [(-1.0, math.inf), (math.inf, math.inf), (0.0, 0.0), (0.0, math.nan)],
    "hypergrad_lr": [-1e-8, math.nan, math.inf],
}
WRONG = [
    (name, option, value)
    for name in VARIANTS
    for option in NONSENSE
    if option in options_of(name)
    for value in NONSENSE.get(f"{name} {option}", NONSENSE[option])
]


@pytest.mark.parametrize(("name", "option", "value"), WRONG)
def test_nonsense_is_refused_by_name_value_and_range(name, option, value) -> None:
    p = torch.nn.Parameter(torch.zeros(2))
    shown = value
    if isinstance(value, tuple):  # the member that is not the default's
        shown = next(v for v, good in zip(value, options_of(name)[option].default, strict=True) if v != good)
    for build in (
        lambda: getattr(optim, name)([p], **{option: value}),
        lambda: getattr(optim, name)([{"params": [p], option: value}]),
    ):
        with pytest.raises(
            ValueError, match=rf"{name}: {option}\S* must be a number in [\[(]\S+, \S+[\])]( or None)?, got"
        ) as error:
            build()
        assert str(error.value).endswith(f"got {shown!r}")


def test_every_numeric_option_has_a_range() -> None:
    for name in RULED:
        cls = getattr(optim, name)
        parameters = inspect.signature(cls).parameters.values()
        numeric = {
            p.name
            for p in parameters
            if isinstance(p.default, int | float | tuple)
            and not isinstance(p.default, bool)
            and p.default != ()
        }
        assert numeric == set(cls.intervals), name
        assert numeric <= set(NONSENSE)


@FIRST
def test_complex_parameters_and_sparse_gradients_are_refused(name) -> None:
    cls = getattr(optim, name)
    with pytest.raises(ValueError, match="complex64 cannot be optimized; use a real float dtype"):
        cls([torch.zeros(2, dtype=torch.complex64, requires_grad=True)])
    table = torch.nn.Embedding(5, 3, sparse=True)
    before = table.weight.detach().clone()
    optimizer = cls(table.named_parameters(), lr=0.1)
    table(torch.tensor([1, 2])).sum().backward()
    with pytest.raises(ValueError, match="gradient of weight is sparse; build the layer with sparse=False"):
        optimizer.step()
    assert torch.equal(table.weight, before)


@FIRST
def test_a_step_without_any_gradient_does_nothing(name) -> None:
    params = leaves(random(0, torch.float32))
    optimizer = make(name, params, next(iter(VARIANTS[name].values())))
    optimizer.step()
    assert all(torch.equal(p, q) for p, q in zip(params, random(0, torch.float32), strict=True))


def test_unknown_engines_transforms_and_parameters_are_refused() -> None:
    p = torch.nn.Parameter(torch.zeros(2))
    with pytest.raises(
        ValueError, match="engine must be one of reference, fused, compiled or None, got 'numba'"
    ):
        optim.SGD([p], engine="numba")
    with pytest.raises(ValueError, match="transforms is a list"):
        optim.SGD([p], transforms=optim.adam.COUPLED)
    with pytest.raises(ValueError, match="transforms holds 3; use those of"):
        optim.SGD([p], transforms=[3])
    with pytest.raises(ValueError, match="same transform twice"):
        optim.SGD([p], transforms=[optim.adam.COUPLED] * 2)
    with pytest.raises(ValueError, match="complex64 cannot be optimized"):
        optim.SGD([torch.zeros(2, dtype=torch.complex64, requires_grad=True)])
    with pytest.raises(ValueError, match="nesterov needs momentum > 0 and dampening 0"):
        optim.SGD([p], nesterov=True)
    with pytest.raises(ValueError, match="convention must be one of sum, average, velocity, got 'heavy'"):
        optim.Momentum([p], convention="heavy")
    with pytest.raises(ValueError, match=r"Rprop: step_sizes is \(smallest, largest\), got \(2, 1\)"):
        optim.Rprop([p], step_sizes=(2, 1))
    with pytest.raises(ValueError, match=r"LAMB: bounds is \(smallest, largest\), got \(2, 1\)"):
        optim.LAMB([p], bounds=(2, 1))
