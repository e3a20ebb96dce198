"""Errors of the piecewise-affine operations, against what the paper and others give."""

from __future__ import annotations

import numpy as np
import pytest

import hwarith as hw


def fraction_errors(spec: str, quotient: bool = False) -> np.ndarray:
    """Relative errors over all pairs of fractions."""
    u = hw.unit(spec)
    f = u.format
    binade = np.arange(1 << f.fraction_bits, dtype=f.dtype) + f.dtype.type(
        f.bias << f.fraction_bits
    )
    a, b = binade[:, None], binade[None, :]
    x, y = f.decode(a).astype(float), f.decode(b).astype(float)
    return f.decode(u(a, b)) / (x / y if quotient else x * y) - 1


@pytest.mark.parametrize(
    ("spec", "mean", "rms"),
    [
        ("pam:format=bf16", -0.038485, 0.048423),
        ("pam:format=e4m3fn", -0.037790, 0.049307),
        ("pam:format=bf16,ofs=7", -0.001338, 0.030550),
        ("pad:format=bf16", 0.041016, 0.052273),
    ],
)
def test_mean_errors(spec: str, mean: float, rms: float) -> None:
    error = fraction_errors(spec, spec.startswith("pad"))
    assert abs(error.mean() - mean) <= 1e-5
    assert abs(np.sqrt((error**2).mean()) - rms) <= 1e-5


@pytest.mark.parametrize("name", ["e2m1fn", "e5m2", "e4m3fn", "bf16", "fp16"])
def test_error_bounds(name: str) -> None:
    product = fraction_errors(f"pam:format={name}")
    assert (product.min(), product.max()) == (pytest.approx(-1 / 9), 0)
    if hw.format(name).smallest_normal < 1:  # where quotients below 1 are normal numbers
        quotient = fraction_errors(f"pad:format={name}", quotient=True)
        assert quotient.min() == 0
        assert quotient.max() == pytest.approx(1 / 8, abs=1e-9)


def test_error_bounds_of_unary_operations() -> None:
    f = hw.format("fp16")
    x = np.linspace(1, 4, 3001)
    codes = f.encode(x)
    x = f.decode(codes).astype(float)
    log = f.decode(hw.unit("palog2:format=fp16")(codes)) - np.log2(x)
    assert -0.0861 - 2e-3 < log.min() < -0.084
    assert log.max() < 2e-3
    root = f.decode(hw.unit("pasqrt:format=fp16")(codes)) / np.sqrt(x) - 1
    assert root.min() > -1e-3
    assert 0.059 < root.max() < 0.0607
    y = np.linspace(-3, 3, 3001)
    codes = f.encode(y)
    power = f.decode(hw.unit("paexp2:format=fp16")(codes)) / 2.0 ** f.decode(codes) - 1
    assert power.min() > -2e-3
    assert 0.060 < power.max() < 0.0625


def test_gain_of_dot_products() -> None:
    """The mean error acts like a gain on dot products, which a constant takes back."""
    f = hw.format("fp32")
    rng = np.random.default_rng(7)
    x, y = rng.standard_normal((2, 2000, 1024)).astype(np.float32)
    a, b = x.view(np.uint32), y.view(np.uint32)
    true = np.einsum("ij,ij->i", x.astype(float), y.astype(float))
    expected = {
        "pam:format=fp32": (0.9615, 2.87),
        f"pam:format=fp32,ofs={0x710CB}": (0.9987, 3.06),
        "lmul:format=fp32": (1.0037, 3.08),
    }
    for spec, (gain, residual) in expected.items():
        got = f.decode(hw.unit(spec)(a, b)).astype(float).sum(axis=1)
        found = got @ true / (true @ true)
        assert abs(found - gain) <= 0.001
        rms = np.sqrt(np.mean((got - found * true) ** 2)) / np.sqrt(np.mean(true**2))
        assert abs(100 * rms - residual) <= 0.1
