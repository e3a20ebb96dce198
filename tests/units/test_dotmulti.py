"""The dot product with a mode against fractions, and its hardware against the golden model."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.evidence.records import EXACT
from hwarith.flow.stimuli.families import stimulus
from hwarith.formats import ROUNDINGS
from hwarith.units.dotmulti import MODES
from tests import oracle
from tests.evidence import assert_equal_on, compared
from tests.faults import faulty

FP32 = hw.format("fp32")

U = hw.unit("dotmulti")

ONE = {"mxint8_element": 0x40, "e2m3fn": 8, "e2m1fn": 2, "e4m3fn": 0x38, "e5m2": 0x3C, "e3m2fn": 12}
"""The code of one, of each format."""


def elements(word: int, name: str) -> list[int]:
    """The codes of a word, read from the documentation."""
    f = hw.format(name)
    bits = 4 if name == "e2m1fn" else 8
    return [word >> (bits * i) & ((1 << f.bits) - 1) for i in range(32 // bits)]


def packed(codes: list[int], name: str) -> int:
    bits = 4 if name == "e2m1fn" else 8
    return sum(code << (bits * i) for i, code in enumerate(codes))


def terms(a: int, b: int, c: int, name: str) -> tuple[list[float], list[Fraction]]:
    """All terms as float64, in which each is exact, and those that are finite as fractions."""
    f = hw.format(name)
    with np.errstate(invalid="ignore"):
        values = [
            float(f.decode(x)) * float(f.decode(y)) + (0.0 if not f.is_float else -0.0)
            for x, y in zip(elements(a, name), elements(b, name), strict=True)
        ]
    values.append(float(FP32.decode(c)))
    return values, [Fraction(x) for x in values if np.isfinite(x)]


def expected(a: int, b: int, c: int, name: str, mode: str) -> int:
    values, fractions = terms(a, b, c, name)
    if len(fractions) < len(values):
        with np.errstate(invalid="ignore"):
            total = float(np.sum([x for x in values if not np.isfinite(x)]))
        return 0x7FC00000 if np.isnan(total) else 0x7F800000 if total > 0 else 0xFF800000
    minus, plus = (all(x == 0 and np.signbit(x) == s for x in values) for s in (True, False))
    zero_sign = int(minus or (mode == "rdn" and not plus))
    return oracle.round_exact(sum(fractions, Fraction(0)), FP32, mode, "nosat", zero_sign)


@pytest.mark.parametrize("round", ROUNDINGS)
def test_sums_are_exact_and_rounded_once(round: str) -> None:
    u = hw.unit(f"dotmulti:round={round}")
    a, b, c, mode = stimulus(u, 300, seed=2)
    mode %= 8
    c[::7] = FP32.encode(np.random.default_rng(1).standard_normal(len(c[::7])))
    y = u(a, b, c, mode)
    for i in range(len(a)):
        chosen = int(mode[i]) & (6 if mode[i] in (3, 7) else 7)
        row = (int(a[i]), int(b[i]), int(c[i]))
        assert y[i] == expected(*row, MODES[chosen], round), (row, chosen)
        if i < 60:
            assert u.golden(*row, int(mode[i])) == y[i]
    compared(EXACT, y.size, u)


def test_special_values() -> None:
    """Of e5m2 (infinity 7C, NaN 7D), e4m3fn (NaN 7F) and the addend."""
    e5, e4 = 5, 4
    one5, one4 = ONE["e5m2"], ONE["e4m3fn"]
    nan, inf, minus = 0x7FC00000, 0x7F800000, 0xFF800000
    assert U(0x7D << 8, 0, 0, e5) == nan
    assert U(0xFF, one4, 0, e4) == nan
    assert U(0x7F << 16, 0, 0x3F800000, e4) == nan
    assert U(0x7C, one5, 0, e5) == inf
    assert U(0x7C, one5 | 0x80, 0, e5) == minus
    assert U(0x7C00, 0, 0, e5) == nan
    assert U(0x7C7C, one5 << 8 | one5 | 0x80, 0, e5) == nan
    assert U(0x7C, one5, minus, e5) == nan
    assert U(one5, one5, minus, e5) == minus
    assert U(0, 0, 0x7F800001, 0) == nan
    assert U(0x7C, 0x7C, 0, e4) == FP32.encode(hw.format("e4m3fn").decode(0x7C) ** 2)


def test_an_infinity_keeps_its_sign_where_the_rest_cancels() -> None:
    """In hardware the significands of infinities are summed up too, here to that of -c."""
    u = hw.unit("dotmulti")
    codes = 0xECEDF87C, 0x707CE8FC, 0x4F890000, 5  # e5m2: two products are -inf
    assert u(*codes) == hw.simulate(u)(*codes) == 0xFF800000


def test_zeros() -> None:
    minus = 0x80000000
    for code, name in MODES.items():
        f = hw.format(name)
        if not f.is_float:
            assert U(0, 0xFFFFFFFF, minus, code) == 0
            continue
        count = 8 if name == "e2m1fn" else 4
        negative, ones = (
            packed([1 << (f.bits - 1)] * count, name),
            packed([ONE[name]] * count, name),
        )
        assert U(negative, ones, minus, code) == minus
        assert U(negative, ones, 0, code) == 0
        assert U(negative, negative, minus, code) == 0
        assert hw.unit("dotmulti:round=rdn")(negative, ones, 0, code) == minus


def test_every_element_counts_once() -> None:
    """Twice three in one place of the operands, and nothing in the others."""
    for code, name in MODES.items():
        f = hw.format(name)
        two, three = (int(f.encode(1.5 if name == "mxint8_element" else x)) for x in (2, 3))
        product = f.decode(two) * f.decode(three)
        for i in range(8 if name == "e2m1fn" else 4):
            codes = [0] * (8 if name == "e2m1fn" else 4)
            a, b = (packed([*codes[:i], x, *codes[i + 1 :]], name) for x in (two, three))
            assert U(a, b, FP32.encode(0.25), code) == FP32.encode(product + 0.25)


def test_the_upper_bits_of_a_byte_with_six_mean_nothing() -> None:
    rng = np.random.default_rng(4)
    a, b, c = (rng.integers(0, 1 << 32, 500, np.uint32) for _ in "abc")
    for code in (1, 6):
        np.testing.assert_array_equal(U(a, b, c, code), U(a & 0x3F3F3F3F, b | 0xC0C0C0C0, c, code))


def test_integers_are_those_of_mxint8() -> None:
    """-128 among them: -2 times -2, four times."""
    assert U(0x80808080, 0x80808080, 0, 0) == FP32.encode(16.0)
    assert U(0x01010101, 0x01FFFF01, FP32.encode(2.0**-12), 0) == FP32.encode(2.0**-12)
    assert U(0x01, 0x01, 0, 0) == FP32.encode(2.0**-12)


FAR = (
    # The addend at every distance from products of e5m2: beside them, above and below by an ulp.
    [(0x7B7B7B7B, 0x7B7B7B7B, e << 23 | low, 5) for e in range(0, 255) for low in (0, 1, 0x7FFFFF)],
    [(0x7B7B7B7B, 0xFBFBFBFB, e << 23 | low, 5) for e in range(0, 255) for low in (0, 1, 0x7FFFFF)],
    [(0x00000001, 0x01, e << 23 | low, 5) for e in range(0, 255) for low in (0, 1, 0x7FFFFF)],
    [(0x00000001, 0x81, e << 23 | low, 5) for e in range(0, 255) for low in (0, 1, 0x7FFFFF)],
    [(0x3C017B01, 0x3C81FB01, e << 23 | low, 5) for e in range(0, 255) for low in (0, 1, 0x7FFFFF)],
    [
        (0x01017B7B, 0x8101FB7B, e << 23 | low, m)
        for e in range(0, 255)
        for low in (1,)
        for m in MODES
    ],
)


def far_operands() -> list[np.ndarray]:
    rows = np.array([row for rows in FAR for row in rows], np.int64)
    both = np.concatenate([rows, rows ^ [0, 0, 1 << 31, 0]])
    types = (np.uint32, np.uint32, np.uint32, np.uint8)
    return [x.astype(t) for x, t in zip(both.T, types, strict=True)]


def test_an_addend_at_every_distance() -> None:
    a, b, c, mode = far_operands()
    y = U(a, b, c, mode)
    for i in range(0, len(a), 13):
        row = (int(a[i]), int(b[i]), int(c[i]))
        assert y[i] == expected(*row, MODES[int(mode[i])], "rne")


def test_the_order_of_elements_does_not_matter() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.integers(0, 256, (2, 400, 4), np.uint8)
    c = FP32.encode(rng.standard_normal(400))
    first = [x.copy().view("<u4")[:, 0] for x in (a, b)]
    other = [np.ascontiguousarray(x[:, [2, 0, 3, 1]]).view("<u4")[:, 0] for x in (a, b)]
    for code in MODES:
        if code != 2:
            np.testing.assert_array_equal(U(*first, c, code), U(*other, c, code))


# -- hardware ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "round", ["rne", *(pytest.param(x, marks=pytest.mark.long) for x in ROUNDINGS if x != "rne")]
)
def test_hardware(round: str) -> None:
    u = hw.unit(f"dotmulti:round={round}")
    assert_equal_on(u, *stimulus(u, 100_000, seed=5))
    assert_equal_on(u, *far_operands())


@pytest.mark.long
def test_hardware_at_length() -> None:
    assert_equal_on(U, *stimulus(U, 20_000_000, seed=6))


@pytest.mark.long
def test_every_pair_of_elements_in_hardware() -> None:
    a, b = (x.astype(np.uint32).ravel() for x in np.divmod(np.arange(1 << 16), 256))
    for code in MODES:
        for c in (0, 0x80000000, 0x3F800001, 0xB3000000):
            assert_equal_on(U, a << 8, b << 8, np.uint32(c), np.uint8(code))


@pytest.mark.long
def test_regression() -> None:
    result = hw.regress("dotmulti:stages=3", vectors=400)
    assert (result.failed, len(result.phases)) == (0, 12), result.message


@pytest.mark.long
def test_hardware_with_products_for_multiplier_blocks() -> None:
    text = hw.verilog(U, dsp=True)
    operands = stimulus(U, 100_000, seed=9)
    np.testing.assert_array_equal(hw.simulate(U, verilog=text)(*operands), U(*operands))


@pytest.mark.long
def test_the_mapped_netlist() -> None:
    netlist = hw.synthesize(U, recipe="cmos").netlist
    operands = stimulus(U, 100_000, seed=8)
    np.testing.assert_array_equal(hw.simulate(U, verilog=netlist)(*operands), U(*operands))


FAULTS = (
    (r"lost = .*;", "lost = 1'b0;"),
    (r"passes = .*;", "passes = 1'b0;"),
)


@pytest.mark.parametrize(("pattern", "new"), FAULTS)
@pytest.mark.long
def test_injected_faults_are_found(pattern: str, new: str) -> None:
    text = faulty(U, rf"wire {pattern}", f"wire {new}")
    operands = [np.concatenate(x) for x in zip(stimulus(U, 50_000), far_operands(), strict=True)]
    assert (hw.simulate(U, verilog=text)(*operands) != U(*operands)).any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hw.unit("dotmulti:round=sra"), "dotmulti: parameter round: unknown value 'sra'"),
        (lambda: U(1, 2, 3), "dotmulti takes 4 operands (a, b, c, mode), not 3"),
        (lambda: U(1, 2, 3, 8), "operand mode of dotmulti: 8 is not a code of uint3"),
        (lambda: U(1 << 32, 2, 3, 0), "operand a of dotmulti: 4294967296 is not a code of uint32"),
        (lambda: U(1, 2, 0.5, 0), "operand c of dotmulti must be codes of fp32"),
        (lambda: U([1, 2], [1, 2, 3], 0, 0), "must be of one shape or broadcast to one"),
    ],
)
def test_wrong_input(call, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        call()
