"""Training a transformer block with no multiplication, softmax, layer norm and Adam included.

    python -m hwarith.explore.attention_training

trains a transformer of one block on the whose tokens are the rows of an image, in float32
and with piecewise-affine operations forward, backward and in the optimizer, from the same
beginnings and in the same order of images, and prints the accuracies. Needs scikit-learn (a
development extra), for the images. Sources: Kosson and Jaggi, arXiv 2305.17190; Kingma and Ba,
Adam, arXiv 1412.6980 (algorithm 1).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from .training import Float32, Piecewise, batches, of_seeds, print_accuracies, share_right

ROWS, PIXELS, CLASSES = 8, 8, 10
"""Of an image."""

WIDTH, HEADS, HIDDEN = 16, 2, 32
"""Of the block: numbers in a token, heads of attention, numbers between its last two layers."""

EPOCHS, BATCH, RATE = 10, 32, 2**-7
SEEDS = (0, 1)
DECAY, EPSILON = (0.9, 0.999), 1e-8
"""Of Adam's two running means, and what keeps its quotient finite."""

LOG2_E, LN_2 = math.log2(math.e), math.log(2)

Arithmetic = Float32 | Piecewise
"""What is computed with, on arrays of codes: values themselves, or codes of fp32."""


class Value:
    """Codes that something is computed of, and the gradient of them once it is known."""

    def __init__(self, codes: np.ndarray):
        self.codes = codes
        self.gradient: np.ndarray | None = None


Operand = Value | np.ndarray
"""A value, or codes that are constant: they get no gradient."""


class Tape:
    """Computes in one arithmetic, and remembers it, for gradients.

    Operations broadcast as numpy does and take values or codes. Gradients are made of operations of
    the same arithmetic: with the derivatives of table `_DERIVATIVES`, or, of `Piecewise` with exact
    slopes, with those of the operations that were made.
    """

    def __init__(self, arithmetic: Arithmetic):
        self.arithmetic = arithmetic
        self._steps: list[tuple[Value, tuple[Operand, ...], tuple[Callable, ...]]] = []

    def _remember(
        self, codes: np.ndarray, operands: tuple[Operand, ...], *gradients: Callable
    ) -> Value:
        """``gradients`` make of the result's gradient that of each operand."""
        result = Value(codes)
        self._steps.append((result, operands, gradients))
        return result

    def _apply(self, op: str, *operands: Operand) -> Value:
        m, codes = self.arithmetic, [_codes(x) for x in operands]
        result = getattr(m, op)(*codes)

        def by_derivative(derivative: Callable) -> Callable:
            return lambda delta: derivative(m, delta, result, *codes)

        def by_slope(slope: str, order: Sequence[int]) -> Callable:
            assert isinstance(m, Piecewise)
            return lambda delta: m.scaled(delta, slope, *(codes[i] for i in order))

        if isinstance(m, Piecewise) and m.exact and op in _SLOPES:
            return self._remember(result, operands, *(by_slope(*x) for x in _SLOPES[op]))
        return self._remember(result, operands, *map(by_derivative, _DERIVATIVES[op]))

    def add(self, a: Operand, b: Operand) -> Value:
        return self._apply("add", a, b)

    def sub(self, a: Operand, b: Operand) -> Value:
        return self._apply("sub", a, b)

    def mul(self, a: Operand, b: Operand) -> Value:
        return self._apply("mul", a, b)

    def div(self, a: Operand, b: Operand) -> Value:
        return self._apply("div", a, b)

    def relu(self, x: Operand) -> Value:
        return self._apply("relu", x)

    def sum(self, x: Value, axis: int) -> Value:
        """The sum over an axis, which stays as one of length 1."""
        codes = np.expand_dims(self.arithmetic.sum(x.codes, axis), axis)
        return self._remember(codes, (x,), lambda delta: np.broadcast_to(delta, x.codes.shape))

    def reshape(self, x: Value, *shape: int) -> Value:
        before = x.codes.shape
        return self._remember(x.codes.reshape(shape), (x,), lambda delta: delta.reshape(before))

    def swap(self, x: Value, a: int, b: int) -> Value:
        return self._remember(x.codes.swapaxes(a, b), (x,), lambda delta: delta.swapaxes(a, b))

    def take(self, x: Value, index: np.ndarray) -> Value:
        """Of each row along the last axis the element at an index: (..., n), (...) to (..., 1)."""
        index = index[..., None]

        def put(delta: np.ndarray) -> np.ndarray:
            gradient = np.zeros_like(x.codes)
            np.put_along_axis(gradient, index, delta, -1)
            return gradient

        return self._remember(np.take_along_axis(x.codes, index, -1), (x,), put)

    # -- compositions --------------------------------------------------------------------------

    def matmul(self, x: Operand, w: Operand) -> Value:
        """Matrix products (..., m, k) by (..., k, n), sums in ascending order."""
        columns = self.reshape(_value(x), *_codes(x).shape, 1)
        w = self.reshape(_value(w), *_codes(w).shape[:-2], 1, *_codes(w).shape[-2:])
        products = self.sum(self.mul(columns, w), -2)
        shape = products.codes.shape
        return self.reshape(products, *shape[:-2], shape[-1])

    def exp_below_greatest(self, x: Value) -> tuple[Value, Value]:
        """``exp(x - max x)`` of each row along the last axis, and ``x - max x``."""
        m = self.arithmetic
        below = self.sub(x, self.take(x, np.argmax(m.values(x.codes), axis=-1)))
        return self._apply("exp2", self.mul(below, m.encode(LOG2_E))), below

    def softmax(self, x: Value) -> Value:
        """Along the last axis."""
        e, _ = self.exp_below_greatest(x)
        return self.div(e, self.sum(e, -1))

    def cross_entropy(self, x: Value, labels: np.ndarray) -> Value:
        """``-log softmax(x)[label]`` of each row: (n, classes), (n) to (n, 1)."""
        e, below = self.exp_below_greatest(x)
        log2_total = self._apply("log2", self.sum(e, -1))
        log_total = self.div(log2_total, self.arithmetic.encode(LOG2_E))
        return self.sub(log_total, self.take(below, labels))

    def layer_norm(self, x: Value, gain: Operand, bias: Operand, epsilon: float = 1e-5) -> Value:
        """Over the last axis: gain (x - mean) / sqrt(variance + epsilon) + bias."""
        encode = self.arithmetic.encode
        count = encode(float(x.codes.shape[-1]))
        centred = self.sub(x, self.div(self.sum(x, -1), count))
        variance = self.div(self.sum(self.mul(centred, centred), -1), count)
        deviation = self._apply("sqrt", self.add(variance, encode(epsilon)))
        return self.add(self.mul(self.div(centred, deviation), gain), bias)

    # -- gradients -----------------------------------------------------------------------------

    def backward(self, result: Value, gradient: np.ndarray) -> None:
        """Give every value that led to a result its gradient, of the result's."""
        result.gradient = np.broadcast_to(gradient, result.codes.shape)
        for value, operands, gradients in reversed(self._steps):
            if value.gradient is None:
                continue
            for operand, of_operand in zip(operands, gradients, strict=True):
                if isinstance(operand, Value):
                    self._give(operand, of_operand(value.gradient))

    def _give(self, value: Value, gradient: np.ndarray) -> None:
        """Add a gradient, summed up over the axes along which the value was broadcast."""
        m, shape = self.arithmetic, value.codes.shape
        while gradient.ndim > len(shape):
            gradient = m.sum(gradient, 0)
        for axis, length in enumerate(shape):
            if gradient.shape[axis] > length:
                gradient = np.expand_dims(m.sum(gradient, axis), axis)
        value.gradient = gradient if value.gradient is None else m.add(value.gradient, gradient)


def _codes(x: Operand) -> np.ndarray:
    return x.codes if isinstance(x, Value) else x


def _value(x: Operand) -> Value:
    return x if isinstance(x, Value) else Value(x)


def _negated(m: Arithmetic, x: np.ndarray) -> np.ndarray:
    return m.sub(m.encode(0.0), x)


_DERIVATIVES: dict[str, tuple[Callable[..., np.ndarray], ...]] = {
    "add": (lambda m, delta, y, a, b: delta, lambda m, delta, y, a, b: delta),
    "sub": (lambda m, delta, y, a, b: delta, lambda m, delta, y, a, b: _negated(m, delta)),
    "mul": (lambda m, delta, y, a, b: m.mul(delta, b), lambda m, delta, y, a, b: m.mul(delta, a)),
    "div": (
        lambda m, delta, y, a, b: m.div(delta, b),
        lambda m, delta, y, a, b: _negated(m, m.div(m.mul(a, delta), m.mul(b, b))),
    ),
    "exp2": (lambda m, delta, y, x: m.mul(m.mul(y, m.encode(LN_2)), delta),),
    "log2": (lambda m, delta, y, x: m.div(m.div(delta, x), m.encode(LN_2)),),
    "sqrt": (lambda m, delta, y, x: m.div(m.mul(delta, m.encode(0.5)), y),),
    "relu": (lambda m, delta, y, x: np.where(m.values(x) > 0, delta, delta.dtype.type(0)),),
}
"""Of each operation the gradients of its operands, in any arithmetic: of the arithmetic, the
result's gradient, the result and the operands."""

_SLOPES: dict[str, tuple[tuple[str, Sequence[int]], ...]] = {
    "mul": (("mul", (0, 1)), ("mul", (1, 0))),
    "div": (("div_a", (0, 1)), ("div_b", (0, 1))),
    "exp2": (("exp2", (0,)),),
    "log2": (("log2", (0,)),),
    "sqrt": (("sqrt", (0,)),),
}
"""Of each operation the slopes of its operands: the names that ``paslope`` has for them, and which
operands it takes."""


class Adam:
    """Gradient descent by running means of gradients and of their squares, in one arithmetic.

    The decays to the power of the step are running products. All weights are one vector here. Of
    `Piecewise` it is the arithmetic without a constant: with one, decays would be above 1.
    """

    def __init__(self, arithmetic: Arithmetic, weights: Iterable[Value], rate: float = RATE):
        m = self.arithmetic = arithmetic.plain if isinstance(arithmetic, Piecewise) else arithmetic
        self.weights = list(weights)
        self.rate, self.epsilon, self._one = m.encode(rate), m.encode(EPSILON), m.encode(1.0)
        self._decays = [m.encode(x) for x in DECAY]
        self._rests = [m.encode(1 - x) for x in DECAY]
        self._powers = [self._one for _ in DECAY]
        self._means = [m.encode(0.0) for _ in DECAY]

    def step(self) -> None:
        """Change the weights by their gradients, which are then forgotten."""
        m = self.arithmetic
        g = np.concatenate([_gradient(x).ravel() for x in self.weights])
        corrected = []
        for i, (decay, x) in enumerate(zip(self._decays, (g, m.mul(g, g)), strict=True)):
            self._powers[i] = m.mul(self._powers[i], decay)
            kept = m.mul(decay, self._means[i])
            self._means[i] = m.add(kept, m.mul(self._rests[i], x))
            corrected.append(m.div(self._means[i], m.sub(self._one, self._powers[i])))
        mean, square = corrected
        change = m.mul(self.rate, m.div(mean, m.add(m.sqrt(square), self.epsilon)))
        changed = m.sub(np.concatenate([x.codes.ravel() for x in self.weights]), change)
        ends = np.cumsum([x.codes.size for x in self.weights])
        for weight, part in zip(self.weights, np.split(changed, ends[:-1]), strict=True):
            weight.codes = part.reshape(weight.codes.shape)
            weight.gradient = None


def _gradient(x: Value) -> np.ndarray:
    assert x.gradient is not None
    return x.gradient


class Transformer:
    """Rows of an image as tokens, one block (attention, then two layers with ReLU, each behind a
    layer norm and added to its input), the mean of the tokens' layer norm, and a linear layer.

    Parameters
    ----------
    arithmetic : what it computes with.
    seed : of the weights to begin with (normal, of variance 1 / inputs; layers 2 / inputs behind
        which ReLU is) and the order of images.
    """

    def __init__(self, arithmetic: Arithmetic, seed: int = 0):
        self.arithmetic = arithmetic
        self.random = np.random.default_rng(seed)
        shapes = {"embedding": (PIXELS, WIDTH), "positions": (ROWS, WIDTH)}
        shapes |= {x: (WIDTH, WIDTH) for x in ("query", "key", "value", "attention")}
        shapes |= {"up": (WIDTH, HIDDEN), "down": (HIDDEN, WIDTH), "output": (WIDTH, CLASSES)}
        self.weights = {
            name: Value(arithmetic.encode(self._normal(*shape, 2 if name == "up" else 1)))
            for name, shape in shapes.items()
        }
        for x in ("first", "second", "last"):
            self.weights[f"{x} gain"] = Value(arithmetic.encode(np.ones(WIDTH)))
            self.weights[f"{x} bias"] = Value(arithmetic.encode(np.zeros(WIDTH)))
        for x, width in (("up", HIDDEN), ("down", WIDTH), ("output", CLASSES)):
            self.weights[f"{x} bias"] = Value(arithmetic.encode(np.zeros(width)))

    def _normal(self, inputs: int, outputs: int, variance: int) -> np.ndarray:
        return self.random.standard_normal((inputs, outputs)) * math.sqrt(variance / inputs)

    def forward(self, t: Tape, images: np.ndarray) -> Value:
        """The outputs (count, classes) of images (count, pixels)."""
        w = self.weights

        def norm(x: Value, name: str) -> Value:
            return t.layer_norm(x, w[f"{name} gain"], w[f"{name} bias"])

        def layer(x: Value, name: str) -> Value:
            return t.add(t.matmul(x, w[name]), w[f"{name} bias"])

        tokens = self.arithmetic.encode(images.reshape(-1, ROWS, PIXELS))
        x = t.add(t.matmul(tokens, w["embedding"]), w["positions"])
        x = t.add(x, self._attention(t, norm(x, "first")))
        x = t.add(x, layer(t.relu(layer(norm(x, "second"), "up")), "down"))
        mean = t.div(t.sum(norm(x, "last"), -2), self.arithmetic.encode(float(ROWS)))
        return t.reshape(layer(mean, "output"), -1, CLASSES)

    def _attention(self, t: Tape, x: Value) -> Value:
        """``softmax(q k^T / sqrt(size)) v`` of each head, through a last matrix."""
        size = WIDTH // HEADS

        def heads(name: str) -> Value:
            y = t.matmul(x, self.weights[name])
            return t.swap(t.reshape(y, -1, ROWS, HEADS, size), 1, 2)

        q, k, v = heads("query"), heads("key"), heads("value")
        scores = t.matmul(q, t.swap(k, -1, -2))
        scores = t.div(scores, self.arithmetic.encode(math.sqrt(size)))
        context = t.swap(t.matmul(t.softmax(scores), v), 1, 2)
        return t.matmul(t.reshape(context, -1, ROWS, WIDTH), self.weights["attention"])

    def step(self, images: np.ndarray, labels: np.ndarray, optimizer: Adam) -> None:
        """One step, by the mean of a batch's gradients."""
        tape = Tape(self.arithmetic)
        loss = tape.cross_entropy(self.forward(tape, images), labels)
        tape.backward(loss, self.arithmetic.encode(1 / len(labels)))
        optimizer.step()

    def train(
        self, images: np.ndarray, labels: np.ndarray, epochs: int = EPOCHS, batch: int = BATCH
    ) -> None:
        """Go through all images so many times (`batches`)."""
        optimizer = Adam(self.arithmetic, self.weights.values())
        for part in batches(self.random, len(images), epochs, batch):
            self.step(images[part], labels[part], optimizer)

    def accuracy(self, images: np.ndarray, labels: np.ndarray) -> float:
        """Share of the images whose largest output is their label's."""
        outputs = self.forward(Tape(self.arithmetic), images)
        return share_right(self.arithmetic.values(outputs.codes), labels)


ARITHMETICS: dict[str, Callable[[], Arithmetic]] = {
    "float32": Float32,
    "pam, exact slopes": lambda: Piecewise("exact"),
    "pam, approximate slopes": lambda: Piecewise("approximate"),
    "pam, alpha=1.0552, approximate slopes": lambda: Piecewise("approximate", ofs=0x710CB),
}


def main() -> None:
    """Print the accuracies on the held-out images, for each arithmetic over all seeds."""
    how = f"{EPOCHS} epochs of batches of {BATCH}, Adam's rate {RATE}"
    print_accuracies(how, ARITHMETICS, accuracies)


def accuracies(make: Callable[[], Arithmetic], seeds: Sequence[int] = SEEDS) -> list[float]:
    """Accuracies on the held-out images of transformers trained in an arithmetic, for each seed."""
    return of_seeds(lambda seed: Transformer(make(), seed), seeds)


if __name__ == "__main__":
    main()
