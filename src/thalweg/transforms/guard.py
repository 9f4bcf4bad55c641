"""The guard against gradients that are infinite or NaN."""

from typing import Literal

from thalweg.engine.ops import isfinite, where
from thalweg.engine.plan import Totals, Transform
from thalweg.engine.rule import formula, rule
from thalweg.errors import UserError

__all__ = ["guard"]


@formula
def count_not_finite(p, g):  # type: ignore[no-untyped-def]
    """Summed over all elements: how many are infinite or NaN."""
    return where(isfinite(g), 0, 1)


@rule(sums={"total": count_not_finite})
def passed(p, g, *, total):  # type: ignore[no-untyped-def]
    """The gradient as it is: the guard only looks."""
    return g


def guard(policy: Literal["raise", "skip"] = "raise") -> Transform:
    """Stop a gradient with an infinity or a NaN before it reaches any parameter or state.

    Args:
        policy: "raise" ends the step with an error that names the parameter; "skip" leaves out the step: no
            parameter, no state and no step count changes.

    Raises:
        UserError: another policy.
        FloatingPointError: (at the step, with "raise") names the parameters and counts their bad elements.
    """
    if policy not in ("raise", "skip"):
        raise UserError(f"guard: policy must be 'raise' or 'skip', got {policy!r}")
    return Transform(passed, on="grad", check=_raise if policy == "raise" else _skip)


def _skip(totals: Totals) -> bool:
    return totals.total > 0


def _raise(totals: Totals) -> bool:
    if totals.total > 0:
        bad = [f"{name} ({int(n)} elements)" for name, n in totals.by_name.items() if n > 0]
        raise FloatingPointError(
            f"the gradient is infinite or NaN in {', '.join(bad[:3])}; nothing was changed"
        )
    return False
