"""LLM.int8(): every step as defined, in rational numbers; ends of the range; mistakes."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import hwarith as hw
from hwarith.exceptions import InvalidInput
from hwarith.matrix import int8

FP32 = hw.format("fp32")


def fl32(x: Fraction) -> Fraction:
    """A number rounded to fp32."""
    return Fraction(FP32.decode_one(FP32.encode_one(x, overflow="nosat")))


def by_definition(
    x: np.ndarray, w: np.ndarray, f: hw.Format, threshold: float, division: str
) -> np.ndarray:
    """Section by section what the paper and the order of operations say, number by number."""
    xs, ws = (
        [[Fraction(v) for v in row] for row in f.decode(f.encode(a)).tolist()] for a in (x, w)
    )
    features = range(len(ws))
    outliers = [k for k in features if any(abs(row[k]) >= threshold for row in xs)]
    usual = [k for k in features if k not in outliers]

    def codes(numbers: list[Fraction]) -> tuple[list[int], Fraction]:
        c = max(map(abs, numbers), default=Fraction(0))
        if c == 0:
            return [0] * len(numbers), c
        if division == "exact":
            found = [round(127 * v / c) for v in numbers]
        else:
            r = fl32(Fraction(127) / c)
            found = [round(fl32(v * r)) for v in numbers]
        return [max(-127, min(127, q)) for q in found], c

    lefts = [codes([row[k] for k in usual]) for row in xs]
    rights = [codes([ws[k][j] for k in usual]) for j in range(len(ws[0]))]
    results = []
    for row, (qx, cx) in zip(xs, lefts, strict=True):
        for j, (qw, cw) in enumerate(rights):
            acc = sum(a * b for a, b in zip(qx, qw, strict=True))
            u = fl32(fl32(cx * cw) * fl32(Fraction(1, 16129)))
            y = fl32(fl32(Fraction(acc)) * u)
            total = Fraction(0)
            for k in outliers:
                total = fl32(row[k] * ws[k][j] + total)
            results.append(f.encode_one(fl32(y + total), overflow="nosat"))
    return np.array(results, f.dtype).reshape(len(xs), -1)


def features(seed: int, m: int = 6, k: int = 40, n: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Activations of which two features are outliers, and a row and a column of zeros."""
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=(m, k)), rng.normal(size=(k, n)) / 16
    x[:, rng.choice(k, 2, replace=False)] *= 30
    x[1], w[:, 2] = 0, 0
    return x, w


@pytest.mark.parametrize("division", int8.DIVISIONS)
@pytest.mark.parametrize("name", ["fp16", "bf16", "fp32", "e5m2"])
def test_bit_for_bit(name: str, division: str) -> None:
    f = hw.format(name)
    for seed in range(4):
        x, w = features(seed)
        found = hw.int8_matmul(x, w, format=name, division=division)
        assert 2 <= len(found.outliers) <= 8
        values = f.decode(by_definition(x, w, f, 6.0, division))
        assert np.array_equal(found.values(), values)  # but for the sign of zeros


def test_quotients_are_rounded_once() -> None:
    """Ties, and what lies next to them."""
    rng = np.random.default_rng(0)
    largest = rng.uniform(0.5, 3, 400).astype(np.float32)
    tie = (largest * (rng.integers(-254, 254, 400) / 254)).astype(np.float32)
    for x in (tie, np.nextafter(tie, np.float32(9)), np.nextafter(tie, np.float32(-9))):
        pairs = zip(x.tolist(), largest.tolist(), strict=True)
        exact = [round(127 * Fraction(a) / Fraction(c)) for a, c in pairs]
        assert int8.quantized(x, largest).tolist() == exact
    exactly_half = np.float32([0.5, 1.5, 2.5, -0.5, -1.5, 126.5, 127])
    assert int8.quantized(exactly_half, np.full(7, 127.0)).tolist() == [0, 2, 2, 0, -2, 126, 127]


@pytest.mark.parametrize("division", int8.DIVISIONS)
def test_codes_of_the_smallest_and_largest_numbers(division: str) -> None:
    """127 / c is beyond fp32 for the smallest ones."""
    least = np.float32(2.0**-149)
    q = int8.quantized(np.float32([least, 0, -least]), np.float32(least), division)
    assert q.tolist() == ([127, 0, -127] if division == "exact" else [0, 0, 0])
    q = int8.quantized(np.float32([3.4e38, -3.4e38]), np.float32(3.4e38), division)
    assert q.tolist() == [127, -127]


def test_each_step_of_scaling_is_rounded() -> None:
    """Sums beyond 2^24, which are rounded to fp32 before they are multiplied."""
    rng = np.random.default_rng(0)
    sums = rng.integers(-(2**31), 2**31, (9, 7))
    cx, cw = (rng.uniform(0.1, 9, n).astype(np.float32) for n in (9, 7))
    found = int8.scaled(sums, cx, cw)
    for (i, j), acc in np.ndenumerate(sums):
        t = fl32(Fraction(float(cx[i])) * Fraction(float(cw[j])))
        y = fl32(fl32(Fraction(int(acc))) * fl32(t * fl32(Fraction(1, 16129))))
        assert Fraction(float(found[i, j])) == y


def test_the_threshold_is_an_outlier() -> None:
    x = np.array([[6.0, 5.996], [-1, 2]])
    assert hw.int8_matmul(x, np.ones((2, 1))).outliers.tolist() == [0]
    assert hw.int8_matmul(x, np.ones((2, 1)), threshold=2).outliers.tolist() == [0, 1]


@pytest.mark.parametrize("features", [int8.EXACT_PRODUCTS, int8.EXACT_PRODUCTS + 1])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_longest_sums(features: int, sign: int) -> None:
    """All products 127 * 127: int32 has room for 133,144 of them."""
    x, w = np.ones((1, features)), np.full((features, 1), sign)
    found = hw.int8_matmul(x, w, format="fp32")
    exact = sign * 127**2 * features
    wrapped = (exact + 2**31) % 2**32 - 2**31
    assert (found.sums[0, 0] == exact) == (not found.overflowed[0, 0]) == (features == 133_144)
    assert found.sums[0, 0] == wrapped
    wide = hw.int8_matmul(x, w, "fma:a=int8,c=int33,out=int33", format="fp32")
    assert wide.sums[0, 0] == exact
    assert not wide.overflowed.any()
    assert wide.values()[0, 0] == sign * features


def test_sums_that_only_pass_the_range() -> None:
    """The end is in range and the way is not; the flag says so, and with blocks it need not."""
    n = int8.EXACT_PRODUCTS
    x = np.ones((1, 2 * n + 2))
    w = np.append(np.ones(n + 1), -np.ones(n + 1))[:, None]
    found = hw.int8_matmul(x, w)
    assert found.sums.tolist() == [[0]]
    assert found.overflowed.tolist() == [[True]]
    clipped = hw.int8_matmul(x, w, "fma:a=int8,c=int32,out=int32,overflow=saturate")
    assert clipped.sums[0, 0] == 2**31 - 1 - 127**2 * (n + 1)
    assert clipped.overflowed.all()
    w[1::2] *= -1
    assert not hw.int8_matmul(x, w).overflowed.any()


def test_all_features_are_outliers() -> None:
    x, w = features(9)
    found = hw.int8_matmul(x, w, threshold=0)
    f = hw.format("fp16")
    sums = hw.matmul("fma:a=fp16,c=fp32,out=fp32", f.encode(x), f.encode(w))
    assert np.array_equal(found.codes, f.encode(FP32.decode(sums), overflow="nosat"))
    assert found.multiply_adds == {"integer": 0, "floating": 6 * 40 * 5}
    assert found.left.shape == (6, 0)
    none = hw.int8_matmul(x, w, threshold=math.inf)
    assert none.multiply_adds == {"integer": 6 * 40 * 5, "floating": 0}


def test_infinities_and_nan_are_outliers() -> None:
    x, w = features(5)
    usual = hw.int8_matmul(x, w)
    place = next(k for k in range(40) if k not in usual.outliers)
    for bad in (np.nan, np.inf, -np.inf):
        y = x.copy()
        y[3, place] = bad
        found = hw.int8_matmul(y, w)
        assert {*found.outliers} == {*usual.outliers, place}
        assert not np.isfinite(found.values()[3]).any()
        assert np.isfinite(np.delete(found.values(), 3, axis=0)).all()
        v = w.copy()
        v[place, 1] = bad
        found = hw.int8_matmul(x, v)
        assert {*found.outliers} == {*usual.outliers, place}
        assert not np.isfinite(found.values()[0, 1])
        assert np.isfinite(np.delete(found.values(), 1, axis=1)).all()


@pytest.mark.parametrize(
    "integer",
    [
        "fma:a=int8,c=int32,out=int32",
        "mul:a=int8,out=int16",
        "dot:a=int8,n=8",
        "mac:a=int8,acc=int24",
    ],
)
def test_any_exact_unit(integer: str) -> None:
    x, w = features(3)
    expected, found = hw.int8_matmul(x, w), hw.int8_matmul(x, w, integer)
    assert np.array_equal(found.codes, expected.codes)
    assert found.integer == hw.unit(integer)
    dot = hw.int8_matmul(x, w, integer, "dot:a=fp16,n=4,acc=seq")
    assert np.array_equal(dot.codes, expected.codes)


def test_outliers_keep_what_integers_lose() -> None:
    """The paper's point: a few large features would take all of the integers' range."""
    x, w = features(4, m=16, k=64, n=16)
    exact = hw.format("fp16").decode(hw.format("fp16").encode(x)) @ w
    errors = [
        np.square(hw.int8_matmul(x, w, threshold=t, format="fp32").values() - exact).mean()
        for t in (6.0, math.inf)
    ]
    assert 30 * errors[0] < errors[1]


def test_tables() -> None:
    shown = hw.int8_matmul(*features(0)).tables()[0].text()
    assert "mac:a=int8" in shown
    assert "mac:a=fp16" in shown


ONES = np.ones((2, 2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"x": np.ones(3)}, "int8_matmul: x must be a matrix, not of shape (3,)"),
        ({"w": np.ones((3, 1))}, "x has 2 columns and w 3 rows; they must be as many"),
        ({"x": [["a", "b"]]}, "cannot encode <U1 values in fp16; not numbers"),
        ({"threshold": -1}, "threshold must be a number of at least 0, not -1"),
        ({"threshold": math.nan}, "threshold must be a number of at least 0, not nan"),
        ({"threshold": "6"}, "threshold must be a number of at least 0, not '6'"),
        ({"division": "nearest"}, "unknown division 'nearest'"),
        ({"format": "fp64"}, "format must be a signed float whose numbers fp32 has, not fp64"),
        ({"format": "int8"}, "format must be a signed float whose numbers fp32 has, not int8"),
        ({"format": "mxfp4"}, "format must be a signed float whose numbers fp32 has, not mxfp4"),
        (
            {"integer": "fma:a=bf16"},
            "integer must multiply int8 and add up integers exactly, not fma:",
        ),
        (
            {"integer": "mul:a=int8"},
            "integer must multiply int8 and add up integers exactly, not mul:",
        ),
        (
            {"integer": "fma:a=int4,out=int32"},
            "integer must multiply int8 and add up integers exactly",
        ),
        (
            {"integer": "add:a=int8"},
            "computes a sum; allowed: a multiply-add, dot product or product",
        ),
        ({"integer": "mac:a=int8,out=int16"}, "for sums to go on, out must be acc"),
        (
            {"floating": "fma:a=bf16"},
            "floating must multiply fp16 and add up in fp32, without scales",
        ),
        (
            {"floating": "fma:a=fp16"},
            "floating must multiply fp16 and add up in fp32, without scales",
        ),
    ],
)
def test_mistakes(call: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(message)):
        hw.int8_matmul(**({"x": ONES, "w": ONES} | call))
