"""Decoders of few bits against exact fractions, and their hardware against the golden model."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise

import ml_dtypes
import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.evidence.records import EXACT
from hwarith.units.decode import TYPES, encode
from tests.evidence import compared
from tests.tiers import few
from tests.units.test_rtl import unseen_faults

# bias, least subnormal, least normal, largest: the table of the types
FLOATS = {
    "e5m1": (15, 2**-15, 2**-14, 49152),
    "e4m2": (7, 2**-8, 2**-6, 448),
    "e3m3": (3, 2**-5, 0.25, 30),
    "e2m4": (1, 2**-4, 1, 7.75),
    "e4m1": (7, 2**-7, 2**-6, 384),
    "e3m2": (3, 2**-4, 0.25, 28),
    "e2m3": (1, 2**-3, 1, 7.5),
    "e3m1": (3, 2**-3, 0.25, 24),
    "e2m2": (1, 0.25, 1, 7),
    "e1m3": (0, 0.25, 2, 3.75),
    "e2m1": (1, 0.5, 1, 6),
    "e1m2": (0, 0.5, 2, 3.5),
    "e1m1": (0, 1, 2, 3),
    "e4m3": (7, 2**-9, 2**-6, 448),
    "e5m2": (15, 2**-16, 2**-14, 57344),
}
INTEGERS = [f"{u}int{n}b" for u in ("", "u") for n in range(1, 9)]
SUB_BYTE = [name for name in FLOATS if name not in ("e4m3", "e5m2")]
HALVES = {"fp16": np.float16, "bf16": ml_dtypes.bfloat16}


def layout(name: str) -> tuple[int, int]:
    """Exponent and fraction bits of a float."""
    return int(name[1]), int(name[3])


def width(name: str) -> int:
    return 1 + sum(layout(name)) if name in FLOATS else int(re.findall(r"\d", name)[0])


def codes_of(name: str) -> np.ndarray:
    return np.arange(1 << width(name), dtype=np.uint8)


def fraction(name: str, code: int) -> Fraction:
    """The value of a code by its fields, of the top exponent as of all others."""
    if name in INTEGERS:
        negative = name[0] == "i" and code >> (width(name) - 1)
        return Fraction(code - (negative << width(name)))
    exponent_bits, m = layout(name)
    e, t = code >> m & ((1 << exponent_bits) - 1), code & ((1 << m) - 1)
    bias = 2 ** (exponent_bits - 1) - 1
    value = Fraction(t + (2**m if e else 0), 2**m) * Fraction(2) ** (max(e, 1) - bias)
    return -value if is_negative(name, code) else value


def is_negative(name: str, code: int) -> bool:
    return bool(code >> (width(name) - 1)) and name[0] != "u"


def kind(name: str, code: int) -> str:
    """Whether a code is a number, an infinity or NaN."""
    mag = code & ((1 << (width(name) - 1)) - 1)
    if name == "e5m1" and mag >= 62:
        return "inf"
    if name == "e5m2" and mag >= 124:
        return "inf" if mag == 124 else "nan"
    return "nan" if name == "e4m3" and mag == 127 else "number"


def stacked(results: tuple) -> np.ndarray:
    return np.stack([np.asarray(x) for x in results])


# -- golden model --------------------------------------------------------------------------------


def test_every_type_is_there() -> None:
    assert list(TYPES) == [*FLOATS, *INTEGERS]
    assert [f.bits for f in TYPES.values()] == [width(name) for name in TYPES]


@pytest.mark.parametrize("name", FLOATS)
def test_the_table_of_types(name: str) -> None:
    f = TYPES[name]
    assert (f.bias, f.smallest, f.smallest_normal, f.max) == FLOATS[name]
    numbers = [fraction(name, c) for c in range(1 << width(name)) if kind(name, c) == "number"]
    assert (min(numbers), max(numbers)) == (f.min, f.max)
    assert min(x for x in numbers if x > 0) == f.smallest


@pytest.mark.parametrize("out", HALVES)
@pytest.mark.parametrize("name", [*FLOATS, *INTEGERS])
def test_every_code_as_a_float(name: str, out: str) -> None:
    """By numpy's and ml_dtypes' reading of the result."""
    codes = codes_of(name)
    u = hw.unit(f"decode:type={name},out={out}")
    y, invalid = u(codes)
    values = y.view(HALVES[out]).astype(np.float64)
    for code, bits, value, mark in zip(codes.tolist(), y, values, invalid, strict=True):
        negative = is_negative(name, code)
        assert mark == (kind(name, code) != "number")
        if kind(name, code) == "nan":
            assert bits == hw.format(out).numbers.nan_code
        elif kind(name, code) == "inf":
            assert value == (-np.inf if negative else np.inf)
        else:
            assert Fraction(value) == fraction(name, code)
            assert np.signbit(value) == negative
    compared(EXACT, len(codes), u, (codes,))


@pytest.mark.parametrize("name", [*FLOATS, *INTEGERS])
def test_every_code_in_parts(name: str) -> None:
    u = hw.unit(f"decode:type={name},out=sig")
    codes = codes_of(name)
    sign, significand, exponent, invalid = u(codes)
    exponent = u.results["exponent"].decode(exponent)
    for i, code in enumerate(codes.tolist()):
        value = Fraction(int(significand[i])) * Fraction(2) ** int(exponent[i])
        assert (-value if sign[i] else value) == fraction(name, code)
        assert sign[i] == (fraction(name, code) < 0)
        assert invalid[i] == (kind(name, code) != "number")
    if name in FLOATS:  # no normalizer: leading zeros in the lowest binade
        subnormal = (codes >> layout(name)[1]) & ((1 << layout(name)[0]) - 1) == 0
        assert (significand < 1 << layout(name)[1]).tolist() == subnormal.tolist()
    else:
        assert not exponent.any()


def test_top_exponent_of_e5m1() -> None:
    """Reserved, as in the types' table; in parts it is what the casts make of it."""
    assert hw.unit("decode:type=e5m1")(0x3F) == (0x7C00, 1)
    assert hw.unit("decode:type=e5m1,out=bf16")(0x7E) == (0xFF80, 1)
    assert hw.unit("decode:type=e5m1,out=sig")(0x3F) == (0, 3, 15, 1)
    assert fraction("e5m1", 0x3F) == 98304


@pytest.mark.parametrize("name", FLOATS)
def test_decoding_by_a_float32_product(name: str) -> None:
    """Fields at their place in a float32, times 2^(127 - bias): a trick of software."""
    codes = np.array([c for c in codes_of(name) if kind(name, c) == "number"], np.uint32)
    m, bits = layout(name)[1], width(name)
    mag = codes & ((1 << (bits - 1)) - 1)
    placed = (mag << np.uint32(23 - m) | codes >> (bits - 1) << 31).astype(np.uint32)
    scale = np.float64(2.0 ** (127 - FLOATS[name][0]))
    want = placed.view(np.float32).astype(np.float64) * scale
    for out in HALVES:
        y, _ = hw.unit(f"decode:type={name},out={out}")(codes)
        got = y.view(HALVES[out]).astype(np.float64)
        np.testing.assert_array_equal(got, want)
        np.testing.assert_array_equal(np.signbit(got), np.signbit(want))


# -- encoding ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*FLOATS, *INTEGERS])
def test_every_value_encodes_as_its_code(name: str) -> None:
    codes = [c for c in range(1 << width(name)) if kind(name, c) == "number"]
    values = [float(fraction(name, c)) for c in codes]
    if name in FLOATS:
        values[codes.index(1 << (width(name) - 1))] = -0.0
    got, invalid = encode(name, values)
    assert got.tolist() == codes
    assert not invalid.any()


def neighbours(name: str) -> list[tuple[int, Fraction, Fraction]]:
    """Codes from 0 on, their values and the ones above."""
    top = next(c for c in range(1 << width(name)) if fraction(name, c) == FLOATS[name][3])
    return [
        (c, fraction(name, c), above)
        for c, above in pairwise(range(top + 1))
        for above in [fraction(name, above)]
    ]


def probes(name: str) -> list[tuple[int, Fraction]]:
    """The codes nearest to points a quarter, half and three quarters between neighbours."""
    return [
        (c + (quarter > 2 or (quarter == 2 and c % 2)), low + (high - low) * quarter / 4)
        for c, low, high in neighbours(name)
        for quarter in (1, 2, 3)
    ]


@pytest.mark.parametrize("name", FLOATS)
def test_encoding_is_to_nearest_even_everywhere(name: str) -> None:
    points = probes(name)
    sign = 1 << (width(name) - 1)
    for values in ([x for _, x in points], [float(x) for _, x in points]):
        assert encode(name, values).codes.tolist() == [c for c, _ in points]
        negative = encode(name, [-x for x in values])
        assert negative.codes.tolist() == [c | sign for c, _ in points]


def tilus_cast(name: str, x: Fraction) -> Fraction:
    """To nearest even as if there were no subnormals, then truncated to what there is."""
    m = layout(name)[1]
    step = Fraction(2) ** (-m)
    while step * 2 ** (m + 1) <= x:
        step *= 2
    while step * 2**m > x:
        step /= 2
    rounded = round(x / step) * step
    least = Fraction(FLOATS[name][1])
    return rounded // least * least


@pytest.mark.parametrize("name", SUB_BYTE)
def test_where_tilus_casts_otherwise(name: str) -> None:
    """At 2^M of these points, all of them among subnormals."""
    points = [x for _, x in probes(name)]
    ours = [fraction(name, c) for c in encode(name, points).codes.tolist()]
    differing = [x for x, y in zip(points, ours, strict=True) if tilus_cast(name, x) != y]
    assert len(differing) == 2 ** layout(name)[1]
    assert max(differing) < FLOATS[name][2]
    if name == "e2m1":
        assert differing == [0.375, 0.75]


@pytest.mark.parametrize("name", [*FLOATS, *INTEGERS])
def test_encoding_beyond_the_range(name: str) -> None:
    f = TYPES[name]
    codes, invalid = encode(name, [np.inf, 1e9, np.nan, -np.inf, -1e9])
    values = [fraction(name, int(c)) for c in codes]
    assert values == [f.max] * 3 + [f.min] * 2
    assert invalid.tolist() == [False, False, True, False, False]
    lonely = encode(name, float("nan"))
    assert fraction(name, int(lonely.codes)) == f.max
    assert lonely.invalid


def test_encoding_takes_what_formats_take() -> None:
    assert encode("e3m2", np.array([1, -28])).codes.tolist() == [0x0C, 0x3F]
    brain = np.array([1.5, np.nan], ml_dtypes.bfloat16)
    assert encode("e3m2", brain).codes.tolist() == [0x0E, 0x1F]
    assert encode("int4b", np.zeros((2, 0, 3))).codes.shape == (2, 0, 3)
    with pytest.raises(hw.InvalidInput, match="unknown type 'e3m4'"):
        encode("e3m4", 1)
    with pytest.raises(hw.InvalidInput, match="not numbers"):
        encode("e3m2", "one")


# -- hardware ------------------------------------------------------------------------------------


def assert_hardware_is_golden(u: hw.Unit) -> None:
    (f,) = u.operands.values()
    want, got = u(f.codes()), hw.simulate(u)(f.codes())
    np.testing.assert_array_equal(stacked(got), stacked(want), err_msg=u.spec)


SELECTION = [
    "decode:type=e5m1,out=fp16",
    "decode:type=e5m1,out=bf16",
    "decode:type=e5m1,out=sig",
    "decode:type=e5m2,out=fp16",
    "decode:type=e5m2,out=bf16",
    "decode:type=e4m3,out=fp16",
    "decode:type=e4m3,out=sig",
    "decode:type=e2m4,out=fp16",
    "decode:type=e1m1,out=bf16",
    "decode:type=e1m3,out=sig",
    "decode:type=e2m1,out=fp16,stages=2",
    "decode:type=int8b,out=bf16",
    "decode:type=int8b,out=sig",
    "decode:type=int1b,out=fp16",
    "decode:type=uint1b,out=sig",
    "decode:type=uint8b,out=bf16",
    "decode:type=int5b,out=fp16,stages=1",
]


@pytest.mark.parametrize("spec", few(SELECTION, 3))
def test_hardware(spec: str) -> None:
    assert_hardware_is_golden(hw.unit(spec))


@pytest.mark.long
@pytest.mark.parametrize("out", ["fp16", "bf16", "sig"])
@pytest.mark.parametrize("name", [*FLOATS, *INTEGERS])
def test_hardware_of_every_type(name: str, out: str) -> None:
    assert_hardware_is_golden(hw.unit(f"decode:type={name},out={out}"))


@pytest.mark.parametrize(
    "spec",
    few(["decode:type=e5m2,out=bf16", "decode:type=e3m3,out=sig", "powdecode:b=4,code=twos"], 3),
)
def test_injected_faults_are_found(spec: str) -> None:
    u = hw.unit(spec)
    (f,) = u.operands.values()
    assert unseen_faults(u, (f.codes(),)) == []


# -- parameters ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("decode:type=e3m4", "decode: parameter type: unknown value 'e3m4'"),
        ("decode:type=int9b", "decode: parameter type: unknown value 'int9b'"),
        ("decode:out=fp32", "decode: parameter out: unknown value 'fp32'"),
        ("powdecode:b=9", "powdecode: parameter b: must be 2 to 8, not 9"),
        ("powdecode:a=half", "powdecode: parameter a: must be a decimal from 0.1 to 2"),
        ("powdecode:a=0", "a: must be a decimal from 0.1 to 2 with up to 6 places, not '0'"),
        ("powdecode:a=0.1234567", "with up to 6 places, not '0.1234567'"),
        ("powdecode:a=nan", "powdecode: parameter a: must be a decimal from 0.1 to 2"),
        ("powdecode:a=2.1", "powdecode: parameter a: must be a decimal from 0.1 to 2"),
        ("powdecode:code=ones", "powdecode: parameter code: unknown value 'ones'"),
    ],
)
def test_wrong_parameters(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        hw.unit(spec)


def test_specs_and_names() -> None:
    u = hw.unit("powdecode:a=.550")
    assert u.spec == "powdecode:b=4,a=0.55,code=sm"
    assert u.name == "powdecode_b4_a0p55_sm"
    assert hw.unit(u.spec) == u
    assert hw.unit("powdecode:a=1.0").name == "powdecode_b4_a1_sm"
    u = hw.unit("decode:type=E2M1,out=sig")
    assert (u.spec, u.name) == ("decode:type=e2m1,out=sig", "decode_e2m1_sig")
    assert list(u.results) == ["sign", "significand", "exponent", "invalid"]


def test_types_are_no_other_formats_by_the_same_name() -> None:
    """What is named like a format of the project is it."""
    for f in TYPES.values():
        if not f.name.startswith("tilus_"):
            assert hw.format(f.name) == f
