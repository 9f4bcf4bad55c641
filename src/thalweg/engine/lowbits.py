"""A float32 weight in two halves: the parameter as the model uses it, and an int16 with the bits it lacks.

The int16 is the distance, in float32 bit patterns, from the parameter to the true weight::

    weight = bits_to_float32(bits_of_float32(p) + low_bits)

A bfloat16 is the upper half of a float32, so that the pair is the float32 weight exactly, whatever its value:
a run equals the float32 run of the same gradients, bit for bit. The parameter is the weight rounded to
nearest, halves away from zero, for then the distance is in [-2**15, 2**15).

A float16 has 13 bits less than a float32 and the distance always fits, but for its subnormals (below 2**-14),
which are 2**-24 apart: there the int16 counts steps of 2**-40, as float32 itself has them at 2**-17. Where
the weight is beyond the float16 range, p is infinite, and so is the weight.

A user may write to a parameter behind the optimizer's back. The bits that stand beside it then move it by
half its last place at most (by four places where a subnormal float16 was replaced by a larger number), keep
a zero a zero and make no NaN.
"""

import torch
from torch import Tensor

__all__ = ["FINEST", "carried", "is_low_precision", "join", "split", "unpacked"]

SMALLEST = 2.0**-14  # the smallest normal float16
FINEST = 2.0**-40  # the unit of the low bits below it


def is_low_precision(p: Tensor) -> bool:
    """True if a parameter would lose small updates to rounding."""
    return p.dtype in (torch.bfloat16, torch.float16)


def join(p: Tensor, low: Tensor) -> Tensor:
    """The float32 weight; its derivative by p is 1."""
    plain = p.to(torch.float32)
    joined = (plain.detach().view(torch.int32) + low).view(torch.float32)
    if p.dtype == torch.float16:
        below = (plain.abs() < SMALLEST) & (low != 0)  # a negative zero keeps its sign
        joined = torch.where(below, plain.detach() + low.to(torch.float32) * FINEST, joined)
    return _through(plain, torch.where(joined.isnan(), plain.detach(), joined))


def split(weight: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """The parameter in `dtype` and its low bits; the derivative of the first is 1."""
    value = weight.detach()
    bits = torch.where(value.isnan(), 0x7FC00000, value.view(torch.int32))
    if dtype == torch.bfloat16:
        upper = (bits + 0x8000) >> 16
        kept, low = upper.to(torch.int16).view(torch.bfloat16), bits - (upper << 16)
    else:
        kept = value.to(torch.float16)
        plain = kept.to(torch.float32)
        steps = ((value - plain) / FINEST).round().clamp(-(2**15), 2**15 - 1).to(torch.int32)
        low = torch.where(plain.abs() < SMALLEST, steps, bits - plain.view(torch.int32))
        low = torch.where(plain.isfinite(), low, 0)
    return _through(weight.to(dtype), kept), low.to(torch.int16)


def carried(low: Tensor) -> Tensor:
    """The low bits as a state_dict has them: the same 16 bits as a bfloat16.

    As a number it means nothing. But states are scattered and gathered by collectives, and those of NCCL, and
    some of gloo, know no int16.
    """
    return low.view(torch.bfloat16)


def unpacked(saved: Tensor) -> Tensor:
    """The low bits of a state_dict as an int16."""
    return saved.view(torch.int16) if saved.dtype == torch.bfloat16 else saved


def _through(differentiable: Tensor, exact: Tensor) -> Tensor:
    """The exact value; in a graph, with the derivative of the one that it is the exact value of."""
    if not differentiable.requires_grad:
        return exact
    return differentiable + (exact - differentiable).detach()
