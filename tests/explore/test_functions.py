"""Exact results that are no sums of products: against values that are known, and contracts."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from hwarith.explore.functions import FUNCTIONS
from hwarith.explore.metrics import evaluate
from hwarith.formats import format
from hwarith.units import unit
from hwarith.units.operations import LOGARITHM, POWER_OF_TWO, QUOTIENT, SQUARE_ROOT


@pytest.mark.parametrize(
    ("operation", "operands", "result"),
    [
        (QUOTIENT, ("3/4", "-3/8"), "-2"),
        (QUOTIENT, ("1", "0"), None),
        (SQUARE_ROOT, ("9/4",), "3/2"),
        (SQUARE_ROOT, ("0",), "0"),
        (SQUARE_ROOT, ("-1",), None),
        (LOGARITHM, ("8",), "3"),
        (LOGARITHM, ("1/1024",), "-10"),
        (LOGARITHM, ("1",), "0"),
        (LOGARITHM, ("0",), None),
        (LOGARITHM, ("-2",), None),
        (POWER_OF_TWO, ("-3",), "1/8"),
        (POWER_OF_TWO, ("0",), "1"),
    ],
)
def test_exact_values(operation, operands, result) -> None:
    _, function = FUNCTIONS[operation]
    assert function(*map(Fraction, operands)) == (None if result is None else Fraction(result))


@pytest.mark.parametrize("x", ["3", "1/3", "16777215/16777216", "8388609/8388608", "1e-40", "1e30"])
def test_values_that_are_no_fractions(x: str) -> None:
    """Inverses of each other to 2^-110, and near the floats of the standard library."""
    value = Fraction(x)
    root = FUNCTIONS[SQUARE_ROOT][1](value)
    assert abs(root**2 / value - 1) < Fraction(1, 1 << 110)
    logarithm = FUNCTIONS[LOGARITHM][1](value)
    again = FUNCTIONS[POWER_OF_TWO][1](logarithm)
    assert abs(again / value - 1) < Fraction(1, 1 << 110)
    assert float(logarithm) == pytest.approx(math.log2(value), rel=1e-12, abs=1e-12)


def test_powers_beyond_all_formats() -> None:
    power = FUNCTIONS[POWER_OF_TWO][1]
    assert power(Fraction(10) ** 30) >= 2**1024
    assert 0 < power(-(Fraction(10) ** 30)) < Fraction(1, 2**1074)


@pytest.mark.parametrize(
    ("spec", "largest"),
    [("pad", 0.125), ("pasqrt", 0.0607), ("paexp2", 0.0615)],
)
def test_piecewise_affine_units_keep_their_contracts(spec: str, largest: float) -> None:
    """By their documented bounds on the relative error, before rounding to a wide format."""
    u = unit(f"{spec}:format=fp32")
    assert f"{100 * largest:g} %" in u.contract.bound
    rng = np.random.default_rng(3)
    codes = [format("fp32").encode(rng.uniform(0.5, 9, 400)) for _ in u.operands]
    found = evaluate(u, codes)
    assert found.counts["counted"] == 400
    assert 0.9 * largest < found.metrics["max_relative_error"] <= largest * 1.001
    assert found.metrics["mean_relative_error"] > 0


def test_piecewise_affine_logarithm_keeps_its_contract() -> None:
    codes = format("fp32").encode(np.random.default_rng(4).uniform(1, 2, 400))
    found = evaluate("palog2:format=fp32", [codes])
    assert 0.08 < found.metrics["wce"] <= 0.0861
    assert found.metrics["mean_error"] < 0


def test_what_has_no_real_result_is_left_out() -> None:
    f = format("bf16")
    counts = evaluate("pad:format=bf16", [f.encode([1, 2, 3]), f.encode([0, 2, 0])]).counts
    assert (counts["counted"], counts["out_of_range"]) == (1, 2)
    counts = evaluate("pasqrt:format=bf16", [f.encode([-1, 4, -2])]).counts
    assert (counts["counted"], counts["out_of_range"]) == (1, 2)


@pytest.mark.parametrize(("spec", "errs"), [("kulisch", 0.0), ("mac", 1.0)])
def test_sums_of_groups_are_exact(spec: str, errs: float) -> None:
    """1 + 2^-30 - 1: an accumulator of 24 bits loses what an exact one keeps."""
    bf16 = format("bf16")
    a = bf16.encode([[1, 2.0**-15, -1], [2, 3, 4]])
    b = bf16.encode([[1, 2.0**-15, 1], [1, 1, 1]])
    found = evaluate(f"{spec}:a=bf16", [a, b])
    assert found.counts["operand_sets"] == 2
    assert found.metrics["max_relative_error"] == errs
