"""LLM.int8(): matrix products in int8 with a scale for each row and column, but for the features
that have outliers, whose products are of floats.

Source: Dettmers et al., LLM.int8(), arXiv 2208.07339, sections 2 and 3 (vector-wise quantization,
mixed-precision decomposition). The order of operations, and what is rounded to fp32 where, are this
project's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..exceptions import InvalidInput, quoted, unknown
from ..formats import BlockFormat, Format, format
from ..formats.codec import array_of
from ..tables import Table, Tabled
from ..units import Unit, unit
from ..units.chain import Chain, chain
from .overflows import overflowed
from .product import matmul

MOST = 127
"""The largest magnitude of a code."""

THRESHOLD = 6.0
"""The magnitude from which on a feature is an outlier, as in the paper."""

EXACT_PRODUCTS = (2**31 - 1) // MOST**2
"""So many products of codes are added in int32 whatever they are: 133,144."""

DIVISIONS = ("exact", "reciprocal")

_FP32, _INT8 = format("fp32"), format("int8")
_ONE_OVER_MOST_SQUARED = np.float32(1 / MOST**2)
_LARGEST = np.finfo(np.float32).max


@dataclass(frozen=True, eq=False)
class Int8Product(Tabled):
    """A product of matrices (m, K) and (K, n) by `int8_matmul`, and what it was made of.

    Attributes
    ----------
    format : of the operands and of the result.
    integer, floating : the units that multiplied and added integers and outliers.
    codes : the result (m, n), codes of `format`; `values` decodes them.
    outliers : which of the K features are outliers, ascending.
    left, right : codes of int8 of all other features, (m, K') and (K', n).
    left_scales, right_scales : the largest magnitudes among these, float32 (m) and (n): a code q
        stands for q * scale / 127.
    sums : what the integer unit gave, int64 (m, n).
    overflowed : of which of these a sum on the way left the accumulator's range, bool (m, n); the
        unit then wrapped or clipped it.
    outlier_left, outlier_right : codes of `format` of the outliers, (m, K - K') and (K - K', n).
    """

    format: Format
    integer: Unit
    floating: Unit
    codes: np.ndarray
    outliers: np.ndarray
    left: np.ndarray
    right: np.ndarray
    left_scales: np.ndarray
    right_scales: np.ndarray
    sums: np.ndarray
    overflowed: np.ndarray
    outlier_left: np.ndarray
    outlier_right: np.ndarray

    def values(self) -> np.ndarray:
        """The result as numbers: float64 (m, n)."""
        return self.format.decode(self.codes)

    @property
    def multiply_adds(self) -> dict[str, int]:
        """How many there were on the ``integer`` unit and on the ``floating`` one."""
        results = self.codes.size
        return {
            "integer": results * self.left.shape[1],
            "floating": results * len(self.outliers),
        }

    def tables(self) -> list[Table]:
        """How the work was shared between the two units."""
        total = sum(self.multiply_adds.values()) or 1
        features = self.left.shape[1], len(self.outliers)
        rows = [
            {"unit": u.spec, "features": count, "multiply-adds": done, "share": done / total}
            for u, count, done in zip(
                (self.integer, self.floating), features, self.multiply_adds.values(), strict=True
            )
        ]
        title = f"{self.format}, sums beyond the integers' range: {int(self.overflowed.sum())}"
        return [Table(rows, title)]


def int8_matmul(
    x: Any,
    w: Any,
    integer: Any = "mac:a=int8",
    floating: Any = None,
    threshold: float = THRESHOLD,
    format: Any = "fp16",
    division: str = "exact",
) -> Int8Product:
    """The product x w of numbers, mostly in int8: LLM.int8(), every operation on hardware's terms.

    1. A feature k is an outlier if any |x[i, k]| is at least the threshold, or x[:, k] or w[k] has
       an infinity or NaN.
    2. Of all other features cx[i] = max |x[i, k]| and cw[j] = max |w[k, j]|; codes are
       q = round(127 x / c) to nearest even, clipped to ±127; 0 where c is 0.
    3. acc = sum of the codes' products, by `integer`.
    4. t = cx cw; u = t fl(1/16129); y = fl(acc) u, each rounded to fp32.
    5. y = y + the outliers' product, which `floating` adds up from +0 on in ascending order of k;
       this sum is rounded to fp32 too.
    6. The result is y, rounded to `format`.

    Parameters
    ----------
    x, w : numbers (m, K) and (K, n), rounded to `format`; what is finite and too large is clipped.
    integer : an exact multiply-add, product or dot product of int8, or a ``mac``, or its spec, as
        `hwarith.matmul` takes it; features are padded with zeros to a multiple of its lanes.
    floating : the same for outliers: of operands of `format`, and sums in fp32; default
        ``mac:a=format,acc=fp32``.
    threshold : of outliers, at least 0: with 0 all features are, with infinity none that is finite.
    format : a signed float whose numbers are all numbers of fp32, ``fp16`` as in the paper.
    division : how codes come about. ``exact``: the exact quotient is rounded, once;
        ``reciprocal``: as hardware does it, r = fl(127 / c), at most fp32's largest number, and
        round(fl(x r)).

    Where the paper is silent: scales of w are of the features that are no outliers, too; infinities
    and NaN are never in codes. Up to 133,144 features no sum leaves int32; beyond, `overflowed`
    says which did.

    Raises `InvalidInput` for what is not as said here.
    """
    of_integers, of_floats, f = _units(integer, floating, format)
    if division not in DIVISIONS:
        raise unknown("division", division, DIVISIONS)
    codes = _codes(f, x, "x"), _codes(f, w, "w")
    (_, features), (rows, _) = codes[0].shape, codes[1].shape
    if features != rows:
        raise InvalidInput(
            f"int8_matmul: x has {features} columns and w {rows} rows; they must be as many"
        )
    left, right = (f.decode(c).astype(np.float32) for c in codes)
    is_outlier = _outliers(left, right, _threshold(threshold))
    usual = ~is_outlier
    cx = np.abs(left[:, usual]).max(axis=1, initial=0)
    cw = np.abs(right[usual]).max(axis=0, initial=0)
    qx = quantized(left[:, usual], cx[:, None], division)
    qw = quantized(right[usual], cw, division)
    sums, overflowed = _integer_sums(of_integers, qx, qw)
    outlier_left, outlier_right = codes[0][:, is_outlier], codes[1][is_outlier]
    of_outliers = matmul(of_floats, *_padded(of_floats, outlier_left, outlier_right))
    with np.errstate(all="ignore"):  # as IEEE 754 has it
        y = scaled(sums, cx, cw) + _FP32.decode(of_outliers).astype(np.float32)
    return Int8Product(
        format=f,
        integer=of_integers,
        floating=of_floats,
        codes=f.encode(y, overflow="nosat"),
        outliers=np.flatnonzero(is_outlier),
        left=qx,
        right=qw,
        left_scales=cx,
        right_scales=cw,
        sums=sums,
        overflowed=overflowed,
        outlier_left=outlier_left,
        outlier_right=outlier_right,
    )


def quantized(x: np.ndarray, largest: np.ndarray, division: str = "exact") -> np.ndarray:
    """Codes round(127 x / largest), clipped to ±127, of float32 numbers; int8, 0 where the largest
    magnitude is 0.

    The quotient in float64 rounds to the integer that the exact one does: x is at least a 254th of
    the largest magnitude where it is not rounded to 0, so that their difference from an odd half is
    a multiple of 2^-9 ulp of fp32, and over 2^-35; float64 errs by less than 2^-46.
    """
    c = np.where(largest == 0, 1, largest).astype(np.float32)
    if division == "exact":
        q = np.rint(MOST * x.astype(np.float64) / c)
    else:
        with np.errstate(over="ignore"):
            r = np.minimum(np.float32(MOST) / c, _LARGEST)
            q = np.rint(x * r)
    return np.clip(q, -MOST, MOST).astype(np.int8)


def scaled(sums: np.ndarray, cx: np.ndarray, cw: np.ndarray) -> np.ndarray:
    """Sums of products of codes (m, n) times the scales (m) and (n): float32, each step rounded."""
    t = cx[:, None] * cw
    u = t * _ONE_OVER_MOST_SQUARED
    return sums.astype(np.float32) * u


# -- integers ------------------------------------------------------------------------------------


def _integer_sums(u: Unit, qx: np.ndarray, qw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the unit gives, as integers, and where a sum on the way left its range."""
    found = chain(u)
    codes = [f.encode(q) for f, q in zip(_factors(found), (qx, qw), strict=True)]
    sums = found.last.decode(matmul(u, *_padded(u, *codes))).astype(np.int64)
    return sums, overflowed(found.last, qx, qw, found.lanes)


# -- what is given -------------------------------------------------------------------------------


def _units(integer: Any, floating: Any, name: Any) -> tuple[Unit, Unit, Format]:
    f = format(name)
    if isinstance(f, BlockFormat) or not _is_part_of_fp32(f):
        raise InvalidInput(
            f"int8_matmul: format must be a signed float whose numbers fp32 has, not {f.name}"
        )
    of_integers, of_floats = (unit(x) for x in (integer, floating or f"mac:a={f.name},acc=fp32"))
    try:
        inner, outer = chain(of_integers), chain(of_floats)
    except InvalidInput as error:
        raise InvalidInput(f"int8_matmul: {error}") from None
    formats = [*_factors(inner), inner.product_format or inner.last, inner.last]
    needed = (MOST, MOST, MOST**2, MOST**2)
    integers = all(
        g.kind == "int" and g.signed and not g.exponent and g.max >= most
        for g, most in zip(formats, needed, strict=True)
    )
    if not integers or any(u.contract.kind != "exact integer" for u in inner.units):
        raise InvalidInput(
            "int8_matmul: integer must multiply int8 and add up integers exactly, "
            f"not {of_integers.spec}"
        )
    if _factors(outer) != (f, f) or len(outer.factors) > 2 or outer.last != _FP32:
        raise InvalidInput(
            f"int8_matmul: floating must multiply {f.name} and add up in fp32, without scales, not "
            f"{of_floats.spec}"
        )
    return of_integers, of_floats, f


def _factors(found: Chain) -> tuple[Format, Format]:
    """The formats of the elements of both matrices."""
    return found.factors["a"][0], found.factors["b"][0]


def _is_part_of_fp32(f: Format) -> bool:
    return (
        f.kind == "float"
        and f.signed
        and not f.hidden_always
        and f.precision <= _FP32.precision
        and f.smallest >= _FP32.smallest
        and f.max <= _FP32.max
    )


def _codes(f: Format, x: Any, what: str) -> np.ndarray:
    """Codes of a matrix of numbers."""
    array = array_of(x, f"int8_matmul: {what}")
    if array.ndim != 2:
        raise InvalidInput(f"int8_matmul: {what} must be a matrix, not of shape {array.shape}")
    return f.encode(array)


def _threshold(threshold: Any) -> float:
    if (
        not isinstance(threshold, int | float | np.number)
        or isinstance(threshold, bool)
        or not threshold >= 0
    ):
        raise InvalidInput(
            f"int8_matmul: threshold must be a number of at least 0, not {quoted(threshold)}"
        )
    return float(threshold)


def _outliers(x: np.ndarray, w: np.ndarray, threshold: float) -> np.ndarray:
    """Which features, columns of x and rows of w, are outliers."""
    finite = np.isfinite(x).all(axis=0) & np.isfinite(w).all(axis=1)
    return ~finite | (np.abs(x) >= threshold).any(axis=0)


def _padded(u: Unit, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Matrices of codes (m, K) and (K, n) with zeros up to a whole number of a unit's steps."""
    lanes = chain(u).lanes
    more = max(lanes, -(-a.shape[1] // lanes) * lanes) - a.shape[1] if lanes > 1 else 0
    return np.pad(a, ((0, 0), (0, more))), np.pad(b, ((0, more), (0, 0)))
