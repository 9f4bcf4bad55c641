"""The trust ratio: each tensor moves in proportion to its own length."""

from thalweg.engine.ops import maximum, minimum, sqrt, where
from thalweg.engine.options import check_options, check_order
from thalweg.engine.plan import Transform
from thalweg.engine.rule import formula, rule

__all__ = ["TRUST_RATIO", "trust_ratio"]


@formula
def parameter_squared(p):  # type: ignore[no-untyped-def]
    """Summed over a tensor: the squared norm of the parameter."""
    return p * p


@formula
def step_squared(p, step):  # type: ignore[no-untyped-def]
    """Summed over a tensor: the squared norm of the step."""
    return step * step


@rule(sums={"p2": parameter_squared, "s2": step_squared}, over="tensor")
def trusted(p, step, *, p2, s2, bound1, bound2):  # type: ignore[no-untyped-def]
    """The step at the length of its parameter; as it is where one of the two has no length."""
    length = minimum(maximum(sqrt(p2), bound1), bound2)
    both = minimum(p2, s2)
    return where(both > 0, length, 1) / where(both > 0, sqrt(s2), 1) * step


# Within an optimizer that has `bounds`, these come from the parameter group.
TRUST_RATIO = Transform(trusted, on="step")


def trust_ratio(bounds: tuple[float, float] = (0.0, float("inf"))) -> Transform:
    r"""Give each tensor's step the length of the tensor: step <- step · φ(‖p‖) / ‖step‖.

    φ(z) = min(max(z, γ₁), γ₂), by default the identity; the norms are Euclidean, over one tensor, summed in
    double in one read-only pass. Where p or the step is zero, the step is left as it is. With a learning rate
    of η each tensor then moves by the share η of its length. Source: You, Gitman & Ginsburg 2017, arXiv
    1708.03888; the form with φ is You et al. 2020, arXiv 1904.00962, algorithm 2.

    >>> import torch
    >>> from thalweg import optim, transforms
    >>> w = torch.nn.Parameter(torch.tensor([3.0, 4.0]))
    >>> w.grad = torch.tensor([0.0, 100.0])
    >>> optim.SGD([w], lr=0.1, transforms=[transforms.trust_ratio()]).step()
    >>> w.data
    tensor([3.0000, 3.5000])

    Args:
        bounds: (γ₁, γ₂), the smallest and the largest φ.

    Raises:
        UserError: γ₁ is negative or above γ₂, or γ₂ is not positive.
    """
    check_options("trust_ratio", {"bounds": bounds}, {"bounds": "[0, inf) x (0, inf]"})
    check_order("trust_ratio", "bounds", bounds)
    return Transform(trusted, on="step", options={"bound1": bounds[0], "bound2": bounds[1]})
