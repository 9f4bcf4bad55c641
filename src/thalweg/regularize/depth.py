"""DropPath, also called stochastic depth: residual branches that are left out at random while training."""

from typing import Literal, get_args

from torch import Tensor, nn

from thalweg.engine.options import check_value
from thalweg.errors import UserError
from thalweg.regularize.checks import whole

__all__ = ["DropPath", "depth_linear", "drop_path"]

Mode = Literal["sample", "batch"]


def drop_path(x: Tensor, p: float, training: bool = True, mode: Mode = "sample") -> Tensor:
    r"""Set a residual branch to zero with probability p, and scale what is kept by 1 / (1 - p).

    .. math:: y = \frac{b}{1 - p} x, \qquad b \sim \mathrm{Bernoulli}(1 - p)

    so that E[y] = x and nothing changes in evaluation. The random numbers are torch's own, as those of
    `torch.nn.functional.dropout`.

    Source: Huang et al. 2016, arXiv 1603.09382, equation 2. The paper draws one b for the batch
    (``mode="batch"``) and scales by 1 - p in evaluation instead; the usual form of today, and the default,
    draws one for each sample.

    Args:
        x: the branch's output; its first dimension counts the samples.
        p: the probability with which it is dropped, in [0, 1].
        training: where it is false, x is returned as it is.
        mode: "sample" or "batch".

    Raises:
        UserError: p is out of its range, the mode is unknown, or x is not floating or has no samples.
    """
    if not 0 <= p <= 1:
        raise UserError(f"drop_path: p must be a number in [0, 1], got {p!r}")
    if mode not in get_args(Mode):
        raise UserError(f"drop_path: mode must be 'sample' or 'batch', got {mode!r}")
    if not training or p == 0:
        return x
    if mode == "sample" and x.ndim == 0:
        raise UserError("drop_path: x has no dimension that counts samples; use mode='batch'")
    if not (x.is_floating_point() or x.is_complex()):
        raise UserError(f"drop_path: x is {x.dtype}; it must be floating")
    samples = len(x) if mode == "sample" else 1
    mask = x.real.new_empty([samples, *[1] * (x.ndim - 1)][: x.ndim])
    kept = x * mask.bernoulli_(1 - p)
    return kept / (1 - p) if p < 1 else kept  # a bfloat16 mask would round 1 / (1 - p)


class DropPath(nn.Module):
    """`drop_path` as a module: ``x = x + self.drop_path(self.block(x))``.

    Args:
        p: the probability with which the branch is dropped, in [0, 1]; see `depth_linear`.
        mode: "sample" (each sample for itself) or "batch" (all together, as in the paper).

    Raises:
        UserError: p is out of its range, or the mode is unknown.

    >>> import torch
    >>> DropPath(0.2).eval()(torch.ones(3))
    tensor([1., 1., 1.])
    """

    def __init__(self, p: float = 0.1, mode: Mode = "sample") -> None:
        super().__init__()
        check_value("DropPath", "p", p, "[0, 1]")
        if mode not in get_args(Mode):
            raise UserError(f"DropPath: mode must be 'sample' or 'batch', got {mode!r}")
        self.p = float(p)
        self.mode: Mode = mode

    def forward(self, x: Tensor) -> Tensor:
        """Return the branch, or zeros."""
        return drop_path(x, self.p, self.training, self.mode)

    def extra_repr(self) -> str:
        """Return the options for the printed model."""
        return f"p={self.p:g}" if self.mode == "sample" else f"p={self.p:g}, mode={self.mode!r}"


def depth_linear(p: float, depth: int) -> list[float]:
    r"""The rates of `depth` residual blocks, rising linearly to p: :math:`p_l = p \, l / L` for l = 1 ... L.

    Source: Huang et al. 2016, arXiv 1603.09382, equation 4, with 1 - p for the paper's p_L (0.5 there). Some
    vision transformers start at 0 instead, :math:`p_l = p (l - 1) / (L - 1)`: that is
    ``[0.0, *depth_linear(p, depth - 1)]``.

    Args:
        p: the rate of the last block, in [0, 1].
        depth: L, the number of blocks, 1 or more.

    Raises:
        UserError: an option is out of its range.

    >>> depth_linear(0.2, 4)
    [0.05, 0.1, 0.15000000000000002, 0.2]
    """
    check_value("depth_linear", "p", p, "[0, 1]")
    depth = whole("depth_linear", "depth", depth, 1)
    return [p * (block / depth) for block in range(1, depth + 1)]
