"""Rows of the cycle model's costs, their total, and speedups."""

from __future__ import annotations

import pytest

from hwarith.explore.cycles.accelerator import task, total
from hwarith.explore.cycles.table import cycle_rows, titled


def test_rows() -> None:
    phases = task("phi-2", "bitmod", generate=2)
    *operations, last = cycle_rows(phases)
    assert [(row["phase"], row["operation"]) for row in operations] == [
        (phase, name) for phase, costs in phases.items() for name in costs
    ]
    together = total(cost for costs in phases.values() for cost in costs.values())
    assert last == {
        "phase": "prompt, generation",
        "operation": "total",
        "cycles": together.cycles,
        "compute_cycles": together.compute_cycles,
        "dram_cycles": together.dram_cycles,
        "dram_mb": together.dram_bytes / 10**6,
        "dram_uj": together.dram_energy,
    }


def test_speedups() -> None:
    base, phases = task("phi-2", "fp16"), task("phi-2", "bitmod")
    rows = cycle_rows(phases, base)
    for row, slower in zip(rows, cycle_rows(base), strict=True):
        assert row["speedup"] == slower["cycles"] / row["cycles"]
    assert {row["speedup"] for row in cycle_rows(base, base)} == {1}


def test_titles() -> None:
    (row, *_) = titled(cycle_rows(task("phi-2", "fp16")))
    assert list(row) == [
        *("phase", "operation", "cycles", "compute cycles"),
        *("DRAM cycles", "DRAM (B)", "DRAM (J)"),
    ]
    assert row["DRAM (B)"] == pytest.approx(task("phi-2", "fp16")["prompt"]["q"].dram_bytes)
