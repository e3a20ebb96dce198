"""Dynamic fixed point: tensors, sums, narrowing and products by their formulas; ends; mistakes."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import hwarith as hw
from hwarith.explore import training
from hwarith.formats.dynamic import DynamicFixedPoint

RNG = np.random.default_rng(0)

nearest = round


def clamp(i: int, bits: int) -> int:
    most = 2 ** (bits - 1) - 1
    return max(-most, min(most, i))


@pytest.mark.parametrize("bits", [2, 8, 12, 16, 32])
def test_tensors(bits: int) -> None:
    for scale in (1.0, 3e-30, 2.0**60):
        x = RNG.standard_normal(300) * scale
        found = hw.dynamic_fixed_point(x, bits)
        top = math.floor(math.log2(np.abs(x).max()))
        assert found.exponent == top - (bits - 2)
        unit = Fraction(2) ** found.exponent
        exact = [clamp(round(Fraction(v) / unit), bits) for v in x.tolist()]
        assert found.integers.tolist() == exact
        assert np.array_equal(found.values(), found.integers * float(unit))
        assert np.array_equal(found.format.decode(found.codes), found.integers)


def test_ends() -> None:
    """Rounding up to 2^(bits-1), infinities, and zeros alone."""
    found = hw.dynamic_fixed_point([255.9, -np.inf, np.inf, 1.0], 8)
    assert (found.integers.tolist(), found.exponent) == ([127, -127, 127, 0], 1)
    assert hw.dynamic_fixed_point([0.0, -0.0]).exponent == -126 - 14
    assert hw.dynamic_fixed_point([np.inf, -np.inf], 4).integers.tolist() == [7, -7]
    assert hw.dynamic_fixed_point(np.zeros((0, 3))).values().shape == (0, 3)


@pytest.mark.parametrize("round", ["rne", "floor"])
@pytest.mark.parametrize("down", [0, 1, 5, 40])
def test_sums(round: str, down: int) -> None:
    a, b = RNG.integers(-(2**15) + 1, 2**15, (2, 500))
    one, other = DynamicFixedPoint(a, -3, 16), DynamicFixedPoint(b, -3 - down, 16)
    shift = min(down, 31)
    for total in (one.plus(other, round), other.plus(one, round)):
        assert (total.exponent, total.bits) == (-3, 32)
        for x, y, z in zip(a.tolist(), b.tolist(), total.integers.tolist(), strict=True):
            part = Fraction(y, 2**shift)
            assert z == x + (math.floor(part) if round == "floor" else nearest(part))


@pytest.mark.parametrize("bits", [2, 8, 16])
def test_narrowing(bits: int) -> None:
    for most in (3, 200, 2**20, 2**31 - 1, 2**31):
        wide = DynamicFixedPoint(RNG.integers(-most, most, 200), 7, 32)
        wide.integers[0] = -most
        found = wide.narrowed(bits)
        down = max(0, most.bit_length() - (bits - 1))
        assert found.exponent == 7 + down
        exact = [clamp(round(Fraction(i, 2**down)), bits) for i in wide.integers.tolist()]
        assert found.integers.tolist() == exact


@pytest.mark.parametrize("bits", [16, 13, 12, 8])
def test_products(bits: int) -> None:
    """Chains that cannot overflow, added up in fp32 in their order."""
    x, w = (hw.dynamic_fixed_point(RNG.standard_normal(s), bits) for s in ((5, 601), (601, 4)))
    found = hw.dynamic_matmul(x, w)
    assert not found.ovf.any()
    chain = {16: 2, 13: 128, 12: 512, 8: 133_144}[bits]
    total = np.zeros((5, 4), np.float32)
    for k in range(0, 601, chain):
        exact = x.integers[:, k : k + chain] @ w.integers[k : k + chain]
        assert np.abs(exact).max() < 2**31
        total = total + exact.astype(np.float32)
    assert np.array_equal(found.sums, total)
    assert found.exponent == x.exponent + w.exponent
    np.testing.assert_allclose(found.values(), x.values() @ w.values(), rtol=1e-4, atol=1e-3)


def test_longer_chains_wrap() -> None:
    x = DynamicFixedPoint(np.full((1, 4), 32767), 0, 16)
    w = DynamicFixedPoint(np.full((4, 1), 32767), 0, 16)
    for options, exact, ovf in (
        ({}, 2 * 32767**2 * 2, False),
        ({"spill": 4}, 4 * 32767**2 - 2**32, True),
        ({"spill": 4, "acc": 33}, 4 * 32767**2, False),
        ({"acc": 48}, 4 * 32767**2, False),
    ):
        found = hw.dynamic_matmul(x, w, **options)
        assert (found.sums.item(), found.ovf.item()) == (np.float32(exact), ovf)


@pytest.mark.parametrize(("spill", "acc"), [(2, 32), (6, 32), (200, 32), (200, 48)])
def test_products_and_flags_are_those_of_the_unit(spill: int, acc: int) -> None:
    """Of integers of which some products overflow, and others are back in range at the end."""
    x, w = (DynamicFixedPoint(RNG.integers(-32767, 32768, (6, 90)), 0, 16) for _ in "xw")
    w.integers[:, :2] //= 100
    u = hw.unit(f"dfpmac:p=16,spill={spill},acc={acc}")
    a, b = x.codes[:, None], w.codes[None]
    y, ovf = u(a[..., ::2], b[..., ::2], a[..., 1::2], b[..., 1::2])
    found = hw.dynamic_matmul(x, turned(w), spill, acc)
    assert np.array_equal(found.sums.view(np.uint32), y)
    assert np.array_equal(found.ovf, ovf > 0)
    assert ovf.any() == (acc == 32 and spill > 2)
    assert not ovf.all()


@pytest.mark.parametrize("bits", [3, 8])
def test_random_rounding_has_no_bias(bits: int) -> None:
    """Of a million draws: the mean error within four standard deviations, the variance at most that
    of a coin between two neighbours."""
    rng = np.random.default_rng(bits)
    x = np.r_[rng.uniform(-1, 1, 999_999), 1]
    found = hw.dynamic_fixed_point(x, bits, rng)
    step = 2.0**found.exponent
    error = (found.values() - x)[:-1]
    assert np.abs(error).max() < step
    assert abs(error.mean()) < 4 * error.std() / math.sqrt(error.size)
    assert step**2 / 8 < error.var() <= step**2 / 4
    whole = hw.dynamic_fixed_point(np.arange(-3, 4), bits, rng)
    assert whole.values().tolist() == [-3, -2, -1, 0, 1, 2, 3]


def test_gradients_in_integers() -> None:
    """Near those of float32, and not the same."""
    rng = np.random.default_rng(0)
    x, w, delta = (rng.standard_normal(s) for s in ((32, 64), (64, 12), (32, 12)))
    exact = training.Float32().gradients(x, w, delta)
    pairs = zip(training.DynamicIntegers(12).gradients(x, w, delta), exact, strict=True)
    for of_integers, of_floats in pairs:
        assert 0 < np.abs(of_integers - of_floats).max() < 0.02


@pytest.mark.long
def test_a_network_learns_in_integers() -> None:
    images, labels, held_out, held_out_labels = training.digits()
    network = training.Network(training.DynamicIntegers(10), (64, 12, 10), seed=1)
    untrained = network.accuracy(held_out, held_out_labels)
    network.train(images[:640], labels[:640], epochs=4, rate=0.5)
    assert untrained < 0.3
    assert network.accuracy(held_out, held_out_labels) > 0.7


X = hw.dynamic_fixed_point(np.ones((2, 4)), 8)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hw.dynamic_fixed_point([1.0], 1), "bits must be an integer from 2 to 32, not 1"),
        (
            lambda: hw.dynamic_fixed_point([1.0], 8.0),
            "bits must be an integer from 2 to 32, not 8.0",
        ),
        (lambda: hw.dynamic_fixed_point([np.nan]), "there is a NaN in x"),
        (lambda: hw.dynamic_fixed_point([1.0], 8, 5), "random must be a numpy.random.Generator"),
        (lambda: hw.dynamic_fixed_point(["a"]), "x must be numbers, not an array of <U1"),
        (lambda: X.narrowed(33), "bits must be an integer from 2 to 32, not 33"),
        (lambda: X.plus(X, "rtz"), "unknown rounding of a sum 'rtz'"),
        (lambda: X.plus(hw.dynamic_fixed_point(np.ones(3))), "shapes (2, 4) and (3,) do not fit"),
        (lambda: DynamicFixedPoint(np.array([2**31 - 1]), 0, 32).plus(X), "a sum leaves 32 bits"),
        (
            lambda: hw.dynamic_matmul(X, X),
            "must be matrices (m, K) and (K, n), not (2, 4) and (2, 4)",
        ),
        (lambda: hw.dynamic_matmul(X, hw.dynamic_fixed_point(np.ones((4, 2)))), "as many bits"),
        (lambda: hw.dynamic_matmul(X, turned(X), 3), "spill must be an even number, not 3"),
        (
            lambda: hw.dynamic_matmul(X, turned(X), acc=49),
            "parameter acc: must be 32 to 48, not 49",
        ),
    ],
)
def test_mistakes(call: Any, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        call()


def turned(x: DynamicFixedPoint) -> DynamicFixedPoint:
    return DynamicFixedPoint(x.integers.T, x.exponent, x.bits)
