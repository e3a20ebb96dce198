"""The figures of a mapped netlist, read off the files that yosys has written."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ...exceptions import ToolFailure, quoted
from .. import tools
from . import timing
from .cells import Library

Figures = dict[str, Any]
"""Attributes of `Synthesis` by name."""

_REGISTERS = re.compile(r"\$_S?DFF|\$_ALDFF|SB_DFF|TRELLIS_FF|FD[CPRS]E")
_RANK = re.compile(r"(?:_r|^valid_)([1-9]\d*)$")
_CARRIES = ("CARRY4", "SB_CARRY", "CCU2C")
_MULTIPLIER_BLOCKS = ("DSP48E1", "SB_MAC16", "MULT18X18D")

# Look-up tables by their inputs, and how many a cell is. An inverter of the Xilinx flow takes one
# of its own at worst; a carry cell of the ECP5 is two look-up tables with carry logic between them.
_LUTS = {
    "SB_LUT4": (4, 1),
    "INV": (1, 1),
    "CCU2C": (4, 2),
    "LUT1": (1, 1),
    "LUT2": (2, 1),
    "LUT3": (3, 1),
    "LUT4": (4, 1),
    "LUT5": (5, 1),
    "LUT6": (6, 1),
}
_LUT4_EQUIVALENTS = {5: 2, 6: 4}


def of_cells(folder: Path, library: Library) -> Figures:
    """Areas in the library's unit, and the longest path if it has delays. Raises `ToolFailure` for
    a cell that the library lacks."""
    stat, types = _cell_types(folder)
    module = mapped_module(folder)
    for name in types.keys() - library.cells:
        raise ToolFailure(
            f"yosys left a cell {quoted(name)} that library {quoted(library.name)} lacks"
        )
    registers = sum(n for name, n in types.items() if library.cells[name].register)
    area, sequential = (round(float(stat.get(key, 0)), 6) for key in ("area", "sequential_area"))
    found = {
        "target": library.name,
        "cells": sum(types.values()) - registers,
        "flip_flops": registers,
        "area": area,
        "combinational_area": round(area - sequential, 6),
        "sequential_area": sequential,
        "area_unit": "library area",
        "cells_by_type": types,
        "netlist": _written(folder, "netlist.v"),
        "module": _cells_and_ports(module),
    }
    if path := timing.find_longest_path(module, library):
        found |= {"delay": path.delay, "delay_unit": library.time_unit, "depth": path.depth}
        found |= {"path_start": path.start, "path_end": path.end, "path_ends": path.ends}
    return found


def segments(ends: dict[str, float], stages: int) -> list[float]:
    """The longest path to each rank of a pipeline, of those by where they end: registers have the
    number of their rank in their names, and those of the last one may be named after outputs."""
    longest = [0.0] * stages
    for name, delay in ends.items():
        found = _RANK.search(name.partition("[")[0])
        rank = min(int(found[1]), stages) if found else stages
        longest[rank - 1] = max(delay, longest[rank - 1])
    return longest


def of_generic_cells(figures: Figures) -> Figures:
    """The same figures in the units of the generic library, and in their netlist the models of its
    cells, to simulate it with."""
    netlist = f"{figures['netlist']}\n{cell_models()}"
    return figures | {"area_unit": "GE", "delay_unit": "NAND2", "netlist": netlist}


def of_two_input_gates(folder: Path) -> Figures:
    """Numbers of NAND, NOR and NOT gates, and of those on the path of most."""
    _, types = _cell_types(folder)
    gates = {name: n for name, n in types.items() if not _REGISTERS.match(name)}
    inverters = gates.get("$_NOT_", 0)
    return {
        "cells": sum(gates.values()),
        "flip_flops": sum(types.values()) - sum(gates.values()),
        "cells_by_type": types,
        "depth": _longest_topological_path(folder),
        "transistors": 2 * inverters + 4 * (sum(gates.values()) - inverters),
        "netlist": _written(folder, "netlist.v"),
        "module": _cells_and_ports(mapped_module(folder)),
    }


def of_fpga(folder: Path) -> Figures:
    """Numbers of look-up tables, carry cells and multiplier blocks of any family."""
    _, types = _cell_types(folder)
    tables: dict[int, int] = {}
    for name, (inputs, number) in _LUTS.items():
        if name in types:
            tables[inputs] = tables.get(inputs, 0) + number * types[name]
    registers = sum(n for name, n in types.items() if _REGISTERS.match(name))
    return {
        "cells": sum(types.values()) - registers,
        "flip_flops": registers,
        "cells_by_type": types,
        "depth": _longest_topological_path(folder),
        "luts": sum(tables.values()),
        "luts_by_inputs": {str(inputs): n for inputs, n in sorted(tables.items())},
        "lut4": sum(_LUT4_EQUIVALENTS.get(inputs, 1) * n for inputs, n in tables.items()),
        "carries": sum(types.get(name, 0) for name in _CARRIES),
        "dsps": sum(types.get(name, 0) for name in _MULTIPLIER_BLOCKS),
    }


def mapped_module(folder: Path) -> dict[str, Any]:
    """The netlist that a script has written, in the form of yosys' JSON."""
    (module,) = _written_json(folder, "netlist.json")["modules"].values()
    return module


def cell_models() -> str:
    """The cells of the generic library in Verilog."""
    return (tools.shipped("synth") / "generic_cells.v").read_text()


def _written(folder: Path, name: str) -> str:
    """A file that the script should have written: yosys may end early without saying so."""
    try:
        return (folder / name).read_text()
    except OSError:
        log = (folder / "yosys.log").read_text(errors="replace").strip().splitlines()
        raise ToolFailure(f"yosys wrote no {name}; its log ends: {' | '.join(log[-3:])}") from None


def _written_json(folder: Path, name: str) -> Any:
    try:
        return json.loads(_written(folder, name))
    except (ValueError, RecursionError):
        raise ToolFailure(f"yosys did not write the whole of {name}; is the disk full?") from None


def _cell_types(folder: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """What ``stat`` says of the design, and its count of each type of cell."""
    stat = _written_json(folder, "stat.json")["design"]
    return stat, dict(sorted(stat.get("num_cells_by_type", {}).items()))


def _cells_and_ports(module: dict[str, Any]) -> dict[str, Any]:
    """A netlist in the form of `Synthesis.module`."""
    cells = [
        [cell["type"], {pin: bits[0] for pin, bits in cell["connections"].items()}]
        for cell in module["cells"].values()
    ]
    return {"ports": module["ports"], "cells": cells}


def _longest_topological_path(folder: Path) -> int:
    match = re.search(r"\(length=(-?\d+)\)", _written(folder, "ltp.txt"))
    if match is None:
        raise ToolFailure("yosys found no longest path")
    return max(0, int(match[1]))
