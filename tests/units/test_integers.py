"""Integer units against Python's integers."""

from __future__ import annotations

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.evidence.records import EXACT
from hwarith.flow.stimuli.families import stimulus
from tests.evidence import assert_rtl_equals_golden, compared
from tests.tiers import few

SPECS = (
    "mul:a=int8",
    "mul:a=int8,out=int16",
    "mul:a=int8,b=uint4,out=int12,overflow=saturate",
    "add:a=int8,overflow=saturate",
    "add:a=uint8,b=int8,out=uint8,overflow=saturate",
    "add:a=uint8",
    "fma:a=int8,b=int8,c=int32,out=int32",
    "mul:a=int1,b=uint1",
    "fma:a=int8,b=int8,c=int32,out=int32,overflow=saturate",
    "fma:a=int4,b=int4,c=int8,out=uint3",
    "mul:a=int40,out=int80",
    "fma:a=int32,b=int32,c=int64,out=int64",
)


def expected(u: hw.Unit, codes: tuple[int, ...]) -> int:
    values = [int(f.fraction(c)) for f, c in zip(u.operands.values(), codes, strict=True)]
    exact = values[0] + values[1] if u.family == "add" else values[0] * values[1]
    exact += values[2] if len(values) == 3 else 0
    if u.overflow == "saturate":
        exact = min(max(exact, int(u.out.min)), int(u.out.max))
    return exact % (1 << u.out.bits)


@pytest.mark.parametrize("spec", few(SPECS, 3))
def test_equal_to_integer_arithmetic(spec: str) -> None:
    u = hw.unit(spec)
    operands = stimulus(u, 20_000, seed=4)
    ours = u(*operands)
    for *codes, y in zip(*operands, ours, strict=True):
        assert y == expected(u, tuple(int(c) for c in codes))
    compared(EXACT, ours.size, u, operands)


@pytest.mark.parametrize(
    "spec",
    few(
        [
            "mul:a=int8,out=int16",
            "mul:a=int4,b=int8,out=int12",
            "mul:a=int7,b=uint8,out=int15",
            "mul:a=uint4,b=int8,out=int12",
            "mul:a=int5,b=int5,out=uint4,overflow=saturate",
            "mul:a=int1,b=int3,out=int4",
            "fma:a=int6,b=uint6,c=int3,out=int14,overflow=saturate",
            "fma:a=uint4,b=int4,c=uint9,out=int9",
        ],
        3,
    ),
)
def test_hardware_multiplies_every_mix_of_signs(spec: str) -> None:
    """With and without Booth recoding of the signed factor, which its width and sign decide."""
    assert_rtl_equals_golden(spec)


def test_signed_arrays_are_taken_by_value() -> None:
    u = hw.unit("mul:a=int8,out=int16")
    product = u(np.array([-3, 7], np.int8), np.array([5, -128], np.int8))
    np.testing.assert_array_equal(u.out.decode(product), [-15, -896])


@pytest.mark.parametrize("spec", ["mul:a=int70", "add:a=int70", "mul:a=uint40,out=uint80"])
def test_one_set_of_wide_codes(spec: str) -> None:
    u = hw.unit(spec)
    assert u(3, 2) == u([3], [2])[0] == (5 if u.family == "add" else 6)
    assert isinstance(u(3, 2), int)
