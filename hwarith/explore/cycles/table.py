"""What `hwarith.explore.cycles.accelerator.task` found, as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...tables import quantity
from .accelerator import Cost, total

TITLES = {"compute_cycles": "compute cycles", "dram_cycles": "DRAM cycles"}
"""Titles of the keys of rows that are no titles by themselves."""

UNITS = {"dram_mb": "MB", "dram_uj": "µJ"}
"""Units of the keys of rows that have some."""

Phases = Mapping[str, Mapping[str, Cost]]
"""The cost of each operation in each phase, as of `task`."""

Row = dict[str, object]


def cycle_rows(phases: Phases, base: Phases | None = None) -> list[Row]:
    """A row for each operation and, last, for their total: cycles, MB and uJ of DRAM.

    With ``base``, the phases of the same task on another accelerator, each has its ``speedup``
    over that one.
    """
    rows = [_row(phase, name, cost) for phase, name, cost in _costs(phases)]
    if base is not None:
        pairs = zip(rows, _costs(phases), _costs(base), strict=True)
        for row, (_, _, cost), (_, _, slower) in pairs:
            row["speedup"] = slower.cycles / cost.cycles
    return rows


def titled(rows: Sequence[Row]) -> list[Row]:
    """The rows with `TITLES` in place of keys."""
    found = []
    for row in rows:
        of_dram = [quantity("DRAM", row[key], unit) for key, unit in UNITS.items()]
        kept = {TITLES.get(key, key): x for key, x in row.items() if key not in UNITS}
        found.append(kept | of_dram[0] | of_dram[1])
    return found


def _costs(phases: Phases) -> list[tuple[str, str, Cost]]:
    """Phase, name and cost of each operation, and last of all together."""
    named = [(phase, name, cost) for phase, of in phases.items() for name, cost in of.items()]
    return [*named, (", ".join(phases), "total", total(cost for _, _, cost in named))]


def _row(phase: str, name: str, cost: Cost) -> Row:
    return {
        "phase": phase,
        "operation": name,
        "cycles": cost.cycles,
        "compute_cycles": cost.compute_cycles,
        "dram_cycles": cost.dram_cycles,
        "dram_mb": cost.dram_bytes / 10**6,
        "dram_uj": cost.dram_energy,
    }
