"""The exact accumulator against fractions, its widths, its hardware against the golden model."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.evidence.records import EXACT
from hwarith.flow.stimuli.families import stimulus
from hwarith.formats import ROUNDINGS
from hwarith.units.kulisch import Kulisch, sum_bits
from tests import oracle
from tests.evidence import assert_equal_on, compared
from tests.faults import faulty

PRODUCTS = 1, 32, 1024, 4096, 1 << 16, 1 << 20

WIDTHS = {
    "int4": (0, 8, 13, 18, 20, 24, 28),
    "int8": (0, 16, 21, 26, 28, 32, 36),
    "mxint8_element": (-12, 15, 20, 25, 27, 31, 35),
    "e2m1fn": (-2, 9, 14, 19, 21, 25, 29),
    "e2m3fn": (-6, 13, 18, 23, 25, 29, 33),
    "e3m2fn": (-8, 19, 24, 29, 31, 35, 39),
    "e3m4": (-12, 21, 26, 31, 33, 37, 41),
    "e4m3fn": (-18, 37, 42, 47, 49, 53, 57),
    "e4m3fnuz": (-20, 37, 42, 47, 49, 53, 57),
    "binary8p4se": (-20, 37, 42, 47, 49, 53, 57),
    "e5m2": (-32, 65, 70, 75, 77, 81, 85),
    "e5m2fnuz": (-34, 67, 72, 77, 79, 83, 87),
    "binary8p3se": (-34, 67, 72, 77, 79, 83, 87),
    "fp16": (-48, 81, 86, 91, 93, 97, 101),
    "bf16": (-266, 523, 528, 533, 535, 539, 543),
    "tf32": (-272, 529, 534, 539, 541, 545, 549),
    "fp32": (-298, 555, 560, 565, 567, 571, 575),
    "fp64": (-2148, 4197, 4202, 4207, 4209, 4213, 4217),
}
"""Of products of a format: the weight of the lsb, and the bits of sums of as many as `PRODUCTS`.
Calculated apart from this project."""


@pytest.mark.parametrize("name", WIDTHS)
def test_widths(name: str) -> None:
    lsb, *bits = WIDTHS[name]
    units = [hw.unit(f"kulisch:a={name},k={k}") for k in PRODUCTS]
    assert [u.bits for u in units] == bits
    assert {u.lsb for u in units} == {lsb}


def test_widths_of_others_for_the_same() -> None:
    """Kulisch's register for fp64 has 92 bits for carries. Aggarwal et al. (arXiv 2311.12359) give
    a closed form, in which the highest binade is one of numbers. Blocks of NVFP4 have scales."""
    assert hw.unit("kulisch:a=fp64,k=1").bits - 1 + 92 == 4288
    for name, (e, m) in {"e2m1fn": (2, 1), "e2m3fn": (2, 3), "e3m2fn": (3, 2)}.items():
        assert hw.unit(f"kulisch:a={name},k=1").bits == 2 * (2**e + m) - 1
    assert hw.unit("kulisch:a=e4m3fn,k=1").bits == 2 * (2**4 + 3) - 1
    assert hw.unit("kulisch:a=e5m2fnuz,k=1").bits == 2 * (2**5 + 2) - 1
    element, scale = hw.format("e2m1fn"), hw.format("ue4m3")
    groups = {1: 48, 64: 54, 256: 56, 4096: 60}
    for count, bits in groups.items():
        assert sum_bits(16 * count, element, element, scale, scale) == bits
    assert element.smallest**2 * scale.smallest**2 == Fraction(1, 1 << 20)


# -- the definition ------------------------------------------------------------------------------


def finite(f: hw.Format, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Random finite codes, most of exponents near each other."""
    rng = np.random.default_rng(seed)
    n = f.numbers
    if not f.is_float:
        return rng.integers(0, 1 << f.bits, shape).astype(f.dtype)
    near = f.encode(rng.standard_normal(shape))
    anywhere = rng.integers(0, n.max_mag, shape, endpoint=True)
    if f.signed:
        anywhere |= rng.integers(0, 2, shape) << (f.bits - 1) if f.bits < 64 else 0
    if n.negative_zero == 0 and f.signed:
        anywhere = np.where(anywhere == 1 << (f.bits - 1), 0, anywhere)
    return np.where(rng.integers(4, size=shape) == 0, anywhere.astype(f.dtype), near)


def exact(u: Kulisch, a: np.ndarray, b: np.ndarray) -> Fraction:
    products = (u.a.fraction(x) * u.b.fraction(y) for x, y in zip(a, b, strict=True))
    return sum(products, Fraction(0))


@pytest.mark.parametrize(
    "formats",
    [
        "a=e4m3fn,out=fp32",
        "a=e5m2,b=e4m3fn,out=fp16",
        "a=e2m1fn,b=e3m2fn,out=bf16",
        "a=int8,b=e4m3fn,out=bf16",
        "a=fp16,out=e5m2,overflow=saturate",
        "a=bf16,out=fp32",
        "a=fp32,b=e5m2fnuz,out=fp16,overflow=satprop",
        "a=ue4m3,b=int4,out=e4m3fn",
    ],
)
def test_sums_are_exact_and_rounded_once(formats: str) -> None:
    for mode in ROUNDINGS if "out=bf16" in formats else ("rne", "rdn"):
        u = hw.unit(f"kulisch:{formats},k=30,round={mode}")
        a, b = (finite(f, (12, 30), seed) for seed, f in enumerate((u.a, u.b)))
        b[:4, 15:], a[:4, 15:] = b[:4, :15], a[:4, :15]
        if u.b.is_float and u.b.has_negative_zero:
            b[:4, 15:-1] ^= 1 << (u.b.bits - 1)  # but for one product, all cancel
        y = u(a, b)
        for row in range(12):
            total = exact(u, a[row], b[row])
            assert y[row] == oracle.round_exact(total, u.out, mode, u.overflow)
        compared(EXACT, y.size, u)
        assert u.golden(a[0].tolist(), b[0].tolist()) == y[0]


@pytest.mark.parametrize("spec", ["a=fp64,k=9", "a=fp64,b=bf16,out=fp64,k=9", "a=e8m0fnu,out=bf16"])
def test_formats_of_any_width(spec: str) -> None:
    u = hw.unit(f"kulisch:{spec}")
    rng = np.random.default_rng(3)
    x, y = (np.abs(rng.standard_normal((5, 9))) * 2.0 ** rng.integers(-40, 40) for _ in "ab")
    a, b = u.a.encode(x), u.b.encode(y)
    got = u(a, b)
    for row in range(5):
        assert got[row] == u.out.encode(exact(u, a[row], b[row]), overflow="nosat")
    compared(EXACT, got.size, u)


def test_integers() -> None:
    for out, overflow in (
        ("int32", "wrap"),
        ("int9", "saturate"),
        ("int9", "wrap"),
        ("uint4", "saturate"),
    ):
        u = hw.unit(f"kulisch:a=int8,b=uint4,out={out},overflow={overflow}")
        a, b = finite(u.a, (50, 6), 1), finite(u.b, (50, 6), 2)
        for x, y, got in zip(a, b, u(a, b), strict=True):
            total = int(exact(u, x, y))
            clamped = min(max(total, int(u.out.min)), int(u.out.max))
            assert got == (clamped if overflow == "saturate" else total) % (1 << u.out.bits)


ONE, INF, NAN, ZERO, MINUS = 0x3C, 0x7C, 0x7D, 0x00, 0x80
"""Codes of e5m2."""


@pytest.mark.parametrize(
    ("a", "b", "y"),
    [
        ([ONE, NAN, INF], [ONE, ZERO, ONE], 0x7E),
        ([INF, ONE, ONE], [ONE, ONE, INF], INF),
        ([ONE, INF], [ONE, ONE | MINUS], INF | MINUS),
        ([INF | MINUS, ONE], [ONE | MINUS, ONE | MINUS], INF),
        ([INF, ONE], [ONE, INF | MINUS], 0x7E),
        ([ONE, INF], [ONE, ZERO], 0x7E),
        ([MINUS, ONE], [INF, ONE], 0x7E),
        ([0x7B] * 4, [0x7B] * 4, INF),
        ([0x7B] * 4, [0xFB] * 4, INF | MINUS),
    ],
)
def test_infinities_and_nan_stay_to_the_end(a: list[int], b: list[int], y: int) -> None:
    u = hw.unit("kulisch:a=e5m2,out=e5m2")
    assert u(a, b) == y
    assert u(a[::-1], b[::-1]) == y
    assert u(b, a) == y


@pytest.mark.parametrize("mode", ROUNDINGS)
def test_a_sum_of_zero_is_positive(mode: str) -> None:
    """Of zeros of either sign, and of what cancels."""
    u = hw.unit(f"kulisch:a=e5m2,out=e5m2,round={mode}")
    assert u([MINUS, MINUS], [ONE, ZERO]) == 0
    assert u([ONE, ONE], [ONE, ONE | MINUS]) == 0
    assert u([1], [1]) == (1 if mode in ("rup", "rto") else 0)


@pytest.mark.parametrize("spec", ["a=e4m3fn", "a=fp16,b=e5m2,out=fp16", "a=bf16,out=bf16"])
def test_neither_order_nor_partition_matters(spec: str) -> None:
    u = hw.unit(f"kulisch:{spec},k=96")
    a, b = finite(u.a, (20, 96), 5), finite(u.b, (20, 96), 6)
    y = u(a, b)
    rng = np.random.default_rng(7)
    for _ in range(20):
        order = rng.permutation(96)
        np.testing.assert_array_equal(u(a[:, order], b[:, order]), y)
    for parts in (2, 3, 8):
        memories = [
            u.accumulate(x, z)
            for x, z in zip(np.split(a, parts, 1), np.split(b, parts, 1), strict=True)
        ]
        while len(memories) > 1:  # as a tree, the last with the first
            memories = [u.merge(memories[-1], memories[0]), *memories[1:-1]]
        np.testing.assert_array_equal(u.outputs(memories[0])[0], y)


def test_flags_of_parts_are_merged() -> None:
    u = hw.unit("kulisch:a=e5m2,out=e5m2")
    plus, minus, one = (u.accumulate([x], [ONE]) for x in (INF, INF | MINUS, ONE))
    assert u.outputs(u.merge(plus, one))[0] == INF
    assert u.outputs(u.merge(one, minus))[0] == INF | MINUS
    assert u.outputs(u.merge(plus, minus))[0] == 0x7E


# -- the width -----------------------------------------------------------------------------------


class Narrow(Kulisch):
    """With a bit less than sums need."""

    @property
    def bits(self) -> int:
        return super().bits - 1


def extremes(u: Kulisch) -> list[tuple[np.ndarray, np.ndarray]]:
    """Groups of `k`: all of the greatest product, of either sign, alternating, all of the least."""
    top = [f.encode(max(f.max, -f.min) * (1 if f.is_float else -1)) for f in (u.a, u.b)]
    a, b = (np.full(u.k, x) for x in top)
    negative = (
        b ^ b.dtype.type(1 << (u.b.bits - 1)) if u.b.is_float else np.full(u.k, u.b.encode(u.b.max))
    )
    least = [np.full(u.k, f.encode(f.smallest)) for f in (u.a, u.b)]
    return [(a, b), (a, negative), (a, np.where(np.arange(u.k) % 2, b, negative)), tuple(least)]


@pytest.mark.parametrize(
    "name", ["int4", "e2m1fn", "e3m2fn", "e4m3fn", "e5m2", "fp16", "bf16", "fp32"]
)
def test_the_greatest_sums_just_fit(name: str) -> None:
    """A bit less gives something else. Sums up to 2^24 are exact in fp32, so k is small."""
    for k in (1, 5, 32):
        spec = {"a": name, "k": k, "out": "e15m112", "round": "rtz"}
        u, narrow = Kulisch(**spec), Narrow(**spec)
        for a, b in extremes(u):
            total = exact(u, a, b)
            assert abs(total) < Fraction(2) ** (u.bits - 1 + u.lsb)
            assert u.out.fraction(int(u(a, b))) == total
        a, b = extremes(u)[0]
        assert narrow(a, b) != u(a, b)


@pytest.mark.long
def test_the_greatest_sums_just_fit_in_hardware() -> None:
    spec = {"a": "e2m1fn", "k": 57, "segments": 6}
    u = Kulisch(**spec)
    groups = [np.stack(x) for x in zip(*extremes(u), strict=True)]
    np.testing.assert_array_equal(hw.simulate(u)(*groups), u(*groups))
    assert (hw.simulate(Narrow(**spec))(*groups) != u(*groups)).any()


# -- hardware ------------------------------------------------------------------------------------


def groups_of(u: Kulisch, rows: int, length: int, seed: int = 3) -> list[np.ndarray]:
    operands = stimulus(u, rows * length, seed)
    chosen = np.random.default_rng(seed).integers(operands[0].size, size=(rows, length))
    return [x[chosen] if x.size < chosen.size else x.reshape(rows, length) for x in operands]


FAST = (
    "kulisch:a=e4m3fn,k=4096",
    "kulisch:a=e2m1fn,b=e3m2fn,out=fp16,k=40,segments=5,stages=5",
    "kulisch:a=int4,b=uint3,out=int9,k=40,segments=3,overflow=saturate,stages=3",
)
LONG = (
    "kulisch:a=e5m2,out=e5m2,segments=16,stages=2,round=rdn",
    "kulisch:a=int8,b=e4m3fn,out=bf16,segments=8,round=rup",
    "kulisch:a=fp16,b=e4m3fnuz,out=bf16,segments=16,stages=4",
    "kulisch:a=fp16,out=fp16,overflow=saturate,segments=32,round=rto",
    "kulisch:a=bf16,segments=32,stages=6",
    "kulisch:a=e5m2,out=e8m0fnu,k=9",
    "kulisch:a=ue4m3,b=e8m0fnu,out=e5m2,k=9,round=rna",
)


@pytest.mark.parametrize("spec", [*FAST, *(pytest.param(x, marks=pytest.mark.long) for x in LONG)])
def test_hardware_with_and_without_pauses(spec: str) -> None:
    u = hw.unit(spec)
    sim = hw.simulate(u)
    for rows, length in ((20_000, 1), (4_000, 9)):
        operands = groups_of(u, rows, length)
        expected = u(*operands)
        np.testing.assert_array_equal(sim(*operands), expected)
        assert sim.clocks == rows * length + u.stages
        paused = sim.stream(*operands, idle=0.3, stall=0.5, seed=rows)
        np.testing.assert_array_equal(paused, expected)


@pytest.mark.long
def test_every_product_in_hardware() -> None:
    """Of two e2m3fn; and of each with a third one before it."""
    u = hw.unit("kulisch:a=e2m3fn,k=2,out=fp16,segments=7")
    a, b = (x.reshape(-1, 1) for x in np.divmod(np.arange(1 << 12, dtype=np.uint16), 64))
    assert_equal_on(u, a, b)
    assert_equal_on(u, np.repeat([[0x1F, 0]], 1 << 12, 0) + a * [0, 1], np.insert(b, 0, 0x3F, 1))


@pytest.mark.long
def test_the_mapped_netlist() -> None:
    u = hw.unit("kulisch:a=e2m1fn,out=e4m3fn,k=9,segments=4,stages=2")
    netlist = hw.synthesize(u, recipe="cmos").netlist
    operands = groups_of(u, 500, 9)
    np.testing.assert_array_equal(hw.simulate(u, verilog=netlist)(*operands), u(*operands))


@pytest.mark.long
def test_regression() -> None:
    result = hw.regress("kulisch:a=e2m1fn,out=fp16,k=20,segments=4,stages=4", vectors=400)
    assert (result.failed, len(result.phases)) == (0, 12), result.message


FAULTS = (
    # A carry is not saved; not resolved; not cleared with the sum. A product's sign ends with its
    # bank. Minus infinity is not told; the sum is ready before it is complete; -0 times -1.
    (r"carries_so_far\[0\]", "1'b0"),
    (r"saved = \{(\d+)'d0, carries\[1\]", r"saved = {\1'd0, 1'b0"),
    (r"carries_so_far = first \? 2'd0 : ", "carries_so_far = "),
    (r"above = .*;", "above = 0;"),
    (r"special = \{special_or & product_sign", "special = {1'b0"),
    (r"assign o_valid = .*;", "assign o_valid = valid_1 | offered;"),
    (r"product = \{product_sign & ~negated\[\d+\]", "product = {product_sign"),
)
FAULTY = "kulisch:a=e4m2,k=9,out=fp16,segments=12"


@pytest.mark.parametrize(
    ("pattern", "new"),
    [*FAULTS[:1], *(pytest.param(*x, marks=pytest.mark.long) for x in FAULTS[1:])],
)
def test_injected_faults_are_found(pattern: str, new: str) -> None:
    u = hw.unit(FAULTY)
    text = faulty(u, rf"\b{pattern}", new, most=2)
    operands = groups_of(u, 3000, 9)
    try:
        got = hw.simulate(u, verilog=text).stream(*operands, stall=0.5)
    except hw.ToolFailure as error:
        assert "result" in str(error)  # noqa: PT017 (either way the fault is found)
    else:
        assert (got != u(*operands)).any()


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("kulisch:a=e4m3fn,k=0", "kulisch: parameter k: must be 1 to 1099511627776, not 0"),
        (
            "kulisch:a=e4m3fn,segments=49",
            "segments: must be 0 to 48, less than the bits of the sum",
        ),
        ("kulisch:a=e4m3fn,round=sra", "kulisch: parameter round: unknown value 'sra'"),
        ("kulisch:a=e4m3fn,out=int32", "an integer result takes integer operands, not e4m3fn"),
        ("kulisch:a=mxint8_element,out=int32", "takes integer operands, not mxint8_element"),
        ("kulisch:a=int8,out=int32,round=rtz", "integer arithmetic is exact and takes none"),
        ("kulisch:a=int8,out=int32,overflow=nosat", "must be wrap or saturate for int32"),
        ("kulisch:a=e4m3fn,overflow=wrap", "kulisch: parameter overflow: must be nosat"),
        ("kulisch:a=e4m3fm", "unknown format 'e4m3fm'"),
        ("kulisch:a=e4m3fn,stages=9", "kulisch: parameter stages: must be 1 to 8, not 9"),
    ],
)
def test_wrong_specs(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        hw.unit(spec)


@pytest.mark.parametrize(
    ("operands", "message"),
    [
        (([1] * 6, 1), "groups of kulisch with k=5 have at most 5 products, not 6"),
        (([], []), "arrays of shape (..., n) with n at least 1, not (0,)"),
        ((1, 2), "arrays of shape (..., n) with n at least 1, not ()"),
        (([256], [1]), "operand a of kulisch: 256 is not a code of e4m3fn"),
        (([1.5], [1]), "operand a of kulisch must be codes of e4m3fn"),
        (([1, 2], [1, 2, 3]), "must be of one shape or broadcast to one"),
    ],
)
def test_wrong_operands(operands: tuple, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        hw.unit("kulisch:a=e4m3fn,k=5")(*operands)


def test_hardware_of_sums_that_are_too_wide_is_refused() -> None:
    message = "a=fp64, b=fp64, k=9: the hardware of a sum has at most 1024 bits, not 4201"
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        hw.verilog("kulisch:a=fp64,k=9")
    with pytest.raises(hw.InvalidInput, match="at most 1024 bits"):
        hw.unit("kulisch:a=fp64,k=9,stages=2")


def test_specs_make_the_same_unit() -> None:
    for spec in (*FAST, *LONG):
        u = hw.unit(spec)
        assert hw.unit(u.spec) == u
    u = hw.unit("kulisch:a=int8,out=int32")
    assert u.spec == "kulisch:a=int8,b=int8,out=int32,k=4096"
    assert hw.unit("kulisch").name == "kulisch_bf16_bf16_fp32_k4096_rne"
