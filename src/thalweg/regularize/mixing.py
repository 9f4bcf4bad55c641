"""Mixup and CutMix: batches whose samples, and targets, are blends of two."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from thalweg.engine.options import check_value
from thalweg.errors import UserError
from thalweg.regularize.checks import whole

__all__ = ["CutMix", "Mixup"]


class _Mixer:
    """What the two share: the random numbers, the partners, the targets."""

    def __init__(self, classes: int | None, alpha: float, p: float, seed: int) -> None:
        check_value(self._name, "alpha", alpha, "(0, inf)")
        check_value(self._name, "p", p, "[0, 1]")
        self.classes = None if classes is None else whole(self._name, "classes", classes, 1)
        self.alpha, self.p = alpha, p
        self._generator = np.random.Generator(np.random.PCG64(whole(self._name, "seed", seed, 0)))

    def __call__(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Blend a batch with itself in another order; x and y are not changed.

        Args:
            x: the inputs, (N, ...).
            y: class indices (N,), or floating targets (N, ...) such as probabilities.

        Returns:
            The blended inputs, and the targets to match: probabilities (N, classes) of class indices, as
            `torch.nn.functional.cross_entropy` takes them, with label smoothing if that is wished for.

        Raises:
            UserError: x and y do not fit each other, or y has a class that there is not.
        """
        self._check(x, y)
        target = self._target(x, y)
        if self._generator.random() >= self.p:
            return x, target
        order = torch.from_numpy(self._generator.permutation(len(x)))
        mixed, share = self._blend(x, x[order.to(x.device)])
        share = _along(share, target)
        return mixed, share * target + (1 - share) * target[order.to(target.device)]

    def state_dict(self) -> dict[str, Any]:
        """The state of the random numbers, for an exact resume."""
        return {"generator": self._generator.bit_generator.state}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the random numbers of a saved run.

        Raises:
            UserError: this is the state of something else.
        """
        try:
            self._generator.bit_generator.state = state_dict["generator"]
        except (KeyError, TypeError, ValueError):
            raise UserError(f"{self._name}: this is not the state of its random numbers") from None

    def _blend(self, x: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """The blended inputs, and the share of x in each of them, or in all."""
        raise NotImplementedError

    def _shares(self, count: int) -> Tensor:
        return torch.from_numpy(self._generator.beta(self.alpha, self.alpha, size=count))

    def _target(self, x: Tensor, y: Tensor) -> Tensor:
        """The floating targets, in the precision of x where x is floating."""
        if y.is_floating_point():
            return y
        assert self.classes is not None  # _check saw to it
        return one_hot(y.long(), self.classes).to(
            x.dtype if x.is_floating_point() else torch.get_default_dtype()
        )

    def _check(self, x: Tensor, y: Tensor) -> None:
        if not (isinstance(x, Tensor) and isinstance(y, Tensor)):
            kinds = f"{type(x).__name__} and {type(y).__name__}"
            raise UserError(f"{self._name}: x and y are tensors, not {kinds}")
        if x.ndim < 2 or y.ndim < 1 or len(x) != len(y):
            shapes = f"{tuple(x.shape)} and {tuple(y.shape)}"
            raise UserError(f"{self._name}: x and y are a batch (N, ...) and its N targets, not {shapes}")
        if y.is_floating_point():
            return
        if y.dtype == torch.bool or y.is_complex() or y.ndim != 1:
            kind = f"{y.dtype} of shape {tuple(y.shape)}"
            raise UserError(f"{self._name}: y holds class indices (N,) or floating targets, not {kind}")
        if self.classes is None:
            raise UserError(f"{self._name}: y holds class indices; give classes, their number")
        # On other devices the look would wait for all that is queued there.
        if y.device.type == "cpu" and len(y) and not 0 <= int(y.min()) <= int(y.max()) < self.classes:
            wrong = int(y.max()) if int(y.min()) >= 0 else int(y.min())
            raise UserError(
                f"{self._name}: y holds class {wrong}; classes={self.classes} are 0 to {self.classes - 1}"
            )

    @property
    def _name(self) -> str:
        return type(self).__name__


class Mixup(_Mixer):
    r"""Mixup: blends of two samples, and of their targets.

    .. math:: \tilde x = λ x_i + (1 - λ) x_j, \qquad \tilde y = λ y_i + (1 - λ) y_j,
        \qquad λ \sim \mathrm{Beta}(α, α)

    The partner j comes from the batch itself, in a random order. Source: Zhang et al. 2018, arXiv 1710.09412,
    section 2. One λ serves the whole batch, as in the authors' code; `per_sample` draws one for each.

    The random numbers are its own: they follow from the seed alone, on every device.

    Args:
        classes: how many there are, where targets are class indices.
        alpha: α; the paper takes 0.1 to 0.4 for ImageNet and 1 for CIFAR-10.
        p: the share of batches that are blended.
        seed: of its random numbers.
        per_sample: draw λ for each sample.

    Raises:
        UserError: an option is out of its range.

    >>> mixup = Mixup(classes=3, alpha=0.4, seed=1)
    >>> x, y = mixup(torch.eye(2), torch.tensor([0, 2]))
    >>> torch.equal(x[:, :2], y[:, [0, 2]]), y.sum(1)
    (True, tensor([1., 1.]))
    """

    def __init__(
        self,
        classes: int | None = None,
        alpha: float = 0.2,
        *,
        p: float = 1.0,
        seed: int = 0,
        per_sample: bool = False,
    ) -> None:
        super().__init__(classes, alpha, p, seed)
        self.per_sample = per_sample

    def _blend(self, x: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        shares = self._shares(len(x) if self.per_sample else 1)
        share = _along(shares, x)
        return share * x + (1 - share) * other, shares

    def _check(self, x: Tensor, y: Tensor) -> None:
        super()._check(x, y)
        if not x.is_floating_point():
            raise UserError(f"Mixup: x is {x.dtype}; blends need floating inputs, so scale images before")


class CutMix(_Mixer):
    r"""CutMix: a box of each image comes from another image, and so does that share of its target.

    With λ from Beta(α, α), the box is :math:`W \sqrt{1 - λ}` wide and :math:`H \sqrt{1 - λ}` high (rounded)
    around a uniformly drawn pixel, and is cut off at the border. The targets are blended with the λ that
    remains, 1 - (pixels of the box) / (H W), exactly. One box serves the whole batch, as in the authors'
    code. Source: Yun et al. 2019, arXiv 1905.04899, section 3.1 and algorithm 1.

    The random numbers are its own: they follow from the seed alone, on every device.

    Args:
        classes: how many there are, where targets are class indices.
        alpha: α; 1, where λ is uniform, in the paper.
        p: the share of batches that are blended; the authors take 0.5 for CIFAR and 1 for ImageNet.
        seed: of its random numbers.

    Raises:
        UserError: an option is out of its range.

    >>> cutmix = CutMix(classes=2, seed=3)
    >>> x, y = cutmix(torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).expand(2, 1, 4, 4), torch.tensor([0, 1]))
    >>> torch.equal(x.mean(dim=(1, 2, 3)), y[:, 1])
    True
    """

    def __init__(
        self, classes: int | None = None, alpha: float = 1.0, *, p: float = 1.0, seed: int = 0
    ) -> None:
        super().__init__(classes, alpha, p, seed)

    def _blend(self, x: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        side = math.sqrt(1 - float(self._shares(1)))
        rows, columns = (self._span(size, side) for size in x.shape[-2:])
        mixed = x.clone()
        mixed[..., rows, columns] = other[..., rows, columns]
        height, width = x.shape[-2:]
        area = (rows.stop - rows.start) * (columns.stop - columns.start)
        return mixed, torch.tensor([1 - area / (height * width)], dtype=torch.float64)

    def _span(self, size: int, side: float) -> slice:
        """A stretch of about side * size pixels around a random one, cut off at the border."""
        length = round(size * side)
        start = int(self._generator.integers(size)) - length // 2
        return slice(max(start, 0), min(start + length, size))

    def _check(self, x: Tensor, y: Tensor) -> None:
        super()._check(x, y)
        if x.ndim < 3 or 0 in x.shape[-2:]:
            raise UserError(f"CutMix: x is a batch of images (N, ..., H, W), not of shape {tuple(x.shape)}")


def _along(shares: Tensor, x: Tensor) -> Tensor:
    """The shares in the shape, precision and place that multiply the samples of x."""
    return shares.to(device=x.device, dtype=x.dtype).view(-1, *[1] * (x.ndim - 1))
