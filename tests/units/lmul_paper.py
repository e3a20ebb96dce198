"""The figures of the L-Mul paper as functions: gate counts, energies, expected errors.

Source: Luo and Sun, arXiv 2410.00907, sections 2.1, 2.3.1, 2.3.2 and appendix A; energies there
are those of Horowitz, ISSCC 2014 (45 nm, 0.9 V).
"""

from __future__ import annotations

from fractions import Fraction

from hwarith.units.logarithmic.lmul import l_of

XOR_GATES = 4
HALF_ADDER_GATES = 5
FULL_ADDER_GATES = 11

ENERGY_PJ = {
    "int8 add": 0.03,
    "int32 add": 0.1,
    "fp16 add": 0.4,
    "fp32 add": 0.9,
    "int8 mul": 0.2,
    "int32 mul": 3.1,
    "fp16 mul": 1.1,
    "fp32 mul": 3.7,
}
"""Energy of one operation in pJ."""


def adder_gates(width: int) -> int:
    """Gates of a ripple adder of this width."""
    return HALF_ADDER_GATES + (width - 1) * FULL_ADDER_GATES


def multiplier_gates(fraction_bits: int) -> int:
    """Gates of a floating-point multiplier (equation 6).

    Sign, three 8-bit adders (exponent, offset, rounding) and the array of the fractions.
    """
    j = fraction_bits
    array = (j + 1) ** 2 + 3 * HALF_ADDER_GATES + (2 * j - 2) * FULL_ADDER_GATES
    return XOR_GATES + 3 * adder_gates(8) + array


def lmul_gates(field_bits: int) -> int:
    """Gates of L-Mul (equation 7): sign, the adder of the fields, and an 8-bit offset adder."""
    return XOR_GATES + adder_gates(field_bits) + adder_gates(8)


def energy_ratio(dot_product: bool = False) -> float:
    """Energy of an int32 addition over that of an fp32 product, or with fp32 accumulation."""
    accumulate = ENERGY_PJ["fp32 add"] if dot_product else 0.0
    return (ENERGY_PJ["int32 add"] + accumulate) / (ENERGY_PJ["fp32 mul"] + accumulate)


def expected_truncation_error(n: int, k: int) -> Fraction:
    """f1(n, k): mean error of a product whose n-bit fractions lose all but k bits (appendix A).

    In units of 2^(ex+ey), for independent and uniform fractions.
    """
    kept = (1 - Fraction(1, 2**k)) / 2
    lost = (Fraction(1, 2**k) - Fraction(1, 2**n)) / 2
    return 2 * kept * lost + 2 * lost + lost**2


def expected_lmul_error(n: int, k: int) -> Fraction:
    """f1 + f2: the same for L-Mul on k-bit operands, by equation 1 (not by the adder)."""
    kept = (1 - Fraction(1, 2**k)) / 2
    return expected_truncation_error(n, k) + kept**2 - Fraction(1, 2 ** l_of(k))
