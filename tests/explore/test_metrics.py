"""Error metrics: by hand, against plain fractions, and on results that are wrong on purpose."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

import hwarith as hw
from hwarith.exceptions import InvalidInput
from hwarith.explore import evaluate, reference
from hwarith.explore.metrics import COUNTS, METRICS
from hwarith.flow.stimuli.families import stimulus
from hwarith.units.exact.mul import Mul


def codes(name: str, *values: float) -> np.ndarray:
    return hw.format(name).encode(np.array(values))


def test_by_hand() -> None:
    # 2.25 -> 2, 1.5 -> 1.5, 4.5 -> 4, 0.25 -> 0 (a tie); 36 is out of range; 0 * 1 is exact.
    a = codes("e2m1fn", 1.5, 1.5, 3.0, 0.5, 6.0, 0.0)
    b = codes("e2m1fn", 1.5, 1.0, 1.5, 0.5, 6.0, 1.0)
    found = evaluate("mul:a=e2m1fn", (a, b))
    assert found.counts == {
        "operand_sets": 6,
        "counted": 5,
        "nonfinite_operands": 0,
        "out_of_range": 1,
        "nonfinite_results": 0,
        "zero_exact": 1,
        "underflowed": 1,
    }
    expected = {
        "error_rate": 3 / 5,
        "mred": (1 / 9 + 0 + 1 / 9 + 1) / 4,
        "mean_relative_error": -(1 / 9 + 0 + 1 / 9 + 1) / 4,
        "max_relative_error": 1.0,
        "mean_error": -(0.25 + 0.5 + 0.25) / 5,
        "med": (0.25 + 0.5 + 0.25) / 5,
        "nmed": (0.25 + 0.5 + 0.25) / 5 / 4.5,
        "mse": (0.25**2 + 0.5**2 + 0.25**2) / 5,
        "wce": 0.5,
        "mean_ulp": (0.25 / 1 + 0.5 / 2 + 0.25 / 0.5) / 5,
        "max_ulp": 0.5,
        "sqnr": 10 * math.log10((2.25**2 + 1.5**2 + 4.5**2 + 0.25**2) / (2 * 0.25**2 + 0.5**2)),
    }
    assert list(expected) == list(METRICS)
    assert found.metrics == pytest.approx(expected, rel=1e-14)


def by_fractions(spec: str) -> dict[str, float]:
    """Some of the metrics over all operand codes, one exact fraction after another."""
    unit = hw.unit(spec)
    operation = {
        "product": lambda a, b: a * b,
        "sum": lambda a, b: a + b,
        "multiply-add": lambda a, b, c: a * b + c,
        "conversion": lambda a, *random_bits: a,
    }[unit.operation.name]
    formats = list(unit.operands.values())
    (out,) = unit.results.values()
    decoded = [[f.decode(c).item() for c in f.codes()] for f in formats]
    errors, exacts, ulps = [], [], []
    for operands in itertools.product(*(range(1 << f.bits) for f in formats)):
        values = [table[c] for table, c in zip(decoded, operands, strict=True)]
        result = out.decode(unit.golden(*operands)).item()
        if not all(map(math.isfinite, values)):
            continue
        exact = operation(*map(Fraction, values))
        if not out.min <= exact <= out.max or not math.isfinite(result):
            continue
        exponent = out.numbers.emin if out.is_float else 0
        while out.is_float and abs(exact) >= Fraction(2) ** (exponent + 1):
            exponent += 1
        exacts.append(exact)
        errors.append(Fraction(result) - exact)
        ulps.append(Fraction(2) ** (exponent - out.fraction_bits))
    relative = [e / x for e, x in zip(errors, exacts, strict=True) if x]
    count = len(errors)
    return {
        "error_rate": sum(e != 0 for e in errors) / count,
        "mred": float(sum(map(abs, relative)) / len(relative)),
        "max_relative_error": float(max(map(abs, relative))),
        "mean_error": float(sum(errors) / count),
        "nmed": float(sum(map(abs, errors)) / count / max(map(abs, exacts))),
        "mse": float(sum(e * e for e in errors) / count),
        "wce": float(max(map(abs, errors))),
        "max_ulp": float(max(abs(e) / u for e, u in zip(errors, ulps, strict=True))),
    }


@pytest.mark.parametrize(
    "spec",
    [
        "mul:a=e3m2fn",
        "mul:a=e2m3fn,b=e4m3fn,out=e5m2",
        "add:a=e4m3,b=e2m1fn,out=e3m2fn",
        "fma:a=e2m1fn,b=e2m1fn,c=e3m2fn,out=e3m2fn",
        "lmul:format=e3m2fn,k=2",
        "mul:a=int4,b=int4,out=int6",
        "convert:a=e4m3fn,out=e2m1fn",
        "convert:a=e3m2fn,out=int3,round=sra,n=4",
    ],
)
def test_all_operands_against_fractions(spec: str) -> None:
    found = evaluate(spec).metrics
    expected = by_fractions(spec)
    assert {key: found[key] for key in expected} == pytest.approx(expected, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(
    "spec",
    [
        "fma:a=fp32,c=fp32,out=fp32",
        "fma:a=bf16,b=bf16,c=fp32,out=fp32",
        "add:a=fp32,b=bf16",
        "mul:a=fp32",
        "lmul:format=fp32,k=4",
        "convert:a=fp32,out=e4m3fn,round=srb",
    ],
)
def test_float64_errors_are_those_of_fractions(spec: str) -> None:
    """The claim of `reference.Errors` on operands that cancel, overflow and underflow."""
    unit = hw.unit(spec)
    operands = [np.asarray(x).ravel() for x in stimulus(unit, 3000, 1)]
    terms = reference._terms(unit)
    decoded = [f.decode(x) for f, x in zip(terms.values(), operands, strict=False)]
    results = unit.results["y"].decode(unit(*operands))
    finite = np.isfinite(np.array([*decoded, results])).all(axis=0)
    values = [x[finite].astype(np.float64) for x in (*decoded, results)]
    assert reference._float64_suffices(unit.operation, list(terms.values()), unit.results["y"])
    fast = reference._by_float64(unit.operation, values)
    sets = zip(*(x.tolist() for x in values[:-1]), strict=True)
    exact = [unit.operation.exact(*map(Fraction, x)) for x in sets]
    slow = reference._by_fractions(exact, values[-1])
    assert finite.sum() > 1000
    np.testing.assert_array_equal(fast.head, slow.head)
    np.testing.assert_array_equal(fast.tail_sign, slow.tail_sign)
    np.testing.assert_allclose(fast.distance, slow.distance, rtol=2.0**-51, atol=0)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_ulp_is_that_of_the_real_result_not_of_its_head(sign: int) -> None:
    """1 - 2^-100 rounds to 1 in float64, but lies in the binade below, whose ulp is half as much;
    1 + 2^-100 does not."""
    one, tiny = sign * np.ones(2), sign * np.array([-(2.0**-100), 2.0**-100])
    for k, ulp in enumerate((2.0**-24, 2.0**-23)):
        operands = (codes("fp32", one[k]), codes("fp32", tiny[k]))
        found = evaluate("add:a=fp32", operands).metrics
        assert found["wce"] == 2.0**-100
        assert found["max_ulp"] == 2.0**-100 / ulp
    product = evaluate(
        "fma:a=fp32", (codes("fp32", sign), codes("fp32", 1), codes("fp32", tiny[0]))
    )
    assert product.metrics["max_ulp"] == 2.0**-76


@pytest.mark.parametrize("name", ["fp32", "fp64", "e4m3fn", "bf16"])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_hair_beyond_the_range_is_out_of_it(name: str, sign: int) -> None:
    """The largest number and far less than an ulp of float64 to it, outwards and inwards."""
    f = hw.format(name)
    largest = f.encode(sign * float(f.max))
    hair = hw.format("fp64").encode(sign * 2.0**-1000)
    spec = f"add:a={name},b=fp64,out={name},overflow=saturate"
    if name == "fp64":
        spec = "add:a=fp64,overflow=saturate"
    outwards = evaluate(spec, ([largest], [hair])).counts
    assert (outwards["out_of_range"], outwards["counted"]) == (1, 0)
    inwards = evaluate(spec, ([largest], [hair ^ np.uint64(1 << 63)])).counts
    assert (inwards["out_of_range"], inwards["counted"]) == (0, 1)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_hair_beyond_the_range_in_float64(sign: int) -> None:
    """The same where the exact result is found by a sum with its rounding error."""
    largest, hair = (
        codes("fp32", sign * float(hw.format("fp32").max)),
        codes("fp32", sign * 2.0**-99),
    )
    spec = "add:a=fp32,overflow=saturate"
    assert evaluate(spec, (largest, hair)).counts["out_of_range"] == 1
    assert evaluate(spec, (largest, hair ^ np.uint32(1 << 31))).counts["counted"] == 1


def test_wide_formats_are_evaluated_exactly() -> None:
    one = 0x3FF0000000000000
    found = evaluate("add:a=fp64", ([one], [1]))  # 1 + 2^-1074
    assert found.metrics["error_rate"] == 1
    assert found.metrics["wce"] == 2.0**-1074
    big = 2**62 + 1
    assert evaluate("mul:a=int64,b=int64,out=int64", ([big], [1])).metrics["error_rate"] == 0


def test_specials_are_left_out_and_counted() -> None:
    inf, nan, large, one = 0x7C, 0x7E, 0x7B, 0x3C
    a = [inf, nan, large, one, 0x3D]
    b = [one, one, large, one, 0x3D]
    counts = evaluate("mul:a=e5m2", (a, b)).counts
    assert counts["nonfinite_operands"] == 2
    assert counts["out_of_range"] == 1
    assert counts["counted"] == 2
    assert set(counts) == set(COUNTS)
    # L-Mul's 2^-l term carries 1.5 * 2^0 * 1.5 * 2^15 over the border of an IEEE format.
    beyond = evaluate("lmul:format=e5m2", ([0x3D], [0x7B])).counts
    assert beyond["out_of_range"] + beyond["nonfinite_results"] == 1


def test_nothing_counted_gives_no_values() -> None:
    found = evaluate("mul:a=e5m2", ([0x7C], [0x3C]))
    assert found.counts["counted"] == 0
    assert set(found.metrics.values()) == {None}


def test_exact_unit_has_no_error_and_no_sqnr() -> None:
    metrics = evaluate("mul:a=int8,b=int8,out=int16").metrics
    assert metrics["error_rate"] == metrics["wce"] == metrics["mred"] == 0
    assert metrics["sqnr"] is None


def test_a_single_wrong_result_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    right = evaluate("mul:a=int4,b=int4,out=int8").metrics
    original = Mul.__call__

    def faulty(self: Mul, *operands: np.ndarray) -> np.ndarray:
        results = original(self, *operands).copy()
        results[77] ^= 1
        return results

    monkeypatch.setattr(Mul, "__call__", faulty)
    wrong = evaluate("mul:a=int4,b=int4,out=int8").metrics
    assert (right["error_rate"], wrong["error_rate"]) == (0, 1 / 256)
    assert wrong["wce"] == 1


def test_bad_input() -> None:
    with pytest.raises(InvalidInput, match=r"2\^32 operand combinations.*give operands.*a, b"):
        evaluate("mul:a=bf16")
    with pytest.raises(InvalidInput, match="must not be empty"):
        evaluate("mul:a=bf16", (np.zeros(0, np.uint16),) * 2)
    with pytest.raises(InvalidInput, match="takes 2 operands"):
        evaluate("mul:a=bf16", ([1],))
    with pytest.raises(InvalidInput, match="within float64's range; e15m112 exceeds it"):
        evaluate("mul:a=e15m112", ([1], [1]))


def test_definitions_are_complete() -> None:
    for metric in METRICS.values():
        assert metric.title
        assert metric.definition.endswith(".")


def test_tables() -> None:
    found = evaluate("lmul:format=e4m3fn")
    rows = found.table()
    assert [row["value"] for row in rows] == list(found.metrics.values())
    assert rows[0] == {
        "": "Error rate (ER)",
        "value": found.metrics["error_rate"],
        "unit": "",
    }
    counts = found.table_of_counts()
    assert counts[0] == {"sets": 1 << 16, "": COUNTS["operand_sets"]}
