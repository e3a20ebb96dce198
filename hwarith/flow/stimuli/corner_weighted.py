"""Operand codes by their formats: all of them, or random ones weighted towards corners."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from ...formats import Format
from ...formats import rounding as r
from ...units import Unit
from ...units.operations import CONVERSION

_DISTANCE = 3
"""How far apart the exponents of operands are that are made to lie near each other."""


def corner_codes(f: Format) -> np.ndarray:
    """The codes of a format where arithmetic goes wrong first, ascending, each once.

    Of a float, in both signs: zero, the ends of the subnormals and of the normals, one half, one
    and two, infinity, the first, the last and the canonical NaN, and the neighbours of most. Of an
    integer or posit: both ends of its range, values around zero (of a posit around 1, too),
    alternating bits. Bits that the format
    ignores occur set and clear. Returns an array of the format's `dtype`.
    """
    corners = _float_corners if f.kind == "float" else _integer_corners
    return np.array(sorted(corners(f)), f.dtype)


def is_special(f: Format, code: int) -> bool:
    """Whether a code is a zero, an infinity or NaN."""
    kind, _, _, significand = r.unpack(code, f.numbers)
    return kind != r.FINITE or significand == 0


def special_codes(f: Format) -> list[int]:
    """Those of the `corner_codes` that are special: every zero and infinity, and NaNs."""
    return [code for code in corner_codes(f).tolist() if is_special(f, code)]


def end_codes(f: Format) -> list[int]:
    """The codes at the ends of the ranges of a format, ascending, each once.

    Of a float, in both signs: the smallest and the largest subnormal and normal value. Of an
    integer: the lowest and the highest one that is not zero.
    """
    n = f.numbers
    if f.kind == "float":
        normal = 1 << n.fraction_bits
        magnitudes = {0} if n.hidden_always else {1, normal - 1, normal}
        magnitudes.add(n.max_mag)
        codes = {m + s * (n.mag_mask + 1) for m in magnitudes for s in range(1 + f.signed)}
    else:
        sign = 1 << (f.bits - 1)
        codes = {sign, sign - 1} if f.signed else {1, 2 * sign - 1}
        codes |= {1, sign + 1, 2 * sign - 1} if f.is_posit else set()
    return sorted(code for code in codes if not is_special(f, code))


def _float_corners(f: Format) -> set[int]:
    n = f.numbers
    binade = 1 << n.fraction_bits
    one = n.bias * binade
    near = {centre + d for centre in (0, binade, one, n.max_mag) for d in (-2, -1, 0, 1, 2)}
    magnitudes = near | {one - binade, one + binade, n.inf_mag, n.first_nan_mag, n.mag_mask}
    if n.nan_code >= 0:
        magnitudes.add(n.nan_code & n.mag_mask)
    legal = {mag for mag in magnitudes if 0 <= mag <= n.mag_mask}
    sign_and_ignored = range(1 << (f.signed + f.ignored_bits))
    return {mag + top * (n.mag_mask + 1) for mag in legal for top in sign_and_ignored}


def _integer_corners(f: Format) -> set[int]:
    mask = (1 << f.bits) - 1
    half = 1 << (f.bits - 1)
    near = {centre + d for centre in (0, half, half >> 1) for d in (-2, -1, 0, 1, 2)}
    alternating = int("01" * f.bits, 2)
    return {code & mask for code in near | {alternating, alternating << 1}}


def every_vector(formats: Sequence[Format]) -> tuple[np.ndarray, ...]:
    """Every combination of codes of these formats, in ascending order, the first format's on top:
    for each format an array of all vectors' codes."""
    return tuple(some_vectors(formats, 0, 1 << sum(f.bits for f in formats)))


def some_vectors(formats: Sequence[Format], start: int, count: int) -> list[np.ndarray]:
    """So many of the vectors of `every_vector`, from the one at `start` on."""
    below = sum(f.bits for f in formats)
    index = np.arange(start, start + count, dtype=np.uint64)
    columns = []
    for f in formats:
        below -= f.bits
        columns.append(((index >> below) & ((1 << f.bits) - 1)).astype(f.dtype))
    return columns


def neighbours(
    formats: Sequence[Format], pool: Sequence[np.ndarray], n: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """`n` vectors near those of a pool, an array of codes for each format: to some of the operands
    a random number is added, of any magnitude, so that sums still cancel, or results still lie
    near a border, and others are anywhere. They take a fraction of the time of the pool's."""
    first = int(rng.integers(len(pool[0])))
    columns = []
    for f, codes in zip(formats, pool, strict=True):
        near = np.resize(np.roll(codes, -first), n)
        if f.dtype == object:
            by = _random_codes(f.bits, n, rng) >> rng.integers(0, f.bits, n).astype(object)
            columns.append((near + by) & ((1 << f.bits) - 1))
            continue
        word = np.iinfo(f.dtype).bits
        by = np.frombuffer(rng.bytes(n * f.dtype.itemsize), f.dtype)
        shift = np.frombuffer(rng.bytes(n), np.uint8)
        # A quarter of the operands stay as they are
        by = by >> (shift % word).astype(f.dtype) * (shift < 192) & -(shift < 192).astype(f.dtype)
        columns.append((near + by) & f.dtype.type((1 << f.bits) - 1))
    return columns


def corner_weighted(unit: Unit, n: int, rng: np.random.Generator) -> list[np.ndarray]:
    """`n` random vectors for a unit: for each operand an array of codes, as integers of any dtype.

    Some are uniform, some made of `corner_codes`, some have few or many bits set and exponents
    near each other; and in a quarter of them the last operand follows from the others, so that
    sums cancel, operands are equal, addends meet at every distance, and sums and products fall on
    chosen results.
    """
    formats = list(unit.operands.values())
    result = next(iter(unit.results.values()))
    exponents = _random_exponents(result, n, rng, alone=unit.operation == CONVERSION)
    columns = [_mixed_codes(f, exponents, rng) for f in formats]
    if len(columns) > 1 and not any(_is_wide(f) for f in [*formats, result]):
        rows = rng.integers(4, size=n) == 0
        columns[-1][rows] = _related_codes(formats, [x[rows] for x in columns], result, rng)
    return columns


def _is_wide(f: Format) -> bool:
    """Whether float64 cannot hold the range of values of a format."""
    return f.dtype == object or f.exponent_bits > 11


def _random_exponents(
    f: Format, n: int, rng: np.random.Generator, alone: bool = False
) -> np.ndarray:
    """Exponents whose sums (or if `alone` they themselves) reach a little beyond both ends of a
    format's range."""
    span = max(f.bias + f.fraction_bits, f.bits) if alone else max(f.bias, f.bits) // 2
    reach = span + _DISTANCE
    return rng.integers(-reach, reach, n, endpoint=True)


def _random_codes(bits: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """Uniform codes, as uint64 or as Python integers where they are wider."""
    if bits <= 64:
        return rng.integers(0, (1 << bits) - 1, n, np.uint64, endpoint=True)
    words = rng.integers(0, 1 << 32, (-(-bits // 32), n), np.uint64).astype(object)
    return reduce(lambda high, low: (high << 32) | low, words) & ((1 << bits) - 1)


def _mixed_codes(f: Format, exponents: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One operand: a quarter uniform, a quarter corners, one half of patterned codes."""
    n = exponents.size
    uniform = _random_codes(f.bits, n, rng)
    corners = rng.choice(corner_codes(f), n).astype(uniform.dtype)
    patterned = _patterned_codes(f, exponents, rng)
    kind = rng.integers(4, size=n)
    return np.where(kind == 0, uniform, np.where(kind == 1, corners, patterned))


def _patterned_codes(f: Format, exponents: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Codes with few, many or any bits set; floats near `exponents`, integers of any magnitude."""
    n = exponents.size
    x, y, z = (_random_codes(f.bits, n, rng) for _ in range(3))
    kind = rng.integers(3, size=n)
    digits = np.where(kind == 0, x & y & z, np.where(kind == 1, x | y | z, x))
    if f.kind != "float":
        magnitude = digits >> rng.integers(0, f.bits, n).astype(digits.dtype)
        return np.where(rng.integers(2, size=n) == 0, magnitude, ~magnitude) & ((1 << f.bits) - 1)
    near = exponents + rng.integers(-_DISTANCE, _DISTANCE, n, endpoint=True) + f.bias
    field = near.clip(0, (1 << f.exponent_bits) - 1).astype(digits.dtype) << f.fraction_bits
    fraction = digits & ((1 << f.fraction_bits) - 1)
    sign = (y >> (f.bits - 1)) << (f.bits - 1) if f.signed else 0 * y
    return sign | field | fraction


def _related_codes(
    formats: list[Format], columns: list[np.ndarray], result: Format, rng: np.random.Generator
) -> np.ndarray:
    """A last operand that follows from the product of the others (of two, from the first)."""
    n = columns[0].size
    values = [
        f.decode(x.astype(f.dtype)).astype(np.float64)
        for f, x in zip(formats[:-1], columns, strict=False)
    ]
    chosen = _mixed_codes(result, _random_exponents(result, n, rng), rng)
    aim = result.decode(chosen.astype(result.dtype)).astype(np.float64)
    distance = rng.integers(-result.precision - _DISTANCE, result.precision + _DISTANCE, n)
    scale = np.ldexp(rng.uniform(-2, 2, n), distance)
    with np.errstate(all="ignore"):
        others = reduce(np.multiply, values)
        choices = [-others, others, scale * others, aim - others, aim / others]
        wanted = np.choose(rng.integers(len(choices), size=n), choices)
    last = formats[-1]
    codes = last.encode(wanted, overflow="saturate").astype(np.uint64)
    nudge = rng.integers(-1, 1, n, endpoint=True).astype(np.uint64)
    return (codes + nudge) & ((1 << last.bits) - 1)
