"""Averages of weights: what torch.optim.swa_utils lacks.

The average itself is torch's `AveragedModel`. Its own mean of weights is SWA (Izmailov et al. 2018, arXiv
1803.05407); with `ema` it is an exponential moving average::

    averaged = AveragedModel(model, avg_fn=regularize.ema(0.999))
    for batch in batches:
        ...
        optimizer.step()
        averaged.update_parameters(model)
    regularize.reestimate_batch_norm(averaged, batches)

Weights of low precision are averaged in float32, for else the average stands still: make it of a copy,
``AveragedModel(copy.deepcopy(model).float(), avg_fn=...)``, with `ema` or torch's `get_swa_avg_fn()`.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from thalweg.engine.options import check_value
from thalweg.errors import UserError

__all__ = ["ema", "reestimate_batch_norm"]


def ema(decay: float = 0.999, warmup: bool = True) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    r"""The exponential moving average as an `avg_fn` for `torch.optim.swa_utils.AveragedModel`.

    .. math:: \bar w ← β_n \bar w + (1 - β_n) w, \qquad β_n = \min\left(β, \frac{1 + n}{10 + n}\right)

    where n counts the averages before this one; the minimum is the warm-up, without which the average
    remembers the first weights for about 1 / (1 - β) steps. It differs from torch's `get_ema_avg_fn` in the
    warm-up (as in TensorFlow's ExponentialMovingAverage), in that the averaged tensors may have more
    precision than the model's, and in that buffers of integers (counts, masks) are copied, not averaged.

    Args:
        decay: β, in [0, 1).
        warmup: begin with a smaller decay.

    Raises:
        UserError: β is out of its range; at the first average, the averaged weights have low precision.

    >>> average = ema(0.9)
    >>> average(torch.tensor(0.0), torch.tensor(11.0), 1)  # the decay is 2 / 11
    tensor(9.0000)
    """
    check_value("ema", "decay", decay, "[0, 1)")

    def average(averaged: Tensor, current: Tensor, n: Tensor | int) -> Tensor:
        if not (averaged.is_floating_point() or averaged.is_complex()):
            return current
        if averaged.dtype in (torch.bfloat16, torch.float16):
            raise UserError(
                f"ema: an average in {averaged.dtype} stands still; make it of a float32 copy, "
                "AveragedModel(copy.deepcopy(model).float(), avg_fn=...)"
            )
        return averaged + _share(decay, warmup, averaged, n) * (current.to(averaged.dtype) - averaged)

    return average


def _share(decay: float, warmup: bool, averaged: Tensor, n: Tensor | int) -> Tensor | float:
    """1 - decay at the n-th average; on the tensor's device, so that nothing waits for it."""
    if not warmup:
        return 1 - decay
    count = torch.as_tensor(n, device=averaged.device).to(averaged.real.dtype)
    return (9 / (10 + count)).clamp(min=1 - decay)


def reestimate_batch_norm(
    model: nn.Module, batches: Iterable[Any], forward: Callable[[nn.Module, Any], Any] | None = None
) -> None:
    r"""Set the statistics of every batch norm to those of the data: averaged weights have none of their own.

    Over batches b of n_b values a channel, with means μ_b and variances v_b (all divided by n_b), the
    population's are

    .. math:: μ = \frac{1}{N} \sum_b n_b μ_b, \qquad
        v = \frac{1}{N - 1} \sum_b n_b \left( v_b + (μ_b - μ)^2 \right), \qquad N = \sum_b n_b

    Only batch norms are in training mode meanwhile, and after an error all is as it was. Torch's `update_bn`
    gives batches of unequal size equal weight, leaves out how the batch means differ, lets dropout run, and
    takes no dictionaries. Source: Izmailov et al. 2018, arXiv 1803.05407, algorithm 1, last line; Wu &
    Johnson 2021, arXiv 2105.07576, section 3 (precise batch norm; divided by N there).

    Args:
        model: an `AveragedModel`, or any other.
        batches: batches of the training data; a hundred are plenty. One pass is made.
        forward: runs the model on a batch. By default a tensor, or the first entry of a tuple or list, is
            moved to the statistics' device and given to the model.

    Raises:
        UserError: there are no batches, or a batch is none of these.
    """
    if not isinstance(model, nn.Module):
        raise UserError(f"reestimate_batch_norm: it takes a model, not a {type(model).__name__}")
    norms = [m for m in model.modules() if isinstance(m, _BatchNorm) and m.track_running_stats]
    if not norms:
        return
    with _alone(model, norms) as statistics:
        empty = True
        for batch in batches:
            empty = False
            if forward is None:
                model(_input(batch, norms[0]))
            else:
                forward(model, batch)
        if empty:
            raise UserError("reestimate_batch_norm: there are no batches; is it an iterator that is used up?")
    for norm in norms:
        statistics[norm].write(norm)


class _Statistics:
    """Count, mean and sum of squared deviations of a batch norm's inputs, by channel."""

    def __init__(self) -> None:
        self.calls = self.count = 0
        self.mean = self.deviations = torch.zeros((), dtype=torch.float64)

    def add(self, norm: _BatchNorm, _: Any, output: Tensor) -> None:
        """Join the statistics of a batch, which its forward pass has left (Chan et al. 1983)."""
        assert norm.running_mean is not None
        assert norm.running_var is not None
        new = output.numel() // norm.num_features
        if not new:
            norm.reset_running_stats()
            return
        total = self.count + new
        delta = norm.running_mean.to("cpu", torch.float64) - self.mean
        within = norm.running_var.to("cpu", torch.float64) * (new - 1)
        self.deviations = self.deviations + within + delta.square() * (self.count * new / total)
        self.mean = self.mean + delta * (new / total)
        self.count, self.calls = total, self.calls + 1

    def write(self, norm: _BatchNorm) -> None:
        """Make them those of the norm; one that was not reached keeps its own."""
        if not self.calls:
            return
        assert norm.running_mean is not None
        assert norm.running_var is not None
        norm.running_mean.copy_(self.mean)
        norm.running_var.copy_(self.deviations / (self.count - 1))
        if norm.num_batches_tracked is not None:
            norm.num_batches_tracked.fill_(self.calls)


@contextmanager
def _alone(model: nn.Module, norms: list[_BatchNorm]) -> Iterator[dict[_BatchNorm, _Statistics]]:
    """Batch norms in training mode, all else in evaluation; their statistics are gathered, then put back."""
    modes = {module: module.training for module in model.modules()}
    momenta = {norm: norm.momentum for norm in norms}
    buffers = [(buffer, buffer.clone()) for norm in norms for buffer in norm.buffers(recurse=False)]
    statistics = {norm: _Statistics() for norm in norms}
    hooks = [norm.register_forward_hook(statistics[norm].add) for norm in norms]
    try:
        for module in modes:
            module.training = False
        for norm in norms:
            norm.training, norm.momentum = True, 1.0  # the running statistics are those of the last batch
            norm.reset_running_stats()
        with torch.no_grad():
            yield statistics
    finally:
        for hook in hooks:
            hook.remove()
        for module, mode in modes.items():
            module.training = mode
        for norm in norms:
            norm.momentum = momenta[norm]
        for buffer, kept in buffers:
            buffer.copy_(kept)


def _input(batch: Any, norm: _BatchNorm) -> Tensor:
    """The model's input in a batch, on the device of the statistics."""
    first = batch[0] if isinstance(batch, list | tuple) and batch else batch
    if not isinstance(first, Tensor):
        raise UserError(
            f"reestimate_batch_norm: a batch is a {type(batch).__name__}; say how the model runs on it with "
            'forward, such as forward=lambda model, batch: model(batch["image"])'
        )
    assert norm.running_mean is not None
    return first.to(norm.running_mean.device)
