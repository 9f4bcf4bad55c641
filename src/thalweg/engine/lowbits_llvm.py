"""The two halves of a float32 weight in LLVM code; `lowbits` says what they mean and why."""

from typing import Any

from llvmlite import ir

from thalweg.engine.lowbits import FINEST

__all__ = ["join", "split", "widen"]

_I32, _I16 = ir.IntType(32), ir.IntType(16)
_F32, _F16 = ir.FloatType(), ir.HalfType()


def widen(b: Any, stored: Any) -> Any:
    """The float32 of a stored bfloat16 (an i16) or float16."""
    if stored.type == _F16:
        return b.fpext(stored, _F32)
    return b.bitcast(b.shl(b.zext(stored, _I32), _I32(16)), _F32)


def join(b: Any, stored: Any, low: Any) -> Any:
    """The float32 weight, from the parameter as stored and its low bits."""
    plain, distance = widen(b, stored), b.sext(low, _I32)
    joined = b.bitcast(b.add(b.bitcast(plain, _I32), distance), _F32)
    if stored.type == _F16:
        below = b.and_(_is_subnormal(b, plain), b.icmp_signed("!=", distance, _I32(0)))
        fine = b.fadd(plain, b.fmul(b.sitofp(distance, _F32), _F32(FINEST)))
        joined = b.select(below, fine, joined)
    return b.select(b.fcmp_unordered("uno", joined, joined), plain, joined)


def split(b: Any, weight: Any, kind: Any) -> tuple[Any, Any]:
    """What is stored of a float32 weight: the parameter, as `kind` (i16 for bfloat16), and its low bits."""
    bits = b.select(b.fcmp_unordered("uno", weight, weight), _I32(0x7FC00000), b.bitcast(weight, _I32))
    if kind == _I16:
        upper = b.lshr(b.add(bits, _I32(0x8000)), _I32(16))
        return b.trunc(upper, _I16), b.trunc(bits, _I16)  # a distance modulo 2**16
    stored = b.fptrunc(weight, _F16)
    plain = widen(b, stored)
    distance = b.sub(bits, b.bitcast(plain, _I32))
    low = b.select(_is_subnormal(b, plain), _steps(b, b.fsub(weight, plain)), distance)
    difference = b.fsub(plain, plain)
    is_finite = b.fcmp_ordered("ord", difference, difference)
    return stored, b.trunc(b.select(is_finite, low, _I32(0)), _I16)


def _is_subnormal(b: Any, plain: Any) -> Any:
    """True for the float32 value of a subnormal float16."""
    magnitude = b.and_(b.bitcast(plain, _I32), _I32(0x7FFFFFFF))
    return b.icmp_signed("<", magnitude, _I32(0x38800000))  # 2**-14


def _steps(b: Any, difference: Any) -> Any:
    """A difference of at most 2**-25 in steps of 2**-40, rounded to nearest even."""
    nearest = b.module.declare_intrinsic("llvm.rint", [_F32])
    steps = b.fptosi(b.call(nearest, [b.fmul(difference, _F32(1 / FINEST))]), _I32)
    return b.select(b.icmp_signed(">", steps, _I32(2**15 - 1)), _I32(2**15 - 1), steps)
