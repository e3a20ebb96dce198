"""Arrays of codes from values, and back, and from codes of another format.

What `Format.check`, `Format.decode` and `Format.encode` do.
"""

from __future__ import annotations

import math
from dataclasses import astuple
from decimal import Decimal
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any

from ..exceptions import InvalidInput, quoted, shown
from ..golden import SMALL, TABLE_BITS, apply, code_dtype, lookup_top, to_integers
from ..lazily import np
from . import names
from . import rounding as r
from .descriptor import Descriptor
from .tensors import array_of_tensor, is_tensor

FURTHEST = 20_000
"""Decimal exponents are cut off here: 10^20000 is beyond every format, 10^-20000 below each."""

_TABLES = 32
"""Tables of conversions that are remembered, of at most 2^18 codes each."""


def array_of(values: Any, what: str) -> np.ndarray:
    """The array that a user gave, in whatever form numpy takes; `what` names it.

    Of tensors (`hwarith.formats.tensors`) it is an array of their numbers. Raises `InvalidInput`
    for lists of lists of different lengths, and for masked arrays, of which numpy would drop the
    mask without a word.
    """
    if _has_mask(values):
        raise InvalidInput(f"{what} must not be a masked array; fill it first: array.filled(value)")
    if is_tensor(values):
        array, f = array_of_tensor(values, what)
        return decode(f, array) if f else array
    try:
        return np.asarray(values)
    except ValueError:
        raise InvalidInput(f"{what} must be an array of one shape, not rows that differ") from None


def _has_mask(values: Any) -> bool:
    """Whether this is a masked array, or a list in which there is one."""
    if isinstance(values, list | tuple):
        nested = (x for x in values if isinstance(x, list | tuple | np.ndarray))
        return any(_has_mask(x) for x in nested)
    return isinstance(values, np.ma.MaskedArray)


def _codes_of(codes: Any, what: str) -> tuple[np.ndarray, Descriptor | None]:
    """The array that a user gave, and the format that its type says; None for integers, which are
    codes of any format, and for lists, whose type is numpy's and not the user's."""
    typed = isinstance(codes, np.ndarray | np.generic)
    if is_tensor(codes):
        array, f = array_of_tensor(codes, what)
        if f is not None:
            return array, f
        typed = True
    else:
        array = array_of(codes, what)
    if (typed and array.dtype.kind == "f") or names.is_ml_dtype(array.dtype):
        return array, names.of_dtype(array.dtype)
    return array, None


def check(f: Descriptor, codes: Any, what: str) -> np.ndarray:
    array, given = _codes_of(codes, what)
    if array.size == 0 and not isinstance(codes, np.ndarray):
        array = array.astype(f.dtype)  # numpy takes an empty list for floats
    if given is not None:
        if astuple(given) != astuple(f):
            name = given.name if array.dtype.kind in "ui" else array.dtype
            raise InvalidInput(
                f"{what} must be codes of {f.name}, not {shown(name)} values; "
                f"hwarith.format({quoted(f.name)}).encode(...) makes codes of values, and a unit "
                "does with values=True"
            )
        array = names.bit_patterns(array)
    integers = array.dtype.kind in "ui" or (
        array.dtype.hasobject and all(isinstance(x, int) for x in array.flat)
    )
    if not integers:
        raise InvalidInput(
            f"{what} must be codes of {f.name} (unsigned integers), not {shown(array.dtype)} "
            f"values; hwarith.format({quoted(f.name)}).encode(...) makes codes of values, and a "
            "unit does with values=True"
        )
    low, mask = _ends(f)
    always_fits = array.dtype.kind == "u" and array.dtype.itemsize * 8 <= f.bits
    if array.size and not always_fits:
        for extreme in (int(array.min()), int(array.max())):
            check_one(f, extreme, what)
    if array.dtype.hasobject or f.dtype.hasobject:
        return np.array([int(x) & mask for x in array.flat], f.dtype).reshape(array.shape)
    array = array.astype(f.dtype, copy=False)
    return array if always_fits or low == 0 else array & f.dtype.type(mask)


def _ends(f: Descriptor) -> tuple[int, int]:
    """The lowest and the highest integer that is taken for a code."""
    return (-(1 << (f.bits - 1)) if f.signed and not f.is_float else 0), (1 << f.bits) - 1


def check_one(f: Descriptor, code: int, what: str) -> int:
    """One code in plain integers, of a negative integer that in two's complement."""
    low, mask = _ends(f)
    if not low <= code <= mask:
        raise InvalidInput(
            f"{what}: {quoted(code)} is not a code of {f.name}; "
            f"allowed: {quoted(low)} to {quoted(mask)}"
        )
    return code & mask


def decode(f: Descriptor, codes: Any) -> np.ndarray:
    array = check(f, codes, "codes")
    if not f.is_float and f.exponent == 0:
        return _decode_integers(f, array)
    if f.in_float64:
        return convert(array, f, names.NAMED["fp64"], r.RNE, r.NOSAT).view(np.float64)
    return np.array([decode_one(f, c) for c in array.flat], object).reshape(array.shape)


def encode_one(f: Descriptor, value: Any, round: str, overflow: str) -> int:
    return _encode_exact(f, value, *_rules(f, round, overflow))


def overflows_of_data(f: Descriptor) -> tuple[str, ...]:
    """The overflow policies with which values are encoded in a format."""
    if f.is_posit:  # nothing is too large for one; infinities are NaR, or the ends of the range
        return "satprop", "saturate"
    without = {r.Overflow.INDEFINITE} | ({r.Overflow.WRAP} if f.is_float else set())
    return tuple(policy.name.lower() for policy in r.Overflow if policy not in without)


def _rules(f: Descriptor, round: str, overflow: str) -> tuple[int, int]:
    """The numbers of a rounding mode and an overflow policy."""
    mode, policy = r.rounding(round), r.overflow(overflow)
    name, allowed = policy.name.lower(), overflows_of_data(f)
    if f.is_posit and mode != r.RNE:
        raise InvalidInput(
            f"rounding mode '{mode.name.lower()}': posits as {f.name} are rounded to the nearest "
            "code; allowed: rne"
        )
    if f.is_posit and name not in allowed:
        raise InvalidInput(
            f"overflow '{name}': nothing is too large for posits as {f.name}; allowed: "
            f"{', '.join(allowed)}"
        )
    if name not in allowed:
        wraps = policy == r.WRAP
        whose = f"integer formats, not {f.name}" if wraps else "units that make integers of floats"
        raise InvalidInput(f"overflow '{name}' is for {whose}; allowed: {', '.join(allowed)}")
    return int(mode), int(policy)


def encode(f: Descriptor, values: Any, round: str, overflow: str) -> np.ndarray:
    mode, policy = _rules(f, round, overflow)
    array = array_of(values, "values")
    if array.dtype.hasobject or (wide_integers := _exceeds_float64(array)):
        exact = [_encode_exact(f, x, mode, policy) for x in array.ravel().tolist()]
        return np.array(exact, f.dtype).reshape(array.shape)
    if array.dtype.kind in "bui" and not wide_integers:
        array = array.astype(np.float64)
    try:
        source = names.of_dtype(array.dtype)
    except InvalidInput:
        raise InvalidInput(
            f"cannot encode {shown(array.dtype)} values in {f.name}; not numbers"
        ) from None
    return convert(names.bit_patterns(array), source, f, mode, policy)


def convert(codes: np.ndarray, f: Descriptor, to: Descriptor, mode: int, policy: int) -> np.ndarray:
    """An array of codes of one format as codes of another, by definition or by table."""
    drop = _unneeded_bits(f, to)
    wide = f.dtype.hasobject or to.dtype.hasobject
    if wide or codes.size <= SMALL or f.bits - drop > TABLE_BITS:
        return _convert(codes, f, to, mode, policy)
    return lookup_top(_conversions(f, to, mode, policy, drop), codes, drop)


def _convert(
    codes: np.ndarray, f: Descriptor, to: Descriptor, mode: int, policy: int
) -> np.ndarray:
    word_bits = conversion_bits(f, to)
    numbers = f.numbers, to.numbers, mode, policy
    return to_integers(apply(r.convert, [codes], numbers, code_dtype(to.bits), word_bits))


@cache
def conversion_bits(f: Descriptor, to: Descriptor) -> int:
    """Bits of the widest magnitude that is formed when codes of a format become another's."""
    magnitude = to.magnitude_bits(f.smallest, max(f.max, -f.min))
    return max(f.word_bits, to.word_bits, magnitude)


def _unneeded_bits(f: Descriptor, to: Descriptor) -> int:
    """How many low bits of a float's code only matter by being all zero or not, as they lie two
    places or more below the last place of any result."""
    if f.kind != "float" or f.nan == "all_ones" or f.bits <= 16:
        return 0  # (NaN of all ones: an inexact value would fall together with it)
    magnitude_bits = to.precision if to.is_float else to.bits - to.signed
    below_normal = f.precision - magnitude_bits
    below_subnormal = to.numbers.lsb - f.numbers.lsb
    return max(0, min(below_normal, below_subnormal) - 2)


@lru_cache(maxsize=_TABLES)
def _conversions(f: Descriptor, to: Descriptor, mode: int, policy: int, drop: int) -> np.ndarray:
    """Results for all codes of `f` whose low `drop` bits are zero."""
    top = np.arange(1 << (f.bits - drop), dtype=np.uint64) << np.uint64(drop)
    return _convert(top.astype(f.dtype), f, to, mode, policy)


def _exceeds_float64(array: np.ndarray) -> bool:
    """Whether an integer array has values that float64 may not hold exactly."""
    if array.dtype.kind not in "ui" or array.dtype.itemsize < 8 or array.size == 0:
        return False
    return max(-int(array.min()), int(array.max())) > 2**53


def _encode_exact(f: Descriptor, value: Any, mode: int, policy: int) -> int:
    n = f.numbers
    if isinstance(value, Decimal):
        value = _of_decimal(value)
    if isinstance(value, float) and math.isnan(value):
        return r.pack_nan(n)
    if isinstance(value, float) and math.isinf(value):
        return r.pack_infinity(int(value < 0), n, policy)
    try:
        x = Fraction(value if not isinstance(value, str) else math.nan)
    except (TypeError, ValueError, ZeroDivisionError):
        raise InvalidInput(f"cannot encode {quoted(value)} in {f.name}; not a number") from None
    s = int(x < 0 or (isinstance(value, float) and math.copysign(1, value) < 0))
    # Quotient with more bits than any result has, and a sticky bit for the rest
    extra = max(0, f.bits + 4 + x.denominator.bit_length() - x.numerator.bit_length())
    q, rest = divmod(abs(x.numerator) << extra, x.denominator)
    return r.round_pack(s, -extra - 1, 2 * q + (rest > 0), n, mode, policy)


def _of_decimal(value: Decimal) -> Fraction | float:
    """A decimal exactly, or one as far beyond every format; a zero as a float, with its sign."""
    if value.is_nan():
        return math.nan
    if not value or value.is_infinite():
        return float(value)
    if abs(value.adjusted()) > FURTHEST:
        size = Fraction(10) ** (FURTHEST if value.adjusted() > 0 else -FURTHEST)
        return -size if value < 0 else size
    return Fraction(value)


def decode_one(f: Descriptor, code: int) -> Fraction | float:
    kind, s, _, g = r.unpack(int(code), f.numbers)
    if kind == r.FINITE:
        return -0.0 if s and g == 0 else f.fraction(code)
    return math.nan if kind == r.NAN else (-math.inf if s else math.inf)


def _decode_integers(f: Descriptor, codes: np.ndarray) -> np.ndarray:
    if f.bits > 64:
        return np.array([int(f.fraction(c)) for c in codes.flat], object).reshape(codes.shape)
    if not f.signed:
        return codes.astype(np.uint64)
    unused = 64 - f.bits
    return (codes.astype(np.uint64) << np.uint64(unused)).view(np.int64) >> np.int64(unused)
