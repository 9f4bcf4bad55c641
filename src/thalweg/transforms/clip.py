"""Gradient clipping, by value and by global norm."""

from thalweg.engine.ops import maximum, minimum, sqrt
from thalweg.engine.options import check_value
from thalweg.engine.plan import Totals, Transform
from thalweg.engine.rule import formula, rule

__all__ = ["clip_norm", "clip_value"]


@formula
def clipped_value(p, g, *, limit):  # type: ignore[no-untyped-def]
    """Each element within [-limit, limit]."""
    return minimum(maximum(g, -limit), limit)


@formula
def square(p, g):  # type: ignore[no-untyped-def]
    """Summed over all elements: the squared global norm."""
    return g * g


@rule(sums={"total": square})
def clipped_norm(p, g, *, total, max_norm):  # type: ignore[no-untyped-def]
    """The gradient scaled down to norm max_norm if it is longer."""
    return g * (max_norm / maximum(max_norm, sqrt(total)))


def clip_value(limit: float) -> Transform:
    """Clamp each element of the gradient: g <- min(max(g, -limit), limit).

    It changes the direction of the gradient; NaN stays NaN. Source: `torch.nn.utils.clip_grad_value_`.

    Args:
        limit: the largest magnitude of an element, positive.

    Raises:
        UserError: the limit is not positive.
    """
    check_value("clip_value", "limit", limit, "(0, inf)")
    return Transform(clipped_value, on="grad", options={"limit": limit})


def clip_norm(max_norm: float) -> Transform:
    r"""Scale the whole gradient down if its norm is above a threshold: g <- g · c / max(c, ‖g‖).

    ‖g‖ is the Euclidean norm over all parameters of the optimizer, summed in double in one read-only pass.
    The direction is kept. Source: Pascanu, Mikolov & Bengio 2013, arXiv 1211.5063, algorithm 1.
    `torch.nn.utils.clip_grad_norm_` divides by ‖g‖ + 1e-6 instead, which leaves the norm a little under c.

    The third source document's second example, a gradient of norm 13 and a threshold of 5:

    >>> import torch
    >>> from thalweg import optim, transforms
    >>> w = torch.nn.Parameter(torch.zeros(3))
    >>> w.grad = torch.tensor([3.0, 4.0, 12.0])
    >>> optim.SGD([w], lr=1.0, transforms=[transforms.clip_norm(5.0)]).step()
    >>> w.data
    tensor([-1.1538, -1.5385, -4.6154])
    >>> w.norm().item()
    5.0

    Args:
        max_norm: c, the largest norm, positive.

    Raises:
        UserError: the norm is not positive.
        FloatingPointError: (at the step) the gradient's norm is infinite or NaN; the parameters are named and
            nothing is changed. Torch would spread the NaN to every gradient.
    """
    check_value("clip_norm", "max_norm", max_norm, "(0, inf)")
    return Transform(clipped_norm, on="grad", options={"max_norm": max_norm}, check=_finite)


def _finite(totals: Totals) -> bool:
    if names := totals.not_finite():
        raise FloatingPointError(
            f"the gradient of {', '.join(names[:3])} is infinite or NaN; lower the learning rate, "
            "or put guard(policy='skip') before clip_norm to skip such steps"
        )
    return False
