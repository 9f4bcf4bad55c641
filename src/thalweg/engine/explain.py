"""The plan of a step in words: which stages run, in order, for each parameter group."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor

from thalweg.engine.distributed import local
from thalweg.engine.layout import is_dense
from thalweg.engine.options import taken_apart
from thalweg.engine.plan import Stage

if TYPE_CHECKING:
    from thalweg.engine.optimizer import Optimizer

__all__ = ["explain"]


def explain(optimizer: "Optimizer") -> str:
    """One line for each parameter group: its size, its engines, and its stages in their order.

    >>> import torch
    >>> from thalweg import optim, transforms
    >>> w = torch.nn.Parameter(torch.zeros(3, 4))
    >>> print(explain(optim.AdamW([w], transforms=[transforms.clip_norm(1.0)])))
    group 0 (1 tensor, 12 elements, fused): clipped_norm(max_norm=1) -> adam(beta1=0.9, beta2=0.999, \
eps=1e-08) -> decoupled(weight_decay=0.01) -> descend(lr=0.001)
    reads the gradients once more for clipped_norm
    """
    lines = [_line(optimizer, number, group) for number, group in enumerate(optimizer.param_groups)]
    programs = map(optimizer.program, optimizer.param_groups)
    stages = [p.stages[i] for p in programs for i in p.reducing]
    reducing = {stage.identity: stage.rule.name for stage in stages}
    if reducing:
        lines.append(f"reads the gradients once more for {', '.join(reducing.values())}")
    return "\n".join(lines)


def _line(optimizer: "Optimizer", number: int, group: Mapping[str, Any]) -> str:
    params = group["params"]
    program = optimizer.program(group)
    engines = sorted({_engine(optimizer, p, program.elementwise) for p in params})
    tensors = f"{len(params)} tensor{'s' if len(params) != 1 else ''}"
    size = f"{tensors}, {sum(p.numel() for p in params):,} elements"
    stages = " -> ".join(_text(stage, group) for stage in program.stages)
    return f"group {number} ({', '.join([size, *engines])}): {stages}"


def _engine(optimizer: "Optimizer", p: Tensor, elementwise: bool) -> str:
    engine = optimizer.engine_of(local(p), is_dense(local(p)), elementwise)
    return str(vars(engine)["__name__"]).rpartition(".")[-1]


def _text(stage: Stage, group: Mapping[str, Any]) -> str:
    """A stage as a call: its own options, and those that it takes from the group."""
    known = {**taken_apart(group), **(stage.transform.options if stage.transform else {})}
    options = [f"{name}={float(known[name]):g}" for name in stage.rule.scalars if known.get(name) is not None]
    if len(options) > 12:  # the weights of a network
        options = [*options[:3], f"... {len(options)} in all"]
    return f"{stage.rule.name}({', '.join(options)})"
