"""A look at a task: what of its model and data decides how to train it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from thalweg.errors import UserError
from thalweg.race.eligible import free_memory
from thalweg.race.priors import prior
from thalweg.tasks import Task, batches

OFTEN = 8  # times that one step uses a layer, at least, where it is applied along time
_ATTENTION = {"scaled_dot_product_attention", "multi_head_attention_forward"}
_NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)


@dataclass(frozen=True)
class Look:
    """What one batch, forward and backward, shows of a task.

    Attributes:
        task: the task's name.
        parameters: how many are trained.
        layers: kinds of layers with their numbers, as "3 Linear, 2 LayerNorm".
        matrices: weights with two dimensions or more, without embeddings.
        recurrent: whether layers are applied again and again along time.
        attention: whether it attends.
        convolutions: whether it convolves.
        embedding_share: the share of the parameters that lies in embeddings.
        untouched: the share of the embeddings' rows that a batch leaves without a gradient.
        batch_size: samples in a batch.
        samples: samples for training.
        steps: of a full run.
        state_bytes: what AdamW would keep.
        free_bytes: what there is room for, beside the model.
    """

    task: str
    parameters: int
    layers: str
    matrices: int
    recurrent: bool
    attention: bool
    convolutions: bool
    embedding_share: float
    untouched: float
    batch_size: int
    samples: int
    steps: int
    state_bytes: float
    free_bytes: float


def look(task: Task, device: str = "cpu") -> Look:
    """Build the model, run one batch forward and backward, and say what was seen; nothing is changed.

    Raises:
        UserError: a layer makes sparse gradients, which no optimizer here takes.
    """
    with batches.undisturbed(torch.device(device)):
        torch.manual_seed(0)
        model = task.model().to(device).train()
        batch = next(task.train_batches(0, device))
        with counted(model) as uses, Calls() as calls:
            task.loss(model, batch).backward()  # type: ignore[no-untyped-call]
    trained = [p for p in model.parameters() if p.requires_grad]
    parameters = sum(p.numel() for p in trained)
    kinds = Counter(type(m).__name__ for m in model.modules() if list(m.parameters(recurse=False)))
    tables = [m.weight for m in model.modules() if isinstance(m, nn.Embedding | nn.EmbeddingBag)]
    _refuse_sparse(model)
    inside = {id(table) for table in tables}
    return Look(
        task=task.name,
        parameters=parameters,
        layers=", ".join(f"{number} {kind}" for kind, number in kinds.most_common()),
        matrices=sum(p.ndim > 1 and id(p) not in inside for p in trained),
        recurrent=any(isinstance(m, nn.RNNBase) for m in model.modules()) or max(uses, default=0) >= OFTEN,
        attention=calls.attention,
        convolutions=any(isinstance(m, nn.modules.conv._ConvNd) for m in model.modules()),
        embedding_share=sum(t.numel() for t in tables) / parameters,
        untouched=_untouched(tables),
        batch_size=batches.samples(batch),
        samples=task.size("train"),
        steps=task.full_steps,
        state_bytes=prior("adamw").memory(parameters),
        free_bytes=free_memory(device, 1),
    )


class Calls(TorchFunctionMode):
    """Watches for attention: torch's own, or a softmax over the scores of pairs that is made by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = False

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call the function, and remember what it was."""
        name = getattr(func, "__name__", "")
        pairs = name == "softmax" and args and isinstance(args[0], Tensor) and args[0].ndim >= 3
        self.attention |= bool(pairs or name in _ATTENTION)
        return func(*args, **(kwargs or {}))


@contextmanager
def counted(model: nn.Module) -> Iterator[list[int]]:
    """At the end, how often each layer with a weight matrix of its own was used."""
    uses: Counter[int] = Counter()
    layers = [m for m in model.modules() if any(p.ndim > 1 for p in m.parameters(recurse=False))]
    hooks = [m.register_forward_hook(lambda m, *_: uses.update([id(m)])) for m in layers]
    found: list[int] = []
    try:
        yield found
        found += uses.values()
    finally:
        for hook in hooks:
            hook.remove()


def _refuse_sparse(model: nn.Module) -> None:
    for name, p in model.named_parameters():
        if p.grad is not None and p.grad.layout != torch.strided:
            raise UserError(
                f"the gradient of '{name}' is sparse, and the optimizers here take dense ones: "
                "make its layer with sparse=False"
            )


def _untouched(tables: list[Any]) -> float:
    rows = sum(len(table) for table in tables)
    used = sum(int(table.grad.ne(0).any(dim=1).sum()) for table in tables if table.grad is not None)
    return 1 - used / rows if rows else 0.0
