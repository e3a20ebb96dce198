"""The workload: every multiplication and accumulation is the unit's, and nothing else's."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import hwarith as hw
from hwarith.exceptions import InvalidInput
from hwarith.explore.workloads import WORKLOADS, workload
from hwarith.explore.workloads.datapath import datapath
from hwarith.explore.workloads.network import SAMPLED, Layer, accuracy, exact_outputs, scales
from hwarith.explore.workloads.paths import Datapath, Encoded
from hwarith.units.chain import chained_accumulators, rounded_accumulators

DIGITS = workload("digits")


def encoded(path: Datapath, layer: Layer, x: np.ndarray) -> tuple[Encoded, Encoded, np.ndarray]:
    scale_x, scale_w = scales(path, layer)
    bias = path.first.encode(layer.bias / (scale_x * scale_w))
    return path.left(x, scale_x), path.right(layer.weights, scale_w), bias


@pytest.mark.parametrize(
    "spec", ["mul:a=int8,b=int8,out=int16", "fma:a=int8,b=int8,c=int32,out=int32"]
)
def test_integers_are_an_integer_matrix_product(spec: str) -> None:
    path = datapath(hw.unit(spec))
    layer = DIGITS.network.layers[0]
    x, w, bias = encoded(path, layer, DIGITS.network.images)
    views = (x.codes.view(np.int8), w.codes.view(np.int8), bias.view(np.int32))
    signed = [v.astype(np.int64) for v in views]
    expected = signed[0] @ signed[1] + signed[2]
    found = path.last.decode(path.accumulate(x, w, bias))
    np.testing.assert_array_equal(found, expected)
    assert np.abs(signed[1]).max() == 127


def round_to_fp32(x: Fraction) -> Fraction:
    """To nearest, ties to even, by Python's own rounding; for results in the normal range."""
    if x == 0:
        return x
    exponent = abs(x.numerator).bit_length() - x.denominator.bit_length()
    exponent -= abs(x) < Fraction(2) ** exponent
    step = Fraction(2) ** (exponent - 23)
    return round(x / step) * step


def accumulate_by_hand(layer: Layer, image: np.ndarray, order: range) -> list[Fraction]:
    x, w, bias = (np.float32(v).astype(float) for v in (image, layer.weights, layer.bias))
    sums = [Fraction(b) for b in bias]
    for k in order:
        for j, acc in enumerate(sums):
            sums[j] = round_to_fp32(Fraction(x[k]) * Fraction(w[k, j]) + acc)
    return sums


def test_fp32_multiply_add_is_fused_and_in_ascending_order() -> None:
    path = datapath(hw.unit("fma:a=fp32,b=fp32,c=fp32,out=fp32"))
    layer, image = DIGITS.network.layers[0], DIGITS.network.images[3]
    x, w, bias = encoded(path, layer, image[None, :])
    found = [Fraction(v) for v in path.last.decode(path.accumulate(x, w, bias))[0]]
    assert found == accumulate_by_hand(layer, image, range(64))
    assert found != accumulate_by_hand(layer, image, range(63, -1, -1))


def test_double_precision_classifies_as_numpy_does() -> None:
    network = DIGITS.network
    x = network.images
    for layer in network.layers[:-1]:
        x = np.maximum(x @ layer.weights + layer.bias, 0)
    chosen = np.argmax(x @ network.layers[-1].weights + network.layers[-1].bias, axis=1)
    assert DIGITS.baseline_accuracy == np.mean(chosen == network.labels) > 0.95
    outcome = DIGITS.run(hw.unit("mul:a=fp32"))
    assert exact_outputs(network).dtype == DIGITS.baseline
    assert outcome.accuracy == DIGITS.baseline_accuracy
    assert 0 < outcome.output_error < 1e-6


@pytest.mark.parametrize(
    "spec",
    [
        "mul:a=e4m3fn",
        "lmul:format=e5m2",
        "fma:a=e4m3fn,c=e4m3fn,out=e4m3fn",
        "mul:a=fp16",
        "mul:a=int8,b=int8,out=int8",
        "add:a=bf16",
        "add:a=int32",
    ],
)
def test_narrow_formats_stay_in_range(spec: str) -> None:
    outcome = DIGITS.run(hw.unit(spec))
    assert outcome.accuracy > 0.85
    assert outcome.output_error is not None
    assert outcome.output_error > 0


def test_operands_are_those_of_every_fifth_image() -> None:
    outcome = DIGITS.run(hw.unit("mul:a=int8,b=int8,out=int16"))
    images = len(DIGITS.network.images[SAMPLED])
    multiplications = sum(layer.weights.size for layer in DIGITS.network.layers)
    assert [x.size for x in outcome.operands] == [images * multiplications] * 2
    adder = hw.unit("add:a=int16,b=int32,out=int32")
    products, sums = DIGITS.run(adder).operands
    assert products.dtype == np.uint16
    assert sums.dtype == np.uint32


def test_operands_come_one_dot_product_after_the_other() -> None:
    u = hw.unit("fma:a=bf16,c=fp32,out=fp32")
    a, b, c = DIGITS.run(u).operands
    layer = DIGITS.network.layers[0]
    steps = len(layer.weights)
    assert (u(a, b, c)[: steps - 1] == c[1:steps]).all()
    assert (b[: 2 * steps] == u.b.encode(layer.weights[:, :2]).T.ravel()).all()


def test_operands_of_a_chain_are_its_states() -> None:
    u = hw.unit("anfma:a=bf16,norm=an-1-1")
    a, b, c = DIGITS.run(u).operands
    steps = len(DIGITS.network.layers[0].weights)
    assert (u(a, b, c)[: steps - 1] == c[1:steps]).all()
    *_, codes = rounded_accumulators(u, (a, b, c))
    assert (codes == u.chain_end(c)).all()  # both in fp32
    assert (chained_accumulators(u, (a, b, codes))[-1] != c).any()  # partly normalized ones


def test_narrow_tensors_are_scaled_to_the_top_of_their_format() -> None:
    layer = DIGITS.network.layers[0]
    peak = np.abs(layer.weights).max()
    fma = "fma:a=fp16,b=e2m1fn,c={0},out={0}"
    wide, small = (scales(datapath(hw.unit(fma.format(f))), layer) for f in ("fp32", "fp16"))
    assert (small[0] > wide[0], small[1]) == (True, wide[1])  # e2m1 has no binades to spare
    unscaled = scales(datapath(hw.unit("mul:a=bf16")), layer)
    assert unscaled == (1.0, 1.0)
    _, wide_product = scales(datapath(hw.unit("mul:a=e4m3fn,b=e4m3fn,out=bf16")), layer)
    assert 448 / 2 < peak / wide_product <= 448
    narrow = scales(datapath(hw.unit("mul:a=e4m3fn")), layer)
    assert 448 / 4 < layer.product_peak / (narrow[0] * narrow[1]) <= 448 / 2


def test_nan_is_never_chosen() -> None:
    outputs = np.array([[np.nan, 1.0, 2.0], [np.nan, np.nan, np.nan]])
    assert accuracy(outputs, np.array([2, 1])) == 0.5


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("fma:a=e4m3fn,b=e5m2,c=fp16,out=bf16", "must take e4m3fn, e5m2, bf16 and give bf16 alone"),
        ("add:a=bf16,b=bf16,out=fp32", "must take bf16, fp32 and give fp32 alone"),
        ("mul:a=uint8,b=uint8,out=uint16", "weights have signs, uint8 has none"),
    ],
)
def test_units_that_cannot_accumulate_are_refused(spec: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        DIGITS.check(hw.unit(spec))


def test_unknown_workload() -> None:
    with pytest.raises(InvalidInput, match="unknown workload 'digit'; did you mean 'digits'"):
        workload("digit")
    assert set(WORKLOADS) == {"digits", "minilm"}


def test_images_are_the_digits_of_scikit_learn() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    digits = datasets.load_digits()
    known = {
        (tuple(image), label)
        for image, label in zip(digits.data.astype(int).tolist(), digits.target, strict=True)
    }
    network = DIGITS.network
    held_out = (network.images * 16).astype(int).tolist()
    assert len(held_out) == 500
    assert all((tuple(x), y) in known for x, y in zip(held_out, network.labels, strict=True))
