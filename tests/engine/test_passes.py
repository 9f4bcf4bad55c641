"""Elementwise transforms run inside the one pass; a reducing one adds one read-only pass. Proved twice:
by counting launches, and by looking at the loads and stores of the optimized machine-independent code."""

import re
from collections import Counter

import pytest
import torch

from thalweg import optim, transforms
from thalweg.engine import codegen, fused
from thalweg.engine.plan import Program

ELEMENTWISE = {
    "clip_value": lambda: transforms.clip_value(1.0),
    "coupled_decay": lambda: transforms.coupled_decay(0.1),
    "decoupled_decay": lambda: transforms.decoupled_decay(0.1),
    "l1_penalty": lambda: transforms.l1_penalty(0.1),
    "elastic_net_penalty": lambda: transforms.elastic_net_penalty(0.1, 0.1),
    "l1_prox": lambda: transforms.l1_prox(0.1),
    "elastic_net_prox": lambda: transforms.elastic_net_prox(0.1, 0.1),
}
OF_GRADIENT = {"clip_norm": lambda: transforms.clip_norm(1.0), "guard": lambda: transforms.guard()}
REDUCING = {**OF_GRADIENT, "trust_ratio": lambda: transforms.trust_ratio()}
ACCESS = re.compile(
    r"^\s*(?:%\S+ = )?(load|store) (?:(<\d+ x )?(float|double|half|i16)).*!alias\.scope !(\d+)"
)


def test_every_transform_is_here() -> None:
    assert set(ELEMENTWISE) | set(REDUCING) == set(transforms.__all__)


@pytest.fixture
def launches(monkeypatch):
    """The launches of kernels, as the addresses of their functions."""
    seen: list[int] = []
    launch = fused.launch

    def counted(function: int, *rest, **more) -> None:
        seen.append(function)
        launch(function, *rest, **more)

    monkeypatch.setattr(fused, "launch", counted)
    return seen


def stepped(layers, **more) -> None:
    """One step of AdamW on forty tensors of several shapes, in two groups."""
    params = [torch.nn.Parameter(torch.ones(n, 3)) for n in range(1, 41)]
    for p in params:
        p.grad = torch.ones_like(p)
    groups = [{"params": params[:20]}, {"params": params[20:], "lr": 0.1}]
    optim.AdamW(groups, transforms=layers, **more).step()


@pytest.mark.parametrize("make", ELEMENTWISE.values(), ids=ELEMENTWISE)
def test_an_elementwise_transform_adds_no_launch(make, launches) -> None:
    stepped([make()])
    assert len(launches) == 1


@pytest.mark.parametrize("make", REDUCING.values(), ids=REDUCING)
def test_a_reducing_transform_adds_one_launch(make, launches) -> None:
    stepped([make()])
    assert len(launches) == 2


def test_all_transforms_together_take_one_launch_and_one_for_each_reduction(launches) -> None:
    stepped([make() for make in (REDUCING | ELEMENTWISE).values()])
    assert len(launches) == 4


def accesses(text: str) -> list[tuple[str, str, str]]:
    """(load or store, type, array) of each access to the arrays in the scalar form of a kernel."""
    found = [ACCESS.match(line) for line in str(fused.optimized(text, vectorize=False)).splitlines()]
    return [(m[1], m[3], m[4]) for m in found if m]


def program_of(layers, cls=optim.AdamW, **options) -> Program:
    optimizer = cls([torch.nn.Parameter(torch.zeros(1))], transforms=layers, **options)
    return optimizer.program(optimizer.param_groups[0])


@pytest.mark.parametrize("vectorize", [False, True])
@pytest.mark.parametrize("make", [list, lambda: [m() for m in (ELEMENTWISE | REDUCING).values()]])
def test_the_pass_loads_each_array_once_and_stores_each_but_the_gradient_once(make, vectorize) -> None:
    """p, g, m, v are read once an element and p, m, v written once: 28 bytes for AdamW in float32."""
    text = codegen.emit_step(program_of(make()), ("float32",) * 4)
    if vectorize:  # the vector loop is there, and no other access within it
        lines = str(fused.optimized(text)).splitlines()
        widths = Counter(m[2] for m in map(ACCESS.match, lines) if m)
        assert any(width and int(width[1:].split()[0]) >= 4 for width in widths), widths
        assert len(set(widths.values())) == 1, widths
        assert next(iter(widths.values())) == 7
        return
    found = accesses(text)
    loads, stores = ([a for kind, _, a in found if kind == k] for k in ("load", "store"))
    assert len(loads) == len(set(loads)) == 4
    assert len(stores) == len(set(stores)) == 3
    assert set(stores) < set(loads)


def test_low_precision_reads_and_writes_its_low_bits_too() -> None:
    dtypes = ("bfloat16", "bfloat16", "float32", "float32", "int16")
    found = Counter((kind, size) for kind, size, _ in accesses(codegen.emit_step(program_of([]), dtypes)))
    assert found == {("load", "i16"): 3, ("load", "float"): 2, ("store", "i16"): 2, ("store", "float"): 2}


@pytest.mark.parametrize("make", OF_GRADIENT.values(), ids=OF_GRADIENT)
def test_a_reduction_reads_the_gradient_once_and_stores_only_its_sum(make) -> None:
    text = codegen.emit_reduction(program_of([make()]), 0, ("float32",) * 4)
    assert [kind for kind, _, _ in accesses(text)] == ["load"]
    stores = re.findall(r"store (?:<\d+ x )?(\S+) ", str(fused.optimized(text, vectorize=False)))
    assert Counter(stores) == {"double": 1, "i32": 1}  # the partial sum; the processor's control word


def test_a_reduction_of_the_step_reads_what_the_step_reads_and_stores_only_its_sums() -> None:
    program = program_of([transforms.trust_ratio()])
    text = codegen.emit_reduction(program, program.reducing[0], ("float32",) * 4)
    found = accesses(text)
    assert [kind for kind, _, _ in found] == ["load"] * 4  # p, g, m, v
    assert len({array for _, _, array in found}) == 4
    stores = re.findall(r"store (?:<\d+ x )?(\S+) ", str(fused.optimized(text, vectorize=False)))
    assert Counter(stores) == {"double": 2, "i32": 1}


def test_a_reduction_after_decay_reads_the_parameter_too_and_still_writes_nothing() -> None:
    program = program_of([transforms.coupled_decay(0.1), transforms.clip_norm(1.0)])
    found = accesses(codegen.emit_reduction(program, 1, ("float32",) * 4))
    assert [kind for kind, _, _ in found] == ["load", "load"]
    assert len({array for _, _, array in found}) == 2


def test_there_is_one_loop_over_elements() -> None:
    """Two cycles in the control flow: over chunks, and within it over elements."""
    layers = [make() for make in (ELEMENTWISE | REDUCING).values()]
    text = str(fused.optimized(codegen.emit_step(program_of(layers), ("float32",) * 4), vectorize=False))
    blocks = re.split(r"\n\n(?=\S+:)", text[text.index("entry:") :])
    names = [block.split(":")[0] for block in blocks]
    with_accesses = {
        name for name, block in zip(names, blocks, strict=True) if any(map(ACCESS.match, block.splitlines()))
    }
    assert with_accesses == {"loop"}
    assert len(re.findall(r"label %loop\b", blocks[names.index("loop")])) == 1
