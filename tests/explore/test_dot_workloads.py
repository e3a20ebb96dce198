"""Workloads and errors of dot products: blocks, padding, sums that go on, exact results."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import hwarith as hw
from hwarith.exceptions import InvalidInput
from hwarith.explore import evaluate, reference
from hwarith.explore.compare import compare
from hwarith.explore.operands_file import read_operands
from hwarith.explore.workloads import workload
from hwarith.explore.workloads.datapath import datapath
from hwarith.explore.workloads.minilm.heads import Factors
from hwarith.explore.workloads.minilm.products import Products
from hwarith.flow.stimuli.families import stimuli_of
from tests.explore.fake_flow import FakeFlow
from tests.tiers import few

DIGITS = workload("digits")
MXFP8 = "dot:a=e4m3fn,n=32,scale=e8m0fnu"


def padded(x: np.ndarray, n: int) -> np.ndarray:
    return np.pad(x, ((0, 0), (0, -x.shape[1] % n)))


@pytest.mark.parametrize(
    ("spec", "name"),
    few(
        [
            (MXFP8, "mxfp8_e4m3"),
            ("dot:a=e2m1fn,n=16,scale=ue4m3", "nvfp4"),
            ("dot:a=int4,n=32,scale=e8m0fnu", "mxint4"),
        ],
        3,
    ),
)
def test_network_in_blocks(spec: str, name: str) -> None:
    """Quantized weights and activations, multiplied in float64: what a dot that rounds once in fp32
    hardly differs from."""
    n = hw.unit(spec).n
    x, network = DIGITS.network.images, DIGITS.network
    for i, layer in enumerate(network.layers):
        a, b = (hw.quantize(padded(v, n), name).values() for v in (x, layer.weights.T))
        x = a @ b.T + layer.bias
        x = x if i == len(network.layers) - 1 else np.maximum(x, 0)
    exact = network.images
    for i, layer in enumerate(network.layers):
        exact = exact @ layer.weights + layer.bias
        exact = exact if i == len(network.layers) - 1 else np.maximum(exact, 0)
    error = np.sqrt(np.mean((x - exact) ** 2) / np.mean(exact**2))
    found = DIGITS.run(hw.unit(spec))
    assert found.output_error == pytest.approx(error, rel=1e-3)
    assert found.accuracy == np.mean(x.argmax(axis=1) == network.labels)


def test_sums_go_on_from_block_to_block() -> None:
    u = hw.unit("dot:a=e4m3fn,n=16,acc=trunc-13")
    a, b, c = DIGITS.run(u).operands
    layer = DIGITS.network.layers[0]
    steps = len(layer.weights) // 16
    assert a.shape == b.shape == (100 * (24 * 4 + 16 * 2 + 10), 16)
    assert (u(a, b, c)[: steps - 1] == c[1:steps]).all()
    assert (a[:steps].ravel() == a[steps : 2 * steps].ravel()).all()  # the first image's


@pytest.mark.parametrize(
    ("spec", "least"),
    few(
        [
            ("dot:a=e4m3fn,n=32", 0.95),
            ("dot:a=e4m3fn,n=32,c=fp16", 0.95),
            (f"{MXFP8},c=fp16", 0.95),
            ("dot:a=int8,n=16", 0.95),
            ("dot:a=uint8,b=int8,n=8", 0.95),
            ("dot:a=int8,b=e2m1fn,n=32,scale=e8m0fnu", 0.9),
            ("dot:preset=h100-wgmma-e4m3fn-fp32", 0.95),
            ("dot:preset=b200-nvfp4", 0.9),
            ("dot:a=e4m3fn,n=8,acc=pairwise", 0.95),
        ],
        4,
    ),
)
def test_dots_classify(spec: str, least: float) -> None:
    outcome = DIGITS.run(hw.unit(spec))
    assert outcome.accuracy > least
    assert outcome.output_error is not None
    assert 0 < outcome.output_error < 0.3


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("dot:a=e4m3fn,c=none", "where c is of the format of out"),
        ("dot:a=e4m3fn,c=fp16,out=fp32", "where c is of the format of out"),
        ("dot:a=int8,b=uint8", "weights have signs, uint8 has none"),
        ("dot:a=fp16,scale=e8m0fnu", "signed elements of up to 8 bits, not fp16"),
        ("dot:a=uint4,b=int4,scale=e8m0fnu", "signed elements of up to 8 bits, not uint4"),
        ("dot:a=e4m3fn,scale=ue4m3,c=fp16", "a float of 8 exponent bits, not fp16"),
        ("dot:a=e4m3fn,n=8,flags=after", "sums go on where c is of the format of out, and without"),
    ],
)
def test_dots_without_a_network_are_refused(spec: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        DIGITS.check(hw.unit(spec))


def test_products_of_matrices() -> None:
    """Rows and columns that are sampled keep their scales; 40 pairs take two blocks."""
    rng = np.random.default_rng(1)
    f = Factors(*(rng.standard_normal(s).astype(np.float32) for s in ((9, 40), (40, 20))), 20)
    products = Products(hw.unit(MXFP8))
    (found,) = products([f], "up")
    x, w = (hw.quantize(padded(v, 32), "mxfp8_e4m3") for v in (f.left, f.right.T))
    np.testing.assert_allclose(found, x.values() @ w.values().T, rtol=1e-5, atol=1e-5)
    ((left, right),) = products.met
    assert (left.scale_codes == x.scale_codes[:4]).all()
    assert (right.scale_codes == w.scale_codes[:8].T).all()
    path = datapath(products.unit)
    zeros = np.zeros(8, np.uint32)
    for most, steps in ((None, 2), (64, 2), (50, 1), (8, 1)):
        a, _, sa, _, c = path.operands_met(left, right, zeros, most)
        assert a.shape == (4 * 8 * steps, 32)
        assert sa.shape == (4 * 8 * steps, 1)
        assert (c[::steps] == 0).all()


# -- errors --------------------------------------------------------------------------------------

SPECS = (
    "dot:a=e4m3fn,n=3,acc=seq",
    "dot:a=e2m1fn,n=4,scale=ue4m3,block=2,c=fp16",
    "dot:a=int8,b=e3m2fn,n=4,scale=e8m0fnu,acc=trunc-13",
    "dot:a=e4m3fn,n=2,c=none,out=e5m2",
    "dot:a=int8,n=2",
)


def by_hand(spec: str, operands: tuple[np.ndarray, ...]) -> list[tuple[Fraction, Fraction]]:
    """Exact results and errors of the sets that count, lane after lane in fractions."""
    u = hw.unit(spec)
    given = dict(zip(u.operands, operands, strict=True))
    values = {k: np.asarray(f.decode(given[k]), float) for k, (f, _) in u.lane_formats.items()}
    if u.addend:
        values["c"] = np.asarray(u.addend.decode(given["c"]), float)
    results = np.asarray(u.out.decode(u(*operands)), float)
    found = []
    for i, y in enumerate(results):
        mine = {k: np.atleast_1d(x[i]).tolist() for k, x in values.items()}
        if not all(np.isfinite(x).all() for x in mine.values()):
            continue
        real = Fraction(mine.get("c", [0.0])[0])
        for k in range(u.n):
            term = Fraction(mine["a"][k]) * Fraction(mine["b"][k])
            if u.scale:
                at = k // u.block
                term *= Fraction(mine["sa"][at]) * Fraction(mine["sb"][at])
            real += term
        if u.out.min <= real <= u.out.max and np.isfinite(y):
            found.append((real, Fraction(y) - real))
    return found


@pytest.mark.parametrize("spec", few(SPECS, 4))
def test_errors_are_against_exact_sums(spec: str) -> None:
    u = hw.unit(spec)
    operands = stimuli_of(u).operands(600)
    expected = by_hand(spec, operands)
    found = evaluate(u, operands)
    assert found.counts["operand_sets"] == 600
    assert found.counts["counted"] == len(expected) > 50
    assert found.metrics["error_rate"] == np.mean([e != 0 for _, e in expected])
    med = float(sum(abs(e) for _, e in expected)) / len(expected)
    assert found.metrics["med"] == pytest.approx(med, rel=1e-12)
    mred = [float(abs(e / x)) for x, e in expected if x]
    assert found.metrics["mred"] == pytest.approx(np.mean(mred), rel=1e-12)
    if u.acc.way == "exact":
        assert found.metrics["max_ulp"] <= 0.5


def test_every_set_of_a_small_dot() -> None:
    found = evaluate("dot:a=e2m1fn,n=2,c=none,out=e4m3fn")
    assert found.counts["counted"] == 1 << 16
    assert 0 < found.metrics["max_ulp"] <= 0.5
    truncated = evaluate("dot:a=e2m1fn,n=2,c=none,out=e4m3fn,round=rtz")
    assert 0.5 < truncated.metrics["max_ulp"] < 1


def test_an_exact_sum_with_a_lane_left_out_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = reference.exact_dots
    monkeypatch.setattr(
        reference, "exact_dots", lambda u, codes: real(u, codes | {"a": codes["a"] * [1, 0]})
    )
    assert evaluate("dot:a=e2m1fn,n=2,c=none,out=e4m3fn").metrics["max_ulp"] > 0.5


def test_operands_of_a_file_have_lanes(tmp_path: Path) -> None:
    u = hw.unit("dot:a=e4m3fn,n=4,scale=e8m0fnu,c=fp16")
    codes = dict(zip(u.operands, stimuli_of(u).operands(50), strict=True))
    np.savez(tmp_path / "codes.npz", **codes)
    for x, y in zip(read_operands(u, tmp_path / "codes.npz"), codes.values(), strict=True):
        assert (x == y).all()
    np.savez(tmp_path / "short.npz", **codes | {"b": codes["b"][:, :3]})
    with pytest.raises(InvalidInput, match=r"operand b of dot must be of shape \(\.\.\., 4\)"):
        evaluate(u, read_operands(u, tmp_path / "short.npz"))


def test_compared_on_random_sets() -> None:
    (found,) = compare(["dot:a=e2m1fn,n=16,scale=ue4m3"], flow=FakeFlow())
    assert found.source == "normal"
    assert found.evaluation is not None
    assert 0.1 < found.evaluation.metrics["error_rate"] < 0.9
    assert found.evaluation.metrics["max_ulp"] <= 0.5
