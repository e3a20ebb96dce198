"""Types of few bits side by side: bits and errors as published."""

from __future__ import annotations

import numpy as np
import pytest

import hwarith as hw
from hwarith.explore.datatypes import (
    AXCORE,
    DATATYPES,
    FLINT,
    LOOKUP,
    UNITS,
    DataType,
    element_of,
    errors,
)
from hwarith.formats.weights import weight_type
from tests.explore.fake_flow import FakeFlow

PUBLISHED = {
    "int3": (3.125, 128, 7.545e-02, 1.264e-01, 1.705e-01),
    "int4": (4.125, 128, 1.383e-02, 2.551e-02, 3.643e-02),
    "int5": (5.125, 128, 3.013e-03, 5.653e-03, 8.079e-03),
    "int6": (6.125, 128, 7.043e-04, 1.329e-03, 1.887e-03),
    "int7": (7.125, 128, 1.709e-04, 3.222e-04, 4.578e-04),
    "int8": (8.125, 128, 4.207e-05, 7.939e-05, 1.128e-04),
    "fp4": (4.125, 128, 1.189e-02, 1.458e-02, 1.718e-02),
    "bitmod3": (3.141, 128, 3.808e-02, 5.030e-02, 6.148e-02),
    "bitmod4": (4.141, 128, 9.584e-03, 1.133e-02, 1.253e-02),
    "ternary": (2.125, 128, 2.612e-01, 3.887e-01, 3.996e-01),
    "ternary tensor": (1.585, None, 2.633e-01, 3.929e-01, 4.038e-01),
    "mxint8 floor": (8.250, 32, 6.813e-05, 1.000e-04, 1.145e-04),
    "mxint8 ceil": (8.250, 32, 6.898e-05, 1.015e-04, 1.161e-04),
    "mxint4 floor": (4.250, 32, 1.750e-02, 2.504e-02, 2.886e-02),
    "mxfp8_e4m3 floor": (8.250, 32, 8.636e-04, 9.963e-04, 1.041e-03),
    "mxfp8_e4m3 ceil": (8.250, 32, 7.020e-04, 7.030e-04, 6.994e-04),
    "mxfp8_e5m2 floor": (8.250, 32, 2.920e-03, 3.012e-03, 3.029e-03),
    "mxfp6_e2m3 floor": (6.250, 32, 8.035e-04, 9.367e-04, 9.840e-04),
    "mxfp6_e2m3 ceil": (6.250, 32, 7.998e-04, 9.469e-04, 1.001e-03),
    "mxfp6_e3m2 floor": (6.250, 32, 2.920e-03, 3.012e-03, 3.029e-03),
    "mxfp4 floor": (4.250, 32, 1.324e-02, 1.609e-02, 1.714e-02),
    "mxfp4 ceil": (4.250, 32, 1.335e-02, 1.745e-02, 1.928e-02),
    "nvfp4": (4.500, 16, 9.050e-03, 8.607e-03, 8.443e-03),
    "razer_w": (4.500, 16, 5.665e-03, 5.475e-03, 5.468e-03),
    "razer_a": (4.500, 16, 6.213e-03, 6.509e-03, 6.665e-03),
    "mxfp4+": (4.500, 32, 1.033e-02, 1.139e-02, 1.174e-02),
    "mxfp4++:nbm=floor": (4.500, 32, 1.119e-02, 1.047e-02, 9.738e-03),
    "mxfp4++": (4.500, 32, 1.028e-02, 1.055e-02, 9.785e-03),
    "mxfp6_e2m3+": (6.500, 32, 6.628e-04, 7.241e-04, 7.405e-04),
    "mxfp8_e4m3+": (8.500, 32, 5.962e-04, 5.223e-04, 4.850e-04),
    "m2xfp_a": (4.500, 32, 8.745e-03, 9.417e-03, 9.930e-03),
    "m2xfp_w": (4.500, 32, 6.514e-03, 7.025e-03, 7.413e-03),
    "anda_m4": (5.078, 64, 1.915e-02, 2.995e-02, 3.685e-02),
    "anda_m5": (6.078, 64, 4.918e-03, 8.013e-03, 9.958e-03),
    "anda_m6": (7.078, 64, 1.235e-03, 2.058e-03, 2.584e-03),
    "anda_m7": (8.078, 64, 3.059e-04, 5.186e-04, 6.516e-04),
    "anda_m8": (9.078, 64, 7.469e-05, 1.283e-04, 1.615e-04),
    "anda_m11": (12.078, 64, 8.268e-07, 1.619e-06, 2.099e-06),
    "anda_m4 rne": (5.078, 64, 5.073e-03, 8.557e-03, 1.076e-02),
    "anda_m6 rne": (7.078, 64, 3.168e-04, 5.392e-04, 6.706e-04),
    "anda_m8 rne": (9.078, 64, 1.993e-05, 3.380e-05, 4.213e-05),
}
"""Bits, block, and squared errors of normal, Laplacian and Student's t(4) numbers."""

QUICK = ("mxfp4 floor", "razer_w", "m2xfp_a", "anda_m6 rne")
ROWS = {row.name: row for row in DATATYPES}


def hold(row: DataType) -> None:
    *_, n, laplace, t4 = PUBLISHED[row.name]
    assert list(errors(row).values()) == pytest.approx([n, laplace, t4], rel=1e-3)


def test_bits_and_blocks() -> None:
    assert {*PUBLISHED} <= {*ROWS}
    for name, (bits, block, *_) in PUBLISHED.items():
        assert ROWS[name].bits == pytest.approx(bits, abs=5e-4)
        assert ROWS[name].block == block
    assert ROWS["razer_w"].scale == "ue3m3 + 2 bits + fp32 of all"
    assert ROWS["m2xfp_a"].scale == "e8m0fnu + 8 bits"
    assert ROWS["bitmod4"].scale == "fp16 + 2 bits"
    assert len({row.type for row in DATATYPES}) > 25


@pytest.mark.parametrize("name", QUICK)
def test_errors(name: str) -> None:
    hold(ROWS[name])


@pytest.mark.long
@pytest.mark.parametrize("name", PUBLISHED)
def test_every_error(name: str) -> None:
    hold(ROWS[name])


def test_rows_that_are_asked_for() -> None:
    found = hw.datatypes(["mxfp4", "nvint4"])
    assert [x.datatype.name for x in found] == ["mxfp4 floor", "mxfp4 ceil", "nvint4"]
    (other,) = hw.datatypes("fp4_er")
    assert (other.datatype.block, other.datatype.bits) == (128, 4 + 17 / 128)
    (own,) = hw.datatypes(["razer_w:outlier=7"])
    x = np.random.default_rng(0).standard_normal((4096, 128)).astype(np.float32)
    assert own.errors["N"] == hw.quantize(x, "razer_w:outlier=7").nmse
    (table,) = found.tables()
    assert table.rows[0]["NMSE N"] == found[0].errors["N"]
    with pytest.raises(hw.InvalidInput, match="unknown weight type 'mxfp5'"):
        hw.datatypes(["mxfp5"])


def test_costs_are_of_a_multiply_add() -> None:
    assert all(str(weight_type(name)) == name for name in UNITS)
    for row in DATATYPES:
        if element := element_of(row):
            hw.unit(element.spec)
    mx, razer, nupes = hw.datatypes(["mxfp4", "razer_w", "nupes4"], True, flow=FakeFlow())[1:]
    assert mx.element.spec == "dot:a=e2m1fn,n=8,scale=e8m0fnu"
    flow, unit = FakeFlow(), hw.unit(mx.element.spec)
    assert mx.area == flow.synthesize(unit).area / 8
    assert mx.energy == flow.energy(unit).energy / 8
    assert razer.element.spec == "dot:meta=razer,n=8"
    assert razer.area == flow.synthesize(hw.unit(razer.element.spec)).area / 8
    assert (nupes.area, nupes.energy) == (None, None)


def test_rows_with_units_of_their_own() -> None:
    usual, axcore = hw.datatypes(["fp4"], True, flow=FakeFlow())
    assert usual.errors == axcore.errors
    assert axcore.element == AXCORE
    assert axcore.area == FakeFlow().synthesize(hw.unit("axdot")).area / hw.unit("axdot").n
    lookup = hw.unit(LOOKUP.spec)
    assert (lookup.planes, lookup.k * lookup.n) == (lookup.q, LOOKUP.per_clock)
    decoded = hw.unit("flintdecode").results["y"]
    assert hw.unit(FLINT.spec).operands["w"].bits == decoded.bits * FLINT.per_clock
    assert element_of(ROWS["ant4"]) == FLINT
