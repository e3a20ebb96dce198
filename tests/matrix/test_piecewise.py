"""Functions of piecewise-affine operations, and a network trained with nothing else."""

from __future__ import annotations

import numpy as np
import pytest

import hwarith as hw
from hwarith.explore.training import Float32, Network, Piecewise, digits
from hwarith.matrix.piecewise import PiecewiseAffine


@pytest.fixture(scope="module")
def pa() -> PiecewiseAffine:
    return PiecewiseAffine("fp32")


def piecewise_exp2(x: np.ndarray) -> np.ndarray:
    return 2.0 ** np.floor(x) * (1 + x - np.floor(x))


def piecewise_log2(x: np.ndarray) -> np.ndarray:
    e = np.floor(np.log2(x))
    return e + x / 2.0**e - 1


def piecewise_product(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    magnitude = piecewise_exp2(piecewise_log2(np.abs(x)) + piecewise_log2(np.abs(y)))
    return np.sign(x) * np.sign(y) * magnitude


def test_exponential_logarithm_and_power(pa: PiecewiseAffine) -> None:
    """As their definitions in float64, up to the rounding of fp32 in between."""
    x = np.linspace(-20, 20, 1001) + 0.013
    log2_e = float(np.float32(np.log2(np.e)))
    got = pa.format.decode(pa.exp(pa.encode(x)))
    x = pa.format.decode(pa.encode(x)).astype(float)
    np.testing.assert_allclose(got, piecewise_exp2(piecewise_product(x, log2_e)), rtol=3e-6)
    y = np.geomspace(1e-5, 1e5, 1000)
    codes = pa.encode(y)
    y = pa.format.decode(codes).astype(float)
    quotient = piecewise_product(
        np.sign(piecewise_log2(y))
        * piecewise_exp2(piecewise_log2(np.abs(piecewise_log2(y))) - piecewise_log2(log2_e)),
        1.0,
    )
    np.testing.assert_allclose(pa.format.decode(pa.log(codes)), quotient, rtol=3e-6, atol=1e-6)
    power = pa.format.decode(pa.power(codes, pa.encode(0.75)))
    np.testing.assert_allclose(
        power, piecewise_exp2(piecewise_product(piecewise_log2(y), np.array(0.75))), rtol=3e-6
    )
    assert pa.power(pa.encode(0.0), pa.encode(0.5)) == 0


def test_softmax(pa: PiecewiseAffine) -> None:
    x = np.random.default_rng(1).standard_normal((50, 10)) * 3
    true = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    got = pa.format.decode(pa.softmax(pa.encode(x))).astype(float)
    assert np.abs(got - true).max() < 0.1
    assert np.all(np.argmax(got, axis=1) == np.argmax(true, axis=1))
    # The quotients share one divisor, so they are too large by the same up to an eighth.
    assert np.all(got.sum(axis=1) < 9 / 8)
    masked = np.array([[0.0, -np.inf, 0.0]])
    np.testing.assert_array_equal(pa.format.decode(pa.softmax(pa.encode(masked))), [[0.5, 0, 0.5]])
    np.testing.assert_array_equal(pa.softmax(pa.encode(x), axis=0), pa.softmax(pa.encode(x).T).T)


def test_layer_norm(pa: PiecewiseAffine) -> None:
    x = np.random.default_rng(2).standard_normal((20, 64)) * 3 + 1
    gain, bias = np.full(64, 2.0), np.full(64, 0.5)
    got = pa.format.decode(pa.layer_norm(pa.encode(x), pa.encode(gain), pa.encode(bias)))
    true = (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True) * 2 + 0.5
    slope, _ = np.polyfit(true.ravel(), got.ravel(), 1)
    assert 0.85 < slope < 1.2
    assert np.corrcoef(true.ravel(), got.ravel())[0, 1] > 0.995


def test_sums_and_products(pa: PiecewiseAffine) -> None:
    rng = np.random.default_rng(3)
    a, b = pa.encode(rng.standard_normal((4, 6))), pa.encode(rng.standard_normal((6, 5)))
    products = pa.mul(a[:, :, None], b[None])
    zero = np.zeros((4, 1, 5), np.uint32)
    np.testing.assert_array_equal(pa.matmul(a, b), pa.sum(np.hstack([zero, products]), axis=1))
    with pytest.raises(hw.InvalidInput, match="at least one element"):
        pa.sum(np.zeros((3, 0), np.uint32))
    with pytest.raises(hw.InvalidInput, match="unknown operation 'tan'"):
        pa.slope("tan", a)
    with pytest.raises(hw.InvalidInput, match="signed float with a fraction, not int8"):
        PiecewiseAffine("int8")


def test_gradients_are_those_of_the_products() -> None:
    """The exact ones: moving an operand by little changes the products by slope times so much."""
    m = Piecewise("exact")
    rng = np.random.default_rng(4)
    x, w = rng.standard_normal((3, 5)), rng.standard_normal((5, 4))
    codes_x, codes_w = m.encode(x), m.encode(w)
    delta = m.encode(np.ones((3, 4)))
    of_x, of_w = (m.values(g).astype(float) for g in m.gradients(codes_x, codes_w, delta))
    x, w = m.values(codes_x).astype(float), m.values(codes_w).astype(float)
    tiny = 2.0**-40
    moved = piecewise_product(x[:, :, None] * (1 + tiny), w[None])
    slopes = (moved - piecewise_product(x[:, :, None], w[None])) / (x[:, :, None] * tiny)
    np.testing.assert_allclose(of_x, slopes.sum(axis=2), atol=2e-3)
    moved = piecewise_product(x[:, :, None], w[None] * (1 + tiny))
    slopes = (moved - piecewise_product(x[:, :, None], w[None])) / (w[None] * tiny)
    np.testing.assert_allclose(of_w, slopes.sum(axis=0), atol=2e-3)


@pytest.mark.long
@pytest.mark.parametrize("backward", ["exact", "approximate"])
def test_a_network_learns_without_multiplying(backward: str) -> None:
    images, labels, held_out, held_out_labels = digits()
    exact, ours = (Network(m, (64, 12, 10), seed=1) for m in (Float32(), Piecewise(backward)))
    untrained = ours.accuracy(held_out, held_out_labels)
    for network in (exact, ours):
        network.train(images[:640], labels[:640], epochs=8, rate=0.5)
    reached = ours.accuracy(held_out, held_out_labels)
    assert untrained < 0.3
    assert reached > 0.7
    assert reached > exact.accuracy(held_out, held_out_labels) - 0.1
