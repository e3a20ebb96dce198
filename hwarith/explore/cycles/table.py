"""What `hwarith.explore.cycles.accelerator.task` found, as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...exceptions import InvalidInput
from ...tables import Several, Table, quantity
from ..hardware import FLOW, Flow
from .accelerator import Cost, task, total
from .files import find_config, find_model

TITLES = {"compute_cycles": "compute cycles", "dram_cycles": "DRAM cycles"}
"""Titles of the keys of rows that are no titles by themselves."""

UNITS = {"dram_mb": "MB", "dram_uj": "µJ"}
"""Units of the keys of rows that have some."""

Phases = Mapping[str, Mapping[str, Cost]]
"""The cost of each operation in each phase, as of `task`."""

Row = dict[str, object]


@dataclass(frozen=True)
class OfConfig:
    """A configuration as it was given, with rows for its operations and, last, for all of them."""

    config: str
    rows: list[Row]


@dataclass(frozen=True)
class Cycles(Several[OfConfig]):
    """What `cycles` counted, of each configuration."""

    model: str
    tokens: int
    generate: int

    def tables(self) -> list[Table]:
        """The operations of each configuration."""
        more = f" and {self.generate} generated" if self.generate else ""
        about = f"{self.tokens} tokens{more}"
        return [Table(titled(x.rows), f"{self.model}, {x.config}: {about}") for x in self]

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain data, for JSON."""
        of_each = [
            {"config": x.config, "operations": x.rows[:-1], "total": x.rows[-1]} for x in self
        ]
        facts = {"model": self.model, "tokens": self.tokens, "generate": self.generate}
        return facts | {"configs": of_each}


def cycles(
    model: str | Path,
    configs: Sequence[str],
    tokens: int = 256,
    generate: int = 0,
    *,
    flow: Flow = FLOW,
) -> Cycles:
    """Count cycles and DRAM traffic of a language model on accelerators such as BitMoD.

    Parameters
    ----------
    model : ``opt-1.3b``, ``phi-2``, ``yi-6b``, ``llama-2-7b``, ``llama-2-13b``, ``llama-3-8b``, or
        the path of a TOML file with layers, hidden, ffn, heads, kv_heads, vocab, gated.
    configs : ``fp16``, ``ant``, ``olive``, ``bitmod-lossless``, ``bitmod``, texts such as
        ``rows=32,columns=32,dp=4,bits=4,serial=1``, or ``type=mxfp4`` with any of the types of
        `hwarith.datatypes`: an array of the area of that of ``fp16``, of units that take it.
        Speedups are over the first one.
    tokens, generate : of the prompt, and after it.
    flow : gives the areas of units.

    Raises `InvalidInput` for what is not as said here, and `ToolFailure` if synthesis fails.
    Source: BitMoD (HPCA 2025), section V; arrays of types are this project's.
    """
    if isinstance(configs, str) or not configs:
        raise InvalidInput("cycles: configs must be a list of names, such as ['fp16', 'bitmod']")
    shape = find_model(str(model))
    found = [(text, task(shape, find_config(text, flow), tokens, generate)) for text in configs]
    first = found[0][1] if len(found) > 1 else None
    rows = tuple(OfConfig(text, cycle_rows(phases, first)) for text, phases in found)
    return Cycles(rows, str(model), tokens, generate)


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
