"""The max-norm constraint: no unit's incoming weights are longer than a limit."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.utils.parametrize import is_parametrized

from thalweg.engine.options import check_value
from thalweg.errors import UserError

__all__ = ["max_norm"]

_LAYERS = (
    nn.Linear,
    nn.Bilinear,
    _ConvNd,
    nn.Embedding,
    nn.EmbeddingBag,
    nn.RNNBase,
    nn.RNNCellBase,
    nn.MultiheadAttention,
)


@torch.no_grad()
def max_norm(model: nn.Module, limit: float) -> None:
    r"""Project the weights of every unit onto the ball of radius c: :math:`w ← w \min(1, c / ‖w‖_2)`.

    w are the incoming weights of one unit: a row of a linear layer, of an embedding and of each matrix of a
    recurrent or attention layer, a filter of a convolution (of a transposed one, all that leads to one
    output channel). A w within the limit stays as it is, bit for bit. Biases, and weights that require no
    gradient, are left alone. The constraint is meant to hold after every step of any optimizer::

        optimizer.register_step_post_hook(lambda *_: regularize.max_norm(model.hidden, 3.0))

    Source: Srebro & Shraibman 2005; Srivastava et al. 2014, JMLR 15, section 5.1 (c of 3 to 4 beside
    dropout). `torch.renorm` projects one tensor, to a length that is 1e-7 short.

    Args:
        model: a layer, or a model with some; only the parts to constrain.
        limit: c.

    Raises:
        UserError: c is not above 0, the model has no such layer, or one is parametrized: then limit what is
            behind it (of a weight norm, its g).

    >>> layer = nn.Linear(2, 1)
    >>> layer.weight.data = torch.tensor([[3.0, 4.0]])
    >>> max_norm(layer, 1.0)
    >>> layer.weight.data
    tensor([[0.6000, 0.8000]])
    """
    check_value("max_norm", "limit", limit, "(0, inf)")
    if not isinstance(model, nn.Module):
        raise UserError(f"max_norm: it limits a model's layers, not a {type(model).__name__}")
    found = False
    for units, dims in _units(model):
        found = True
        if units.requires_grad:
            _project(units.detach(), dims, limit)
    if not found:
        raise UserError(f"max_norm: {type(model).__name__} has no linear, convolution or embedding layer")


def _units(model: nn.Module) -> Iterator[tuple[Tensor, tuple[int, ...]]]:
    """The weights of each layer, and the dimensions over which one unit extends."""
    for name, module in model.named_modules():
        if not isinstance(module, _LAYERS):
            continue
        if is_parametrized(module):
            raise UserError(
                f"max_norm: {name or type(module).__name__} is parametrized, so its weight cannot be set"
            )
        for attribute, weight in module.named_parameters(recurse=False):
            if weight.ndim < 2 or "bias" in attribute:
                continue
            if isinstance(module, _ConvTransposeNd):  # (in, out / groups, ...): a filter for each group
                rows = weight.view(module.groups, -1, *weight.shape[1:])
                yield rows, (1, *range(3, rows.ndim))
            else:
                yield weight, tuple(range(1, weight.ndim))


def _project(weight: Tensor, dims: tuple[int, ...], limit: float) -> None:
    """Scale what is too long, in place; the length is measured in float32 at least."""
    dtype = torch.promote_types(weight.dtype, torch.float32)
    length = torch.linalg.vector_norm(weight, dim=dims, keepdim=True, dtype=dtype)
    weight.copy_(torch.where(length > limit, weight * (limit / length), weight))
