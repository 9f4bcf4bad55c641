"""Random search: the baseline that every use of a gradient has to beat."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from thalweg.optim.full_batch.base import FullBatch
from thalweg.optim.full_batch.objective import Objective

__all__ = ["RandomSearch", "generator"]


class RandomSearch(FullBatch):
    r"""Random search: try random parameters, keep the best.

    .. math:: θ' = \hat θ + σ ξ \;\text{(local)} \quad\text{or}\quad θ' = σ ξ, \qquad ξ \sim N(0, I)

    where θ̂ is the best so far; θ' replaces it if its loss is lower, in both forms. The local form climbs
    down the hill in random directions; the other draws afresh around zero each time, as the second source
    document does with σ = 10⁻⁴ (and reaches 15.5 % on CIFAR-10). No gradient is used, so the closure need not
    call backward, and a loss that is infinite or NaN, at the start too, is worse than any finite one. Source:
    Rastrigin 1963; Matyas 1965.

    A step costs one evaluation, since the data may have changed, and one for each candidate. Candidates
    depend on `seed` and the number of the step alone, so a run resumed is the run uninterrupted.

    Args:
        params: parameters or named parameters, all of them treated as one vector.
        lr: σ, the standard deviation of a candidate around its center.
        candidates: how many are tried in a step.
        local: around the best so far, rather than around zero.
        seed: of the candidates.

    Raises:
        UserError: an option is out of its interval, or the parameters cannot be made one vector.
    """

    intervals: ClassVar[Mapping[str, str]] = {
        "lr": "[0, inf)",
        "candidates": "[1, inf)",
        "seed": "[0, 4294967296)",
    }
    whole: ClassVar[frozenset[str]] = frozenset({"candidates", "seed"})

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 0.01,
        candidates: int = 10,
        local: bool = True,
        seed: int = 0,
    ) -> None:
        super().__init__(params, {"lr": lr, "candidates": candidates, "local": local, "seed": seed})

    def _advance(
        self, objective: Objective, group: Mapping[str, Any], state: dict[str, Any]
    ) -> tuple[Tensor, dict[str, Any]]:
        draws = generator(group["seed"], state.get("n_iter", 0))
        best, least = objective.start, _or_infinite(objective.value(objective.start))
        for _ in range(group["candidates"]):
            away = float(group["lr"]) * torch.randn(len(best), dtype=best.dtype, generator=draws)
            x = away.to(best.device) + (best if group["local"] else 0.0)
            f = _or_infinite(objective.value(x))
            if f < least:
                best, least = x, f
        return best, {}


def generator(seed: int, number: int) -> torch.Generator:
    """The random numbers of one step, the same on every device; torch's generator keeps 32 bits of a seed."""
    return torch.Generator().manual_seed((seed * 0x9E3779B1 + number) % 2**32)


def _or_infinite(f: float) -> float:
    return f if math.isfinite(f) else math.inf
