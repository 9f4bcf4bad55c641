"""Gradient descent on the whole data, with a fixed rate or a backtracking line search."""

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor

from thalweg.optim.full_batch.base import FullBatch
from thalweg.optim.full_batch.line_search import backtrack, noise
from thalweg.optim.full_batch.objective import Objective

__all__ = ["GradientDescent"]


class GradientDescent(FullBatch):
    r"""Gradient descent: θ goes against the gradient of the loss over all the data.

    .. math:: θ_{t+1} = θ_t - η_t ∇L(θ_t)

    With a fixed rate η_t = η: `SGD` with the same closure takes the same steps. With
    ``line_search_fn="armijo"`` each step starts at η and halves it until the loss decreases by at least 10⁻⁴
    of what the slope promises, so any η that is large enough will do; where `max_eval` evaluations do not
    suffice, θ stays. A loss that is infinite or NaN is no decrease. Source: Cauchy 1847; Nocedal & Wright
    2006, algorithm 3.1.

    A step costs one evaluation of the closure with a fixed rate, at least two with the line search.

    On f(x) = x² from x = 1, η = 1 is rejected, since it leads to x = -1, and η = ½ leads to the minimum:

    >>> import torch
    >>> from thalweg import optim
    >>> x = torch.nn.Parameter(torch.tensor(1.0))
    >>> optimizer = optim.GradientDescent([x], lr=1.0, line_search_fn="armijo")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = x**2
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure).item(), x.item()
    (1.0, 0.0)

    Args:
        params: parameters or named parameters, all of them treated as one vector.
        lr: η, the learning rate, or where each line search starts.
        line_search_fn: None or "armijo".
        max_eval: the most evaluations in a step.

    Raises:
        UserError: an option is out of its interval, or the parameters cannot be made one vector.
    """

    intervals: ClassVar[Mapping[str, str]] = {"lr": "[0, inf)", "max_eval": "[2, inf)"}
    whole: ClassVar[frozenset[str]] = frozenset({"max_eval"})
    choices: ClassVar[Mapping[str, tuple[str | None, ...]]] = {"line_search_fn": (None, "armijo")}

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 0.1,
        line_search_fn: str | None = None,
        max_eval: int = 25,
    ) -> None:
        super().__init__(params, {"lr": lr, "line_search_fn": line_search_fn, "max_eval": max_eval})

    def _advance(
        self, objective: Objective, group: Mapping[str, Any], state: dict[str, Any]
    ) -> tuple[Tensor, dict[str, Any]]:
        x, t = objective.start, float(group["lr"])
        f, g = objective.finite_at(x)
        if group["line_search_fn"] is not None:
            slope, slack = -float(g.dot(g)), noise(f, x.dtype)
            t = backtrack(
                lambda t: objective.value(x.sub(g, alpha=t)), f, slope, t, left=objective.left, slack=slack
            )
        return x.sub(g, alpha=t), {}
