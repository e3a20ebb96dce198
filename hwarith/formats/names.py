"""What a name says of a format: the table of named ones, and the rules for ``eXmY``, ``eXmYbBf``,
``intN``, ``fixI.F``, ``positN`` and P3109; and the formats of numpy's and ml_dtypes' types."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from ..exceptions import InvalidInput, quoted, shown, unknown
from ..lazily import np
from .descriptor import Descriptor, NanCodes


def _ieee(name: str, e: int, m: int) -> Descriptor:
    """Infinities, NaN and subnormals as in IEEE 754."""
    bias = 2 ** (e - 1) - 1
    return Descriptor(name, "float", 1 + e + m, e, m, bias, infinity=True, nan="ieee")


def _finite(
    name: str, e: int, m: int, nan: NanCodes = "none", bias: int | None = None
) -> Descriptor:
    bias = 2 ** (e - 1) - 1 if bias is None else bias
    return Descriptor(name, "float", 1 + e + m, e, m, bias=bias, nan=nan)


def _fnuz(name: str, e: int, m: int, bias: int | None = None) -> Descriptor:
    return _finite(name, e, m, "negative_zero", 2 ** (e - 1) if bias is None else bias)


def _unsigned(name: str, e: int, m: int, bias: int, **facts: Any) -> Descriptor:
    """A byte without a sign, and with one NaN unless `facts` say otherwise."""
    facts = {"nan": "all_ones"} | facts
    return Descriptor(name, "float", 8, e, m, bias, signed=False, **facts)


STANDARD_EXPONENT_BITS = 2
"""Of posits: those of the Posit Standard (2022); earlier ones had 0 in 8 bits and 1 in 16."""


def _posit(name: str, n: int, es: int) -> Descriptor:
    if not 3 <= n <= 32 or not 0 <= es <= 4:
        raise InvalidInput(
            f"format {quoted(name)}: a posit has 3 to 32 bits and 0 to 4 exponent bits"
        )
    suffix = "" if es == STANDARD_EXPONENT_BITS else f"e{es}"
    fraction = max(n - 3 - es, 0)  # behind the sign and the shortest regime
    return Descriptor(f"posit{n}{suffix}", "posit", n, es, fraction, nan="negative_zero")


NAMED = {
    f.name: f
    for f in (
        _ieee("fp64", 11, 52),
        _ieee("fp32", 8, 23),
        _ieee("tf32", 8, 10),
        _ieee("fp16", 5, 10),
        _ieee("bf16", 8, 7),
        _ieee("e5m2", 5, 2),
        _finite("e4m3fn", 4, 3, "all_ones"),
        _fnuz("e4m3fnuz", 4, 3),
        _fnuz("e5m2fnuz", 5, 2),
        _fnuz("e4m3b11fnuz", 4, 3, bias=11),
        _ieee("e4m3", 4, 3),
        _ieee("e3m4", 3, 4),
        _finite("e3m2fn", 3, 2),
        _finite("e2m3fn", 2, 3),
        _finite("e2m1fn", 2, 1),
        Descriptor("mxint8_element", "int", 8, exponent=-6, symmetric=True),
        _unsigned("e8m0fnu", 8, 0, bias=127, hidden_always=True),
        _unsigned("ue4m3", 4, 3, bias=7, ignored_bits=1),
        _unsigned("ue3m3", 3, 3, bias=3, nan="none", ignored_bits=2),
        Descriptor("ue5m0", "float", 5, 5, 0, 15, signed=False, nan="all_ones", hidden_always=True),
        *(_posit(f"posit{n}", n, STANDARD_EXPONENT_BITS) for n in (8, 16, 32)),
    )
}
"""Formats of IEEE 754-2019, OCP OFP8 and MX v1.0, and ml_dtypes, and posits. tf32 codes are its 19
significant bits (a register holds them as ``code << 13``); codes of ue4m3 and ue3m3 are bytes, the
top bits ignored."""

ALIASES = {
    "fp64": ("binary64", "float64", "double", "e11m52"),
    "fp32": ("binary32", "float32", "single", "e8m23"),
    "fp16": ("binary16", "float16", "half", "e5m10"),
    "bf16": ("bfloat16", "e8m7"),
    "tf32": ("e8m10",),
    "e8m0fnu": ("e8m0",),
    "e2m1fn": ("e2m1", "e2m1f"),
    "e2m3fn": ("e2m3", "e2m3f"),
    "e3m2fn": ("e3m2", "e3m2f"),
}
"""Other names of the formats above; the MX elements have no IEEE-style form of their name."""

_NAME_OF = {alias: name for name, aliases in ALIASES.items() for alias in aliases}

PATTERNS = (
    "intN",
    "uintN",
    "fixI.F",
    "ufixI.F",
    "eXmY",
    "eXmYfn",
    "eXmYfnuz",
    "eXmYf",
    "eXmYbBf",
    "positN",
    "positNeE",
    "binaryKpP{s|u}{e|f}",
)


MOST_BITS = 1024
"""Of integers and fixed-point formats."""


@cache
def by_name(name: str) -> Descriptor:
    """What a name in lower case says. Raises `InvalidInput` for an unknown one, with the nearest
    known one."""
    plain = re.sub(r"^float[468]_", "", name)
    plain = _NAME_OF.get(plain, plain)
    if plain in NAMED:
        return NAMED[plain]
    if match := re.fullmatch(r"(u?)int(0|[1-9][0-9]*)", plain):
        width = _number(match[2])
        if not 1 <= width <= MOST_BITS:
            raise InvalidInput(
                f"format {quoted(name)}: the width must be 1 to {MOST_BITS}, "
                f"not {shown(match[2], 20)}"
            )
        return fixed_point(width, 0, signed=not match[1])
    if match := re.fullmatch(r"(u?)fix(-?[0-9]+)\.(-?[0-9]+)", plain):
        return _checked_fixed_point(name, _number(match[2]), _number(match[3]), signed=not match[1])
    if match := re.fullmatch(r"e(0|[1-9][0-9]*)m(0|[1-9][0-9]*)(fn|fnuz)?", plain):
        return _minifloat(plain, _number(match[1]), _number(match[2]), match[3])
    if match := re.fullmatch(r"e(0|[1-9][0-9]*)m(0|[1-9][0-9]*)(?:b(-?[0-9]+))?f", plain):
        bias = None if match[3] is None else _number(match[3])
        return _all_finite(name, _number(match[1]), _number(match[2]), bias)
    if match := re.fullmatch(r"posit(0|[1-9][0-9]*)(?:e(0|[1-9][0-9]*))?", plain):
        return _posit(name, _number(match[1]), _number(match[2] or str(STANDARD_EXPONENT_BITS)))
    if match := re.fullmatch(r"(?:p3109_k|binary)([1-9][0-9]*)p([1-9][0-9]*)([su])([ef])", plain):
        k, p = _number(match[1]), _number(match[2])
        return _p3109(name, k, p, match[3] == "s", match[4] == "e")
    raise unknown("format", name, [*NAMED, *PATTERNS])


def _number(digits: str) -> int:
    """The number of these digits; of more than nine, which no format has, that of the first."""
    return int(digits[:9])


def _checked_fixed_point(name: str, integer: int, fraction: int, signed: bool) -> Descriptor:
    """Fixed point of so many integer bits, the sign among them, and fraction bits."""
    width = integer + fraction
    if max(abs(integer), abs(fraction)) > MOST_BITS or not 1 <= width <= MOST_BITS:
        raise InvalidInput(
            f"format {quoted(name)}: {shown(integer, 20)} integer bits (with the sign) and "
            f"{shown(fraction, 20)} of fraction; each must be -{MOST_BITS} to {MOST_BITS}, and "
            f"both together 1 to {MOST_BITS}"
        )
    return fixed_point(width, -fraction, signed)


def fixed_point(bits: int, exponent: int, signed: bool = True) -> Descriptor:
    """The format of integers of so many bits in units of 2^exponent, of any width."""
    prefix, name = "" if signed else "u", f"int{bits}"
    if exponent:
        name = f"fix{bits + exponent}.{-exponent}"
    return Descriptor(prefix + name, "int", bits, exponent=exponent, signed=signed)


def _minifloat(name: str, e: int, m: int, suffix: str | None) -> Descriptor:
    if not 2 <= e <= 15 or not 1 <= m <= 112:
        raise InvalidInput(
            f"format {quoted(name)}: exponent bits must be 2 to 15 and fraction bits 1 to 112; "
            "from 1 and 0 on in eXmYf, of which every code is a number"
        )
    if suffix == "fn":
        return _finite(name, e, m, "all_ones")
    return _fnuz(name, e, m) if suffix == "fnuz" else _ieee(name, e, m)


def _all_finite(name: str, e: int, m: int, bias: int | None) -> Descriptor:
    """A float of which every code is a number. With a bias that is not that of IEEE 754 its values
    are all values of fp64."""
    if not 1 <= e <= 15 or not 0 <= m <= 112:
        raise InvalidInput(
            f"format {quoted(name)}: exponent bits must be 1 to 15 and fraction bits 0 to 112"
        )
    usual = 2 ** (e - 1) - 1
    if bias is None or bias == usual:
        plain = f"e{e}m{m}f"
        return NAMED[_NAME_OF[plain]] if plain in _NAME_OF else _finite(plain, e, m)
    fp64 = NAMED["fp64"].numbers
    low, high = 2**e - 1 - fp64.bias, 1 - m - fp64.lsb
    if not low <= bias <= high:
        only = f"must be {low} to {high}" if low <= high else "cannot be given"
        raise InvalidInput(
            f"format {quoted(name)}: the bias {only}, for all values to be values of fp64, not "
            f"{shown(bias, 20)}; without it {usual}"
        )
    return _finite(f"e{e}m{m}b{bias}f", e, m, bias=bias)


def _p3109(name: str, k: int, p: int, signed: bool, extended: bool) -> Descriptor:
    """P3109 interim report v4.0, sections 3 and 4.7."""
    if not 2 < k <= 16 or not 0 < p < k + (not signed):
        raise InvalidInput(
            f"format {quoted(name)}: P3109 has 3 to 16 bits here, and a precision from 1 to below "
            "them"
        )
    return Descriptor(
        f"binary{k}p{p}{'s' if signed else 'u'}{'e' if extended else 'f'}",
        kind="float",
        bits=k,
        exponent_bits=k - p + (not signed),
        fraction_bits=p - 1,
        bias=2 ** (k - p - 1) if signed else 2 ** (k - p),
        signed=signed,
        infinity=extended,
        nan="negative_zero" if signed else "all_ones",
    )


def is_ml_dtype(dtype: np.dtype) -> bool:
    """Whether this is one of the types that ml_dtypes adds to numpy."""
    return dtype.type.__module__ == "ml_dtypes"


def of_dtype(dtype: np.dtype) -> Descriptor:
    """The format of a numpy or ml_dtypes type. Raises `InvalidInput` if it has none."""
    if dtype.kind not in "fuiV" and not is_ml_dtype(dtype):
        raise InvalidInput(f"numpy type {shown(dtype)} is no number format")
    return by_name(dtype.name)


def bit_patterns(array: np.ndarray) -> np.ndarray:
    """The bit patterns of a float or ml_dtypes array as unsigned integers; ml_dtypes' sub-byte
    integers, which numpy keeps in bytes, as the integers that they are."""
    if is_ml_dtype(array.dtype) and "int" in array.dtype.name:
        return array.astype(np.int8 if not array.dtype.name.startswith("u") else np.uint8)
    return np.ascontiguousarray(array).view(f"uint{array.dtype.itemsize * 8}").reshape(array.shape)
