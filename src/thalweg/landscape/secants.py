r"""Products with the Hessian by differences of gradients, on the branches that the base point takes.

.. math:: H v ≈ \frac{∇\tilde L(w + h v) - ∇\tilde L(w)}{h}

A gradient costs a third of a product. Where a network has kinks, a step crosses some of them however short it
is, and the difference then holds their jumps, which the Hessian at w does not: 8 to 46 % of the product on
networks with ReLU. L̃ is the loss with every ReLU kept on the side on which it stands at w. It is smooth, and
has the same derivatives at w as L.

The difference is still inexact: what a longer step adds by the third derivative, a shorter one adds by
rounding. Both are measured where steps of different lengths disagree, which also tells where there are other
kinks. What rounding swallows whole no step shows, but an exact product does. What is computed with secants
has to be checked with exact products.
"""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from thalweg.landscape.graphs import UNFIT, Parts, Piece
from thalweg.landscape.lanczos import Array
from thalweg.landscape.products import Hessian, Mean, Multiply

NEAR, MIDDLE, LONG, FAR = 2.0**-9, 2.0**-4.5, 2.0**-2.25, 1.0
"""Steps in units of √ε (1 + |w|): the first measures rounding, the last the third derivative, both against
the second, and the third tries the law that follows."""
FINE = 0.25
"""Secants are used where their error is at most so much of the tolerance: other vectors may have more."""
RELU = {functional.relu, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_}
IN_PLACE = {torch.relu_, Tensor.relu_}


class Branches(TorchFunctionMode):
    """ReLU that keeps to the sides on which its inputs stood the first time.

    Attributes:
        sides: of each call in turn, 1 where its input was positive and 0 elsewhere.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sides: list[Tensor] = []
        self._calls, self._known = 0, False

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(side.nbytes for side in self.sides)

    def __exit__(self, *exception: Any) -> None:
        super().__exit__(*exception)  # type: ignore[no-untyped-call]
        self._calls, self._known = 0, True

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Take the place of ReLU, and let everything else be."""
        kwargs = kwargs or {}
        if func not in RELU:
            return func(*args, **kwargs)
        x = args[0] if args else kwargs["input"]
        if not self._known:
            self.sides.append((x.detach() > 0).to(torch.uint8))
            return func(*args, **kwargs)
        positive = self.sides[self._calls] if self._calls < len(self.sides) else None
        self._calls += 1
        if positive is None or positive.shape != x.shape:  # the model took another way; the check will see it
            return func(*args, **kwargs)
        in_place = func in IN_PLACE or kwargs.get("inplace", False)
        factor = positive.to(x.dtype)  # with one of another type torch multiplies three times as slowly
        return x.mul_(factor) if in_place else x * factor


class RefutedError(Exception):
    """Secants do not do for what was asked; only exact products will."""


class Secants:
    """Products by differences of gradients, for vectors of length 1.

    Args:
        exact: the exact products, whose pieces these share.

    Attributes:
        step: h.
    """

    def __init__(self, exact: Hessian) -> None:
        self._exact, self._surface = exact, exact.surface
        self._branches: dict[int, Branches] = {}
        self._point = self._surface.point()
        self._unit = math.sqrt(torch.finfo(self._point.dtype).eps) * (1 + float(self._point.norm()))
        self.step = MIDDLE * self._unit
        self._base = self._gradient(None)

    def __call__(self, vector: Tensor) -> Tensor:
        """Multiply (n,)."""
        return self._difference(vector, self.step)

    def fit(self, vector: Tensor) -> tuple[Tensor, float]:
        """Choose the step by a vector; return its product and the length of the error to expect.

        Raises:
            RefutedError: there is no law after which the error depends on the step, since there are kinks.
        """
        steps = [step * self._unit for step in (NEAR, MIDDLE, LONG, FAR)]
        products = [self._difference(vector, step) for step in steps]
        near, middle, _, far = steps
        apart = [float((product - products[1]).norm()) for product in products]
        rounding = near * apart[0]
        bend = math.sqrt(max(apart[3] * apart[3] - apart[0] * apart[0] * (near / middle) ** 2, 0.0)) / far
        errors = [rounding / step + bend * step for step in steps]
        if not apart[2] <= 2 * (errors[1] + errors[2]):
            raise RefutedError
        self.step = min(max(math.sqrt(rounding / bend), near), far) if bend else far
        return products[errors.index(min(errors))], rounding / self.step + bend * self.step

    def _difference(self, vector: Tensor, step: float) -> Tensor:
        return self._gradient(self._point + step * vector).sub_(self._base).div_(step)

    def _gradient(self, at: Tensor | None) -> Tensor:
        mean = Mean(self._surface)
        with self._surface.standing(at):
            for n, slopes in self._exact.of_pieces(self._slopes):
                mean.add(n, slopes)
        return mean.vector()

    def _slopes(self, piece: Piece) -> tuple[int, Parts]:
        surface, graphs = self._surface, self._exact.graphs
        with graphs.model:  # one thread at a time
            with torch.enable_grad(), self._branches.setdefault(piece.number, Branches()):
                loss = surface.batch_loss(piece.part, piece.batch, must_be_finite=False)
            if sum(branches.size for branches in self._branches.values()) > graphs.allowance:
                raise RefutedError("the branches take more memory than there is for what is kept")
        return piece.samples, torch.autograd.grad(loss, surface.parameters, allow_unused=True)


class Thrifty:
    """Products by secants where these are cheaper and good enough; the second shows whether they are.

    The first is exact: it has a part along every eigenvector, so that secants to which one is invisible do
    not agree with it.

    Args:
        exact: the exact products.
        tolerance: of what is computed with them, relative to the products; None keeps to exact products.

    Attributes:
        products: how many vectors were multiplied.
        differences: how many of them by secants.
        error: what secants may be off by, in length.

    Raises:
        RefutedError: the model cannot be evaluated at a step that is needed.
    """

    def __init__(self, exact: Multiply, tolerance: float | None = None) -> None:
        self._exact, self._tolerance = exact, tolerance
        self._first: tuple[Tensor, Tensor] | None = None
        self._secants: Secants | None = None
        self.products, self.differences, self.error = 0, 0, 0.0

    def __call__(self, vector: Tensor) -> Tensor:
        """Multiply (n,), of length 1."""
        if self._tolerance is None or not isinstance(self._exact, Hessian) or not _cheaper(self._exact):
            product = self._exact(vector)
        elif self._first is None:
            (product,) = self._exact.several([vector])
            self._first = vector, product
        else:
            product = self._thrifty(self._exact, vector, self._tolerance)
        self.products += 1
        return product

    def _thrifty(self, exact: Hessian, vector: Tensor, tolerance: float) -> Tensor:
        try:
            product = self._secants(vector) if self._secants else self._fitted(exact, vector, tolerance)
        except (RefutedError, *UNFIT) as error:
            if self.differences:
                raise RefutedError from error
            self._tolerance, self.error = None, 0.0
            return exact(vector)
        self.differences += 1
        return product

    def _fitted(self, exact: Hessian, vector: Tensor, tolerance: float) -> Tensor:
        assert self._first is not None
        secants = Secants(exact)
        product, self.error = secants.fit(vector)
        first, product_of_first = self._first
        seen, true = float(first @ product), float(vector @ product_of_first)  # of a symmetric matrix, alike
        off = max(self.error / float(product.norm()), abs(seen - true) / true)
        if not off <= FINE * tolerance:
            raise RefutedError
        self._secants = secants
        return product

    def measured(self, vectors: Tensor) -> tuple[Array, Array]:
        """Return v ⋅ A v and the residual of each column, of length 1, by exact products."""
        assert isinstance(self._exact, Hessian)
        columns = list(vectors.T.contiguous())
        products = self._exact.several(columns)
        self.products += len(columns)
        values = [float(v @ p) for v, p in zip(columns, products, strict=True)]
        rests = [p - value * v for v, p, value in zip(columns, products, values, strict=True)]
        return np.array(values), np.array([float(rest.norm()) for rest in rests])


def _cheaper(exact: Hessian) -> bool:
    """Whether a step can be as short as it has to be, and the graphs are not there anyway."""
    surface = exact.surface
    return all(p.dtype == surface.dtype for p in surface.parameters) and not exact.keeps_all
