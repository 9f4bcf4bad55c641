r"""Matrices of curvature times a vector, without the matrices.

For a loss L(w) that is the mean of batches' losses:

- ``"hessian"``: :math:`H v = ∇_w (∇_w L ⋅ v)`, by differentiating twice (Pearlmutter 1994, equation 2.2).
- ``"difference"``: :math:`H v ≈ (∇L(w + h v) - ∇L(w - h v)) / 2h`, with :math:`h = ε (1 + |w|) / |v|` and
  ε = 1e-5 in float64, 1e-3 in float32: for models without a second derivative.
- ``"gauss_newton"``: :math:`G v = J^⊤ ∇_z^2 ℓ \, J v`, where z are the outputs of the model and J their
  Jacobian (Schraudolph 2002, equation 12). Of the loss it sees what depends on the model's outputs.
- ``"fisher"``: :math:`F v = \frac{1}{N} \sum_i g_i (g_i ⋅ v)`, the empirical Fisher matrix, where g_i is the
  gradient of sample i's own loss (Kunstner et al. 2019, arXiv 1905.12558, equation 3).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from thalweg.errors import UserError
from thalweg.landscape.checks import require_any, require_graph, require_second_derivative
from thalweg.landscape.graphs import Graphs, Parts, Piece
from thalweg.landscape.parallel import Workers
from thalweg.tasks.batches import tensors_in

if TYPE_CHECKING:
    from thalweg.landscape.surface import Surface

Multiply = Callable[[Tensor], Tensor]
Result = TypeVar("Result")

NO_OUTPUTS = (
    "Surface: 'gauss_newton' is computed from what calls of the model return, and there was no tensor in it; "
    "return tensors, alone or in tuples, lists or dictionaries, or use the product 'hessian'"
)


class Mean:
    """The mean of the batches' vectors, each weighted by its samples; exact where there is one batch."""

    def __init__(self, surface: "Surface") -> None:
        self._sum = torch.zeros(surface.dimension, dtype=surface.dtype, device=surface.device)
        self._views = list(surface.split(self._sum).values())
        self._first, self._weight = 0, 0.0

    def add(self, n: int, parts: Iterable[Tensor | None]) -> None:
        """Add a batch of n samples; None counts as zeros."""
        self._first = self._first or n
        self._weight += n / self._first
        for view, part in zip(self._views, parts, strict=True):
            if part is not None:
                view.add_(part.detach(), alpha=n / self._first)

    def vector(self) -> Tensor:
        """Return the mean, (n,)."""
        return self._sum if self._weight == 1 else self._sum.div_(self._weight)


def slope(loss: Tensor, parameters: Sequence[Tensor]) -> Parts:
    """Return the gradient of a loss, in the parameters' shapes."""
    require_graph(loss)
    gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
    require_any(gradients)
    return gradients


@contextmanager
def twice_differentiable() -> Iterator[None]:
    """Use kernels that have a second derivative, and say so where an operation has none."""
    with sdpa_kernel(SDPBackend.MATH), torch.backends.cudnn.flags(enabled=False):
        try:
            yield
        except RuntimeError as error:
            if any(words in str(error) for words in ("is not implemented", "once_differentiable")):
                raise UserError(
                    f"Surface: the model has no second derivative ({str(error).splitlines()[0]}); use the "
                    "product 'difference'"
                ) from error
            raise


class Hessian:
    """Products with the Hessian by differentiating the gradient along a vector, piece by piece.

    Attributes:
        graphs: the gradients of the pieces.
    """

    def __init__(self, surface: "Surface") -> None:
        self.surface, self.graphs, self._workers = surface, Graphs(surface), Workers()

    def __call__(self, vector: Tensor) -> Tensor:
        """Multiply (n,)."""
        return self.several([vector], keep=True)[0]

    def several(self, vectors: Sequence[Tensor], keep: bool = False) -> list[Tensor]:
        """Multiply vectors (n,), for all of which a graph is made once, and kept if it is to serve again."""
        surface, last = self.surface, len(vectors) - 1
        means = [Mean(surface) for _ in vectors]
        directions = [list(surface.split(vector).values()) for vector in vectors]

        def bend(piece: Piece) -> tuple[int, list[Parts]]:
            slopes, kept = self.graphs.slopes(piece, keep)
            return piece.samples, [
                transposed(slopes, surface.parameters, along, keep=kept or i < last)
                for i, along in enumerate(directions)
            ]

        with twice_differentiable():
            for n, bent in self.of_pieces(bend):
                for mean, parts in zip(means, bent, strict=True):
                    mean.add(n, parts)
        return [mean.vector() for mean in means]

    @property
    def keeps_all(self) -> bool:
        """Whether all graphs can be kept, so that a product costs hardly more than a gradient."""
        with twice_differentiable():
            self.graphs.several()
        return self.graphs.complete

    def of_pieces(self, work: Callable[[Piece], Result]) -> Iterator[Result]:
        """Yield what a function gives for each piece, in order."""
        if self.graphs.several():
            return self._workers.side_by_side(work, self.graphs)
        return map(work, self.graphs)

    def close(self) -> None:
        """Let go of threads and graphs."""
        self._workers.close()
        self.graphs.clear()


@contextmanager
def hessian(surface: "Surface") -> Iterator[Hessian]:
    """The Hessian, by differentiating the gradient along the vector."""
    exact = Hessian(surface)
    try:
        yield exact
    finally:
        exact.close()


def transposed(
    outputs: Parts,
    inputs: Sequence[Tensor],
    cotangents: Parts,
    create_graph: bool = False,
    keep: bool = True,
) -> Parts:
    """Return Jᵀu for the Jacobian J of the outputs by the inputs; outputs without a graph are constant."""
    pairs = [
        (output, u)
        for output, u in zip(outputs, cotangents, strict=True)
        if output is not None and output.requires_grad and u is not None
    ]
    if not pairs:
        return [None] * len(inputs)
    live, weights = zip(*pairs, strict=True)
    weights = tuple(u.to(output.dtype) for output, u in pairs)
    return torch.autograd.grad(
        live, inputs, weights, retain_graph=keep, create_graph=create_graph, allow_unused=True
    )


def forward_product(outputs: Parts, inputs: Sequence[Tensor], tangents: Parts) -> Parts:
    """Return Jv: Jᵀu is linear in u, and its own transposed Jacobian is J (double backward)."""
    dummies = [None if output is None else torch.zeros_like(output, requires_grad=True) for output in outputs]
    back = transposed(outputs, inputs, dummies, create_graph=True)
    require_any(back)
    require_second_derivative(back)
    live = [dummy for dummy in dummies if dummy is not None]
    return transposed(back, live, [None if b is None else t for b, t in zip(back, tangents, strict=True)])


@contextmanager
def difference(surface: "Surface") -> Iterator[Multiply]:
    """The Hessian, by central differences of the gradient."""
    surface.value()  # which has to be finite
    point = surface.point()
    scale = (1e-5 if surface.dtype == torch.float64 else 1e-3) * (1 + float(point.norm()))

    def multiply(vector: Tensor) -> Tensor:
        norm = float(vector.norm())
        if norm == 0:
            return torch.zeros_like(vector)
        h = scale / norm
        _, ahead = surface.gradient(point + h * vector)
        _, behind = surface.gradient(point - h * vector)
        return (ahead - behind) / (2 * h)

    yield multiply


@contextmanager
def gauss_newton(surface: "Surface") -> Iterator[Multiply]:
    """The generalized Gauss-Newton matrix, by the outputs that the model's calls return."""

    def multiply(vector: Tensor) -> Tensor:
        mean, directions = Mean(surface), list(surface.split(vector).values())
        with twice_differentiable(), recorded_outputs(surface.model) as outputs:
            for n, loss in surface.batch_losses():
                if not outputs:
                    slope(loss, surface.parameters)  # another model's loss has an error of its own
                    raise UserError(NO_OUTPUTS)
                require_graph(loss)
                tangents = forward_product(outputs, surface.parameters, directions)
                slopes = torch.autograd.grad(loss, outputs, create_graph=True, allow_unused=True)
                bent = transposed(slopes, outputs, tangents)
                mean.add(n, transposed(outputs, surface.parameters, bent))
                outputs.clear()
        return mean.vector()

    yield multiply


@contextmanager
def recorded_outputs(model: nn.Module) -> Iterator[list[Tensor]]:
    """Give a list to which every call of the model adds the tensors that it returns."""
    outputs: list[Tensor] = []

    def record(_: nn.Module, __: Any, output: Any) -> None:
        outputs.extend(t for t in tensors_in(output) if t.requires_grad)

    handle = model.register_forward_hook(record)
    try:
        yield outputs
    finally:
        handle.remove()


@contextmanager
def fisher(surface: "Surface") -> Iterator[Multiply]:
    """The empirical Fisher matrix, by the losses of single samples."""
    surface.value()  # which has to be a finite number, and not one for each sample

    def multiply(vector: Tensor) -> Tensor:
        mean, directions = Mean(surface), list(surface.split(vector).values())
        with twice_differentiable():
            for n, losses in surface.sample_losses():
                require_graph(losses)
                (along,) = forward_product([losses], surface.parameters, directions)
                weights = None if along is None else along.detach() / n
                mean.add(n, transposed([losses], surface.parameters, [weights]))
        return mean.vector()

    yield multiply


KINDS: dict[str, Callable[["Surface"], AbstractContextManager[Multiply]]] = {
    "hessian": hessian,
    "gauss_newton": gauss_newton,
    "fisher": fisher,
    "difference": difference,
}
