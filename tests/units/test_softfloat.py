"""Exact units against Berkeley SoftFloat, in its five modes and to odd.

The package was built without SoftFloat's rounding to odd (TestFloat's ``-rodd``). That is defined
as truncation with the lsb set if anything was lost, which the inexact flag says.
"""

from __future__ import annotations

import numpy as np
import pytest
import softfloatpy as softfloat

import hwarith as hw
from hwarith.flow.evidence.records import SOFTFLOAT
from hwarith.flow.stimuli.families import stimulus
from tests.evidence import compared

MODES = {
    "rne": softfloat.RoundingMode.NEAR_EVEN,
    "rna": softfloat.RoundingMode.NEAR_MAX_MAG,
    "rtz": softfloat.RoundingMode.MIN_MAG,
    "rup": softfloat.RoundingMode.MAX,
    "rdn": softfloat.RoundingMode.MIN,
    "rto": softfloat.RoundingMode.MIN_MAG,
}
TYPES = {"fp16": softfloat.Float16, "fp32": softfloat.Float32, "fp64": softfloat.Float64}
METHODS = {"mul": "mul", "add": "add", "fma": "mul_add", "div": "div", "sqrt": "sqrt"}


INEXACT = softfloat.ExceptionFlag.INEXACT


def theirs(u: hw.Unit, operands: tuple[np.ndarray, ...]) -> np.ndarray:
    """SoftFloat's results as codes."""
    softfloat.set_rounding_mode(MODES[u.round])
    number = TYPES[u.out.name]
    method = getattr(number, METHODS[u.family])
    size = u.out.bits // 8

    def numbers(codes: np.ndarray) -> list:
        raw = codes.astype(codes.dtype.newbyteorder(">")).tobytes()
        return [number.from_bytes(raw[i : i + size]) for i in range(0, len(raw), size)]

    compared(SOFTFLOAT, operands[0].size, u, operands)
    rows = list(zip(*(numbers(x) for x in operands), strict=True))
    odd = np.zeros(len(rows), u.out.dtype)
    if u.round == "rto":
        results = []
        for i, row in enumerate(rows):
            softfloat.set_exception_flags(0)
            results.append(method(*row))
            odd[i] = softfloat.test_exception_flags(INEXACT)
    else:
        results = [method(*row) for row in rows]
    packed = b"".join(result.to_bytes() for result in results)
    return np.frombuffer(packed, u.out.dtype.newbyteorder(">")).astype(u.out.dtype) | odd


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("family", METHODS)
def test_equal_up_to_nan_codes(family: str, name: str, mode: str) -> None:
    u = hw.unit(f"{family}:a={name},round={mode}")
    operands = stimulus(u, 5_000 if name == "fp64" else 50_000, seed=3)
    ours, expected = u(*operands), theirs(u, operands)
    nan = np.isnan(u.out.decode(expected))
    np.testing.assert_array_equal(ours[~nan], expected[~nan])
    assert (ours[nan] == u.out.numbers.nan_code).all()
    assert nan.any()
    assert not nan.all()
