"""Formats and codes as people read and type them."""

from __future__ import annotations

import time
from decimal import Context
from fractions import Fraction

import numpy as np
import pytest

from hwarith.exceptions import InvalidInput
from hwarith.formats import format
from hwarith.formats.text import (
    code_of_text,
    code_row,
    format_row,
    note_of_text,
    number_of_text,
    number_text,
)


def test_row_of_a_float() -> None:
    row = format_row(format("e4m3fn"))
    assert list(row.values()) == [
        *("e4m3fn", 8, 4, 3, 7),
        *(448.0, 2.0**-6, 2.0**-9),
        *(False, "0x7f", True),
    ]


def test_row_of_an_integer() -> None:
    row = format_row(format("int8"))
    assert [row[key] for key in ("exponent", "fraction", "bias", "nan")] == [None] * 4
    assert (row["max"], row["min"], row["-0"]) == (127, 1, False)


def test_row_of_formats_wider_than_float64() -> None:
    """binary128: glibc's FLT128_MAX, FLT128_MIN and FLT128_DENORM_MIN, in the fewest digits."""
    row = format_row(format("e15m112"))
    assert [row[key] for key in ("max", "min normal", "min")] == [
        "1.189731495357231765085759326628007e+4932",
        "3.3621031431120935062626778173217526e-4932",
        "6e-4966",
    ]
    assert format_row(format("int128"))["max"] == str(2**127 - 1)
    assert format_row(format("int64"))["max"] == 2**63 - 1


@pytest.mark.parametrize(
    ("name", "code", "text", "value"),
    [
        ("e4m3fn", 0x3C, "0x3C", 1.5),
        ("int6", 0x3F, "0x3F", -1),
        ("bf16", 0, "0x0000", 0.0),
        ("int128", 1 << 100, "0x" + f"{1 << 100:X}".zfill(32), str(1 << 100)),
        ("e15m112", 1, "0x" + "1".zfill(32), "6e-4966"),
        (
            "e15m112",
            0x3FFB999999999999999999999999999A,
            "0x3FFB999999999999999999999999999A",
            "0.1",
        ),
        ("e15m112", 0xC0018 << 108, "0xC0018" + 27 * "0", "-6"),
        ("fp32", 0x3F800001, "0x3F800001", 1 + 2**-23),
    ],
)
def test_row_of_a_code(name: str, code: int, text: str, value: object) -> None:
    assert code_row(format(name), code) == {"format": name, "code": text, "value": value}


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [
        ("fp64", 0x407AFFFFFFFFFFFF, "431.99999999999994"),
        ("fp32", 0x3F800001, "1.0000001192092896"),
        ("e4m3fn", 0x7E, "448"),
        ("e15m112", 0x3FFF << 112, "1"),
        ("e15m112", 0x3FFF << 112 | 1, "1.0000000000000000000000000000000002"),
        ("e15m112", 1 << 127, "-0"),
        ("e15m112", 0xFFFF << 112, "-inf"),
        ("e15m112", 0x3FF50624DD2F1A9FBE76C8B439581062, "0.001"),
        ("e15m112", 0x40341C37937E080000 << 56, "1e+16"),
        ("e15m112", 0x40331C37937E080000 << 56, "5000000000000000"),
        ("int128", (1 << 128) - 1, "-1"),
        ("mxint8_element", 0x7F, "1.984375"),
    ],
)
def test_text_of_a_value(name: str, code: int, text: str) -> None:
    assert number_text(code_row(format(name), code)["value"]) == text


@pytest.mark.parametrize(
    "name",
    [
        *("e2m1fn", "e4m3fn", "e5m2fnuz", "e8m0fnu", "ue4m3", "int8", "mxint8_element"),
        *("binary8p1ue", "fp16", "bf16", "tf32", "fp32", "fp64", "int64", "uint64"),
        *("e8m60", "e11m60", "e15m10", "e15m64", "e15m112", "e2m112fn", "int128", "uint128"),
    ],
)
def test_a_printed_value_is_read_as_its_code(name: str) -> None:
    """So different values never read the same; of ignored bits and NaN nothing is read, and
    encoding never gives the lowest code of a symmetric format."""
    f = format(name)
    random = np.random.default_rng(5)
    codes = list(range(1 << f.bits - f.ignored_bits)) if f.bits <= 8 else []
    if not codes:
        codes = [int.from_bytes(random.bytes(16)) & ((1 << f.bits) - 1) for _ in range(40)]
        codes += [code & -1 << f.fraction_bits for code in codes]  # powers of two
    for code in codes:
        text = number_text(code_row(f, code)["value"])
        if text != "nan" and not (f.symmetric and text == "-2"):
            assert code_of_text(text, f) == code, text


@pytest.mark.parametrize("name", ["e15m112", "e11m60", "e8m60"])
def test_no_shorter_decimal_is_read_as_the_code(name: str) -> None:
    """Neither neighbour of the value in a digit less, also beside powers of two, where more lies
    above the value than below it."""
    f = format(name)
    random = np.random.default_rng(6)
    for _ in range(50):
        code = int.from_bytes(random.bytes(16)) & ((1 << f.bits - 1) - 1)
        code = code & -1 << f.fraction_bits if random.integers(2) else code
        text = str(code_row(f, code)["value"])
        if text in ("nan", "inf"):
            continue
        mantissa, _, exponent = text.partition("e")
        places = len(mantissa.partition(".")[2])
        if places == 0:
            continue
        unit = Fraction(10) ** (int(exponent or 0) - places + 1)
        below = f.fraction(code) // unit
        assert code not in [int(f.encode((below + i) * unit, overflow="nosat")) for i in (0, 1)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *(("0x3C", 0x3C), ("0B111100", 0x3C), ("1.5", 0x3E), ("3/2", 0x3E), ("15e-1", 0x3E)),
        *(("-0", 0x80), ("-0.0", 0x80), ("0", 0), ("-1/1000000", 0x80)),
        *(("inf", 0x7C), ("-Infinity", 0xFC), ("NaN", 0x7E)),
        *(("1e9", 0x7B), ("-1e9", 0xFB), ("1e400", 0x7B), ("-1e400", 0xFB)),
        *(("0x1.8p0", 0x3E), ("-0X.CP+1", 0xBE), ("0x18.p-4", 0x3E), ("0x1.8", 0x3E)),
        *(("0x1p-16", 0x01), ("0x1p-17", 0x00), ("0x1.00000000000000001p-17", 0x01)),
        *(("-0x0p5", 0x80), (" 1.5 ", 0x3E), ("0" * 5000 + "1.5", 0x3E)),
    ],
)
def test_code_of_a_text(text: str, code: int) -> None:
    """Codes, values rounded once, signs of zeros, infinities; too large values are clipped."""
    assert code_of_text(text, format("e5m2")) == code


@pytest.mark.parametrize(
    ("name", "text", "note"),
    [
        ("e4m3fn", "500", "500 → 448, clipped to the largest e4m3fn"),
        ("e4m3fn", "-1e9", "-1e9 → -448, clipped to the lowest e4m3fn"),
        ("uint8", "-3", "-3 → 0, clipped to the lowest uint8"),
        ("e2m1fn", "inf", "inf → 6, clipped to the largest e2m1fn"),
        ("e4m3fn", "inf", "inf → nan, as e4m3fn has no such infinity"),
        ("e2m1fn", "nan", "nan → 6, as e2m1fn has no NaN"),
        ("fp32", "0.1", "0.1 → 0.10000000149011612, rounded to fp32"),
        ("fp64", "0.1", "0.1 → 0.10000000000000001, rounded to fp64"),
        ("fp64", "1e30", "1e30 → 1.00000000000000002e+30, rounded to fp64"),
        ("e15m112", "1/3", "1/3 → 0.33333333333333333333333333333333332, rounded to e15m112"),
        ("e4m3fn", "-1/10000", "-1/10000 → 0, rounded to e4m3fn"),
        ("e5m2", "0x1p-20", "0x1p-20 → 0, rounded to e5m2"),
        ("bf16", "1e400", "1e400 → 3.3895313892515355e+38, clipped to the largest bf16"),
        ("int8", "9" * 999, f"{'9' * 48}...{'9' * 48} → 127, clipped to the largest int8"),
        ("e8m0fnu", "0", "0 → 5.8774717541114375e-39, clipped to the lowest e8m0fnu"),
    ],
)
def test_what_became_of_a_value(name: str, text: str, note: str) -> None:
    assert note_of_text(text, format(name)) == note


@pytest.mark.parametrize("text", ["448", "-1/4", "0x7F", "-0", "nan"])
def test_nothing_became_of_a_value(text: str) -> None:
    assert note_of_text(text, format("e4m3fn")) is None
    assert note_of_text("-inf", format("bf16")) is None


@pytest.mark.parametrize("name", ["e5m2", "fp64", "e15m112", "uint1024"])
@pytest.mark.parametrize("exponent", ["9" * 9, "9" * 30, "9" * 5000])
def test_exponents_without_end(name: str, exponent: str) -> None:
    """Clipped, or rounded to nothing, at once: 10^999999999 has a billion digits."""
    f = format(name)
    start = time.process_time()
    assert code_of_text(f"1e{exponent}", f) == int(f.encode(f.max))
    assert code_of_text(f"0x1p{exponent}", f) == int(f.encode(f.max))
    assert code_of_text(f"1e-{exponent}", f) == code_of_text(f"0x1p-{exponent}", f) == 0
    assert code_of_text(f"0e{exponent}", f) == code_of_text(f"0x0.p{exponent}", f) == 0
    assert time.process_time() - start < 2


def test_a_number_that_float64_has_not_got() -> None:
    """Read exactly: 1e400 is a number of binary128; a half of its last place decides."""
    f = format("e15m112")
    assert f.decode(code_of_text("1e400", f)) == f.fraction(int(f.encode(Fraction(10) ** 400)))
    one = 0x3FFF << 112
    assert code_of_text("0x1.00000000000000000000000000008p0", f) == one
    assert code_of_text("0x1.000000000000000000000000000080001p0", f) == one + 1
    digits = str(Context(prec=12_000).power(5, 16495))  # of half of the smallest number, 2^-16495
    assert len(digits) > 11_000
    assert number_of_text(f"{digits}e-16495") == Fraction(1, 2**16495)
    assert code_of_text(f"{digits}e-16495", f) == 0
    assert code_of_text(f"{digits}1e-16496", f) == 1


@pytest.mark.parametrize(
    "text",
    [
        *("", "one", "1/0", "0x", "0b2", "--1", ".", "1e", "e5", "0x.p1", "0xp1", "1.5.2", "1_0"),
        *("-0x3C", "0x1.8q3", "0x1p", "1/2/3", "nan(1)", "1" * 30_000),
    ],
)
def test_neither_code_nor_number(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"operand a: .* is neither a code .* nor a number"):
        code_of_text(text, format("bf16"), "operand a")


def test_code_of_another_format() -> None:
    with pytest.raises(InvalidInput, match="code: 31 is not a code of e2m1fn; allowed: 0 to 15"):
        code_of_text("0x1F", format("e2m1fn"))
