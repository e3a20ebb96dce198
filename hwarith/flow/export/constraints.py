"""Timing constraints, and the scripts that map and time a block."""

from __future__ import annotations

from ...units.interface import Port
from .block import Block
from .templates import filled


def sdc(block: Block) -> str:
    """The constraints: a clock of the wanted period, paths from the reset left out."""
    asked = [port for port in block.ports if port.name not in ("clk", "rst")]
    return filled(
        "stream.sdc" if block.unit.stages else "combinational.sdc",
        name=block.name,
        period=f"{block.period:g}",
        inputs=_pattern([port for port in asked if port.direction == "input"]),
        outputs=_pattern([port for port in asked if port.direction == "output"]),
    )


def _pattern(ports: list[Port]) -> str:
    return " ".join(f"{p.name}[*]" if p.bits > 1 else p.name for p in ports)


def scripts(block: Block) -> dict[str, str]:
    """What yosys and OpenSTA run, by their files' names."""
    names = {"name": block.name, "rtl": block.rtl, "constraints": block.constraints}
    return {
        "synth/netlist.ys": filled("netlist.ys", **names),
        "synth/sta.tcl": filled("sta.tcl", **names),
    }
