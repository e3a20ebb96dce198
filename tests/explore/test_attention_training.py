"""A transformer block and Adam in any arithmetic: gradients, steps, and that it learns."""

from __future__ import annotations

import numpy as np
import pytest

from hwarith.explore.attention_training import Adam, Tape, Transformer, Value
from hwarith.explore.training import Float32, Piecewise, digits

RNG = np.random.default_rng(5)
IMAGES, LABELS = RNG.random((3, 64)), np.array([7, 0, 3])


class Float64(Float32):
    def encode(self, x: np.ndarray | float) -> np.ndarray:
        return np.asarray(x, np.float64)


def losses(network: Transformer) -> tuple[Tape, Value]:
    tape = Tape(network.arithmetic)
    return tape, tape.cross_entropy(network.forward(tape, IMAGES), LABELS)


def test_gradients_are_differences_of_the_loss() -> None:
    network = Transformer(Float64(), seed=1)
    tape, loss = losses(network)
    tape.backward(loss, np.float64(1 / 3))
    for name, weight in network.weights.items():
        assert weight.gradient is not None, name
        there = RNG.integers(weight.codes.size)
        before, found = weight.codes, []
        for change in (1e-5, -1e-5):
            weight.codes = before.copy()
            weight.codes.flat[there] += change
            found.append(losses(network)[1].codes.mean())
        weight.codes = before
        slope = (found[0] - found[1]) / 2e-5
        assert weight.gradient.flat[there] == pytest.approx(slope, rel=1e-4, abs=1e-8), name


def test_functions_are_those_of_piecewise_affine_arithmetic() -> None:
    m = Piecewise("exact")
    t, x = Tape(m), m.encode(RNG.standard_normal((4, 10)) * 3)
    gain, bias = m.encode(RNG.standard_normal((2, 10)))
    np.testing.assert_array_equal(t.softmax(Value(x)).codes, m.softmax(x))
    np.testing.assert_array_equal(
        t.layer_norm(Value(x), gain, bias).codes, m.layer_norm(x, gain, bias)
    )
    w = m.encode(RNG.standard_normal((10, 3)))
    np.testing.assert_array_equal(m.values(t.matmul(x, w).codes), m.values(m.matmul(x, w)))


def test_exact_slopes_are_those_of_the_operations() -> None:
    """As `Piecewise.output_gradient` and `gradients` have them, written out by hand."""
    m = Piecewise("exact")
    x, w = m.encode(RNG.standard_normal((3, 8))), m.encode(RNG.standard_normal((8, 10)) * 2)
    t, of_x, of_w = Tape(m), Value(x), Value(w)
    outputs = t.matmul(of_x, of_w)
    t.backward(t.cross_entropy(outputs, LABELS), m.encode(1 / 3))
    delta = m.output_gradient(outputs.codes, LABELS)
    for value, by_hand in zip((of_x, of_w), m.gradients(x, w, delta), strict=True):
        assert value.gradient is not None
        np.testing.assert_allclose(m.values(value.gradient), m.values(by_hand), atol=1e-6)


@pytest.mark.parametrize(("make", "tolerance"), [(Float64, 1e-12), (lambda: Piecewise(""), 0.25)])
def test_steps_of_adam(make: type, tolerance: float) -> None:
    """As algorithm 1 of the paper; piecewise-affine ones within the errors of their operations."""
    m, gradients = make(), RNG.standard_normal((5, 6))
    weight = Value(m.encode(np.zeros(6)))
    optimizer = Adam(m, [weight], rate=0.5)
    mean, square, expected = np.zeros(6), np.zeros(6), np.zeros(6)
    for i, g in enumerate(gradients, 1):
        weight.gradient = m.encode(g)
        optimizer.step()
        mean, square = 0.9 * mean + 0.1 * g, 0.999 * square + 0.001 * g * g
        change = mean / (1 - 0.9**i) / (np.sqrt(square / (1 - 0.999**i)) + 1e-8)
        expected -= 0.5 * change
        np.testing.assert_allclose(m.values(weight.codes), expected, atol=tolerance * i)


@pytest.mark.long
@pytest.mark.parametrize("backward", ["exact", "approximate"])
def test_a_transformer_learns_without_multiplying(backward: str) -> None:
    images, labels, held_out, held_out_labels = digits()
    network = Transformer(Piecewise(backward), seed=1)
    untrained = network.accuracy(held_out[:200], held_out_labels[:200])
    network.train(images, labels, epochs=2)
    assert untrained < 0.3
    assert network.accuracy(held_out[:200], held_out_labels[:200]) > 0.6
