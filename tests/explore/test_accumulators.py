"""Errors of long sums by accumulator, against the values that are known of GPUs' FP8 sums."""

from __future__ import annotations

import numpy as np
import pytest

import hwarith as hw
from hwarith.explore.accumulators import relative_error

WIDE = "dot:a=e4m3fn,n=32,acc=trunc-25,round=rtz,overflow=toinf,floor=-133"


@pytest.mark.parametrize(
    ("spec", "promote", "normal", "uniform"),
    [
        ("dot:preset=h100-wgmma-e4m3fn-fp32", 0, 1.4e-3, 6.6e-2),
        ("dot:preset=h100-wgmma-e4m3fn-fp32", 128, 1.3e-4, 5.0e-4),
        (WIDE, 0, 6e-8, 5e-7),
    ],
)
def test_errors_of_fp8_sums_of_4096(spec, promote, normal, uniform):
    assert relative_error(spec, "normal", promote=promote) == pytest.approx(normal, rel=0.1)
    assert relative_error(spec, "uniform", promote=promote) == pytest.approx(uniform, rel=0.1)


def test_an_exact_block_errs_by_its_roundings_alone():
    assert relative_error("dot:a=e4m3fn,n=32", k=32) < 2.0**-24


def test_wrong_input():
    with pytest.raises(hw.InvalidInput, match="unknown distribution 'norml'; did you mean"):
        relative_error(WIDE, "norml")
    with pytest.raises(hw.InvalidInput, match="compared on dot without scales"):
        relative_error("dot:a=e4m3fn,n=32,scale=e8m0fnu")


EQUATION_10 = {
    "v100-fp16-fp32": 0,
    "a100-fp16-fp32": -0.5,
    "a100-bf16-fp32": -0.5,
    "h100-fp16-fp32": -0.75,
    "b200-bf16-fp32": -0.75,
    "ada-e5m2-fp32": 0,
    "h100-wgmma-e5m2-fp32": 0,
    "cdna1-fp16-fp32": -0.875,
    "cdna2-bf16-fp32": -0.375,
    "cdna2-fp16-fp32": 0,
    "cdna3-fp16-fp32": -0.5,
    "cdna3-e5m2fnuz-fp32": -1,
}
"""MMA-Sim, arXiv 2511.10909, equation 10: -2^23 - .5 - .25 - .125 + 2^23, by device."""


@pytest.mark.parametrize(("name", "value"), EQUATION_10.items())
def test_operands_that_tell_devices_apart(name, value):
    u = hw.unit(f"dot:preset={name}")
    a, b = np.zeros((2, -(-4 // u.n) * u.n))
    a[:4], b[:4] = [-(2.0**13), -0.5, -0.25, -0.125], [2.0**10, 1, 1, 1]
    y = u.dot(u.a.encode(a), u.b.encode(b), u.addend.encode(2.0**23))
    assert float(u.out.decode(y)) == value


@pytest.mark.parametrize(
    ("bits", "steps"), [(23, [0, 0, 0, 0]), (24, [0, 1, 1, 2]), (25, [0, 1, 1, 2])]
)
def test_equal_small_products_beside_one(bits, steps):
    """1 + k 2^-24 less 1, in steps of 2^-23."""
    u = hw.unit(f"dot:a=fp16,n=16,acc=trunc-{bits},round=rtz")
    for k, expected in enumerate(steps, 1):
        a = np.zeros(16)
        a[:k] = 2.0**-12
        y = u.dot(u.a.encode(a), u.b.encode(np.where(a, 2.0**-12, 0)), u.addend.encode(1.0))
        assert (float(u.out.decode(y)) - 1) * 2**23 == expected
