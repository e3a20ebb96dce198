"""Formats by name: the table of named ones, and the rules for ``eXmY``, ``intN`` and P3109."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np

from ..errors import InvalidInput, unknown
from .descriptor import Format


def _ieee(name: str, e: int, m: int) -> Format:
    """Infinities, NaN and subnormals as in IEEE 754."""
    return Format(
        name, "float", 1 + e + m, e, m, bias=2 ** (e - 1) - 1, infinity=True, nan="ieee"
    )  # fmt: skip


def _finite(name: str, e: int, m: int, nan: Any = "none", bias: int | None = None) -> Format:
    bias = 2 ** (e - 1) - 1 if bias is None else bias
    return Format(name, "float", 1 + e + m, e, m, bias=bias, nan=nan)


def _fnuz(name: str, e: int, m: int, bias: int | None = None) -> Format:
    return _finite(name, e, m, "negative_zero", 2 ** (e - 1) if bias is None else bias)


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
        Format("mxint8_element", "int", 8, exponent=-6, symmetric=True),
        Format(
            "e8m0fnu", "float", 8, 8, 0, bias=127, signed=False, nan="all_ones", hidden_always=True
        ),
        Format(
            "ue4m3", "float", 8, 4, 3, bias=7, signed=False, nan="all_ones", ignored_bits=1
        ),
    )
}  # fmt: skip
"""Formats of IEEE 754-2019, OCP OFP8 and MX v1.0, and ml_dtypes. tf32 codes are its 19 significant
bits (a register holds them as ``code << 13``); a code of ue4m3 is a byte, the top bit ignored."""

ALIASES = {
    "binary64": "fp64", "float64": "fp64", "double": "fp64",
    "binary32": "fp32", "float32": "fp32", "single": "fp32",
    "binary16": "fp16", "float16": "fp16", "half": "fp16",
    "bfloat16": "bf16", "e8m23": "fp32", "e11m52": "fp64", "e5m10": "fp16", "e8m7": "bf16",
    "e8m10": "tf32", "e8m0": "e8m0fnu", "e2m1": "e2m1fn", "e2m3": "e2m3fn", "e3m2": "e3m2fn",
}  # fmt: skip
"""Other names of the formats above; the MX elements have no IEEE-style form of their name."""

PATTERNS = ("intN", "uintN", "eXmY", "eXmYfn", "eXmYfnuz", "binaryKpP{s|u}{e|f}")


def format(name: Any) -> Format:
    """The format of this name (or a numpy or ml_dtypes dtype; a `Format` is returned as it is).

    Names are those of ml_dtypes without the ``floatN_`` prefix, and ``fp64 fp32 tf32 fp16 bf16``;
    ``intN`` and ``uintN`` (N up to 1024); ``eXmY`` (X 2 to 15, Y 1 to 112; IEEE-style, with
    ``fn``: no infinities and one NaN magnitude, all ones; with ``fnuz``: one NaN, in place
    of -0); and the formats of P3109 as ``binary8p4se``.

    Raises `InvalidInput` for an unknown name, with the nearest known one.
    """
    if isinstance(name, Format):
        return name
    if isinstance(name, str):
        return _by_name(name.strip().lower())
    try:
        return of_dtype(np.dtype(name))
    except TypeError:
        raise InvalidInput(f"a format is given by its name, not {name!r}") from None


@cache
def _by_name(name: str) -> Format:
    plain = re.sub(r"^float[468]_", "", name)
    plain = ALIASES.get(plain, plain)
    if plain in NAMED:
        return NAMED[plain]
    if match := re.fullmatch(r"(u?)int(\d+)", plain):
        width = int(match[2])
        if not 1 <= width <= 1024:
            raise InvalidInput(f"format {name!r}: the width must be 1 to 1024, not {width}")
        return Format(plain, "int", width, signed=not match[1])
    if match := re.fullmatch(r"e(\d+)m(\d+)(fn|fnuz)?", plain):
        return _minifloat(plain, int(match[1]), int(match[2]), match[3])
    if match := re.fullmatch(r"(?:p3109_k|binary)(\d+)p(\d+)([su])([ef])", plain):
        return _p3109(name, int(match[1]), int(match[2]), match[3] == "s", match[4] == "e")
    raise unknown("format", name, [*NAMED, *PATTERNS])


def _minifloat(name: str, e: int, m: int, suffix: str | None) -> Format:
    if not 2 <= e <= 15 or not 1 <= m <= 112:
        raise InvalidInput(
            f"format {name!r}: exponent bits must be 2 to 15 and fraction bits 1 to 112"
        )
    if suffix == "fn":
        return _finite(name, e, m, "all_ones")
    return _fnuz(name, e, m) if suffix == "fnuz" else _ieee(name, e, m)


def _p3109(name: str, k: int, p: int, signed: bool, extended: bool) -> Format:
    """P3109 interim report v4.0, sections 3 and 4.7."""
    if not 2 < k <= 16 or not 0 < p < k + (not signed):
        raise InvalidInput(
            f"format {name!r}: P3109 has 3 to 16 bits here, and a precision from 1 to below them"
        )
    return Format(
        f"binary{k}p{p}{'s' if signed else 'u'}{'e' if extended else 'f'}", "float", k,
        exponent_bits=k - p + (not signed), fraction_bits=p - 1,
        bias=2 ** (k - p - 1) if signed else 2 ** (k - p), signed=signed, infinity=extended,
        nan="negative_zero" if signed else "all_ones",
    )  # fmt: skip


def is_ml_dtype(dtype: np.dtype) -> bool:
    """Whether this is one of the types that ml_dtypes adds to numpy."""
    return dtype.type.__module__ == "ml_dtypes"


def of_dtype(dtype: np.dtype) -> Format:
    """The format of a numpy or ml_dtypes type. Raises `InvalidInput` if it has none."""
    if dtype.kind not in "fuiV" and not is_ml_dtype(dtype):
        raise InvalidInput(f"numpy type {dtype} is no number format")
    return _by_name(dtype.name)


def bit_patterns(array: np.ndarray) -> np.ndarray:
    """The bit patterns of a float or ml_dtypes array as unsigned integers; ml_dtypes' sub-byte
    integers, which numpy keeps in bytes, as the integers that they are."""
    if is_ml_dtype(array.dtype) and "int" in array.dtype.name:
        return array.astype(np.int8 if not array.dtype.name.startswith("u") else np.uint8)
    return np.ascontiguousarray(array).view(f"uint{array.dtype.itemsize * 8}").reshape(array.shape)
