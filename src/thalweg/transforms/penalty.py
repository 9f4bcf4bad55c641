"""L1 and elastic-net regularization: as a penalty in the gradient, and as a proximal step."""

from thalweg.engine.ops import absolute, maximum, sign
from thalweg.engine.options import check_value
from thalweg.engine.plan import Transform
from thalweg.engine.rule import formula

__all__ = ["elastic_net_penalty", "elastic_net_prox", "l1_penalty", "l1_prox"]


@formula
def penalized(p, g, *, l1, l2):  # type: ignore[no-untyped-def]
    """The gradient of the loss plus l1 |p| + l2 p^2."""
    return g + l1 * sign(p) + 2 * l2 * p


@formula
def shrunk(p, *, lr, l1, l2):  # type: ignore[no-untyped-def]
    """The proximal operator of lr (l1 |p| + l2 p^2)."""
    return sign(p) * maximum(absolute(p) - lr * l1, 0) / (1 + 2 * lr * l2)


def l1_penalty(l1: float) -> Transform:
    r"""L1 (lasso) as a subgradient: g <- g + λ sign(p), the gradient of λ Σ|p|.

    Weights hover around zero without reaching it; use `l1_prox` for exact zeros.

    Args:
        l1: λ, the strength.

    Raises:
        UserError: λ is negative or not finite.
    """
    return elastic_net_penalty(l1, 0.0)


def elastic_net_penalty(l1: float, l2: float) -> Transform:
    r"""Elastic net as a subgradient: g <- g + λ₁ sign(p) + 2 λ₂ p, the gradient of Σ λ₁|p| + λ₂p².

    This is the form of the first source document, R(W) = Σ βW² + |W|, with λ₂ = λβ and λ₁ = λ; with
    l1 = 0 it is `coupled_decay(2 * l2)`.

    Args:
        l1: λ₁, the strength of |p|.
        l2: λ₂, the strength of p².

    Raises:
        UserError: a strength is negative or not finite.
    """
    return Transform(penalized, on="grad", options=_strengths("penalty", l1, l2))


def l1_prox(l1: float) -> Transform:
    r"""L1 as a proximal step: p <- sign(p) · max(|p| - ηλ, 0) after each update (soft-thresholding).

    Gives exact zeros. Source: Parikh & Boyd 2014, Proximal Algorithms, section 6.5.2; Daubechies, Defrise &
    De Mol 2004, arXiv math/0307152 (ISTA).

    Args:
        l1: λ, the strength; η is the learning rate of the step.

    Raises:
        UserError: λ is negative or not finite.
    """
    return elastic_net_prox(l1, 0.0)


def elastic_net_prox(l1: float, l2: float) -> Transform:
    r"""Elastic net as a proximal step: p <- sign(p) · max(|p| - ηλ₁, 0) / (1 + 2ηλ₂) after each update.

    The proximal operator of η Σ λ₁|p| + λ₂p². Source: Parikh & Boyd 2014, Proximal Algorithms, section 6.5.3.

    Args:
        l1: λ₁, the strength of |p|.
        l2: λ₂, the strength of p²; η is the learning rate of the step.

    Raises:
        UserError: a strength is negative or not finite.
    """
    return Transform(shrunk, on="param", options=_strengths("prox", l1, l2))


def _strengths(owner: str, l1: float, l2: float) -> dict[str, float]:
    check_value(owner, "l1", l1, "[0, inf)")
    check_value(owner, "l2", l2, "[0, inf)")
    return {"l1": l1, "l2": l2}
