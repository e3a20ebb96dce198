"""IEEE 754 exception flags worked out from exact fractions, to hold those of units against.

Nothing of hwarith's rounder is used: operands come as fractions, infinities and NaN, and a result
is rounded here, with and without a bound on its exponent. The bits are those of RISC-V (and of
SoftFloat, with which `test_flag_oracle` compares): NV 16, OF 4, UF 2, NX 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import hwarith as hw
from hwarith.units.operations import SUM

NV, OF, UF, NX = 16, 4, 2, 1

Value = Fraction | float
"""A finite value as a fraction; infinities and NaN as floats."""


def value(f: hw.Format, code: int) -> Value:
    x = f.decode(code)
    return f.fraction(code) if math.isfinite(x) else float(x)


def is_signaling(f: hw.Format, code: int) -> bool:
    """A NaN whose quiet bit, the top one of the fraction, is clear (only in IEEE formats)."""
    if f.nan != "ieee":
        return False
    quiet = code >> (f.fraction_bits - 1) & 1
    return bool(math.isnan(f.decode(code))) and not quiet


def rounded(
    x: Fraction, precision: int, lsb: int | None, mode: str, even: int | None = None
) -> Fraction:
    """`x` to so many significant bits, none of which weighs less than 2^lsb.

    Of one significant bit, 2^even counts as even, and of its neighbours every other power of two.
    """
    if x == 0:
        return x
    top = x.numerator.bit_length() - x.denominator.bit_length()
    top -= abs(x) < Fraction(2) ** top
    exponent = top - precision + 1 if lsb is None else max(top - precision + 1, lsb)
    step = Fraction(2) ** exponent
    low = math.floor(abs(x) / step)
    rest = abs(x) / step - low
    odd = low % 2 == 1 if precision > 1 or low == 0 else (exponent - even) % 2 == 1
    up = {
        "rne": rest > Fraction(1, 2) or (rest == Fraction(1, 2) and odd),
        "rna": rest >= Fraction(1, 2),
        "rtz": False,
        "rup": rest > 0 and x > 0,
        "rdn": rest > 0 and x < 0,
        "rto": rest > 0 and not odd,
    }[mode]
    return (low + up) * step * (1 if x > 0 else -1)


def of_result(x: Fraction, f: hw.Format, mode: str, before: bool = False) -> int:
    """OF, UF and NX of an exact result (IEEE 754-2019, 7.4 to 7.6).

    Tiny is, after rounding, what rounds to less than the smallest normal value with unbounded
    exponent; with `before`, what is less than it itself. Underflow is raised if tiny and inexact.
    """
    even = -f.bias  # half of the smallest normal value
    unbounded = rounded(x, f.precision, None, mode, even)
    if abs(unbounded) > f.max:
        return OF | NX
    if rounded(x, f.precision, f.numbers.lsb, mode, even) == x:
        return 0
    tiny = abs(x if before else unbounded) < f.smallest_normal
    return NX | (UF if tiny else 0)


def of_operation(
    unit: hw.Unit, codes: tuple[int, ...], mode: str = "rne", before: bool = False
) -> int:
    """All flags of a product, sum or multiply-add of these codes.

    Infinity times zero plus a quiet NaN is invalid, which 7.2 leaves open, as in SoftFloat. So is
    a NaN for which the result's format has none; an infinity that it has not got is inexact.
    """
    operands = list(zip(unit.operands.values(), codes, strict=True))
    if unit.operation == SUM:
        return of_sum(unit, [], operands, mode, before)
    return of_sum(unit, [operands[:2]], operands[2:], mode, before)


Operand = tuple[hw.Format, int]
"""A format and a code."""


def of_sum(
    unit: hw.Unit,
    products: Sequence[Sequence[Operand]],
    addends: Sequence[Operand],
    mode: str = "rne",
    before: bool = False,
) -> int:
    """All flags of a sum of products and addends, as one operation."""
    out = unit.results["y"]
    infinity = 0 if out.infinity and unit.overflow != "saturate" else NX
    operands = [*(x for product in products for x in product), *addends]
    if any(is_signaling(f, code) for f, code in operands):
        return NV
    factors = [[value(f, code) for f, code in product] for product in products]
    if any(0 in product and any(map(is_infinite, product)) for product in factors):
        return NV
    if any(x != x for x in (value(f, code) for f, code in operands)):
        return NV if out.nan == "none" else 0
    terms = [*map(math.prod, factors), *(value(f, code) for f, code in addends)]
    infinities = {x for x in terms if is_infinite(x)}
    if infinities:
        return NV if len(infinities) == 2 else infinity
    return of_result(sum(map(Fraction, terms), Fraction(0)), out, mode, before)


def is_infinite(x: Value) -> bool:
    return isinstance(x, float) and math.isinf(x)
