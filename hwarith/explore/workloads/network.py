"""A layered network whose every multiplication and accumulation runs through given units.

A layer ``y = x W + b`` sums up products as `datapath` has it, from the bias in the accumulator's
format on. Scaling, ReLU and the choice of the largest output are done outside the units, in
float64. ``METHOD`` says all this to readers of a report.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...formats import Format
from ...units import Unit
from .datapath import datapath
from .paths import Datapath, is_wide
from .protocol import Outcome

METHOD = (
    "A multiply-add accumulates: acc = a·b + acc. Products of a multiplier are summed by an exact "
    "adder in fp32 (int32 for integers; the product's format where that is wider). An adder is "
    "studied as the accumulator of products that an exact fp32 (int8) multiplier rounds to its "
    "first operand's format. A dot product takes its n pairs at a time and goes on from what it "
    "gave before; inputs and weights are padded with zeros to a multiple of n. Dynamic fixed point "
    "(dfpmac) takes two pairs at a time.",
    "Sums run in ascending order of the inputs and start from the bias, rounded to the "
    "accumulator's format.",
    "Inputs, weights and activations are rounded to nearest in the unit's operand formats. Formats "
    "with 8 or more exponent bits take values as they are. Narrower floats are scaled by a power "
    "of two for each tensor, and integers symmetrically, so that the largest magnitude met with "
    "the training images comes to the top of the format; but lower where products or sums would "
    "come within a factor of two of the largest value of theirs, by more in a format with more "
    "binades. For a dot product with scales "
    "both are quantized in blocks along the inputs, scales of powers of two by the rule floor, "
    "those in ue4m3 by the rule te with one more for each tensor.",
    "Scaling and ReLU between the layers and the choice of the largest output are done in float64, "
    "outside the units. A NaN is never chosen.",
)
"""How a network is run, in sentences for readers of a report."""

HEADROOM = 2
"""Products and sums of the training images stay this factor below the largest value."""

SAMPLED = slice(None, None, 5)
"""The images from which operands are kept."""


@dataclass(frozen=True)
class Layer:
    """Weights (inputs, outputs) and bias (outputs), and what the training images gave: the
    largest magnitudes of inputs, products, and partial sums."""

    weights: np.ndarray
    bias: np.ndarray
    input_peak: float
    product_peak: float
    sum_peak: float


@dataclass(frozen=True)
class Network:
    """Layers with ReLU between them, images (count, inputs) and their labels (count)."""

    layers: tuple[Layer, ...]
    images: np.ndarray
    labels: np.ndarray


def run(network: Network, unit: Unit) -> Outcome:
    """Run a network's images with `unit` in its place of a `datapath`. Raises `InvalidInput`."""
    path = datapath(unit)
    operands: list[tuple[np.ndarray, ...]] = []

    def run_layer(layer: Layer, x: np.ndarray) -> np.ndarray:
        scale_x, scale_w = scales(path, layer)
        inputs, weights = path.left(x, scale_x), path.right(layer.weights, scale_w)
        scale = inputs.scale * weights.scale
        bias = path.first.encode(layer.bias / scale)
        operands.append(path.operands_met(inputs.rows(SAMPLED), weights, bias))
        sums = path.last.decode(path.accumulate(inputs, weights, bias))
        return sums.astype(np.float64) * scale

    outputs = _forward(network, run_layer)
    return Outcome(
        *_judged(network, outputs),
        tuple(np.concatenate(codes) for codes in zip(*operands, strict=True)),
    )


def run_with_sums(
    network: Network, sums: Sequence[Callable[[np.ndarray], np.ndarray]]
) -> tuple[float, float | None]:
    """Accuracy and output error, as in `Outcome`, where a function for each layer gives the sums of
    products (images, outputs) of the inputs (images, inputs), which are fp16 numbers. Biases are
    added in float64."""
    waiting = iter(sums)

    def run_layer(layer: Layer, x: np.ndarray) -> np.ndarray:
        return next(waiting)(x.astype(np.float16)) + layer.bias

    return _judged(network, _forward(network, run_layer))


def exact_outputs(network: Network) -> np.ndarray:
    """The outputs (images, classes) in float64 arithmetic."""
    return _forward(network, lambda layer, x: x @ layer.weights + layer.bias)


def accuracy(outputs: np.ndarray, labels: np.ndarray) -> float:
    """Share of the images whose largest output is their label's (the first of equal ones)."""
    chosen = np.argmax(np.where(np.isnan(outputs), -np.inf, outputs), axis=1)
    return float(np.mean(chosen == labels))


def _forward(network: Network, run_layer: Callable[[Layer, np.ndarray], np.ndarray]) -> np.ndarray:
    x = network.images
    for layer in network.layers[:-1]:
        x = np.maximum(run_layer(layer, x), 0)
    return run_layer(network.layers[-1], x)


def _judged(network: Network, outputs: np.ndarray) -> tuple[float, float | None]:
    """Accuracy and output error of outputs."""
    expected = exact_outputs(network)
    deviation = _rms(outputs - expected) / _rms(expected) if np.isfinite(outputs).all() else None
    return accuracy(outputs, network.labels), deviation


def _rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(x**2)))


def scales(path: Datapath, layer: Layer) -> tuple[float, float]:
    """What a layer's inputs and weights are divided by before they are encoded."""
    peaks = (layer.input_peak, float(np.abs(layer.weights).max()))
    scaled = [1.0, 1.0]
    if not path.block_scaled:
        scaled = [_scale(f, peak) for f, peak in zip(path.operand_formats, peaks, strict=True)]
    limits = [layer.sum_peak / float(path.last.max)]
    if path.product_format is not None:
        limits.append(layer.product_peak / float(path.product_format.max))
    excess = HEADROOM * max(limits) / math.prod(scaled)
    if excess > 1:
        scaled = _shrink(scaled, excess, path.operand_formats, path.last.is_float)
    return scaled[0], scaled[1]


def _scale(f: Format, peak: float) -> float:
    """The scale that brings `peak` to the top of a format; a power of two for floats."""
    if not f.is_float:
        return peak / float(f.max)
    if is_wide(f):
        return 1.0
    return 2.0 ** math.ceil(math.log2(peak / float(f.max)))


def _shrink(
    scaled: list[float], excess: float, formats: tuple[Format, Format], powers_of_two: bool
) -> list[float]:
    """Scales whose product is larger by `excess`, shared evenly between two integers, and between
    floats as the binades that each format has: few ones have none to spare."""
    if not powers_of_two:
        return [scale * math.sqrt(excess) for scale in scaled]
    binades = math.ceil(math.log2(excess))
    left, right = (math.log2(f.max / f.smallest) for f in formats)
    of_right = math.floor(binades * right / (left + right) + 0.5)
    return [scaled[0] * 2.0 ** (binades - of_right), scaled[1] * 2.0**of_right]
