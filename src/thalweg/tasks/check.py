"""The preflight: does a task run here? One clear message where it does not, before any time is spent."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from thalweg.errors import UserError
from thalweg.tasks import batches, where
from thalweg.tasks.task import SPLITS, Task


@dataclass(frozen=True)
class TaskFacts:
    """What a task is, in numbers and short texts.

    Attributes:
        name: the task's name.
        parameters: how many numbers are trained.
        train: samples for training.
        valid: samples for choosing.
        test: samples for the confirmation.
        batch_size: samples in the first training batch.
        steps_per_epoch: training batches in an epoch.
        full_steps: steps of a full run.
        batch: shapes and dtypes of a training batch.
        metric_name: what the metric is called.
        higher_is_better: whether a larger metric is better.
        device: where it ran.
        first_loss: the loss of the first batch before training.
    """

    name: str
    parameters: int
    train: int
    valid: int
    test: int
    batch_size: int
    steps_per_epoch: int
    full_steps: int
    batch: str
    metric_name: str
    higher_is_better: bool
    device: str
    first_loss: float


def device(text: str | torch.device = "auto") -> torch.device:
    """Return the device that a text names, after trying it: ``"cpu"``, ``"cuda:1"``, ``"mps"``, ``"auto"``.

    ``"auto"`` is CUDA where there is one, else MPS, else the CPU.

    Raises:
        UserError: there is no such device, or not on this machine.

    >>> device("cpu")
    device(type='cpu')
    """
    if str(text) == "auto":
        text = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        found = torch.device(text)
    except RuntimeError as error:
        raise UserError(f"no device called '{text}'; choose one of auto, cpu, cuda, cuda:N, mps") from error
    if found.type == "cuda" and not torch.cuda.is_available():
        reason = "this torch was built without it" if torch.version.cuda is None else "no GPU was found"
        raise UserError(f"device '{text}': no CUDA here ({reason}); use cpu")
    if found.type == "cuda" and (found.index or 0) >= torch.cuda.device_count():
        raise UserError(
            f"device '{text}': this machine has {torch.cuda.device_count()} CUDA device(s), from cuda:0"
        )
    if found.type == "mps" and not torch.backends.mps.is_available():
        raise UserError(f"device '{text}': no MPS here; use cpu")
    try:
        torch.zeros(1, device=found).add_(1).item()
    except Exception as error:
        raise UserError(f"device '{text}' cannot be used: {where.message(error)}") from error
    return found


def check(task: Task, device: torch.device | str = "cpu") -> TaskFacts:
    """Run two training steps without updates, and an evaluation batch of each split; return what was seen.

    Neither the task's data nor the global random generators are changed.

    Raises:
        UserError: something of the user's fails or returns what a race cannot use; the message names the
            file and the line where they are known.
    """
    device = torch.device(device)
    with batches.undisturbed(device):
        torch.manual_seed(0)
        _check_finite_data(task)
        model = _check_model(task, device)
        batch = _call("train", task.train, lambda: next(task.train_batches(0, device)))
        described = describe(batch)
        size = _call("train", task.train, lambda: batches.samples(batch))
        first_loss = _check_training(task, model, batch, f"; the batch is {described}")
        for split in SPLITS:
            _check_evaluation(task, model, split, device)
    return TaskFacts(
        name=task.name,
        parameters=sum(p.numel() for p in model.parameters() if p.requires_grad),
        train=task.size("train"),
        valid=task.size("valid"),
        test=task.size("test"),
        batch_size=size,
        steps_per_epoch=task.steps_per_epoch,
        full_steps=task.full_steps,
        batch=described,
        metric_name=task.metric_name,
        higher_is_better=task.higher_is_better,
        device=str(device),
        first_loss=first_loss,
    )


def describe(batch: batches.Batch) -> str:
    """Return shapes and dtypes of a batch.

    >>> describe((torch.zeros(128, 784), torch.zeros(128, dtype=torch.int64)))
    'float32 (128, 784), int64 (128)'
    """
    return ", ".join(
        f"{str(t.dtype).removeprefix('torch.')} ({', '.join(str(n) for n in t.shape)})"
        for t in batches.tensors_in(batch)
    )


def _call(what: str, function: Any, run: Callable[[], Any], note: str = "") -> Any:
    """Call something of the user's; an exception becomes one line that says where and what."""
    try:
        return run()
    except UserError:
        raise
    except torch.OutOfMemoryError as error:
        raise UserError(
            f"{what} needs more memory than the device has; choose a smaller batch_size"
        ) from error
    except Exception as error:
        at = where.of_error(error) or where.of_return(function)
        raise UserError(f"{at + ': ' if at else ''}{what} failed: {where.message(error)}{note}") from error


def _fault(function: Any, text: str) -> UserError:
    at = where.of_return(function)
    return UserError(f"{at + ': ' if at else ''}{text}")


def _check_finite_data(task: Task) -> None:
    for split in SPLITS:
        data = task.data(split)
        for i, tensor in enumerate(data if isinstance(data, tuple) else ()):
            if tensor.is_floating_point() and not torch.isfinite(tensor).all():
                rows = (~torch.isfinite(tensor)).reshape(len(tensor), -1).any(dim=1)
                raise UserError(
                    f"{split}: element {i} of the tuple has NaN or infinite values in {int(rows.sum())} "
                    f"of {len(tensor)} samples, first in sample {int(rows.nonzero()[0])}; clean the data"
                )


def _check_model(task: Task, device: torch.device) -> nn.Module:
    model: nn.Module = _call("model()", task.model, task.model)
    if not isinstance(model, nn.Module):
        raise _fault(task.model, f"model() returned {_kind(model)}; return a torch.nn.Module")
    model = _call("moving the model to the device", task.model, lambda: model.to(device))
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    if any(isinstance(p, nn.UninitializedParameter) for _, p in trained):
        raise _fault(task.model, "model() has lazy layers without a shape; run one batch through it first")
    if sum(p.numel() for _, p in trained) == 0:
        raise _fault(task.model, "model() returned a module without a parameter to train")
    for name, parameter in trained:
        if not torch.isfinite(parameter).all():
            raise _fault(task.model, f"model() has NaN or infinite values in '{name}' before training")
    if task.model() is model:
        raise _fault(task.model, "model() returned the same module twice; make a new one in each call")
    return model


def _check_training(task: Task, model: nn.Module, batch: batches.Batch, note: str) -> float:
    """Return the first loss, after two steps without an update: some mistakes show in the second only."""
    model.train()
    losses = []
    for step in ("first", "second"):
        loss = _call("loss(model, batch)", task.loss, partial(task.loss, model, batch), note)
        losses.append(_check_loss(task, loss, batch, step))
        what = f"the backward pass of loss(model, batch) at the {step} step"
        _call(what, task.loss, loss.backward, note)
        for name, parameter in model.named_parameters():
            if parameter.grad is not None and not torch.isfinite(parameter.grad).all():
                raise _fault(
                    task.loss, f"the gradient of '{name}' has NaN or infinite values at the {step} step"
                )
        model.zero_grad()
    return losses[0]


def _check_loss(task: Task, loss: Any, batch: batches.Batch, step: str) -> float:
    _check_scalar(task.loss, "loss(model, batch)", loss)
    if not isinstance(loss, Tensor):
        raise _fault(task.loss, f"loss(model, batch) returned {_kind(loss)}; return the loss as a tensor")
    if not loss.requires_grad:
        raise _fault(
            task.loss,
            "loss(model, batch) returned a tensor that does not depend on the model's parameters "
            "(no gradient); leave out detach(), item() and no_grad()",
        )
    number = float(loss.detach())
    if not math.isfinite(number):
        raise _fault(task.loss, f"loss(model, batch) is {number} at the {step} step{_culprit(batch)}")
    return number


def _check_evaluation(task: Task, model: nn.Module, split: str, device: torch.device) -> None:
    batch = _call(split, task.data(split), lambda: next(task.eval_batches(split, device), None))
    if batch is None:
        raise UserError(f"{split}: yields no batch")
    _call(split, task.data(split), lambda: batches.samples(batch))
    model.eval()
    note = f"; the batch of {split} is {describe(batch)}"
    with torch.no_grad():
        for what, function in (("loss(model, batch)", task.loss), ("metric(model, batch)", task.metric)):
            value = _call(what, function, partial(function, model, batch), note)
            _check_scalar(function, what, value)
            number = float(torch.as_tensor(value).detach())
            if not math.isfinite(number):
                raise _fault(function, f"{what} is {number} on {split} before training{_culprit(batch)}")


def _check_scalar(function: Any, what: str, value: Any) -> None:
    if isinstance(value, Tensor):
        if value.ndim or value.is_complex():
            raise _fault(function, f"{what} returned {_kind(value)}; return its mean")
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise _fault(function, f"{what} returned {_kind(value)}; return a tensor with one number")


def _culprit(batch: batches.Batch) -> str:
    floating = [t for t in batches.tensors_in(batch) if t.is_floating_point()]
    if any(not torch.isfinite(t).all() for t in floating):
        return "; the batch itself has NaN or infinite values: clean the data first"
    return "; check it for a division by zero, a log of zero or an overflow"


def _kind(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a {'complex ' if value.is_complex() else ''}tensor of shape {tuple(value.shape)}"
    return (
        "None"
        if value is None
        else f"{'an' if type(value).__name__[0] in 'aeiou' else 'a'} {type(value).__name__}"
    )
