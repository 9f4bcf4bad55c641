"""Second derivatives of a loss by differentiating its gradient: products with the Hessian, or all of it."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from thalweg.errors import UserError

__all__ = ["Curvature"]

ROWS = 64  # of the Hessian at once: each costs as much memory as the graph of one gradient


class Curvature:
    """The gradient g and the Hessian H of a loss at one point, through double backward.

    Args:
        owner: the optimizer's name, for messages.
        loss: one number, with its graph.
        params: n numbers in all; the loss may be independent of some of them.

    Raises:
        UserError: the loss has no graph, its gradient is sparse, or an operation in it has no second
            derivative.
    """

    def __init__(self, owner: str, loss: Any, params: Sequence[Tensor]) -> None:
        if not (isinstance(loss, Tensor) and loss.requires_grad):
            raise UserError(
                f"{owner} differentiates the returned loss twice, and it has no graph: end the closure with "
                "'return loss', without item() or detach(), and compute it without no_grad"
            )
        self.owner = owner
        self.sizes = [p.numel() for p in params]
        self.live = [i for i, p in enumerate(params) if p.requires_grad]
        self.inputs = [params[i] for i in self.live]
        self.template = params[0]
        with torch.enable_grad():
            found = self._differentiated(loss.reshape(()), None, create_graph=True)
            if all(part is None for part in found):
                raise UserError(f"{owner}: the returned loss does not depend on the parameters")
            if any(part is not None and part.layout != torch.strided for part in found):
                raise UserError(f"{owner}: a gradient is sparse; use a layer with sparse=False")
            self.gradient_graph = self._joined(found)
        self.gradient = self.gradient_graph.detach()
        self.products = 0

    def product(self, v: Tensor) -> Tensor:
        """H v, at about twice the cost of a gradient.

        Raises:
            FloatingPointError: a second derivative is infinite or NaN.
        """
        self.products += 1
        return self._finite(self._product(v))

    def _product(self, v: Tensor) -> Tensor:
        if not self.gradient_graph.requires_grad:  # a loss that is linear in the parameters
            return torch.zeros_like(v)
        found = self._differentiated(self.gradient_graph, v, retain_graph=True)
        return self._joined(found)

    def hessian(self) -> Tensor:
        """H, of shape (n, n), made symmetric, at the cost of n products.

        Rows are computed together by vmap, 25 times as fast on a small network; where an operation has no
        rule for this, or a wrong one (torch's group normalization), they are computed one by one.
        """
        n = sum(self.sizes)
        rows = self.template.new_empty(n, n)
        try:
            for at in range(0, n, ROWS):
                rows[at : at + ROWS] = self._products(self._basis(at, min(ROWS, n - at)))
            total = self._product(torch.ones_like(rows[0]))
            right = torch.allclose(rows.sum(0), total, rtol=1e-3, atol=1e-3 * float(rows.abs().max()))
        except RuntimeError:
            right = False
        if not right:
            for at in range(n):
                rows[at] = self._product(self._basis(at, 1)[0])
        self.products += n
        return self._finite(rows.add(rows.T).div_(2))

    def _basis(self, at: int, count: int) -> Tensor:
        """Rows of the identity."""
        rows = self.template.new_zeros(count, sum(self.sizes))
        rows[:, at : at + count].fill_diagonal_(1)
        return rows

    def _finite(self, found: Tensor) -> Tensor:
        if not bool(found.isfinite().all()):
            raise FloatingPointError(
                f"{self.owner}: a second derivative of the loss is infinite or NaN; the parameters are as "
                "before the step"
            )
        return found

    def _products(self, vectors: Tensor) -> Tensor:
        if not self.gradient_graph.requires_grad:
            return torch.zeros_like(vectors)
        found = torch.autograd.grad(
            self.gradient_graph,
            self.inputs,
            vectors,
            retain_graph=True,
            allow_unused=True,
            is_grads_batched=True,
        )
        return self._joined(found, (len(vectors),))

    def _differentiated(self, output: Tensor, weights: Tensor | None, **how: bool) -> Sequence[Tensor | None]:
        try:
            return torch.autograd.grad(output, self.inputs, weights, allow_unused=True, **how)
        except RuntimeError as error:
            reason = str(error).splitlines()[0].split(". ")[0]
            if "second time" in reason:
                reason = "its graph was freed; in the closure use loss.backward() and no other backward pass"
            raise UserError(
                f"{self.owner} differentiates the loss twice, and this cannot be: {reason}; or use LBFGS"
            ) from error

    def _joined(self, found: Sequence[Tensor | None], batch: tuple[int, ...] = ()) -> Tensor:
        """The derivatives as one vector (or one for each of a batch), zero where there is none."""
        by_place = dict(zip(self.live, found, strict=True))
        parts = [
            torch.zeros(*batch, size, dtype=self.template.dtype, device=self.template.device)
            if by_place.get(i) is None
            else by_place[i].reshape(*batch, size)  # type: ignore[union-attr]
            for i, size in enumerate(self.sizes)
        ]
        return torch.cat(parts, dim=-1)
