"""Exact units against exact arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

import hwarith as hw
from hwarith.formats import ROUNDINGS
from tests import oracle
from tests.evidence import assert_golden

SMALL_FORMATS = (
    "e2m1fn",
    "e2m3fn",
    "e3m2fn",
    "e4m3fn",
    "e4m3",
    "e5m2",
    "e3m4",
    "e4m3fnuz",
    "e5m2fnuz",
    "e4m3b11fnuz",
    "ue4m3",
    "e8m0fnu",
    "binary8p1se",
    "binary8p3se",
    "binary8p4sf",
    "binary8p7se",
    "binary8p4ue",
    "binary8p8uf",
    "binary6p3se",
    "e2m5",
    "e3m3fn",
    "e6m1",
    "e4m2fnuz",
    "e1m2b3f",
    "e3m0b-2f",
    "e2m3b9f",
)


def pairs(f: hw.Format) -> tuple[np.ndarray, np.ndarray]:
    codes = f.codes()
    return np.repeat(codes, codes.size), np.tile(codes, codes.size)


def signs(codes: np.ndarray, f: hw.Format) -> np.ndarray:
    return (codes >> (f.bits - 1)) & int(f.signed)


def expected_product(a: np.ndarray, b: np.ndarray, f: hw.Format, mode: str, policy: str):
    """Products of values of at most 8 bits are exact in float64."""
    with np.errstate(invalid="ignore"):
        exact = f.decode(a) * f.decode(b)
    return oracle.round_values(exact, f, mode, policy, signs(a, f) ^ signs(b, f))


def sum_to_odd(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Sums in float64, rounded to odd: what an 8-bit format can tell apart stays apart."""
    with np.errstate(invalid="ignore"):
        total = x + y
        back = total - x
        error = (x - (total - back)) + (y - back)
    even = total.view(np.int64) % 2 == 0
    lost = np.isfinite(total) & np.isfinite(error) & (error != 0) & even
    return np.where(lost, np.nextafter(total, np.copysign(np.inf, error)), total)


def expected_sum(a: np.ndarray, b: np.ndarray, f: hw.Format, mode: str, policy: str):
    exact = sum_to_odd(f.decode(a), f.decode(b))
    sa, sb = signs(a, f), signs(b, f)
    both_zero = (f.decode(a) == 0) & (f.decode(b) == 0) & (sa == sb)
    zero_sign = np.where(both_zero, sa, int(mode == "rdn"))
    return oracle.round_values(exact, f, mode, policy, zero_sign)


EXPECTED = {"mul": expected_product, "add": expected_sum}


@pytest.mark.parametrize("mode", ROUNDINGS)
@pytest.mark.parametrize("name", SMALL_FORMATS)
@pytest.mark.parametrize("family", EXPECTED)
def test_every_pair_in_every_mode(family: str, name: str, mode: str) -> None:
    f = hw.format(name)
    a, b = pairs(f)
    for policy in ("nosat", "saturate", "satprop"):
        u = hw.unit(f"{family}:a={name},round={mode},overflow={policy}")
        assert_golden(u, (a, b), EXPECTED[family](a, b, f, mode, policy))


@pytest.mark.parametrize(
    "spec",
    [
        "mul:a=e15m1,out=fp64",
        "add:a=e15m1,out=fp64",
        "fma:a=e14m1,c=e15m1,out=fp64",
        "convert:a=e15m1,out=fp64",
        "convert:a=e15m1,out=fp64,round=sra,n=8",
    ],
)
def test_exponents_far_beyond_those_of_the_result(spec: str) -> None:
    """Before its range is looked at a result has more bits than words of 64 hold."""
    u = hw.unit(spec)
    rng = np.random.default_rng(1)
    operands = [rng.integers(0, 1 << f.bits, 300).astype(f.dtype) for f in u.operands.values()]
    expected = [u.golden(*codes) for codes in zip(*(x.tolist() for x in operands), strict=True)]
    assert u(*operands).tolist() == expected
