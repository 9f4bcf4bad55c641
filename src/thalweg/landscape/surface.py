"""The loss of a model as one fixed function of its parameters."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from thalweg.errors import UserError
from thalweg.landscape import products as curvature
from thalweg.landscape.checks import a_kind, check_parameters, refuse_mixed_samples, scalar
from thalweg.landscape.data import generators, in_float64, rereadable
from thalweg.landscape.state import kept, seed_all
from thalweg.tasks.batches import Batch, samples, to_device

__all__ = ["Surface"]

Loss = Callable[[nn.Module, Batch], Tensor]
_Buffer = tuple[dict[str, Tensor | None], str, Tensor, Tensor]
"""The table of a module that it stands in, its name, itself, and its content at the start of each pass."""
Kind = Literal["hessian", "gauss_newton", "fisher", "difference"]


class Surface:
    r"""The loss of a model over fixed data, as a function of its parameters: what all measurements measure.

    .. math:: L(w) = \frac{1}{N} \sum_b n_b \, \ell_b(w), \qquad N = \sum_b n_b, \qquad w ∈ ℝ^n

    where b runs over the batches, n_b is the number of samples in a batch and ℓ_b the loss's mean over it.
    The n coordinates of w are those of the parameters that require a gradient, each parameter flattened, in
    the order of ``model.named_parameters()``; tied parameters count once and frozen ones stay as they are.

    Modules stay in the mode (training or evaluation) that they are in, and every evaluation begins with the
    same random state and the same buffers: the masks of dropout, shuffled batches and augmentations repeat,
    so that the surface is one function. Whatever is measured, the model, its ``.grad`` and the random
    generators are bit for bit as before.

    Args:
        model: the model, at the point of interest.
        loss: ``loss(model, batch)``, the mean over the batch, a scalar tensor; or a mapping of names to such
            functions, whose sum is the surface (see `term`).
        data: one batch (a tensor, a tuple of tensors or a dictionary of tensors), or a list, DataLoader or
            anything else that yields such batches each time it is iterated.
        seed: of the random state with which every evaluation begins.

    Raises:
        UserError: no parameter requires a gradient, parameters are complex, sparse or on the meta device, a
            wrong argument; and in its methods: data that are exhausted, a loss that is no scalar tensor, does
            not depend on the parameters or is not finite where the model stands.

    >>> model = nn.Linear(2, 1, bias=False)
    >>> _ = nn.init.constant_(model.weight, 1.0)
    >>> surface = Surface(model, lambda model, x: model(x).square().mean(), torch.eye(2))
    >>> surface.value(), surface.gradient()[1], surface.product(torch.tensor([1.0, 0.0]))
    (1.0, tensor([1., 1.]), tensor([1., 0.]))
    """

    def __init__(
        self, model: nn.Module, loss: Loss | Mapping[str, Loss], data: Any, *, seed: int = 0
    ) -> None:
        if not isinstance(model, nn.Module):
            raise UserError(f"Surface: the model is {a_kind(model)}; give a torch.nn.Module")
        self.model, self.data, self.seed = model, rereadable(data), seed
        self.terms = dict(loss) if isinstance(loss, Mapping) else {"loss": loss}
        self._check_terms()
        self._parameters = {n: p for n, p in model.named_parameters() if p.requires_grad}
        check_parameters(self._parameters)
        self._depth = 0
        self._samples: int | None = None
        self._random: list[tuple[torch.Generator, Tensor]] = []
        self._buffers: list[_Buffer] = []

    def _check_terms(self) -> None:
        for name, term in self.terms.items():
            if not callable(term):
                raise UserError(f"Surface: {name} is {a_kind(term)}; give a function {name}(model, batch)")
        if not self.terms:
            raise UserError("Surface: the mapping of losses is empty; give at least one function")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int):
            raise UserError(f"Surface: seed is {self.seed!r}; it must be a whole number")

    @property
    def names(self) -> list[str]:
        """The names of the parameters that are coordinates, in order."""
        return list(self._parameters)

    @property
    def parameters(self) -> list[nn.Parameter]:
        """The parameters that are coordinates, in order."""
        return list(self._parameters.values())

    @property
    def shapes(self) -> list[torch.Size]:
        """Their shapes."""
        return [p.shape for p in self._parameters.values()]

    @property
    def sizes(self) -> list[int]:
        """How many coordinates each has."""
        return [p.numel() for p in self._parameters.values()]

    @property
    def dimension(self) -> int:
        """n, the number of coordinates."""
        return sum(self.sizes)

    @property
    def device(self) -> torch.device:
        """Where flat vectors live: with the first parameter."""
        return self.parameters[0].device

    @property
    def dtype(self) -> torch.dtype:
        """Of flat vectors: that of the parameters, float32 at least."""
        dtype = torch.float32
        for p in self._parameters.values():
            dtype = torch.promote_types(dtype, p.dtype)
        return dtype

    @property
    def samples(self) -> int:
        """N, the number of samples in one pass over the data."""
        if self._samples is None:
            with self.hold():
                self._samples = sum(count for count, _ in self.batches())
        return self._samples

    def term(self, name: str) -> "Surface":
        """Return the surface of one of the losses that a mapping named."""
        if name not in self.terms:
            raise UserError(f"Surface: no loss called {name!r}; choose one of {', '.join(self.terms)}")
        return Surface(self.model, {name: self.terms[name]}, self.data, seed=self.seed)

    def in_float64(self) -> "Surface":
        """Return the surface of a copy of the model and of the data in float64."""
        copied = in_float64(self.model, self.data, self.device)
        return Surface(copied[0], self.terms, copied[1], seed=self.seed)

    def point(self) -> Tensor:
        """Return where the model stands, as a copy, (n,)."""
        return self.flat(self.parameters)

    def flat(self, tensors: Iterable[Tensor | None]) -> Tensor:
        """Return tensors of the parameters' shapes as one flat vector, (n,); None counts as zeros."""
        vector = torch.zeros(self.dimension, dtype=self.dtype, device=self.device)
        for view, tensor in zip(self.split(vector).values(), tensors, strict=True):
            if tensor is not None:
                view.copy_(tensor.detach())
        return vector

    def split(self, vector: Tensor) -> dict[str, Tensor]:
        """Return the parameters' names and, in their shapes, views of a flat vector (n,)."""
        parts = torch.split(self._checked(vector), self.sizes)
        return {
            name: part.view(shape) for name, part, shape in zip(self.names, parts, self.shapes, strict=True)
        }

    def value(self, at: Tensor | None = None) -> float:
        """Return the loss at a flat vector (n,), or where the model stands; no graph is recorded."""
        with self.standing(at):
            total = count = 0.0
            for n, loss in self.batch_losses(at is None, graph=False):
                total, count = total + n * float(loss.detach()), count + n
        return total / count

    def gradient(self, at: Tensor | None = None) -> tuple[float, Tensor]:
        """Return the loss and its gradient, (n,), at a flat vector or where the model stands."""
        total = count = 0.0
        gradient = curvature.Mean(self)
        with self.standing(at):
            for n, loss in self.batch_losses(at is None):
                gradient.add(n, curvature.slope(loss, self.parameters))
                total, count = total + n * float(loss.detach()), count + n
        return total / count, gradient.vector()

    def per_batch(self, at: Tensor | None = None) -> Iterator[tuple[int, float, Tensor]]:
        """Yield each batch's number of samples, loss and gradient (n,)."""
        with self.standing(at):
            for n, loss in self.batch_losses(at is None):
                yield n, float(loss.detach()), self.flat(curvature.slope(loss, self.parameters))

    def product(self, vector: Tensor, kind: Kind = "hessian", at: Tensor | None = None) -> Tensor:
        """Return a matrix of curvature times a vector (n,); see `products`."""
        with self.products(kind, at) as product:
            return product(vector)

    @contextmanager
    def products(
        self, kind: Kind = "hessian", at: Tensor | None = None
    ) -> Iterator[Callable[[Tensor], Tensor]]:
        """Give a function that multiplies vectors (n,) by a matrix of curvature at one point.

        Faster than `product` where there are many vectors. The kinds, with the formulas, are in
        `thalweg.landscape.products`: ``"hessian"``, ``"gauss_newton"``, ``"fisher"`` (empirical) and
        ``"difference"`` (of gradients, where there is no second derivative).
        """
        if kind not in curvature.KINDS:
            raise UserError(
                f"Surface: no product called {kind!r}; choose one of {', '.join(curvature.KINDS)}"
            )
        with self.standing(at), curvature.KINDS[kind](self) as multiply:
            yield lambda vector: multiply(self._finite(vector))

    @contextmanager
    def hold(self, *others: Any) -> Iterator[None]:
        """Give the model, optimizers and random generators back as they are now, bit for bit.

        Evaluations do it themselves; around a loop it is done once. See `thalweg.landscape.state.kept`.
        """
        if self._depth and not others:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            return
        found = generators(self.data)
        with kept(self.model, *found, *others):
            outer = self._random, self._buffers
            self._random = [(generator, generator.get_state()) for generator in found]
            self._buffers = self._changing_buffers()
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                self._random, self._buffers = outer

    @contextmanager
    def standing(self, at: Tensor | None) -> Iterator[None]:
        """Put the model at a flat vector (n,), and afterwards back where it stood; None leaves it there."""
        with self.hold():
            before = None if at is None else self.point()
            self.move(None if at is None else self._finite(at))
            try:
                yield
            finally:
                self.move(before)

    def move(self, at: Tensor | None) -> None:
        """Put the model at a flat vector (n,), inside `hold`; None leaves it where it stands."""
        if at is None:
            return
        with torch.no_grad():
            for parameter, part in zip(self.parameters, self.split(at).values(), strict=True):
                parameter.copy_(part)

    def batch_losses(self, must_be_finite: bool = True, graph: bool = True) -> Iterator[tuple[int, Tensor]]:
        """Yield each batch's number of samples and loss, inside `hold`; its graph under `no_grad` too."""
        for index, (n, batch) in enumerate(self.batches()):
            with torch.set_grad_enabled(graph):
                loss = self.batch_loss(batch, index, must_be_finite)
            yield n, loss

    def sample_losses(self) -> Iterator[tuple[int, Tensor]]:
        """Yield each batch's number of samples and the losses of its samples, each as a batch of one.

        Raises:
            UserError: a batch norm in training mode mixes the samples, so that none has a loss of its own.
        """
        refuse_mixed_samples(self.model)
        for n, batch in self.batches():
            yield n, self._sample_losses(batch, n)

    @torch.enable_grad()
    def _sample_losses(self, batch: Batch, n: int) -> Tensor:
        try:
            return torch.vmap(self._sample_loss, randomness="different")(batch)
        except RuntimeError as error:
            if "Batching rule" not in str(error):
                raise
            rows = [tree_map(lambda tensor, i=i: tensor[i], batch) for i in range(n)]
            return torch.stack([self._sample_loss(row) for row in rows])

    def _sample_loss(self, sample: Batch) -> Tensor:
        return self.batch_loss(tree_map(lambda tensor: tensor.unsqueeze(0), sample), must_be_finite=False)

    def batch_loss(self, batch: Batch, index: int = 0, must_be_finite: bool = True) -> Tensor:
        """Return the loss of one batch with its graph, for a step of training inside `hold`."""
        values = [scalar(name, term(self.model, batch)) for name, term in self.terms.items()]
        loss = values[0] if len(values) == 1 else torch.stack(values).sum()
        if must_be_finite and not bool(loss.detach().isfinite()):
            raise UserError(
                f"Surface: the loss is {float(loss.detach())} on batch {index} where the model stands; "
                "measure at a point with a finite loss"
            )
        return loss

    def batches(self) -> Iterator[tuple[int, Batch]]:
        """Yield each batch with its number of samples, inside `hold`; every pass is the same.

        The random state is set anew before each batch, so that what a batch meets does not depend on
        whether the batches before it were evaluated.
        """
        for generator, state in self._random:
            generator.set_state(state)
        seed_all(self.seed)
        count = 0
        for batch in self.data:
            count += 1
            self.renew_buffers()
            yield samples(batch), to_device(batch, self.device)
            seed_all(self.seed + count)
        if not count:
            raise UserError(
                "Surface: the data gave no batch; an iterator is exhausted after one pass, so give a list of "
                "batches or a DataLoader that holds samples"
            )

    def renew_buffers(self) -> None:
        """Put fresh copies in the buffers' places: writing over them invalidates graphs that are kept."""
        fresh: dict[int, Tensor] = {}
        for table, name, original, content in self._buffers:
            table[name] = fresh.setdefault(id(original), content.clone())

    def _changing_buffers(self) -> list[_Buffer]:
        """Buffers of modules in training mode, which a pass may change and the next one would see."""
        owners = [module._buffers for module in self.model.modules() if module.training]
        return [
            (table, name, buffer, buffer.detach().clone())
            for table in owners
            for name, buffer in table.items()
            if buffer is not None
        ]

    def _checked(self, vector: Tensor) -> Tensor:
        if not isinstance(vector, Tensor) or vector.shape != (self.dimension,):
            shape = tuple(vector.shape) if isinstance(vector, Tensor) else a_kind(vector)
            raise UserError(
                f"Surface: a point or direction is {shape}; it must be a tensor ({self.dimension},)"
            )
        if not vector.is_floating_point():
            raise UserError(f"Surface: a point or direction is {vector.dtype}; give a tensor of real numbers")
        return vector.detach().to(self.device, self.dtype)

    def _finite(self, vector: Tensor) -> Tensor:
        vector = self._checked(vector)
        if not bool(vector.isfinite().all()):
            raise UserError(
                f"Surface: a point or direction has {int((~vector.isfinite()).sum())} numbers that are not "
                "finite; give one without NaN and infinity"
            )
        return vector
