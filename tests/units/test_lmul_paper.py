"""The paper's figures for L-Mul, exactly."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tests.units import lmul_paper as paper


def test_gate_counts() -> None:
    assert [paper.multiplier_gates(m) for m in (10, 3, 2)] == [584, 325, 296]
    assert [paper.lmul_gates(w) for w in (16, 7)] == [256, 157]


def test_energy_ratios() -> None:
    assert 100 * paper.energy_ratio() == pytest.approx(2.7, abs=0.1)
    assert 100 * paper.energy_ratio(dot_product=True) == pytest.approx(21.7, abs=0.1)


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
    scaled = grid * (1 << bits)
    reduced = (np.floor(scaled) if rounding == "trunc" else np.rint(scaled)) / (1 << bits)
    exact = grid[:, None] * grid[None, :]
    error = reduced[:, None] * reduced[None, :] - exact
    relative = error / exact
    mse, rms, worst = REDUCED[bits, rounding]
    assert (error**2).mean() == pytest.approx(mse, abs=1e-5)
    assert 100 * np.sqrt((relative**2).mean()) == pytest.approx(rms, abs=0.05)
    assert 100 * np.abs(relative).max() == pytest.approx(worst, abs=0.06)
