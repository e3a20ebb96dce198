"""Posits: published check values, and strings of bits."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

import hwarith as hw
from tests import posits
from tests.digests import digest
from tests.tiers import few

SMALL = [(n, es) for n in range(3, 11) for es in range(5)]

VALUES = [1, 1.5, 3, 5, 0.1, 1 / 3, 100, 1e6, -2]


@pytest.mark.parametrize(
    ("name", "expected"), [("posit8", "d21ad6ec84ed8d0c"), ("posit16", "0e68714c4fdffefa")]
)
def test_values_of_all_codes(name: str, expected: str) -> None:
    f = hw.format(name)
    values = f.decode(f.codes())
    assert np.array_equal(f.encode(values), f.codes())
    nar = np.uint64(0x7FF8000000000000).view(np.float64)
    assert digest(np.where(np.isnan(values), nar, values).astype("<f8")) == expected


@pytest.mark.parametrize(
    ("name", "expected"), [("posit8", "e5b5edcc94bb0f68"), ("posit16", "c64fcd6e84f4b951")]
)
def test_codes_of_float32(name: str, expected: str) -> None:
    rng = np.random.default_rng(5)
    normal = rng.standard_normal(50_000)
    wide = np.exp2(rng.uniform(-40, 40, 50_000)) * rng.choice([-1, 1], 50_000)
    codes = hw.format(name).encode(np.concatenate([normal, wide]).astype(np.float32))
    assert digest(codes) == expected


def test_codes_of_values() -> None:
    posit8, posit16 = hw.format("posit8"), hw.format("posit16")
    assert [posit8.encode_one(x) for x in VALUES] == [
        *(0x40, 0x44, 0x4C, 0x52, 0x25, 0x33, 0x6A, 0x7E, 0xB8)
    ]
    assert [posit16.encode_one(x) for x in VALUES] == [
        *(0x4000, 0x4400, 0x4C00, 0x5200, 0x24CD, 0x32AB, 0x6A40, 0x7DF4, 0xB800)
    ]
    between = [2.0**22, 3 * 2.0**22, 2.0**-22, 1.0625, 1.1875]  # ties, and behind the last binades
    assert posit8.encode(between).tolist() == [0x7E, 0x7F, 0x02, 0x40, 0x42]


@pytest.mark.parametrize(("n", "es"), few(SMALL, 6))
def test_strings_of_bits(n: int, es: int) -> None:
    """Every value, and rounding at, below and above all values and what lies halfway."""
    f = hw.format(f"posit{n}e{es}")
    codes = range(1 << n)
    values = [posits.value(code, n, es) for code in codes]
    for code, x in zip(codes, values, strict=True):
        ours = f.decode_one(code)
        assert ours == x if x is not None else math.isnan(ours)
    halfway = [posits.value(code, n + 1, es) for code in range(1, 1 << (n + 1), 2)]
    for x in [*values, *halfway]:
        if x is not None:
            for y in (x, x * Fraction(255, 256), x * Fraction(257, 256)):
                assert f.encode_one(y) == posits.code_of(y, n, es), y
    inside = [x for x in values if x is not None]
    assert (f.min, f.max, f.smallest) == (min(inside), max(inside), min(x for x in inside if x > 0))
    doubles = np.array([float(x) for x in [*inside, *(h for h in halfway if h is not None)]])
    expected = [posits.code_of(Fraction(x), n, es) for x in doubles.tolist()]
    assert f.encode(doubles).tolist() == expected


@pytest.mark.long
@pytest.mark.parametrize("es", range(5))
def test_codes_of_32_bits(es: int) -> None:
    """A million of them become values and the same codes again."""
    f = hw.format(f"posit32e{es}")
    codes = np.random.default_rng(es).integers(0, 1 << 32, 1_000_000, np.uint32)
    assert np.array_equal(f.encode(f.decode(codes)), codes)
    for code in codes[:1000].tolist():
        assert f.decode_one(code) == posits.value(code, 32, es)


def test_what_is_no_finite_number_is_nar() -> None:
    f = hw.format("posit16")
    assert f.encode([np.nan, np.inf, -np.inf, -0.0]).tolist() == [0x8000, 0x8000, 0x8000, 0]
    assert f.encode([np.inf, -np.inf], overflow="saturate").tolist() == [0x7FFF, 0x8001]
    assert f.encode([1e300, -1e300, 1e-300, -1e-300]).tolist() == [0x7FFF, 0x8001, 1, 0xFFFF]


def test_what_there_is_not() -> None:
    f = hw.format("posit16")
    with pytest.raises(hw.HwarithError, match=r"'rtz': posits as posit16 .* allowed: rne"):
        f.encode(1.0, round="rtz")
    with pytest.raises(hw.HwarithError, match=r"'nosat': nothing is too large .* posit16; allowed"):
        f.encode(1.0, overflow="nosat")
    for name in ("posit2", "posit33", "posit16e5"):
        with pytest.raises(hw.HwarithError, match=f"'{name}': a posit has 3 to 32 bits and 0 to 4"):
            hw.format(name)
    with pytest.raises(hw.HwarithError, match="did you mean 'posit16'"):
        hw.format("p16")
    with pytest.raises(hw.HwarithError, match="kulisch: parameter a: takes no posits, not posit8"):
        hw.unit("kulisch:a=posit8")
    assert hw.format("posit16e2") is hw.format("posit16")


@pytest.mark.parametrize(("n", "es"), [(8, 2), (7, 0), (6, 3)])
def test_last_places(n: int, es: int) -> None:
    """The step from a positive value to the one above it, within a binade."""
    f = hw.format(f"posit{n}e{es}")
    for code in range(1, f.numbers.max_mag):
        x, above = f.fraction(code), f.fraction(code + 1)
        if f.fraction_bits and above < 2 * x:
            e = math.frexp(x)[1] - 1
            assert above - x == Fraction(2) ** f.last_place(e)
            assert f.last_place(np.array([e])).tolist() == [f.last_place(e)]


def test_facts() -> None:
    facts = hw.formats.format_facts(hw.format("posit16e1"))
    assert facts["fields"] == (
        "16 bits, two's complement: sign 1, regime 2 to 15, exponent 0 to 1, fraction 0 to 12"
    )
    assert (facts["largest"], facts["smallest"]) == (2.0**28, 2.0**-28)
    assert "bias" not in facts
