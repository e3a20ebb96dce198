"""Tables of conversions give what the definition gives, from as few codes as they are made of."""

from __future__ import annotations

import numpy as np
import pytest

import hwarith as hw
from hwarith.formats import ROUNDINGS, codec, rounding
from hwarith.golden import TABLE_BITS


def around_every_index(f: hw.Format, drop: int) -> np.ndarray:
    """Codes with each combination of top bits, and the ends of what can lie below."""
    top = np.arange(1 << (f.bits - drop), dtype=np.uint64) << np.uint64(drop)
    half = 1 << (drop - 1)
    low = np.array([0, 1, half - 1, half, half + 1, 2 * half - 1], np.uint64)
    return (top[:, None] | low).ravel().astype(f.dtype)


TABLES = [
    ("fp32", "e4m3fn"),
    ("fp32", "e2m1fn"),
    ("fp32", "e5m2"),
    ("fp32", "e8m0fnu"),
    ("fp32", "int8"),
    ("fp32", "uint4"),
    ("fp32", "e4m3fnuz"),
    ("fp32", "e8m2"),
    ("fp32", "binary8p1uf"),
    ("fp64", "e2m1fn"),
    ("tf32", "e3m2fn"),
    ("e8m20fnuz", "e4m3"),
    ("fp32", "mxint8_element"),
]


@pytest.mark.parametrize(("a", "out"), TABLES)
def test_tables_of_top_bits(a: str, out: str) -> None:
    """In every mode the table, which has seen one code of each index, is right for all others."""
    f, to = hw.format(a), hw.format(out)
    drop = codec._unneeded_bits(f, to)
    assert drop > 0
    assert f.bits - drop <= TABLE_BITS
    codes = around_every_index(f, drop)
    for mode in range(len(ROUNDINGS)):
        for policy in (rounding.SATURATE, rounding.NOSAT):
            exact = codec._convert(codes, f, to, mode, policy)
            np.testing.assert_array_equal(codec.convert(codes, f, to, mode, policy), exact)


@pytest.mark.parametrize(("a", "out"), TABLES)
def test_tables_need_all_their_bits(a: str, out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One bit fewer would give wrong results, and the test above notices."""
    f, to = hw.format(a), hw.format(out)
    drop = codec._unneeded_bits(f, to) + 1
    monkeypatch.setattr(codec, "_unneeded_bits", lambda f, to: drop)
    codes = around_every_index(f, drop)
    modes = [rounding.RNE, rounding.RNA, rounding.RTO]
    wrong = [
        (codec.convert(codes, f, to, m, 2) != codec._convert(codes, f, to, m, 2)).any()
        for m in modes
    ]
    assert any(wrong)


def test_formats_whose_nan_is_of_all_ones_have_no_such_table() -> None:
    f = hw.format("e8m15fn")
    assert codec._unneeded_bits(f, hw.format("e4m3fn")) == 0


@pytest.mark.long
@pytest.mark.parametrize("mode", ROUNDINGS)
@pytest.mark.parametrize("out", ["e4m3fn", "e2m1fn", "e5m2", "int8"])
def test_every_fp32_code(out: str, mode: str) -> None:
    f, to = hw.format("fp32"), hw.format(out)
    numbers = int(rounding.rounding(mode)), rounding.SATURATE
    for start in range(0, 1 << 32, 1 << 24):
        codes = np.uint32(start) + np.arange(1 << 24, dtype=np.uint32)
        exact = codec._convert(codes, f, to, *numbers)
        assert (codec.convert(codes, f, to, *numbers) == exact).all()
