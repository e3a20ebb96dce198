"""Training a network with no multiplication, or with products of integers alone.

    python -m hwarith.explore.training

trains the digits network in float32, with piecewise-affine operations in every step, and with
matrix products of dynamic fixed point forward and backward, from the same beginnings and in the
same order of images, and prints the accuracies. Needs scikit-learn (a development extra), for the
images. Sources: Kosson and Jaggi, arXiv 2305.17190; Tayaranian Hosseini et al., arXiv 2209.09815.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Protocol, TypeVar

import numpy as np

from ..formats.dynamic import DynamicFixedPoint, dynamic_fixed_point
from ..matrix.dynamic import dynamic_matmul
from ..matrix.piecewise import PiecewiseAffine
from .workloads.make_digits import HELD_OUT, PIXEL_MAX

LAYERS = (64, 24, 16, 10)
EPOCHS, BATCH, RATE = 20, 32, 0.125
SEEDS = (0, 1, 2)

T = TypeVar("T")


class Arithmetic(Protocol):
    """What training computes with, on arrays of its own kind of codes."""

    def encode(self, x: np.ndarray | float) -> np.ndarray: ...
    def add(self, a: np.ndarray, b: np.ndarray) -> np.ndarray: ...
    def sub(self, a: np.ndarray, b: np.ndarray) -> np.ndarray: ...
    def mul(self, a: np.ndarray, b: np.ndarray) -> np.ndarray: ...
    def sum(self, x: np.ndarray, axis: int) -> np.ndarray: ...
    def matmul(self, a: np.ndarray, b: np.ndarray) -> np.ndarray: ...
    def relu(self, x: np.ndarray) -> np.ndarray: ...
    def output_gradient(self, outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """The gradient of the mean cross-entropy of the outputs' softmax."""
        ...

    def gradients(
        self, x: np.ndarray, w: np.ndarray, delta: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Of y = x w, with the gradient `delta` of y: the gradients of x and of w."""
        ...

    def values(self, codes: np.ndarray) -> np.ndarray: ...


class Float32:
    """numpy's arithmetic."""

    def encode(self, x: np.ndarray | float) -> np.ndarray:
        return np.asarray(x, np.float32)

    def add(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return a + b

    def sub(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return a - b

    def mul(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return a * b

    def div(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return a / b

    def exp2(self, x: np.ndarray) -> np.ndarray:
        return np.exp2(x)

    def log2(self, x: np.ndarray) -> np.ndarray:
        return np.log2(x)

    def sqrt(self, x: np.ndarray) -> np.ndarray:
        return np.sqrt(x)

    def sum(self, x: np.ndarray, axis: int) -> np.ndarray:
        return x.sum(axis)

    def matmul(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return a @ b

    def relu(self, x: np.ndarray) -> np.ndarray:
        return np.maximum(x, 0)

    def output_gradient(self, outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
        e = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        shares = e / e.sum(axis=1, keepdims=True)
        return (shares - np.eye(outputs.shape[1], dtype=np.float32)[labels]) / len(labels)

    def gradients(
        self, x: np.ndarray, w: np.ndarray, delta: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        return delta @ w.T, x.T @ delta

    def values(self, codes: np.ndarray) -> np.ndarray:
        return codes


class DynamicIntegers(Float32):
    """float32, but for products of matrices, forward and backward: of integers of so many bits with
    one exponent for each matrix, summed up exactly (`hwarith.dynamic_matmul`, in 48 bits).

    Activations and weights are rounded to nearest, gradients at random and without bias.
    """

    def __init__(self, bits: int):
        self.bits = bits
        self._random = np.random.default_rng(0)

    def matmul(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return self._product(self._integers(a), self._integers(b))

    def gradients(
        self, x: np.ndarray, w: np.ndarray, delta: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        change = dynamic_fixed_point(delta, self.bits, self._random)
        of_x = self._product(change, self._integers(w.T))
        return of_x, self._product(self._integers(x.T), change)

    def _integers(self, x: np.ndarray) -> DynamicFixedPoint:
        return dynamic_fixed_point(x, self.bits)

    @staticmethod
    def _product(x: DynamicFixedPoint, w: DynamicFixedPoint) -> np.ndarray:
        return dynamic_matmul(x, w, acc=48).values().astype(np.float32)


class Piecewise(PiecewiseAffine):
    """Piecewise-affine arithmetic with gradients.

    ``backward="exact"`` takes the slopes of the operations that were made, which are powers of two;
    ``"approximate"`` the derivatives of those that they stand for, in piecewise-affine arithmetic.
    ``plain`` is the arithmetic without a constant, in which products by powers of two are exact.
    """

    def __init__(self, backward: str, ofs: int = 0):
        super().__init__("fp32", ofs)
        self.exact = backward == "exact"
        self.plain = PiecewiseAffine("fp32")

    def scaled(self, delta: np.ndarray, op: str, *operands: np.ndarray) -> np.ndarray:
        """A gradient times the slope of an operation, by the name that ``paslope`` has for it."""
        return self.plain.mul(delta, self.slope(op, *operands))

    def output_gradient(self, outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Backwards through log(sum(exp(s))) - s[label], of s = outputs - their maximum."""
        rows = np.arange(len(outputs))
        greatest = np.argmax(self.values(outputs), axis=1)
        log2_e = self.encode(np.log2(np.exp(1.0)))
        s = self.sub(outputs, outputs[rows, greatest][:, None])
        powers = self.mul(s, log2_e)
        e = self.exp2(powers)
        total = self.sum(e, 1)
        one = np.broadcast_to(self.encode(1 / len(labels)), total.shape)
        if self.exact:
            of_total = self.scaled(one, "div_a", self.log2(total), np.full_like(total, log2_e))
            of_total = self.scaled(of_total, "log2", total)
            of_powers = self.scaled(of_total[:, None], "exp2", powers)
            of_s = self.scaled(of_powers, "mul", s, log2_e)
        else:
            of_s = self.mul(e, self.div(one, total)[:, None])
        of_s[rows, labels] = self.sub(of_s[rows, labels], one)
        of_s[rows, greatest] = self.sub(of_s[rows, greatest], self.sum(of_s, 1))
        return of_s

    def gradients(
        self, x: np.ndarray, w: np.ndarray, delta: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        if not self.exact:
            return self.matmul(delta, w.T), self.matmul(x.T, delta)
        left, right, change = x[:, :, None], w[None], delta[:, None, :]
        of_x = self.scaled(change, "mul", left, right)
        of_w = self.scaled(change, "mul", right, left)
        return self.sum(of_x, 2), self.sum(of_w, 0)

    def values(self, codes: np.ndarray) -> np.ndarray:
        return self.format.decode(codes)


class Network:
    """A multilayer perceptron with ReLU between its layers, trained by gradient descent on the
    cross-entropy of its softmax; all in one arithmetic.

    Parameters
    ----------
    arithmetic : what it computes with.
    layers : how many numbers go into each layer, and out of the last one.
    seed : of the weights to begin with (normal, of variance 2 / inputs) and the order of images.
    """

    def __init__(self, arithmetic: Arithmetic, layers: Sequence[int] = LAYERS, seed: int = 0):
        self.arithmetic = arithmetic
        self.random = np.random.default_rng(seed)
        self.weights = [
            arithmetic.encode(self.random.standard_normal((n, m)) * np.sqrt(2 / n))
            for n, m in pairwise(layers)
        ]
        self.biases = [arithmetic.encode(np.zeros(m)) for m in layers[1:]]

    def forward(self, images: np.ndarray) -> list[np.ndarray]:
        """Inputs of each layer and the outputs of the last one, of images (count, inputs)."""
        m = self.arithmetic
        x = [m.encode(images)]
        for i, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            y = m.add(m.matmul(x[-1], w), b)
            x.append(y if i == len(self.weights) - 1 else m.relu(y))
        return x

    def step(self, images: np.ndarray, labels: np.ndarray, rate: float) -> None:
        """One step of gradient descent, by the mean of a batch's gradients."""
        m = self.arithmetic
        *inputs, outputs = self.forward(images)
        delta = m.output_gradient(outputs, labels)
        factor = m.encode(rate)
        for i in reversed(range(len(self.weights))):
            of_x, of_w = m.gradients(inputs[i], self.weights[i], delta)
            of_b = m.sum(delta, 0)
            if i:
                delta = np.where(m.values(inputs[i]) > 0, of_x, of_x.dtype.type(0))
            self.weights[i] = m.sub(self.weights[i], m.mul(factor, of_w))
            self.biases[i] = m.sub(self.biases[i], m.mul(factor, of_b))

    def train(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        epochs: int = EPOCHS,
        batch: int = BATCH,
        rate: float = RATE,
    ) -> None:
        """Go through all images so many times (`batches`)."""
        for part in batches(self.random, len(images), epochs, batch):
            self.step(images[part], labels[part], rate)

    def accuracy(self, images: np.ndarray, labels: np.ndarray) -> float:
        """Share of the images whose largest output is their label's."""
        return share_right(self.arithmetic.values(self.forward(images)[-1]), labels)


def batches(
    random: np.random.Generator, count: int, epochs: int, batch: int
) -> Iterator[np.ndarray]:
    """The places of a batch's images: so many times all images, in a new order; a last batch that
    is not full is left out."""
    for _ in range(epochs):
        order = random.permutation(count)
        yield from order[: count // batch * batch].reshape(-1, batch)


def share_right(outputs: np.ndarray, labels: np.ndarray) -> float:
    """Share of the rows whose largest output is their label's."""
    return float(np.mean(np.argmax(np.nan_to_num(outputs, nan=-np.inf), axis=1) == labels))


ARITHMETICS: dict[str, Callable[[], Arithmetic]] = {
    "float32": Float32,
    "dfp16": lambda: DynamicIntegers(16),
    "dfp12": lambda: DynamicIntegers(12),
    "dfp10": lambda: DynamicIntegers(10),
    "dfp8": lambda: DynamicIntegers(8),
    "pam, exact slopes": lambda: Piecewise("exact"),
    "pam, approximate slopes": lambda: Piecewise("approximate"),
    "pam, alpha=1.0552, approximate slopes": lambda: Piecewise("approximate", ofs=0x710CB),
}


def main() -> None:
    """Print the accuracies on the held-out images, for each arithmetic over all seeds."""
    print_accuracies(f"{EPOCHS} epochs of batches of {BATCH}, rate {RATE}", ARITHMETICS, accuracies)


def print_accuracies(
    how: str,
    arithmetics: dict[str, Callable[[], T]],
    accuracies: Callable[[Callable[[], T]], list[float]],
) -> None:
    """How is trained, and a line of what each arithmetic reaches."""
    images, _, held_out, _ = digits()
    print(f"{len(images)} images, {how}; accuracy on {len(held_out)} held-out images")
    for name, make in arithmetics.items():
        found = [100 * x for x in accuracies(make)]
        seeds = " ".join(f"{x:5.1f}" for x in found)
        print(f"{name:40} {np.mean(found):5.2f} %   of seeds {seeds}", flush=True)


def accuracies(make: Callable[[], Arithmetic]) -> list[float]:
    """Accuracies on the held-out images of networks trained in an arithmetic, for each seed."""
    return of_seeds(lambda seed: Network(make(), seed=seed), SEEDS)


class Learner(Protocol):
    """What can be trained on images and labels."""

    def train(self, images: np.ndarray, labels: np.ndarray) -> None: ...
    def accuracy(self, images: np.ndarray, labels: np.ndarray) -> float: ...


def of_seeds(begin: Callable[[int], Learner], seeds: Sequence[int]) -> list[float]:
    """Accuracies on the held-out images after training from each of these beginnings."""
    images, labels, held_out, held_out_labels = digits()
    found = []
    for seed in seeds:
        network = begin(seed)
        network.train(images, labels)
        found.append(network.accuracy(held_out, held_out_labels))
    return found


def digits() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training images and labels, held-out images and labels: those of the workload."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    data = load_digits()
    train, held_out, labels, held_out_labels = train_test_split(
        data.data / PIXEL_MAX,
        data.target,
        test_size=HELD_OUT,
        stratify=data.target,
        random_state=0,
    )
    return train, labels, held_out, held_out_labels


if __name__ == "__main__":
    main()
