"""Units of a single code against published digests of results and flags, and their hardware."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import hwarith as hw
from hwarith.formats import Rounding
from tests import posits
from tests.digests import digest, stimulus_of
from tests.evidence import assert_golden, assert_rtl_equals_golden
from tests.tiers import few

INTEGRAL = {  # results and flags, to nearest even
    "e4m3fn": ("50ac58f0413095bc", "acef3ff321c21587"),
    "e5m2": ("6c4a20f275ee3d03", "3c4624ee1172237f"),
    "bf16": ("4c8332eef4c1e846", "ffeb01c6824810f3"),
    "fp16": ("db55b86771379914", "3ab31b2661a662d2"),
    "fp32": ("56b7d9b575b486bf", "c369a57c3be033d9"),
}


@pytest.mark.parametrize("name", INTEGRAL)
def test_published_digests_of_integral_values(name: str) -> None:
    u = hw.unit(f"roundint:a={name},flags=on")
    y, flags = u(*stimulus_of(u))
    assert (digest(y), digest(flags.astype(np.uint8))) == INTEGRAL[name]


DIRECTED = {"rup": "504c2a134cf28ecb", "rdn": "370c8a0a974fc016", "rtz": "8feadb713be454ed"}


@pytest.mark.parametrize("mode", DIRECTED)
def test_published_digests_of_integral_values_in_other_modes(mode: str) -> None:
    u = hw.unit(f"roundint:a=fp16,round={mode},flags=on")
    operands = stimulus_of(u)
    y, flags = u(*operands)
    assert digest(y) == DIRECTED[mode]
    assert digest(flags.astype(np.uint8)) == INTEGRAL["fp16"][1]
    by_port = hw.unit("roundint:a=fp16,round=port,flags=on")
    number = np.full(len(y), Rounding[mode.upper()])
    assert all((x == z).all() for x, z in zip(by_port(*operands, number), (y, flags), strict=True))


@pytest.mark.parametrize(
    ("name", "invalid", "inexact", "nan", "zero"),
    [("e4m3fn", 0, 144, 2, 98), ("e5m2", 2, 128, 6, 114)],
)
def test_how_many_integral_values(
    name: str, invalid: int, inexact: int, nan: int, zero: int
) -> None:
    u = hw.unit(f"roundint:a={name},flags=on")
    y, flags = u(u.a.codes())
    values = u.a.decode(y)
    assert [(flags == bit).sum() for bit in (16, 1)] == [invalid, inexact]
    assert [np.isnan(values).sum(), (values == 0).sum()] == [nan, zero]
    assert not hw.unit(f"roundint:a={name},flags=on,exact=off")(u.a.codes())[1].max() & 15


def test_integral_values_of_single_codes() -> None:
    u = hw.unit("roundint:a=fp16,flags=on")
    vectors = {0xB800: (0x8000, 1), 0xB801: (0xBC00, 1), 0x4100: (0x4000, 1)}
    vectors |= {0xFC00: (0xFC00, 0), 0x7D00: (0x7E00, 16), 0x8000: (0x8000, 0)}
    assert {a: u(a) for a in vectors} == vectors
    odd = hw.unit("roundint:a=e2m1fn,round=rto")
    assert [odd.a.decode_one(odd(a)) for a in range(8)] == [0, 1, 1, 1, 2, 3, 4, 6]


@pytest.mark.parametrize("name", few(["posit8", "posit8e0", "posit6e4", "posit3", "posit16"], 4))
def test_integral_values_of_posits(name: str) -> None:
    u = hw.unit(f"roundint:a={name}")
    n, es = u.a.bits, u.a.exponent_bits
    values = [posits.value(code, n, es) for code in range(1 << n)]
    want = [posits.code_of(None if x is None else Fraction(round(x)), n, es) for x in values]
    assert_golden(u, (u.a.codes(),), np.array(want))


CLASSES = {  # how many codes have each of the bits, and the digest of all
    "e4m3fn": ([0, 119, 7, 1, 1, 7, 119, 0, 0, 2], "3c57cdaa18fb286f"),
    "e5m2": ([1, 120, 3, 1, 1, 3, 120, 1, 2, 4], "a176b5f064163c1b"),
    "e4m3": ([1, 112, 7, 1, 1, 7, 112, 1, 6, 8], "e228722e6980a260"),
    "bf16": (None, "2002cd437e712f11"),
    "fp16": (None, "03f51b1310c1f03b"),
}


@pytest.mark.parametrize("name", CLASSES)
def test_published_digests_of_classes(name: str) -> None:
    u = hw.unit(f"class:a={name}")
    y = u(u.a.codes())
    counts, expected = CLASSES[name]
    assert digest(y) == expected
    assert counts in (None, [(y == 1 << i).sum() for i in range(10)])


def test_classes_of_integers_are_those_of_normal_numbers() -> None:
    assert [hw.unit("class:a=int4")(code) for code in (0, 7, 8)] == [1 << 4, 1 << 6, 1 << 1]


@pytest.mark.parametrize("name", ["fp16", "e5m2", "e4m3fn", "e4m3fnuz", "binary8p3se"])
def test_signs_are_those_of_numpy(name: str) -> None:
    """On values, where the sign of NaN says nothing; its bits are those of the operand."""
    f = hw.format(name)
    codes = f.codes() if f.bits == 8 else f.codes()[::257]
    a, b = (x.ravel() for x in np.meshgrid(codes, codes))
    x = f.decode(a)
    minus, own = (c >> (f.bits - 1) > 0 for c in (b, a))
    signs = {"copy": minus, "neg": ~minus, "xor": minus ^ own, "abs": np.zeros_like(own)}
    for op, negative in (signs | {"negate": ~own}).items():
        u = hw.unit(f"sgnj:a={name},op={op}")
        y = u(a, b) if len(u.operands) > 1 else u(a)
        number = ~np.isnan(x)
        expected = np.where(negative, -abs(x), abs(x))[number]
        np.testing.assert_array_equal(f.decode(y)[number], expected)
        mag = (1 << (f.bits - 1)) - 1
        keeps = (y & mag == a & mag) & (y >> (f.bits - 1) == negative)
        assert (keeps if f.has_negative_zero else np.where(a & mag, keeps, y == a)).all()


@pytest.mark.parametrize("name", ["posit8", "posit8e0", "posit6e4", "posit3"])
def test_signs_and_classes_of_posits(name: str) -> None:
    """NaR and zero are their own negatives."""
    f = hw.format(name)
    codes = f.codes()
    values = [posits.value(code, f.bits, f.exponent_bits) for code in codes.tolist()]
    signs = {"abs": abs, "negate": lambda x: -x}
    for op, sign in signs.items():
        u = hw.unit(f"sgnj:a={name},op={op}")
        want = [
            posits.code_of(None if x is None else sign(x), f.bits, f.exponent_bits) for x in values
        ]
        assert u(codes).tolist() == want
    classes = [9 if x is None else 4 if x == 0 else 6 if x > 0 else 1 for x in values]
    assert hw.unit(f"class:a={name}")(codes).tolist() == [1 << i for i in classes]


@pytest.mark.parametrize("name", ["fp16", "e5m2", "e4m3fn", "ue4m3", "e8m0fnu", "int8"])
def test_exponents_are_those_of_numpy(name: str) -> None:
    f = hw.format(name)
    y, flags = hw.unit(f"logb:a={name},flags=on")(f.codes())
    x = f.decode(f.codes()).astype(np.float64)
    none = ~np.isfinite(x) | (x == 0)
    assert (flags == np.where(none, 16, 0)).all()
    expected = np.where(x == 0, -(2**15), np.where(none, 2**15 - 1, np.frexp(x)[1] - 1))
    np.testing.assert_array_equal(hw.format("int16").decode(y), expected)


@pytest.mark.parametrize(
    "spec",
    few(
        [
            "roundint:a=e5m2,round=port,flags=on",
            "roundint:a=e4m3fnuz,round=rup",
            "roundint:a=e4m3fn,flags=on",
            "roundint:a=e2m1fn,round=rto",
            "roundint:a=binary8p3se,round=rdn,flags=on",
            "roundint:a=ue4m3,round=rna",
            "roundint:a=e3m2fn,round=rtz,stages=1",
            "roundint:a=fp16,round=port,flags=on,stages=2",
            "roundint:a=bf16,flags=on,exact=off",
            "roundint:a=fp32,round=port,flags=on",
            "roundint:a=posit8",
            "roundint:a=posit16,stages=2",
            "roundint:a=posit6e4",
            "class:a=e5m2",
            "class:a=e4m3fnuz",
            "class:a=int8",
            "class:a=e8m0fnu",
            "sgnj:a=binary8p3se,op=neg",
            "sgnj:a=e5m2,op=negate",
            "logb:a=e4m3,out=int8,flags=on",
            "logb:a=uint8,stages=1",
            "sgnj:a=posit8,op=abs",
            "sgnj:a=posit16,op=negate",
            "class:a=posit8",
            "class:a=posit16e1",
            "logb:a=fp16,flags=on",
        ],
        3,
    ),
)
def test_hardware(spec: str) -> None:
    assert_rtl_equals_golden(spec)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("roundint:a=e2m3fn", "a: must be a float with a zero whose largest values are integers"),
        ("roundint:a=int8", "not int8; allowed: such as fp16"),
        ("roundint:a=e8m0fnu", "not e8m0fnu"),
        ("roundint:a=fp16,exact=off", "exact: it is about flag NX; set flags=on"),
        ("sgnj:a=ue4m3", "a: ue4m3 has no sign bit; allowed: signed float formats"),
        (
            "sgnj:a=posit8",
            "op: the sign of posit8 is no bit of its own, and so not copy",
        ),
        ("roundint:a=posit8,round=rtz", "round: posits as posit8 are rounded to nearest even"),
        (
            "roundint:a=posit8,flags=on",
            "flags: posits as posit8 .* no exception flags",
        ),
        ("logb:a=posit8", "logb: parameter a: takes no posits"),
        ("logb:a=fp16,out=int5", "int5 does not hold the exponents of fp16, -24 to 15"),
        ("logb:out=fp32", "out: fp32 does not hold"),
        ("roundint:a=fp16,round=sra", "round: unknown value 'sra'"),
    ],
)
def test_what_is_refused(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        hw.unit(spec)
