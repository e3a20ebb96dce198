"""Sums in float32's own arithmetic, of products that are multiplied, looked up or made of fields.

Hardware rounds a float32 sum, product or fused multiply-add to nearest even, with subnormals: it is
the exact unit with a result in fp32. A narrower result comes out right as well if float32 loses
nothing that its rounding needs:

* a product that is exact in float32 is rounded once, into its own format;
* a sum of two floats of at most p bits, rounded to float32 and then to p bits, is the sum rounded
  once, for 24 >= 2p + 2 (Figueroa, "When is double rounding innocuous?", SIGNUM 1995). A product
  finer than the least subnormal of the sum's format does no harm: where float32 rounds at all, the
  greater term is at least 2^13 times the lesser one, and a number of the format.

Other formats and options, and operands so great or small that float32's own range would matter,
are left to others.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ...formats import Format
from ...formats import format as format_named
from ...golden import WORD_BITS, golden
from ...golden.compiler import LOOPS
from ...units import Unit
from ...units.chain import Chain, result
from ...units.exact.fma import Fma
from ...units.exact.mul import Mul
from ...units.logarithmic.definitions import product as sum_of_fields
from ...units.logarithmic.definitions import reduce_fraction
from ..float64 import FloatRounding
from ..roundings import float_rounding
from . import loop
from .float32 import float32_rounding, float_word, fused, to_nearest, word_float

_PRECISION = 24
_LEAST_NORMAL, _LEAST, _LARGEST = 2.0**-126, 2.0**-149, float(np.finfo(np.float32).max)
_SAFE = 2.0**100
"""Values up to here leave room in float32 for what `to_nearest` adds to them."""

_TABLES = 64
"""Most tables of products, 256 KiB each, that are remembered."""


def accumulate(chain: Chain, a: np.ndarray, b: np.ndarray, acc: np.ndarray) -> np.ndarray | None:
    """`hwarith.matrix.kernels.accumulate` for exact sums with default options, in fp32 or a format
    of at most 11 bits of precision.

    Products are those of an exact unit with default options; or of any unit on operands of 8 bits;
    or of one that adds fields (`lmul`, `pam`), on operands of 16 bits without infinities and NaN.
    """
    out = chain.accumulator
    rounding = float_rounding(chain.add)
    if rounding is None or not _is_float32(out):
        return None
    product = _product(chain, a, b)
    if product is None:
        return None
    c = _decoded(out, acc)
    constants: tuple
    if _is_float32_itself(rounding):
        step, constants = _step(product.step, "add"), (product.constants, ())
    elif _is_rounded_well(out, product, c):
        step = _step(product.step, "add and round")
        constants = (product.constants, float32_rounding(rounding))
    else:
        return None
    sums = loop.run(step, c, product.a, product.b, constants)
    return out.encode(sums, overflow="nosat")


def _is_float32_itself(f: FloatRounding) -> bool:
    """Whether float32's arithmetic rounds like this, and overflows like this."""
    return f.largest == _LARGEST and f.scale == 2.0**29 and f.beyond == np.inf


def _is_rounded_well(out: Format, product: _Product, acc: np.ndarray) -> bool:
    """Whether sums that are rounded to float32 and then to a narrower format are right."""
    if product.precision > out.precision or 2 * out.precision + 2 > _PRECISION:
        return False
    if out.max <= _SAFE:
        return product.limit <= _SAFE
    return len(product.b) * product.limit + _peak(acc) <= _SAFE


# -- products ------------------------------------------------------------------------------------


class _Product(NamedTuple):
    """What a step makes products of, and what is known of them: the significant bits, and the
    largest magnitude (NaN if there is no telling). The step is one of `_PRODUCTS`, or a definition,
    its constants, and how far its codes are from bit patterns of float32."""

    step: str | tuple[Callable, tuple, int]
    a: np.ndarray
    b: np.ndarray
    constants: Any
    precision: int
    limit: float


def _product(chain: Chain, a: np.ndarray, b: np.ndarray) -> _Product | None:
    u = chain.units[0]
    if isinstance(u, Mul | Fma) and (found := _multiplied(u, a, b)):
        return found
    if chain.multiply is None or not _is_float32(result(u)):
        return None
    return _looked_up(u, a, b) or _of_fields(u, a, b) or _defined(u, a, b)


def _multiplied(u: Mul | Fma, a: np.ndarray, b: np.ndarray) -> _Product | None:
    """Operands as float32 numbers: multiplied, and rounded if the product has a format."""
    formats, out, rounding = list(u.operands.values())[:2], result(u), float_rounding(u)
    if rounding is None or not all(map(_is_float32, formats)):
        return None
    x, y = (_decoded(f, codes) for f, codes in zip(formats, (a, b), strict=True))
    if _is_float32_itself(rounding):
        step = "fuse" if isinstance(u, Fma) else "multiply"
        return _Product(step, x, y, (), out.precision, float(out.max))
    precision = sum(f.precision for f in formats)
    limit = min(float(formats[0].max * formats[1].max), _peak(x) * _peak(y))
    exact = formats[0].smallest * formats[1].smallest >= _LEAST
    if precision > _PRECISION or not (exact or _trough(x) * _trough(y) >= _LEAST_NORMAL):
        return None
    if isinstance(u, Fma):
        return _Product("multiply", x, y, (), precision, limit)
    if not limit <= _SAFE:
        return None
    constants = float32_rounding(rounding)
    limit = min(limit * 2, float(out.max))
    return _Product("multiply and round", x, y, constants, out.precision, limit)


def _looked_up(u: Unit, a: np.ndarray, b: np.ndarray) -> _Product | None:
    """Codes of 8 bits, and a table of all products."""
    if a.dtype != np.uint8 or b.dtype != np.uint8:
        return None
    out = result(u)
    return _Product("look up", a, b, table(u), out.precision, float(out.max))


@lru_cache(maxsize=_TABLES)
def table(u: Unit) -> np.ndarray:
    """Products of all pairs of codes: float32, a row for each code of the first operand."""
    codes = np.meshgrid(*(f.codes() for f in u.operands.values()), indexing="ij")
    return _decoded(result(u), u(*codes))


class _Fields(NamedTuple):
    """What `_add_fields` needs of a format and of a unit's rules."""

    offset: np.int32  # added to the sum of two fields
    least: np.int32  # field below which a product is zero
    most: np.int32  # field above which it is `beyond`
    shift: np.int32  # from a field to float32's
    rebias: np.int32  # added to it then
    beyond: np.int32  # magnitude of float32
    zero_sign: np.int32  # -1: a zero has the product's sign; 0: it is +0


def _of_fields(u: Unit, a: np.ndarray, b: np.ndarray) -> _Product | None:
    """Words of a sign and a field (0 for a zero), of which the fields are added."""
    definition, constants = u.definition()
    if definition is not sum_of_fields:
        return None
    f, drop, nearest, rules = constants
    format, out = next(iter(u.operands.values())), result(u)
    values = [format.decode(codes) for codes in (a, b)]
    finite = not rules.specials or all(np.isfinite(x).all() for x in values)
    if f.bits > 16 or rules.ofs > 1 << f.fraction_bits or not finite:
        return None
    words = []
    for codes in (a.astype(np.int64), b.astype(np.int64)):
        magnitude = codes & f.mag_mask
        field = reduce_fraction(magnitude, drop, nearest) * (magnitude >> f.fraction_bits > 0)
        words.append((field | codes >> (f.bits - 1) << 31).astype(np.uint32).view(np.int32))
    infinite = np.inf if out.infinity else np.nan
    fields = _Fields(
        offset=np.int32(rules.ofs - (f.bias << f.fraction_bits)),
        least=np.int32(1 << f.fraction_bits),
        most=np.int32(f.max_mag),
        shift=np.int32(23 - f.fraction_bits),
        rebias=np.int32((127 - f.bias) << 23),
        beyond=np.int32(float_word(float(out.max) if rules.saturate else infinite)),
        zero_sign=np.int32(0 if rules.zero_pos or not f.negative_zero else -1),
    )
    limit = min(float(out.max), 4 * _peak(values[0]) * _peak(values[1]))
    return _Product("add fields", words[0], words[1], fields, out.precision, limit)


def _defined(u: Unit, a: np.ndarray, b: np.ndarray) -> _Product | None:
    """Codes, where those of the products are the upper bits of float32's patterns."""
    out = result(u)
    definition, constants = u.definition()
    shift = _PRECISION - out.precision
    like_float32 = out.numbers == format_named(f"e8m{out.fraction_bits}").numbers
    if not like_float32 or u.word_bits > WORD_BITS:
        return None
    x, y = (codes.astype(np.int64) for codes in (a, b))
    return _Product((definition, constants, shift), x, y, (), out.precision, float(out.max))


# -- values --------------------------------------------------------------------------------------


def _is_float32(f: Format) -> bool:
    """Whether every finite value of the format is a float32."""
    return f.precision <= _PRECISION and f.smallest >= _LEAST and max(f.max, -f.min) < 2**128


def _decoded(f: Format, codes: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(f.decode(codes), np.float32)


def _peak(x: np.ndarray) -> float:
    """The largest magnitude; NaN or infinite if a number is."""
    return float(np.abs(x).max(initial=0))


def _trough(x: np.ndarray) -> float:
    """The least magnitude that is not zero; infinite if there is none."""
    magnitudes = np.abs(x)
    return float(magnitudes.min(where=magnitudes > 0, initial=np.inf))


# -- steps ---------------------------------------------------------------------------------------


@golden
def _multiply(x, y, constants):
    return x * y


@golden
def _multiply_and_round(x, y, constants):
    return to_nearest(x * y, constants) + constants.zero


@golden
def _look_up(x, y, constants):
    return constants[x, y]


@golden
def _add_fields(x, y, f: Any):
    low = np.int32(0x7FFFFFFF)
    p, q = np.int32(x & low), np.int32(y & low)
    field = np.int32(p + q + f.offset)
    sign = np.int32((x ^ y) & ~low)
    word = np.int32(np.int32(field << f.shift) + f.rebias)
    word = f.beyond if field > f.most else word
    zero = (field < f.least) | (p == 0) | (q == 0)
    return word_float(np.int32(sign & f.zero_sign) if zero else np.int32(word | sign))


@golden
def _add(product, acc, constants):
    return product + acc


@golden
def _add_and_round(product, acc, constants):
    return to_nearest(product + acc, constants)


@golden
def _fuse(x, y, acc, constants):
    return fused(x, y, acc)


_PRODUCTS: dict[str, Callable] = {
    "multiply": _multiply,
    "multiply and round": _multiply_and_round,
    "look up": _look_up,
    "add fields": _add_fields,
}
_SUMS: dict[str, Callable] = {"add": _add, "add and round": _add_and_round}


@lru_cache(maxsize=LOOPS)
def _step(product: str | tuple[Callable, tuple, int], total: str) -> Callable:
    if product == "fuse":
        return _fuse
    add = _SUMS[total]
    multiply = _PRODUCTS[product] if isinstance(product, str) else _as_float(*product)

    def step(x, y, acc, constants):
        return add(multiply(x, y, constants[0]), acc, constants[1])

    return step


def _as_float(definition: Callable, constants: tuple, shift: int) -> Callable:
    """A definition of codes that are the upper bits of float32's patterns, for its constants."""
    as_float, word = word_float, np.int32

    @golden
    def defined(x, y, no_constants):
        return as_float(word(definition(x, y, *constants) << shift))

    return defined
