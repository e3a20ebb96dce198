"""Options of the exact units: flags, modes on a port, random bits, subnormals, NaN, overflow,
negation and integer operands, against exact fractions and Berkeley SoftFloat."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import softfloatpy as softfloat

import hwarith as hw
from hwarith.flow.evidence.records import EXACT, SOFTFLOAT
from hwarith.flow.stimuli.directed import directed
from hwarith.flow.stimuli.families import stimulus
from hwarith.formats import ROUNDINGS
from tests import flag_oracle, oracle
from tests.evidence import assert_golden, compared
from tests.tiers import few
from tests.units.test_exact import pairs, signs
from tests.units.test_softfloat import METHODS, MODES, TYPES

NX, UF = flag_oracle.NX, flag_oracle.UF

RM = {"rne": 0, "rtz": 1, "rdn": 2, "rup": 3, "rna": 4, "rto": 6}
"""The numbers of RISC-V's rm field, and HardFloat's of rounding to odd."""


# -- flags -----------------------------------------------------------------------------------------


def assert_flags(spec: str, columns: tuple[np.ndarray, ...], mode: str, before: bool) -> None:
    u = hw.unit(f"{spec},round={mode},flags={'before' if before else 'after'}")
    found = u(*columns)
    np.testing.assert_array_equal(found.y, hw.unit(f"{spec},round={mode}")(*columns))
    rows = zip(*(x.tolist() for x in columns), strict=True)
    expected = [flag_oracle.of_operation(u, codes, mode, before) for codes in rows]
    np.testing.assert_array_equal(found.flags, expected)
    compared(EXACT, len(expected), u, columns)


@pytest.mark.parametrize("mode", few(ROUNDINGS, 2))
@pytest.mark.parametrize("name", few(["e2m1fn", "e2m3fn", "e3m2fn", "e3m2", "binary5p1se"], 3))
@pytest.mark.parametrize("family", ["mul", "add"])
def test_flags_of_every_pair(family: str, name: str, mode: str) -> None:
    for before in (False, True):
        assert_flags(f"{family}:a={name}", pairs(hw.format(name)), mode, before)


@pytest.mark.long
@pytest.mark.parametrize("mode", ROUNDINGS)
@pytest.mark.parametrize("name", ["e4m3fn", "e4m3", "e5m2", "e3m4", "e4m3fnuz", "e5m2fnuz"])
@pytest.mark.parametrize("family", ["mul", "add"])
def test_flags_of_every_pair_of_eight_bits(family: str, name: str, mode: str) -> None:
    for before in (False, True):
        assert_flags(f"{family}:a={name}", pairs(hw.format(name)), mode, before)


@pytest.mark.parametrize("mode", ROUNDINGS)
@pytest.mark.parametrize(
    "spec",
    few(
        ["fma:a=e4m3fn", "fma:a=e5m2", "mul:a=e4m3,out=e3m2", "fma:a=fp16,b=int4,c=bf16,out=bf16"],
        2,
    ),
)
def test_flags_of_directed_vectors(spec: str, mode: str) -> None:
    vectors = directed(hw.unit(spec), 600, seed=4)
    columns = tuple(np.concatenate(x) for x in zip(*vectors.values(), strict=True))
    for before in (False, True):
        assert_flags(spec, columns, mode, before)


@pytest.mark.parametrize(
    "spec",
    [
        "mul:a=e4m3,overflow=saturate",
        "mul:a=e4m3,overflow=satprop",
        "mul:a=e4m3,overflow=nan",
        "add:a=e4m3,out=e2m1fn",
        "add:a=e5m2,out=e4m3fn,overflow=p3109_satnone",
        "mul:a=e5m2,b=e4m3fnuz,out=e5m2fnuz,overflow=satprop",
        "fma:a=e3m2,b=e4m3fn,c=e5m2,out=e3m2fn,overflow=saturate",
    ],
)
def test_flags_of_results_that_the_format_has_not_got(spec: str) -> None:
    """Infinities and NaN among zeros, ones and the largest values."""
    codes = []
    for f in hw.unit(spec).terms.values():
        values = [0.0, -0.0, 1.0, -1.5, float(f.max), math.inf, -math.inf, math.nan]
        signaling = [f.numbers.inf_mag + 1] if f.nan == "ieee" else []
        codes.append([*(int(f.encode(v)) for v in values), *signaling])
    columns = tuple(np.array(x) for x in zip(*product(*codes), strict=True))
    for mode, before in product(("rne", "rtz"), (False, True)):
        assert_flags(spec, columns, mode, before)


@pytest.mark.parametrize(
    ("spec", "operand", "y", "flags"),
    [
        ("mul:a=fp16", 0x7C00, 0x7C00, 0),
        ("mul:a=fp16,overflow=satprop", 0x7C00, 0x7C00, 0),
        ("mul:a=fp16,overflow=saturate", 0xFC00, 0xFBFF, flag_oracle.NX),
        ("mul:a=fp16,out=e4m3fn", 0x7C00, 0x7F, flag_oracle.NX),
        ("mul:a=fp16,out=e4m3fn", 0x7E00, 0x7F, 0),
        ("mul:a=fp16,out=e2m1fn", 0x7C00, 0x7, flag_oracle.NX),
        ("mul:a=fp16,out=e2m1fn", 0x7E00, 0x7, flag_oracle.NV),
    ],
)
def test_flags_of_infinity_and_nan_times_one(spec: str, operand: int, y: int, flags: int) -> None:
    assert hw.unit(f"{spec},flags=after").golden(operand, 0x3C00) == (y, flags)


@pytest.mark.parametrize("mode", [*ROUNDINGS, "sra", "srb", "src"])
@pytest.mark.parametrize("ftz", [False, True], ids=["keep", "ftz"])
@pytest.mark.parametrize("spec", ["mul:a=e3m2fn", "fma:a=binary4p1se"])
def test_tiny_before_is_what_the_exact_value_says(spec: str, ftz: bool, mode: str) -> None:
    """IEEE 754-2019, 7.5, whatever rounds; at random, after is what the result says."""
    options = f"{spec},round={mode},subnormals={'ftz' if ftz else 'keep'}"
    options += ",n=3" if mode in ("sra", "srb", "src") else ""
    plain = hw.unit(options)
    f = plain.out
    operands = [x.ravel() for x in np.meshgrid(*(t.codes() for t in plain.terms.values()))]
    codes = [*operands]
    if plain.n:
        operands.append(np.random.default_rng(1).integers(0, 8, codes[0].size))
    before, after = (hw.unit(f"{options},flags={x}")(*operands) for x in ("before", "after"))
    np.testing.assert_array_equal(before.y, plain(*operands))
    values = {code: flag_oracle.value(f, code) for code in f.codes().tolist()}
    rounded_up = 0
    for i, row in enumerate(zip(*(x.tolist() for x in (*codes, before.y)), strict=True)):
        x, w, *addend, result = (values[code] for code in row)
        if any(isinstance(z, float) for z in (x, w, *addend, result)):
            continue
        exact = x * w + sum(addend)
        inexact, tiny = exact != result, abs(exact) < f.smallest_normal
        if abs(exact) > f.max:
            continue
        assert before.flags[i] == (NX * inexact | UF * (inexact and tiny)), row
        if plain.n:
            small = abs(result) < f.smallest_normal
            assert after.flags[i] == (NX * inexact | UF * (inexact and small)), row
        rounded_up += tiny and abs(result) == f.smallest_normal
    assert rounded_up > 0 or mode in ("rtz", "rto")


def softfloats(
    family: str, name: str, mode: str, operands: tuple[np.ndarray, ...]
) -> tuple[list, list]:
    """SoftFloat's codes and flags, one operation after the other."""
    if name == "bf16":
        return softfloats_of_bf16(family, mode, operands)
    softfloat.set_rounding_mode(MODES[mode])
    number = TYPES[name]
    size = hw.format(name).bits // 8
    codes, flags = [], []
    for row in zip(*(x.tolist() for x in operands), strict=True):
        numbers = [number.from_bytes(code.to_bytes(size, "big")) for code in row]
        softfloat.set_exception_flags(0)
        result = getattr(number, METHODS[family])(*numbers)
        flags.append(int(softfloat.get_exception_flags()))
        codes.append(int.from_bytes(result.to_bytes(), "big") | lost(mode, flags[-1]))
    return codes, flags


def lost(mode: str, flags: int) -> int:
    """The lsb that rounding to odd sets after truncation (`test_softfloat`)."""
    return int(mode == "rto" and flags & flag_oracle.NX > 0)


def softfloats_of_bf16(
    family: str, mode: str, operands: tuple[np.ndarray, ...]
) -> tuple[list, list]:
    """The same for bf16, which SoftFloat only converts: in fp32, of the same range, rounded to odd,
    after which another rounding gives what rounding at once would. Only that tells what is tiny."""
    single, bf16 = softfloat.Float32, softfloat.BFloat16
    codes, flags = [], []
    for row in zip(*(x.tolist() for x in operands), strict=True):
        numbers = [single.from_bytes((code << 16).to_bytes(4, "big")) for code in row]
        softfloat.set_rounding_mode(softfloat.RoundingMode.MIN_MAG)
        softfloat.set_exception_flags(0)
        wide = getattr(single, METHODS[family])(*numbers)
        first = int(softfloat.get_exception_flags()) & ~flag_oracle.UF
        softfloat.set_rounding_mode(MODES[mode])
        softfloat.set_exception_flags(0)
        if first & flag_oracle.NX:
            odd = int.from_bytes(wide.to_bytes(), "big") | 1
            wide = single.from_bytes(odd.to_bytes(4, "big"))
        else:  # exact, but for the sign of a zero
            wide = getattr(single, METHODS[family])(*numbers)
        code = int.from_bytes(bf16.from_f32(wide).to_bytes(), "big")
        flags.append(first | int(softfloat.get_exception_flags()))
        codes.append(code | lost(mode, flags[-1]))
    return codes, flags


def assert_softfloat(family: str, name: str, mode: str, before: bool, n: int) -> None:
    modes = softfloat.TininessMode
    softfloat.set_tininess_mode(modes.BEFORE_ROUNDING if before else modes.AFTER_ROUNDING)
    f = hw.format(name)
    u = hw.unit(f"{family}:a={name},round=port,flags={'before' if before else 'after'}")
    operands = stimulus(hw.unit(f"{family}:a={name}"), n, seed=11)
    found = u(*operands, RM[mode])
    codes, flags = softfloats(family, name, mode, operands)
    compared(SOFTFLOAT, len(codes), u)
    expected = np.array(codes, f.dtype)
    nan = np.isnan(f.decode(expected))
    np.testing.assert_array_equal(found.y[~nan], expected[~nan])
    assert (found.y[nan] == f.numbers.nan_code).all()
    np.testing.assert_array_equal(found.flags, flags)


@pytest.mark.parametrize("before", [False, True], ids=["after", "before"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", few(["fp16", "bf16", "fp32", "fp64"], 2))
@pytest.mark.parametrize("family", METHODS)
def test_flags_and_modes_are_those_of_softfloat(
    family: str, name: str, mode: str, before: bool
) -> None:
    assert_softfloat(family, name, mode, before, 4_000)


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["fp16", "bf16", "fp32", "fp64"])
@pytest.mark.parametrize("family", METHODS)
def test_two_million_vectors_with_softfloat(family: str, name: str, mode: str) -> None:
    """In five modes and three operations, 30 million a format."""
    for before in (False, True):
        assert_softfloat(family, name, mode, before, 1_000_000)


def test_flags_beside_wide_results() -> None:
    """Together with the flags a code of fp64 has more than 64 bits."""
    u = hw.unit("add:a=fp64,flags=after")
    f = hw.format("fp64")
    a, b = f.encode(np.array([1.0, 1.5e308, 1.0])), f.encode(np.array([2.0**-60, 1.5e308, 2.0]))
    found = u(a, b)
    assert f.decode(found.y).tolist() == [1.0, math.inf, 3.0]
    assert found.flags.tolist() == [flag_oracle.NX, flag_oracle.OF | flag_oracle.NX, 0]
    assert u.golden(int(a[0]), int(b[0])) == (int(a[0]), flag_oracle.NX)
    narrow = hw.unit("mul:a=e4m3,out=fp64,flags=after")
    a, b = pairs(narrow.a)
    found = narrow(a, b)
    np.testing.assert_array_equal(found.y, hw.unit("mul:a=e4m3,out=fp64")(a, b))
    assert set(found.flags.tolist()) == {0, flag_oracle.NV}


# -- modes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", ["mul:a=e4m3fn", "add:a=e5m2", "fma:a=e3m2fn"])
def test_mode_on_a_port(spec: str) -> None:
    u = hw.unit(f"{spec},round=port")
    operands = stimulus(hw.unit(spec), 1 << 16, seed=2)
    for mode in ROUNDINGS:
        fixed = hw.unit(f"{spec},round={mode}")
        np.testing.assert_array_equal(u(*operands, RM[mode]), fixed(*operands))
    for rm in (5, 7):  # reserved without random bits
        np.testing.assert_array_equal(u(*operands, rm), hw.unit(spec)(*operands))


def test_modes_and_random_bits_together() -> None:
    u = hw.unit("mul:a=e4m3fn,round=port_srb,n=3")
    a, b = pairs(u.a)
    r = np.arange(a.size, dtype=np.uint8) % 8
    for mode in ROUNDINGS:
        np.testing.assert_array_equal(
            u(a, b, RM[mode], r), hw.unit(f"mul:a=e4m3fn,round={mode}")(a, b)
        )
    np.testing.assert_array_equal(u(a, b, 5, r), hw.unit("mul:a=e4m3fn,round=srb,n=3")(a, b, r))


@pytest.mark.parametrize("n", [1, 3, 8])
@pytest.mark.parametrize("mode", ["sra", "srb", "src"])
@pytest.mark.parametrize("name", ["e4m3fn", "e5m2", "e3m2fn", "e4m3fnuz"])
@pytest.mark.parametrize("family", ["mul", "add"])
def test_random_bits(family: str, name: str, mode: str, n: int) -> None:
    """Products and sums of 8-bit codes of few binades are exact in longdouble."""
    f = hw.format(name)
    a, b = pairs(f)
    random = np.random.default_rng(1).integers(0, 1 << n, a.size).astype(np.uint16)
    x, y = f.decode(a).astype(np.longdouble), f.decode(b).astype(np.longdouble)
    with np.errstate(invalid="ignore"):
        exact = x * y if family == "mul" else x + y
    zero_sign = signs(a, f) ^ signs(b, f) if family == "mul" else signs(a, f) & signs(b, f)
    expected = oracle.round_values(exact, f, mode, "nosat", zero_sign, n, random)
    u = hw.unit(f"{family}:a={name},round={mode},n={n}")
    assert_golden(u, (a, b, random), expected)


# -- subnormals ------------------------------------------------------------------------------------


def without_subnormals(codes: np.ndarray, f: hw.Format) -> np.ndarray:
    """Subnormal codes as zeros of their sign."""
    mag = codes & f.numbers.mag_mask
    nan = np.isnan(f.decode(codes))
    tiny = (mag < (1 << f.fraction_bits)) & ~nan
    zero = (codes - mag) if f.has_negative_zero else np.zeros_like(codes)
    return np.where(tiny, zero, codes)


@pytest.mark.parametrize("mode", ROUNDINGS)
@pytest.mark.parametrize("name", few(["e4m3fn", "e5m2", "e3m2fn", "e4m3fnuz", "binary5p1se"], 3))
@pytest.mark.parametrize("family", few(["mul", "add"], 2))
def test_subnormals(family: str, name: str, mode: str) -> None:
    """Results that are tiny after rounding are flushed: only they, and only with ftz."""
    f = hw.format(name)
    a, b = pairs(f)
    units = {
        option: hw.unit(f"{family}:a={name},round={mode},subnormals={option}")
        for option in ("keep", "daz", "ftz", "flush")
    }
    kept = units["keep"](a, b)
    as_zeros = without_subnormals(a, f), without_subnormals(b, f)
    np.testing.assert_array_equal(units["daz"](a, b), units["keep"](*as_zeros))
    np.testing.assert_array_equal(units["flush"](a, b), units["ftz"](*as_zeros))
    flushed = units["ftz"](a, b)
    near = np.flatnonzero(np.abs(f.decode(kept)) <= 2 * float(f.smallest_normal))
    np.testing.assert_array_equal(np.delete(flushed, near), np.delete(kept, near))
    for i in near:
        x, y = f.fraction(int(a[i])), f.fraction(int(b[i]))
        exact = x * y if family == "mul" else x + y
        unbounded = flag_oracle.rounded(exact, f.precision, None, mode, -f.bias)
        if exact != 0 and abs(unbounded) < f.smallest_normal:
            expected = int(exact < 0) << (f.bits - 1) if f.has_negative_zero else 0
        elif exact == 0:
            expected = int(kept[i])
        else:
            expected = int(f.encode(unbounded))
        assert int(flushed[i]) == expected, (hex(a[i]), hex(b[i]))


@pytest.mark.parametrize("mode", few(ROUNDINGS, 3))
def test_one_bit_of_precision(mode: str) -> None:
    """Of powers of two every other one is even, also below the smallest: ties, flags and what is
    flushed go by that (P3109, 4.7.4)."""
    spec = "mul:a=e3m2,out=binary4p1se"
    a, b = pairs(hw.format("e3m2"))
    for before in (False, True):
        assert_flags(spec, (a, b), mode, before)
    u = hw.unit(f"{spec},round={mode},subnormals=ftz")
    seen = set()
    for x, y, code in zip(a.tolist(), b.tolist(), u(a, b).tolist(), strict=True):
        values = flag_oracle.value(u.a, x), flag_oracle.value(u.b, y)
        if any(isinstance(v, float) for v in values):
            continue
        unbounded = flag_oracle.rounded(values[0] * values[1], 1, None, mode, -u.out.bias)
        if abs(unbounded) <= u.out.max:
            tiny = abs(unbounded) < u.out.smallest_normal
            assert code == (0 if tiny else int(u.out.encode(unbounded))), (x, y)
            seen.add(tiny)
    assert seen == {False, True}


def test_flush_raises_underflow() -> None:
    u = hw.unit("mul:a=fp16,subnormals=ftz,flags=after")
    f = u.a
    tiny, half = int(f.encode(float(f.smallest_normal))), int(f.encode(0.5))
    assert u.golden(tiny, half) == (0, flag_oracle.UF | flag_oracle.NX)
    assert hw.unit("mul:a=fp16,flags=after").golden(tiny, half) == (tiny // 2, 0)


# -- NaN and overflow ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "codes", "expected"),
    [
        ("mul:a=fp16", (0x7D23, 0x3C00), 0x7F23),  # a signaling one is made quiet
        ("mul:a=fp16", (0x3C00, 0xFE01), 0xFE01),  # the sign stays
        ("mul:a=fp16", (0x7E01, 0xFE02), 0x7E01),  # the first one
        ("mul:a=fp16", (0x7C00, 0x0000), 0x7E00),  # none: the canonical one
        ("add:a=fp16,op=sub", (0x3C00, 0x7E01), 0x7E01),  # is not negated
        ("add:a=bf16,b=fp16,out=fp32", (0x3F80, 0x7E01), 0x7FC02000),  # msb first
        ("fma:a=fp32,out=fp16,c=fp32", (0x3F800000, 0x3F800000, 0xFFFFFFFF), 0xFFFF),
        ("fma:a=fp16", (0x7C00, 0x0000, 0x7E05), 0x7E05),
        ("mul:a=e4m3fn,b=fp16,out=fp16", (0xFF, 0x7E05), 0x7E00),  # no payload to give
        ("mul:a=fp16,out=e4m3fn", (0x7E05, 0x3C00), 0x7F),  # and none to take
    ],
)
def test_nan_payload(spec: str, codes: tuple[int, ...], expected: int) -> None:
    assert hw.unit(f"{spec},nan=payload").golden(*codes) == expected
    assert hw.unit(spec).golden(*codes) == hw.unit(spec).out.numbers.nan_code


@pytest.mark.parametrize("mode", ROUNDINGS)
@pytest.mark.parametrize("name", ["e4m3", "e5m2", "e4m3fn", "e2m3fn", "e5m2fnuz"])
def test_overflow_to_nan(name: str, mode: str) -> None:
    """Finite results beyond the range are NaN, unless the mode rounds them back into it."""
    a, b = pairs(hw.format(name))
    u = hw.unit(f"mul:a={name},round={mode},overflow=nan")
    with_flags = hw.unit(f"mul:a={name},round={mode},flags=after")(a, b)
    saturated = hw.unit(f"mul:a={name},round={mode},overflow=saturate")(a, b)
    negative = (saturated >> (u.out.bits - 1)) == 1
    towards_zero = {"rtz": True, "rto": True, "rup": negative, "rdn": ~negative}.get(mode, False)
    nan = oracle.nan(u.out)
    overflow = np.where(towards_zero, saturated, nan if u.out.nan != "none" else saturated)
    expected = np.where(with_flags.flags & flag_oracle.OF, overflow, with_flags.y)
    np.testing.assert_array_equal(u(a, b), expected)


TO_ODD = [
    ("add:a=fp16", (0x7BFF, 0x7BFF), 0x7BFF),
    ("add:a=fp16", (0xFBFF, 0xFBFF), 0xFBFF),
    ("mul:a=fp32", (0x7F7FFFFF, 0x3F800001), 0x7F7FFFFF),
    ("mul:a=bf16", (0x7F7F, 0xFF7F), 0xFF7F),
    ("fma:a=fp16", (0x7BFF, 0x4000, 0x7BFF), 0x7BFF),
    ("mul:a=e4m3fn", (0x7E, 0x40), 0x7E),
    ("mul:a=e4m3fnuz", (0x7F, 0xFF), 0xFF),
    ("add:a=binary8p4se", (0x7E, 0x7E), 0x7E),
    ("add:a=binary8p4se", (0x7E, 0x50), 0x7E),
    ("mul:a=binary8p4ue", (0xFD, 0xFD), 0xFD),
]
"""Sums and products beyond the largest value: rounded to odd they are that value, which is the odd
one of two or, in e4m3fn and binary8p4se, an even one."""


@pytest.mark.parametrize(("spec", "codes", "expected"), TO_ODD)
def test_to_odd_overflow_is_the_largest_value(
    spec: str, codes: tuple[int, ...], expected: int
) -> None:
    """As in SoftFloat, HardFloat and RISC-V's vfncvt.rod, with any policy, and by port."""
    for policy in ("nosat", "nan", "satprop", "saturate"):
        assert hw.unit(f"{spec},round=rto,overflow={policy}")(*codes) == expected
        assert hw.unit(f"{spec},round=port,overflow={policy}")(*codes, RM["rto"]) == expected


@pytest.mark.parametrize(
    ("name", "value", "mode", "code"),
    [
        ("binary8p4sf", 1e9, "rne", 0x7F),
        ("binary8p4sf", -math.inf, "rne", 0xFF),
        ("binary8p4ue", 1e30, "rto", 0xFD),
        ("binary8p4ue", 1e30, "rne", 0xFE),
        ("binary8p4ue", -1.0, "rne", 0xFF),
        ("binary8p4ue", -1.0, "rtz", 0),
        ("binary8p4ue", -math.inf, "rtz", 0xFF),
        ("binary8p4uf", math.inf, "rne", 0xFE),
        ("binary8p4se", 1e9, "rto", 0x7F),
        ("binary8p4se", -1e9, "rup", 0xFE),
        ("e4m3fn", -math.inf, "rne", 0xFE),
    ],
)
def test_saturation_of_p3109(name: str, value: float, mode: str, code: int) -> None:
    """SatNone of the interim report v4.0, 4.7.5."""
    assert hw.format(name).encode(value, mode, "p3109_satnone") == code


def test_overflow_by_its_common_name() -> None:
    assert hw.unit("mul:a=fp16,overflow=inf") == hw.unit("mul:a=fp16")
    with pytest.raises(hw.InvalidInput, match="e4m3fn, not 'inf'"):
        hw.unit("mul:a=e4m3fn,overflow=inf")


# -- negation and integers -------------------------------------------------------------------------

NEGATED = {"madd": (0, 0), "msub": (0, 1), "nmsub": (1, 0), "nmadd": (1, 1)}


@pytest.mark.parametrize("mode", ["rne", "rdn"])
def test_negated_multiply_adds(mode: str) -> None:
    """In IEEE formats a negated term is one with the other sign bit."""
    f = hw.format("e4m3")
    plain, port = hw.unit(f"fma:a=e4m3,round={mode}"), hw.unit(f"fma:a=e4m3,round={mode},op=port")
    a, b, c = stimulus(plain, 1 << 16, seed=3)
    sign = f.dtype.type(1 << (f.bits - 1))
    for op, (name, (product_, addend)) in enumerate(NEGATED.items()):
        expected = plain(a ^ sign * f.dtype.type(product_), b, c ^ sign * f.dtype.type(addend))
        u = hw.unit(f"fma:a=e4m3,round={mode},op={name}")
        np.testing.assert_array_equal(u(a, b, c), expected)
        np.testing.assert_array_equal(port(a, b, c, op), expected)


@pytest.mark.parametrize("out", ["int16", "e5m2"])
def test_differences(out: str) -> None:
    plain, sub = (hw.unit(f"add:a=int8,b=int4,out={out},op={op}") for op in ("add", "sub"))
    a, b = (x.ravel() for x in np.meshgrid(np.arange(-128, 128), np.arange(-7, 8)))
    np.testing.assert_array_equal(sub(a, b), plain(a, -b))
    np.testing.assert_array_equal(
        hw.unit(f"add:a=int8,b=int4,out={out},op=port")(a, b, 1), sub(a, b)
    )


def exact_value(f: hw.Format, code: int) -> Fraction | None:
    return f.fraction(code) if math.isfinite(float(f.decode(code))) else None


@pytest.mark.parametrize("mode", ["rne", "rup", "rto"])
@pytest.mark.parametrize(
    "spec",
    few(
        [
            "mul:a=e4m3,b=int4,out=e4m3",
            "mul:a=int8,b=int8,out=bf16",
            "mul:a=uint4,b=e5m2,out=fp16",
            "add:a=e5m2,b=int8,out=e5m2",
            "add:a=int8,b=uint4,out=e4m3",
            "add:a=fp16,b=int16,out=bf16",
            "fma:a=e4m3,b=int4,c=e5m2,out=e5m2",
            "fma:a=fp16,b=int4,c=fp32,out=fp32",
            "fma:a=int4,b=int4,c=fp16,out=fp16",
            "fma:a=e4m3,b=e4m3,c=int16,out=bf16",
        ],
        3,
    ),
)
def test_integer_operands_of_floats(spec: str, mode: str) -> None:
    u = hw.unit(f"{spec},round={mode}")
    columns = stimulus(u, 3000, seed=6)
    found = u(*columns)
    checked = 0
    for i, codes in enumerate(zip(*(x.tolist() for x in columns), strict=True)):
        values = [exact_value(f, c) for f, c in zip(u.operands.values(), codes, strict=True)]
        if None in values:
            continue
        x = values[0] * values[1] if u.family != "add" else values[0]
        exact = x + values[-1] if u.family != "mul" else x
        if exact:
            assert int(found[i]) == oracle.round_exact(exact, u.out, mode, "nosat"), codes
            checked += 1
    assert checked > 1000
    compared(EXACT, checked, u)


# -- what is wrong ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("mul:a=int8,round=port", "parameter round: integer arithmetic is exact"),
        ("mul:a=int8,flags=after", "parameter flags: integer arithmetic is exact"),
        ("mul:a=fp16,n=4", "rounding rne takes no random bits"),
        ("mul:a=fp16,round=srb,n=40", "parameter n: must be 1 to 32, not 40"),
        ("mul:a=ue4m3,flags=after", "ue4m3 has no sign or no zero"),
        ("mul:a=fp16,subnormals=off", "unknown value 'off'"),
        ("add:a=fp16,op=rsub", "unknown value 'rsub'"),
    ],
)
def test_wrong_options(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput) as error:
        hw.unit(spec)
    assert message in str(error.value)


def test_options_are_off_by_default() -> None:
    """A unit without options has no port, name or register for them."""
    for family, mode in product(("mul", "add", "fma"), ROUNDINGS):
        text = hw.verilog(f"{family}:a=e4m3,round={mode},stages=2")
        for name in ("rm", "flags", "invalid_operation", "inexact", "nan_code", "random"):
            assert f" {name}" not in text


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("fma:a=int8,optimize=delay", "delay is for results that are floats, not int8"),
        ("fma:a=fp16,out=int8,optimize=delay", "delay is for results that are floats, not int8"),
        ("fma:a=fp16,booth=on,optimize=delay", "delay goes with booth=auto or off, not on"),
        ("mac:a=int8,optimize=delay", "delay is for results that are floats, not int32"),
        ("fma:a=fp16,optimize=speed", "unknown value 'speed'; allowed: area, delay"),
    ],
)
def test_what_is_not_sped_up(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        hw.unit(spec)
