"""Types of weights compared: figures against hand-made and published ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hwarith as hw
from hwarith.exceptions import InvalidInput
from hwarith.explore import measure_weights
from hwarith.explore.weights import (
    ALL_TYPES,
    FAMILIES,
    FP16,
    digits,
    family,
    nmse,
    processing_elements,
    quantized,
    read_weights,
    weight_types,
)
from hwarith.formats.weights import quantize, weight_type
from hwarith.reports.model.weights import WeightRows
from hwarith.units.bitserial.weights import WEIGHTS
from tests.explore.fake_flow import FakeFlow
from tests.explore.fake_weights import measured_rows


@pytest.fixture(scope="module")
def rows() -> WeightRows:
    return measured_rows()


@pytest.fixture(scope="module")
def figures(rows: WeightRows) -> dict[str, dict[str, float | None]]:
    """Of each type; of one on several elements on its bit-serial one."""
    return {row.label.removesuffix(", bit-serial"): row.figures for row in rows.rows}


# -- errors and bits -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "published", "tolerance"),
    [
        ("int3", 0.075097, 0.01),
        ("int4", 0.013792, 0.01),
        ("fp3", 0.056992, 0.01),
        ("bitmod3", 0.038056, 0.01),
        ("bitmod4", 0.009578, 0.01),
        ("flint4", 0.025371, 0.01),
        ("ant4", 0.013253, 0.01),
        ("nupes4", 0.011768, 1e-4),  # of the same groups
    ],
)
def test_error_of_normal_weights(kind: str, published: float, tolerance: float) -> None:
    """Computed from 8192 groups of default_rng(0) by a program that is no part of this project."""
    result, *_ = measure_weights([kind], flow=FakeFlow())
    assert result.figures["nmse_normal"] == pytest.approx(published, rel=tolerance)


def test_bits_per_weight(figures: dict[str, Any]) -> None:
    expected = {
        "int4": 4 + 16 / 32,
        "bitmod4": 4 + (16 + 2) / 32,
        "int4_asym": 4 + (16 + 4) / 32,
        "mxfp4": 4 + 8 / 32,
        "fp16, MAC with fp32 sum": 16,
    }
    assert {key: figures[key]["bits"] for key in expected} == expected


def test_nmse_of_hand_made_weights() -> None:
    w, q = np.array([1.0, -2.0]), np.array([1.0, -1.0])
    assert nmse([w, np.array([[2.0]])], [q, np.array([[2.0]])]) == 1 / 9
    assert nmse([np.zeros(2)], [np.zeros(2)]) is None
    assert nmse([w], [np.array([np.inf, 0])]) is None


def test_groups_that_are_not_full() -> None:
    w = np.random.default_rng(1).standard_normal((3, 40))
    for name in ("int4", "int3_asym", "bitmod3", "mxfp4"):
        kind = weight_type(name)
        found = quantized(kind, w, 32).values()[..., :40]
        assert (found[:, :32] == quantize(w[:, :32], kind, 32).values()).all()
        if kind.group is None:
            assert (found[:, 32:] == quantize(w[:, 32:], kind, 8).values()).all()


def test_digits_run_along_the_inputs() -> None:
    assert [w.shape for w in digits().arrays] == [(24, 64), (16, 24), (10, 16)]
    result, _ = measure_weights(["int4"], group=8, flow=FakeFlow())
    w = digits().arrays
    values = [quantize(x, "int4", 8).values() for x in w]
    assert result.figures["nmse"] == pytest.approx(nmse(w, values), rel=1e-12)
    assert result.group == 8


def test_more_bits_err_less(figures: dict[str, Any]) -> None:
    for key in ("nmse", "nmse_normal", "output_error", "pe_output_error"):
        errors = [figures[name][key] for name in ("fp3", "int4", "int8", "fp16, MAC with fp32 sum")]
        assert errors == sorted(errors, reverse=True)
    assert figures["int8"]["accuracy"] == pytest.approx(0.97, abs=0.005)
    assert figures["fp3"]["accuracy"] < 0.96


def test_network_with_float64_sums_by_hand(figures: dict[str, Any]) -> None:
    network = digits().workload.network
    x = exact = network.images
    for i, layer in enumerate(network.layers):
        w = quantize(layer.weights.T, "int8", min(32, len(layer.weights))).values().T
        x = np.maximum(x, 0 if i else -1).astype(np.float16).astype(float) @ w + layer.bias
        exact = (np.maximum(exact, 0) if i else exact) @ layer.weights + layer.bias
    error = np.sqrt(np.mean((x - exact) ** 2) / np.mean(exact**2))
    assert figures["int8"]["output_error"] == pytest.approx(error, rel=1e-9)
    assert figures["int8"]["accuracy"] == np.mean(x.argmax(axis=1) == network.labels)


def test_processing_elements_compute_the_same_sums(figures: dict[str, Any]) -> None:
    """All but for their own rounding, which is far below the error of 8-bit weights."""
    for name in ("int4", "int8", "int8, bit-parallel", "fp3", "bitmod4", "mxfp4"):
        found = figures[name]
        assert found["pe_output_error"] == pytest.approx(found["output_error"], rel=2e-3)
        assert found["pe_output_error"] != found["output_error"]
    wide, narrow = (figures[f"fp16, MAC with {acc} sum"] for acc in ("fp32", "fp16"))
    assert wide["pe_output_error"] == pytest.approx(wide["output_error"], rel=0.01)
    assert narrow["pe_output_error"] > 2 * wide["pe_output_error"]


# -- processing elements -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("int3", "bspe:type=int3,lanes=4"),
        ("int8", "bspe:type=int8,lanes=4"),
        ("fp3_ea", "bspe:type=fp3,lanes=4"),
        ("fp4_er", "bspe:type=fp4,lanes=4"),
        ("bitmod3", "bspe:type=fp3,lanes=4"),
        ("mxfp4", "bspe:type=fp4,lanes=4"),
        ("fp4:-4.5/10", "bspe:type=fp4,lanes=4"),
        ("fp4:7", "a special value is no sum of two powers of two"),
        ("int4_asym", "zero point"),
        ("flint4", "decoder"),
        ("ant4", "decoder"),
        ("fp5_e2m2", "decoder"),
        ("nupes4", "table"),
    ],
)
def test_which_element_runs_a_type(kind: str, spec: str) -> None:
    elements, reason = processing_elements(weight_type(kind))
    if spec.startswith("bspe"):
        name = spec.removeprefix("bspe:type=")
        parallel = [f"fpint:w={name}"] if name.startswith("int") else []
        assert [e.spec for e in elements] == [spec, *parallel]
        assert elements[0].per_clock == 4 / WEIGHTS[spec.split("=")[1].split(",")[0]].terms
        assert reason is None
    else:
        assert elements == []
        assert spec in str(reason)


def test_integers_of_two_bits_have_one_element() -> None:
    (element,), _ = processing_elements(weight_type("int2"))
    assert (element.spec, element.per_clock) == ("fpint:w=int2,lanes=4", 4)


def test_every_type_has_a_family_and_elements_or_a_reason() -> None:
    for kind in weight_types():
        elements, reason = processing_elements(kind)
        assert bool(elements) != bool(reason)
        assert family(kind) in FAMILIES
    assert [kind.name for kind in weight_types()] == list(ALL_TYPES)
    assert len(processing_elements(FP16)[0]) == 2


def test_costs_follow_from_area_and_delay(figures: dict[str, Any]) -> None:
    synthesis = FakeFlow().synthesize(hw.unit("bspe:type=int8"))
    found = figures["int8"]
    assert (found["area"], found["delay"]) == (synthesis.area, synthesis.delay)
    assert found["throughput"] == 1
    assert figures["int4"]["throughput"] == 2
    assert found["area_per_throughput"] == found["area"]
    assert figures["int4"]["area_per_throughput"] == figures["int4"]["area"] / 2
    assert found["area_time"] == found["area"] * found["delay"]
    int4 = figures["int4"]
    assert int4["area_time"] == int4["area_per_throughput"] * int4["delay"]
    for name in ("int4", "int8"):
        clocks = WEIGHTS[name].clocks(128, 4)
        assert figures[name]["group_area"] == figures[name]["area"] * clocks
    assert figures["int8, bit-parallel"]["throughput"] == 4
    assert figures["flint4"]["area"] is None


def test_real_synthesis() -> None:
    result, parallel = measure_weights(["int4"])
    assert result.figures["area"] == hw.synthesize("bspe:type=int4").area
    assert 1000 < (result.figures["area_per_throughput"] or 0) < 3000
    assert parallel.figures["area"] == hw.synthesize("fpint:w=int4").area


# -- weights of one's own ------------------------------------------------------------------------


def test_own_weights(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    arrays = {"a": rng.standard_normal((2, 3, 64)), "b": rng.standard_normal(32).astype("f4")}
    np.savez(tmp_path / "own.npz", **arrays)
    own = read_weights(tmp_path / "own.npz")
    results = measure_weights(["int4", "fp16"], own, 16, flow=FakeFlow())
    values = [quantize(w, "int4", 16).values() for w in arrays.values()]
    assert results[0].figures["nmse"] == nmse(list(arrays.values()), values)
    assert "accuracy" not in results[0].figures
    np.save(tmp_path / "one.npy", arrays["a"])
    one, _ = measure_weights(["int4"], read_weights(tmp_path / "one.npy"), 16, flow=FakeFlow())
    assert one.figures["nmse"] == nmse([arrays["a"]], values[:1])


def test_digest_tells_weights_apart(tmp_path: Path) -> None:
    digests = set()
    for i, array in enumerate((np.ones(4), np.ones((2, 2)), np.ones(4, "f4"), np.arange(4.0))):
        np.save(tmp_path / f"{i}.npy", array)
        digests.add(read_weights(tmp_path / f"{i}.npy").digest)
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.array(["a"]), "own.npy: weights must be numbers, not an array of <U1"),
        (np.ones(4, complex), "own.npy: weights must be numbers, not an array of complex128"),
        (np.array(1.0), r"own.npy: weights must be of shape \(..., n\), and not empty"),
        (np.ones((0, 4)), r"own.npy: weights must be of shape \(..., n\), and not empty"),
        (np.array([1, np.nan, 1, 1]), "own.npy: weights must be finite"),
        (np.ones(6), "own.npy: group must divide the last axis of the weights, 6; 4 does not"),
        (np.zeros(8), "own.npy: all weights are zero"),
        (np.array([None]), r"own.npy: an array of shape \(1,\) of object is none of numbers"),
        (b"text", "own.npy: it is no .npy or .npz file of numbers, or damaged"),
        (b"", "own.npy: it is no .npy or .npz file of numbers, or damaged"),
        (b"PK\x03\x04 and no zip", "own.npy: it is no .npy or .npz file of numbers, or damaged"),
        (None, "own.npy cannot be read: No such file"),
    ],
)
def test_own_weights_that_will_not_do(tmp_path: Path, content: Any, message: str) -> None:
    path = tmp_path / "own.npy"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        np.save(path, content)
    with pytest.raises(InvalidInput, match=message):
        measure_weights(["int4"], read_weights(path), 4, flow=FakeFlow())


def test_an_array_of_a_file_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", good=np.ones(4), bad=np.ones(3))
    with pytest.raises(InvalidInput, match=r"own.npz, array 'bad': group must divide"):
        measure_weights(["int4"], read_weights(tmp_path / "own.npz"), 4)
    np.savez(tmp_path / "none.npz")
    with pytest.raises(InvalidInput, match=r"none.npz has no array in it"):
        read_weights(tmp_path / "none.npz")


def test_mistakes_cost_no_synthesis() -> None:
    flow = FakeFlow()
    with pytest.raises(InvalidInput, match="unknown weight type 'bitmod5'"):
        measure_weights(["int4", "bitmod5"], flow=flow)
    for group in (0, 65):
        with pytest.raises(InvalidInput, match=rf"group must be 1 to 64 .*, not {group}"):
            measure_weights(["int4"], group=group, flow=flow)
    assert flow.asked == []
