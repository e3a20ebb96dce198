"""The paper's figures for L-Mul, exactly."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import hwarith as hw
from tests.units import lmul_paper as paper


def test_gate_counts() -> None:
    """Of our formats; those of 8 bits have fields of 7."""
    formats = [hw.format(name) for name in ("fp16", "e4m3fn", "e5m2")]
    assert [paper.multiplier_gates(f.fraction_bits) for f in formats] == [584, 325, 296]
    assert [paper.lmul_gates(w) for w in (16, 7)] == [256, 157]


def test_energy_ratios() -> None:
    assert 100 * paper.energy_ratio() == pytest.approx(2.7, abs=0.1)
    assert 100 * paper.energy_ratio(dot_product=True) == pytest.approx(21.7, abs=0.1)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_expected_truncation_error_over_all_fractions(k: int) -> None:
    """The formula, over all pairs of 7-bit fractions, with our formats that cut them."""
    whole, cut = hw.format("e5m7"), hw.format(f"e5m{k}")
    x = whole.decode(whole.encode(1.0) + np.arange(128, dtype=np.uint16))
    kept = cut.decode(cut.encode(x, round="rtz"))
    error = (x[:, None] * x - kept[:, None] * kept).mean()
    assert error == paper.expected_truncation_error(7, k)


def test_expected_errors() -> None:
    assert paper.expected_truncation_error(7, 2) == Fraction(22785, 65536)
    assert paper.expected_truncation_error(7, 3) == Fraction(11265, 65536)
    numerators = [15617, 11521, 13569, 12545, 12033]
    assert [paper.expected_lmul_error(7, k) for k in range(3, 8)] == [
        Fraction(n, 65536) for n in numerators
    ]


def test_claims_of_the_abstract() -> None:
    lmul3, lmul4 = (paper.expected_lmul_error(7, k) for k in (3, 4))
    e5m2, e4m3 = (paper.expected_truncation_error(7, k) for k in (2, 3))
    assert lmul3 < e5m2
    assert float(lmul4 / e4m3) == pytest.approx(1.02, abs=0.005)


# 11-bit grid over [1,2)^2: MSE, RMS and greatest relative error (%) of the exact product of
# operands reduced to 2 or 3 fraction bits, which L-Mul with few bits is compared with
REDUCED = {
    (2, "trunc"): (0.15533, 17.3, 36.0),
    (2, "rne"): (0.02439, 7.19, 23.4),
    (3, "trunc"): (0.04015, 9.02, 20.9),
    (3, "rne"): (0.00608, 3.61, 12.0),
}


@pytest.mark.parametrize(("bits", "rounding"), REDUCED)
def test_exact_products_of_reduced_operands(bits: int, rounding: str) -> None:
    grid = 1 + np.arange(1 << 11) / (1 << 11)
    f = hw.format(f"e5m{bits}")
    reduced = f.decode(f.encode(grid, round={"trunc": "rtz"}.get(rounding, rounding)))
    exact = grid[:, None] * grid[None, :]
    error = reduced[:, None] * reduced[None, :] - exact
    relative = error / exact
    mse, rms, worst = REDUCED[bits, rounding]
    assert (error**2).mean() == pytest.approx(mse, abs=1e-5)
    assert 100 * np.sqrt((relative**2).mean()) == pytest.approx(rms, abs=0.05)
    assert 100 * np.abs(relative).max() == pytest.approx(worst, abs=0.06)
