"""The vectors that other tests rely on reach the cases that they are for."""

from __future__ import annotations

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.stimuli.random import corner_codes, stimulus
from hwarith.formats import rounding as r

FORMATS = [
    "fp64", "fp32", "fp16", "bf16", "e5m2", "e4m3fn", "e5m2fnuz", "e2m1fn", "e8m0fnu", "ue4m3",
    "binary8p4se", "e15m112", "int1", "uint1", "int8", "uint16", "int256",
]  # fmt: skip


def classes(name: str, codes: np.ndarray) -> set[tuple[int, int]]:
    """The (class, sign) pairs among codes: zero is class 3, a subnormal class 4."""
    f = hw.format(name)
    found = set()
    for code in codes:
        kind, sign, _, significand = r.unpack(int(code), f.numbers)
        if kind == r.FINITE and significand == 0:
            kind = 3
        elif kind == r.FINITE and significand < 1 << f.fraction_bits:
            kind = 4
        found.add((kind, sign))
    return found


@pytest.mark.parametrize("name", FORMATS)
def test_corners_are_codes_each_once(name):
    f = hw.format(name)
    codes = corner_codes(f)
    assert codes.dtype == f.dtype
    assert len(set(codes.tolist())) == codes.size >= 2
    assert f.check(codes).size == codes.size


@pytest.mark.parametrize("name", ["fp64", "fp32", "bf16", "e5m2", "e4m3fn", "e5m2fnuz", "e2m1fn"])
def test_corners_hold_every_class_and_the_ends(name):
    f = hw.format(name)
    everything = f.codes() if f.bits <= 16 else corner_codes(f)
    assert classes(name, corner_codes(f)) == classes(name, everything)
    ends = {f.max, f.min, f.smallest, f.smallest_normal}
    finite = [c for c in corner_codes(f) if r.unpack(int(c), f.numbers)[0] == r.FINITE]
    assert ends <= {f.fraction(c) for c in finite}


def test_few_vectors_are_all_of_them_in_order():
    a, b = stimulus(hw.unit("mul:a=e3m2fn,b=e2m1fn"), 1 << 10)
    assert a.size == 1 << 10
    assert ((a.astype(int) << 4) | b == np.arange(1 << 10)).all()


@pytest.mark.parametrize("name", ["fp64", "bf16", "int32", "e15m112", "int256"])
def test_as_many_vectors_as_asked_the_same_for_a_seed(name):
    unit = hw.unit(f"mul:a={name}")
    first, again, other = stimulus(unit, 500, 1), stimulus(unit, 500, 1), stimulus(unit, 500, 2)
    for x, same, different in zip(first, again, other, strict=True):
        assert x.shape == (500,)
        assert x.dtype == hw.format(name).dtype
        assert (x == same).all()
        assert (x != different).any()


@pytest.mark.parametrize("name", ["fp16", "bf16", "fp32"])
def test_products_reach_every_class(name):
    unit = hw.unit(f"mul:a={name}")
    products = unit(*stimulus(unit, 20_000))
    assert classes(name, products) >= classes(name, corner_codes(hw.format(name))) - {(r.NAN, 1)}


def test_sums_cancel():
    f = hw.format("fp32")
    a, b = (f.decode(x) for x in stimulus(hw.unit("mul:a=fp32"), 20_000))
    finite = np.isfinite(a) & np.isfinite(b) & (a != 0)
    a, b = a[finite], b[finite]
    assert (a + b == 0).sum() > 100
    nearly = (np.abs(a + b) < np.abs(a) * 2.0**-20) & (a + b != 0)
    assert nearly.sum() > 100
