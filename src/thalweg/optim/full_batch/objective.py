"""The user's closure as a function of one vector, evaluated where an algorithm asks for it, and counted."""

import math
import numbers
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from thalweg.errors import UserError
from thalweg.optim.full_batch.curvature import Curvature

__all__ = ["KeepGraph", "Objective", "Value", "largest"]


class Value(NamedTuple):
    """The loss and its gradient at a point.

    Attributes:
        f: the loss.
        g: its gradient, of shape (n,).
    """

    f: float
    g: Tensor

    @property
    def finite(self) -> bool:
        """True unless the loss or an element of the gradient is infinite or NaN."""
        return math.isfinite(self.f) and math.isfinite(largest(self.g))


def largest(g: Tensor) -> float:
    """The largest absolute element; NaN if one is NaN."""
    low, high = torch.aminmax(g)  # one pass; isfinite().all() takes ten times as long
    return float(torch.maximum(-low, high))


class KeepGraph(TorchFunctionMode):
    """Within it `loss.backward()` keeps the graph, so that the loss can be differentiated once more."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call the function; a backward pass with its graph retained."""
        kwargs = dict(kwargs or {})
        if func is Tensor.backward:
            args = args[:2] + args[3:]  # the third positional argument would be retain_graph
            kwargs["retain_graph"] = True
        return func(*args, **kwargs)


class Objective:
    """The closure's loss as a function f of a vector x that holds all parameters; every call is counted.

    Args:
        owner: the optimizer's name, for messages.
        params: n numbers in all; a parameter that requires no gradient is never written to.
        closure: as for `torch.optim.LBFGS`: clears the gradients, computes the loss, calls backward, returns
            the loss.
        limit: how many calls are allowed; None for as many as the algorithm makes.

    Attributes:
        evaluations: calls so far.
        first: what the closure returned first.
    """

    def __init__(
        self, owner: str, params: Sequence[Tensor], closure: Callable[[], Any], limit: int | None = None
    ) -> None:
        self.owner, self.params, self.closure = owner, params, closure
        self.limit = math.inf if limit is None else limit
        self.evaluations = 0
        self.first: Any = None
        self.start = self._here = torch.cat([p.reshape(-1) for p in params])

    @property
    def left(self) -> float:
        """How many evaluations are left."""
        return self.limit - self.evaluations

    def move(self, x: Tensor) -> None:
        """Give the parameters the values of x."""
        if x is self._here:
            return
        for p, values in zip(self.params, self._parts(x), strict=True):
            if p.requires_grad:
                p.copy_(values)
        self._here = x

    def value(self, x: Tensor) -> float:
        """f(x) alone; the closure need not call backward for this."""
        self.move(x)
        return self._number(self._call())

    def at(self, x: Tensor) -> Value:
        """f(x) and its gradient; either may be infinite or NaN."""
        return Value(self.value(x), self._gradient())

    def finite_at(self, x: Tensor) -> Value:
        """f(x) and its gradient.

        Raises:
            FloatingPointError: one of them is infinite or NaN.
        """
        return self._checked(self.at(x))

    def curved_at(self, x: Tensor) -> tuple[Value, Curvature]:
        """f(x), its gradient and its Hessian, all from the returned loss, whatever backward left in `.grad`.

        Raises:
            UserError: the returned loss cannot be differentiated twice.
            FloatingPointError: the loss or its gradient is infinite or NaN.
        """
        self.move(x)
        with KeepGraph():
            loss = self._call()
        f = self._number(loss)
        curvature = Curvature(self.owner, loss, self.params)
        return self._checked(Value(f, curvature.gradient)), curvature

    def _call(self) -> Any:
        if self.left <= 0:  # an algorithm asks for `left` before: this cannot happen
            raise AssertionError(f"{self.owner} went over its limit of {self.limit} evaluations")
        with torch.enable_grad():
            loss = self.closure()
        self.evaluations += 1
        if self.evaluations == 1:
            self.first = loss
        return loss

    def _number(self, loss: Any) -> float:
        if loss is None:
            raise UserError(f"{self.owner}: the closure returned None; end it with 'return loss'")
        if isinstance(loss, Tensor) and loss.numel() == 1 and not loss.is_complex():
            return float(loss)
        if isinstance(loss, numbers.Real):
            return float(loss)
        tensor = isinstance(loss, Tensor)
        kind = f"{loss.dtype} of shape {tuple(loss.shape)}" if tensor else f"a {type(loss).__name__}"
        raise UserError(f"{self.owner}: the closure returned {kind}; return the loss, one real number")

    def _gradient(self) -> Tensor:
        grads = [p.grad for p in self.params]
        if all(g is None for g in grads):
            raise UserError(f"{self.owner}: the closure left no gradient; call loss.backward() in it")
        if any(g is not None and g.layout != torch.strided for g in grads):
            raise UserError(f"{self.owner}: a gradient is sparse; use a layer with sparse=False")
        pairs = zip(self.params, grads, strict=True)
        return torch.cat([(torch.zeros_like(p) if g is None else g).reshape(-1) for p, g in pairs])

    def _checked(self, value: Value) -> Value:
        if not value.finite:
            what = "the loss" if not math.isfinite(value.f) else "a gradient"
            bad = value.f if not math.isfinite(value.f) else "infinite or NaN"
            raise FloatingPointError(
                f"{self.owner}: {what} is {bad} in evaluation {self.evaluations} of this step; parameters "
                "are as before it; lower the learning rate or look at the data"
            )
        return value

    def _parts(self, x: Tensor) -> list[Tensor]:
        pieces = torch.split(x, [p.numel() for p in self.params])
        return [piece.view(p.shape) for piece, p in zip(pieces, self.params, strict=True)]
