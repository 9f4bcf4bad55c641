"""L-BFGS: torch's, within its limits."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from torch import Tensor

from thalweg.errors import UserError
from thalweg.optim.full_batch.base import FullBatch, evaluations
from thalweg.optim.full_batch.bfgs import first_rate, flat, follow, still
from thalweg.optim.full_batch.line_search import Trial
from thalweg.optim.full_batch.objective import Objective

__all__ = ["LBFGS"]


class LBFGS(FullBatch):
    r"""L-BFGS: Newton's direction from the last m pairs of steps and changes of the gradient; torch's twin.

    .. math::
        θ_{k+1} &= θ_k - t_k B_k g_k, \qquad s_k = θ_{k+1} - θ_k, \quad y_k = g_{k+1} - g_k \\
        B_k^0 &= \frac{y_{k-1} · s_{k-1}}{y_{k-1} · y_{k-1}} I

    B is never formed: two passes over the m last pairs (s, y) with y·s > 10⁻¹⁰ give B g. The step t is `lr`,
    or with ``line_search_fn="strong_wolfe"`` satisfies the strong Wolfe conditions. Source: Nocedal & Wright
    2006, algorithms 7.4 and 7.5, 3.5 and 3.6; Liu & Nocedal 1989.

    Constructor, defaults, trajectory and `state_dict` are those of `torch.optim.LBFGS` (2.13), but for what
    goes wrong there:

    - torch's line search may evaluate once more than `max_eval` allows (and does, where it runs out).
      Here the limit holds, in the line search too; one needs at least 2, so that ``max_iter=1`` means
      ``max_eval=2``, which is what torch then does.
    - Where torch's line search meets a loss that is infinite or NaN, it may accept it: on x - 3 log x from
      0.02 with ``lr=20`` it ends at x = -4·10¹⁷. Here the bracket is halved.
    - Without a line search torch goes on after a NaN. Here the step is taken back with a FloatingPointError.
    - If the closure raises or is interrupted, torch leaves the parameters at a trial point. Here they are as
      before the step.
    - Where the slope is within `tolerance_change`, torch records a step that it does not take; with other
      data in the next call it becomes a wrong pair. Here that step is recorded as of length 0.
    - torch's fails after deepcopy or pickle, on gradients that are not contiguous (channels last), and where
      `history_size` is 0 or changes in a run.

    Kept, because they only cost evaluations: pairs need y·s > 10⁻¹⁰ whatever the loss's scale, and a rise
    from the first to the second trial does not end a bracket (algorithm 3.5 would). As in torch, the first
    pair of a step spans two calls: with other data in each call, part of y is the difference between the data
    (`BFGS` avoids this).

    A step makes up to `max_iter` iterations. Memory: 2 m + 6 vectors of n numbers: for m = 100 and float32
    0.8 GB for each million parameters.

    >>> import torch
    >>> from thalweg import optim
    >>> p = torch.nn.Parameter(torch.tensor([-1.2, 1.0], dtype=torch.float64))
    >>> optimizer = optim.LBFGS([p], max_iter=60, line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = 100 * (p[1] - p[0] ** 2) ** 2 + (1 - p[0]) ** 2  # Rosenbrock's valley
    ...     loss.backward()
    ...     return loss
    >>> print(f"{optimizer.step(closure).item():.1f}")
    24.2
    >>> [round(x, 4) for x in p.tolist()]
    [1.0, 1.0]

    Args:
        params: parameters or named parameters, all of them treated as one vector of n numbers.
        lr: where each line search starts, or the rate of each iteration without one; in the first iteration
            times min(1, 1 / ‖g‖₁).
        max_iter: the most iterations in a step.
        max_eval: the most evaluations in a step; by default 5/4 of `max_iter`, as in torch. With a line
            search and few iterations give more: ``max_iter=1`` by itself leaves it a single trial, and where
            that one fails nothing moves.
        tolerance_grad: a step ends where no element of the gradient is larger.
        tolerance_change: a step ends where the loss, or every parameter, changes by less.
        history_size: m, how many pairs are kept.
        line_search_fn: None or "strong_wolfe".

    Raises:
        UserError: an option is out of its interval, or the parameters cannot be made one vector.
    """

    intervals: ClassVar[Mapping[str, str]] = {
        "lr": "[0, inf)",
        "max_iter": "[1, inf)",
        "max_eval": "[1, inf)",
        "tolerance_grad": "[0, inf)",
        "tolerance_change": "[0, inf)",
        "history_size": "[1, inf)",
    }
    whole: ClassVar[frozenset[str]] = frozenset({"max_iter", "max_eval", "history_size"})
    choices: ClassVar[Mapping[str, tuple[str | None, ...]]] = {"line_search_fn": (None, "strong_wolfe")}
    remembers: ClassVar[Mapping[str, str]] = {
        "d": "vector",
        "t": "number",
        "old_dirs": "vectors",
        "old_stps": "vectors",
        "ro": "numbers",
        "H_diag": "number",
        "prev_flat_grad": "vector",
        "prev_loss": "number",
        "al": "numbers",  # torch's scratch
    }

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        least = 1 if line_search_fn is None else 2  # the start, and a point on the line
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": evaluations(max_eval, max_iter, least),
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)

    def _adapt(self, group: dict[str, Any], slots: Iterable[dict[str, Any]]) -> None:
        if group["line_search_fn"] is not None:
            group["max_eval"] = max(2, group["max_eval"])  # torch's 1 means 2
        for slot in slots:
            slot.pop("al", None)

    def _check(self) -> None:
        super()._check()
        group = self.param_groups[0]
        if group["line_search_fn"] is not None and group["max_eval"] < 2:
            raise UserError(
                "LBFGS: max_eval must be at least 2 with a line search, which evaluates one point more, got 1"
            )

    def _advance(
        self, objective: Objective, group: Mapping[str, Any], state: dict[str, Any]
    ) -> tuple[Tensor, dict[str, Any]]:
        x, searching = objective.start, group["line_search_fn"] is not None
        f, g = objective.finite_at(x)
        n_iter = int(state.get("n_iter", 0))
        if flat(g, group):
            return x, {"n_iter": n_iter}
        pairs, d, t = _Pairs(state, group["history_size"]), state.get("d"), state.get("t")
        before, last = state.get("prev_flat_grad"), n_iter + group["max_iter"]
        while n_iter < last:
            n_iter += 1
            if d is None or before is None:
                d, t = -g, float(group["lr"]) * first_rate(g)
            else:
                pairs.add(g - before, d * t)
                d, t = pairs.direction(g), float(group["lr"])
            before, start = g, Trial(0.0, f, g, float(g.dot(d)))
            if start.slope > -group["tolerance_change"]:
                t = 0.0  # not taken
                break
            if not searching and (n_iter == last or objective.left <= 0):
                x = x.add(d, alpha=t)
                break
            end = follow(objective, x, d, start, t, group)
            x, f, g, t = x.add(d, alpha=end.t), end.f, end.g, end.t
            if objective.left <= 0 or flat(g, group) or still(d * t, f - start.f, group):
                break
        return x, {
            "n_iter": n_iter,
            "d": d,
            "t": t,
            "prev_flat_grad": before,
            "prev_loss": start.f,
            **pairs.state(),
        }


class _Pairs:
    """The last pairs of steps s and changes y of the gradient, under torch's names: its dirs are our y."""

    def __init__(self, state: Mapping[str, Any], size: int) -> None:
        self.y, self.s, self.ro = (list(state.get(key) or ()) for key in ("old_dirs", "old_stps", "ro"))
        self.scale, self.size = state.get("H_diag", 1), size

    def add(self, y: Tensor, s: Tensor) -> None:
        """Keep a pair, unless its curvature is not positive; the oldest give way."""
        ys = y.dot(s)
        if ys > 1e-10:
            for kept, new in ((self.y, y), (self.s, s), (self.ro, 1.0 / ys)):
                kept.append(new)
                del kept[: -self.size]
            self.scale = ys / y.dot(y)

    def direction(self, g: Tensor) -> Tensor:
        """-B g, by the two-loop recursion."""
        q, parts = -g, []
        for y, s, ro in zip(reversed(self.y), reversed(self.s), reversed(self.ro), strict=True):
            parts.append(s.dot(q) * ro)
            q.sub_(y, alpha=float(parts[-1]))
        r: Tensor = q * self.scale
        for y, s, ro, part in zip(self.y, self.s, self.ro, reversed(parts), strict=True):
            r.add_(s, alpha=float(part - y.dot(r) * ro))
        return r

    def state(self) -> dict[str, Any]:
        """What to remember, as torch does."""
        return {"old_dirs": self.y, "old_stps": self.s, "ro": self.ro, "H_diag": self.scale}
