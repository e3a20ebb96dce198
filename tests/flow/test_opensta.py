"""Static timing and energy, against OpenSTA."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import hwarith as hw
from hwarith.flow import processes
from hwarith.flow.energy import measure as energy
from hwarith.flow.energy.activity import activity
from hwarith.flow.synthesis import liberty
from hwarith.flow.synthesis.libraries import OPEN_CELLS, liberty_file
from hwarith.units.catalogue import CATALOGUE
from tests.evidence import OPENSTA, compared
from tests.flow.tabled import library
from tests.tiers import few

pytestmark = pytest.mark.skipif(
    shutil.which("sta") is None, reason="OpenSTA (sta) is not on PATH (Debian: apt install opensta)"
)

UNITS = [
    "add:a=e4m3fn",
    "mul:a=e2m1fn",
    "mul:a=e4m3fn",
    "mul:a=int8,out=int16",
    "lmul:format=bf16",
    "add:a=fp16",
    "fma:a=e4m3fn",
    "cmp:a=bf16",
    "mul:a=e4m3fn,stages=2",
    "fma:a=e5m2,stages=1",
]

LIBRARIES = ["tabled", "osu018"]
"""The tests' own library, and open cells where they are installed."""


def source_of(name: str, folder: Path) -> Path:
    """The Liberty file of one of `LIBRARIES`."""
    if name == "tabled":
        path = folder / "own.lib"
        path.write_text(library())
        return path
    try:
        return liberty_file(name)
    except hw.MissingTool as error:
        pytest.skip(str(error))


def scalar_verilog(module: dict) -> str:
    """A netlist with ports of one bit, which any reader takes."""
    ports, lines = [], []
    for name, port in module["ports"].items():
        for i, net in enumerate(port["bits"]):
            ports.append(f"{name}_{i}")
            lines.append(f"{port['direction']} {name}_{i};")
            value = net if isinstance(net, str) else f"n{net}"
            if port["direction"] == "input":
                lines.append(f"assign {value} = {name}_{i};")
            else:
                lines.append(f"assign {name}_{i} = {constant(net)};")
    for i, (kind, nets) in enumerate(module["cells"]):
        pins = ", ".join(f".{pin}({constant(net)})" for pin, net in nets.items())
        lines.append(f"{kind} u{i} ({pins});")
    return f"module top ({', '.join(ports)});\n" + "\n".join(lines) + "\nendmodule\n"


def constant(net: int | str) -> str:
    return f"n{net}" if isinstance(net, int) else f"1'b{0 if net == 'x' else net}"


def opensta(module: dict, source: Path, folder: Path, report: str, text: str = "") -> str:
    """What OpenSTA reports under what `longest_path_by_load` states, without wires. `text` stands
    in for that of the Liberty file."""
    cells = liberty.read(source)
    text = re.sub(r"(?m)^\s*default_wire_load\s*:.*$", "", text or source.read_text())
    (folder / "cells.lib").write_text(text)
    (folder / "top.v").write_text(scalar_verilog(module))
    clock = "[get_ports clk_0]" if "clk" in module["ports"] else ""
    inputs = [
        f"{name}_{i}"
        for name, port in module["ports"].items()
        for i in range(len(port["bits"]))
        if port["direction"] == "input" and name != "clk"
    ]
    (folder / "run.tcl").write_text(f"""
read_liberty cells.lib
read_verilog top.v
link_design top
create_clock -name clk -period 100 {clock}
set inputs [get_ports {{{" ".join(inputs)}}}]
set_driving_cell -lib_cell {cells.driver.name} $inputs
set_load {cells.output_load} [all_outputs]
set_input_delay 0 -clock clk $inputs
set_output_delay 0 -clock clk [all_outputs]
{report}
exit
""")
    said = processes.run(["sta", "-no_splash", "run.tcl"], folder).stdout
    assert "Error" not in said, said
    compared(OPENSTA, 1)
    return said


def longest_path(module: dict, source: Path, folder: Path) -> float:
    said = opensta(module, source, folder, "report_checks -digits 6")
    slack = re.search(r"(-?[\d.]+) +slack", said)
    assert slack, said
    return 100 - float(slack[1])


@pytest.mark.parametrize("spec", few(UNITS, 3))
@pytest.mark.parametrize("name", LIBRARIES)
def test_the_longest_path_is_that_of_opensta(name, spec, tmp_path):
    source = source_of(name, tmp_path)
    result = hw.synthesize(spec, source)
    assert result.delay == pytest.approx(longest_path(result.module, source, tmp_path), rel=1e-3)


@pytest.mark.long
@pytest.mark.parametrize("spec", CATALOGUE.values(), ids=CATALOGUE)
def test_the_longest_paths_of_the_catalogue_are_those_of_opensta(spec, tmp_path):
    source = source_of("osu018", tmp_path)
    result = hw.synthesize(spec, source)
    assert result.delay == pytest.approx(longest_path(result.module, source, tmp_path), rel=0.05)


# -- energy --------------------------------------------------------------------------------------


def for_opensta(text: str) -> str:
    """A Liberty file whose internal power OpenSTA of 2019 reads as it is meant.

    It counts a rise and a fall in each change (but of an input that is no clock), and the tables of
    all inputs that may cause a change, each as often as its condition holds
    (Power::findInternalPower; both were corrected later). Here conditions hold half the time, as
    the clock is high half the time, and the tables of n inputs are divided by n. It charges the
    greater of the capacitances in a rise and in a fall: here a pin has one.
    """

    def pin(match: re.Match) -> str:
        sources = re.findall(r'internal_power\(\) {\s*related_pin : "(\w+)";', match[0])
        if not sources:
            return match[0]
        start = match[0].index("internal_power")
        conditional = r'related_pin : "\1"; when : "\1";'
        powers = re.sub(r'related_pin : "(\w+)";', conditional, match[0][start:])
        powers = re.sub(
            r"values\s*\([^)]*\)",
            lambda values: re.sub(
                r"-?\d+\.\d+(e-?\d+)?", lambda x: repr(float(x[0]) / len(sources)), values[0]
            ),
            powers,
        )
        return match[0][:start] + powers

    text = re.sub(r"(?ms)^  pin\(\w+\)  ?{.*?^  }", pin, text)
    clock = r"(pin ?\((\w+)\)\s*{[^{}]*clock : true;\s*internal_power ?\(\) ?{)"
    text = re.sub(clock, r'\1 when : "\2";', text)
    return re.sub(r"\b(rise|fall)_capacitance : [\d.]+;", "", text)


def powers_of(pin: str, text: str) -> str:
    """A Liberty file with the internal power of pins of this name alone."""
    parts, end = [], 0
    for match in re.finditer(r"internal_power ?\(\) ?{", text):
        of = re.findall(r"\bpin ?\((\w+)\)", text[: match.start()])[-1]
        if of != pin:
            parts.append(text[end : match.start()])
            depth, end = 1, match.end()
            while depth:
                depth += {"{": 1, "}": -1}.get(text[end], 0)
                end += 1
    return "".join([*parts, text[end:]])


def instance_powers(module: dict, source: Path, folder: Path, text: str, more: str = "") -> dict:
    """Internal, switching and leakage power of each cell, at a change of each pin in each clock of
    100 ns (of the clock's, two), in fJ a clock and in nW."""
    report = (
        f"{more}\nset_power_activity -global -activity 1 -duty 0.5\n"
        "report_power -digits 8 -instances [get_cells *]"
    )
    said = opensta(module, source, folder, report, text)
    femtojoules = 1e15 * 100e-9
    units = femtojoules, femtojoules, 1e9
    figures = {}
    for *watts, cell in re.findall(r"(?m)^ *(\S+) +(\S+) +(\S+) +\S+ u(\d+)$", said):
        figures[int(cell)] = tuple(float(x) * unit for x, unit in zip(watts, units, strict=True))
    assert len(figures) == len(module["cells"])
    return figures


ENERGY_UNITS = ["mul:a=e4m3fn", "lmul:format=bf16", "add:a=fp16"]


@pytest.mark.parametrize("spec", ENERGY_UNITS)
@pytest.mark.parametrize("name", OPEN_CELLS)
def test_energy_is_that_of_opensta_for_the_same_changes(name, spec, tmp_path):
    """OpenSTA of 2019 takes no activities of inner pins: it says what each cell takes at one change
    in each clock, and the sum over the cells is made here."""
    source = source_of(name, tmp_path)
    synthesis, ours = hw.synthesize(spec, source), hw.energy(spec, library=source)
    cells = synthesis.module["cells"]
    figures = instance_powers(synthesis.module, source, tmp_path, for_opensta(source.read_text()))
    found = activity(synthesis, *energy.operands(hw.unit(spec)))
    changes = [found.changes[nets["Y"]] / found.operations for _, nets in cells]
    internal, switching = (sum(figures[i][k] * n for i, n in enumerate(changes)) for k in (0, 1))
    assert ours.switching == pytest.approx(switching, rel=0.01)
    assert ours.internal == pytest.approx(internal, rel=0.15)
    assert ours.energy == pytest.approx(internal + switching, rel=0.15)
    assert ours.leakage == pytest.approx(sum(x[2] for x in figures.values()), rel=1e-3)


WITH_REGISTERS = [
    "mul:a=e4m3fn,stages=2",
    "add:a=fp16,stages=3",
    "fma:a=e4m3fn,stages=1",
    "mac:a=e4m3fn,acc=bf16,out=bf16",
    "bsdequant",
]


@pytest.mark.parametrize("spec", few(WITH_REGISTERS, 3))
@pytest.mark.parametrize("name", few(LIBRARIES, 2))
def test_energy_with_registers_is_that_of_opensta_for_the_same_changes(name, spec, tmp_path):
    """The same pin by pin, whose changes are not equally many; a clock's are two in each clock, as
    OpenSTA takes them. What is constant at full throughput is constant there too."""
    source = source_of(name, tmp_path)
    synthesis, ours = hw.synthesize(spec, source), hw.energy(spec, library=source)
    cells, ports = synthesis.module["cells"], synthesis.module["ports"]
    found = activity(synthesis, *energy.operands(hw.unit(spec)))
    clock = ports["clk"]["bits"][0]
    text = for_opensta(source.read_text())
    values = {"rst": 0, "i_valid": 1, "o_ready": 1}
    constant = "".join(f"set_case_analysis {x} [get_ports {p}_0]\n" for p, x in values.items())
    internal, switching = [0.0] * len(cells), [0.0] * len(cells)
    for pin in sorted({pin for _, nets in cells for pin in nets}):
        figures = instance_powers(
            synthesis.module, source, tmp_path, powers_of(pin, text), constant
        )
        for i, (_, nets) in enumerate(cells):
            if pin in nets:
                times = found.clocks if nets[pin] == clock else found.changes[nets[pin]]
                internal[i] += figures[i][0] * times / found.operations
                if pin in ("Y", "Q"):
                    switching[i] += figures[i][1] * times / found.operations
    places = [i for i, (kind, _) in enumerate(cells) if kind.startswith("DFF")]
    of_registers = sum(internal[i] + switching[i] for i in places)
    registers = sum(x["energy"] for kind, x in ours.by_type.items() if kind.startswith("DFF"))
    assert ours.switching == pytest.approx(sum(switching), rel=0.01)
    assert ours.internal == pytest.approx(sum(internal), rel=0.05)
    assert ours.energy - ours.clock == pytest.approx(sum(internal + switching), rel=0.05)
    assert registers - ours.clock == pytest.approx(of_registers, rel=0.01)
