"""Special values in columns of chained multiply-adds, and the ends of the columns."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.evidence.records import EXACT
from hwarith.flow.stimuli.families import stimulus
from tests import oracle
from tests.evidence import compared
from tests.units.test_anfma import NORMS


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([(0x7F80, 0x3F80)], 0x7F800000),  # infinity
        ([(0x7F80, 0xBF80)], 0xFF800000),
        ([(0x7F80, 0x0000)], 0x7FC00000),  # infinity times zero
        ([(0x7F80, 0x0001)], 0x7FC00000),  # and times a subnormal, which counts as zero
        ([(0x7FC1, 0x3F80)], 0x7FC00000),  # NaN
        ([(0x7F80, 0x3F80), (0xFF80, 0x3F80)], 0x7FC00000),  # infinities of both signs
        ([(0x7F80, 0x3F80), (0x3F80, 0x3F80)], 0x7F800000),
        ([(0x3F80, 0x3F80), (0xBF80, 0x3F80)], 0),  # a zero sum
        ([(0x8000, 0x3F80)], 0),  # a negative zero product
        ([(0x007F, 0x7F00)], 0),  # a subnormal factor
        ([(0x7F00, 0x7F00)], 0x7F800000),  # beyond the largest value
        ([(0x7F00, 0xFF00), (0x7F00, 0x7F00)], 0),  # but only at the end
        ([(0x0080, 0x8080)], 0x80000000),  # below the smallest normal one
    ],
)
def test_special_values(pairs: list, expected: int) -> None:
    a, b = (np.array(x, np.uint16) for x in zip(*pairs, strict=True))
    for norm in NORMS:
        assert hw.unit(f"anfma:norm={norm}").column(a, b) == expected


@pytest.mark.parametrize("out", ["fp32", "bf16", "fp16", "e5m2", "e4m3fn", "e4m3fnuz"])
def test_the_end_of_a_column_rounds_once(out: str) -> None:
    u = hw.unit(f"anend:out={out}")
    (codes,) = stimulus(u, 3000, 1)
    flagless = codes & np.uint64((1 << (u.state.bits - 3)) - 1)
    s = u.unpack_state(flagless)
    for got, sign, e, f in zip(u(flagless).tolist(), *(x.tolist() for x in s[:3]), strict=True):
        value = (-1) ** sign * f * Fraction(2) ** (e - u.w + 1)
        expected = oracle.round_exact(value, u.out, "rne", "nosat", 0)
        lsb = Fraction(2) ** (f.bit_length() + e - u.w + 1 - u.out.precision)
        rounded = round(value / lsb) * lsb  # to even, with unbounded exponent
        if abs(rounded) < u.out.smallest_normal:
            expected = int(sign and value != 0 and u.out.has_negative_zero) << (u.out.bits - 1)
        assert got == expected
    compared(EXACT, codes.size, u, (codes,))


@pytest.mark.parametrize("spec", ["anseed", "anseed:w=16", "anseed:seed=bf16,w=16"])
def test_what_a_column_begins_with(spec: str) -> None:
    u = hw.unit(spec)
    (codes,) = stimulus(u, 3000, 1)
    s = u.unpack_state(u(codes))
    for code, sign, e, f, flags in zip(codes.tolist(), *(x.tolist() for x in s), strict=True):
        value = u.seed.decode(np.array([code], u.seed.dtype))[0]
        if not np.isfinite(value):
            assert flags == (1 if np.isnan(value) else 4 if value < 0 else 2)
            continue
        exact = u.seed.fraction(code)
        got = (-1) ** sign * f * Fraction(2) ** (e - u.w + 1)
        if abs(exact) < u.seed.smallest_normal:
            assert (got, e, flags) == (0, -512, 0)
        else:
            assert f >> (u.w - 1) == 1
            assert 0 <= abs(exact) - abs(got) < Fraction(2) ** (e - u.w + 1)
            assert (exact < 0) == (sign == 1)
