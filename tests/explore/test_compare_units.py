"""Units side by side: their figures are those of synthesis, error metrics and the network."""

from __future__ import annotations

import numpy as np
import pytest

import hwarith as hw
from hwarith import unit
from hwarith.exceptions import InvalidInput
from hwarith.explore.compare import compare
from hwarith.explore.judged import OPERATIONS
from hwarith.explore.metrics import OPERAND_SETS, evaluate
from hwarith.explore.workloads import workload
from hwarith.units.convert import Convert
from hwarith.units.operations import Operation
from tests.explore.fake_flow import FakeFlow


def test_costs_and_ratios(flow: FakeFlow) -> None:
    first, second = compare(["mul:a=bf16", "lmul:format=bf16"], flow=flow)
    assert flow.asked == [first.unit.spec, second.unit.spec]
    assert first.ratios(first) == {"area": 1, "delay": 1, "energy": 1, "luts": None}
    assert second.ratios(first) == {"area": 0.25, "delay": 1, "energy": 1, "luts": None}
    assert second.as_dict()["cost"] == second.cost.as_dict()


@pytest.mark.parametrize("spec", ["add:a=e2m1fn", "anfma:a=e4m3fn,w=8"])
def test_energy_of_random_operands(spec: str) -> None:
    (found,) = compare([spec])
    assert found.energy.operations == OPERATIONS - 1
    assert found.energy.toggles > 5
    (with_workload,) = compare([spec], workload="digits")
    operands = workload("digits").run(unit(spec)).operands
    assert with_workload.energy == hw.energy(spec, *operands)


def test_fpgas_have_no_energy() -> None:
    (found,) = compare(["add:a=e2m1fn"], library="ice40")
    assert (found.energy, found.ratios(found)["energy"]) == (None, None)


def test_small_units_are_evaluated_on_all_operands(flow: FakeFlow) -> None:
    (found,) = compare(["mul:a=e4m3fn"], flow=flow)
    assert found.source == "all"
    assert found.evaluation == evaluate("mul:a=e4m3fn")


@pytest.mark.parametrize(
    "spec", ["mul:a=bf16", "fma:a=int8,b=int8,c=int32,out=int32", "add:a=fp32"]
)
def test_wide_units_are_evaluated_on_random_operands(spec: str, flow: FakeFlow) -> None:
    (found,) = compare([spec], flow=flow)
    assert found.source == "normal"
    assert found.evaluation is not None
    assert found.evaluation.counts["operand_sets"] == OPERAND_SETS
    assert found.evaluation.counts["counted"] > 0.99 * OPERAND_SETS
    assert found.evaluation.metrics["max_ulp"] <= 0.5
    (again,) = compare([spec], flow=flow)
    assert again == found


def test_with_a_workload(flow: FakeFlow) -> None:
    (found,) = compare(["lmul:format=e4m3fn,k=2"], workload="digits", flow=flow)
    outcome = workload("digits").run(unit("lmul:format=e4m3fn,k=2"))
    assert (found.accuracy, found.output_error) == (outcome.accuracy, outcome.output_error)
    assert found.source == "workload"
    assert found.evaluation == evaluate("lmul:format=e4m3fn,k=2", outcome.operands)
    assert found.evaluation.counts["operand_sets"] == np.size(outcome.operands[0])


def test_units_without_errors(flow: FakeFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Convert, "operation", Operation("what nobody knows"))
    unknown, exact = compare(["convert:a=fp16,out=bf16", "cmp:a=bf16"], flow=flow)
    assert (unknown.evaluation, unknown.source) == (None, None)
    assert unknown.as_dict()["metrics"] is None
    assert unknown.reason.startswith("convert: the exact result of operation 'what nobody knows'")
    assert exact.reason == "cmp: exact by contract"


def test_mistakes_are_found_before_anything_runs(flow: FakeFlow) -> None:
    with pytest.raises(InvalidInput, match="unknown workload 'digit'; did you mean 'digits'"):
        compare(["mul:a=bf16"], workload="digit", flow=flow)
    with pytest.raises(InvalidInput, match="cmp"):
        compare(["mul:a=bf16", "cmp:a=bf16"], workload="digits", flow=flow)
    with pytest.raises(InvalidInput, match="unknown format"):
        compare(["mul:a=bf16", "mul:a=bf99"], flow=flow)
    assert flow.asked == []


def test_rows(flow: FakeFlow) -> None:
    """Costs, ratios if asked for, and errors."""
    first, second = compare(["mul:a=e4m3fn", "lmul:format=e4m3fn"], flow=flow)
    row = second.row(first)
    assert row["spec"] == second.unit.spec
    assert (row["area (GE)"], row["area/1st"], row["luts/1st"]) == (second.cost.area, 0.25, None)
    assert row["energy (NAND2)"] == second.energy.energy
    assert row["ER"] == second.evaluation.metrics["error_rate"]
    assert "accuracy" not in row
    assert "area/1st" not in second.row(None)
