"""Exact results of single sets of operands, held to those of arrays."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import hwarith as hw
from hwarith.explore.exact_result import exact_result, ulp
from hwarith.explore.reference import compare
from hwarith.formats.rounding import FINITE, unpack

SPECS = [
    "mul:a=e4m3fn",
    "add:a=e5m2,out=e4m3fn,op=sub",
    "fma:a=e2m1fn,c=e4m3fn,out=e5m2,op=nmadd",
    "mul:a=int4,out=int8",
    "convert:a=bf16,out=e3m2fn",
    "lmul:format=e4m3fn",
    "pad:format=e4m3fn",
    "pasqrt:format=e4m3fn",
    "palog2:format=e4m3fn",
    "paexp2:format=e4m3fn",
    "dot:a=e2m1fn,b=e2m1fn,n=4,scale=ue4m3,block=2,c=bf16,out=bf16",
]


SETS = 64
"""Of operands: as many as are evaluated without the compiler."""


@pytest.mark.parametrize("spec", SPECS)
def test_they_are_those_of_arrays(spec: str) -> None:
    u, rng, found = hw.unit(spec), np.random.default_rng(1), []
    out = next(iter(u.results.values()))
    codes = [
        rng.integers(1 << f.bits, size=(SETS, n) if n else SETS)
        for name, port in u.operands.items()
        for f, n in [u.lane_formats.get(name, (port, 0))]
    ]
    for given in zip(*(x.tolist() for x in codes), strict=True):
        exact, result = exact_result(u, given), u.golden(*given)
        finite = unpack(result, out.numbers)[0] == FINITE
        if exact is not None and finite and out.min <= exact <= out.max:
            found.append((exact, out.fraction(result) - exact, ulp(exact, out)))
    errors, counts = compare(u, codes)
    assert len(found) == counts["counted"] > SETS / 4
    expected = zip(errors.exact, errors.distance, errors.ulp, strict=True)
    assert [tuple(map(float, x)) for x in found] == [tuple(map(float, x)) for x in expected]


def test_an_op_port_says_what_is_negated() -> None:
    u = hw.unit("fma:a=e4m3fn,c=fp16,out=fp16,op=port")
    a, b, c = hw.format("e4m3fn").encode([3, 5]).tolist() + [hw.format("fp16").encode(2)]
    names = ("madd", "msub", "nmsub", "nmadd")
    expected = {"madd": 17, "msub": 13, "nmsub": -13, "nmadd": -17}
    for op, name in enumerate(names):
        exact = exact_result(u, [a, b, int(c), op])
        assert exact == expected[name]
        assert hw.format("fp16").fraction(u.golden(a, b, int(c), op)) == exact


def test_groups_are_summed() -> None:
    u, f = hw.unit("mac:a=e4m3fn,acc=fp16"), hw.format("e4m3fn")
    groups = [f.encode(x).tolist() for x in ([1.5, 2, -3], [4, 0.5, 1])]
    assert exact_result(u, groups) == 4


def test_what_has_no_exact_result() -> None:
    assert exact_result(hw.unit("minmax:a=bf16"), [0x4000, 0x4000]) is None
    assert exact_result(hw.unit("pasqrt:format=bf16"), [0xC000]) is None
    assert exact_result(hw.unit("mul:a=fp16"), [0x7C00, 0x3C00]) is None


def test_the_last_place_of_a_power_of_two_is_that_above_it() -> None:
    f = hw.format("e4m3fn")
    assert ulp(Fraction(1), f) == Fraction(1, 8)
    assert ulp(Fraction(999, 1000), f) == Fraction(1, 16)
    assert ulp(Fraction(0), f) == ulp(Fraction(1, 10**9), f) == f.smallest
