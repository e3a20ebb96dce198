"""Formats and codes as people read and type them."""

from __future__ import annotations

import pytest

from hwarith.errors import InvalidInput
from hwarith.formats import format
from hwarith.formats.text import code_of_text, code_row, format_row


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
    assert (row["max"], row["min"], row["-0"]) == (127.0, 1.0, False)


@pytest.mark.parametrize(
    ("name", "code", "text", "value"),
    [
        ("e4m3fn", 0x3C, "0x3C", 1.5),
        ("int6", 0x3F, "0x3F", -1),
        ("bf16", 0, "0x0000", 0.0),
        ("int128", 1 << 100, "0x" + f"{1 << 100:X}".zfill(32), str(1 << 100)),
    ],
)
def test_row_of_a_code(name: str, code: int, text: str, value: object) -> None:
    assert code_row(format(name), code) == {"format": name, "code": text, "value": value}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *(("0x3C", 0x3C), ("0B111100", 0x3C), ("1.5", 0x3E), ("3/2", 0x3E), ("15e-1", 0x3E)),
        *(("-0", 0x80), ("-0.0", 0x80), ("0", 0), ("-1/1000000", 0x80)),
        *(("inf", 0x7C), ("-Infinity", 0xFC), ("NaN", 0x7E)),
        *(("1e9", 0x7B), ("-1e9", 0xFB)),
    ],
)
def test_code_of_a_text(text: str, code: int) -> None:
    """Codes, values rounded once, signs of zeros, infinities; too large values are clipped."""
    assert code_of_text(text, format("e5m2")) == code


@pytest.mark.parametrize("text", ["", "one", "1/0", "0x", "0b2", "--1", "."])
def test_neither_code_nor_number(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"operand a: .* is neither a code .* nor a number"):
        code_of_text(text, format("bf16"), "operand a")


def test_code_of_another_format() -> None:
    with pytest.raises(InvalidInput, match="code: 31 is not a code of e2m1fn; allowed: 0 to 15"):
        code_of_text("0x1F", format("e2m1fn"))
