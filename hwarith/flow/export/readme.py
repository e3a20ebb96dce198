"""The README of an exported block: its ports, its handshake, what it does at the edges, and the
commands that take it through simulators and synthesis."""

from __future__ import annotations

from collections.abc import Iterable

from ...units.interface import HANDSHAKE, about, timing
from ...units.waveform import waveform
from ...version import release
from . import axis
from .block import Block
from .templates import filled


def readme(block: Block) -> str:
    """The text, in Markdown."""
    u = block.unit
    contract = u.contract
    facts = {"contract": f"{contract.kind}: {contract.bound}", "source": contract.source}
    facts |= timing(u) | u.conventions
    if block.form.registered:
        facts["i_ready"] = "from registers: of what rule 4 allows, it does not depend on o_ready"
    ports = [(f"`{p.name}`", p.direction, p.bits, p.format, p.meaning) for p in block.ports]
    return filled(
        "readme.md",
        name=block.name,
        spec=u.spec,
        summary=u.summary[0].upper() + u.summary[1:],
        version=release(),
        about=about(u),
        rtl=block.rtl,
        facts=_rows(facts.items()),
        ports=_table("port direction bits format meaning", ports),
        lanes=filled("readme_lanes.md") if any(" x " in p.format for p in block.ports) else "",
        interface=_interface(block),
        files=_rows((f"`{name}`", what) for name, what in _files(block).items()),
        needs=" and cocotbext-axi" if block.has_axis else "",
    )


def _rows(rows: Iterable[tuple[object, ...]]) -> str:
    cells = (" | ".join(str(cell).replace("|", "\\|") for cell in row) for row in rows)
    return "\n".join(f"| {row} |" for row in cells)


def _table(titles: str, rows: Iterable[tuple[object, ...]]) -> str:
    names = tuple(titles.split())
    return f"{_rows([names])}\n|{'---|' * len(names)}\n{_rows(rows)}"


def _interface(block: Block) -> str:
    """What is said of the handshake, and of the stream around it."""
    if not block.unit.stages:
        return filled("readme_combinational.md")
    rules = "\n".join(f"{number}. {rule}" for number, rule in enumerate(HANDSHAKE, 1))
    picture = waveform(block.unit)
    if picture:
        title = "What stands in a column is transferred at the rising edge that ends it:"
        picture = f"\n{title}\n\n```\n{picture}```"
    text = filled("readme_handshake.md", rules=rules, picture=picture)
    return text + (_axis(block) if block.has_axis else "")


def _axis(block: Block) -> str:
    rows = [
        (name, f"`{at}`", f"`{port.name}`", port.format, port.meaning)
        for name, ports in (("s_axis", axis.payload(block)), ("m_axis", block.results))
        for at, port in axis.layout(ports)
    ]
    return filled(
        "readme_axis.md",
        name=block.name,
        sideband=" ".join(axis.sideband(block.unit)),
        fields=_table("stream tdata port format meaning", rows),
    )


def _files(block: Block) -> dict[str, str]:
    """What each file is."""
    name = block.name
    found = {block.rtl: "the block, Verilog-2005"}
    if block.has_axis:
        found[block.axis] = "AXI4-Stream around it"
    found |= {
        block.testbench: "self-checking testbench in plain Verilog",
        "vectors/": "what it reads: a file for each port, a code on each line",
        f"{name}.f`, `{name}_tb.f": "filelists of the block and of its simulation",
        block.constraints: f"timing constraints: a clock of {block.period:g} ns",
        f"{name}.core": "FuseSoC (CAPI2): targets default, lint, sim, sim_verilator, ecp5",
        "cocotb/": "cocotb testbenches, with the golden model as scoreboard",
        "synth/": "scripts for yosys and OpenSTA",
        "liberty/hwarith_generic.lib": "hwarith's generic cell library",
        "librelane/config.json": "configuration for LibreLane",
        "siliconcompiler/build.py": "script for SiliconCompiler",
    }
    return found
