"""Weight decay: coupled (an L2 penalty in the gradient) and decoupled (a step of its own)."""

from thalweg.engine.options import check_value
from thalweg.engine.plan import Transform
from thalweg.engine.rule import formula

__all__ = ["COUPLED", "DECOUPLED", "coupled_decay", "decoupled_decay"]


@formula
def coupled(p, g, *, weight_decay):  # type: ignore[no-untyped-def]
    """The gradient of the loss plus the penalty weight_decay / 2 * |p|^2."""
    return g + weight_decay * p


@formula
def decoupled(p, step, *, weight_decay):  # type: ignore[no-untyped-def]
    """A step towards zero beside the algorithm's own."""
    return step + weight_decay * p


# Within an optimizer that has a `weight_decay` option, the value comes from the parameter group.
COUPLED = Transform(coupled, on="grad")
DECOUPLED = Transform(decoupled, on="step")


def coupled_decay(weight_decay: float) -> Transform:
    r"""L2 regularization: g <- g + λ p, before the algorithm sees the gradient.

    For SGD this is the same as decoupled decay; an adaptive algorithm divides the penalty by its own
    scale, so that weights with large gradients decay less (Loshchilov & Hutter 2019, arXiv 1711.05101,
    section 2).

    Args:
        weight_decay: λ, the strength; the penalty in the loss is λ/2 · |p|².

    Raises:
        UserError: λ is negative or not finite.
    """
    check_value("coupled_decay", "weight_decay", weight_decay, "[0, inf)")
    return Transform(coupled, on="grad", options={"weight_decay": weight_decay})


def decoupled_decay(weight_decay: float) -> Transform:
    r"""Decoupled weight decay: p <- p - η (step + λ p).

    Source: Loshchilov & Hutter 2019, arXiv 1711.05101, algorithm 2, line 12 (with torch's convention that the
    learning rate η multiplies λ).

    Args:
        weight_decay: λ, the strength.

    Raises:
        UserError: λ is negative or not finite.
    """
    check_value("decoupled_decay", "weight_decay", weight_decay, "[0, inf)")
    return Transform(decoupled, on="step", options={"weight_decay": weight_decay})
